//! `snomed_valid`: whether a text is a SNOMED CT identifier.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion_common::Result;

use crate::function::{Call, Spec, text};

pub(super) const SPEC: Spec = Spec {
    name: "snomed_valid",
    arguments: &[text("text", "An SCTID.")],
    required: 1,
    subject: 0,
    returns: || DataType::Boolean,
    doc: "Whether a text is a SNOMED CT identifier: 6 to 18 digits, the last of them Verhoeff's check digit, and \
          before it a partition identifier that is known (SNOMED CT release file specifications, 6). (Bioregistry takes any digits.)",
    example: ("snomed_valid('22298006')", "true"),
    compute,
};

/// The dihedral group D5, and the permutation, of Verhoeff's scheme (J. Verhoeff, 1969).
const D: [[u8; 10]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
    [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
    [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
    [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
    [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
    [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
    [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
    [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
    [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
];
const P: [[u8; 10]; 8] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [1, 5, 7, 6, 2, 8, 3, 0, 9, 4],
    [5, 8, 0, 3, 7, 9, 6, 1, 4, 2],
    [8, 9, 1, 6, 0, 4, 3, 5, 2, 7],
    [9, 4, 5, 3, 1, 2, 6, 8, 7, 0],
    [4, 2, 8, 6, 5, 7, 3, 9, 0, 1],
    [2, 7, 9, 3, 8, 0, 6, 4, 1, 5],
    [7, 0, 4, 6, 9, 1, 3, 2, 5, 8],
];

/// Whether this is an identifier.
pub(super) fn is_valid(text: &str) -> bool {
    let digits = text.as_bytes();
    if !(6..=18).contains(&digits.len())
        || digits[0] == b'0'
        || !digits.iter().all(u8::is_ascii_digit)
    {
        return false;
    }
    let partition = &digits[digits.len() - 3..digits.len() - 1];
    if !matches!(partition, [b'0' | b'1', b'0'..=b'2']) {
        return false;
    }
    let check = digits
        .iter()
        .rev()
        .enumerate()
        .fold(0u8, |check, (i, digit)| {
            let permuted = P[i % 8][usize::from(digit - b'0')];
            D[usize::from(check)][usize::from(permuted)]
        });
    check == 0
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
            "22298006",
            "73211009",
            "38341003",
            "404684003",
            "900000000000207008",
        ] {
            assert!(is_valid(good), "{good}");
        }
        for bad in [
            "22298007",
            "22289006",
            "2229800",
            "022298006",
            "",
            "22298006 ",
            "1234567890123456789",
        ] {
            assert!(!is_valid(bad), "{bad}");
        }
    }
}
