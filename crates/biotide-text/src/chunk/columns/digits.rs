//! Eight digits at a time.

/// The first eight bytes of a text of at most that many, and zeros behind it.
#[inline(always)]
pub(super) fn load(text: &[u8]) -> u64 {
    // Two loads that overlap, for want of one that may read beyond the text.
    match *text {
        [] => 0,
        [a] => u64::from(a),
        [a, b] => u64::from(u16::from_le_bytes([a, b])),
        [a, b, c] => u64::from(u32::from_le_bytes([a, b, c, 0])),
        [a, b, c, d, ..] => {
            let first = u64::from(u32::from_le_bytes([a, b, c, d]));
            let Some((_, last)) = text.split_last_chunk::<4>() else {
                return first;
            };
            let last = u64::from(u32::from_le_bytes(*last));
            first | last << (8 * (text.len() as u32 - 4))
        }
    }
}

/// The number that `n` digits, 1 to 8 of them, in the low bytes of `text` make; `None` if one is none.
#[inline(always)]
pub(super) fn parse(text: u64, n: u32) -> Option<u32> {
    debug_assert!((1..=8).contains(&n));
    // Zeros before the first digit, so that there are eight.
    let room = 64 - 8 * n;
    let digits = text << room | (ZEROS & !(u64::MAX << room));
    // A digit is 0x30 to 0x39: as it stands, and with 6 more.
    let more = digits.wrapping_add(0x0606_0606_0606_0606);
    if (digits & HIGH_HALVES ^ ZEROS) | (more & HIGH_HALVES ^ ZEROS) != 0 {
        return None;
    }
    let ones = digits ^ ZEROS;
    let tens = ones.wrapping_mul(10).wrapping_add(ones >> 8);
    let pairs = 0x0000_00FF_0000_00FF;
    let low = (tens & pairs).wrapping_mul(100 + (1_000_000 << 32));
    let high = (tens >> 16 & pairs).wrapping_mul(1 + (10_000 << 32));
    Some((low.wrapping_add(high) >> 32) as u32)
}

/// Where the first `.` of a loaded text is.
#[inline(always)]
pub(super) fn point(text: u64) -> Option<u32> {
    let apart = text ^ 0x2E2E_2E2E_2E2E_2E2E;
    let found = apart.wrapping_sub(0x0101_0101_0101_0101) & !apart & 0x8080_8080_8080_8080;
    (found != 0).then(|| found.trailing_zeros() / 8)
}

/// A loaded text without its byte number `at`.
#[inline(always)]
pub(super) fn without(text: u64, at: u32) -> u64 {
    let before = (1u64 << (8 * at)) - 1;
    text & before | text >> 8 & !before
}

const ZEROS: u64 = 0x3030_3030_3030_3030;
const HIGH_HALVES: u64 = 0xF0F0_F0F0_F0F0_F0F0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_length_come_out() {
        for n in 1..=8u32 {
            for i in 0..2000u32 {
                let number = i.wrapping_mul(2_654_435_761) % 10u32.pow(n);
                let text = format!("{number:0width$}", width = n as usize);
                assert_eq!(parse(load(text.as_bytes()), n), Some(number), "{text}");
            }
        }
    }

    #[test]
    fn every_byte_that_is_no_digit_is_seen_at_every_place() {
        for at in 0..8 {
            for byte in 0..=255u8 {
                let mut text = *b"12345678";
                text[at] = byte;
                let known = parse(load(&text), 8).is_some();
                assert_eq!(known, byte.is_ascii_digit(), "{byte} at {at}");
            }
        }
    }

    #[test]
    fn the_point_is_found_and_left_out() {
        for at in 0..8usize {
            let mut text = *b"12345678";
            text[at] = b'.';
            let loaded = load(&text);
            assert_eq!(point(loaded), Some(at as u32));
            let rest: Vec<u8> = text.iter().copied().filter(|&byte| byte != b'.').collect();
            assert_eq!(without(loaded, at as u32), load(&rest));
        }
        assert_eq!(point(load(b"1234567")), None);
        assert_eq!(point(load(b"-/0\x2F\xAE")), None);
    }
}
