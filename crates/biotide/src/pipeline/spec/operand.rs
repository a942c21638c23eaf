//! Values of conditions.

use std::cmp::Ordering;
use std::fmt;

use super::number::Number;
use super::tree::{Node, Tree, Value};

/// What an expression comes to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operand {
    Null,
    Boolean(bool),
    Number(Number),
    Text(String),
    List(Vec<Self>),
    /// No value of an expression.
    Map,
}

impl Operand {
    /// The value of a placeholder.
    pub(super) fn of(tree: &Tree) -> Self {
        match &tree.node {
            Node::Null => Self::Null,
            Node::Scalar(scalar) => match scalar.value {
                Value::Text => Self::Text(scalar.text.clone()),
                Value::Boolean(value) => Self::Boolean(value),
                Value::Integer(value) => Self::Number(Number::from(value)),
                // (As it is written: it may be whole, and have more digits than a double.)
                Value::Number(value) => {
                    Self::Number(Number::parse(&scalar.text).unwrap_or_else(|| Number::from(value)))
                }
            },
            Node::List(items) => Self::List(items.iter().map(Self::of).collect()),
            Node::Map(_) => Self::Map,
        }
    }

    /// Whether a comparison holds; `None` where the two have no order.
    pub(super) fn compare(&self, symbol: &str, other: &Self) -> Option<bool> {
        let order = match (self, other) {
            _ if matches!(symbol, "==" | "=") => return Some(self == other),
            _ if matches!(symbol, "!=" | "<>") => return Some(self != other),
            // (As in SQL, nothing is neither more nor less.)
            (Self::Null, _) | (_, Self::Null) => return Some(false),
            (Self::Number(left), Self::Number(right)) => left.order(*right)?,
            (Self::Text(left), Self::Text(right)) => left.cmp(right),
            _ => return None,
        };
        Some(match symbol {
            "<" => order == Ordering::Less,
            "<=" => order != Ordering::Greater,
            ">" => order == Ordering::Greater,
            _ => order != Ordering::Less,
        })
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Boolean(value) => value.fmt(f),
            Self::Number(value) => value.fmt(f),
            Self::Text(text) => write!(f, "'{text}'"),
            Self::List(_) => f.write_str("a list"),
            Self::Map => f.write_str("a map"),
        }
    }
}
