//! Registry numbers of the Chemical Abstracts Service, for `cas_parse` and `cas_valid`.

use super::verdict::Judged;
use super::written::{after_prefix, content, is_digits};

/// Whether this is a number with the right check digit: two to seven digits, two, one; the last is the sum of the
/// others, each times its place from the right, modulo ten (cas.org/support/documentation/chemical-substances).
pub(super) fn is_valid(text: &str) -> bool {
    let mut parts = text.split('-');
    let (Some(first), Some(second), Some(check), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let shape = (2..=7).contains(&first.len()) && second.len() == 2 && check.len() == 1;
    if !shape
        || !is_digits(first)
        || !is_digits(second)
        || !is_digits(check)
        || first.starts_with('0')
    {
        return false;
    }
    let number = first.bytes().chain(second.bytes()).rev();
    let sum: u32 = (1u32..)
        .zip(number)
        .map(|(place, digit)| place * u32::from(digit - b'0'))
        .sum();
    check
        .as_bytes()
        .first()
        .is_some_and(|&check| sum % 10 == u32::from(check - b'0'))
}

/// One number.
pub(super) fn judge(written: &str) -> Judged<'_> {
    let Some(text) = content(written) else {
        return Judged::NULL;
    };
    let bare = after_prefix(text, &["cas"], &[':', ' ']).unwrap_or(text);
    if is_valid(bare) {
        return Judged::of(bare, written, "blanks or prefix removed");
    }
    let shape = bare.bytes().filter(|&byte| byte == b'-').count() == 2
        && bare
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-');
    Judged::invalid(match shape {
        true => "the check digit is wrong, or the shape",
        false => "not two to seven digits, two and one",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_digit_counts() {
        for good in ["58-08-2", "7732-18-5", "50-00-0", "107-07-3"] {
            assert!(is_valid(good), "{good}");
        }
        for bad in [
            "58-08-3",
            "58-8-2",
            "5-08-2",
            "058-08-2",
            "58-08-2-1",
            "58-08-",
            "",
            "٥٨-٠٨-٢",
        ] {
            assert!(!is_valid(bad), "{bad}");
        }
        assert_eq!(judge("CAS: 58-08-2").id.as_deref(), Some("58-08-2"));
    }
}
