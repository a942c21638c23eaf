//! Every way to write a pipeline.

use super::{environment, error, load, read, read_with};
use crate::pipeline::actions::{Action, Actions, Kind, Param};
use crate::pipeline::spec::{Tree, pipeline};

#[test]
fn steps_may_be_written_in_each_of_their_forms() {
    let forms = [
        "steps:\n- action: {type: load, params: {file_path: a.tsv}}\n",
        "steps:\n- {type: load, params: {file_path: a.tsv}}\n",
        "steps:\n- {action: load, params: {file_path: a.tsv}}\n",
        "- action:\n    type: LOAD\n    params:\n      file_path: a.tsv\n",
        "- type: STREAMING_DATA_PROCESSOR\n  params: {file_path: a.tsv}\n",
        "[{type: streaming-data-processor, params: {path: a.tsv}}]",
    ];
    for text in forms {
        let pipeline = read(text);
        let step = &pipeline.steps[0];
        assert_eq!(pipeline.steps.len(), 1, "{text}");
        assert_eq!((step.action.name, &*step.name), ("load", "load"), "{text}");
        assert_eq!(step.params.texts("file_path"), ["a.tsv"], "{text}");
        assert!(step.runs && step.is_required, "{text}");
        assert_eq!(pipeline.name, "p", "{text}");
    }
}

#[test]
fn everything_of_a_pipeline_is_read() {
    let text = "\
name: all
description: of it
version: 1.0
parameters:
  a: 1
metadata: {source: {release: 2024_01}}
streaming:
  chunk_size: 2000
  max_concurrent_chunks: 5
  backpressure_threshold: 10
  file_readers:
    csv: {encoding: utf-8, delimiter: ',', quote_char: '\"'}
    jsonl: {encoding: utf-8}
    tsv: {delimiter: \"\\t\"}
  memory_management: {max_memory_mb: 2048, gc_frequency: 1000}
  error_handling: {max_errors_per_chunk: 10, continue_on_error: true, error_output_path: errors.jsonl}
mappings:
  hgnc: sssom('hgnc.sssom.tsv')
steps:
- name: first
  description: reads
  condition: ${parameters.a} == 1
  is_required: no
  action: {type: load, params: {file_path: '${metadata.source.release}.tsv'}}
- action: {type: load, params: {file_path: b}}
- condition: false
  action: {type: load, params: {file_path: b}}
";
    let pipeline = read(text);
    assert_eq!(pipeline.name, "all");
    assert_eq!(pipeline.description.as_deref(), Some("of it"));
    let release = pipeline.metadata.get("source").unwrap().get("release");
    assert_eq!(release.and_then(Tree::as_text), Some("2024_01"));
    let streaming = &pipeline.streaming;
    assert_eq!(streaming.chunk_size, Some(2000));
    assert_eq!(streaming.max_concurrent_chunks, Some(5));
    assert_eq!(streaming.backpressure_threshold, Some(10));
    let readers: Vec<_> = streaming
        .file_readers
        .iter()
        .map(|(format, reader)| (format.as_str(), reader.delimiter.as_deref()))
        .collect();
    assert_eq!(
        readers,
        [("csv", Some(",")), ("tsv", Some("\t")), ("jsonl", None)]
    );
    assert_eq!(
        streaming.file_readers[0].1.quote_char.as_deref(),
        Some("\"")
    );
    assert_eq!(streaming.memory_management.max_memory_mb, Some(2048));
    let errors = &streaming.error_handling;
    assert_eq!(errors.max_errors_per_chunk, Some(10));
    assert_eq!(errors.continue_on_error, Some(true));
    let output = errors.error_output_path.as_ref().unwrap();
    assert_eq!(
        (output.value.path(), output.place.line),
        ("errors.jsonl", 16)
    );
    let (name, source) = &pipeline.mappings[0];
    assert_eq!(
        (&**name, &*source.value),
        ("hgnc", "sssom('hgnc.sssom.tsv')")
    );
    assert_eq!((source.place.line, source.place.column), (18, 9));
    let steps: Vec<_> = pipeline
        .steps
        .iter()
        .map(|step| (&*step.name, step.runs, step.is_required, step.place.line))
        .collect();
    let expected = [
        ("first", true, false, 20),
        ("load", true, true, 25),
        ("load_2", false, true, 26),
    ];
    assert_eq!(steps, expected);
    assert_eq!(pipeline.steps[0].description.as_deref(), Some("reads"));
    assert_eq!(pipeline.steps[0].params.texts("file_path"), ["2024_01.tsv"]);
    assert_eq!(pipeline.running().count(), 2);
}

#[test]
fn names_of_steps_without_one_are_no_others() {
    let text = "[{type: sql, params: {query: a}}, {name: sql, type: sql, params: {query: b}}]";
    let names: Vec<_> = read(text).steps.into_iter().map(|step| step.name).collect();
    assert_eq!(names, ["sql_2", "sql"]);
}

#[test]
fn parameters_are_a_map_or_a_list() {
    let step = "steps: [{type: sql, params: {query: '${parameters.q}'}}]\n";
    for parameters in [
        "parameters: {q: SELECT 1}\n",
        "parameters: {q: {default: SELECT 1, description: what}}\n",
        "parameters: [{name: q, default: SELECT 1, required: true}]\n",
    ] {
        let pipeline = read(&format!("{parameters}{step}"));
        let parameter = &pipeline.parameters[0];
        assert_eq!(
            (&*parameter.name, parameter.value.as_text()),
            ("q", Some("SELECT 1"))
        );
        assert_eq!(pipeline.steps[0].params.text("query"), Some("SELECT 1"));
        let set = read_with(&format!("{parameters}{step}"), &[("q", "SELECT 2")]).unwrap();
        assert_eq!(set.steps[0].params.text("query"), Some("SELECT 2"));
    }
    // A map that is no declaration is a value.
    let pipeline = read(
        "parameters: {q: {default: 1, other: 2}}\nsteps: [{type: load, params: {path: 'a${parameters.q.other}'}}]\n",
    );
    assert_eq!(pipeline.steps[0].params.texts("file_path"), ["a2"]);
}

#[test]
fn parameters_have_the_same_two_names_everywhere() {
    for (input, output) in [
        ("input", "output"),
        ("input_key", "output_key"),
        ("input_context_key", "output_context_key"),
    ] {
        let text =
            format!("[{{type: filter, params: {{{input}: a, condition: x > 1, {output}: b}}}}]");
        let params = &read(&text).steps[0].params;
        assert_eq!(
            (params.text("input"), params.text("output")),
            (Some("a"), Some("b"))
        );
    }
}

#[test]
fn actions_of_the_program_are_known_by_their_names() {
    const PARAMS: &[Param] = &[Param::new(
        "n",
        Kind::Integer { min: 1, max: 3 },
        "A number.",
    )];
    let mut actions = Actions::default();
    actions
        .register(Action::new("mine", "Does.", PARAMS))
        .unwrap();
    actions
        .register(Action::new("any", "Does.", PARAMS).open())
        .unwrap();
    let taken = Action::new("x", "Does.", PARAMS).also(&["LOAD"]);
    let taken = actions.register(taken).unwrap_err().to_string();
    assert!(
        taken.contains("'LOAD' there is an action of this name"),
        "{taken}"
    );

    let read = |text: &str| {
        pipeline::read("p.yaml", text, &Default::default(), &actions, &environment)
            .map_err(|error| error.to_string())
    };
    let pipeline = read("[{type: MINE, params: {n: 2}}]").unwrap();
    assert_eq!(pipeline.steps[0].params.integer("n"), Some(2));
    let pipeline = read("[{type: any, params: {n: 2, what: [1]}}]").unwrap();
    let params = &pipeline.steps[0].params;
    assert_eq!(
        params.tree("what").and_then(Tree::as_list).map(<[_]>::len),
        Some(1)
    );
    assert_eq!(params.others().len(), 1);
    let unknown = read("[{type: mine, params: {what: 2}}]").unwrap_err();
    assert_eq!(
        unknown,
        "p.yaml, line 1, column 24: mine has no parameter 'what'; it has n"
    );
}

#[test]
fn files_are_read_from_where_they_lie() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("small.yaml");
    std::fs::write(&path, load("")).unwrap();
    let pipeline = super::Pipeline::open(&path, &Default::default(), &Actions::default()).unwrap();
    assert_eq!(pipeline.name, "small");
    let missing = dir.path().join("missing.yaml");
    let missing = super::Pipeline::open(missing, &Default::default(), &Actions::default());
    let missing = missing.unwrap_err().to_string();
    assert!(missing.starts_with("reading the pipeline ") && missing.contains("missing.yaml"));
}

#[test]
fn text_around_yaml_does_not_matter() {
    for text in [
        "\u{feff}- type: cache\n",
        "---\n- type: cache\n...\n",
        "- type: cache\r\n  params:\r\n",
    ] {
        assert_eq!(read(text).steps[0].action.name, "cache", "{text:?}");
    }
    assert!(error("a: 1\n---\nb: 2\n").contains("p.yaml"));
}
