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
            (Some(own), Some(other)) => own.is_above(other),
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
        if digits.len() + zeros > Self::MOST_DIGITS || scale > Self::MOST_DIGITS {
            return None;
        }
        let mantissa = format!("{sign}{digits}{}", "0".repeat(zeros));
        Some(Self {
            mantissa: mantissa.parse().ok()?,
            scale,
        })
    }

    fn is_above(self, other: Self) -> bool {
        // (Of two signs the greater is known; else what has no room beside the other is further from zero.)
        if self.mantissa.signum() != other.mantissa.signum() {
            return self.mantissa > other.mantissa;
        }
        let scaled = |one: Self, scale: usize| {
            let zeros = u32::try_from(scale - one.scale).ok()?;
            one.mantissa.checked_mul(10_i128.checked_pow(zeros)?)
        };
        let scale = self.scale.max(other.scale);
        match (scaled(self, scale), scaled(other, scale)) {
            (Some(own), Some(other)) => own > other,
            (own, _) => own.is_none() == (self.mantissa > 0),
        }
    }

    /// As a value of a type of numbers, if it is one.
    pub(super) fn of_type(self, data_type: &DataType) -> Option<String> {
        let room = match data_type {
            DataType::Decimal32(_, room)
            | DataType::Decimal64(_, room)
            | DataType::Decimal128(_, room)
            | DataType::Decimal256(_, room) => usize::try_from(*room).ok()?,
            _ => 0,
        };
        let number = self.to_string();
        (self.scale <= room && fits(&number, data_type)).then(|| typed(&number, data_type))
    }

    /// The same, or a value of a type that the engine compares with those of this one exactly; nothing if there is none.
    pub(super) fn beside(self, data_type: &DataType) -> Option<String> {
        if let Some(own) = self.of_type(data_type) {
            return Some(own);
        }
        match *data_type {
            // (Beside one of 38 digits, 38 of another scale have no room in 128 bits.)
            DataType::Decimal32(_, room)
            | DataType::Decimal64(_, room)
            | DataType::Decimal128(_, room) => {
                let scale = usize::try_from(room).ok()?.max(self.scale);
                Some(self.written(&format!("Decimal256(76, {scale})")))
            }
            DataType::Decimal256(..) => None,
            _ => self.beside_whole(),
        }
    }

    /// As a value that the engine compares with whole numbers exactly.
    pub(super) fn beside_whole(self) -> Option<String> {
        let data_type = || format!("Decimal128({}, {})", Self::MOST_DIGITS, self.scale);
        (self.scale <= Self::MOST_SCALE).then(|| self.written(&data_type()))
    }

    fn written(self, data_type: &str) -> String {
        let number = text(&self.to_string());
        format!("arrow_cast({number}, {})", text(data_type))
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
        let typed = |text: &str| Decimal::parse(text)?.beside(&DataType::Int64);
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
        for none in ["", "x", "1e99", "inf", "1.2.3", "1e-19"] {
            assert_eq!(typed(none), None);
        }
    }

    #[test]
    fn a_number_beside_decimals_keeps_its_digits() {
        let decimal = DataType::Decimal128(10, 2);
        let typed = |text: &str| Decimal::parse(text)?.beside(&decimal);
        for (text, kind) in [
            ("1.5", "Decimal128(10, 2)"),
            ("1.125", "Decimal256(76, 3)"),
            ("12345678901", "Decimal256(76, 2)"),
            ("0.00000000000000000001", "Decimal256(76, 20)"),
        ] {
            assert_eq!(typed(text), Some(format!("arrow_cast('{text}', '{kind}')")));
        }
        let own = |text: &str| Decimal::parse(text)?.of_type(&decimal);
        assert_eq!(own("1.50"), typed("1.5"));
        assert_eq!(own("1.125"), None);
        assert_eq!(own("12345678901"), None);
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
        assert!(number("9007199254740993").is_above(number("9007199254740992.5")));
        assert!(!number("9007199254740992.5").is_above(number("9007199254740993")));
        let (huge, tiny) = ("99999999999999999999999999999999999999", "1e-38");
        for (above, below) in [
            (huge, tiny),
            (tiny, "-1e37"),
            ("-1e-38", "-1e37"),
            ("0", "-1e-38"),
        ] {
            assert!(number(above).is_above(number(below)), "{above} {below}");
            assert!(!number(below).is_above(number(above)), "{below} {above}");
        }
        assert!(!number("1e400").is_above(number("inf")));
    }
}
