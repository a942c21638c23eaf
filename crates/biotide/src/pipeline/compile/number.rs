//! Numbers that stand in a pipeline, compared without losing a digit.

use std::fmt;

use datafusion::arrow::datatypes::DataType;

use super::cell::{fits, typed};
use super::words::text;

/// A number: as the nearest double, and exactly if it has not too many digits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Number {
    pub(super) double: f64,
    pub(super) exact: Option<Decimal>,
}

impl Number {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        Some(Self {
            double: text.parse().ok()?,
            exact: Decimal::parse(text),
        })
    }

    /// Whether it is greater than another one.
    pub(super) fn is_above(self, other: Self) -> bool {
        match (self.exact, other.exact) {
            (Some(own), Some(other)) if own.scale == other.scale => own.mantissa > other.mantissa,
            _ => self.double > other.double,
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.exact {
            Some(exact) => exact.fmt(f),
            None => self.double.fmt(f),
        }
    }
}

/// A number as it is written, of up to 38 digits: `mantissa / 10^scale`, with the least scale there is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Decimal {
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
    pub(super) fn typed(self, data_type: &DataType) -> String {
        let (digits, scale) = (Self::MOST_DIGITS, self.scale);
        let (room, wider) = match data_type {
            DataType::Decimal256(_, room) => (usize::try_from(*room).unwrap_or(0), None),
            DataType::Decimal32(_, room)
            | DataType::Decimal64(_, room)
            | DataType::Decimal128(_, room) => {
                let room = usize::try_from(*room).unwrap_or(0);
                // (Beside one of 38 digits, 38 of another scale have no room in 128 bits.)
                (room, Some(format!("Decimal256(76, {})", scale.max(room))))
            }
            _ => (0, None),
        };
        let number = self.to_string();
        match scale <= room && fits(&number, data_type) {
            true => typed(&number, data_type),
            false => {
                let wider = wider.unwrap_or_else(|| format!("Decimal128({digits}, {scale})"));
                format!("arrow_cast({}, {})", text(&number), text(&wider))
            }
        }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mantissa, scale } = self;
        let digits = format!("{:0>width$}", mantissa.unsigned_abs(), width = scale + 1);
        let sign = if *mantissa < 0 { "-" } else { "" };
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        let point = if *scale > 0 { "." } else { "" };
        write!(f, "{sign}{whole}{point}{fraction}")
    }
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
    fn a_number_beside_decimals_keeps_its_digits() {
        let decimal = DataType::Decimal128(10, 2);
        let typed = |text: &str| Decimal::parse(text).map(|number| number.typed(&decimal));
        for (text, kind) in [
            ("1.5", "Decimal128(10, 2)"),
            ("1.125", "Decimal256(76, 3)"),
            ("12345678901", "Decimal256(76, 2)"),
        ] {
            assert_eq!(typed(text), Some(format!("arrow_cast('{text}', '{kind}')")));
        }
    }

    #[test]
    fn numbers_are_shown_and_compared_with_all_their_digits() {
        let number = |text: &str| Number::parse(text).unwrap();
        for (written, shown) in [
            ("9007199254740993", "9007199254740993"),
            ("1e3", "1000"),
            (" -0.50", "-0.5"),
            ("-inf", "-inf"),
        ] {
            assert_eq!(number(written).to_string(), shown);
        }
        assert!(number("9007199254740993").is_above(number("9007199254740992")));
        assert!(number("1.5").is_above(number("1")));
        assert!(!number("1e400").is_above(number("inf")));
    }
}
