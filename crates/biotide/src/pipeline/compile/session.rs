//! The session of a run: under its own limit of memory, with its own place for bad rows.

use std::sync::Arc;

use biotide_common::options::{BiotideOptions, Names, OnError};

use super::super::spec::{Pipeline, Step, Streaming};
use crate::context::BiotideContext;
use crate::error::Result;
use crate::rejects::FinishedLogs;

/// A session whose bad rows are those of a run, and that reads as the pipeline says of all its steps.
pub(super) fn logged(context: &BiotideContext, pipeline: &Pipeline) -> BiotideContext {
    let mut session = context.with_options(|options| streaming(&pipeline.streaming, options));
    session.finished = Arc::new(FinishedLogs::of_run(&context.finished));
    session
}

/// What `streaming:` says of reading, whatever step reads. What becomes of bad rows, and where they are written, the
/// session says before the pipeline does.
fn streaming(streaming: &Streaming, options: &mut BiotideOptions) {
    let errors = &streaming.error_handling;
    if options.rejects.is_none() {
        options.rejects = errors.error_output_path.as_ref().map(|p| p.value.clone());
    }
    if options.on_error.is_none() {
        options.on_error = errors.continue_on_error.map(|goes_on| match goes_on {
            true => OnError::Reject,
            false => OnError::Fail,
        });
    }
    let most = errors.max_errors_per_chunk;
    let most = most.map(|most| usize::try_from(most).unwrap_or(usize::MAX));
    for (option, said) in [
        (&mut options.max_errors_per_chunk, most),
        (&mut options.chunk_rows, streaming.chunk_size),
        (
            &mut options.max_concurrent_chunks,
            streaming.max_concurrent_chunks,
        ),
        (
            &mut options.backpressure_threshold,
            streaming.backpressure_threshold,
        ),
    ] {
        *option = said.or(*option);
    }
}

/// The same under the limit of a pipeline. Tables, functions and mappings are those of `context`.
pub(super) fn limited(context: BiotideContext, pipeline: &Pipeline) -> Result<BiotideContext> {
    let Some(limit) = least_limit(pipeline) else {
        return Ok(context);
    };
    let bytes = usize::try_from(limit << 20).unwrap_or(usize::MAX);
    Ok(context.within(bytes)?.unwrap_or(context))
}

/// The same with the tables of retired identifiers that steps name.
pub(super) fn informed(context: BiotideContext, pipeline: &Pipeline) -> BiotideContext {
    let tables = retired(pipeline);
    if tables.is_empty() {
        return context;
    }
    context.with_options(|options| {
        let known = options.identifiers_secondary.take();
        let known = known.map_or_else(Vec::new, |Names(known)| known);
        options.identifiers_secondary = Some(Names([known, tables].concat()));
    })
}

/// The tables of retired identifiers that steps name, each once.
fn retired(pipeline: &Pipeline) -> Vec<String> {
    let mut tables = Vec::new();
    for step in pipeline.running() {
        let Some(path) = step
            .action
            .param("secondary")
            .and_then(|_| step.params.text("secondary"))
        else {
            continue;
        };
        let namespace = step.params.text("namespace").unwrap_or_default();
        let table = format!("{namespace}={path}");
        if !tables.contains(&table) {
            tables.push(table);
        }
    }
    tables
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
