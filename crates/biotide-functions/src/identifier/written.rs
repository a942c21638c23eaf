//! Identifiers as people write them.

pub(super) use biotide_common::identifiers::{is_nothing, trim};

/// The text without blanks around it, where those do not count.
pub(super) fn trim_if(trims: bool, text: &str) -> &str {
    match trims {
        true => trim(text),
        false => text,
    }
}

/// The text without blanks around it; `None` if it stands for nothing.
pub(super) fn content(written: &str) -> Option<&str> {
    Some(trim(written)).filter(|text| !is_nothing(text))
}

/// What comes after one of these prefixes, in any case, and a separator.
pub(super) fn after_prefix<'a>(
    text: &'a str,
    prefixes: &[&str],
    separators: &[char],
) -> Option<&'a str> {
    let (prefix, rest) = text.split_once(separators)?;
    let known = prefixes
        .iter()
        .any(|known| prefix.eq_ignore_ascii_case(known));
    known.then(|| trim(rest))
}

/// The text without its prefix and a colon, if it has this one.
pub(super) fn without_prefix<'a>(text: &'a str, prefix: &str) -> &'a str {
    after_prefix(text, &[prefix], &[':']).unwrap_or(text)
}

/// Whether these are ASCII digits, one at least.
pub(super) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Digits that are a number from 1, without a leading zero.
pub(super) fn is_number(digits: &str) -> bool {
    is_digits(digits) && !digits.starts_with('0')
}
