//! Pipelines that are read, and those that are refused.

mod conditions;
mod errors;
mod forms;
mod hostile;
mod placeholders;
mod published;
mod values;

use std::collections::BTreeMap;

use super::{Pipeline, pipeline};
use crate::pipeline::actions::Actions;

/// The environment of tests.
pub(super) fn environment(name: &str) -> Option<String> {
    match name {
        "SITE" => Some("zurich"),
        "NUMBER" => Some("7"),
        "EMPTY" => Some(""),
        "STRANGE" => Some("${parameters.x}"),
        _ => None,
    }
    .map(str::to_owned)
}

pub(super) fn read_with(text: &str, set: &[(&str, &str)]) -> Result<Pipeline, String> {
    let overrides: BTreeMap<String, String> = set
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    let actions = Actions::default();
    pipeline::read("p.yaml", text, &overrides, &actions, &environment)
        .map_err(|error| error.to_string())
}

pub(super) fn read(text: &str) -> Pipeline {
    read_with(text, &[]).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[track_caller]
pub(super) fn error(text: &str) -> String {
    match read_with(text, &[]) {
        Ok(pipeline) => panic!("is no error: {pipeline:?}"),
        Err(error) => error,
    }
}

/// A pipeline of one step that loads, with these lines of parameters.
pub(super) fn load(params: &str) -> String {
    let params = params.replace('\n', "\n      ");
    format!(
        "steps:\n- action:\n    type: load\n    params:\n      file_path: a.tsv\n      {params}\n"
    )
}
