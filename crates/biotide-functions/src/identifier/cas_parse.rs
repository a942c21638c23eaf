//! `cas_parse`: the CAS numbers of a cell.

use std::sync::Arc;

use arrow::array::ArrayRef;
use datafusion_common::Result;
use hashbrown::HashSet;

use super::cas;
use super::verdict::Verdict;
use super::written::content;
use crate::function::{Call, Spec, text};
use crate::record::{Column, Holds, Records, Value, struct_type};

pub(super) const SPEC: Spec = Spec {
    name: "cas_parse",
    arguments: &[text(
        "cell",
        "CAS Registry Numbers, among other text or joined in any way.",
    )],
    required: 1,
    subject: 0,
    returns: || struct_type(&COLUMNS),
    doc: "The CAS Registry Numbers of a cell, each once: those whose check digit is right, those it is wrong of \
          (`rejected`), and as confidence the share of right ones among what looks like one. `invalid` if none is \
          right; `repaired` if the cell was more than one right number.",
    example: (
        "cas_parse('58-08-2; CAS 7732-18-5, 58-08-3')['numbers'][2]",
        "7732-18-5",
    ),
    compute,
};

const COLUMNS: [Column; 7] = [
    ("numbers", Holds::Texts),
    ("rejected", Holds::Texts),
    ("found", Holds::Number),
    ("valid", Holds::Number),
    ("confidence", Holds::Real),
    ("verdict", Holds::Text),
    ("note", Holds::Text),
];

/// What looks like CAS numbers in a cell.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Those that are.
    pub(super) numbers: Vec<String>,
    /// Those whose check digit is wrong.
    pub(super) rejected: Vec<String>,
}

impl Found {
    /// Different ones.
    pub(super) fn found(&self) -> usize {
        self.numbers.len() + self.rejected.len()
    }

    pub(super) fn confidence(&self) -> f64 {
        match self.found() {
            0 => 0.0,
            found => self.numbers.len() as f64 / found as f64,
        }
    }

    pub(super) fn verdict(&self, written: &str) -> (Verdict, Option<&'static str>) {
        match (self.numbers.as_slice(), self.rejected.len()) {
            ([], 0) => (Verdict::Invalid, Some("nothing looks like a CAS number")),
            ([], _) => (
                Verdict::Invalid,
                Some("the check digit is wrong, or there is a zero before it"),
            ),
            ([one], 0) if one == written => (Verdict::Ok, None),
            (_, 0) => (Verdict::Repaired, Some("taken from its surroundings")),
            _ => (
                Verdict::Repaired,
                Some("left out: numbers whose check digit is wrong"),
            ),
        }
    }
}

/// Looks for two to seven digits, two and one, with dashes between and neither digit, letter nor dash around them.
pub(super) fn parse(cell: &str) -> Found {
    let mut found = Found::default();
    let mut seen: HashSet<&str> = HashSet::new();
    let is_part = |c: char| c.is_ascii_digit() || c == '-';
    // (`CAS7732-18-5` is written too; `A58-08-2` is something else.)
    for word in cell.split(|c: char| !(c.is_alphanumeric() || c == '-')) {
        let start = word
            .get(..3)
            .filter(|start| start.eq_ignore_ascii_case("cas"));
        let word =
            word[start.map_or(0, str::len)..].trim_start_matches(|c| c == '-' && start.is_some());
        if !word.chars().all(is_part) || !has_shape(word) {
            continue;
        }
        let list = match cas::is_valid(word) {
            true => &mut found.numbers,
            false => &mut found.rejected,
        };
        if seen.insert(word) {
            list.push(word.to_owned());
        }
    }
    found
}

fn has_shape(word: &str) -> bool {
    let mut lengths = word.split('-').map(str::len);
    let three = (
        lengths.next(),
        lengths.next(),
        lengths.next(),
        lengths.next(),
    );
    matches!(three, (Some(2..=7), Some(2), Some(1), None))
}

fn compute(call: &Call<'_>) -> Result<ArrayRef> {
    use Value::Null;
    let mut records = Records::new(&COLUMNS);
    for cell in call.text(0)?.iter() {
        let Some(cell) = cell.filter(|cell| content(cell).is_some()) else {
            let verdict = Verdict::Null.name().into();
            records.push([Null, Null, Null, Null, Null, verdict, Null]);
            continue;
        };
        let found = parse(cell);
        let (verdict, note) = found.verdict(cell);
        let confidence = found.confidence();
        let count = |n: usize| i64::try_from(n).ok().into();
        let (all, valid) = (count(found.found()), count(found.numbers.len()));
        records.push([
            Value::Texts(found.numbers),
            Value::Texts(found.rejected),
            all,
            valid,
            confidence.into(),
            verdict.name().into(),
            note.into(),
        ]);
    }
    Ok(Arc::new(records.finish()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_numbers_are_told_from_the_rest() {
        for (cell, numbers, rejected) in [
            ("58-08-2", vec!["58-08-2"], vec![]),
            ("58-08-2;7732-18-5", vec!["58-08-2", "7732-18-5"], vec![]),
            (
                "CAS: 58-08-2 / CAS7732-18-5",
                vec!["58-08-2", "7732-18-5"],
                vec![],
            ),
            ("58-08-2 58-08-2", vec!["58-08-2"], vec![]),
            ("58-08-3, 50-00-0", vec!["50-00-0"], vec!["58-08-3"]),
            ("1,2-dichloro-3-4-ethane", vec![], vec![]),
            ("(58-08-2)", vec!["58-08-2"], vec![]),
            ("A58-08-2", vec![], vec![]),
            ("58-08-2-1", vec![], vec![]),
            ("cas-58-08-2", vec!["58-08-2"], vec![]),
            ("é", vec![], vec![]),
            ("٥٨-٠٨-٢", vec![], vec![]),
        ] {
            let found = parse(cell);
            assert_eq!(
                (found.numbers, found.rejected),
                (strings(&numbers), strings(&rejected)),
                "{cell}"
            );
        }
        assert_eq!(parse("58-08-3, 50-00-0").confidence(), 0.5);
    }

    fn strings(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }
}
