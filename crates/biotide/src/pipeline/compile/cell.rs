//! Cells of a column, compared with values that stand in a pipeline.
//!
//! What a value means is decided by the column: `1` is the number 1 for a column of numbers, `TRUE` is true for one of
//! truths, `2024-01-05` a day for one of dates, and all are texts for a column of texts. A value between two of the column's
//! type, as a time of a day is between two days, is equal to none and compared as what it is. A value that none of the
//! column's type can be is compared as text, and so is equal to none of its cells.

use datafusion::arrow::datatypes::{DataType, TimeUnit};
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
            whole if whole.is_integer() => match Decimal::parse(value) {
                Some(number) => number.typed(whole),
                None => double(value.parse().ok()?),
            },
            float if float.is_floating() => typed(&value.parse::<f64>().ok()?.to_string(), float),
            other if other.is_decimal() => match Decimal::parse(value) {
                Some(number) => number.typed(other),
                None => double(value.parse().ok()?),
            },
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

    fn folded(&self, text: String) -> String {
        match self.exact {
            true => text,
            false => format!("lower({text})"),
        }
    }
}

/// A number as it is written, of up to 38 digits: `mantissa / 10^scale`, with the least scale there is.
struct Decimal {
    mantissa: i128,
    scale: usize,
}

impl Decimal {
    /// The most digits of a decimal of 128 bits.
    const MOST_DIGITS: usize = 38;
    /// The most digits behind the point beside which whole numbers of 64 bits have room.
    const MOST_SCALE: usize = 18;

    fn parse(text: &str) -> Option<Self> {
        let (number, exponent) = match text.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, exponent.parse::<i64>().ok()?),
            None => (text, 0),
        };
        let (sign, digits) = match number.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None => ("", number.strip_prefix('+').unwrap_or(number)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let mut digits = format!("{whole}{fraction}");
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let mut scale = i64::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
        while scale > 0 && digits.ends_with('0') {
            digits.pop();
            scale -= 1;
        }
        let digits = digits.trim_start_matches('0');
        if digits.is_empty() {
            return Some(Self {
                mantissa: 0,
                scale: 0,
            });
        }
        let zeros = usize::try_from(-scale).unwrap_or(0);
        let scale = usize::try_from(scale).unwrap_or(0);
        if digits.len() + zeros > Self::MOST_DIGITS || scale > Self::MOST_SCALE {
            return None;
        }
        let mantissa = format!("{sign}{digits}{}", "0".repeat(zeros));
        Some(Self {
            mantissa: mantissa.parse().ok()?,
            scale,
        })
    }

    /// As a value of a type of numbers, or of one to compare it with exactly.
    fn typed(&self, data_type: &DataType) -> String {
        let Self { mantissa, scale } = self;
        let digits = format!("{:0>width$}", mantissa.unsigned_abs(), width = scale + 1);
        let sign = if *mantissa < 0 { "-" } else { "" };
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        let point = if *scale > 0 { "." } else { "" };
        let text = format!("{sign}{whole}{point}{fraction}");
        let room = match data_type {
            DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale) => {
                usize::try_from(*scale).unwrap_or(0)
            }
            _ => 0,
        };
        match *scale <= room && fits(&text, data_type) {
            true => typed(&text, data_type),
            false => format!(
                "arrow_cast({}, 'Decimal128({}, {scale})')",
                super::words::text(&text),
                Self::MOST_DIGITS
            ),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_exactly() {
        let typed = |text: &str| Decimal::parse(text).map(|number| number.typed(&DataType::Int64));
        let int = |text: &str| Some(format!("arrow_cast('{text}', 'Int64')"));
        for text in [
            "9007199254740993",
            "9007199254740993.0",
            "9.007199254740993e15",
        ] {
            assert_eq!(typed(text), int("9007199254740993"));
        }
        assert_eq!(typed("-0"), int("0"));
        assert_eq!(typed("+1e3"), int("1000"));
        assert_eq!(
            typed("-0.5"),
            Some("arrow_cast('-0.5', 'Decimal128(38, 1)')".to_owned())
        );
        let beyond = "arrow_cast('9223372036854775808', 'Decimal128(38, 0)')";
        assert_eq!(typed("9223372036854775808"), Some(beyond.to_owned()));
        for none in ["", "x", "1e99", "inf", "1.2.3"] {
            assert_eq!(typed(none), None);
        }
    }

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
