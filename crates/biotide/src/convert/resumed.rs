//! Conversions that can be gone on with where they were broken off.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use biotide_common::BiotideError;
use biotide_database::{DatabaseTarget, is_database};
use biotide_formats::sink::resumable::discard;
use datafusion::common::DataFusionError;
use datafusion::execution::SessionState;

use super::paths::check_inputs;
use super::{ConvertReport, ConvertRequest, Output};
use crate::context::BiotideContext;
use crate::error::Result;
use crate::memory::peak_rss;
use crate::monitor::Monitor;
use crate::pipeline::run::{RunObserver, SinkReport};
use crate::resumable::{
    Identity, Job, Pace, RunLock, RunState, is_resumable, options_that_matter, to_file,
};
use crate::statement::repeats::repeats_in_order;

/// What the state calls the only sink.
pub(crate) const NAME: &str = "convert";

/// Hears of the start, and of nothing else.
pub(crate) struct Starting<F>(Option<F>);

impl<F: FnOnce(Monitor) + Send> Starting<F> {
    pub(crate) fn new(on_start: F) -> Self {
        Self(Some(on_start))
    }
}

impl<F: FnOnce(Monitor) + Send> RunObserver for Starting<F> {
    fn sink_started(&mut self, _step: &str, monitor: &Monitor) {
        if let Some(start) = self.0.take() {
            start(monitor.clone());
        }
    }
}

impl ConvertReport {
    /// Of a sink that has written its rows.
    pub(crate) fn of(sink: SinkReport) -> Self {
        Self {
            rows: sink.rows,
            rejected: sink.rejected,
            bytes_in: sink.scan.bytes,
            bytes_out: sink.bytes,
            files: sink.files,
            seconds: sink.seconds,
            peak_rss: peak_rss(),
            xref: sink.xref,
            memory: sink.memory,
            scan: sink.scan,
        }
    }
}

impl BiotideContext {
    /// Goes on where the same conversion was broken off, or begins one that can be gone on with. One that is complete is
    /// left as it is.
    pub(crate) async fn convert_resumed(
        &self,
        request: &ConvertRequest,
        on_start: impl FnOnce(Monitor) + Send,
    ) -> Result<ConvertReport> {
        let refused = |problem: &str| {
            let problem = format!("{problem}, so the conversion cannot be resumed");
            BiotideError::file(&request.output, problem)
        };
        if request.inputs.iter().any(|input| input == "-") {
            return Err(refused("standard input is gone when it was read").into());
        }
        if request.output == "-" {
            return Err(refused("standard output is gone when it was written").into());
        }
        if request.unordered {
            return Err(refused("rows in any order are others each time").into());
        }
        check_inputs(&request.inputs, &request.output)?;
        let (session, plan) = self.input_plan(&request.inputs).await?;
        if !repeats_in_order(&plan) {
            return Err(refused("its input has no order").into());
        }
        let path = state_of(&request.output)?;
        let _lock = RunLock::take(&path)?;
        let mut state = RunState::open(&path, &self.identity(request), true)?;
        if is_database(&request.output) {
            return self
                .convert_to_database(request, (session, plan), Some(&mut state), on_start)
                .await;
        }
        let output = Output {
            path: request.output.clone(),
            format: request.format.clone(),
            partition_by: request.partition_by.clone(),
            compression: None,
        };
        if !is_resumable(&output) {
            return Err(
                refused("it is not one local file of csv, tsv, jsonl, parquet or arrow").into(),
            );
        }
        let mut starting = Starting::new(on_start);
        let job = self.conversion(request, session, Some(&mut state), &mut starting);
        let report = to_file(job, &output, plan, request.force).await?;
        Ok(ConvertReport::of(report))
    }

    /// Forgets how far a conversion to this output was, which is not gone on with: nobody can any more when something else
    /// is there.
    pub(crate) fn forget_conversion(output: &str) -> Result<()> {
        let Ok(path) = state_of(output) else {
            return Ok(());
        };
        if !path.is_file() {
            return Ok(());
        }
        let _lock = RunLock::take(&path)?;
        let removed = std::fs::remove_file(&path);
        removed.map_err(|error| BiotideError::io(format!("removing {}", path.display()), error))?;
        if !is_database(output) {
            discard(Path::new(output));
        }
        Ok(())
    }

    /// The work of a conversion.
    pub(crate) fn conversion<'a>(
        &'a self,
        request: &ConvertRequest,
        session: SessionState,
        state: Option<&'a mut RunState>,
        observer: &'a mut dyn RunObserver,
    ) -> Job<'a> {
        Job {
            context: self,
            session,
            name: NAME,
            pace: Pace {
                checkpoint_rows: request.checkpoint_rows,
                ..Pace::default()
            },
            unordered: request.unordered,
            resumable: true,
            state,
            observer,
        }
    }

    fn identity(&self, request: &ConvertRequest) -> Identity {
        let hash = |value: &dyn Fn(&mut DefaultHasher)| {
            let mut hasher = DefaultHasher::new();
            value(&mut hasher);
            hasher.finish()
        };
        let session = self.session().state();
        let mut parts = options_that_matter(&self.options(), session.config_options());
        parts.extend([
            ("inputs".to_owned(), hash(&|h| request.inputs.hash(h))),
            (
                "format".to_owned(),
                hash(&|h| (&request.format, request.force).hash(h)),
            ),
        ]);
        Identity {
            name: request.output.clone(),
            digest: hash(&|h| parts.hash(h)),
            parts,
            anew: "convert without --resume to begin anew",
        }
    }
}

/// Where it is noted how far a conversion is: `.proteins.parquet.biotide-convert` beside the output; of a database
/// that is no file, in the current folder.
fn state_of(output: &str) -> Result<PathBuf> {
    if !is_database(output) {
        let path = Path::new(output);
        let name = path.file_name().unwrap_or_default().display();
        return Ok(path.with_file_name(format!(".{name}.biotide-convert")));
    }
    let target = DatabaseTarget::parse(output).map_err(DataFusionError::from)?;
    let mut hasher = DefaultHasher::new();
    target.to_string().hash(&mut hasher);
    let name = format!(
        ".{}-{:08x}.biotide-convert",
        target.format(),
        hasher.finish() as u32
    );
    Ok(PathBuf::from(name))
}
