//! Whether a value is what a parameter takes.

use biotide_common::BiotideError;

use super::action::{Kind, Param};
use crate::pipeline::spec::{Node, Scalar, Tree, Value, nearest};

/// The value as the parameter has it: a number of a quoted text, one of a choice in the table's spelling.
pub(super) fn check(param: &Param, key: &str, value: &Tree) -> Result<Tree, BiotideError> {
    let kind = param.kind;
    let wrong = || {
        let (what, kind) = (value.describe(), kind.describe());
        Err(value
            .place
            .error(format!("{key} is {what}; it takes {kind}")))
    };
    let with = |scalar: Scalar| Ok(Tree::scalar(value.place.clone(), scalar));
    match kind {
        Kind::Text => match &value.node {
            Node::Scalar(_) => Ok(value.clone()),
            _ => wrong(),
        },
        Kind::Path | Kind::Sql | Kind::Column | Kind::Dataset | Kind::OutputKey => {
            match value.as_text() {
                Some(text) if text.trim().is_empty() => {
                    let kind = kind.describe();
                    Err(value
                        .place
                        .error(format!("{key} is empty; it takes {kind}")))
                }
                Some(_) => Ok(value.clone()),
                None => wrong(),
            }
        }
        Kind::Paths | Kind::Columns | Kind::Texts | Kind::Datasets => plural(param, key, value),
        Kind::Boolean => match scalar(value) {
            Some(scalar) if matches!(scalar.value, Value::Boolean(_)) => with(scalar),
            _ => wrong(),
        },
        Kind::Integer { min, max } => {
            let scalar = scalar(value).and_then(whole);
            match scalar {
                Some((number, scalar)) if (min..=max).contains(&number) => with(scalar),
                Some(_) => out_of_range(kind, key, value),
                None => wrong(),
            }
        }
        Kind::Number { min, max } => {
            let Some(scalar) = scalar(value) else {
                return wrong();
            };
            let number = match scalar.value {
                Value::Integer(number) => number as f64,
                Value::Number(number) => number,
                Value::Text | Value::Boolean(_) => return wrong(),
            };
            match (min..=max).contains(&number) {
                true => with(scalar),
                false => out_of_range(kind, key, value),
            }
        }
        Kind::OneOf(values) => {
            let Some(text) = value.as_text() else {
                return wrong();
            };
            let text = text.trim();
            let found = values.iter().find(|known| known.eq_ignore_ascii_case(text));
            match found {
                Some(known) => with(Scalar::text(*known)),
                None => {
                    let hint = match nearest(text, values.iter().copied()) {
                        Some(near) => format!(" (did you mean '{near}'?)"),
                        None => String::new(),
                    };
                    let kind = kind.describe();
                    let problem = format!("{key} is '{text}'; it takes {kind}{hint}");
                    Err(value.place.error(problem))
                }
            }
        }
        Kind::Map => match &value.node {
            Node::Map(_) => Ok(value.clone()),
            _ => wrong(),
        },
        Kind::List => match &value.node {
            Node::List(items) if items.len() >= param.at_least => Ok(value.clone()),
            Node::List(items) => Err(too_few(param, key, value, items.len())),
            _ => wrong(),
        },
        Kind::Rules => match &value.node {
            Node::Map(_) => Ok(value.clone()),
            Node::Scalar(scalar) if !scalar.text.trim().is_empty() => Ok(value.clone()),
            _ => wrong(),
        },
    }
}

/// One value or a list of them.
fn plural(param: &Param, key: &str, value: &Tree) -> Result<Tree, BiotideError> {
    let items = match &value.node {
        Node::List(items) => items.as_slice(),
        _ => std::slice::from_ref(value),
    };
    if items.len() < param.at_least.max(1) {
        return Err(too_few(param, key, value, items.len()));
    }
    for item in items {
        let kind = param.kind.describe();
        match item.as_text() {
            // (An empty text may be meant, an empty column cannot.)
            Some(text) if param.kind != Kind::Texts && text.trim().is_empty() => {
                let problem = format!("{key} has an empty value; it takes {kind}");
                return Err(item.place.error(problem));
            }
            Some(_) => {}
            None if item.is_null() => {
                let problem = format!("{key}: null is no value; {}", instead_of_null(param));
                return Err(item.place.error(problem));
            }
            None => {
                let problem = format!("{key} has {}; it takes {kind}", item.describe());
                return Err(item.place.error(problem));
            }
        }
    }
    Ok(value.clone())
}

/// What to do where a list of values has a null.
fn instead_of_null(param: &Param) -> &'static str {
    match param.name {
        "in_set" => "a cell without one passes, and not_null refuses it",
        "value" => "is_null and is_not_null are for cells without one",
        _ => "leave it out",
    }
}

fn too_few(param: &Param, key: &str, value: &Tree, count: usize) -> BiotideError {
    let (least, kind) = (param.at_least.max(1), param.kind.describe());
    let problem = format!("{key} has {count}; it takes {kind}, {least} or more");
    value.place.error(problem)
}

fn out_of_range(kind: Kind, key: &str, value: &Tree) -> Result<Tree, BiotideError> {
    let text = value.as_text().unwrap_or_default();
    let kind = kind.describe();
    let problem = format!("{key} is {text}, which is out of range; it takes {kind}");
    Err(value.place.error(problem))
}

/// The scalar; a number or truth in quotes is one too.
fn scalar(value: &Tree) -> Option<Scalar> {
    let scalar = value.as_scalar()?;
    Some(match scalar.value {
        Value::Text => Scalar::plain(scalar.text.as_str()),
        _ => scalar.clone(),
    })
}

/// A whole number, in whatever way it is written: `1e3` is one.
fn whole(scalar: Scalar) -> Option<(i64, Scalar)> {
    // (Beyond this not every whole number is one of f64.)
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let number = match scalar.value {
        Value::Integer(number) => number,
        Value::Number(number) if number.fract() == 0.0 && number.abs() <= EXACT => number as i64,
        _ => return None,
    };
    let value = Value::Integer(number);
    Some((number, Scalar { value, ..scalar }))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::pipeline::actions::built_in;
    use crate::pipeline::spec::Place;

    #[test]
    fn every_default_is_a_value_of_its_parameter() {
        let place = Place::new(&Arc::from("table"), 1, 1);
        for action in built_in() {
            let items = action.params.iter().flat_map(|param| param.items);
            for param in action.params.iter().chain(items) {
                let Some(default) = param.default else {
                    continue;
                };
                let given = Tree::scalar(place.clone(), Scalar::plain(default));
                let checked = check(param, param.name, &given).unwrap();
                assert_eq!(checked.as_text(), Some(default));
                let given = given.as_scalar().map(|scalar| scalar.value);
                let checked = checked.as_scalar().map(|scalar| scalar.value);
                // (They are not checked in use.)
                assert_eq!(checked, given, "{} {}", action.name, param.name);
            }
        }
    }
}
