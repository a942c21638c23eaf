//! `FROM 'path-or-url-or-glob'`, and `FROM 'sqlite:file.db/table'`, `FROM 'postgres://host/database/table'`.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use biotide_common::BiotideError;
use biotide_common::options::BiotideOptions;
use biotide_database::{DatabaseTable, DatabaseTarget, is_database};
use biotide_formats::files::{HIVE_NULL, glob_folder, is_glob};
use biotide_formats::formats;
use biotide_formats::spool::Spool;
use biotide_formats::table::OpenTable;
use datafusion::catalog::view::ViewTable;
use datafusion::catalog::{TableProvider, UrlTableFactory};
use datafusion::common::{Column, Result};
use datafusion::datasource::listing::{ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::datasource::provider_as_source;
use datafusion::execution::SessionState;
use datafusion::functions::core::expr_fn::nullif;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, lit};
use datafusion::object_store::ObjectStore;
use futures::TryStreamExt;
use parking_lot::Mutex;

use super::endings::{is_binary, is_parquet};

/// How files of a format are read where nothing else is said: a session extension.
#[derive(Debug, Default)]
pub(crate) struct FileReaders(pub(crate) Vec<(String, BiotideOptions)>);

impl FileReaders {
    /// What a session says of a format.
    pub(crate) fn of(state: &SessionState, format: &str) -> BiotideOptions {
        let readers = state.config().get_extension::<Self>();
        let readers = readers.iter().flat_map(|readers| &readers.0);
        let mut of_format = readers.filter(|(name, _)| name == format);
        of_format
            .next()
            .map_or_else(BiotideOptions::default, |(_, options)| options.clone())
    }
}

/// The files that one statement names, each opened once.
#[derive(Debug)]
pub(crate) struct StatementFiles {
    state: SessionState,
    open: Mutex<HashMap<String, Arc<dyn TableProvider>>>,
}

impl StatementFiles {
    pub(crate) fn new(state: SessionState) -> Self {
        Self {
            state,
            open: Mutex::default(),
        }
    }

    /// The state of the session, which knows no files.
    pub(crate) fn state(&self) -> &SessionState {
        &self.state
    }

    /// Makes a table known under a name of the statement's own.
    pub(crate) fn insert(&self, name: String, table: Arc<dyn TableProvider>) {
        self.open.lock().insert(name, table);
    }

    /// The table of a path, URL or glob; `None` where that is no file.
    pub(crate) async fn table(&self, location: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let known = self.open.lock().get(location).cloned();
        if known.is_some() {
            return Ok(known);
        }
        let Some(table) = self.find(location).await? else {
            return Ok(None);
        };
        self.insert(location.to_owned(), Arc::clone(&table));
        Ok(Some(table))
    }

    /// A table of text.
    async fn text(&self, location: &str) -> Result<Arc<dyn TableProvider>> {
        // (What its name tells nothing of is read as such a file is.)
        let format = formats::by_path(location).map_or("tsv", |format| format.name());
        let open = OpenTable {
            options: FileReaders::of(&self.state, format),
            ..OpenTable::new(location)
        };
        Ok(open.open(&self.state).await?)
    }

    async fn find(&self, location: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        if Spool::takes(location) {
            return Ok(Some(self.text(location).await?));
        }
        if is_database(location) {
            let target = DatabaseTarget::parse(location)?;
            return Ok(Some(Arc::new(DatabaseTable::open(&target).await?)));
        }
        // A bare word is a table's name, not a file's, unless such a file lies here.
        let is_glob = is_glob(location);
        let is_path = location.contains(['.', '/', '\\']) || is_glob;
        if !is_path && !std::path::Path::new(location).exists() {
            return Ok(None);
        }
        if formats::by_path(location).is_some() {
            return Ok(Some(self.text(location).await?));
        }
        if let Some(table) = self.binary(location).await? {
            return Ok(Some(table));
        }
        if std::path::Path::new(location).exists() || location.contains("://") || is_glob {
            return Ok(Some(self.text(location).await?));
        }
        Ok(None)
    }

    /// Parquet, Arrow and what else DataFusion reads by itself.
    async fn binary(&self, location: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        use datafusion::datasource::listing::ListingTableConfigExt;
        let parquet_folder = std::path::Path::new(location).is_dir() && holds_parquet(location);
        if !is_binary(location.trim_end_matches('/')) && !parquet_folder {
            // A glob without such an ending is what the first file found is.
            let found = match is_glob(location) {
                true => OpenTable::new(location).paths(&self.state).await?,
                false => Vec::new(),
            };
            if !found.first().is_some_and(|path| is_binary(path)) {
                return Ok(None);
            }
        }
        let location = match std::path::Path::new(location).is_dir() && !location.ends_with('/') {
            true => format!("{location}/"),
            false => location.to_owned(),
        };
        let mut url = ListingTableUrl::parse(&location)?;
        if !self.has_file(&url).await? {
            url = self.through_partitions(&location).await?;
        }
        let config = ListingTableConfig::new(url)
            .infer_options(&self.state)
            .await?
            .infer_partitions_from_path(&self.state)
            .await?
            .infer_schema(&self.state)
            .await?;
        let url = config.table_paths.first().cloned();
        let partitions: Vec<String> = match &config.options {
            Some(options) => {
                let columns = options.table_partition_cols.iter();
                columns.map(|(name, _)| name.clone()).collect()
            }
            None => Vec::new(),
        };
        let table = Arc::new(ListingTable::try_new(config)?);
        match url {
            Some(url) if !partitions.is_empty() && self.has_null_folder(&url).await? => {
                Ok(Some(Arc::new(with_nulls(table, &partitions)?)))
            }
            _ => Ok(Some(table)),
        }
    }

    /// Of a glob that names folders `column=value` too, the one that DataFusion takes: it leaves such folders out when it
    /// compares.
    async fn through_partitions(&self, location: &str) -> Result<ListingTableUrl> {
        let refused = |problem: &str| Err(BiotideError::file(location, problem).into());
        let found = match is_glob(location) {
            true => OpenTable::new(location).paths(&self.state).await?,
            false => Vec::new(),
        };
        let ends = glob_folder(location).zip(location.rsplit_once('/'));
        let Some((folder, (_, name))) = ends.filter(|_| !found.is_empty()) else {
            return refused("there is no such file");
        };
        let url = ListingTableUrl::parse(format!("{folder}{name}"))?;
        let store = self.state.runtime_env().object_store(&url)?;
        let files = url.list_all_files(&self.state, &*store, "").await?;
        match files.try_fold(0, async |n, _| Ok(n + 1)).await? == found.len() {
            true => Ok(url),
            false => refused(
                "this takes some of the files of folders column=value: name the folder that holds them, and choose \
                 by WHERE column = value",
            ),
        }
    }

    async fn has_file(&self, url: &ListingTableUrl) -> Result<bool> {
        let store = self.state.runtime_env().object_store(url)?;
        let mut files = url.list_all_files(&self.state, &*store, "").await?;
        Ok(files.try_next().await?.is_some())
    }

    /// Whether a folder below holds the rows whose partition column is NULL.
    async fn has_null_folder(&self, url: &ListingTableUrl) -> Result<bool> {
        let store = self.state.runtime_env().object_store(url)?;
        let mut files = store.list(Some(url.prefix()));
        let null = format!("={HIVE_NULL}");
        while let Some(file) = files.try_next().await? {
            if file
                .location
                .parts()
                .any(|part| part.as_ref().ends_with(&null))
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// DataFusion takes the name of the folder of NULLs for a text: this makes it NULL.
fn with_nulls(table: Arc<dyn TableProvider>, partitions: &[String]) -> Result<ViewTable> {
    let scan = LogicalPlanBuilder::scan("files", provider_as_source(table), None)?;
    let columns: Vec<Expr> = scan
        .schema()
        .iter()
        .map(|(qualifier, field)| {
            let column = Expr::Column(Column::from((qualifier, field)));
            match partitions.contains(field.name()) {
                true => nullif(column, lit(HIVE_NULL)).alias(field.name()),
                false => column,
            }
        })
        .collect();
    Ok(ViewTable::new(scan.project(columns)?.build()?, None))
}

/// Whether the first file found in a folder is Parquet.
fn holds_parquet(folder: &str) -> bool {
    let mut folders = vec![std::path::PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                return path.to_str().is_some_and(is_parquet);
            }
        }
    }
    false
}

#[async_trait]
impl UrlTableFactory for StatementFiles {
    async fn try_new(&self, url: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        self.table(url).await
    }
}
