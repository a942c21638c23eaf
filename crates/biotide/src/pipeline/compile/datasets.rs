//! The schema that the datasets of a run are views in.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{MemorySchemaProvider, SchemaProvider, TableProvider};
use datafusion::common::Result;

/// Views by their names, as they are written or in other case: SQL folds a name without quotes. (No two names differ in
/// case alone: see [`super::Scope::add`].)
#[derive(Debug, Default)]
pub(super) struct Datasets(MemorySchemaProvider);

impl Datasets {
    /// A name as its step wrote it.
    pub(super) fn written(&self, name: &str) -> Option<String> {
        if self.0.table_exist(name) {
            return Some(name.to_owned());
        }
        let alike = |known: &String| known.eq_ignore_ascii_case(name);
        self.0.table_names().into_iter().find(alike)
    }
}

#[async_trait]
impl SchemaProvider for Datasets {
    fn table_names(&self) -> Vec<String> {
        self.0.table_names()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        match self.written(name) {
            Some(name) => self.0.table(&name).await,
            None => Ok(None),
        }
    }

    fn register_table(
        &self,
        name: String,
        table: Arc<dyn TableProvider>,
    ) -> Result<Option<Arc<dyn TableProvider>>> {
        self.0.register_table(name, table)
    }

    fn deregister_table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        self.0.deregister_table(name)
    }

    fn table_exist(&self, name: &str) -> bool {
        self.written(name).is_some()
    }
}
