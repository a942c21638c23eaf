//! The session of a run: under its own limit of memory, with its own place for bad rows.

use std::sync::Arc;

use super::super::spec::{Pipeline, Step};
use crate::context::BiotideContext;
use crate::error::Result;
use crate::rejects::FinishedLogs;

/// A session whose bad rows are those of a run. Where they are written the session says, or else the pipeline.
pub(super) fn logged(context: &BiotideContext, pipeline: &Pipeline) -> BiotideContext {
    let path = &pipeline.streaming.error_handling.error_output_path;
    let mut session = match (path, context.options().rejects) {
        (Some(path), None) => {
            context.with_options(|options| options.rejects = Some(path.value.clone()))
        }
        _ => context.clone(),
    };
    session.finished = Arc::new(FinishedLogs::of_run(&context.finished));
    session
}

/// The same under the limit of a pipeline. Tables, functions and mappings are those of `context`.
pub(super) fn limited(context: BiotideContext, pipeline: &Pipeline) -> Result<BiotideContext> {
    let Some(limit) = least_limit(pipeline) else {
        return Ok(context);
    };
    let bytes = usize::try_from(limit << 20).unwrap_or(usize::MAX);
    Ok(context.within(bytes)?.unwrap_or(context))
}

/// The least limit of the steps that read, in MiB. A step that states none has that of `streaming.memory_management`,
/// or its default.
fn least_limit(pipeline: &Pipeline) -> Option<u64> {
    let whole = pipeline.streaming.memory_management.max_memory_mb;
    let reads = |step: &&Step| step.action.param("memory_limit_mb").is_some();
    let steps = pipeline.running().filter(reads).filter_map(|step| {
        let is_stated = step.params.is_given("memory_limit_mb");
        let own = step.params.unsigned("memory_limit_mb");
        own.filter(|_| is_stated || whole.is_none())
    });
    steps.chain(whole).min()
}
