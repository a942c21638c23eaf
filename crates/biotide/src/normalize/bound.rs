//! The least and the most that a number may be.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::functions::expr_fn as f;
use datafusion::logical_expr::{Expr, lit, try_cast, when};

/// A bound of numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bound {
    double: f64,
    /// The same, if it is a whole number of those that doubles do not tell apart.
    whole: Option<i128>,
}

impl Bound {
    /// The least number there is.
    pub(super) const LEAST: Self = Self {
        double: f64::MIN,
        whole: None,
    };
    /// The greatest.
    pub(super) const MOST: Self = Self {
        double: f64::MAX,
        whole: None,
    };
    /// From here on not every whole number is a double.
    const EXACT: u128 = 1 << 53;
    /// The first that has too many digits for a decimal of 128 bits.
    const BEYOND: u128 = 10_u128.pow(38);

    /// The bound of a text; an error is that it is none.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        // (YAML has `.inf`.)
        let plain = text.to_ascii_lowercase().replace(".inf", "inf");
        let needs_digits =
            |whole: &i128| (Self::EXACT..Self::BEYOND).contains(&whole.unsigned_abs());
        match plain.parse::<f64>() {
            Ok(double) if !double.is_nan() => Ok(Self {
                double,
                whole: text.parse().ok().filter(needs_digits),
            }),
            _ => Err(format!("\"{text}\" is no bound: min and max are numbers")),
        }
    }

    /// Whether it is greater than another one.
    pub(super) fn is_above(self, other: Self) -> bool {
        match self.whole.zip(other.whole) {
            Some((own, other)) => own > other,
            None => self.double > other.double,
        }
    }

    /// How it compares with the number that a text is: as whole numbers if both are, else as doubles.
    pub(super) fn compared(
        self,
        written: &Expr,
        is: impl Fn(Expr, Expr) -> Expr,
    ) -> Result<Expr, String> {
        let double = try_cast(written.clone(), DataType::Float64);
        let by_double = is(lit(self.double), double);
        let Some(whole) = self.whole else {
            return Ok(by_double);
        };
        let pattern = r"^[[:space:]]*[+-]?[0-9]{1,38}[[:space:]]*$";
        let is_whole = f::regexp_like(written.clone(), lit(pattern), None);
        let digits = try_cast(written.clone(), DataType::Decimal128(38, 0));
        let whole = lit(ScalarValue::Decimal128(Some(whole), 38, 0));
        when(is_whole, is(whole, digits))
            .otherwise(by_double)
            .map_err(|error| error.strip_backtrace())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_read_with_all_their_digits() {
        let whole = |text: &str| Bound::parse(text).unwrap().whole;
        assert_eq!(whole("9007199254740993"), Some(9_007_199_254_740_993));
        assert_eq!(whole(" -9007199254740993"), Some(-9_007_199_254_740_993));
        for text in ["1", "9007199254740991", "0.5", "1e300", "-.inf", ".INF"] {
            assert_eq!(whole(text), None, "{text}");
        }
        assert_eq!(whole(&"9".repeat(39)), None);
        assert!(Bound::parse("-.inf").unwrap().double < f64::MIN);
        let bound = |text: &str| Bound::parse(text).unwrap();
        assert!(bound("9007199254740993").is_above(bound("9007199254740992")));
        assert!(!bound("1").is_above(bound("9007199254740992")));
        for none in ["", "x", ".nan", "nan", "1_000"] {
            assert!(Bound::parse(none).is_err(), "{none}");
        }
    }
}
