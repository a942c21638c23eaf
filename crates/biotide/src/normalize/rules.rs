//! What a file of rules can say.

use std::fmt;
use std::path::Path;

use biotide_common::BiotideError;
use biotide_common::nearest::did_you_mean;
use biotide_common::yaml::{self, Location, Spanned, at};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::built_in;
use super::params::Params;
use super::step::Step;
use crate::error::Result;

/// Rules for the columns of a table.
#[derive(Debug)]
pub struct Rules {
    /// Where they are from: a path, or a name.
    pub(super) file: String,
    pub(super) keeps_unmapped: bool,
    /// A column that tells what failed.
    pub(super) problems: Option<Spanned<String>>,
    /// Steps of every text column, which come first.
    pub(super) global: Vec<Step>,
    pub(super) fields: Vec<Field>,
}

/// The rule of a field.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) place: Location,
    /// `None` is made of other columns.
    pub(super) source: Option<Spanned<String>>,
    pub(super) target: String,
    /// `Some(true)`: NULL is an error; `Some(false)`: the column may be missing.
    pub(super) required: Option<bool>,
    pub(super) on_error: OnError,
    pub(super) default: Option<String>,
    pub(super) steps: Vec<Step>,
}

/// What becomes of a value that a step cannot take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum OnError {
    /// The step is skipped; what is not valid, or not of the type, is NULL then.
    #[default]
    Skip,
    /// The default takes its place.
    Default,
    /// The query fails.
    Raise,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Unmapped {
    #[default]
    Keep,
    Drop,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, rename = "name")]
    _name: Option<String>,
    #[serde(default, rename = "version")]
    _version: Option<Value>,
    #[serde(default, rename = "description")]
    _description: Option<String>,
    #[serde(default, rename = "metadata")]
    _metadata: Option<Value>,
    #[serde(default)]
    unmapped: Unmapped,
    problems: Option<Spanned<String>>,
    global_transformations: Option<Vec<Spanned<Transformation>>>,
    field_rules: Option<Vec<Spanned<FieldRule>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldRule {
    source_field: Option<Spanned<String>>,
    target_field: Option<String>,
    required: Option<bool>,
    on_error: Option<OnError>,
    default: Option<String>,
    transformations: Option<Vec<Spanned<Transformation>>>,
}

/// A step: its name, or all of it.
#[derive(Debug)]
struct Transformation(Full);

impl<'de> Deserialize<'de> for Transformation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NameOrFull).map(Self)
    }
}

struct NameOrFull;

impl<'de> Visitor<'de> for NameOrFull {
    type Value = Full;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a transformation, or {type: …, params: …}")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Full, E> {
        Ok(Full {
            r#type: name.to_owned(),
            ..Full::default()
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Full, A::Error> {
        Full::deserialize(MapAccessDeserializer::new(map))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Full {
    r#type: String,
    #[serde(default)]
    params: Params,
    condition: Option<String>,
    #[serde(default)]
    on_error: OnError,
}

impl Rules {
    /// The rules of a file, or built-in ones by their name.
    pub fn open(file: &str) -> Result<Self> {
        if !Path::new(file).is_file()
            && let Some(text) = built_in::find(file)
        {
            return Self::parse(text, file);
        }
        let text = std::fs::read_to_string(file).map_err(|error| {
            if error.kind() != std::io::ErrorKind::NotFound {
                return BiotideError::io(format!("reading the rules {file}"), error);
            }
            let hint = did_you_mean(file, built_in::names());
            let problem =
                format!("there is no such file, and no built-in rules of this name; {hint}");
            BiotideError::file(file, problem)
        })?;
        Self::parse(&text, file)
    }

    /// Whether columns without a rule stay.
    pub fn keep_unmapped(&mut self, keep: bool) {
        self.keeps_unmapped = keep;
    }

    /// Rules of a text; `file` is what errors call it.
    pub fn parse(yaml: &str, file: &str) -> Result<Self> {
        read(yaml, file).map_err(|problem| BiotideError::file(file, problem).into())
    }
}

fn read(yaml: &str, file: &str) -> Result<Rules, String> {
    let read: File = yaml::read(yaml)?;
    let global = read.global_transformations.unwrap_or_default();
    let mut fields: Vec<Field> = Vec::new();
    for rule in read.field_rules.unwrap_or_default() {
        let place = rule.referenced;
        let rule = rule.value;
        let source = rule.source_field.as_ref().map(|source| &source.value);
        let target = rule.target_field.or_else(|| source.cloned());
        let Some(target) = target else {
            return Err(at(
                &place,
                "the rule names no source_field, and no target_field",
            ));
        };
        if target.trim().is_empty() {
            return Err(at(&place, "the target has no name"));
        }
        if fields.iter().any(|field| field.target == target) {
            return Err(at(&place, format!("two rules have the target {target}")));
        }
        fields.push(Field {
            place,
            source: rule.source_field,
            target,
            required: rule.required,
            on_error: rule.on_error.unwrap_or(OnError::Raise),
            default: rule.default,
            steps: steps(rule.transformations.unwrap_or_default())?,
        });
    }
    if let Some(name) = read
        .problems
        .as_ref()
        .filter(|name| name.value.trim().is_empty())
    {
        return Err(at(&name.referenced, "problems names a column"));
    }
    if fields.is_empty() && read.unmapped == Unmapped::Drop {
        return Err("line 1: unmapped: drop without field_rules leaves no column".to_owned());
    }
    if fields.is_empty() && global.is_empty() {
        return Err("line 1: there are no field_rules, and no global_transformations".to_owned());
    }
    Ok(Rules {
        file: file.to_owned(),
        keeps_unmapped: read.unmapped == Unmapped::Keep,
        problems: read.problems,
        global: steps(global)?,
        fields,
    })
}

fn steps(transformations: Vec<Spanned<Transformation>>) -> Result<Vec<Step>, String> {
    let step = |transformation: Spanned<Transformation>| {
        let place = transformation.referenced;
        let Transformation(full) = transformation.value;
        Step::new(
            &full.r#type,
            full.params,
            full.condition,
            full.on_error,
            place,
        )
        .map_err(|problem| at(&place, problem))
    };
    transformations.into_iter().map(step).collect()
}
