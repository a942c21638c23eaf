//! Statements from plans: taken in by as many tasks as there are streams.

use std::sync::Arc;

use biotide_common::identifiers::Identifiers;
use biotide_common::reject::RejectRecord;
use biotide_common::session::QueryLog;
use datafusion_common::{Result, internal_datafusion_err};
use datafusion_common_runtime::SpawnedTask;
use datafusion_execution::{SendableRecordBatchStream, TaskContext};
use futures::StreamExt;

use crate::index::Index;
use crate::index::build::{Ingest, Numbered, Site, index};
use crate::mapping::declared::Declared;
use crate::mapping::edges::Edges;
use crate::mapping::encoder::Encoder;
use crate::plan::threads;

/// Statements, in the columns of [`edge_schema`](crate::mapping::edge_schema).
pub struct Statements {
    /// Their rows.
    pub rows: SendableRecordBatchStream,
    /// The file or table they are from: what rejects name, and the source of what names none.
    pub origin: Arc<str>,
    /// What it says of its prefixes.
    pub declared: Option<Arc<Declared>>,
}

impl std::fmt::Debug for Statements {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Statements")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

/// Bad rows are logged by so many.
const LOGGED: usize = 1024;

/// Takes statements in.
pub(crate) async fn ingest(
    statements: Vec<Statements>,
    identifiers: &Arc<dyn Identifiers>,
    context: &Arc<TaskContext>,
) -> Result<Ingest> {
    let log = context.session_config().get_extension::<QueryLog>();
    let site = Site::new(context, threads(context));
    let ingest = Arc::new(Ingest::new(site, statements.len()));
    let guard = ingest.site.guard();
    let tasks = statements.into_iter().map(|statements| {
        let Statements {
            mut rows,
            origin,
            declared,
        } = statements;
        // (The name of a file, without its folder.)
        let source = origin.rsplit(['/', '\\']).next().unwrap_or(&origin);
        let mut encoder = Encoder::new(&ingest, Arc::clone(identifiers), source, declared);
        let log = log.clone();
        SpawnedTask::spawn(async move {
            let mut rejects = Vec::new();
            while let Some(batch) = rows.next().await {
                let edges = Edges::new(&batch?)?;
                encoder.add(&edges, &mut |row, flaw, raw| {
                    let (line, offset) = edges.place(row).unwrap_or((0, 0));
                    if let Some(log) = &log {
                        log.refuse(flaw.reason, line);
                    }
                    rejects.push(RejectRecord {
                        source: origin.to_string(),
                        offset,
                        column: Some(flaw.column.to_owned()),
                        reason: flaw.reason.to_owned(),
                        record: None,
                        line,
                        length: raw.len() as u64,
                        message: flaw.message.to_owned(),
                        raw: raw.chars().take(256).collect(),
                        action: "rejected".to_owned(),
                    });
                    match (&log, rejects.len()) {
                        (Some(log), LOGGED) => {
                            Ok(log.rejects.extend(std::mem::take(&mut rejects))?)
                        }
                        (None, _) => {
                            rejects.clear();
                            Ok(())
                        }
                        _ => Ok(()),
                    }
                })?;
            }
            if let Some(log) = log {
                log.rejects.extend(rejects)?;
            }
            encoder.finish()
        })
    });
    let tasks: Vec<SpawnedTask<Result<()>>> = tasks.collect();
    for task in tasks {
        task.join_unwind()
            .await
            .map_err(|error| internal_datafusion_err!("taking statements in: {error}"))??;
    }
    guard.done();
    Arc::into_inner(ingest)
        .ok_or_else(|| internal_datafusion_err!("somebody is taking statements in still"))
}

/// Builds the index of statements.
pub async fn build_index(
    statements: Vec<Statements>,
    identifiers: &Arc<dyn Identifiers>,
    context: &Arc<TaskContext>,
) -> Result<Index> {
    let ingest = ingest(statements, identifiers, context).await?;
    let _guard = ingest.site.guard();
    blocking(move || index(Numbered::new(ingest)?)).await
}

/// Does work that takes long on a thread for that.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let task = SpawnedTask::spawn_blocking(work);
    task.join_unwind()
        .await
        .map_err(|error| internal_datafusion_err!("a mapping: {error}"))?
}
