//! What is said of an identifier.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion_common::Result;

use crate::function::Call;
use crate::record::{Column, Holds, Records, struct_type};

/// The fate of an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It was in canonical form.
    Ok,
    /// It was not, and now is.
    Repaired,
    /// It could be several.
    Ambiguous,
    /// Another one has taken its place.
    Retired,
    /// It was given up without one.
    Withdrawn,
    /// It looks right, and nothing is known of it.
    Unmapped,
    /// It is none.
    Invalid,
    /// There was nothing.
    Null,
}

impl Verdict {
    /// All names.
    pub(crate) const NAMES: &'static str =
        "ok, repaired, ambiguous, retired, withdrawn, unmapped, invalid, null";

    /// The one of a name.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let all = [
            Self::Ok,
            Self::Repaired,
            Self::Ambiguous,
            Self::Retired,
            Self::Withdrawn,
            Self::Unmapped,
            Self::Invalid,
            Self::Null,
        ];
        all.into_iter()
            .find(|verdict| verdict.name().eq_ignore_ascii_case(name))
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Repaired => "repaired",
            Self::Ambiguous => "ambiguous",
            Self::Retired => "retired",
            Self::Withdrawn => "withdrawn",
            Self::Unmapped => "unmapped",
            Self::Invalid => "invalid",
            Self::Null => "null",
        }
    }
}

/// An identifier in canonical form, and what was said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Judged<'a> {
    /// NULL if it is none.
    pub(crate) id: Option<Cow<'a, str>>,
    pub(crate) verdict: Verdict,
    /// The rule that changed or refused it.
    pub(crate) note: Option<&'static str>,
}

impl<'a> Judged<'a> {
    /// It is right; repaired if it was written otherwise, by this rule.
    pub(crate) fn of(id: impl Into<Cow<'a, str>>, written: &str, rule: &'static str) -> Self {
        let id = id.into();
        let same = id == written;
        Self {
            verdict: if same { Verdict::Ok } else { Verdict::Repaired },
            note: (!same).then_some(rule),
            id: Some(id),
        }
    }

    /// It is none, for this reason.
    pub(crate) fn invalid(why: &'static str) -> Self {
        Self {
            id: None,
            verdict: Verdict::Invalid,
            note: Some(why),
        }
    }

    /// The same, but repaired by this rule if it is right.
    pub(crate) fn repaired(self, rule: &'static str) -> Self {
        match self.verdict {
            Verdict::Ok => Self {
                verdict: Verdict::Repaired,
                note: Some(rule),
                ..self
            },
            _ => self,
        }
    }

    /// There is nothing.
    pub(crate) const NULL: Self = Self {
        id: None,
        verdict: Verdict::Null,
        note: None,
    };

    /// How sure it is that the text means this identifier: 0 to 1. What was repaired is less so.
    pub(crate) fn confidence(&self) -> f64 {
        match self.verdict {
            Verdict::Ok => 1.0,
            Verdict::Repaired => 0.9,
            Verdict::Retired => 0.85,
            _ => 0.0,
        }
    }

    /// Whether there is an identifier that can be used.
    pub(crate) fn is_valid(&self) -> bool {
        matches!(
            self.verdict,
            Verdict::Ok | Verdict::Repaired | Verdict::Retired
        )
    }

    /// Whether it is an identifier, though one may not know which.
    pub(crate) fn is_known(&self) -> bool {
        self.is_valid() || self.verdict == Verdict::Ambiguous
    }
}

const COLUMNS: [Column; 3] = [
    ("id", Holds::Text),
    ("verdict", Holds::Text),
    ("note", Holds::Text),
];

/// The type of judgements.
pub(crate) fn judged_type() -> DataType {
    struct_type(&COLUMNS)
}

/// Judges each text of the first argument.
pub(crate) fn judge_all(call: &Call<'_>, judge: impl Fn(&str) -> Judged<'_>) -> Result<ArrayRef> {
    let mut records = Records::new(&COLUMNS);
    for text in call.text(0)?.iter() {
        let judged = text.map_or(Judged::NULL, &judge);
        records.push([
            judged.id.into(),
            judged.verdict.name().into(),
            judged.note.into(),
        ]);
    }
    Ok(Arc::new(records.finish()?))
}
