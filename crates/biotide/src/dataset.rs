//! Files, tables and queries as datasets: rows that can be streamed again and again.

use std::sync::Arc;

use biotide_stream::{Dataset, DatasetMetadata, Stream};
use datafusion::arrow::array::RecordBatch;
use datafusion::common::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, SessionState};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::execution_plan::EmissionType;
use futures::{TryStreamExt, stream};

use crate::context::BiotideContext;
use crate::error::{Error, Result};
use crate::statement::Statement;

/// The rows of a file, with the defaults of this machine: [`BiotideContext::dataset`] of a context of its own.
///
/// ```no_run
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let proteins = biotide::stream("proteins.tsv.gz").await?;
/// let long = proteins.filter(|row| row.i64("length") > Some(1000));
/// println!("{} rows", long.run().await?.rows);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// There is no such file, or no table is in it.
pub async fn stream(location: &str) -> Result<Stream> {
    let context = BiotideContext::builder().build()?;
    Ok(context.dataset(location).await?.stream())
}

impl BiotideContext {
    /// The rows of a path, URL or glob, or of a table.
    ///
    /// Nothing is read but a sample, before a stream of it is asked for its first row. Each stream reads for itself, so
    /// any number of them can be read at the same time, and of files each has the order of the file. What was set aside
    /// is in `system.rejects` when a stream has ended.
    ///
    /// # Errors
    ///
    /// There is none of this name, or no table is in it.
    pub async fn dataset(&self, location: &str) -> Result<Dataset> {
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        let from = match location.split_once('.') {
            // (Tables of another schema are known with it.)
            Some((schema, table)) if self.table_names().iter().any(|name| name == location) => {
                format!("{}.{}", quoted(schema), quoted(table))
            }
            _ => quoted(location),
        };
        self.named_dataset(location, &format!("SELECT * FROM {from}"))
            .await
    }

    /// The rows of a query.
    ///
    /// # Errors
    ///
    /// It cannot be planned.
    pub async fn query_dataset(&self, query: &str) -> Result<Dataset> {
        self.named_dataset("query", query).await
    }

    async fn named_dataset(&self, name: &str, query: &str) -> Result<Dataset> {
        let state = self.session().state();
        let plan = self.plan_query(query, &state).await?;
        let physical = state.create_physical_plan(&plan).await?;
        let schema = Arc::clone(plan.schema().inner());
        let metadata = DatasetMetadata {
            streaming_supported: physical.properties().emission_type != EmissionType::Final,
            ..DatasetMetadata::of(&schema)
        };
        let context = self.clone();
        let open = move || rows(context.clone(), state.clone(), plan.clone());
        Ok(Dataset::new(name, schema, open).with_metadata(metadata))
    }
}

/// A run of a statement.
struct Run {
    rows: SendableRecordBatchStream,
    statement: Statement,
}

/// The rows of a plan, which begins to run when the first is asked for.
fn rows(
    context: BiotideContext,
    mut state: SessionState,
    plan: LogicalPlan,
) -> impl futures::Stream<Item = Result<RecordBatch, DataFusionError>> + Send + 'static {
    let begun = async move {
        let mut statement = Statement::new(context, &mut state, plan);
        let rows = statement.stream().await.map_err(Error::into_datafusion)?;
        let run = Run { rows, statement };
        Ok::<_, DataFusionError>(stream::try_unfold(run, next))
    };
    stream::once(begun).try_flatten()
}

async fn next(mut run: Run) -> Result<Option<(RecordBatch, Run)>, DataFusionError> {
    match run.rows.try_next().await? {
        Some(batch) => Ok(Some((batch, run))),
        None => {
            run.statement.finish().map_err(Error::into_datafusion)?;
            Ok(None)
        }
    }
}
