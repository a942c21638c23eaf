//! Cells of a column, compared with values that stand in a pipeline.
//!
//! What a value means is decided by the column: `1` is the number 1 for a column of numbers, `TRUE` is true for one of
//! truths, `2024-01-05` a day for one of dates, and all are texts for a column of texts. A value that none of the
//! column's type can be is compared as text, and so is equal to none of its cells.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;

use super::Scope;
use super::words::{quoted, text};

/// The cells of a column.
pub(super) struct Cell<'a> {
    column: &'a str,
    data_type: &'a DataType,
    /// Whether the case of letters counts.
    exact: bool,
}

impl<'a> Cell<'a> {
    pub(super) fn new(column: &'a str, data_type: &'a DataType, exact: bool) -> Self {
        Self {
            column,
            data_type,
            exact,
        }
    }

    /// The cell.
    pub(super) fn sql(&self) -> String {
        quoted(self.column)
    }

    /// The cell as text, in lower case where the case does not count.
    pub(super) fn as_text(&self) -> String {
        self.folded(format!("arrow_cast({}, 'Utf8')", self.sql()))
    }

    /// A value as a text to compare [`Self::as_text`] with.
    pub(super) fn text(&self, value: &str) -> String {
        self.folded(text(value))
    }

    /// That it is one of some values.
    pub(super) fn is_one_of(&self, values: &[&str]) -> String {
        let (mut typed, mut texts) = (Vec::new(), Vec::new());
        for value in values {
            match self.value(value) {
                Some(value) => typed.push(value),
                None => texts.push(self.text(value)),
            }
        }
        let list = |cell: String, values: Vec<String>| match values.is_empty() {
            true => None,
            false => Some(format!("{cell} IN ({})", values.join(", "))),
        };
        let typed = list(self.sql(), typed);
        let texts = list(self.as_text(), texts);
        let both: Vec<String> = typed.into_iter().chain(texts).collect();
        format!("({})", both.join(" OR "))
    }

    /// That it is on one side of a value; nothing if no cell of the column can be. `is_number`: the file has a number
    /// there, not a text.
    pub(super) fn is(&self, sign: &str, value: &str, is_number: bool) -> Option<String> {
        if let Some(value) = self.value(value) {
            return Some(format!("{} {sign} {value}", self.sql()));
        }
        if !is_text(self.data_type) {
            return None;
        }
        let number = value.trim().parse::<f64>().ok().filter(|_| is_number);
        Some(match number {
            // (Of texts that are no numbers none is above or below one.)
            Some(number) => format!(
                "try_cast({} AS DOUBLE) {sign} {}",
                self.sql(),
                double(number)
            ),
            None => format!("{} {sign} {}", self.as_text(), self.text(value)),
        })
    }

    /// A value of the column's type; nothing if it is none, or the type has no values but texts.
    fn value(&self, value: &str) -> Option<String> {
        let value = value.trim();
        let known = match self.data_type {
            DataType::Boolean if value.eq_ignore_ascii_case("true") => "true".to_owned(),
            DataType::Boolean if value.eq_ignore_ascii_case("false") => "false".to_owned(),
            whole if whole.is_integer() => match value.parse::<i128>() {
                Ok(_) if fits(value, whole) => typed(value, whole),
                _ => double(value.parse().ok()?),
            },
            float if float.is_floating() => typed(&value.parse::<f64>().ok()?.to_string(), float),
            other if other.is_decimal() || other.is_temporal() => {
                fits(value, other).then(|| typed(value, other))?
            }
            _ => return None,
        };
        Some(known)
    }

    fn folded(&self, text: String) -> String {
        match self.exact {
            true => text,
            false => format!("lower({text})"),
        }
    }
}

/// The type of a column of a dataset.
pub(super) fn type_of(scope: &Scope, dataset: &str, column: &str) -> DataType {
    let field = scope
        .dataset(dataset)
        .and_then(|plan| plan.schema().field_with_unqualified_name(column).ok());
    field.map_or(DataType::Null, |field| field.data_type().clone())
}

/// Whether a column has texts.
pub(super) fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

/// Whether a text can be read as a value of a type.
fn fits(value: &str, data_type: &DataType) -> bool {
    let read = ScalarValue::try_from_string(value.to_owned(), data_type);
    read.is_ok_and(|value| !value.is_null())
}

fn typed(value: &str, data_type: &DataType) -> String {
    format!(
        "arrow_cast({}, {})",
        text(value),
        text(&data_type.to_string())
    )
}

/// (As a text, since SQL has no number for infinity.)
pub(super) fn double(number: f64) -> String {
    format!("arrow_cast('{number}', 'Float64')")
}
