//! What is published of pipelines: the schema, the reference, the examples.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::pipeline::actions::{Actions, built_in};
use crate::pipeline::spec::{Pipeline, pipeline_reference, pipeline_schema};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The text of a published file, written anew where that was asked for.
fn published(file: &str, text: &str) -> String {
    let path = root().join(file);
    if std::env::var_os("BIOTIDE_BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    std::fs::read_to_string(&path).unwrap_or_default()
}

#[test]
fn the_schema_is_published() {
    let schema = pipeline_schema();
    let text = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
    let written = published("sql/reference/pipeline.schema.json", &text);
    let written: Value = serde_json::from_str(&written).unwrap();
    assert!(written == schema, "run with BIOTIDE_BLESS=1");
}

#[test]
fn the_reference_is_published() {
    let page = pipeline_reference();
    let written = published("sql/reference/pipeline.md", &page);
    assert!(written == page, "run with BIOTIDE_BLESS=1");
}

#[test]
fn the_schema_knows_every_parameter() {
    let schema = pipeline_schema();
    let types = schema["$defs"]["type"]["enum"].as_array().unwrap();
    for action in built_in() {
        let params = &schema["$defs"][action.name]["properties"];
        for name in action.params.iter().flat_map(|param| param.names()) {
            assert!(
                params[name]["description"].is_string(),
                "{} {name}",
                action.name
            );
        }
        for name in action.names() {
            assert!(types.contains(&name.to_uppercase().into()), "{name}");
        }
    }
    let load = &schema["$defs"]["load"]["properties"];
    let chunk_size = &load["chunk_size"];
    assert_eq!(chunk_size["anyOf"][0]["minimum"], 1);
    assert_eq!(chunk_size["anyOf"][0]["maximum"], 100_000);
    assert_eq!(chunk_size["default"], 1000);
    assert_eq!(load["skip_empty"]["default"], true);
    assert_eq!(load["file_format"]["anyOf"][0]["enum"][2], "tsv");
    assert_references_lead_somewhere(&schema, &schema);
}

fn assert_references_lead_somewhere(value: &Value, schema: &Value) {
    if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(schema.pointer(pointer).is_some(), "{reference}");
    }
    match value {
        Value::Array(items) => items
            .iter()
            .for_each(|item| assert_references_lead_somewhere(item, schema)),
        Value::Object(entries) => entries
            .values()
            .for_each(|item| assert_references_lead_somewhere(item, schema)),
        _ => {}
    }
}

#[test]
fn tables_are_as_they_must_be() {
    let mut names = BTreeSet::new();
    for action in built_in() {
        for name in action.names() {
            assert!(names.insert(name), "{name} is twice");
            assert_eq!(name, name.to_lowercase());
        }
        assert!(action.summary.ends_with('.'), "{}", action.name);
        let mut params = BTreeSet::new();
        for param in action.params {
            for name in param.names() {
                assert!(params.insert(name), "{} has {name} twice", action.name);
            }
            assert!(param.doc.ends_with('.'), "{} {}", action.name, param.name);
            assert!(
                !(param.required && param.default.is_some()),
                "{}",
                param.name
            );
        }
    }
}

#[test]
fn the_examples_are_pipelines() {
    let folder = root().join("examples/pipelines");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "yaml") {
            continue;
        }
        let pipeline = Pipeline::open(&path, &Default::default(), &Actions::default());
        let pipeline = pipeline.unwrap_or_else(|error| panic!("{error}"));
        assert!(pipeline.running().count() > 1, "{}", path.display());
        count += 1;
    }
    assert!(count > 1);
}
