//! `chembl_normalize`: ChEMBL identifiers.

use arrow::array::ArrayRef;
use datafusion_common::Result;

use super::verdict::{Judged, judge_all, judged_type};
use super::written::{content, is_number, trim};
use crate::function::{Call, Spec, text};

pub(super) const SPEC: Spec = Spec {
    name: "chembl_normalize",
    arguments: &[text("text", "A ChEMBL identifier.")],
    required: 1,
    subject: 0,
    returns: judged_type,
    doc: "A ChEMBL identifier: CHEMBL and digits.",
    example: ("chembl_normalize('chembl25')['id']", "CHEMBL25"),
    compute,
};

/// CHEMBL and digits.
pub(super) fn judge(written: &str) -> Judged<'_> {
    let Some(text) = content(written) else {
        return Judged::NULL;
    };
    let bare = match text.split_once(':') {
        Some((prefix, rest)) if prefix.get(..6).is_some_and(is_chembl) => trim(rest),
        _ => text,
    };
    match bare.get(..6).filter(|head| is_chembl(head)) {
        Some(_) if is_number(&bare[6..]) => {
            let id = format!("CHEMBL{}", &bare[6..]);
            Judged::of(id, written, "blanks or prefix removed, or upper case")
        }
        _ => Judged::invalid("not CHEMBL and digits"),
    }
}

fn is_chembl(head: &str) -> bool {
    head.eq_ignore_ascii_case("chembl")
}

fn compute(call: &Call<'_>) -> Result<ArrayRef> {
    judge_all(call, judge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_upper_case() {
        for good in [
            "CHEMBL25",
            "chembl25",
            "ChEMBL:CHEMBL25",
            "chembl.compound:CHEMBL25",
        ] {
            assert_eq!(judge(good).id.as_deref(), Some("CHEMBL25"), "{good}");
        }
        for bad in ["CHEMBL", "CHEMBL025", "25", "CHEMBL25a"] {
            assert!(!judge(bad).is_valid(), "{bad}");
        }
    }
}
