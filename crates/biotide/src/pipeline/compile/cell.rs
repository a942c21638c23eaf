//! Cells of a column, compared with values that stand in a pipeline.
//!
//! What a value means is decided by the column: `1` is the number 1 for a column of numbers, `TRUE` is true for one of
//! truths, `2024-01-05` a day for one of dates, and all are texts for a column of texts. A value between two of the column's
//! type, as a time of a day is between two days, is equal to none and compared as what it is. A value that none of the
//! column's type can be is compared as text, and so is equal to none of its cells.

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::ScalarValue;

use super::Scope;
use super::number::{Decimal, Number};
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
        if self.data_type.is_numeric() {
            return Number::of_yaml(value).map(|number| self.is_beside(sign, number));
        }
        if let Some(value) = self.value(value) {
            return Some(format!("{} {sign} {value}", self.sql()));
        }
        if !is_text(self.data_type) {
            return None;
        }
        Some(match Number::parse(value).filter(|_| is_number) {
            Some(number) => self.text_is(sign, number),
            None => format!("{} {sign} {}", self.as_text(), self.text(value)),
        })
    }

    /// That it is on one side of a number, as far as its column has numbers, or texts that are.
    pub(super) fn is_beside(&self, sign: &str, number: Number) -> String {
        match self.number(number) {
            Some(number) if self.data_type.is_floating() => beside(&self.sql(), sign, &number),
            Some(number) => format!("{} {sign} {number}", self.sql()),
            None if is_text(self.data_type) => self.text_is(sign, number),
            None => beside(&self.as_double(), sign, &double(number.double)),
        }
    }

    /// The cell as a number; NULL if it is none.
    pub(super) fn as_double(&self) -> String {
        format!("try_cast({} AS DOUBLE)", self.sql())
    }

    /// That a text is on one side of a number: exactly if it is a whole number, else as a double. (Of texts that are no
    /// numbers none is above or below one.)
    fn text_is(&self, sign: &str, number: Number) -> String {
        let by_double = beside(&self.as_double(), sign, &double(number.double));
        let Some(exact) = number.exact.and_then(Decimal::beside_whole) else {
            return by_double;
        };
        // (As many digits as leave room for those that the other may have behind its point.)
        let cell = self.sql();
        format!(
            "CASE WHEN regexp_like(arrow_cast({cell}, 'Utf8'), '^[[:space:]]*[+-]?[0-9]{{1,58}}[[:space:]]*$') \
             THEN try_cast({cell} AS DECIMAL(58, 0)) {sign} {exact} ELSE {by_double} END"
        )
    }

    /// A value of the column's type; nothing if it is none, or the type has no values but texts.
    fn value(&self, value: &str) -> Option<String> {
        let value = value.trim();
        let known = match self.data_type {
            DataType::Boolean if value.eq_ignore_ascii_case("true") => "true".to_owned(),
            DataType::Boolean if value.eq_ignore_ascii_case("false") => "false".to_owned(),
            other if other.is_numeric() => {
                let number = Number::of_yaml(value)?;
                self.float(number)
                    .or_else(|| number.exact?.of_type(other))?
            }
            other if other.is_temporal() => {
                let finer = finer(other).filter(|finer| !is_exact(value, other, finer));
                match finer {
                    Some(finer) => typed(value, &finer),
                    None => fits(value, other).then(|| typed(value, other))?,
                }
            }
            _ => return None,
        };
        Some(known)
    }

    /// A number of the column's type, or one to compare its cells with exactly; nothing if there is none.
    fn number(&self, number: Number) -> Option<String> {
        if !self.data_type.is_numeric() {
            return None;
        }
        self.float(number)
            .or_else(|| number.exact?.beside(self.data_type))
    }

    /// The nearest number of a column of such.
    fn float(&self, number: Number) -> Option<String> {
        let is_floating = self.data_type.is_floating();
        is_floating.then(|| typed(&number.double.to_string(), self.data_type))
    }

    fn folded(&self, text: String) -> String {
        match self.exact {
            true => text,
            false => format!("lower({text})"),
        }
    }
}

/// A type for days and times of a type that has more of them.
fn finer(data_type: &DataType) -> Option<DataType> {
    let (unit, zone) = match data_type {
        DataType::Date32 | DataType::Date64 => (TimeUnit::Microsecond, None),
        DataType::Timestamp(TimeUnit::Second | TimeUnit::Millisecond, zone) => {
            (TimeUnit::Microsecond, zone.clone())
        }
        DataType::Timestamp(TimeUnit::Microsecond, zone) => (TimeUnit::Nanosecond, zone.clone()),
        _ => return None,
    };
    Some(DataType::Timestamp(unit, zone))
}

/// Whether a text means the same as a value of a type and of a finer one. (`2024-01-05T12:00:00` is no day.)
fn is_exact(value: &str, data_type: &DataType, finer: &DataType) -> bool {
    let read = |data_type| ScalarValue::try_from_string(value.to_owned(), data_type);
    let Ok(fine) = read(finer) else {
        return true;
    };
    read(data_type).is_ok_and(|coarse| coarse.cast_to(finer).is_ok_and(|coarse| coarse == fine))
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
pub(super) fn fits(value: &str, data_type: &DataType) -> bool {
    let read = ScalarValue::try_from_string(value.to_owned(), data_type);
    read.is_ok_and(|value| !value.is_null())
}

/// A value of a type, of a text that is one.
pub(super) fn typed(value: &str, data_type: &DataType) -> String {
    format!(
        "arrow_cast({}, {})",
        text(value),
        text(&data_type.to_string())
    )
}

/// (As a text, since SQL has no number for infinity.)
fn double(number: f64) -> String {
    format!("arrow_cast('{number}', 'Float64')")
}

/// That a floating number is on one side of another. (NaN is on none, and above all to the engine.)
fn beside(own: &str, sign: &str, other: &str) -> String {
    format!("({own} {sign} {other} AND NOT isnan({own}))")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_no_day() {
        let value = |text| Cell::new("d", &DataType::Date32, true).value(text);
        assert_eq!(
            value("2024-01-05"),
            Some("arrow_cast('2024-01-05', 'Date32')".to_owned())
        );
        let midnight = value("2024-01-05T00:00:00");
        assert!(midnight.is_some_and(|sql| sql.ends_with("'Date32')")));
        let noon = value("2024-01-05T12:00:00");
        assert!(noon.is_some_and(|sql| sql.contains("Timestamp")));
        assert_eq!(value("nothing"), None);
    }
}
