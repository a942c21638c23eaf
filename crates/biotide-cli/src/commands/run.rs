//! `biotide run PIPELINE`.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use biotide::format_size;
use biotide::pipeline::run::{PipelineReport, SinkReport, Status};
use biotide::pipeline::{Pipeline, RunOptions};
use biotide::prelude::{BiotideContext, ScanReport};

use super::report::{Ender, count_of};
use crate::args::{ReportTo, RunArgs};
use crate::error::{Context, Failure};
use crate::progress::{Onlooker, format_seconds};
use crate::settings::Settings;
use crate::stderr;

/// What bounded a sink is said of those that took so many seconds.
const WORTH_TUNING: f64 = 2.0;

/// Runs a pipeline, and says what came of it.
pub(crate) async fn run(
    args: RunArgs,
    settings: &Settings,
    context: &BiotideContext,
) -> Result<(), Failure> {
    let report_file = match &args.ending.report {
        Some(ReportTo::File(path)) => Some(path.clone()),
        Some(ReportTo::Stdout) | None => None,
    };
    let mut ender = Ender::new(args.ending, settings, true);
    let pipeline = match Pipeline::open(&args.pipeline, &args.parameters, context.actions()) {
        Ok(pipeline) => pipeline,
        Err(error) => {
            // (What it reads and writes is not known: only a report is replaced.)
            if report_file.as_deref().is_none_or(is_free_for_report) {
                write_failed(&mut ender, &PipelineReport::failed(&args.pipeline, &error));
            }
            return Err(error.into());
        }
    };
    let options = RunOptions {
        dry_run: args.dry_run,
        state: Some(state_of(&args.pipeline, &pipeline, &args.parameters)),
        resume: args.resume,
        checkpoint_rows: args.checkpoint_rows,
        report: report_file,
    };
    // (Before anything else can fail: what failed is reported too.)
    context.check_report_file(&pipeline, &options)?;
    let rejects = pipeline.streaming.error_handling.error_output_path.as_ref();
    let rejects = rejects.map(|file| file.value.path());
    ender = ender.rejects_to(rejects);
    settings.board.runs(&pipeline.name);
    let mut onlooker = Onlooker::new(settings);
    let report = context
        .run_pipeline(&pipeline, &options, &mut onlooker)
        .await;
    let failed = onlooker.failed.take();
    drop(onlooker);
    let report = match (report, failed) {
        (Ok(report), _) => report,
        (Err(error), failed) => {
            // (Before its first step there is none.)
            let report = failed.unwrap_or_else(|| PipelineReport {
                name: pipeline.name.clone(),
                ..PipelineReport::failed(&args.pipeline, &error)
            });
            write_failed(&mut ender, &report);
            return Err(error.into());
        }
    };
    say_failures(&report, settings);
    if args.dry_run {
        return show(&report);
    }
    for step in &report.steps {
        match &step.scan {
            Some(scan) if !step.is_kept => ender.take(scan, 0),
            Some(scan) if scan.rejected > 0 => {
                ender.say(|| kept(&step.name, scan, ender.rejects_file()));
            }
            _ => {}
        }
    }
    for sink in &report.sinks {
        ender.take(&sink.scan, 0);
        ender.say(|| written(sink));
    }
    // (What several sinks have read was set aside once.)
    ender.reject(report.rejected.saturating_sub(report.notes));
    let slow = |sink: &str| {
        let mut sinks = report.sinks.iter();
        sinks.any(|one| one.step == sink && one.seconds >= WORTH_TUNING)
    };
    for tuning in report.tuning.iter().filter(|tuning| slow(&tuning.sink)) {
        ender.say(|| {
            let (sink, bound, because) = (&tuning.sink, tuning.bound_by, &tuning.because);
            format!(
                "{sink}: bounded by {bound} ({because}); to go faster: {}",
                tuning.change
            )
        });
    }
    let failed: Vec<&str> = report
        .steps
        .iter()
        .filter(|step| step.failed.is_some())
        .map(|step| step.name.as_str())
        .collect();
    ender.say(|| {
        format!(
            "{}: {} in {}, peak memory {}{}",
            report.name,
            match report.status {
                Status::Success => "done",
                Status::PartialSuccess => "done in part",
                Status::Failure => "failed",
            },
            format_seconds(report.seconds),
            format_size(report.peak_rss),
            match failed.is_empty() {
                true => String::new(),
                false => format!("; failed, and not required: {}", failed.join(", ")),
            }
        )
    });
    ender.write(&report)?;
    ender.end()
}

/// Says why steps failed that need not succeed, where no warning has said it: the run has ended well, and nothing else
/// would. (Of events each step has one.)
fn say_failures(report: &PipelineReport, settings: &Settings) {
    if !settings.quiet || stderr::are_events() {
        return;
    }
    for failed in report.steps.iter().filter_map(|step| step.failed.as_ref()) {
        stderr::say(format!("warning: {failed}"));
    }
}

/// Writes the report of a run that failed. (What went wrong first is what is told.)
fn write_failed(ender: &mut Ender<'_>, report: &PipelineReport) {
    if ender.write(report).is_err() {
        log::warn!("the report could not be written");
    }
}

/// Whether the report on a pipeline that cannot be read may be written to a file: there is none, or it is empty, or the
/// report on an earlier run.
fn is_free_for_report(path: &Path) -> bool {
    /// What no report is longer than.
    const LONGEST: u64 = 64 << 20;
    let is_report = |text: &[u8]| {
        let value = serde_json::from_slice::<serde_json::Value>(text);
        value.is_ok_and(|value| value.get("status").is_some() && value.get("sinks").is_some())
    };
    let is_free = match std::fs::metadata(path) {
        Ok(file) if !file.is_file() || file.len() == 0 => true,
        Ok(file) => file.len() <= LONGEST && std::fs::read(path).is_ok_and(|text| is_report(&text)),
        Err(error) => error.kind() == ErrorKind::NotFound,
    };
    if !is_free {
        log::warn!(
            "{} is not the report on a run, and is not written over",
            path.display()
        );
    }
    is_free
}

/// Where it is noted how far a run is: `.olink.yaml.biotide-run` beside the pipeline, with a number in its name if
/// parameters were set to something else than they are in the file, as runs with others are other runs. It stays when the
/// run is complete: resumed once more, it writes nothing twice.
fn state_of(path: &str, pipeline: &Pipeline, set: &BTreeMap<String, String>) -> PathBuf {
    let path = Path::new(path);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_set = |name: &str| {
        let mut keys = set.keys();
        keys.any(|key| key.strip_prefix("parameters.").unwrap_or(key) == name)
    };
    let parameters = pipeline.parameters.iter();
    let other: BTreeMap<&str, String> = parameters
        .filter(|parameter| is_set(&parameter.name))
        .map(|parameter| (parameter, parameter.value.to_string()))
        .filter(|(parameter, value)| {
            let default = parameter.default.as_ref().map(ToString::to_string);
            default.as_ref() != Some(value)
        })
        .map(|(parameter, value)| (parameter.name.as_str(), value))
        .collect();
    let mut hasher = DefaultHasher::new();
    other.hash(&mut hasher);
    let set = match other.is_empty() {
        true => String::new(),
        false => format!(".{:08x}", hasher.finish() as u32),
    };
    path.with_file_name(format!(".{name}{set}.biotide-run"))
}

/// `2943 rows to sqlite:olink.db/proteins in 0.1 s`.
fn written(sink: &SinkReport) -> String {
    format!(
        "{}: {} written to {} in {}",
        sink.step,
        count_of(sink.rows),
        sink.to,
        format_seconds(sink.seconds)
    )
}

/// `cache: as an earlier run has made it, with 2 records rejected (2 too_few_fields); see --rejects FILE`.
fn kept(step: &str, scan: &ScanReport, file: Option<&str>) -> String {
    let records = match scan.rejected {
        1 => "1 record".to_owned(),
        n => format!("{n} records"),
    };
    format!(
        "{step}: as an earlier run has made it, with {records} rejected ({}); see {}",
        scan.summary(),
        file.unwrap_or("--rejects FILE")
    )
}

/// What a dry run shows: the columns of each step, the plan of each sink.
fn show(report: &PipelineReport) -> Result<(), Failure> {
    let mut text = String::new();
    for step in &report.steps {
        text.push_str(&format!("{} ({})", step.name, step.action));
        if !step.ran {
            text.push_str(": its condition does not hold");
        }
        text.push('\n');
        for (name, kind) in &step.columns {
            text.push_str(&format!("    {name}: {kind}\n"));
        }
        let plan = report.plans.iter().find(|(name, _)| *name == step.name);
        for line in plan.into_iter().flat_map(|(_, plan)| plan.lines()) {
            text.push_str(&format!("    {line}\n"));
        }
    }
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .context("writing to standard output")?;
    Ok(())
}
