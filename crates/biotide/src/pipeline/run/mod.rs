//! Runs a pipeline: step after step, each sink one plan.

mod cache;
mod lock;
mod observe;
mod quality;
mod report;
mod resumed;
mod sinks;
mod state;

use std::path::PathBuf;
use std::time::Instant;

use biotide_common::BiotideError;
use biotide_database::DatabaseError;
use lock::RunLock;
pub use observe::{RunObserver, RunProgress, StepStarted};
pub use quality::CheckResult;
pub use report::{PipelineReport, SinkReport, Status, StepReport};
use state::RunState;

use super::compile::{self, Scope, placed};
use super::spec::{Pipeline, Step};
use crate::context::BiotideContext;
use crate::error::{Error, Result};
use crate::memory::peak_rss;

/// How a pipeline is run.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// Plan every step, and write nothing.
    pub dry_run: bool,
    /// The file that says how far the run is, so that it can be resumed. None: it cannot be resumed.
    pub state: Option<PathBuf>,
    /// Go on where the run was broken off that `state` tells of.
    pub resume: bool,
    /// After how many rows a sink makes durable what it has; 0: [`CHECKPOINT_ROWS`].
    pub checkpoint_rows: u64,
}

/// Rows that are made durable together.
pub const CHECKPOINT_ROWS: u64 = 1_000_000;

/// What steps share.
struct Running<'a> {
    options: &'a RunOptions,
    state: Option<RunState>,
    report: PipelineReport,
    observer: &'a mut dyn RunObserver,
}

impl BiotideContext {
    /// Runs a pipeline. `observer` looks on: `&mut ()` is nobody.
    pub async fn run_pipeline(
        &self,
        pipeline: &Pipeline,
        options: &RunOptions,
        observer: &mut dyn RunObserver,
    ) -> Result<PipelineReport> {
        let begin = Instant::now();
        let state_file = options.state.as_ref().filter(|_| !options.dry_run);
        let _lock = state_file.map(|path| RunLock::take(path)).transpose()?;
        let state = state_file
            .map(|path| RunState::open(path, pipeline, options.resume))
            .transpose()?;
        let mut scope = Scope::new(self, pipeline).await?;
        let mut running = Running {
            options,
            state,
            report: PipelineReport::new(pipeline),
            observer,
        };
        for (at, step) in pipeline.steps.iter().enumerate() {
            if !step.runs {
                running.report.steps.push(StepReport::skipped(step));
                continue;
            }
            running.observer.step_started(&StepStarted {
                step: &step.name,
                action: step.action.name,
                number: at + 1,
                steps: pipeline.steps.len(),
            });
            let started = Instant::now();
            let ran = run_step(&mut scope, step, &mut running).await;
            let mut told = StepReport::of(step, &scope, started.elapsed());
            if let Err(error) = &ran {
                told.failed = Some(error.to_string());
            }
            running.observer.step_finished(&told);
            if let Err(error) = ran {
                if step.is_required {
                    return Err(error);
                }
                log::warn!("{error}");
                running.report.status = Status::PartialSuccess;
            }
            running.report.steps.push(told);
        }
        let (mut report, observer) = (running.report, running.observer);
        if report.sinks.is_empty() && !options.dry_run {
            let problem = "it has no sink: nothing was written. A last step with the action sink says where rows go";
            return Err(BiotideError::file(&pipeline.file, problem).into());
        }
        scope.close().await?;
        report.seconds = begin.elapsed().as_secs_f64();
        report.peak_rss = peak_rss();
        observer.finished(&report);
        Ok(report)
    }
}

async fn run_step(scope: &mut Scope, step: &Step, running: &mut Running<'_>) -> Result<()> {
    let dry_run = running.options.dry_run;
    let done = match step.action.name {
        "sink" if dry_run => sinks::explain(scope, step).await.map(|text| {
            running.report.plans.push((step.name.clone(), text));
        }),
        "sink" => sinks::write(scope, step, running).await.map(|sink| {
            running.report.rows += sink.rows;
            running.report.rejected += sink.rejected;
            running.observer.sink_finished(&sink);
            running.report.sinks.push(sink);
        }),
        "report" if dry_run => Ok(()),
        "report" => sinks::report(scope, step)
            .await
            .map(|sink| running.report.sinks.push(sink)),
        "validate" if !dry_run => match quality::check(scope, step).await {
            Ok((results, verdict)) => {
                running.report.checks.extend(results);
                match verdict {
                    Ok(()) => return compile::step(scope, step).await,
                    Err(error) => Err(error),
                }
            }
            Err(error) => Err(error),
        },
        "cache" if !dry_run => cache::keep(scope, step).await,
        _ => return compile::step(scope, step).await,
    };
    if let Err(error) = done {
        let has_begun = |state: &RunState| state.has(&step.name);
        return Err(match running.state.as_ref().is_some_and(has_begun) {
            true => broken(step, error),
            false => placed(step, error),
        });
    }
    // (A dry run sees the schema all the same.)
    match (step.action.name, dry_run) {
        ("validate" | "cache", true) => compile::step(scope, step).await,
        _ => Ok(()),
    }
}

/// The error of a sink that has begun; if its cause may pass, with what to do then.
fn broken(step: &Step, error: Error) -> Error {
    let first: &(dyn std::error::Error + 'static) = error.as_datafusion();
    let mut causes = std::iter::successors(Some(first), |error| error.source());
    let may_pass = causes.any(|cause| match cause.downcast_ref::<DatabaseError>() {
        Some(error) => error.is_retriable(),
        None => cause.is::<std::io::Error>(),
    });
    if !may_pass {
        return placed(step, error);
    }
    let advice = "What was written before is kept. When the cause is gone, run it again with --resume: it goes on \
                  from there.";
    BiotideError::Broken {
        place: format!("{}, step {}", step.place, step.name),
        source: Box::new(error.into_datafusion()),
        advice,
    }
    .into()
}
