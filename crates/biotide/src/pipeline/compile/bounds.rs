//! The least and the most of something.

use super::super::actions::Params;
use super::super::spec::{Node, Tree, Value, did_you_mean};
use super::number::Number;
use super::scope::refused;
use crate::error::Result;

/// The least and the most of something; what is not said is no bound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bounds {
    pub(super) least: Option<Number>,
    pub(super) most: Option<Number>,
}

impl Bounds {
    /// Those of `range: [1, 10]`, or of `min` and `max`.
    pub(super) fn of_range(item: &Params) -> Result<Self> {
        let (least, most) = match (item.is_given("range"), item.list("range")) {
            (true, [least, most]) => (number("range", least)?, number("range", most)?),
            (true, list) => {
                let problem = format!(
                    "it has {}; it takes two numbers, the least and the most, null for no bound",
                    list.len()
                );
                return Err(refused(item, "range", problem));
            }
            (false, _) => (said(item, "min")?, said(item, "max")?),
        };
        Self { least, most }.checked(item, "range")
    }

    /// Those of `row_count: {min: 1, max: 10}`, or of `min` and `max`.
    pub(super) fn of_row_count(item: &Params) -> Result<Self> {
        let (mut least, mut most) = (said(item, "min")?, said(item, "max")?);
        for entry in item.map("row_count") {
            let value = number("row_count", &entry.value)?;
            match entry.key.value.as_str() {
                "min" => least = value,
                "max" => most = value,
                other => {
                    let hint = did_you_mean(other, ["min", "max"]);
                    let problem = format!("row_count has no '{other}'; {hint}");
                    return Err(entry.key.place.error(problem).into());
                }
            }
        }
        Self { least, most }.checked(item, "row_count")
    }

    fn checked(self, item: &Params, name: &str) -> Result<Self> {
        match (self.least, self.most) {
            (None, None) => Err(refused(item, name, "it has no bound, no min and no max")),
            (Some(least), Some(most)) if least.is_above(most) => {
                let problem = format!("nothing is from {least} to {most}: the least comes first");
                Err(refused(item, name, problem))
            }
            (least, most) => {
                let mut bounds = [least, most].into_iter().flatten();
                match bounds.any(|bound| bound.double.is_nan()) {
                    true => Err(refused(item, name, "NaN is no bound")),
                    false => Ok(self),
                }
            }
        }
    }

    /// Whether a number is within them.
    pub(crate) fn hold(self, number: f64) -> bool {
        self.least.is_none_or(|least| number >= least.double)
            && self.most.is_none_or(|most| number <= most.double)
    }

    /// `1 to 10`.
    pub(super) fn shown(self) -> String {
        let shown =
            |bound: Option<Number>| bound.map_or("…".to_owned(), |bound| bound.to_string());
        format!("{} to {}", shown(self.least), shown(self.most))
    }
}

/// A bound that a parameter says.
fn said(item: &Params, name: &str) -> Result<Option<Number>> {
    item.tree(name).map_or(Ok(None), |tree| number(name, tree))
}

/// A bound.
fn number(name: &str, tree: &Tree) -> Result<Option<Number>> {
    let number = match &tree.node {
        Node::Null => return Ok(None),
        Node::Scalar(scalar) => match scalar.value {
            Value::Boolean(_) => None,
            Value::Text => Number::parse(&scalar.text),
            // (As it is written, with all its digits; YAML has `1_000` and `0xFF` too.)
            Value::Integer(number) => spelt(&scalar.text, number),
            Value::Number(number) => spelt(&scalar.text, number),
        },
        _ => None,
    };
    let problem = || format!("{name}: {} is no number", tree.describe());
    number
        .map(Some)
        .ok_or_else(|| tree.place.error(problem()).into())
}

fn spelt(text: &str, number: impl ToString) -> Option<Number> {
    Number::parse(text).or_else(|| Number::parse(&number.to_string()))
}
