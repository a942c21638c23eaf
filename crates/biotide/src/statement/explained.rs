//! What `EXPLAIN` and `EXPLAIN ANALYZE` say of memory.

use std::sync::Arc;

use datafusion::common::format::ExplainFormat;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{StreamExt, stream};

use super::Statement;
use crate::error::Result;
use crate::memory::{explain, peak_rss};

impl Statement {
    /// What `EXPLAIN` says of memory.
    pub(super) async fn explained(&self, plan: &LogicalPlan) -> Result<Option<String>> {
        let LogicalPlan::Explain(explain) = plan else {
            return Ok(None);
        };
        let text = [ExplainFormat::Indent, ExplainFormat::Tree];
        if !text.contains(&explain.explain_format) {
            return Ok(None);
        }
        // A plan that cannot be made is explained all the same: its error is what it says.
        let Ok(plan) = self.state.create_physical_plan(&explain.plan).await else {
            return Ok(None);
        };
        let options = self.state.config_options();
        Ok(Some(explain::describe(
            &plan,
            self.context.meter.budget(),
            options,
        )?))
    }

    /// Adds to `EXPLAIN ANALYZE` what the run held.
    pub(super) fn with_held(&self, rows: SendableRecordBatchStream) -> SendableRecordBatchStream {
        let (meter, monitor) = (Arc::clone(&self.context.meter), self.monitor.clone());
        let log = Arc::clone(&self.log);
        with_row(rows, move || {
            let report = meter.report(monitor.spilled(), log.pace.report());
            explain::held(&report, peak_rss())
        })
    }
}

/// Adds a row about memory to those of `EXPLAIN`.
pub(super) fn with_row(
    rows: SendableRecordBatchStream,
    text: impl FnOnce() -> String + Send + 'static,
) -> SendableRecordBatchStream {
    let schema = rows.schema();
    let of_row = Arc::clone(&schema);
    let row = stream::once(async move { explain::row(of_row, text()) });
    Box::pin(RecordBatchStreamAdapter::new(schema, rows.chain(row)))
}
