//! Runs a pipeline: step after step, each sink one plan.
//!
//! A run and its steps are spans of `tracing`, `run{pipeline}` and in it `step{name, action}`, in which events tell
//! rows and seconds. They go to the subscriber that a program sets; without one they cost nothing.

mod cache;
mod cache_lock;
mod cross_referenced;
mod fates;
mod files;
mod observe;
mod quality;
mod report;
mod sinks;
mod target;
mod trace;
mod tuning;

use std::path::PathBuf;
use std::time::Instant;

use biotide_common::BiotideError;
use biotide_common::scan::ScanReport;
use biotide_database::DatabaseError;
pub(crate) use cache_lock::CacheLock;
use files::Files;
pub use observe::{RunObserver, RunProgress, StepStarted};
pub use quality::CheckResult;
pub use report::{InputFile, PipelineReport, ProcessorRun, SinkReport, Status, StepReport};
use tracing::Instrument;
use tuning::Processors;
pub use tuning::{Bound, Tuning};

use super::compile::{self, Scope, placed};
use super::spec::{Pipeline, Step};
use crate::context::BiotideContext;
use crate::error::{Error, Result};
use crate::memory::{cpu_seconds, peak_rss};
use crate::resumable::{Identity, RunLock, RunState};

/// How a pipeline is run.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// Plan every step, and write nothing.
    pub dry_run: bool,
    /// The file that says how far the run is, so that it can be resumed. None: it cannot be resumed.
    pub state: Option<PathBuf>,
    /// Go on where the run was broken off that `state` tells of.
    pub resume: bool,
    /// After how many rows a sink makes durable what it has; 0: a million, but not oftener than
    /// every two seconds.
    pub checkpoint_rows: u64,
    /// The file that the caller writes the report to: a run that reads or writes it is refused.
    pub report: Option<PathBuf>,
}

/// What steps share.
struct Running<'a> {
    options: &'a RunOptions,
    state: Option<RunState>,
    report: PipelineReport,
    observer: &'a mut dyn RunObserver,
    /// What the step that runs has read by itself.
    scan: Option<ScanReport>,
    /// Whether an earlier run has, and this one took what it made.
    is_kept: bool,
}

impl BiotideContext {
    /// Runs a pipeline. `observer` looks on: `&mut ()` is nobody.
    pub async fn run_pipeline(
        &self,
        pipeline: &Pipeline,
        options: &RunOptions,
        observer: &mut dyn RunObserver,
    ) -> Result<PipelineReport> {
        let span = trace::run(pipeline);
        // (What a run holds while it waits is much for the stack of a thread.)
        let ran = Box::pin(self.run_told(pipeline, options, observer));
        let ran = ran.instrument(span.clone()).await;
        trace::run_ended(&span, &ran);
        ran
    }

    /// Refuses a file of the report (see [`RunOptions::report`]) that the run reads or writes too. [`Self::run_pipeline`]
    /// does so by itself; who reports on runs that are refused asks before there is anything to report.
    pub fn check_report_file(&self, pipeline: &Pipeline, options: &RunOptions) -> Result<()> {
        Files::of(self, pipeline, options).check_report()
    }

    async fn run_told(
        &self,
        pipeline: &Pipeline,
        options: &RunOptions,
        observer: &mut dyn RunObserver,
    ) -> Result<PipelineReport> {
        let begin = Instant::now();
        let checked = Files::of(self, pipeline, options).check();
        let state_file = options.state.as_ref().filter(|_| !options.dry_run);
        let _lock = state_file.map(|path| RunLock::take(path)).transpose()?;
        let session = self.session().state();
        let engine = session.config_options();
        let identity = Identity::of_pipeline(pipeline, &self.options(), engine);
        let state = state_file
            .map(|path| RunState::open(path, &identity, options.resume))
            .transpose()?;
        let mut running = Running {
            options,
            state,
            report: PipelineReport::new(pipeline),
            observer,
            scan: None,
            is_kept: false,
        };
        let ran = match checked {
            Ok(()) => self.run_steps(pipeline, &mut running).await,
            Err(error) => Err(error),
        };
        let noted = match (&ran, &mut running.state) {
            (Ok(()), Some(state)) => state.note_complete(),
            _ => Ok(()),
        };
        let ran = ran.and(noted);
        let (mut report, observer) = (running.report, running.observer);
        report.seconds = begin.elapsed().as_secs_f64();
        report.peak_rss = peak_rss();
        match ran {
            Ok(()) => {
                observer.finished(&report);
                Ok(report)
            }
            Err(error) => {
                report.status = Status::Failure;
                report.error = Some(error.to_string());
                observer.failed(&report);
                Err(error)
            }
        }
    }

    async fn run_steps(&self, pipeline: &Pipeline, running: &mut Running<'_>) -> Result<()> {
        let tells = |step: &Step| matches!(step.action.name, "sink" | "report" | "validate");
        if !running.options.dry_run && !pipeline.steps.iter().any(tells) {
            let problem = "it has no sink: nothing would be written. A last step with the action sink says where rows go";
            return Err(BiotideError::file(&pipeline.file, problem).into());
        }
        let mut scope = Scope::new(self, pipeline).await?;
        let state = running.state.as_ref();
        let checked = target::check_all(&scope, pipeline, running.options, state).await;
        let ran = match checked {
            Ok(()) => run_each(&mut scope, pipeline, running).await,
            Err(error) => Err(error),
        };
        if !running.options.dry_run {
            running.report.take_processors(scope.processor_runs());
        }
        let aside = scope.context.finished.set_aside();
        let told = aside.map(|aside| running.report.take_rejects(aside));
        // (Whatever became of the steps: the session keeps nothing of them.)
        let closed = scope.close().await;
        ran.and(told).and(closed)
    }
}

async fn run_each(scope: &mut Scope, pipeline: &Pipeline, running: &mut Running<'_>) -> Result<()> {
    for (at, step) in pipeline.steps.iter().enumerate() {
        if !step.runs {
            running.report.steps.push(StepReport::skipped(step));
            continue;
        }
        if step.action.name == "sink" && !running.options.dry_run {
            sinks::check_later(scope, &pipeline.steps[at + 1..])?;
        }
        running.observer.step_started(&StepStarted {
            step: &step.name,
            action: step.action.name,
            number: at + 1,
            steps: pipeline.steps.len(),
        });
        let (started, rows) = (Instant::now(), running.report.rows);
        let span = trace::step(step);
        let ran = Box::pin(run_step(scope, step, running))
            .instrument(span.clone())
            .await;
        let mut told = StepReport::of(step, scope, started.elapsed());
        told.scan = running.scan.take();
        told.is_kept = std::mem::take(&mut running.is_kept);
        told.failed = ran.as_ref().err().map(ToString::to_string);
        trace::step_ended(&span, &told, running.report.rows - rows);
        running.observer.step_finished(&told);
        running.report.steps.push(told);
        if let Err(error) = ran {
            if step.is_required {
                return Err(error);
            }
            log::warn!("{error}");
            scope.note_failed(step, &error);
            running.report.status = Status::PartialSuccess;
        }
    }
    Ok(())
}

async fn run_step(scope: &mut Scope, step: &Step, running: &mut Running<'_>) -> Result<()> {
    let dry_run = running.options.dry_run;
    let done = match step.action.name {
        "sink" if dry_run => sinks::explain(scope, step).await.map(|text| {
            running.report.plans.push((step.name.clone(), text));
        }),
        "sink" => write(scope, step, running).await,
        "report" if dry_run => fates::reported(scope, step).map(|_| ()),
        "report" => report_fates(scope, step, running).await,
        "validate" if !dry_run => match quality::check(scope, step).await {
            Ok((results, verdict)) => {
                running.report.take_checks(results);
                match verdict {
                    Ok(()) => return compile::step(scope, step).await,
                    Err(error) => Err(error),
                }
            }
            Err(error) => Err(error),
        },
        "cache" if !dry_run => keep(scope, step, running).await,
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

async fn write(scope: &Scope, step: &Step, running: &mut Running<'_>) -> Result<()> {
    let before = cpu_seconds();
    let sink = sinks::write(scope, step, running).await?;
    let processors = Processors {
        busy: cpu_seconds() - before,
        threads: scope.state.config().target_partitions(),
    };
    running.report.take(sink, processors);
    if let Some(sink) = running.report.sinks.last() {
        running.observer.sink_finished(sink);
    }
    Ok(())
}

async fn report_fates(scope: &Scope, step: &Step, running: &mut Running<'_>) -> Result<()> {
    let sink = fates::report(scope, step).await?;
    running.report.sinks.push(sink);
    Ok(())
}

async fn keep(scope: &mut Scope, step: &Step, running: &mut Running<'_>) -> Result<()> {
    let (scan, is_kept) = cache::keep(scope, step).await?;
    running.is_kept = is_kept;
    running.scan = Some(scan);
    Ok(())
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
