//! Numbers that stand in a pipeline, compared without losing a digit.

use std::cmp::Ordering;
use std::fmt;

/// A number: as the nearest double, and exactly if it has not too many digits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Number {
    pub(crate) double: f64,
    pub(crate) exact: Option<Decimal>,
}

impl Number {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        Some(Self {
            double: text.parse().ok()?,
            exact: Decimal::parse(text),
        })
    }

    /// The number that YAML reads in a text: it has `1_000` and `0xFF`, too.
    pub(crate) fn of_yaml(text: &str) -> Option<Self> {
        Self::parse(text).or_else(|| {
            let plain = text.trim().replace('_', "");
            let (sign, digits) = match plain.strip_prefix('-') {
                Some(digits) => (-1, digits),
                None => (1, plain.as_str()),
            };
            let whole = |(prefix, radix)| {
                let digits = digits.strip_prefix(prefix)?;
                i64::from_str_radix(digits, radix).ok()
            };
            match [("0x", 16), ("0o", 8)].into_iter().find_map(whole) {
                Some(whole) => Some(Self::from(sign * whole)),
                None => Self::parse(&plain),
            }
        })
    }

    /// Whether it is greater than another one.
    pub(crate) fn is_above(self, other: Self) -> bool {
        self.order(other) == Some(Ordering::Greater)
    }

    /// How it stands to another one; nothing beside NaN.
    pub(super) fn order(self, other: Self) -> Option<Ordering> {
        match (self.exact, other.exact) {
            (Some(own), Some(other)) => Some(own.order(other)),
            _ => self.double.partial_cmp(&other.double),
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.order(*other) == Some(Ordering::Equal)
    }
}

impl From<i64> for Number {
    fn from(number: i64) -> Self {
        Self {
            double: number as f64,
            exact: Some(Decimal {
                mantissa: i128::from(number),
                scale: 0,
            }),
        }
    }
}

impl From<f64> for Number {
    fn from(double: f64) -> Self {
        Self {
            double,
            exact: None,
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
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decimal {
    mantissa: i128,
    scale: usize,
}

impl Decimal {
    /// The most digits of a decimal of 128 bits.
    pub(crate) const MOST_DIGITS: usize = 38;

    pub(crate) fn parse(text: &str) -> Option<Self> {
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

    /// How many digits stand behind its point.
    pub(crate) fn scale(self) -> usize {
        self.scale
    }

    fn order(self, other: Self) -> Ordering {
        // (Of two signs the greater is known; else what has no room beside the other is further from zero.)
        let signs = self.mantissa.signum().cmp(&other.mantissa.signum());
        if signs.is_ne() {
            return signs;
        }
        let scaled = |one: Self, scale: usize| {
            let zeros = u32::try_from(scale - one.scale).ok()?;
            one.mantissa.checked_mul(10_i128.checked_pow(zeros)?)
        };
        let scale = self.scale.max(other.scale);
        match (scaled(self, scale), scaled(other, scale)) {
            (Some(own), Some(other)) => own.cmp(&other),
            (own, _) if own.is_none() == (self.mantissa > 0) => Ordering::Greater,
            _ => Ordering::Less,
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

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap()
    }

    #[test]
    fn numbers_are_shown_and_compared_with_all_their_digits() {
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

    #[test]
    fn numbers_are_the_same_in_all_their_digits() {
        for (one, same) in [
            ("1e3", "1000.0"),
            ("-0", "0.00"),
            ("1e400", "inf"),
            ("1e99", "1e99"),
        ] {
            assert_eq!(number(one), number(same));
        }
        assert_eq!(
            number("-9007199254740993"),
            Number::from(-9007199254740993_i64)
        );
        for (one, other) in [
            ("9007199254740993", "9007199254740992"),
            ("0.1", "0.10000000000000000001"),
            ("1e38", "1e37"),
            ("NaN", "NaN"),
        ] {
            assert_ne!(number(one), number(other));
        }
    }
}
