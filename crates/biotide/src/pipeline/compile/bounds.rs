//! The least and the most of something.

use super::super::actions::Params;
use super::super::spec::{Node, Tree, Value, did_you_mean};
use super::scope::refused;
use crate::error::Result;

/// The least and the most of something; what is not said is no bound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bounds {
    pub(crate) least: Option<f64>,
    pub(crate) most: Option<f64>,
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
            (false, _) => (item.number("min"), item.number("max")),
        };
        Self { least, most }.checked(item, "range")
    }

    /// Those of `row_count: {min: 1, max: 10}`, or of `min` and `max`.
    pub(super) fn of_row_count(item: &Params) -> Result<Self> {
        let (mut least, mut most) = (item.number("min"), item.number("max"));
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
            (Some(least), Some(most)) if least > most => {
                let problem = format!("nothing is from {least} to {most}: the least comes first");
                Err(refused(item, name, problem))
            }
            (least, most) if [least, most].into_iter().flatten().any(f64::is_nan) => {
                Err(refused(item, name, "NaN is no bound"))
            }
            _ => Ok(self),
        }
    }

    /// Whether a number is within them.
    pub(crate) fn hold(self, number: f64) -> bool {
        self.least.is_none_or(|least| number >= least)
            && self.most.is_none_or(|most| number <= most)
    }

    /// `1 to 10`.
    pub(super) fn shown(self) -> String {
        let shown = |bound: Option<f64>| bound.map_or("…".to_owned(), |bound| bound.to_string());
        format!("{} to {}", shown(self.least), shown(self.most))
    }
}

/// A bound.
fn number(name: &str, tree: &Tree) -> Result<Option<f64>> {
    let number = match &tree.node {
        Node::Null => return Ok(None),
        Node::Scalar(scalar) => match scalar.value {
            Value::Integer(number) => Some(number as f64),
            Value::Number(number) => Some(number),
            Value::Text => scalar.text.trim().parse().ok(),
            Value::Boolean(_) => None,
        },
        _ => None,
    };
    let problem = || format!("{name}: {} is no number", tree.describe());
    number
        .map(Some)
        .ok_or_else(|| tree.place.error(problem()).into())
}
