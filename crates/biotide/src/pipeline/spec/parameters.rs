//! `parameters:` a map of names to values, or a list of declarations.

use std::collections::BTreeMap;
use std::sync::Arc;

use biotide_common::BiotideError;
use biotide_common::options::BiotideOptions;

use super::fields;
use super::nearest::{list, nearest};
use super::place::{Place, shortened};
use super::placeholders::{Environment, Scope};
use super::tree::{Entry, Node, Scalar, Tree};
use super::yaml;

/// A parameter of a pipeline: `--set name=value` says another value than the file's.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Whether it must have a value.
    pub required: bool,
    /// The file's value.
    pub default: Option<Tree>,
    /// What it is for.
    pub description: Option<String>,
    /// What it is now; null if nobody says.
    pub value: Tree,
    /// Where it is declared.
    pub place: Place,
}

const KEYS: [&str; 5] = ["name", "required", "default", "description", "type"];

/// The parameters of a file, with the values of the command line.
pub(super) fn read(
    file: &Arc<str>,
    tree: Option<&Tree>,
    overrides: &BTreeMap<String, String>,
) -> Result<Vec<Parameter>, BiotideError> {
    let mut parameters: Vec<Parameter> = Vec::new();
    for parameter in tree.map(declared).transpose()?.unwrap_or_default() {
        let same = parameters.iter().find(|known| known.name == parameter.name);
        if let Some(same) = same {
            let (name, line) = (&parameter.name, same.place.short());
            let problem = format!("the parameter '{name}' is there twice, the first on {line}");
            return Err(parameter.place.error(problem));
        }
        parameters.push(parameter);
    }
    for (key, text) in overrides {
        let name = key.strip_prefix("parameters.").unwrap_or(key);
        let said = format!("--set {key}={text}");
        let said = Place::new(&Arc::from(shortened(&said, 80)), 0, 0);
        let hint = unknown(name, &parameters);
        let parameter = parameters.iter_mut().find(|known| known.name == name);
        let Some(parameter) = parameter else {
            let problem = format!(
                "{file} has no parameter '{name}', and there is no option of this name; {hint}"
            );
            return Err(said.error(problem));
        };
        parameter.value = value_of(text, said)?;
    }
    for parameter in &parameters {
        if parameter.required && parameter.value.is_null() {
            let name = &parameter.name;
            let problem = format!("the parameter '{name}' has no value: --set {name}=… gives one");
            return Err(parameter.place.error(problem));
        }
    }
    Ok(parameters)
}

/// What may have been meant by what is no parameter: one that is, or an option.
fn unknown(name: &str, parameters: &[Parameter]) -> String {
    let known = parameters.iter().map(|known| known.name.as_str());
    let options = BiotideOptions::INFO.iter().map(|info| info.name);
    let near = nearest(name, known.clone()).or_else(|| nearest(name, options));
    match near {
        Some(near) => format!("did you mean '{near}'?"),
        None if parameters.is_empty() => "it has no parameters".to_owned(),
        None => format!("its parameters are {}", list(known)),
    }
}

/// The values with the placeholders in them filled in.
pub(super) fn resolve(
    parameters: Vec<Parameter>,
    metadata: &Tree,
    environment: Environment<'_>,
) -> Result<Vec<Parameter>, BiotideError> {
    let scope = Scope::new(&parameters, metadata, environment);
    let values = parameters
        .iter()
        .map(|parameter| scope.resolve(&parameter.value));
    let values: Vec<Tree> = values.collect::<Result<_, _>>()?;
    let with = |(parameter, value)| Parameter { value, ..parameter };
    Ok(parameters.into_iter().zip(values).map(with).collect())
}

fn declared(tree: &Tree) -> Result<Vec<Parameter>, BiotideError> {
    match &tree.node {
        Node::Null => Ok(Vec::new()),
        Node::Map(entries) => entries.iter().map(of_entry).collect(),
        Node::List(items) => items.iter().map(of_item).collect(),
        Node::Scalar(_) => {
            let problem = format!(
                "parameters are a map, or a list of {{name, default, …}}, not {}",
                tree.describe()
            );
            Err(tree.place.error(problem))
        }
    }
}

/// `name: value`, or `name: {default: value, required: true}`.
fn of_entry(entry: &Entry) -> Result<Parameter, BiotideError> {
    let keys = entry.value.as_map().unwrap_or_default();
    let has = |key: &str| keys.iter().any(|entry| entry.key.value == key);
    let is_declaration = (has("default") || has("required"))
        && keys
            .iter()
            .all(|entry| KEYS[1..].contains(&&*entry.key.value));
    let name = entry.key.value.clone();
    let place = entry.key.place.clone();
    match is_declaration {
        true => declaration(name, place, &entry.value),
        false => Ok(Parameter {
            name,
            required: false,
            default: Some(entry.value.clone()),
            description: None,
            value: entry.value.clone(),
            place,
        }),
    }
}

fn of_item(item: &Tree) -> Result<Parameter, BiotideError> {
    fields::entries(item, "a parameter", &KEYS)?;
    match fields::text(item.get("name"), "name")? {
        Some(name) => declaration(name.value, name.place, item),
        None => Err(item.place.error("the parameter has no name")),
    }
}

fn declaration(name: String, place: Place, tree: &Tree) -> Result<Parameter, BiotideError> {
    let default = tree.get("default").cloned();
    let value = default.clone().unwrap_or_else(|| Tree {
        place: place.clone(),
        node: Node::Null,
    });
    Ok(Parameter {
        name,
        required: fields::boolean(tree.get("required"), "required")?.unwrap_or(false),
        description: fields::text(tree.get("description"), "description")?.map(|text| text.value),
        default,
        value,
        place,
    })
}

/// A value of the command line: a list if it begins as one, else a scalar as YAML has it without quotes.
fn value_of(text: &str, place: Place) -> Result<Tree, BiotideError> {
    match text.trim_start().starts_with('[') {
        true => yaml::read(&place.file, text).map(|tree| Tree { place, ..tree }),
        false => Ok(Tree::scalar(place, Scalar::plain(text))),
    }
}
