//! `dbsnp_normalize`: reference SNP identifiers.

use arrow::array::ArrayRef;
use datafusion_common::Result;

use super::verdict::{Judged, judge_all, judged_type};
use super::written::{content, is_number, without_prefix};
use crate::function::{Call, Spec, text};

pub(super) const SPEC: Spec = Spec {
    name: "dbsnp_normalize",
    arguments: &[text("text", "An rs identifier.")],
    required: 1,
    subject: 0,
    returns: judged_type,
    doc: "A dbSNP identifier: rs and digits. One with an allele (`rs142570322-T`) is none. \
          (biomapper2 found such ones taken for identifiers.)",
    example: ("dbsnp_normalize('RS7412')['id']", "rs7412"),
    compute,
};

/// rs and digits.
pub(super) fn judge(written: &str) -> Judged<'_> {
    let Some(text) = content(written) else {
        return Judged::NULL;
    };
    let bare = without_prefix(text, "dbsnp");
    let digits = bare.get(..2).filter(|head| head.eq_ignore_ascii_case("rs"));
    let digits = digits.map(|_| &bare[2..]);
    match digits {
        Some(digits) if is_number(digits) => Judged::of(
            format!("rs{digits}"),
            written,
            "blanks or prefix removed, or lower case",
        ),
        _ => Judged::invalid("not rs and digits"),
    }
}

fn compute(call: &Call<'_>) -> Result<ArrayRef> {
    judge_all(call, judge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alleles_are_no_part() {
        assert_eq!(judge("RS7412").id.as_deref(), Some("rs7412"));
        assert_eq!(judge("dbsnp:rs7412").id.as_deref(), Some("rs7412"));
        for bad in ["rs1-T", "rs", "7412", "rs007", "rs7412 "] {
            assert_eq!(judge(bad).is_valid(), bad == "rs7412 ", "{bad}");
        }
    }
}
