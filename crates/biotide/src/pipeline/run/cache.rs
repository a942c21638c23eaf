//! Datasets that are kept in a file, under a key of what they are made of.

use std::hash::{Hash, Hasher};
use std::path::PathBuf;

use biotide_common::BiotideError;
use datafusion::execution::SessionState;
use datafusion::logical_expr::LogicalPlan;

use super::super::compile::Scope;
use super::super::spec::Step;
use super::sinks;
use crate::error::Result;
use crate::resumable::{inputs, reads_files_only};
use crate::statement::repeats::repeats;

/// Runs the input of a step once, and lets later steps read what it made. A file that an earlier run has made of the
/// same plan and the same files is taken as it is.
pub(super) async fn keep(scope: &mut Scope, step: &Step) -> Result<()> {
    let input = scope.input(&step.params, "input")?;
    let Some(plan) = scope.dataset(&input).cloned() else {
        return Ok(());
    };
    let key = content_key(&plan, &scope.state).await?;
    let (file, note) = match step.params.text("path") {
        Some(path) => (
            PathBuf::from(path),
            Some(PathBuf::from(format!("{path}.key"))),
        ),
        None => (
            scope
                .context
                .temp_dir
                .join(format!("biotide-cache-{key:016x}.parquet")),
            None,
        ),
    };
    let shown = file.display().to_string();
    let known = note
        .as_ref()
        .and_then(|note| std::fs::read_to_string(note).ok());
    let is_same = match &note {
        Some(_) => known.is_some_and(|known| known.trim() == format!("{key:016x}")),
        None => true,
    };
    let is_known = reads_files_only(&plan)? && repeats(&plan);
    if !(file.is_file() && is_same && is_known) {
        sinks::write_plan(scope, &shown, Some("parquet"), plan, true).await?;
        if let Some(note) = &note {
            std::fs::write(note, format!("{key:016x}\n"))
                .map_err(|error| BiotideError::io(format!("writing {}", note.display()), error))?;
        }
    }
    let sql = format!("SELECT * FROM '{}'", shown.replace('\'', "''"));
    scope.add_query(step, &sql).await
}

/// A key of a plan, and of the files that it reads as they are now.
async fn content_key(plan: &LogicalPlan, state: &SessionState) -> Result<u64> {
    let mut hasher = std::hash::DefaultHasher::new();
    plan.display_indent_schema().to_string().hash(&mut hasher);
    inputs(plan, state).await?.hash(&mut hasher);
    Ok(hasher.finish())
}
