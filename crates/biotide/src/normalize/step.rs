//! What one step does to a value.

use std::collections::BTreeMap;
use std::sync::Arc;

use biotide_common::nearest::suggested;
use biotide_common::yaml::Location;
use datafusion::arrow::compute::can_cast_types;
use datafusion::arrow::datatypes::{DataType, Field, TimeUnit};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::execution::SessionState;
use datafusion::functions::expr_fn as f;
use datafusion::functions_nested::expr_fn as lists;
use datafusion::logical_expr::expr::LambdaVariable;
use datafusion::logical_expr::{Case, Expr, cast, lambda, lit, try_cast, when};
use regex::Regex;

use super::condition::{self, Row, column};
use super::extract::group_of;
use super::params::Params;
use super::pattern::{checked, compiled, group, replacement};
use super::rules::OnError;
use super::valid::Valid;
use crate::error::Result;

/// A step: what it does, where, and what becomes of values that it cannot take.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) name: String,
    pub(super) place: Location,
    pub(super) condition: Option<String>,
    pub(super) on_error: OnError,
    /// What takes the place of such a value with `on_error: default`.
    pub(super) default: Option<String>,
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
    Extract(Regex, usize),
    Map(BTreeMap<String, Option<String>>, bool),
    Coalesce(Vec<String>, Option<String>),
    Default(String),
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

const KINDS: [&str; 15] = [
    "uppercase",
    "lowercase",
    "strip",
    "replace",
    "regex_replace",
    "split",
    "join",
    "extract",
    "map",
    "coalesce",
    "default",
    "cast",
    "format",
    "validate",
    "sql",
];

impl Step {
    /// Whether it makes values of another type.
    pub(super) fn is_cast(&self) -> bool {
        matches!(self.kind, Kind::Cast(Target::Type(_)))
    }

    /// An error is what is wrong with it.
    pub(super) fn new(
        name: &str,
        mut params: Params,
        condition: Option<String>,
        on_error: OnError,
        place: Location,
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
            place,
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
            let expr = condition::parse(sql, row, schema, state)?;
            return Ok(condition::checked(sql, expr).map(Into::into));
        }
        if matches!(self.kind, Kind::Extract(..)) && is_list(of) && self.on_error != OnError::Skip {
            return Ok(Err(no_list("extract with an on_error other than skip")));
        }
        Ok(self.kind.apply(value, of, row, state))
    }
}

impl Kind {
    fn new(name: &str, params: &mut Params, default: Option<&String>) -> Result<Self, String> {
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
            "regex_replace" => {
                let pattern = checked(need(params.pattern.take(), "pattern")?)?;
                let written = need(params.replacement.take(), "replacement")?;
                let replacement = replacement(&compiled(&pattern)?, &written)?;
                Self::RegexReplace(pattern, replacement)
            }
            "split" => Self::Split(need(params.separator.take(), "separator")?),
            "join" => Self::Join(need(params.separator.take(), "separator")?),
            "extract" => {
                let pattern = compiled(&need(params.pattern.take(), "pattern")?)?;
                let group = group(&pattern, params.group.take())?;
                Self::Extract(pattern, group)
            }
            "map" => Self::Map(
                params
                    .mapping
                    .take()
                    .filter(|mapping| !mapping.is_empty())
                    .ok_or_else(|| missing("mapping"))?,
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
                let kinds = suggested(other, KINDS);
                return Err(format!("\"{other}\" is no transformation: {kinds}"));
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
            Self::Uppercase => each_text(value, of, f::upper)?.into(),
            Self::Lowercase => each_text(value, of, f::lower)?.into(),
            Self::Strip(characters) => each_text(value, of, |text| {
                f::btrim(vec![text, lit(characters.as_str())])
            })?
            .into(),
            Self::Replace(pattern, replacement) => each_text(value, of, |text| {
                f::replace(text, lit(pattern.as_str()), lit(replacement.as_str()))
            })?
            .into(),
            Self::RegexReplace(pattern, replacement) => each_text(value, of, |text| {
                let (pattern, replacement) = (lit(pattern.as_str()), lit(replacement.as_str()));
                f::regexp_replace(text, pattern, replacement, Some(lit("g")))
            })?
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
                let found = each_text(value.clone(), of, |text| group_of(text, pattern, *group))?;
                let failed = value.is_not_null().and(found.clone().is_null());
                Applied {
                    value: found,
                    failed: (!is_list(of)).then_some(failed),
                }
            }
            Self::Map(mapping, strict) => {
                let mapped = each_text(value.clone(), of, |text| mapped(text, mapping))?;
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
                    let found = row.inner(name);
                    let problem = || format!("coalesce: there is no column {name}");
                    others.push(text(column(found.ok_or_else(problem)?), &DataType::Null));
                }
                let value = match is_list(of) {
                    true => return Err(no_list("coalesce")),
                    false => text(value, of),
                };
                others.extend(default.as_ref().map(|text| lit(text.as_str())));
                // (An empty text is as good as none.)
                let given = |value: Expr| f::nullif(value, lit(""));
                let mut all = vec![given(value)];
                all.extend(others.into_iter().map(given));
                f::coalesce(all).into()
            }
            Self::Default(_) if is_list(of) => return Err(no_list("default")),
            Self::Default(default) => {
                f::coalesce(vec![value, literal(default, &plain(of))?]).into()
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
                // Numbers go by their text, so that a column means the same whatever was found of its type.
                let plain =
                    of.is_string() || of.is_null() || of.is_numeric() || of == &DataType::Boolean;
                let written = match plain {
                    true => f::btrim(vec![text(value.clone(), of), lit(BLANKS)]),
                    false => value.clone(),
                };
                if !plain && !can_cast_types(of, target) {
                    return Err(format!("cast: {of} cannot be {target}"));
                }
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
                            let found = row.inner(name);
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

fn no_list(what: &str) -> String {
    format!("{what} takes a text, and here is a list: put it before split, or after join")
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

/// A value as text: of 1.0, 1, as whole numbers are written.
fn text(value: Expr, of: &DataType) -> Expr {
    match of.is_string() {
        true => value,
        false if of.is_floating() => {
            let text = cast(value, DataType::Utf8);
            f::regexp_replace(text, lit(r"\.0$"), lit(""), None)
        }
        false => cast(value, DataType::Utf8),
    }
}

/// A value as text, if it can be one.
pub(super) fn text_of(value: Expr, of: &DataType) -> Result<Expr, String> {
    match of.is_nested() && !is_list(of) {
        true => Err(format!("it takes a text, and here is {of}")),
        false => Ok(text(value, of)),
    }
}

/// The same of a text, or of each text of a list.
fn each_text(value: Expr, of: &DataType, change: impl Fn(Expr) -> Expr) -> Result<Expr, String> {
    let item = match of {
        DataType::List(item) | DataType::LargeList(item) => item,
        _ => return Ok(change(text_of(value, of)?)),
    };
    let field = Arc::new(Field::new("item", item.data_type().clone(), true));
    let variable = Expr::LambdaVariable(LambdaVariable::new("item".to_owned(), Some(field)));
    let changed = change(text_of(variable, item.data_type())?);
    Ok(lists::array_transform(value, lambda(["item"], changed)))
}

/// NULL of NULL.
fn keep_null(value: Expr, new: Expr) -> Result<Expr, String> {
    when(value.is_not_null(), new)
        .end()
        .map_err(|error| error.strip_backtrace())
}

/// Whether a text is there and does not match.
pub(super) fn unlike(text: Expr, pattern: &str) -> Expr {
    f::regexp_like(text, lit(pattern), None).is_false()
}

fn mapped(text: Expr, mapping: &BTreeMap<String, Option<String>>) -> Expr {
    let literal = |value: &Option<String>| {
        Box::new(
            value
                .as_ref()
                .map_or_else(null_text, |text| lit(text.as_str())),
        )
    };
    let pairs = mapping
        .iter()
        .map(|(key, value)| (Box::new(lit(key.as_str())), literal(value)));
    Expr::Case(Case::new(
        Some(Box::new(text.clone())),
        pairs.collect(),
        Some(Box::new(text)),
    ))
}

/// A text as a value of a type; an error is that it is none.
pub(super) fn literal(text: &str, of: &DataType) -> Result<Expr, String> {
    let value = ScalarValue::try_from_string(text.to_owned(), of);
    value
        .map(lit)
        .map_err(|_| format!("the default \"{text}\" is no {of}"))
}
