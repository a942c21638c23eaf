//! The session of a run: under its own limit of memory, with its own place for bad rows.

use biotide_common::options::Names;

use super::super::spec::{Pipeline, Step};
use crate::context::BiotideContext;
use crate::error::Result;

/// A session that a run works in. Tables, functions and mappings are those of `context`.
pub(super) fn session_of(context: &BiotideContext, pipeline: &Pipeline) -> Result<BiotideContext> {
    let mut session = context.clone();
    if let Some(limit) = least_limit(pipeline) {
        let bytes = usize::try_from(limit << 20).unwrap_or(usize::MAX);
        session = context.within(bytes)?.unwrap_or(session);
    }
    if let Some(path) = &pipeline.streaming.error_handling.error_output_path {
        session = session.with_options(|options| options.rejects = Some(path.value.clone()));
    }
    let tables = retired(pipeline);
    if !tables.is_empty() {
        session = session.with_options(|options| {
            let known = options.identifiers_secondary.take();
            let known = known.map_or_else(Vec::new, |Names(known)| known);
            options.identifiers_secondary = Some(Names([known, tables].concat()));
        });
    }
    Ok(session)
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
