//! What one step does to a value.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, TimeUnit};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::execution::SessionState;
use datafusion::functions::expr_fn as f;
use datafusion::functions_nested::expr_fn as lists;
use datafusion::logical_expr::expr::LambdaVariable;
use datafusion::logical_expr::{Case, Expr, cast, lambda, lit, try_cast, when};
use regex::Regex;
use serde::Deserialize;
use serde_json::Value;

use super::condition::{self, Row, column};
use super::rules::OnError;
use crate::error::Result;

/// What a step can be given.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Params {
    pattern: Option<String>,
    replacement: Option<String>,
    separator: Option<String>,
    characters: Option<String>,
    group: Option<Value>,
    mapping: Option<BTreeMap<String, Value>>,
    strict: Option<bool>,
    default: Option<Value>,
    fields: Option<Vec<String>>,
    target_type: Option<String>,
    template: Option<String>,
    namespace: Option<String>,
    values: Option<Vec<Value>>,
    min: Option<f64>,
    max: Option<f64>,
    min_length: Option<i64>,
    max_length: Option<i64>,
    decimal_places: Option<u32>,
    expression: Option<String>,
}

/// A step: what it does, where, and what becomes of values that it cannot take.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) name: String,
    pub(super) line: u64,
    pub(super) condition: Option<String>,
    pub(super) on_error: OnError,
    /// What takes the place of such a value with `on_error: default`.
    pub(super) default: Option<Value>,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Uppercase,
    Lowercase,
    Strip(String),
    Replace(String, String),
    RegexReplace(String, String),
    Split(String),
    Join(String),
    Extract(String, usize),
    Map(BTreeMap<String, Value>, bool),
    Coalesce(Vec<String>, Option<Value>),
    Default(Value),
    Cast(Target),
    Format(Vec<Piece>),
    Validate(Box<Valid>),
    Sql(String),
}

#[derive(Debug, Clone)]
enum Target {
    Type(DataType),
    List,
}

/// A part of a template.
#[derive(Debug, Clone)]
enum Piece {
    Text(String),
    Name(String),
}

/// What is asked of a valid value.
#[derive(Debug, Clone, Default)]
struct Valid {
    pattern: Option<String>,
    namespace: Option<String>,
    values: Option<Vec<Value>>,
    range: (Option<f64>, Option<f64>),
    length: (Option<i64>, Option<i64>),
}

/// What a step makes of a value.
pub(super) struct Applied {
    pub(super) value: Expr,
    /// Whether it could not take it; `None` is never.
    pub(super) failed: Option<Expr>,
}

impl From<Expr> for Applied {
    fn from(value: Expr) -> Self {
        Self {
            value,
            failed: None,
        }
    }
}

/// Blanks as people paste them.
const BLANKS: &str = " \t\r\n\u{b}\u{c}\u{85}\u{a0}\u{1680}\u{2000}\u{2001}\u{2002}\u{2003}\u{2004}\u{2005}\u{2006}\
                      \u{2007}\u{2008}\u{2009}\u{200a}\u{200b}\u{2028}\u{2029}\u{202f}\u{205f}\u{3000}\u{feff}";

const KINDS: &str = "uppercase, lowercase, strip, replace, regex_replace, split, join, extract, map, coalesce, \
                     default, cast, format, validate, sql";

impl Step {
    /// An error is what is wrong with it.
    pub(super) fn new(
        name: &str,
        mut params: Params,
        condition: Option<String>,
        on_error: OnError,
        line: u64,
    ) -> Result<Self, String> {
        let default = params.default.take();
        let kind = Kind::new(name, &mut params, default.as_ref())?;
        if let Some(left) = params.left() {
            return Err(format!("{name} takes no {left}"));
        }
        let takes_default = matches!(kind, Kind::Coalesce(..) | Kind::Default(_));
        if default.is_some() && !takes_default && on_error != OnError::Default {
            return Err(format!(
                "{name} takes a default only with on_error: default"
            ));
        }
        Ok(Self {
            name: name.to_owned(),
            line,
            condition,
            on_error,
            default,
            kind,
        })
    }

    /// What becomes of a value of this type.
    pub(super) fn apply(
        &self,
        value: Expr,
        of: &DataType,
        row: Row<'_>,
        schema: &DFSchema,
        state: &SessionState,
    ) -> Result<Result<Applied, String>> {
        if let Kind::Sql(sql) = &self.kind {
            return Ok(Ok(condition::parse(sql, row, schema, state)?.into()));
        }
        Ok(self.kind.apply(value, of, row, state))
    }
}

impl Params {
    /// The name of one that is left.
    fn left(&self) -> Option<&'static str> {
        [
            (self.pattern.is_some(), "pattern"),
            (self.replacement.is_some(), "replacement"),
            (self.separator.is_some(), "separator"),
            (self.characters.is_some(), "characters"),
            (self.group.is_some(), "group"),
            (self.mapping.is_some(), "mapping"),
            (self.strict.is_some(), "strict"),
            (self.fields.is_some(), "fields"),
            (self.target_type.is_some(), "target_type"),
            (self.template.is_some(), "template"),
            (self.namespace.is_some(), "namespace"),
            (self.values.is_some(), "values"),
            (self.min.is_some(), "min"),
            (self.max.is_some(), "max"),
            (self.min_length.is_some(), "min_length"),
            (self.max_length.is_some(), "max_length"),
            (self.decimal_places.is_some(), "decimal_places"),
            (self.expression.is_some(), "expression"),
        ]
        .into_iter()
        .find_map(|(is_left, name)| is_left.then_some(name))
    }
}

/// A pattern that can be compiled, as it was.
fn checked(pattern: String) -> Result<String, String> {
    match Regex::new(&pattern) {
        Ok(_) => Ok(pattern),
        Err(error) => Err(format!(
            "{error}; write a regular expression of the crate regex (no look-around, no backreferences)"
        )),
    }
}

impl Kind {
    fn new(name: &str, params: &mut Params, default: Option<&Value>) -> Result<Self, String> {
        let missing = |param: &str| format!("{name} needs params: {{{param}: …}}");
        let need = |param: Option<String>, which: &str| param.ok_or_else(|| missing(which));
        Ok(match name {
            "uppercase" => Self::Uppercase,
            "lowercase" => Self::Lowercase,
            "strip" => Self::Strip(
                params
                    .characters
                    .take()
                    .unwrap_or_else(|| BLANKS.to_owned()),
            ),
            "replace" => Self::Replace(
                need(params.pattern.take(), "pattern")?,
                need(params.replacement.take(), "replacement")?,
            ),
            "regex_replace" => Self::RegexReplace(
                checked(need(params.pattern.take(), "pattern")?)?,
                need(params.replacement.take(), "replacement")?,
            ),
            "split" => Self::Split(need(params.separator.take(), "separator")?),
            "join" => Self::Join(need(params.separator.take(), "separator")?),
            "extract" => {
                let pattern = checked(need(params.pattern.take(), "pattern")?)?;
                let group = group(&pattern, params.group.take())?;
                Self::Extract(pattern, group)
            }
            "map" => Self::Map(
                params.mapping.take().ok_or_else(|| missing("mapping"))?,
                params.strict.take().unwrap_or(false),
            ),
            "coalesce" => {
                let fields = params.fields.take().unwrap_or_default();
                if fields.is_empty() && default.is_none() {
                    return Err(missing("fields or default"));
                }
                Self::Coalesce(fields, default.cloned())
            }
            "default" => Self::Default(default.cloned().ok_or_else(|| missing("default"))?),
            "cast" => Self::Cast(target(&need(params.target_type.take(), "target_type")?)?),
            "format" => Self::Format(pieces(&need(params.template.take(), "template")?)?),
            "validate" => Self::Validate(Box::new(Valid::new(params)?)),
            "sql" => Self::Sql(need(params.expression.take(), "expression")?),
            other => {
                return Err(format!(
                    "\"{other}\" is no transformation: there are {KINDS}"
                ));
            }
        })
    }

    fn apply(
        &self,
        value: Expr,
        of: &DataType,
        row: Row<'_>,
        state: &SessionState,
    ) -> Result<Applied, String> {
        Ok(match self {
            Self::Uppercase => each_text(value, of, f::upper).into(),
            Self::Lowercase => each_text(value, of, f::lower).into(),
            Self::Strip(characters) => each_text(value, of, |text| {
                f::btrim(vec![text, lit(characters.as_str())])
            })
            .into(),
            Self::Replace(pattern, replacement) => each_text(value, of, |text| {
                f::replace(text, lit(pattern.as_str()), lit(replacement.as_str()))
            })
            .into(),
            Self::RegexReplace(pattern, replacement) => each_text(value, of, |text| {
                let (pattern, replacement) = (lit(pattern.as_str()), lit(replacement.as_str()));
                f::regexp_replace(text, pattern, replacement, Some(lit("g")))
            })
            .into(),
            Self::Split(_) if is_list(of) => value.into(),
            Self::Split(separator) => {
                lists::string_to_array(text(value, of), lit(separator.as_str()), null_text()).into()
            }
            Self::Join(separator) if is_list(of) => {
                lists::array_to_string(value, lit(separator.as_str())).into()
            }
            Self::Join(_) => value.into(),
            Self::Extract(pattern, group) => {
                let all = format!("({pattern})");
                let found = each_text(value.clone(), of, |text| {
                    let groups = f::regexp_match(text, lit(all.as_str()), None);
                    lists::array_element(groups, lit(*group as i64 + 1))
                });
                let failed = match is_list(of) {
                    true => None,
                    false => Some(unlike(text(value, of), pattern)),
                };
                Applied {
                    value: found,
                    failed,
                }
            }
            Self::Map(mapping, strict) => {
                let mapped = each_text(value.clone(), of, |text| mapped(text, mapping));
                let keys = mapping.keys().map(|key| lit(key.as_str())).collect();
                let failed = match (strict, is_list(of)) {
                    (true, true) => return Err(no_list("map with strict: true")),
                    (true, false) => {
                        let known = text(value.clone(), of).in_list(keys, true);
                        Some(value.is_not_null().and(known))
                    }
                    (false, _) => None,
                };
                Applied {
                    value: mapped,
                    failed,
                }
            }
            Self::Coalesce(fields, default) => {
                let mut others = Vec::new();
                for name in fields {
                    let found = condition::find(row.columns, name);
                    let problem = || format!("coalesce: there is no column {name}");
                    others.push(text(column(found.ok_or_else(problem)?), &DataType::Null));
                }
                let value = match is_list(of) {
                    true => return Err(no_list("coalesce")),
                    false => text(value, of),
                };
                others.extend(default.as_ref().map(literal_text));
                // (An empty text is as good as none.)
                let given = |value: Expr| f::nullif(value, lit(""));
                let mut all = vec![given(value)];
                all.extend(others.into_iter().map(given));
                f::coalesce(all).into()
            }
            Self::Default(default) => {
                let default = match is_list(of) {
                    true => literal(default),
                    false => cast(literal(default), plain(of)),
                };
                f::coalesce(vec![value, default]).into()
            }
            Self::Cast(Target::List) => match is_list(of) {
                true => value.into(),
                false => {
                    let list = lists::make_array(vec![value.clone()]);
                    keep_null(value, list)?.into()
                }
            },
            Self::Cast(Target::Type(_)) if is_list(of) => return Err(no_list("cast")),
            Self::Cast(Target::Type(target)) => {
                let written = match of.is_string() || of.is_null() {
                    true => f::btrim(vec![text(value.clone(), of), lit(BLANKS)]),
                    false => value.clone(),
                };
                let new = try_cast(written, target.clone());
                let failed = value.is_not_null().and(new.clone().is_null());
                Applied {
                    value: new,
                    failed: Some(failed),
                }
            }
            Self::Format(_) if is_list(of) => return Err(no_list("format")),
            Self::Format(pieces) => {
                let mut parts = Vec::new();
                for piece in pieces {
                    parts.push(match piece {
                        Piece::Text(text) => lit(text.as_str()),
                        Piece::Name(name) if name == "value" => text(value.clone(), of),
                        Piece::Name(name) => {
                            let found = condition::find(row.columns, name);
                            let problem = || format!("format: there is no column {name}");
                            text(column(found.ok_or_else(problem)?), &DataType::Null)
                        }
                    });
                }
                keep_null(value, f::concat(parts))?.into()
            }
            Self::Validate(_) if is_list(of) => return Err(no_list("validate")),
            Self::Validate(valid) => {
                let is_valid = valid.holds(&value, of, state)?;
                let not = f::coalesce(vec![is_valid, lit(false)]).is_false();
                let failed = value.clone().is_not_null().and(not);
                let kept = when(failed.clone(), cast(lit(ScalarValue::Null), of.clone()))
                    .otherwise(value)
                    .map_err(|error| error.strip_backtrace())?;
                Applied {
                    value: kept,
                    failed: Some(failed),
                }
            }
            // (With the row's names, by `Step::apply`.)
            Self::Sql(_) => value.into(),
        })
    }
}

impl Valid {
    fn new(params: &mut Params) -> Result<Self, String> {
        let mut pattern = params.pattern.take().map(checked).transpose()?;
        if let Some(places) = params.decimal_places.take() {
            if pattern.is_some() {
                return Err("validate takes a pattern or decimal_places".to_owned());
            }
            pattern = Some(match places {
                0 => r"[+-]?\d+".to_owned(),
                places => format!(r"[+-]?\d+(\.\d{{1,{places}}})?"),
            });
        }
        let valid = Self {
            pattern,
            namespace: params.namespace.take(),
            values: params.values.take(),
            range: (params.min.take(), params.max.take()),
            length: (params.min_length.take(), params.max_length.take()),
        };
        let asks = valid.pattern.is_some() || valid.namespace.is_some() || valid.values.is_some();
        match asks || valid.range != (None, None) || valid.length != (None, None) {
            true => Ok(valid),
            false => Err("validate needs params: pattern, namespace, values, min, max, min_length, max_length or \
                          decimal_places"
                .to_owned()),
        }
    }

    fn holds(&self, value: &Expr, of: &DataType, state: &SessionState) -> Result<Expr, String> {
        let written = text(value.clone(), of);
        let mut asked = Vec::new();
        if let Some(pattern) = &self.pattern {
            asked.push(unlike(written.clone(), &format!(r"\A(?:{pattern})\z")).is_not_true());
        }
        if let Some(namespace) = &self.namespace {
            let function = state.scalar_functions().get("id_is_valid");
            let function = function.ok_or("validate: this session has no function id_is_valid")?;
            let id = f::btrim(vec![written.clone(), lit(BLANKS)]);
            asked.push(function.call(vec![lit(namespace.as_str()), id, lit("checksum")]));
        }
        if let Some(values) = &self.values {
            let values = values.iter().map(literal_text).collect();
            asked.push(written.clone().in_list(values, false));
        }
        let number = || try_cast(written.clone(), DataType::Float64);
        let length = || cast(f::character_length(written.clone()), DataType::Int64);
        asked.extend(self.range.0.map(|min| number().gt_eq(lit(min))));
        asked.extend(self.range.1.map(|max| number().lt_eq(lit(max))));
        asked.extend(self.length.0.map(|min| length().gt_eq(lit(min))));
        asked.extend(self.length.1.map(|max| length().lt_eq(lit(max))));
        Ok(asked
            .into_iter()
            .reduce(Expr::and)
            .unwrap_or_else(|| lit(true)))
    }
}

fn no_list(what: &str) -> String {
    format!("{what} takes a text, and here is a list: put it before split, or after join")
}

/// The group of a pattern: by number, 0 is the whole match, or by name. The first one, if none is said.
fn group(pattern: &str, group: Option<Value>) -> Result<usize, String> {
    let regex = Regex::new(pattern).map_err(|error| error.to_string())?;
    let groups = regex.captures_len();
    let number = match &group {
        None => Some(usize::from(groups > 1)),
        Some(Value::String(name)) => regex.capture_names().position(|known| known == Some(name)),
        Some(number) => number
            .as_u64()
            .and_then(|number| usize::try_from(number).ok()),
    };
    number.filter(|&number| number < groups).ok_or_else(|| {
        let group = group.unwrap_or_default();
        format!(
            "the pattern has no group {group}: it has {} and the whole match, 0",
            groups - 1
        )
    })
}

fn target(name: &str) -> Result<Target, String> {
    Ok(Target::Type(match name {
        "int" | "integer" => DataType::Int64,
        "float" | "double" => DataType::Float64,
        "str" | "string" | "text" => DataType::Utf8,
        "bool" | "boolean" => DataType::Boolean,
        "date" => DataType::Date32,
        "timestamp" => DataType::Timestamp(TimeUnit::Microsecond, None),
        "list" => return Ok(Target::List),
        other => {
            return Err(format!(
                "\"{other}\" is no target_type: there are int, float, str, bool, date, timestamp, list"
            ));
        }
    }))
}

/// The pieces of `HMDB{value}`; `{{` and `}}` are braces.
fn pieces(template: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut written = String::new();
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, after) = rest.split_at(at);
        written.push_str(before);
        let brace = &after[..1];
        rest = &after[1..];
        if let Some(more) = rest.strip_prefix(brace) {
            written.push_str(brace);
            rest = more;
            continue;
        }
        let name = (brace == "{").then(|| rest.split_once('}')).flatten();
        let Some((name, more)) = name else {
            return Err(format!(
                "\"{template}\" has a brace that is not closed, or opened: {{{{ is one"
            ));
        };
        pieces.push(Piece::Text(std::mem::take(&mut written)));
        pieces.push(Piece::Name(name.trim().to_owned()));
        rest = more;
    }
    written.push_str(rest);
    pieces.push(Piece::Text(written));
    Ok(pieces)
}

fn is_list(of: &DataType) -> bool {
    matches!(of, DataType::List(_) | DataType::LargeList(_))
}

/// The type without a dictionary; text of nothing.
fn plain(of: &DataType) -> DataType {
    match of {
        DataType::Dictionary(_, values) => (**values).clone(),
        DataType::Null => DataType::Utf8,
        of => of.clone(),
    }
}

fn null_text() -> Expr {
    lit(ScalarValue::Utf8(None))
}

/// A value as text.
fn text(value: Expr, of: &DataType) -> Expr {
    match of.is_string() {
        true => value,
        false => cast(value, DataType::Utf8),
    }
}

/// The same of a text, or of each text of a list.
fn each_text(value: Expr, of: &DataType, change: impl Fn(Expr) -> Expr) -> Expr {
    let item = match of {
        DataType::List(item) | DataType::LargeList(item) => item,
        _ => return change(text(value, of)),
    };
    let field = Arc::new(Field::new("item", item.data_type().clone(), true));
    let variable = Expr::LambdaVariable(LambdaVariable::new("item".to_owned(), Some(field)));
    let changed = change(text(variable, item.data_type()));
    lists::array_transform(value, lambda(["item"], changed))
}

/// NULL of NULL.
fn keep_null(value: Expr, new: Expr) -> Result<Expr, String> {
    when(value.is_not_null(), new)
        .end()
        .map_err(|error| error.strip_backtrace())
}

/// Whether a text is there and does not match.
fn unlike(text: Expr, pattern: &str) -> Expr {
    f::regexp_like(text, lit(pattern), None).is_false()
}

fn mapped(text: Expr, mapping: &BTreeMap<String, Value>) -> Expr {
    let literal = |value: &Value| Box::new(literal_text(value));
    let pairs = mapping
        .iter()
        .map(|(key, value)| (Box::new(lit(key.as_str())), literal(value)));
    Expr::Case(Case::new(
        Some(Box::new(text.clone())),
        pairs.collect(),
        Some(Box::new(text)),
    ))
}

/// A value of YAML as text.
fn literal_text(value: &Value) -> Expr {
    match value {
        Value::Null => null_text(),
        Value::String(text) => lit(text.as_str()),
        other => lit(other.to_string()),
    }
}

/// A value of YAML as what it is.
pub(super) fn literal(value: &Value) -> Expr {
    match value {
        Value::Null => lit(ScalarValue::Null),
        Value::Bool(flag) => lit(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => lit(whole),
            None => lit(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => lit(text.as_str()),
        Value::Array(items) => lists::make_array(items.iter().map(literal).collect()),
        Value::Object(_) => lit(value.to_string()),
    }
}
