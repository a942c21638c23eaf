//! What came of a run.

use std::time::{Duration, Instant};

use biotide_common::scan::ScanReport;
use biotide_stream::RunSummary;
use serde::Serialize;

use super::super::compile::Scope;
use super::super::spec::{Pipeline, Step, name_of};
use super::quality::CheckResult;
use super::tuning::{Processors, Tuning, advice};
use crate::error::{Error, Result};
use crate::memory::MemoryReport;
use crate::pipeline::measure::StepNumbers;
use crate::pump::{ChunksReport, FlowReport, Pumped};
use crate::rejects::SetAside;
use crate::statement::{Statement, XrefReport};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// All was done.
    Success,
    /// Rows were set aside, a check did not hold, or a step that was not required failed.
    PartialSuccess,
    /// A required step failed.
    Failure,
}

/// What came of a run.
#[derive(Debug, Clone, Serialize)]
pub struct PipelineReport {
    /// The pipeline's name.
    pub name: String,
    /// Its file.
    pub file: String,
    /// How it ended.
    pub status: Status,
    /// Rows written by all sinks.
    pub rows: u64,
    /// Records set aside; one that was read several times is counted once.
    pub rejected: u64,
    /// Of these, notes below a table, which are no fault of it.
    pub notes: u64,
    /// Wall-clock time.
    pub seconds: f64,
    /// The most memory the process has held, in bytes.
    pub peak_rss: u64,
    /// Step by step.
    pub steps: Vec<StepReport>,
    /// What was checked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckResult>,
    /// What processors did.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub processors: Vec<ProcessorRun>,
    /// What was written.
    pub sinks: Vec<SinkReport>,
    /// What bounded each sink, and what to change.
    pub tuning: Vec<Tuning>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Of a dry run: the plan of each sink.
    #[serde(skip)]
    pub plans: Vec<(String, String)>,
}

/// A step of a run.
#[derive(Debug, Clone, Serialize)]
pub struct StepReport {
    /// Its name.
    pub name: String,
    /// Its action.
    pub action: String,
    /// Whether its condition let it run.
    pub ran: bool,
    /// Planning, and running if it runs by itself.
    pub seconds: f64,
    /// The columns of what it makes, with their types.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<(String, String)>,
    /// What its identifiers are of, if it says so: `protein`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity_type: Option<String>,
    /// What it has read, if it makes a dataset by itself. What an earlier run has kept is not read again: then there is
    /// only what was set aside by that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scan: Option<ScanReport>,
    /// Whether its rows are those that an earlier run has kept, in the file of a `cache`.
    #[serde(rename = "kept", skip_serializing_if = "std::ops::Not::not")]
    pub is_kept: bool,
    /// Why it failed, if that did not end the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InputFile {
    /// Its path or URL.
    pub name: String,
    /// Its size, where it is known.
    pub bytes: u64,
    /// When it was written last, in seconds since 1970, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified: Option<f64>,
}

/// What the processors of a step did. All uses of the step's rows are one here: of two sinks that need them each runs
/// the processors anew, and both are counted.
#[derive(Debug, Clone, Serialize)]
pub struct ProcessorRun {
    /// The step.
    pub step: String,
    /// What they did.
    #[serde(flatten)]
    pub summary: RunSummary,
}

/// What a sink has written.
#[derive(Debug, Clone, Serialize)]
pub struct SinkReport {
    /// Its step.
    pub step: String,
    /// Where to.
    pub to: String,
    /// The format, or the kind of database.
    pub format: String,
    /// Rows written.
    pub rows: u64,
    /// Bytes written.
    pub bytes: u64,
    /// Files written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// The files that were read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<InputFile>,
    /// Records set aside; one that was read several times, as its dataset is used more than once, is counted once.
    pub rejected: u64,
    /// Wall-clock time.
    pub seconds: f64,
    /// What was reserved and spilled.
    pub memory: MemoryReport,
    /// What each step before it did for it. A step's `rows` are those that the steps after it left to it, not all that
    /// it would give by itself: see there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepNumbers>,
    /// The counts of the readers. Records of a file that is read several times for it are counted once; `files` and
    /// `bytes` are what was read.
    pub scan: ScanReport,
    /// What became of identifiers that were cross-referenced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xref: Option<XrefReport>,
    /// Chunk by chunk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chunks: Option<ChunksReport>,
    /// What the time went to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flow: Option<FlowReport>,
}

impl PipelineReport {
    /// Of a run that could not begin: something is wrong with its file, or with what it was given.
    pub fn failed(file: &str, error: &Error) -> Self {
        Self {
            status: Status::Failure,
            error: Some(error.to_string()),
            ..Self::of(name_of(file), file.to_owned())
        }
    }

    pub(super) fn new(pipeline: &Pipeline) -> Self {
        Self::of(pipeline.name.clone(), pipeline.file.clone())
    }

    fn of(name: String, file: String) -> Self {
        Self {
            name,
            file,
            status: Status::Success,
            rows: 0,
            rejected: 0,
            notes: 0,
            seconds: 0.0,
            peak_rss: 0,
            steps: Vec::new(),
            checks: Vec::new(),
            processors: Vec::new(),
            sinks: Vec::new(),
            tuning: Vec::new(),
            error: None,
            plans: Vec::new(),
        }
    }

    /// Takes what a sink has written.
    pub(super) fn take(&mut self, sink: SinkReport, processors: Processors) {
        self.rows += sink.rows;
        self.tuning.extend(advice(&sink, processors));
        self.sinks.push(sink);
    }

    /// Takes what all steps have set aside.
    pub(super) fn take_rejects(&mut self, aside: SetAside) {
        (self.rejected, self.notes) = (aside.rejected, aside.notes);
        if aside.rejected > aside.notes {
            self.status = Status::PartialSuccess;
        }
    }

    /// Takes what processors did. Rows that they lost are not lost unsaid.
    pub(super) fn take_processors(&mut self, runs: Vec<ProcessorRun>) {
        for run in &runs {
            let (step, errors) = (&run.step, &run.summary.errors);
            if errors.total_errors == 0 {
                continue;
            }
            self.status = Status::PartialSuccess;
            let first = errors.samples.first().map_or("", |first| &first.message);
            let (failed, rows) = (errors.failed_rows, run.summary.rows_read);
            log::warn!("{step}: {failed} of {rows} rows failed; the first: {first}");
        }
        self.processors = runs;
    }
}

impl SinkReport {
    /// Of a sink that has written nothing yet.
    pub(crate) fn new(step: &str, to: &str, format: &str) -> Self {
        Self {
            step: step.to_owned(),
            to: to.to_owned(),
            format: format.to_owned(),
            rows: 0,
            bytes: 0,
            files: Vec::new(),
            inputs: Vec::new(),
            rejected: 0,
            seconds: 0.0,
            memory: MemoryReport::default(),
            steps: Vec::new(),
            scan: ScanReport::default(),
            xref: None,
            chunks: None,
            flow: None,
        }
    }

    /// Of a sink that was complete before the run was resumed.
    pub(crate) fn resumed(self, rows: u64) -> Self {
        Self { rows, ..self }
    }

    /// Takes what its statement has read.
    pub(crate) fn read(&mut self, statement: Statement) -> Result<()> {
        (self.memory, self.xref) = (statement.memory(), statement.coverage());
        self.steps = statement.monitor().steps();
        self.scan = statement.finish()?;
        self.rejected = self.scan.rejected;
        Ok(())
    }

    /// Whether nothing was wrong with what was read.
    pub(crate) fn is_clean(&self) -> bool {
        self.rejected == 0 && self.scan.reasons.is_empty()
    }

    /// The step that took most of the time, and how much.
    pub(super) fn slowest_step(&self) -> Option<(&str, f64)> {
        let slower = |a: &&StepNumbers, b: &&StepNumbers| a.seconds.total_cmp(&b.seconds);
        let slowest = self.steps.iter().max_by(slower)?;
        Some((&slowest.step, slowest.seconds))
    }

    /// With what became of its rows.
    pub(crate) fn written(self, pumped: Pumped, begin: Instant) -> Self {
        Self {
            chunks: Some(pumped.chunks),
            flow: Some(pumped.flow),
            seconds: begin.elapsed().as_secs_f64(),
            ..self
        }
    }
}

impl StepReport {
    pub(super) fn skipped(step: &Step) -> Self {
        Self {
            name: step.name.clone(),
            action: step.action.name.to_owned(),
            ran: false,
            seconds: 0.0,
            columns: Vec::new(),
            entity_type: None,
            scan: None,
            is_kept: false,
            failed: None,
        }
    }

    pub(super) fn of(step: &Step, scope: &Scope, took: Duration) -> Self {
        let plan = scope.dataset(&super::super::compile::key_of(step));
        let fields = plan.map(|plan| plan.schema().fields().clone());
        let columns = fields
            .iter()
            .flatten()
            .map(|field| (field.name().clone(), field.data_type().to_string()));
        let says = step.action.param("entity_type");
        let entity_type = says.and_then(|_| step.params.text("entity_type"));
        Self {
            columns: columns.collect(),
            entity_type: entity_type.map(str::to_owned),
            ran: true,
            seconds: took.as_secs_f64(),
            ..Self::skipped(step)
        }
    }
}
