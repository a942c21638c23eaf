//! Checks that are counted before anything is written.

use std::sync::Arc;

use biotide_common::BiotideError;
use datafusion::arrow::array::{AsArray, BooleanArray, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::common::{DataFusionError, internal_datafusion_err};
use serde::Serialize;

use super::super::actions::Params;
use super::super::compile::{Scope, What, checks, counting};
use super::super::measure::is_placed;
use super::super::spec::Step;
use super::report::{PipelineReport, Status};
use super::sinks;
use crate::error::{Error, Result};
use crate::rejects;
use crate::statement::Statement;

/// What came of a check.
#[derive(Debug, Clone, Serialize)]
pub struct CheckResult {
    /// The step.
    pub step: String,
    /// What is checked.
    pub check: String,
    /// error, warning or info.
    pub severity: String,
    /// Rows that were looked at.
    pub rows: u64,
    /// Rows that fail; of values that must be unique, those that come again; of a number of rows 0, as no row is one of
    /// too many or too few: then `passed` alone tells.
    pub failed: u64,
    /// Whether it holds.
    pub passed: bool,
}

impl CheckResult {
    /// `x is from 1 to 10 (3 of 6 rows are not)`, of one that failed.
    fn told(&self, what: &What) -> String {
        match what {
            What::Count(_) => format!("{} (there are {})", self.check, self.rows),
            _ => format!(
                "{} ({} of {} rows are not)",
                self.check, self.failed, self.rows
            ),
        }
    }
}

/// Counts the checks of a step; and an error, if one that must hold does not.
pub(super) async fn check(
    scope: &mut Scope,
    step: &Step,
) -> Result<(Vec<CheckResult>, Result<()>)> {
    let params = &step.params;
    let checks = checks(scope, step).await?;
    let input = scope.input(params, "input")?;
    let plan = scope.plan(&counting(&input, &checks)).await?;
    let mut state = scope.state.clone();
    let mut statement = Statement::new(scope.context.clone(), &mut state, plan);
    let rows = statement.collect().await;
    let told = statement.finish();
    // (What went wrong first is what is told; what was set aside until then is in the log.)
    let rows = rows.map_err(|error| of_condition(step, error))?;
    told?;
    let count = |column: usize| -> Result<u64> {
        let batch = rows.iter().find(|batch| batch.num_rows() > 0);
        let batch = batch.ok_or_else(|| internal_datafusion_err!("a check counted nothing"))?;
        let counts = batch.column(column).as_primitive::<Int64Type>();
        Ok(u64::try_from(counts.value(0)).unwrap_or(0))
    };
    let total = count(0)?;
    let mut results = Vec::with_capacity(checks.len());
    for (n, check) in checks.iter().enumerate() {
        let failed = count(n + 1)?;
        let passed = match &check.what {
            What::Count(bounds) => bounds.hold(total as f64),
            _ => failed == 0,
        };
        let result = CheckResult {
            step: step.name.clone(),
            check: check.name.clone(),
            severity: check.severity.clone(),
            rows: total,
            failed,
            passed,
        };
        if !passed && check.severity == "warning" {
            log::warn!(
                "{}: it does not hold that {}",
                step.name,
                result.told(&check.what)
            );
        }
        results.push(result);
    }
    if let Some(path) = params.text("report_path") {
        write(scope, path, &results).await?;
    }
    // (No row is one of too many or too few, so that none can be dropped.)
    let ends_run = |what: &What| match params.text("on_fail") {
        None | Some("fail") => true,
        Some("drop") => matches!(what, What::Count(_)),
        Some(_) => false,
    };
    let bad: Vec<String> = results
        .iter()
        .zip(&checks)
        .filter(|(result, check)| {
            !result.passed && result.severity == "error" && ends_run(&check.what)
        })
        .map(|(result, check)| result.told(&check.what))
        .collect();
    let verdict = match bad.is_empty() {
        true => Ok(()),
        false => {
            let problem = format!(
                "step {}: it does not hold that {}; on_fail: keep would go on",
                step.name,
                bad.join(", that ")
            );
            Err(BiotideError::file(step.place.to_string(), problem).into())
        }
    };
    Ok((results, verdict))
}

/// An error of counting, told of the condition that it is of: nothing else of a check can fail. (Of several, each may be
/// it.)
fn of_condition(step: &Step, error: Error) -> Error {
    let root = error.as_datafusion().find_root();
    if is_placed(error.as_datafusion()) || matches!(root, DataFusionError::ResourcesExhausted(_)) {
        return error;
    }
    let items = step.params.items("checks").iter();
    let conditions: Vec<&Params> = items.filter(|item| item.is_given("condition")).collect();
    let place = match conditions.as_slice() {
        [] => return error,
        [one] => one.place("condition"),
        _ => &step.place,
    };
    let texts = conditions.iter().filter_map(|item| item.text("condition"));
    let texts: Vec<&str> = texts.collect();
    let place = format!(
        "{place}, step {}: condition: {}",
        step.name,
        texts.join(", or ")
    );
    BiotideError::at(place, error.into_datafusion()).into()
}

impl PipelineReport {
    /// Takes what came of checks. What was found is not all right, though the run goes on: rows are dropped, or warned
    /// of. (What is only told is no fault.)
    pub(super) fn take_checks(&mut self, results: Vec<CheckResult>) {
        let is_fault = |result: &CheckResult| !result.passed && result.severity != "info";
        if results.iter().any(is_fault) {
            self.status = Status::PartialSuccess;
        }
        self.checks.extend(results);
    }
}

async fn write(scope: &Scope, path: &str, results: &[CheckResult]) -> Result<()> {
    if path.to_ascii_lowercase().ends_with(".json") {
        let text = serde_json::to_vec_pretty(results).map_err(|error| BiotideError::Io {
            what: format!("writing {path}"),
            source: error.into(),
        })?;
        return Ok(rejects::write(path, text)
            .map_err(|error| BiotideError::io(format!("writing {path}"), error))?);
    }
    let texts = |of: fn(&CheckResult) -> &str| -> Arc<StringArray> {
        Arc::new(results.iter().map(|result| Some(of(result))).collect())
    };
    let numbers = |of: fn(&CheckResult) -> u64| -> Arc<Int64Array> {
        Arc::new(
            results
                .iter()
                .map(|result| i64::try_from(of(result)).ok())
                .collect(),
        )
    };
    let passed: BooleanArray = results.iter().map(|result| Some(result.passed)).collect();
    let batch = RecordBatch::try_from_iter([
        ("step", texts(|result| &result.step) as _),
        ("check", texts(|result| &result.check) as _),
        ("severity", texts(|result| &result.severity) as _),
        ("rows", numbers(|result| result.rows) as _),
        ("failed", numbers(|result| result.failed) as _),
        ("passed", Arc::new(passed) as _),
    ])?;
    sinks::write_batch(scope, path, batch).await
}
