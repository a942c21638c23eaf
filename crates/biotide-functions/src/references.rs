//! What the functions of a session share: reference tables, whose memory its pool is told of, and parsers.

use std::sync::Arc;
use std::time::SystemTime;

use biotide_common::format_size;
use biotide_common::options::{BiotideOptions, Names};
use datafusion_common::config::ConfigOptions;
use datafusion_common::{Result, resources_err};
use datafusion_execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};
use parking_lot::Mutex;

use crate::identifier::parser::{IdentifierParser, Parsers};
use crate::identifier::registry::{self, Registry};
use crate::identifier::tables::{self, Genes, Tables};

/// Reference tables and parsers of one session. They are read when a function first needs them, and anew when
/// the option that names their file changes, or the file does.
#[derive(Debug, Default)]
pub struct References {
    pool: Option<Arc<dyn MemoryPool>>,
    own: Vec<Arc<dyn IdentifierParser>>,
    genes: Slot<Genes>,
    secondary: Slot<Tables>,
    parsers: Slot<Parsers>,
}

/// What was read last.
#[derive(Debug)]
struct Slot<T>(Mutex<Option<Loaded<T>>>);

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

#[derive(Debug)]
struct Loaded<T> {
    files: Vec<(String, Option<SystemTime>)>,
    value: Arc<T>,
    _memory: Option<MemoryReservation>,
}

impl<T> Slot<T> {
    /// What `load` gives, with its size; what it gave last if these files are the same.
    fn get(
        &self,
        what: &str,
        pool: Option<&Arc<dyn MemoryPool>>,
        files: &[String],
        load: impl FnOnce() -> Result<(Arc<T>, usize)>,
    ) -> Result<Arc<T>> {
        let modified = |file: &String| {
            // (`namespace=path`.)
            let path = file
                .rsplit_once('=')
                .map_or(file.as_str(), |(_, path)| path);
            let metadata = std::fs::metadata(file).or_else(|_| std::fs::metadata(path));
            (
                file.clone(),
                metadata.and_then(|metadata| metadata.modified()).ok(),
            )
        };
        let files: Vec<_> = files.iter().map(modified).collect();
        let mut slot = self.0.lock();
        if let Some(loaded) = slot.as_ref().filter(|loaded| loaded.files == files) {
            return Ok(Arc::clone(&loaded.value));
        }
        let (value, size) = load()?;
        // (The old one is let go first.)
        *slot = None;
        let memory = match pool {
            Some(pool) => {
                let memory = MemoryConsumer::new(what).register(pool);
                memory.try_grow(size).or_else(|_| {
                    let size = format_size(size as u64);
                    resources_err!("{what} takes {size} of memory: raise the memory limit")
                })?;
                Some(memory)
            }
            None => None,
        };
        *slot = Some(Loaded {
            files,
            value: Arc::clone(&value),
            _memory: memory,
        });
        Ok(value)
    }
}

/// Biotide's options of a session.
pub(crate) fn own(options: &ConfigOptions) -> Option<&BiotideOptions> {
    options.extensions.get::<BiotideOptions>()
}

impl References {
    /// Tables that are charged to this pool, and these parsers besides the built-in ones.
    pub fn new(pool: Arc<dyn MemoryPool>, parsers: Vec<Arc<dyn IdentifierParser>>) -> Self {
        Self {
            pool: Some(pool),
            own: parsers,
            ..Self::default()
        }
    }

    /// The registry of prefixes.
    pub fn registry(&self, options: &ConfigOptions) -> Result<Arc<Registry>> {
        registry::current(own(options).and_then(|options| options.identifiers_registry.as_deref()))
    }

    /// The genes that symbols mean.
    pub(crate) fn genes(&self, options: &ConfigOptions) -> Result<Arc<Genes>> {
        let file = own(options).and_then(|options| options.identifiers_genes.clone());
        let files: Vec<String> = file.into_iter().collect();
        let load = || tables::genes(files.first().map(String::as_str));
        self.genes
            .get("the table of genes", self.pool.as_ref(), &files, load)
    }

    /// The retired identifiers of all namespaces of which there is a table.
    pub(crate) fn secondary(&self, options: &ConfigOptions) -> Result<Arc<Tables>> {
        let files = own(options).and_then(|options| options.identifiers_secondary.clone());
        let Names(files) = files.unwrap_or(Names(Vec::new()));
        let load = || tables::secondary(&files, &*self.registry(options)?);
        self.secondary.get(
            "the table of retired identifiers",
            self.pool.as_ref(),
            &files,
            load,
        )
    }

    /// The parsers: built in, of Rust, and of the file that `identifiers.parsers` names.
    pub fn parsers(&self, options: &ConfigOptions) -> Result<Arc<Parsers>> {
        let file = own(options).and_then(|options| options.identifiers_parsers.clone());
        let files: Vec<String> = file.into_iter().collect();
        let load = || {
            let parsers = Parsers::new(&self.own, files.first().map(String::as_str))?;
            Ok((Arc::new(parsers), 0))
        };
        self.parsers.get("the parsers", None, &files, load)
    }
}
