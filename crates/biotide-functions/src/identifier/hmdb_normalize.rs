//! `hmdb_normalize`: HMDB accessions.

use arrow::array::ArrayRef;
use datafusion_common::Result;

use super::tables::Secondary;
use super::verdict::{Judged, Verdict, judge_all, judged_type};
use super::written::{content, trim};
use crate::function::{Call, Spec, text};

pub(super) const SPEC: Spec = Spec {
    name: "hmdb_normalize",
    arguments: &[text("text", "An accession of five or seven digits.")],
    required: 1,
    subject: 0,
    returns: judged_type,
    doc: "An HMDB accession in the form of today: HMDB and seven digits. Those of five digits were made longer by \
          two zeros in 2017; of 80,108 secondary ones 852 moved elsewhere, which only HMDB's own table can tell: \
          with it (`SET biotide.identifiers.secondary = 'hmdb=path'`) these are `retired`, and have the accession of \
          today.",
    example: ("hmdb_normalize('HMDB00001')['id']", "HMDB0000001"),
    compute,
};

/// Whether this is HMDB and seven digits.
pub(super) fn is_accession(id: &[u8]) -> bool {
    let digits = id.strip_prefix(b"HMDB");
    digits.is_some_and(|digits| digits.len() == 7 && digits.iter().all(u8::is_ascii_digit))
}

/// HMDB and seven digits.
pub(super) fn judge(written: &str) -> Judged<'_> {
    let Some(text) = content(written) else {
        return Judged::NULL;
    };
    let mut bare = text;
    while let Some(rest) = bare
        .get(..5)
        .filter(|head| head.eq_ignore_ascii_case("hmdb:"))
    {
        bare = trim(&bare[rest.len()..]);
    }
    let digits = match bare.get(..4) {
        Some(head) if head.eq_ignore_ascii_case("hmdb") => &bare[4..],
        _ => return Judged::invalid("not HMDB and digits"),
    };
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Judged::invalid("not HMDB and digits");
    }
    match digits.len() {
        7 if bare == written && bare.starts_with("HMDB") => Judged::of(written, written, ""),
        7 => Judged::of(
            format!("HMDB{digits}"),
            written,
            "blanks or prefix removed, or upper case",
        ),
        5 => Judged::of(format!("HMDB00{digits}"), written, "five digits made seven"),
        _ => Judged::invalid("neither five nor seven digits"),
    }
}

fn compute(call: &Call<'_>) -> Result<ArrayRef> {
    let tables = call.secondary_of_files()?;
    let Some(table) = tables.as_ref().and_then(|tables| tables.get("hmdb")) else {
        return judge_all(call, judge);
    };
    judge_all(call, |written| brought_forward(judge(written), table))
}

/// The accession in whose place another one is.
fn brought_forward<'a>(judged: Judged<'a>, table: &Secondary) -> Judged<'a> {
    let fate = judged
        .id
        .as_ref()
        .and_then(|id| table.follow(table.form.code(id)?));
    let Some(fate) = fate else {
        return judged;
    };
    let (id, verdict, note) = match fate.current.as_slice() {
        &[one] => (Some(table.form.show(one)), Verdict::Retired, "replaced"),
        [] => (None, Verdict::Withdrawn, "withdrawn without a successor"),
        _ => (None, Verdict::Ambiguous, "split into several"),
    };
    Judged {
        id: id.map(Into::into),
        verdict,
        note: Some(note),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_digits_become_seven() {
        for (written, id) in [
            ("HMDB00001", Some("HMDB0000001")),
            ("HMDB0000001", Some("HMDB0000001")),
            ("hmdb0000001", Some("HMDB0000001")),
            (" HMDB:HMDB00001", Some("HMDB0000001")),
            ("HMDB1", None),
            ("HMDB000001", None),
            ("HMDB٣٤٥٦٧", None),
            ("0000001", None),
            ("NA", None),
        ] {
            assert_eq!(judge(written).id.as_deref(), id, "{written}");
        }
    }
}
