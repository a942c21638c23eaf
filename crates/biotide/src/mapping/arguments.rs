//! Named arguments of a call: each once, and of those that there are.

use biotide_common::nearest::nearest;
use biotide_common::options::BiotideOptions;
use datafusion::sql::sqlparser::ast::{Expr, Value};

use crate::statement::functions::literals;

/// The names of a call's arguments, as they are met.
#[derive(Debug)]
pub(super) struct Arguments {
    known: Vec<&'static str>,
    /// Whether options of reading are arguments, too.
    reads: bool,
    seen: Vec<String>,
}

impl Arguments {
    /// Those that a call may have.
    pub(super) fn of(known: impl IntoIterator<Item = &'static str>) -> Self {
        Self {
            known: known.into_iter().collect(),
            reads: false,
            seen: Vec::new(),
        }
    }

    /// And the options of reading.
    pub(super) fn and_reading(self) -> Self {
        Self {
            reads: true,
            ..self
        }
    }

    /// Takes an argument's name, and answers it in lower case; an error is what is wrong with it.
    pub(super) fn take(&mut self, name: &str) -> Result<String, String> {
        let name = name.to_ascii_lowercase();
        let is_known =
            self.known.contains(&name.as_str()) || self.reads && BiotideOptions::is_known(&name);
        if !is_known {
            return Err(format!("is none of its options{}", self.hint(&name)));
        }
        if self.seen.contains(&name) {
            return Err("is given twice".to_owned());
        }
        self.seen.push(name.clone());
        Ok(name)
    }

    fn hint(&self, name: &str) -> String {
        let reading = BiotideOptions::INFO
            .iter()
            .map(|info| info.name)
            .filter(|name| self.reads && !name.starts_with("xref_"));
        let near = nearest(name, self.known.iter().copied().chain(reading));
        let known = self.known.join(", ");
        let also = if self.reads {
            ", and the options of reading"
        } else {
            ""
        };
        match near {
            Some(near) => format!(": did you mean '{near}'? There are {known}{also}"),
            None => format!(": {known}{also}"),
        }
    }
}

/// The literals of an argument; an error is what is wrong with it.
pub(super) fn values(expr: &Expr) -> Result<Vec<String>, &'static str> {
    let is_null =
        |expr: &Expr| matches!(expr, Expr::Value(value) if matches!(value.value, Value::Null));
    let holds_null = match expr {
        Expr::Array(array) => array.elem.iter().any(is_null),
        expr => is_null(expr),
    };
    match holds_null {
        true => Err("is no value: leave out what is not to be said"),
        false => literals(expr).ok_or("is not a literal value"),
    }
}
