//! Named mappings: built when they are first needed, then shared by all that use them.

use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::fmt::{self, Debug};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use biotide_common::sssom;
use biotide_common::yaml::Node;
use datafusion_common::Result;
use datafusion_execution::TaskContext;
use parking_lot::RwLock;
use tokio::sync::OnceCell;

use crate::index::{Index, stored};
use crate::load::blocking;

/// Where an index comes from.
#[async_trait]
pub trait LoadMapping: Any + Debug + Send + Sync {
    /// Builds it, or reads it.
    async fn load(&self, context: &Arc<TaskContext>) -> Result<Index>;
}

/// A mapping.
pub struct Mapping {
    name: String,
    load: Arc<dyn LoadMapping>,
    /// What prefixes stand for, as its sources say.
    iris: BTreeMap<String, String>,
    index: OnceCell<Loaded>,
}

/// An index, and what the file of its mapping was when it was loaded.
struct Loaded {
    index: Arc<Index>,
    file: Option<FileState>,
}

/// When a file was written, and how long it is.
type FileState = (SystemTime, u64);

fn file_state(path: &str) -> Option<FileState> {
    let file = std::fs::metadata(path).ok()?;
    Some((file.modified().ok()?, file.len()))
}

impl Debug for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mapping")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Mapping {
    /// A mapping that is loaded when it is first needed.
    pub fn new(name: impl Into<String>, load: Arc<dyn LoadMapping>) -> Self {
        Self {
            name: name.into(),
            load,
            iris: BTreeMap::new(),
            index: OnceCell::new(),
        }
    }

    /// With what prefixes stand for, as its sources say.
    pub fn with_iris(self, iris: BTreeMap<String, String>) -> Self {
        Self { iris, ..self }
    }

    /// What prefixes stand for, as its sources say.
    pub fn iris(&self) -> &BTreeMap<String, String> {
        &self.iris
    }

    /// The metadata of a schema that has its identifiers, and others: what their prefixes stand for.
    pub fn metadata(&self, mut of_others: HashMap<String, String>) -> HashMap<String, String> {
        if self.iris.is_empty() {
            return of_others;
        }
        let known = of_others
            .get(sssom::CURIE_MAP)
            .and_then(|text| Node::from_json(text));
        let mut all = match known {
            Some(Node::Map(entries)) => entries,
            _ => Vec::new(),
        };
        for (prefix, iri) in &self.iris {
            if !all.iter().any(|(known, _)| known == prefix) {
                all.push((prefix.clone(), Node::Scalar(iri.clone())));
            }
        }
        of_others.insert(sssom::CURIE_MAP.to_owned(), Node::Map(all).to_json());
        of_others
    }

    /// Its name, or what it is made from.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its index comes from.
    pub fn loader(&self) -> &Arc<dyn LoadMapping> {
        &self.load
    }

    /// Its index. The first who asks loads it, the others wait.
    pub async fn index(&self, context: &Arc<TaskContext>) -> Result<Arc<Index>> {
        let load = || async {
            // (Before it is read: what is written meanwhile is to be seen.)
            let file = file_state(&self.name);
            let index = Arc::new(self.load.load(context).await?);
            Ok(Loaded { index, file })
        };
        let loaded = self.index.get_or_try_init(load).await;
        loaded.map(|loaded| Arc::clone(&loaded.index))
    }

    /// Its index, if it is loaded.
    pub fn loaded(&self) -> Option<&Arc<Index>> {
        self.index.get().map(|loaded| &loaded.index)
    }

    /// Whether it is a file that has been written anew since it was loaded.
    pub fn is_outdated(&self) -> bool {
        let loaded = self.index.get();
        loaded.is_some_and(|loaded| loaded.file != file_state(&self.name))
    }
}

/// The mappings of a session, by name. A session extension.
#[derive(Debug, Default)]
pub struct Mappings(RwLock<BTreeMap<String, Arc<Mapping>>>);

impl Mappings {
    /// The mapping of a name, in any case.
    pub fn get(&self, name: &str) -> Option<Arc<Mapping>> {
        self.0.read().get(&name.to_lowercase()).cloned()
    }

    /// Adds a mapping. Answers whether there was one of this name.
    pub fn insert(&self, mapping: Arc<Mapping>) -> bool {
        let name = mapping.name().to_lowercase();
        self.0.write().insert(name, mapping).is_some()
    }

    /// Removes a mapping. Answers whether there was one.
    pub fn remove(&self, name: &str) -> bool {
        self.0.write().remove(&name.to_lowercase()).is_some()
    }

    /// All of them, by name.
    pub fn all(&self) -> Vec<Arc<Mapping>> {
        self.0.read().values().cloned().collect()
    }
}

/// Whether a file is a stored index.
pub fn is_stored(path: &Path) -> bool {
    stored::is_index(path)
}

/// Stores an index in a file, which has its name only when it is complete.
pub async fn store(index: Arc<Index>, iris: BTreeMap<String, String>, path: PathBuf) -> Result<()> {
    blocking(move || stored::write(&index, &iris, &path)).await
}

/// What the prefixes of a stored index stand for.
pub async fn iris(path: PathBuf) -> Result<BTreeMap<String, String>> {
    blocking(move || stored::iris(&path)).await
}

/// Opens a stored index.
pub async fn open(path: PathBuf, context: &TaskContext) -> Result<Index> {
    let pool = Arc::clone(&context.runtime_env().memory_pool);
    blocking(move || stored::open(&path, &pool)).await
}
