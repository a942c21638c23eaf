//! The numbers under their names: a contract, scrapers rely on it.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::prometheus_text;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use super::board::{Board, Numbers, StepNumbers};
use crate::progress::Counts;

/// What the text is.
pub(super) const CONTENT_TYPE: &str = prometheus_text::CONTENT_TYPE;

/// The numbers, as text.
pub(super) fn text(board: &Board) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix("biotide");
    registry.register_collector(Box::new(board.clone()));
    let mut text = String::new();
    prometheus_text::encode(&mut text, &registry)?;
    Ok(text)
}

impl Collector for Board {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let numbers = self.numbers();
        Page { encoder, numbers }.write()
    }
}

/// The name of a counter, what it counts, and which count that is.
type Of = (&'static str, &'static str, fn(&Counts) -> u64);

/// Summed over all steps.
const SUMS: [Of; 4] = [
    ("rows_read", "Records read of the inputs", |c| c.rows),
    ("bytes_read", "Bytes read of the inputs", |c| c.bytes),
    (
        "spilled_bytes",
        "Bytes written to disk for want of memory",
        |c| c.spilled_bytes,
    ),
    (
        "memory_waits",
        "Times that readers waited for memory or made do with less",
        |c| c.slowed,
    ),
];

/// Of each step, and of a verb that has none.
const OF_STEPS: [Of; 1] = [("rejected", "Records that a step has set aside", |c| {
    c.errors
})];

/// Of each step of a pipeline.
const OF_SINKS: [Of; 2] = [
    ("rows_written", "Rows that a step has written", |c| {
        c.rows_written
    }),
    (
        "backpressure_events",
        "Times that rows were there before the sink of a step could take them",
        |c| c.backpressure_events,
    ),
];

struct Page<'a> {
    encoder: DescriptorEncoder<'a>,
    numbers: Numbers,
}

impl Page<'_> {
    fn write(&mut self) -> fmt::Result {
        for of in SUMS {
            self.sum(of)?;
        }
        for of in OF_STEPS {
            self.counters(of)?;
        }
        if let Some(name) = self.numbers.pipeline.take() {
            self.encoder
                .encode_descriptor("run", "The pipeline that runs", None, MetricType::Info)?
                .encode_info(&[("pipeline", name)])?;
            for of in OF_SINKS {
                self.counters(of)?;
            }
        }
        let inputs = self.numbers.steps.iter();
        let inputs = inputs.map(|step| step.counts.bytes_total).sum();
        let known = "Bytes of the inputs, as far as they are known";
        self.gauge("input_bytes", known, inputs)?;
        let (now, most) = (biotide::rss(), biotide::peak_rss());
        self.gauge("memory_bytes", "Memory that the process holds", now)?;
        self.gauge("memory_peak_bytes", "The most memory it has held", most)?;
        self.seconds()
    }

    fn sum(&mut self, (name, help, of): Of) -> fmt::Result {
        let sum: u64 = self.numbers.steps.iter().map(|step| of(&step.counts)).sum();
        let encoder = &mut self.encoder;
        let counter = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        ConstCounter::new(sum).encode(counter)
    }

    fn gauge(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let encoder = &mut self.encoder;
        let gauge = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        ConstGauge::new(value).encode(gauge)
    }

    /// A number for each step.
    fn counters(&mut self, (name, help, of): Of) -> fmt::Result {
        let encoder = &mut self.encoder;
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for step in &self.numbers.steps {
            ConstCounter::new(of(&step.counts)).encode(family.encode_family(&label(step))?)?;
        }
        Ok(())
    }

    fn seconds(&mut self) -> fmt::Result {
        let (name, help) = ("step_seconds", "How long a step has run");
        let encoder = &mut self.encoder;
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for step in &self.numbers.steps {
            ConstGauge::new(step.seconds).encode(family.encode_family(&label(step))?)?;
        }
        Ok(())
    }
}

fn label(step: &StepNumbers) -> [(&str, &str); 1] {
    [("step", step.name.as_str())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_help_and_type_and_labels_are_escaped() {
        let board = Board::default();
        board.runs("olink \"2\"");
        board.step_finished("load", 0.25);
        board.sink_finished("to\nfile", 3);
        let text = text(&board).unwrap();
        for line in [
            "# HELP biotide_rows_read_total Records read of the inputs",
            "# TYPE biotide_rows_read_total counter",
            "biotide_rows_read_total 0",
            "biotide_run_info{pipeline=\"olink \\\"2\\\"\"} 1",
            "# TYPE biotide_rows_written_total counter",
            "biotide_rows_written_total{step=\"to\\nfile\"} 3",
            "# TYPE biotide_step_seconds gauge",
            "biotide_step_seconds{step=\"load\"} 0.25",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let name = line.split(['{', ' ']).next().unwrap();
            assert!(text.contains(&format!("# HELP {name} ")), "{line}");
            assert!(text.contains(&format!("# TYPE {name} ")), "{line}");
        }
    }
}
