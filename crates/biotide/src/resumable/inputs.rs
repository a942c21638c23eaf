//! What a plan reads: a run that was broken off is only gone on with if that is as it was.

use std::any::Any;
use std::collections::BTreeSet;
use std::fs::Metadata;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::UNIX_EPOCH;

use biotide_database::{DatabaseTable, DatabaseTarget};
use biotide_exec::catalog::Mapping;
use biotide_exec::chain::ChainNode;
use biotide_formats::table::BiotideTable;
use datafusion::catalog::TableProvider;
use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::listing::{ListingTable, ListingTableUrl};
use datafusion::datasource::source_as_provider;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Extension, LogicalPlan};
use futures::TryStreamExt;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::mapping::lateral::node as xref;
use crate::mapping::loader::{PlanLoader, StoredLoader};
use crate::pipeline::run::InputFile;

/// An input as it was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Input {
    pub(super) name: String,
    pub(super) size: u64,
    /// Nanoseconds since 1970, where it is known.
    modified: Option<u128>,
    /// The same of the last change of a local file, in any way: a file that was edited or replaced has another one, also
    /// where its other time was set back (`touch -r`, `rsync -t`, `tar`).
    changed: Option<u128>,
    /// What tells the versions of an object in a store apart.
    pub(super) e_tag: Option<String>,
}

impl Input {
    fn new(name: String, size: u64) -> Self {
        Self {
            name,
            size,
            ..Self::default()
        }
    }

    /// The same as it is now, if it is on the local disk.
    fn now(self) -> Self {
        if let Some(key) = cache_key(Path::new(&self.name)) {
            // (Its key tells what it holds.)
            return Self::new(format!("{CACHE}{key}"), 0);
        }
        let Some(meta) = metadata(&self.name) else {
            return self;
        };
        let modified = meta.modified().ok();
        let since = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Self {
            modified: since.map(|since| since.as_nanos()),
            changed: changed_at(&meta),
            ..Self::new(self.name, meta.len())
        }
    }

    /// As reports tell of it.
    pub(crate) fn told(&self) -> InputFile {
        InputFile {
            name: self.name.clone(),
            bytes: self.size,
            modified: self.modified.map(|nanos| nanos as f64 / 1e9),
        }
    }
}

/// What the local disk says of a file; of a member of an archive, what it says of the archive.
fn metadata(name: &str) -> Option<Metadata> {
    let local = name.strip_prefix("file://").unwrap_or(name);
    let file = std::fs::metadata(local).ok();
    file.or_else(|| std::fs::metadata(local.split_once("!/")?.0).ok())
}

/// When a file was changed last in any way, in nanoseconds since 1970: nobody can set that.
#[cfg(unix)]
pub(crate) fn changed_at(meta: &Metadata) -> Option<u128> {
    use std::os::unix::fs::MetadataExt;
    let nanos = i128::from(meta.ctime()) * 1_000_000_000 + i128::from(meta.ctime_nsec());
    u128::try_from(nanos).ok()
}

#[cfg(not(unix))]
pub(crate) fn changed_at(_meta: &Metadata) -> Option<u128> {
    None
}

/// What the files of caches are called that go with their run.
const CACHE: &str = "biotide-cache-";

/// The name of a file that goes with its run: another run of the same makes the same file, by another name.
pub(crate) fn cache_name(key: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let (process, next) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    format!("{CACHE}{key}-{process}-{next}.parquet")
}

/// The key of a file by [`cache_name`].
fn cache_key(path: &Path) -> Option<&str> {
    let name = path.file_name()?.to_str()?.strip_prefix(CACHE)?;
    let (key, run) = name.split_once('-')?;
    (key.len() == 16 && run.ends_with(".parquet")).then_some(key)
}

/// Files that statements of a session are made of, beside those that they scan: rules. A session extension.
#[derive(Debug, Default)]
pub(crate) struct FilesBeside(Mutex<BTreeSet<String>>);

impl FilesBeside {
    /// Notes a file, if it is one and the session takes notes.
    pub(crate) fn note(state: &SessionState, file: &str) {
        let own = state.config().get_extension::<Self>();
        if let Some(own) = own.filter(|_| Path::new(file).is_file()) {
            own.0.lock().insert(file.to_owned());
        }
    }
}

/// What plans read.
#[derive(Default)]
struct Sources {
    files: Vec<Input>,
    listings: Vec<(ListingTableUrl, String)>,
    databases: Vec<DatabaseTarget>,
    /// Those that mappings are made of.
    databases_of_mappings: Vec<DatabaseTarget>,
}

impl Sources {
    fn of(plan: &LogicalPlan) -> Result<Self> {
        let mut sources = Self::default();
        sources.add(plan)?;
        Ok(sources)
    }

    fn add(&mut self, plan: &LogicalPlan) -> Result<()> {
        plan.apply_with_subqueries(|plan| {
            match plan {
                LogicalPlan::TableScan(scan) => {
                    if let Ok(table) = source_as_provider(&scan.source) {
                        self.add_table(&*table);
                    }
                }
                LogicalPlan::Extension(extension) => {
                    if let Some(mapping) = mapping_of(extension) {
                        self.add_mapping(mapping)?;
                    }
                }
                _ => {}
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(())
    }

    fn add_table(&mut self, table: &dyn TableProvider) {
        if let Some(table) = table.downcast_ref::<BiotideTable>() {
            let files = table.files().iter();
            self.files.extend(files.map(|file| Input {
                e_tag: file.e_tag.clone(),
                ..Input::new(file.name.clone(), file.size)
            }));
        } else if let Some(table) = table.downcast_ref::<ListingTable>() {
            let ending = &table.options().file_extension;
            let urls = table.table_paths().iter();
            self.listings
                .extend(urls.map(|url| (url.clone(), ending.clone())));
        } else if let Some(table) = table.downcast_ref::<DatabaseTable>() {
            self.databases.push(table.target().clone());
        }
    }

    fn add_mapping(&mut self, mapping: &Mapping) -> Result<()> {
        let loader: &dyn Any = &**mapping.loader();
        let plans = if let Some(loader) = loader.downcast_ref::<PlanLoader>() {
            loader.plans()
        } else if let Some(loader) = loader.downcast_ref::<StoredLoader>() {
            if loader.made_from.is_empty() {
                let file = loader.path.display().to_string();
                self.files.push(Input::new(file, 0));
            }
            &loader.made_from
        } else {
            return Ok(());
        };
        for own in plans {
            let Self {
                files,
                listings,
                databases,
                databases_of_mappings,
            } = Self::of(&own.plan)?;
            self.files.extend(files);
            self.listings.extend(listings);
            self.databases_of_mappings.extend(databases);
            self.databases_of_mappings.extend(databases_of_mappings);
        }
        Ok(())
    }
}

fn mapping_of(extension: &Extension) -> Option<&Mapping> {
    let chain = (*extension.node).as_any().downcast_ref::<ChainNode>();
    let chain = chain.map(|node| &*node.spec.mapping);
    chain.or_else(|| xref(extension).map(|node| &*node.spec.mapping))
}

/// The files that a plan reads, as they are now, and those that it is made of.
pub(crate) async fn inputs(plan: &LogicalPlan, state: &SessionState) -> Result<Vec<Input>> {
    let Sources {
        files, listings, ..
    } = Sources::of(plan)?;
    let mut inputs: Vec<Input> = Vec::new();
    let mut add = |input: Input| {
        if !inputs.contains(&input) {
            inputs.push(input);
        }
    };
    for file in files {
        add(file.now());
    }
    for (url, ending) in listings {
        let store = state.runtime_env().object_store(&url)?;
        let found = url.list_all_files(state, &*store, &ending).await?;
        let mut found: Vec<_> = found.try_collect().await?;
        found.sort_by(|a, b| a.location.cmp(&b.location));
        for file in found {
            let modified = file.last_modified.timestamp_nanos_opt();
            let name = format!("{}{}", url.object_store().as_str(), file.location);
            let listed = Input {
                modified: modified.and_then(|nanos| u128::try_from(nanos).ok()),
                e_tag: file.e_tag,
                ..Input::new(name, file.size)
            };
            add(listed.now());
        }
    }
    let beside = state.config().get_extension::<FilesBeside>();
    let beside = beside.map(|own| own.0.lock().clone()).unwrap_or_default();
    for name in beside {
        add(Input::new(name, 0).now());
    }
    Ok(inputs)
}

/// The tables of databases that a plan reads while it runs.
pub(crate) fn databases(plan: &LogicalPlan) -> Result<Vec<DatabaseTarget>> {
    Ok(Sources::of(plan)?.databases)
}

/// Whether a plan is made of files alone: of a table in a database nobody knows whether it is as it was.
pub(crate) fn reads_files_only(plan: &LogicalPlan) -> Result<bool> {
    let sources = Sources::of(plan)?;
    Ok(sources.databases.is_empty() && sources.databases_of_mappings.is_empty())
}
