//! `orcid_valid`: whether a text is an ORCID iD.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion_common::Result;

use crate::function::{Call, Spec, text};

pub(super) const SPEC: Spec = Spec {
    name: "orcid_valid",
    arguments: &[text("text", "An iD: `0000-0003-4423-4370`.")],
    required: 1,
    subject: 0,
    returns: || DataType::Boolean,
    doc: "Whether a text is an ORCID iD: 16 characters in groups of four, the last of them the check digit of \
          ISO 7064 MOD 11-2. (Bioregistry looks at the shape only.)",
    example: ("orcid_valid('0000-0003-4423-4370')", "true"),
    compute,
};

/// Whether this is an iD.
pub(super) fn is_valid(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() != 19 || [4, 9, 14].iter().any(|&i| bytes[i] != b'-') {
        return false;
    }
    let mut digits = bytes.iter().copied().filter(|&byte| byte != b'-');
    let mut total = 0u32;
    for digit in digits.by_ref().take(15) {
        if !digit.is_ascii_digit() {
            return false;
        }
        total = (total + u32::from(digit - b'0')) * 2 % 11;
    }
    let check = match (12 - total) % 11 {
        10 => b'X',
        digit => b'0' + digit as u8,
    };
    digits.next() == Some(check) && digits.next().is_none()
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
            "0000-0003-4423-4370",
            "0000-0002-1825-0097",
            "0000-0002-1694-233X",
        ] {
            assert!(is_valid(good), "{good}");
        }
        for bad in [
            "0000-0003-4423-4371",
            "0000000344234370",
            "0000-0002-1694-233x",
            "",
            "0000-0003-4423-43-0",
        ] {
            assert!(!is_valid(bad), "{bad}");
        }
    }
}
