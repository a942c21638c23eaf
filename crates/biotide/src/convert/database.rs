//! Files to a table of a database.

use biotide_common::BiotideError;
use biotide_database::{Commit, DatabaseTable, DatabaseTarget, SinkOptions, WriteMode};
use datafusion::common::DataFusionError;
use datafusion::execution::SessionState;
use datafusion::logical_expr::LogicalPlan;

use super::resumed::{NAME, Starting};
use super::{ConvertReport, ConvertRequest};
use crate::context::BiotideContext;
use crate::error::Result;
use crate::monitor::Monitor;
use crate::resumable::{RunState, to_database};

impl BiotideContext {
    /// All rows in one transaction: they are there together, or not at all. With a state chunk by chunk, so that it
    /// can be resumed.
    pub(crate) async fn convert_to_database(
        &self,
        request: &ConvertRequest,
        (session, plan): (SessionState, LogicalPlan),
        state: Option<&mut RunState>,
        on_start: impl FnOnce(Monitor) + Send,
    ) -> Result<ConvertReport> {
        let target = DatabaseTarget::parse(&request.output).map_err(DataFusionError::from)?;
        let shown = target.to_string();
        if let Some(format) = &request.format {
            return Err(BiotideError::Option {
                key: "format".to_owned(),
                value: format.clone(),
                problem: "is of files: a table of a database has none".to_owned(),
            }
            .into());
        }
        if !request.partition_by.is_empty() {
            let problem = "a table of a database has no folders: leave partition-by out";
            return Err(BiotideError::file(&shown, problem).into());
        }
        let has_begun = state.as_ref().is_some_and(|state| state.has(NAME));
        let exists = DatabaseTable::exists(&target)
            .await
            .map_err(DataFusionError::from)?;
        if !request.force && !has_begun && exists {
            let problem = "the table is there already; use --force to replace it";
            return Err(BiotideError::file(&shown, problem).into());
        }
        if state.is_none() {
            Self::forget_conversion(&request.output)?;
        }
        let options = SinkOptions {
            mode: if request.force {
                WriteMode::Replace
            } else {
                WriteMode::Append
            },
            commit: match state {
                Some(_) => Commit::PerChunk,
                None => Commit::Once,
            },
            ..SinkOptions::default()
        };
        let mut starting = Starting::new(on_start);
        let job = self.conversion(request, session, state, &mut starting);
        let report = to_database(job, &target, plan, options).await?;
        Ok(ConvertReport {
            files: vec![shown],
            ..ConvertReport::of(report)
        })
    }
}
