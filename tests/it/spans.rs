//! What a subscriber of `tracing` sees of a run.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use biotide::pipeline::actions::Actions;
use biotide::pipeline::{Pipeline, RunOptions};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::support;

/// Writes down spans of Biotide when they open, and events with the spans they are in.
#[derive(Default)]
struct Notes {
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    spans: Vec<String>,
    entered: Vec<u64>,
    lines: Vec<String>,
}

/// The fields but for those that differ from run to run.
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let text = match field.name() {
            "seconds" => "_".to_owned(),
            _ => format!("{value:?}").replace('"', ""),
        };
        self.0.insert(field.name(), text);
    }
}

fn shown(record: impl FnOnce(&mut Fields)) -> String {
    let mut fields = Fields(BTreeMap::new());
    record(&mut fields);
    let fields: Vec<String> = fields.0.iter().map(|(k, v)| format!("{k}={v}")).collect();
    fields.join(" ")
}

struct Subscribed(Arc<Notes>);

impl Subscriber for Subscribed {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("biotide")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut seen = self.0.seen.lock().unwrap();
        let fields = shown(|fields| span.record(fields));
        seen.spans
            .push(format!("{}{{{fields}}}", span.metadata().name()));
        Id::from_u64(seen.spans.len() as u64)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut seen = self.0.seen.lock().unwrap();
        let inside: Vec<String> = seen
            .entered
            .iter()
            .map(|id| seen.spans[*id as usize - 1].clone())
            .collect();
        let fields = shown(|fields| event.record(fields));
        seen.lines.push(format!("{}: {fields}", inside.join(" ")));
    }

    fn enter(&self, id: &Id) {
        self.0.seen.lock().unwrap().entered.push(id.into_u64());
    }

    fn exit(&self, id: &Id) {
        let mut seen = self.0.seen.lock().unwrap();
        assert_eq!(seen.entered.pop(), Some(id.into_u64()));
    }
}

async fn ran(condition: &str) -> (Vec<String>, bool) {
    let folder = tempfile::tempdir().unwrap();
    let input = support::write(&folder.path().join("a.tsv"), "id\n1\n2\n3\n");
    let out = folder.path().join("o.csv").display().to_string();
    let yaml = format!(
        "name: traced
steps:
- {{name: load, type: load, params: {{file_path: '{input}'}}}}
- {{name: some, type: filter, params: {{condition: '{condition}'}}}}
- {{name: out, type: sink, params: {{to: '{out}'}}}}
"
    );
    let pipeline = Pipeline::parse("p.yaml", &yaml, &BTreeMap::new(), &Actions::default()).unwrap();
    let context = support::context();
    let notes = Arc::new(Notes::default());
    let subscribed = tracing::subscriber::set_default(Subscribed(Arc::clone(&notes)));
    let options = RunOptions::default();
    let ran = context.run_pipeline(&pipeline, &options, &mut ()).await;
    drop(subscribed);
    let lines = std::mem::take(&mut notes.seen.lock().unwrap().lines);
    (lines, ran.is_ok())
}

// (On one thread: the subscriber is that of the test's.)
#[tokio::test]
async fn a_run_is_a_span_and_so_is_every_step_in_it() {
    let (lines, ok) = ran("id > 1").await;
    assert!(ok);
    let run = "run{pipeline=traced}";
    let step = |name: &str, action: &str| format!("{run} step{{action={action} name={name}}}");
    let expected = [
        format!("{run}: message=started"),
        format!("{}: message=started", step("load", "load")),
        format!(
            "{}: message=finished rows=0 seconds=_",
            step("load", "load")
        ),
        format!("{}: message=started", step("some", "filter")),
        format!(
            "{}: message=finished rows=0 seconds=_",
            step("some", "filter")
        ),
        format!("{}: message=started", step("out", "sink")),
        format!("{}: message=finished rows=2 seconds=_", step("out", "sink")),
        format!("{run}: message=finished rows=2 seconds=_ status=Success"),
    ];
    assert_eq!(lines, expected);
    let (lines, ok) = ran("nothing > 1").await;
    assert!(!ok);
    let failed = |line: &&String| line.contains("message=failed");
    assert_eq!(lines.iter().filter(failed).count(), 2, "{lines:#?}");
}
