//! `symbol_resolve`: the gene of a symbol.

use std::sync::Arc;

use arrow::array::ArrayRef;
use datafusion_common::Result;

use super::tables::{Genes, Level, genes};
use super::verdict::Verdict;
use super::written::{is_nothing, trim};
use crate::function::{Call, Spec, text};
use crate::record::{Column, Holds, Records, Value, struct_type};

pub(super) const SPEC: Spec = Spec {
    name: "symbol_resolve",
    arguments: &[
        text(
            "symbol",
            "A symbol of a human gene: approved, previous or alias.",
        ),
        text(
            "ensembl",
            "The gene in Ensembl, if it is known: only that one is meant then.",
        ),
    ],
    required: 1,
    returns: || struct_type(&COLUMNS),
    doc: "The human gene that a symbol means, by HGNC: an approved symbol before a previous one before an alias, as \
          it is written before in any case. One that is several genes' is `ambiguous`, with all of them as \
          candidates: nothing is guessed. A date that a spreadsheet made of a symbol (2-Sep) has those it may have \
          been. `retired` says that the symbol is not the gene's any more.",
    example: ("symbol_resolve('p53')['id']", "HGNC:11998"),
    compute,
};

const COLUMNS: [Column; 8] = [
    ("id", Holds::Text),
    ("symbol", Holds::Text),
    ("level", Holds::Text),
    ("n", Holds::Number),
    ("candidates", Holds::Texts),
    ("verdict", Holds::Text),
    ("note", Holds::Text),
    ("release", Holds::Text),
];

/// What spreadsheets take for a month, and what it was.
const MONTHS: [(&str, &[&str]); 8] = [
    ("mar", &["MARCH", "MARC"]),
    ("sep", &["SEPT", "SEP"]),
    ("dec", &["DEC"]),
    ("oct", &["OCT"]),
    ("apr", &["APR"]),
    ("nov", &["NOV"]),
    ("feb", &["FEB"]),
    ("jun", &["JUN"]),
];

#[derive(Debug, Default, PartialEq, Eq)]
struct Resolved {
    id: Option<String>,
    symbol: Option<String>,
    level: Option<Level>,
    candidates: Vec<String>,
    note: Option<&'static str>,
}

fn resolve(genes: &Genes, written: &str, ensembl: Option<u64>) -> (Verdict, Resolved) {
    let text = trim(written);
    if is_nothing(text) {
        return (Verdict::Null, Resolved::default());
    }
    let Some((level, found)) = genes.find(text, ensembl) else {
        return from_date(genes, text);
    };
    let candidates = found.iter().map(|gene| gene.symbol.to_string()).collect();
    let [gene] = found.as_slice() else {
        let resolved = Resolved {
            level: Some(level),
            candidates,
            note: Some("several genes have it"),
            ..Resolved::default()
        };
        return (Verdict::Ambiguous, resolved);
    };
    let same = *gene.symbol == *written;
    let (verdict, note) = match level {
        Level::Approved if same => (Verdict::Ok, None),
        Level::Approved => (Verdict::Repaired, Some("blanks removed, or case")),
        Level::Previous => (Verdict::Retired, Some("a previous symbol")),
        Level::Alias => (Verdict::Repaired, Some("an alias")),
    };
    let resolved = Resolved {
        id: Some(format!("HGNC:{}", gene.number)),
        symbol: Some(gene.symbol.to_string()),
        level: Some(level),
        candidates,
        note,
    };
    (verdict, resolved)
}

/// `2-Sep` or `Sep-02` was SEPT2 or SEP2.
fn from_date(genes: &Genes, text: &str) -> (Verdict, Resolved) {
    let number = |text: &str| text.parse::<u8>().ok().filter(|day| (1..=31).contains(day));
    let date = text.split_once('-').and_then(|(first, second)| {
        let (day, month) = match number(first) {
            Some(day) => (day, second),
            None => (number(second)?, first),
        };
        let month = MONTHS
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(month))?;
        Some((day, month.1))
    });
    let Some((day, names)) = date else {
        return (Verdict::Unmapped, Resolved::default());
    };
    let mut candidates: Vec<String> = Vec::new();
    for name in names {
        let found = genes.find(&format!("{name}{day}"), None);
        for gene in found.into_iter().flat_map(|(_, found)| found) {
            candidates.push(gene.symbol.to_string());
        }
    }
    candidates.sort();
    candidates.dedup();
    let verdict = match candidates.as_slice() {
        [] => Verdict::Unmapped,
        _ => Verdict::Ambiguous,
    };
    let resolved = Resolved {
        note: Some("a date: a spreadsheet may have made it of a symbol"),
        candidates,
        ..Resolved::default()
    };
    (verdict, resolved)
}

/// The number of an Ensembl gene.
fn ensembl_number(text: &str) -> Option<u64> {
    let bare = trim(text).strip_prefix("ENSG")?;
    bare.split('.').next()?.parse().ok()
}

fn compute(call: &Call<'_>) -> Result<ArrayRef> {
    let genes = genes()?;
    let (symbols, ensembl) = (call.text(0)?, call.optional_text(1)?);
    let mut records = Records::new(&COLUMNS);
    for (row, symbol) in symbols.iter().enumerate() {
        let ensembl = ensembl
            .and_then(|ensembl| ensembl.get(row))
            .and_then(ensembl_number);
        let (verdict, resolved) = match symbol {
            Some(symbol) => resolve(&genes, symbol, ensembl),
            None => (Verdict::Null, Resolved::default()),
        };
        let n = i64::try_from(resolved.candidates.len()).ok();
        records.push([
            resolved.id.into(),
            resolved.symbol.into(),
            resolved.level.map(Level::name).into(),
            n.into(),
            Value::Texts(resolved.candidates),
            verdict.name().into(),
            resolved.note.into(),
            genes.release.as_str().into(),
        ]);
    }
    Ok(Arc::new(records.finish()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_guessed() {
        let genes = genes().unwrap();
        let resolve = |text| resolve(&genes, text, None);
        let (verdict, p53) = resolve("p53");
        assert_eq!(verdict, Verdict::Repaired);
        assert_eq!(
            (p53.id.as_deref(), p53.level),
            (Some("HGNC:11998"), Some(Level::Alias))
        );
        let (verdict, qars) = resolve("QARS");
        assert_eq!(
            (verdict, qars.candidates),
            (
                Verdict::Ambiguous,
                vec!["EPRS1".to_owned(), "QARS1".to_owned()]
            )
        );
        assert_eq!(qars.id, None);
        assert_eq!(resolve("TP53").0, Verdict::Ok);
        assert_eq!(resolve("tp53 ").0, Verdict::Repaired);
        let (verdict, date) = resolve("2-Sep");
        assert_eq!(verdict, Verdict::Ambiguous);
        assert!(date.candidates.contains(&"SEPTIN2".to_owned()), "{date:?}");
        assert_eq!(resolve("NTproBNP").0, Verdict::Unmapped);
        assert_eq!(resolve("NA").0, Verdict::Null);
    }

    #[test]
    fn the_ensembl_gene_narrows_it() {
        let genes = genes().unwrap();
        // QARS1 is ENSG00000172053.
        let (verdict, resolved) = resolve(&genes, "QARS", ensembl_number("ENSG00000172053.19"));
        assert_eq!(
            (verdict, resolved.symbol.as_deref()),
            (Verdict::Retired, Some("QARS1"))
        );
    }
}
