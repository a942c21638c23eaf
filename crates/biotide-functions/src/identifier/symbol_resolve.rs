//! `symbol_resolve`: the gene of a symbol.

use std::sync::Arc;

use arrow::array::ArrayRef;
use datafusion_common::Result;

use super::ensembl_parse;
use super::tables::{Context, Genes, Level};
use super::verdict::Verdict;
use super::written::{digits_of, is_nothing, trim};
use crate::function::{Call, Spec, text};
use crate::record::{Column, Holds, Records, Value, struct_type};

pub(super) const SPEC: Spec = Spec {
    name: "symbol_resolve",
    arguments: &[
        text("symbol", "A symbol of a gene: approved, previous or alias."),
        text(
            "ensembl",
            "The gene in Ensembl, if it is known: only that one is meant then.",
        ),
        text(
            "chromosome",
            "The chromosome, if it is known, with `chr` or without. (The built-in table does not have them; HGNC's \
             complete set does.)",
        ),
        text(
            "taxon",
            "The species' number in the NCBI taxonomy, if it is known. (All genes of the built-in table are human, \
             9606.)",
        ),
    ],
    required: 1,
    subject: 0,
    returns: || struct_type(&COLUMNS),
    doc: "The gene that a symbol means, by HGNC or the table that `identifiers.genes` names: an approved symbol before a previous one before an alias, as \
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

fn resolve(genes: &Genes, written: &str, context: Context<'_>) -> (Verdict, Resolved) {
    let text = trim(written);
    if is_nothing(text) {
        return (Verdict::Null, Resolved::default());
    }
    let Some(found) = genes.find(text, context) else {
        return from_date(genes, text, context);
    };
    let level = found.level;
    let candidates = found.symbols().map(str::to_owned).collect();
    let Some(gene) = found.one() else {
        let resolved = Resolved {
            level: Some(level),
            candidates,
            note: Some("several genes have it"),
            ..Resolved::default()
        };
        return (Verdict::Ambiguous, resolved);
    };
    let symbol = genes.symbol(gene);
    let same = symbol == written;
    let (verdict, note) = match level {
        Level::Approved if same => (Verdict::Ok, None),
        Level::Approved => (Verdict::Repaired, Some("blanks removed, or case")),
        Level::Previous => (Verdict::Retired, Some("a previous symbol")),
        Level::Alias => (Verdict::Repaired, Some("an alias")),
    };
    let resolved = Resolved {
        id: Some(genes.id(gene).to_owned()),
        symbol: Some(symbol.to_owned()),
        level: Some(level),
        candidates,
        note,
    };
    (verdict, resolved)
}

/// `2-Sep` or `Sep-02` was SEPT2 or SEP2.
fn from_date(genes: &Genes, text: &str, context: Context<'_>) -> (Verdict, Resolved) {
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
        if let Some(found) = genes.find(&format!("{name}{day}"), context) {
            candidates.extend(found.symbols().map(str::to_owned));
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
    let parts = ensembl_parse::parse(trim(text))?;
    digits_of(&parts.id).filter(|_| parts.feature == "G")
}

/// A chromosome without `chr`.
fn chromosome(text: &str) -> Option<&str> {
    let text = trim(text);
    let start = text
        .get(..3)
        .filter(|start| start.eq_ignore_ascii_case("chr"));
    Some(&text[start.map_or(0, str::len)..]).filter(|name| !is_nothing(name))
}

/// A taxon's number, with its prefix or without.
fn taxon(text: &str) -> Option<u32> {
    let text = trim(text);
    text.rsplit_once(':')
        .map_or(text, |(_, number)| number)
        .parse()
        .ok()
}

fn compute(call: &Call<'_>) -> Result<ArrayRef> {
    let genes = call.genes()?;
    let symbols = call.text(0)?;
    let [ensembl, chromosomes, taxa] = [
        call.optional_text(1)?,
        call.optional_text(2)?,
        call.optional_text(3)?,
    ];
    let mut records = Records::new(&COLUMNS);
    for (row, symbol) in symbols.iter().enumerate() {
        let context = Context {
            ensembl: ensembl
                .and_then(|texts| texts.get(row))
                .and_then(ensembl_number),
            chromosome: chromosomes
                .and_then(|texts| texts.get(row))
                .and_then(chromosome),
            taxon: taxa.and_then(|texts| texts.get(row)).and_then(taxon),
        };
        let (verdict, resolved) = match symbol {
            Some(symbol) => resolve(&genes, symbol, context),
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
    use super::super::tables;
    use super::*;

    #[test]
    fn nothing_is_guessed() {
        let (genes, _) = tables::genes(None).unwrap();
        let resolve = |text| resolve(&genes, text, Context::default());
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
        let (genes, _) = tables::genes(None).unwrap();
        // QARS1 is ENSG00000172053.
        let ensembl = ensembl_number("ENSG00000172053.19");
        let context = Context {
            ensembl,
            ..Context::default()
        };
        let (verdict, resolved) = resolve(&genes, "QARS", context);
        assert_eq!(
            (verdict, resolved.symbol.as_deref()),
            (Verdict::Retired, Some("QARS1"))
        );
    }
}
