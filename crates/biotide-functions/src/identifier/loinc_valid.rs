//! `loinc_valid`: whether a text is a LOINC code.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion_common::Result;

use super::written::is_digits;
use crate::function::{Call, Spec, text};

pub(super) const SPEC: Spec = Spec {
    name: "loinc_valid",
    arguments: &[text("text", "A code.")],
    required: 1,
    subject: 0,
    returns: || DataType::Boolean,
    doc: "Whether a text is a LOINC code: one to seven digits, a dash and the check digit (Luhn's, as in the LOINC \
          users' guide, appendix C). Codes of parts, answers and groups (LP, LA, LL, LG) have no such digit: of \
          them only the shape is looked at. (Bioregistry looks at no check digit.)",
    example: ("loinc_valid('2339-0')", "true"),
    compute,
};

/// Whether this is a code.
pub(super) fn is_valid(text: &str) -> bool {
    let Some((code, check)) = text.split_once('-') else {
        return false;
    };
    if check.len() != 1 || !is_digits(check) {
        return false;
    }
    if let Some(part) = ["LP", "LA", "LL", "LG"]
        .iter()
        .find_map(|kind| code.strip_prefix(kind))
    {
        return is_digits(part) && part.len() <= 7;
    }
    if !is_digits(code) || code.len() > 7 {
        return false;
    }
    // Every second digit from the right, that before the check digit first, is doubled.
    let sum: u32 = code
        .bytes()
        .rev()
        .enumerate()
        .map(|(i, digit)| {
            let digit = u32::from(digit - b'0');
            match (i % 2, digit) {
                (0, 5..) => 2 * digit - 9,
                (0, _) => 2 * digit,
                _ => digit,
            }
        })
        .sum();
    check
        .as_bytes()
        .first()
        .is_some_and(|&check| (10 - sum % 10) % 10 == u32::from(check - b'0'))
}

fn compute(call: &Call<'_>) -> Result<ArrayRef> {
    call.test(is_valid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_digit_counts() {
        for good in [
            "2339-0",
            "718-7",
            "4548-4",
            "2093-3",
            "13457-7",
            "LP14542-7",
            "LA6576-8",
        ] {
            assert!(is_valid(good), "{good}");
        }
        for bad in [
            "2339-1",
            "2339",
            "-0",
            "2339-00",
            "LX14542-7",
            "12345678-0",
            "",
        ] {
            assert!(!is_valid(bad), "{bad}");
        }
    }
}
