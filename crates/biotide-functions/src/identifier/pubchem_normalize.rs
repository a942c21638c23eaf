//! `pubchem_normalize`: PubChem compound identifiers.

use arrow::array::ArrayRef;
use datafusion_common::Result;

use super::verdict::{Judged, judge_all, judged_type};
use super::written::{content, is_number, trim};
use crate::function::{Call, Spec, text};

pub(super) const SPEC: Spec = Spec {
    name: "pubchem_normalize",
    arguments: &[text(
        "text",
        "A compound identifier: digits, with CID or without.",
    )],
    required: 1,
    subject: 0,
    returns: judged_type,
    doc: "A PubChem compound identifier as digits. `250.0`, as spreadsheets write it, is repaired. A substance \
          (SID) is none.",
    example: ("pubchem_normalize('CID2519')['id']", "2519"),
    compute,
};

const PREFIXES: [&str; 4] = ["pubchem.compound:", "pubchem:", "cid:", "cid"];

/// Whether this is a number of ten digits at most.
pub(super) fn is_compound(id: &[u8]) -> bool {
    matches!(id, [b'1'..=b'9', ..]) && id.len() <= 10 && id.iter().all(u8::is_ascii_digit)
}

/// Digits.
pub(super) fn judge(written: &str) -> Judged<'_> {
    let Some(text) = content(written) else {
        return Judged::NULL;
    };
    let mut bare = text;
    for prefix in PREFIXES {
        let head = bare.get(..prefix.len());
        if head.is_some_and(|head| head.eq_ignore_ascii_case(prefix)) {
            bare = trim(&bare[prefix.len()..]);
        }
    }
    let whole = bare.strip_suffix(".0").unwrap_or(bare);
    if is_number(whole) && whole.len() <= 10 {
        return Judged::of(whole, written, "prefix, blanks or decimal removed");
    }
    Judged::invalid("not a compound's number")
}

fn compute(call: &Call<'_>) -> Result<ArrayRef> {
    judge_all(call, judge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compounds_are_numbers() {
        for good in [
            "CID2519",
            "2519",
            "cid: 2519",
            "PubChem:2519",
            "pubchem.compound:CID2519",
            "2519.0",
        ] {
            assert_eq!(judge(good).id.as_deref(), Some("2519"), "{good}");
        }
        for bad in ["SID2519", "0", "2519.5", "C2519", "12345678901", "NA"] {
            assert!(!judge(bad).is_valid(), "{bad}");
        }
    }
}
