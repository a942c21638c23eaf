//! Files to a table of a database.

use std::time::Instant;

use biotide_common::BiotideError;
use biotide_database::{DatabaseTable, DatabaseTarget, SinkOptions, WriteMode, open_sink};
use datafusion::common::DataFusionError;
use futures::TryStreamExt;

use crate::context::BiotideContext;
use crate::convert::{ConvertReport, ConvertRequest};
use crate::error::{Error, Result};
use crate::memory::peak_rss;
use crate::monitor::Monitor;
use crate::statement::Statement;

impl BiotideContext {
    /// All rows in one transaction: they are there together, or not at all.
    pub(crate) async fn convert_to_database(
        &self,
        request: &ConvertRequest,
        on_start: impl FnOnce(Monitor),
    ) -> Result<ConvertReport> {
        let begin = Instant::now();
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
        let exists = DatabaseTable::exists(&target)
            .await
            .map_err(DataFusionError::from)?;
        if !request.force && exists {
            let problem = "the table is there already; use --force to replace it";
            return Err(BiotideError::file(&shown, problem).into());
        }
        let (mut state, files) = self.statement_state(self.session().state());
        let plan = Self::input_plan(&state, &files, &request.inputs).await?;
        let mut statement = Statement::new(self.clone(), &mut state, plan);
        if request.unordered {
            statement = statement.unordered();
        }
        let options = SinkOptions {
            mode: if request.force {
                WriteMode::Replace
            } else {
                WriteMode::Append
            },
            ..SinkOptions::default()
        };
        let (mut sink, _) = open_sink(&target, statement.schema(), options)
            .await
            .map_err(DataFusionError::from)?;
        let ran = async {
            let mut stream = statement.stream().await?;
            on_start(statement.monitor());
            while let Some(batch) = stream.try_next().await? {
                sink.write(&batch).await.map_err(DataFusionError::from)?;
            }
            Ok::<_, Error>(())
        }
        .await;
        let memory = statement.memory();
        let scan = statement.finish()?;
        if let Err(error) = ran {
            // (What went wrong first is what is told.)
            let _ = sink.abort().await;
            return Err(error);
        }
        let summary = sink.finish().await.map_err(DataFusionError::from)?;
        Ok(ConvertReport {
            rows: summary.rows,
            rejected: scan.rejected,
            bytes_in: scan.bytes,
            bytes_out: summary.bytes,
            files: vec![shown],
            seconds: begin.elapsed().as_secs_f64(),
            peak_rss: peak_rss(),
            xref: None,
            memory,
            scan,
        })
    }
}
