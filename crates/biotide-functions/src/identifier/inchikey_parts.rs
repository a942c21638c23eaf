//! `inchikey_parts`: the blocks of an InChIKey.

use std::sync::Arc;

use arrow::array::ArrayRef;
use datafusion_common::Result;

use super::verdict::{Judged, Verdict};
use super::written::{after_prefix, content};
use crate::function::{Call, Spec, text};
use crate::record::{Column, Holds, Records, Value, struct_type};

pub(super) const SPEC: Spec = Spec {
    name: "inchikey_parts",
    arguments: &[text("text", "An InChIKey, with `InChIKey=` or without.")],
    required: 1,
    subject: 0,
    returns: || struct_type(&COLUMNS),
    doc: "The blocks of an InChIKey: 14 letters for the connectivity, 8 for the rest, S (standard) or N, the version \
          (A is 1), the protonation (N is neutral). (InChI technical manual, IUPAC.) Two blocks are none. (Bioregistry's \
          pattern takes two blocks for a key.)",
    example: (
        "inchikey_parts('RYYVLZVUVIJVGH-UHFFFAOYSA-N')['connectivity']",
        "RYYVLZVUVIJVGH",
    ),
    compute,
};

const COLUMNS: [Column; 8] = [
    ("inchikey", Holds::Text),
    ("connectivity", Holds::Text),
    ("layers", Holds::Text),
    ("standard", Holds::Flag),
    ("version", Holds::Text),
    ("protonation", Holds::Text),
    ("verdict", Holds::Text),
    ("note", Holds::Text),
];

/// The key, in capitals.
pub(super) fn judge(written: &str) -> Judged<'_> {
    let Some(text) = content(written) else {
        return Judged::NULL;
    };
    let bare = after_prefix(text, &["inchikey"], &['=', ':']).unwrap_or(text);
    let key = bare.to_ascii_uppercase();
    if !is_valid(key.as_bytes()) {
        return Judged::invalid("not 14, 10 and 1 capitals with S or N at the 24th place");
    }
    Judged::of(key, written, "blanks or prefix removed, or upper case")
}

pub(super) fn is_valid(key: &[u8]) -> bool {
    key.len() == 27
        && key.iter().enumerate().all(|(i, &byte)| match i {
            14 | 25 => byte == b'-',
            23 => matches!(byte, b'S' | b'N'),
            _ => byte.is_ascii_uppercase(),
        })
}

fn compute(call: &Call<'_>) -> Result<ArrayRef> {
    use Value::Null;
    let mut records = Records::new(&COLUMNS);
    for text in call.text(0)?.iter() {
        let judged = text.map_or(Judged::NULL, judge);
        let (verdict, note) = (judged.verdict.name().into(), judged.note.into());
        let Some(key) = judged.id.filter(|_| judged.verdict != Verdict::Invalid) else {
            records.push([Null, Null, Null, Null, Null, Null, verdict, note]);
            continue;
        };
        records.push([
            (&*key).into(),
            key[..14].into(),
            key[15..23].into(),
            (key.as_bytes()[23] == b'S').into(),
            key[24..25].into(),
            key[26..].into(),
            verdict,
            note,
        ]);
    }
    Ok(Arc::new(records.finish()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_blocks_make_a_key() {
        let key = "RYYVLZVUVIJVGH-UHFFFAOYSA-N";
        assert_eq!(judge(key).verdict, Verdict::Ok);
        assert_eq!(
            judge("InChIKey=RYYVLZVUVIJVGH-UHFFFAOYSA-N").id.as_deref(),
            Some(key)
        );
        for bad in [
            "RYYVLZVUVIJVGH-UHFFFAOYSA",
            "RYYVLZVUVIJVGH-UHFFFAOYXA-N",
            "",
            "RYYVLZVUVIJVG1-UHFFFAOYSA-N",
        ] {
            assert!(!judge(bad).is_valid(), "{bad}");
        }
    }
}
