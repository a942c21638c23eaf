//! Number columns: int64, float64, decimal.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::types::{Decimal128Type, Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef};

use super::{BadValue, Fields};
use crate::delimited::Layout;
use crate::error::Result;
use crate::problem::Reason;

/// What a value is as a number, in its plainest spelling. Anything else is text: `007`, `+44`, `1e5`
/// (a code: numbers are written `1e+05` or `1.0e5`), `1_000`, `0x1F`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Number {
    /// `0`, `-12`; this many digits.
    Int(usize),
    /// `1.5`, `.5`, `-2.5e-8`, `1E-300`, `1e+05`.
    Float,
    /// `inf`, `-Infinity`: a float only beside others.
    Infinity,
    /// `007`, `-012`: an integer only for one who does not care for its spelling.
    LeadingZero,
    /// `1e5`: a float only where the column is known to be one.
    Code,
    None,
}

pub(crate) fn classify_number(value: &[u8]) -> Number {
    let (plus, body) = match value {
        [b'-', rest @ ..] => (false, rest),
        [b'+', rest @ ..] => (true, rest),
        _ => (false, value),
    };
    let digits = |text: &[u8]| text.iter().take_while(|b| b.is_ascii_digit()).count();
    let whole = digits(body);
    let rest = &body[whole..];
    let zero = whole > 1 && body[0] == b'0';
    if rest.is_empty() {
        return match whole {
            0 => Number::None,
            _ if plus => Number::None,
            _ if zero => Number::LeadingZero,
            _ => Number::Int(whole),
        };
    }
    let (point, rest) = match rest {
        [b'.', rest @ ..] => (true, rest),
        _ => (false, rest),
    };
    let fraction = if point { digits(rest) } else { 0 };
    if whole + fraction == 0 {
        let name = body.eq_ignore_ascii_case(b"inf") || body.eq_ignore_ascii_case(b"infinity");
        return if name { Number::Infinity } else { Number::None };
    }
    let class = if zero {
        Number::LeadingZero
    } else {
        Number::Float
    };
    match &rest[fraction..] {
        [] => class,
        [b'e' | b'E', exponent @ ..] => {
            let (sign, exponent) = match exponent {
                [b'+' | b'-', exponent @ ..] => (true, exponent),
                _ => (false, exponent),
            };
            let whole_exponent = !exponent.is_empty() && digits(exponent) == exponent.len();
            match (whole_exponent, sign || point) {
                (false, _) => Number::None,
                (true, false) if !zero => Number::Code,
                (true, _) => class,
            }
        }
        _ => Number::None,
    }
}

/// An integer in decimal digits. `strict` refuses what a number would not keep: a leading zero, a plus.
#[inline(always)]
pub(crate) fn parse_int(value: &[u8], strict: bool) -> Result<i64, Reason> {
    let (negative, digits) = match value {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] if !strict => (false, digits),
        _ => (false, value),
    };
    if digits.is_empty() || (strict && digits.len() > 1 && digits[0] == b'0') {
        return Err(Reason::BadValue);
    }
    let n = match digits.len() {
        n @ 1..=8 => {
            let n = super::digits::parse(super::digits::load(digits), n as u32);
            i64::from(n.ok_or(Reason::BadValue)?)
        }
        9..=18 => {
            let mut n = 0i64;
            for &byte in digits {
                let digit = byte.wrapping_sub(b'0');
                if digit > 9 {
                    return Err(Reason::BadValue);
                }
                n = n * 10 + i64::from(digit);
            }
            n
        }
        _ => return parse_long_int(value, digits),
    };
    if strict && negative && n == 0 {
        return Err(Reason::BadValue);
    }
    Ok(if negative { -n } else { n })
}

#[cold]
fn parse_long_int(value: &[u8], digits: &[u8]) -> Result<i64, Reason> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(Reason::BadValue);
    }
    let text = std::str::from_utf8(value).map_err(|_| Reason::BadValue)?;
    text.parse().map_err(|_| Reason::OutOfRange)
}

const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// A float, correctly rounded. `strict` as in [`parse_int`].
#[inline(always)]
pub(crate) fn parse_float(value: &[u8], strict: bool) -> Result<f64, Reason> {
    // Clinger's fast path: digits that fit 53 bits, over a power of ten that is exact.
    // The sign is arithmetic, not a branch: in data it is a coin toss.
    let negative = value.first() == Some(&b'-');
    let body = &value[usize::from(negative)..];
    let signed = |n: f64| f64::from_bits(n.to_bits() | (u64::from(negative) << 63));
    if (1..=8).contains(&body.len())
        && !(strict && body.len() > 1 && body[0] == b'0' && body[1] != b'.')
    {
        let text = super::digits::load(body);
        let mut n = body.len() as u32;
        let (digits, after_point) = match super::digits::point(text) {
            Some(at) => {
                n -= 1;
                (super::digits::without(text, at), n - at)
            }
            None => (text, 0),
        };
        if n > 0
            && let Some(mantissa) = super::digits::parse(digits, n)
        {
            return Ok(signed(f64::from(mantissa) / POWERS[after_point as usize]));
        }
    } else if body.len() < 17 && !(strict && body.len() > 1 && body[0] == b'0' && body[1] != b'.') {
        let mut mantissa = 0u64;
        let mut after_point = 0usize;
        let mut point = false;
        let mut plain = true;
        for &byte in body {
            let digit = byte.wrapping_sub(b'0');
            if digit <= 9 {
                mantissa = mantissa * 10 + u64::from(digit);
                after_point += usize::from(point);
            } else if byte == b'.' && !point {
                point = true;
            } else {
                plain = false;
                break;
            }
        }
        if plain && body.len() > usize::from(point) && mantissa < 1 << 53 {
            let n = mantissa as f64 / POWERS[after_point];
            return Ok(signed(n));
        }
    }
    parse_any_float(value, strict)
}

#[cold]
fn parse_any_float(value: &[u8], strict: bool) -> Result<f64, Reason> {
    let class = classify_number(value);
    let known = match class {
        Number::None => {
            let unsigned = value.strip_prefix(b"+").unwrap_or_default();
            !strict
                && unsigned.first().is_some_and(u8::is_ascii_digit)
                && !matches!(classify_number(unsigned), Number::None)
        }
        Number::LeadingZero => !strict,
        _ => true,
    };
    if !known {
        return Err(Reason::BadValue);
    }
    let unsigned = value.strip_prefix(b"+").unwrap_or(value);
    let n: f64 = fast_float2::parse(unsigned).map_err(|_| Reason::BadValue)?;
    let overflow = n.is_infinite() && class != Number::Infinity;
    let mantissa = value
        .split(|b| matches!(b, b'e' | b'E'))
        .next()
        .unwrap_or_default();
    let underflow = n == 0.0 && mantissa.iter().any(|b| matches!(b, b'1'..=b'9'));
    if overflow || underflow {
        Err(Reason::OutOfRange)
    } else {
        Ok(n)
    }
}

/// A decimal of this precision and scale, without rounding: digits beyond the scale must be zero.
fn parse_decimal(value: &[u8], precision: u8, scale: i8) -> Result<i128, Reason> {
    let (negative, body) = match value {
        [b'-', body @ ..] => (true, body),
        [b'+', body @ ..] => (false, body),
        _ => (false, value),
    };
    let scale = usize::from(scale.unsigned_abs());
    let (mut digits, mut after_point, mut point) = (0usize, 0usize, false);
    // `None`: no number of this type, if it is one at all.
    let mut n = Some(0i128);
    for &byte in body {
        match byte {
            b'0'..=b'9' => {
                digits += 1;
                if point && after_point == scale {
                    n = n.filter(|_| byte == b'0');
                    continue;
                }
                after_point += usize::from(point);
                n = n
                    .and_then(|n| n.checked_mul(10))
                    .and_then(|n| n.checked_add(i128::from(byte - b'0')));
            }
            b'.' if !point => point = true,
            _ => return Err(Reason::BadValue),
        }
    }
    if digits == 0 {
        return Err(Reason::BadValue);
    }
    for _ in after_point..scale {
        n = n.and_then(|n| n.checked_mul(10));
    }
    let limit = 10i128.checked_pow(u32::from(precision));
    match n {
        Some(n) if limit.is_none_or(|limit| n < limit) => Ok(if negative { -n } else { n }),
        _ => Err(Reason::OutOfRange),
    }
}

/// Rewrites a number with the layout's decimal and thousands marks to plain spelling. `None` where the
/// marks are not where they belong (`1,23,4`), or a point stands where it is no mark.
pub(crate) fn plain_number<'v>(layout: &Layout, value: &'v [u8]) -> Option<Cow<'v, [u8]>> {
    if layout.decimal == b'.' && layout.thousands.is_none() {
        return Some(Cow::Borrowed(value));
    }
    let sign = usize::from(matches!(value.first(), Some(b'-' | b'+')));
    let body = &value[sign..];
    let point = body.iter().position(|&b| b == layout.decimal);
    let (whole, rest) = body.split_at(point.unwrap_or(body.len()));
    let mut out = value[..sign].to_vec();
    match layout.thousands {
        Some(mark) if whole.contains(&mark) => {
            for (i, group) in whole.split(|&b| b == mark).enumerate() {
                let fits = if i == 0 {
                    (1..=3).contains(&group.len())
                } else {
                    group.len() == 3
                };
                if !fits || !group.iter().all(u8::is_ascii_digit) {
                    return None;
                }
                out.extend_from_slice(group);
            }
        }
        _ => out.extend_from_slice(whole),
    }
    if layout.decimal != b'.' && body.contains(&b'.') && layout.thousands != Some(b'.') {
        return None;
    }
    if let [_, fraction @ ..] = rest {
        out.push(b'.');
        out.extend_from_slice(fraction);
    }
    Some(Cow::Owned(out))
}

impl Fields<'_> {
    fn marked(&self) -> bool {
        self.layout.decimal != b'.' || self.layout.thousands.is_some()
    }

    fn strict(&self) -> bool {
        self.layout.columns[self.column].inferred
    }

    pub(crate) fn int64(&self, bad: &mut Vec<BadValue>) -> ArrayRef {
        let strict = self.strict();
        if self.marked() {
            let parse = |v: &[u8]| {
                parse_int(
                    &plain_number(self.layout, v).ok_or(Reason::BadValue)?,
                    strict,
                )
            };
            return Arc::new(self.primitive::<Int64Type>(parse, bad));
        }
        match strict {
            true => Arc::new(self.primitive::<Int64Type>(|v| parse_int(v, true), bad)),
            false => Arc::new(self.primitive::<Int64Type>(|v| parse_int(v, false), bad)),
        }
    }

    pub(crate) fn float64(&self, bad: &mut Vec<BadValue>) -> ArrayRef {
        let strict = self.strict();
        if self.marked() {
            let parse = |v: &[u8]| {
                parse_float(
                    &plain_number(self.layout, v).ok_or(Reason::BadValue)?,
                    strict,
                )
            };
            return Arc::new(self.primitive::<Float64Type>(parse, bad));
        }
        match strict {
            true => Arc::new(self.primitive::<Float64Type>(|v| parse_float(v, true), bad)),
            false => Arc::new(self.primitive::<Float64Type>(|v| parse_float(v, false), bad)),
        }
    }

    pub(crate) fn decimal(
        &self,
        precision: u8,
        scale: i8,
        bad: &mut Vec<BadValue>,
    ) -> Result<ArrayRef> {
        let parse = |v: &[u8]| {
            let plain = plain_number(self.layout, v).ok_or(Reason::BadValue)?;
            parse_decimal(&plain, precision, scale)
        };
        let array = self.primitive::<Decimal128Type>(parse, bad);
        Ok(Arc::new(array.with_precision_and_scale(precision, scale)?) as Arc<dyn Array>)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_classified_by_spelling() {
        for (text, class) in [
            ("0", Number::Int(1)),
            ("-12", Number::Int(2)),
            ("007", Number::LeadingZero),
            ("+44", Number::None),
            ("1e5", Number::Code),
            ("00e5", Number::LeadingZero),
            ("1E-5", Number::Float),
            ("1e+05", Number::Float),
            ("1.5", Number::Float),
            (".5", Number::Float),
            ("5.", Number::Float),
            ("00.5", Number::LeadingZero),
            ("0.5", Number::Float),
            ("1-Mar", Number::None),
            ("-", Number::None),
            (".", Number::None),
            ("e5", Number::None),
            ("1e", Number::None),
            ("inf", Number::Infinity),
            ("", Number::None),
        ] {
            assert_eq!(classify_number(text.as_bytes()), class, "{text}");
        }
    }

    #[test]
    fn floats_are_rounded_as_the_standard_library_does() {
        let mut state = 42u64;
        for _ in 0..200_000 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let n = f64::from_bits(state);
            for text in [
                format!("{n:?}"),
                format!("{:.4}", (state >> 40) as f64 / 1e4),
                format!("{}.{}", state >> 30, state % 99_991),
            ] {
                let Ok(expected) = text.parse::<f64>() else {
                    continue;
                };
                if !expected.is_finite() || classify_number(text.as_bytes()) == Number::None {
                    continue;
                }
                let parsed = parse_float(text.as_bytes(), false);
                assert_eq!(parsed.map(f64::to_bits), Ok(expected.to_bits()), "{text}");
            }
        }
    }

    #[test]
    fn numbers_out_of_range_are_bad_values() {
        assert_eq!(parse_float(b"1e-412", false), Err(Reason::OutOfRange));
        assert_eq!(parse_float(b"1e+400", false), Err(Reason::OutOfRange));
        assert_eq!(parse_float(b"0e-412", false), Ok(0.0));
        assert_eq!(parse_float(b"-inf", false), Ok(f64::NEG_INFINITY));
        assert_eq!(
            parse_int(b"9223372036854775808", false),
            Err(Reason::OutOfRange)
        );
        assert_eq!(parse_int(b"-9223372036854775808", false), Ok(i64::MIN));
        assert_eq!(parse_int(b"007", true), Err(Reason::BadValue));
        assert_eq!(parse_int(b"007", false), Ok(7));
        assert_eq!(parse_float(b"007", true), Err(Reason::BadValue));
        assert_eq!(parse_float(b"+44", true), Err(Reason::BadValue));
        assert_eq!(parse_float(b"+1.5", false), Ok(1.5));
        assert_eq!(parse_float(b"+-5", false), Err(Reason::BadValue));
        assert_eq!(parse_float(b"++5.", false), Err(Reason::BadValue));
    }

    #[test]
    fn decimals_keep_every_digit() {
        assert_eq!(parse_decimal(b"12.5", 10, 2), Ok(1250));
        assert_eq!(parse_decimal(b"-0.01", 10, 2), Ok(-1));
        assert_eq!(parse_decimal(b"1.005", 10, 2), Err(Reason::OutOfRange));
        assert_eq!(parse_decimal(b"1.500", 10, 1), Ok(15));
        assert_eq!(parse_decimal(b"123", 2, 0), Err(Reason::OutOfRange));
        assert_eq!(parse_decimal(b".", 2, 0), Err(Reason::BadValue));
        assert_eq!(parse_decimal(b"1.005x", 10, 2), Err(Reason::BadValue));
    }

    #[test]
    fn marks_must_be_where_they_belong() {
        let mut layout = Layout::new(crate::delimited::Dialect::csv(), vec![]);
        layout.decimal = b',';
        layout.thousands = Some(b'.');
        let plain = |v: &str| {
            plain_number(&layout, v.as_bytes()).map(|p| String::from_utf8_lossy(&p).into_owned())
        };
        assert_eq!(plain("1.234.567,89").as_deref(), Some("1234567.89"));
        assert_eq!(plain("-12,5").as_deref(), Some("-12.5"));
        assert_eq!(plain("1.23,4"), None);
    }
}
