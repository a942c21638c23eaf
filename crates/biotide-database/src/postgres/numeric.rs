//! The binary form of `numeric`: digits to the base 10000, aligned at the decimal point.
//!
//! ```text
//! i16 count | i16 weight of the first | u16 sign | u16 scale shown | i16 digit …
//! ```

use bytes::{BufMut, BytesMut};

/// 256 bits have 77 decimal digits: 20 groups of four, and one more where they are cut by the point.
const GROUPS: usize = 24;
const NEGATIVE: u16 = 0x4000;
/// Four of a kind: NaN 0xC000, infinities 0xD000 and 0xF000.
const SPECIAL: u16 = 0xC000;

/// Writes length and value of `value · 10^-scale`; `scale` is not negative.
pub(super) fn put_i128(out: &mut BytesMut, value: i128, scale: u16) {
    let mut rest = value.unsigned_abs();
    let mut groups = [0_u16; GROUPS];
    let mut first = GROUPS;
    let mut push = |digit: u16| {
        first -= 1;
        groups[first] = digit;
    };
    // The group that the scale cuts holds its digits at the left.
    let cut = u32::from(scale % 4);
    if cut > 0 && rest > 0 {
        let unit = 10_u128.pow(cut);
        push((rest % unit) as u16 * 10_u16.pow(4 - cut));
        rest /= unit;
    }
    while rest > u128::from(u64::MAX) {
        push((rest % 10_000) as u16);
        rest /= 10_000;
    }
    // (Division of 64 bits is many times faster.)
    let mut rest = rest as u64;
    while rest > 0 {
        push((rest % 10_000) as u16);
        rest /= 10_000;
    }
    put_groups(out, &groups[first..], value < 0, scale);
}

/// The same of decimal digits, without sign or point.
pub(super) fn put_digits(out: &mut BytesMut, digits: &[u8], negative: bool, scale: u16) {
    let mut groups = [0_u16; GROUPS];
    let mut first = GROUPS;
    let mut rest = digits;
    let mut width = match usize::from(scale % 4) {
        0 => 4,
        cut => cut,
    };
    while !rest.is_empty() && first > 0 {
        let (left, group) = rest.split_at(rest.len().saturating_sub(width));
        let value = group
            .iter()
            .fold(0, |value, digit| value * 10 + u16::from(digit - b'0'));
        first -= 1;
        groups[first] = value * 10_u16.pow((4 - width) as u32);
        rest = left;
        width = 4;
    }
    put_groups(out, &groups[first..], negative, scale);
}

/// `groups` end with the group of the last digit of the scale.
fn put_groups(out: &mut BytesMut, groups: &[u16], negative: bool, scale: u16) {
    let mut weight = groups.len() as i16 - i16::try_from(scale.div_ceil(4)).unwrap_or(0) - 1;
    let zeros = groups.iter().take_while(|&&digit| digit == 0).count();
    let mut groups = &groups[zeros..];
    weight -= zeros as i16;
    while let [before @ .., 0] = groups {
        groups = before;
    }
    if groups.is_empty() {
        weight = 0;
    }
    out.put_i32(8 + 2 * groups.len() as i32);
    out.put_i16(groups.len() as i16);
    out.put_i16(weight);
    out.put_u16(if negative && !groups.is_empty() {
        NEGATIVE
    } else {
        0
    });
    out.put_u16(scale);
    for &digit in groups {
        out.put_u16(digit);
    }
}

/// What a numeric holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Numeric {
    Value(i128),
    /// NaN or an infinity.
    Special,
    /// More digits than fit.
    Large,
    /// No numeric.
    Broken,
}

/// The value times `10^scale`.
pub(super) fn read(bytes: &[u8], scale: u32) -> Numeric {
    let short = |at: usize| {
        let pair = bytes.get(at..at + 2)?;
        Some(i16::from_be_bytes([pair[0], pair[1]]))
    };
    let (Some(count), Some(weight), Some(sign)) = (short(0), short(2), short(4)) else {
        return Numeric::Broken;
    };
    let sign = sign as u16;
    if sign & SPECIAL == SPECIAL {
        return Numeric::Special;
    }
    let (count, mut value) = (i32::from(count), 0_i128);
    if bytes.len() as i32 != 8 + 2 * count {
        return Numeric::Broken;
    }
    // What a unit of the last group is worth, in powers of ten of the result.
    let unit = (i32::from(weight) - count + 1) * 4 + scale as i32;
    for group in 0..count {
        let digit = i128::from(short(8 + 2 * group as usize).unwrap_or(0));
        let is_cut = group == count - 1 && unit < 0;
        // The last group may reach below the scale; the type says that only zeros do.
        let (factor, digit) = match unit {
            -3..=-1 if is_cut => {
                let below = unit.unsigned_abs();
                (10_i128.pow(4 - below), digit / 10_i128.pow(below))
            }
            _ if is_cut => return Numeric::Large,
            _ => (10_000, digit),
        };
        let next = value.checked_mul(factor);
        let Some(next) = next.and_then(|next| next.checked_add(digit)) else {
            return Numeric::Large;
        };
        value = next;
    }
    if unit > 0 && value != 0 {
        let factor = 10_i128.checked_pow(unit as u32);
        match factor.and_then(|factor| value.checked_mul(factor)) {
            Some(scaled) => value = scaled,
            None => return Numeric::Large,
        }
    }
    Numeric::Value(if sign == NEGATIVE { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let max = 10_i128.pow(38) - 1;
        for scale in 0..=38_u16 {
            for value in [
                0,
                1,
                -1,
                9,
                10,
                1234,
                -10_000,
                123_456_789,
                10_i128.pow(20),
                max,
                -max,
            ] {
                let mut out = BytesMut::new();
                put_i128(&mut out, value, scale);
                assert_eq!(
                    out.len() as i32 - 4,
                    i32::from_be_bytes([out[0], out[1], out[2], out[3]])
                );
                assert_eq!(
                    read(&out[4..], u32::from(scale)),
                    Numeric::Value(value),
                    "{value} {scale}"
                );
                let mut same = BytesMut::new();
                let digits = value.unsigned_abs().to_string();
                put_digits(&mut same, digits.as_bytes(), value < 0, scale);
                assert_eq!(out, same, "{value} {scale}");
            }
        }
    }

    #[test]
    fn the_form_is_that_of_the_server() {
        // 12345.678 is 1 | 2345 | 6780.
        let mut out = BytesMut::new();
        put_i128(&mut out, 12_345_678, 3);
        let expected = [
            0, 0, 0, 14, 0, 3, 0, 1, 0, 0, 0, 3, 0, 1, 0x09, 0x29, 0x1a, 0x7c,
        ];
        assert_eq!(&out[..], expected);
        assert_eq!(read(&[0, 0, 0, 0, 0xC0, 0, 0, 0], 0), Numeric::Special);
        assert_eq!(read(&[0, 1], 0), Numeric::Broken);
    }
}
