//! Reading a table of a database as a table of DataFusion.
//!
//! ```text
//! open: catalog ─► columns: Arrow type and SQL expression (source.rs)
//! scan: projection, limit, filters as SQL (filters.rs) ─► DatabaseExec (exec.rs)
//! run:  PostgreSQL COPY … TO STDOUT, or a thread with SQLite ─► batches, a few ahead (stream.rs)
//! ```

mod exec;
mod filters;
mod source;
mod stream;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion_catalog::TableProvider;
use datafusion_common::Result;
use datafusion_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion_physical_plan::ExecutionPlan;
use datafusion_session::Session;

use crate::error::DatabaseError;
use crate::target::DatabaseTarget;
use exec::DatabaseExec;
use source::Source;

/// A table of PostgreSQL or SQLite. Columns, a limit and simple filters are left to the database; rows
/// come as batches of the session's size, and a few of them are held at a time.
#[derive(Debug, Clone)]
pub struct DatabaseTable {
    source: Arc<Source>,
}

impl DatabaseTable {
    /// Looks at the columns of a table or view.
    ///
    /// # Errors
    /// A database that cannot be reached, or a table that is not there.
    pub async fn open(target: &DatabaseTarget) -> Result<Self, DatabaseError> {
        let source = Arc::new(Source::open(target).await?);
        Ok(Self { source })
    }

    /// Whether there is such a table or view.
    ///
    /// # Errors
    /// A database that cannot be asked: then nobody knows.
    pub async fn exists(target: &DatabaseTarget) -> Result<bool, DatabaseError> {
        Source::exists(target).await
    }

    /// Which table it is.
    pub fn target(&self) -> &DatabaseTarget {
        &self.source.target
    }
}

#[async_trait]
impl TableProvider for DatabaseTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.source.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let filters = filters
            .iter()
            .filter_map(|filter| filters::sql(filter, &self.source));
        let filters = filters.map(|filter| filter.sql).collect();
        let projection = match projection {
            Some(projection) => projection.clone(),
            None => (0..self.source.columns.len()).collect(),
        };
        let source = Arc::clone(&self.source);
        Ok(Arc::new(DatabaseExec::try_new(
            source, projection, filters, limit,
        )?))
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        let supported = filters
            .iter()
            .map(|filter| match filters::sql(filter, &self.source) {
                Some(filter) if filter.exact => TableProviderFilterPushDown::Exact,
                Some(_) => TableProviderFilterPushDown::Inexact,
                None => TableProviderFilterPushDown::Unsupported,
            });
        Ok(supported.collect())
    }
}
