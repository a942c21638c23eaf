//! Looks at a pipeline while it runs.

use biotide::pipeline::run::{
    PipelineReport, RunObserver, RunProgress, SinkReport, StepReport, StepStarted,
};
use biotide::prelude::Monitor;

use super::units::format_seconds;
use super::watch::{Place, View};
use super::{Event, Progress};
use crate::settings::Settings;
use crate::stderr;

/// Shows which step runs and how far it is.
#[derive(Debug)]
pub(crate) struct Onlooker<'a> {
    settings: &'a Settings,
    place: Option<Place>,
    running: Option<Progress>,
    /// What was done until the run failed.
    pub(crate) failed: Option<PipelineReport>,
}

impl<'a> Onlooker<'a> {
    pub(crate) fn new(settings: &'a Settings) -> Self {
        Self {
            settings,
            place: None,
            running: None,
            failed: None,
        }
    }
}

impl RunObserver for Onlooker<'_> {
    fn step_started(&mut self, step: &StepStarted<'_>) {
        stderr::tell(&Event::StepStarted(*step));
        self.settings.board.step_started(step.step);
        self.place = Some(Place::of(step));
    }

    fn sink_started(&mut self, step: &str, monitor: &Monitor) {
        stderr::tell(&Event::SinkStarted { step });
        if let Some(place) = self.place.clone() {
            self.running = Some(Progress::of_step(self.settings, place, monitor.clone()));
        }
    }

    fn progressed(&mut self, progress: &RunProgress) {
        stderr::tell(&Event::Rows(progress));
    }

    fn sink_finished(&mut self, sink: &SinkReport) {
        self.running = None;
        self.settings.board.sink_finished(&sink.step, sink.rows);
        stderr::tell(&Event::SinkFinished(sink));
    }

    fn step_finished(&mut self, step: &StepReport) {
        // (Of a sink that failed.)
        self.running = None;
        self.settings.board.step_finished(&step.name, step.seconds);
        stderr::tell(&Event::StepFinished(step));
        if View::of(self.settings) == Some(View::Bar) {
            let failed = match step.failed {
                Some(_) => "failed after ",
                None => "",
            };
            let took = format_seconds(step.seconds);
            stderr::say(format_args!("{}: {failed}{took}", step.name));
        }
    }

    fn finished(&mut self, report: &PipelineReport) {
        stderr::tell(&Event::Finished(report));
    }

    fn failed(&mut self, report: &PipelineReport) {
        self.failed = Some(report.clone());
    }
}
