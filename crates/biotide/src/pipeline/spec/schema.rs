//! The JSON Schema of a pipeline's file, for editors: made from the tables of the actions.

use serde_json::{Map, Value, json};

use super::streaming::{ERROR_HANDLING, FILE_READER, FILE_READERS, MEMORY_MANAGEMENT, STREAMING};
use super::tree::Scalar;
use crate::pipeline::actions::{Action, Actions, Kind, Param};

/// Where the schema is published.
const ID: &str =
    "https://raw.githubusercontent.com/biotide/biotide/main/sql/reference/pipeline.schema.json";

/// The JSON Schema (draft 2020-12) of pipelines of the built-in actions.
pub fn pipeline_schema() -> Value {
    schema_of(&Actions::default())
}

/// The JSON Schema (draft 2020-12) of pipelines of these actions.
pub fn schema_of(actions: &Actions) -> Value {
    let mut definitions = Map::new();
    for action in actions.iter() {
        let mut params = object(action.params, action.is_open, action.summary);
        for param in action.params {
            for alias in param.aliases {
                let same = format!("#/$defs/{}/properties/{}", action.name, param.name);
                let description = format!("The same as {}.", param.name);
                params["properties"][alias] = json!({"$ref": same, "description": description});
            }
        }
        definitions.insert(action.name.to_owned(), params);
    }
    let names: Vec<String> = actions
        .iter()
        .flat_map(|action| spellings(action))
        .collect();
    definitions.insert("type".to_owned(), json!({"enum": names}));
    for key in ["type", "action"] {
        definitions.insert(format!("params_of_{key}"), params_of(actions, key));
    }
    definitions.insert("step".to_owned(), step());
    definitions.insert("placeholder".to_owned(), placeholder());
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ID,
        "title": "A pipeline of Biotide",
        "oneOf": [whole(), {"type": "array", "items": reference("step"), "minItems": 1}],
        "$defs": definitions,
    })
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/$defs/{name}")})
}

/// A value that is not known before the run.
fn placeholder() -> Value {
    json!({"type": "string", "pattern": r"\$\{.+\}", "description": "${parameters.x}, ${metadata.x}, ${env.X}, ${X:-default}"})
}

/// This, or a placeholder of it.
fn or_placeholder(schema: Value) -> Value {
    json!({"anyOf": [schema, reference("placeholder")]})
}

fn whole() -> Value {
    let text = json!({"type": "string"});
    let parameter = json!({
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": text,
            "description": text,
            "required": {"type": "boolean"},
            "type": true,
            "default": true,
        },
        "additionalProperties": false,
    });
    let mut streaming = object(STREAMING, false, "How a run goes about its work.");
    let mut readers = object(FILE_READERS, false, "How files of a format are read.");
    for reader in FILE_READERS {
        readers["properties"][reader.name] = object(FILE_READER, false, reader.doc);
    }
    streaming["properties"]["file_readers"] = readers;
    streaming["properties"]["memory_management"] = object(MEMORY_MANAGEMENT, false, "Memory.");
    streaming["properties"]["error_handling"] = object(ERROR_HANDLING, false, "Errors.");
    let properties = json!({
        "name": text,
        "description": text,
        "version": {"type": ["string", "number"]},
        "parameters": {
            "description": "Values that placeholders name, and --set key=value changes.",
            "anyOf": [
                {"type": "object"},
                {"type": "array", "items": parameter},
                {"type": "null"},
            ],
        },
        "metadata": {"description": "Whatever its author wants to say; ${metadata.x} names it."},
        "streaming": streaming,
        "mappings": {
            "description": "Names, and sources such as sssom('a.sssom.tsv'), or paths.",
            "type": "object",
            "additionalProperties": text,
        },
        "steps": {"type": "array", "items": reference("step"), "minItems": 1},
    });
    json!({
        "type": "object",
        "required": ["steps"],
        "properties": properties,
        "additionalProperties": false,
    })
}

fn step() -> Value {
    // (Null is nothing said.)
    let params = json!({"type": ["object", "null"]});
    let action = json!({
        "type": "object",
        "required": ["type"],
        "properties": {"type": reference("type"), "params": params},
        "additionalProperties": false,
        "allOf": [reference("params_of_type")],
    });
    json!({
        "type": "object",
        "oneOf": [{"required": ["action"]}, {"required": ["type"]}],
        "properties": {
            "name": {"type": "string"},
            "description": {"type": "string"},
            "condition": {
                "description": "Whether the step runs: 1 in ${parameters.stages}",
                "type": ["string", "boolean"],
            },
            "is_required": or_placeholder(json!({
                "description": "Whether the run fails if the step does.",
                "type": "boolean",
                "default": true,
            })),
            "action": {"anyOf": [action, reference("type")]},
            "type": reference("type"),
            "params": params,
        },
        "additionalProperties": false,
        "allOf": [reference("params_of_type"), reference("params_of_action")],
    })
}

/// What params are, by the name of the action that this key holds.
fn params_of(actions: &Actions, key: &str) -> Value {
    let then = |action: &Action| {
        let params = reference(action.name);
        let is_needed = action.params.iter().any(|param| param.required);
        let then = match is_needed {
            true => json!({"properties": {"params": params}, "required": ["params"]}),
            false => json!({"properties": {"params": {"anyOf": [params, {"type": "null"}]}}}),
        };
        let names: Vec<String> = spellings(action).collect();
        json!({"if": {"properties": {key: {"enum": names}}, "required": [key]}, "then": then})
    };
    json!({"allOf": actions.iter().map(|action| then(action)).collect::<Vec<_>>()})
}

/// How files write the name of an action. (A schema cannot leave the case open in a list of choices.)
fn spellings(action: &Action) -> impl Iterator<Item = String> + use<> {
    action
        .names()
        .flat_map(|name| [name.to_ascii_lowercase(), name.to_ascii_uppercase()])
}

/// A map of the parameters of a table.
fn object(table: &[Param], is_open: bool, doc: &str) -> Value {
    let mut properties = Map::new();
    for param in table {
        properties.insert(param.name.to_owned(), of_param(param));
        for alias in param.aliases {
            let mut same = of_param(param);
            same["description"] = json!(format!("The same as {}. {}", param.name, param.doc));
            properties.insert((*alias).to_owned(), same);
        }
    }
    let needed = table.iter().filter(|param| param.required).map(|param| {
        let names = param.names().map(|name| json!({"required": [name]}));
        json!({"anyOf": names.collect::<Vec<_>>()})
    });
    let mut object = json!({
        "type": "object",
        "description": doc,
        "properties": properties,
        "additionalProperties": is_open,
    });
    let needed: Vec<Value> = needed.collect();
    if !needed.is_empty() {
        object["allOf"] = json!(needed);
    }
    object
}

fn of_param(param: &Param) -> Value {
    let scalar = json!({"type": ["string", "number", "boolean"]});
    let mut schema = match param.kind {
        Kind::Text => scalar,
        Kind::Path | Kind::Sql | Kind::Column | Kind::Dataset | Kind::OutputKey => {
            json!({"type": ["string", "number", "boolean"], "minLength": 1})
        }
        Kind::Paths | Kind::Columns | Kind::Texts | Kind::Datasets => {
            let list = json!({"type": "array", "items": scalar, "minItems": param.at_least.max(1)});
            match param.at_least {
                0 | 1 => json!({"anyOf": [scalar, list]}),
                _ => or_placeholder(list),
            }
        }
        Kind::Integer { min, max } => or_placeholder(between(
            "integer",
            (min > i64::MIN).then(|| json!(min)),
            (max < i64::MAX).then(|| json!(max)),
        )),
        Kind::Number { min, max } => or_placeholder(between(
            "number",
            min.is_finite().then(|| json!(min)),
            max.is_finite().then(|| json!(max)),
        )),
        Kind::Boolean => or_placeholder(json!({"type": "boolean"})),
        Kind::OneOf(values) => or_placeholder(json!({"enum": values})),
        Kind::Map => or_placeholder(json!({"type": "object"})),
        Kind::List => {
            let mut list = json!({"type": "array"});
            if param.at_least > 0 {
                list["minItems"] = json!(param.at_least);
            }
            if !param.items.is_empty() {
                list["items"] = object(param.items, false, param.doc);
            }
            or_placeholder(list)
        }
        Kind::Rules => json!({"type": ["string", "object"]}),
    };
    schema["description"] = json!(param.doc);
    if let Some(default) = param.default {
        schema["default"] = Scalar::plain(default).to_json();
    }
    schema
}

fn between(kind: &str, min: Option<Value>, max: Option<Value>) -> Value {
    let mut schema = json!({"type": kind});
    if let Some(min) = min {
        schema["minimum"] = min;
    }
    if let Some(max) = max {
        schema["maximum"] = max;
    }
    schema
}
