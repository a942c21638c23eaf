//! `symbol_resolve`: the gene of a symbol.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use arrow::datatypes::DataType;
use datafusion_common::Result;

use super::tables::{Context, Genes, Level, ensembl_code};
use super::verdict::Verdict;
use super::written::{content, is_nothing, trim};
use crate::function::{Call, Spec, text};
use crate::record::{Column, Holds, ListEnds, struct_of, struct_type};
use crate::text_column::{TextColumn, repeated};
use crate::texts::Texts;

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
          been. `retired` says that the symbol is not the gene's any more. (A dictionary in \
          which the last entry wins, as that of gene-thesaurus, takes 415 approved symbols for other genes.)",
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

/// What a symbol means.
#[derive(Debug, PartialEq, Eq)]
struct Resolved<'g> {
    id: Option<&'g str>,
    symbol: Option<&'g str>,
    level: Option<Level>,
    /// The symbols of the genes that it may be, if it is not just one.
    several: Vec<&'g str>,
    verdict: Verdict,
    note: Option<&'static str>,
}

impl<'g> Resolved<'g> {
    fn of(verdict: Verdict) -> Self {
        let (id, symbol, level, note) = (None, None, None, None);
        Self {
            id,
            symbol,
            level,
            several: Vec::new(),
            verdict,
            note,
        }
    }

    /// The genes that it may be.
    fn candidates(&self) -> impl Iterator<Item = &'g str> {
        self.symbol.into_iter().chain(self.several.iter().copied())
    }
}

fn resolve<'g>(genes: &'g Genes, written: &str, context: Context<'_>) -> Resolved<'g> {
    let text = trim(written);
    if is_nothing(text) {
        return Resolved::of(Verdict::Null);
    }
    let Some(found) = genes.find(text, context) else {
        return from_date(genes, text, context);
    };
    let level = found.level;
    let Some(gene) = found.one() else {
        return Resolved {
            level: Some(level),
            several: found.symbols().collect(),
            note: Some("several genes have it"),
            ..Resolved::of(Verdict::Ambiguous)
        };
    };
    let symbol = genes.symbol(gene);
    let (verdict, note) = level.judged(symbol == written);
    Resolved {
        id: Some(genes.id(gene)),
        symbol: Some(symbol),
        level: Some(level),
        note,
        ..Resolved::of(verdict)
    }
}

/// `2-Sep` or `Sep-02` was SEPT2 or SEP2.
fn from_date<'g>(genes: &'g Genes, text: &str, context: Context<'_>) -> Resolved<'g> {
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
        return Resolved::of(Verdict::Unmapped);
    };
    let mut several: Vec<&str> = Vec::new();
    for name in names {
        if let Some(found) = genes.find(&format!("{name}{day}"), context) {
            several.extend(found.symbols());
        }
    }
    several.sort_unstable();
    several.dedup();
    let verdict = match several.as_slice() {
        [] => Verdict::Unmapped,
        _ => Verdict::Ambiguous,
    };
    Resolved {
        several,
        note: Some("a date: a spreadsheet may have made it of a symbol"),
        ..Resolved::of(verdict)
    }
}

/// An Ensembl gene.
fn ensembl_gene(text: &str) -> Option<u64> {
    ensembl_code(trim(text))
}

/// A chromosome without `chr`.
fn chromosome(text: &str) -> Option<&str> {
    let text = trim(text);
    let start = text
        .get(..3)
        .filter(|start| start.eq_ignore_ascii_case("chr"));
    Some(&text[start.map_or(0, str::len)..]).filter(|name| !is_nothing(name))
}

/// What a context says in a row: `Some(None)` if nothing, `None` if it cannot be read.
fn told<'a, T>(
    texts: Option<Texts<'a>>,
    row: usize,
    read: impl Fn(&'a str) -> Option<T>,
) -> Option<Option<T>> {
    match texts.and_then(|texts| texts.get(row)).and_then(content) {
        Some(text) => read(text).map(Some),
        None => Some(None),
    }
}

/// A taxon's number, with its prefix or without.
fn taxon(text: &str) -> Option<u32> {
    let number = text
        .rsplit_once([':', '_'])
        .map_or(text, |(_, number)| number);
    number.strip_suffix(".0").unwrap_or(number).parse().ok()
}

fn compute(call: &Call<'_>) -> Result<ArrayRef> {
    let genes = call.genes()?;
    let symbols = call.text(0)?;
    let [ensembl, chromosomes, taxa] = [
        call.optional_text(1)?,
        call.optional_text(2)?,
        call.optional_text(3)?,
    ];
    let rows = symbols.len();
    let texts = |bytes: usize| TextColumn::with_capacity(rows, bytes * rows);
    let [mut ids, mut names, mut levels] = [texts(10), texts(6), texts(8)];
    let [mut verdicts, mut notes] = [texts(4), texts(4)];
    let (mut candidates, mut ends) = (texts(6), ListEnds::with_capacity(rows));
    let mut counts = Vec::with_capacity(rows);
    // What is there and cannot be read fits no gene, rather than any.
    let context = |row: usize| -> Option<Context<'_>> {
        Some(Context {
            ensembl: told(ensembl, row, ensembl_gene)?,
            chromosome: told(chromosomes, row, chromosome)?,
            taxon: told(taxa, row, taxon)?,
        })
    };
    let narrowed = ensembl.is_some() || chromosomes.is_some() || taxa.is_some();
    for (row, symbol) in symbols.iter().enumerate() {
        let context = match narrowed {
            true => context(row),
            false => Some(Context::default()),
        };
        let resolved = match (symbol, context) {
            (None, _) => Resolved::of(Verdict::Null),
            (Some(symbol), Some(context)) => resolve(&genes, symbol, context),
            (Some(_), None) => Resolved {
                note: Some("the Ensembl gene, chromosome or taxon cannot be read"),
                ..Resolved::of(Verdict::Unmapped)
            },
        };
        ids.push_option(resolved.id);
        names.push_option(resolved.symbol);
        levels.push_option(resolved.level.map(Level::name));
        let before = candidates.len();
        resolved
            .candidates()
            .for_each(|symbol| candidates.push(symbol));
        counts.push((candidates.len() - before) as i64);
        ends.push(candidates.len());
        verdicts.push(resolved.verdict.name());
        notes.push_option(resolved.note);
    }
    let columns: Vec<ArrayRef> = vec![
        ids.finish_ref()?,
        names.finish_ref()?,
        levels.finish_ref()?,
        Arc::new(Int64Array::from(counts)),
        ends.finish_items(DataType::Utf8, candidates.finish_ref()?)?,
        verdicts.finish_ref()?,
        notes.finish_ref()?,
        repeated(&genes.release, rows),
    ];
    Ok(Arc::new(struct_of(&COLUMNS, columns)?))
}

#[cfg(test)]
mod tests {
    use super::super::tables;
    use super::*;

    #[test]
    fn nothing_is_guessed() {
        let (genes, _) = tables::genes(None).unwrap();
        let resolve = |text| resolve(&genes, text, Context::default());
        let p53 = resolve("p53");
        assert_eq!(p53.verdict, Verdict::Repaired);
        assert_eq!(
            (p53.id, p53.level),
            (Some("HGNC:11998"), Some(Level::Alias))
        );
        let qars = resolve("QARS");
        assert_eq!(
            (qars.verdict, &*qars.several),
            (Verdict::Ambiguous, &["EPRS1", "QARS1"][..])
        );
        assert_eq!(qars.id, None);
        assert_eq!(resolve("TP53").verdict, Verdict::Ok);
        assert_eq!(resolve("tp53 ").verdict, Verdict::Repaired);
        let date = resolve("2-Sep");
        assert_eq!(date.verdict, Verdict::Ambiguous);
        assert!(date.several.contains(&"SEPTIN2"), "{date:?}");
        assert_eq!(resolve("NTproBNP").verdict, Verdict::Unmapped);
        assert_eq!(resolve("NA").verdict, Verdict::Null);
    }

    #[test]
    fn the_ensembl_gene_narrows_it() {
        let (genes, _) = tables::genes(None).unwrap();
        // QARS1 is ENSG00000172053.
        let ensembl = ensembl_gene("ENSG00000172053.19");
        let context = Context {
            ensembl,
            ..Context::default()
        };
        let resolved = resolve(&genes, "QARS", context);
        assert_eq!(
            (resolved.verdict, resolved.symbol),
            (Verdict::Retired, Some("QARS1"))
        );
    }
}
