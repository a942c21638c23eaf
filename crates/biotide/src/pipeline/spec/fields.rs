//! Mappings whose keys are known.

use biotide_common::BiotideError;

use super::nearest::did_you_mean;
use super::place::Placed;
use super::tree::{Entry, Scalar, Tree, Value};

/// The entries of a mapping that has none but these keys. `what` is what errors call it: `a step`.
pub(super) fn entries<'t>(
    tree: &'t Tree,
    what: &str,
    keys: &[&str],
) -> Result<&'t [Entry], BiotideError> {
    let Some(entries) = tree.as_map() else {
        let problem = format!(
            "{what} is a map of {}, not {}",
            keys.join(", "),
            tree.describe()
        );
        return Err(tree.place.error(problem));
    };
    for entry in entries {
        let key = entry.key.value.as_str();
        if !keys.contains(&key) {
            let hint = did_you_mean(key, keys.iter().copied());
            return Err(entry
                .key
                .place
                .error(format!("{what} has no '{key}'; {hint}")));
        }
    }
    Ok(entries)
}

/// The text of a key, if it is there and not empty.
pub(super) fn text(
    value: Option<&Tree>,
    key: &str,
) -> Result<Option<Placed<String>>, BiotideError> {
    let Some(value) = value.filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    match value.as_text() {
        Some(text) if !text.trim().is_empty() => Ok(Some(Placed {
            value: text.to_owned(),
            place: value.place.clone(),
        })),
        Some(_) => Ok(None),
        None => {
            let problem = format!("{key} is a text, not {}", value.describe());
            Err(value.place.error(problem))
        }
    }
}

/// True or false, if the key is there.
pub(super) fn boolean(value: Option<&Tree>, key: &str) -> Result<Option<bool>, BiotideError> {
    let Some(value) = value.filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    let is = value.as_scalar().map(|scalar| match scalar.value {
        Value::Text => Scalar::plain(scalar.text.as_str()).value,
        value => value,
    });
    match is {
        Some(Value::Boolean(is)) => Ok(Some(is)),
        _ => {
            let problem = format!("{key} is true or false, not {}", value.describe());
            Err(value.place.error(problem))
        }
    }
}
