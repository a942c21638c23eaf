//! Genes of HGNC, found by their symbols.

use std::ops::Range;
use std::sync::{Arc, LazyLock};

use datafusion_common::{DataFusionError, Result};
use hashbrown::{HashMap, HashSet};

use super::unpack;

/// What a symbol is of a gene; the first wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::identifier) enum Level {
    /// Its symbol.
    Approved,
    /// What that was once.
    Previous,
    /// Another name.
    Alias,
}

impl Level {
    pub(in crate::identifier) fn name(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Previous => "previous",
            Self::Alias => "alias",
        }
    }
}

/// A gene.
#[derive(Debug)]
pub(in crate::identifier) struct Gene {
    /// The number of its HGNC identifier.
    pub(in crate::identifier) number: u32,
    pub(in crate::identifier) symbol: Box<str>,
    /// The number of its Ensembl gene.
    ensembl: Option<u64>,
}

/// A symbol of a gene.
#[derive(Debug)]
struct Claim {
    symbol: Box<str>,
    gene: u32,
    level: Level,
}

/// All genes.
#[derive(Debug)]
pub(in crate::identifier) struct Genes {
    pub(in crate::identifier) release: String,
    genes: Vec<Gene>,
    numbers: HashSet<u32>,
    claims: Vec<Claim>,
    /// Claims by their symbol in capitals.
    by_symbol: HashMap<Box<str>, Range<u32>>,
}

static GENES: LazyLock<std::result::Result<Arc<Genes>, String>> = LazyLock::new(|| {
    let text = unpack(include_bytes!("../../../data/hgnc.tsv.gz"))?;
    Genes::read(&text)
        .map(Arc::new)
        .ok_or_else(|| "a line of it cannot be read".to_owned())
});

/// The genes that are built in.
pub(in crate::identifier) fn genes() -> Result<Arc<Genes>> {
    GENES
        .clone()
        .map_err(|problem| DataFusionError::Internal(format!("the embedded genes: {problem}")))
}

impl Genes {
    fn read(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let release = lines.next()?.strip_prefix('#')?;
        let mut genes = Vec::new();
        let mut claims = Vec::new();
        for (gene, line) in (0u32..).zip(lines) {
            let mut fields = line.split('\t');
            let number = fields.next()?.parse().ok()?;
            let symbol = fields.next()?;
            let mut claim = |symbol: &str, level| {
                claims.push(Claim {
                    symbol: symbol.into(),
                    gene,
                    level,
                });
            };
            claim(symbol, Level::Approved);
            let (aliases, previous) = (fields.next()?, fields.next()?);
            for alias in aliases.split('|').filter(|alias| !alias.is_empty()) {
                claim(alias, Level::Alias);
            }
            for previous in previous.split('|').filter(|previous| !previous.is_empty()) {
                claim(previous, Level::Previous);
            }
            genes.push(Gene {
                number,
                symbol: symbol.into(),
                ensembl: fields.next()?.parse().ok(),
            });
        }
        claims.sort_by_cached_key(|claim| (claim.symbol.to_uppercase(), claim.level, claim.gene));
        let mut by_symbol: HashMap<Box<str>, Range<u32>> = HashMap::new();
        for (place, claim) in (0u32..).zip(&claims) {
            let key = claim.symbol.to_uppercase().into_boxed_str();
            let range = by_symbol.entry(key).or_insert(place..place);
            range.end = place + 1;
        }
        Some(Self {
            release: release.to_owned(),
            numbers: genes.iter().map(|gene| gene.number).collect(),
            genes,
            claims,
            by_symbol,
        })
    }

    /// Whether a number is that of an approved gene.
    pub(in crate::identifier) fn is_approved(&self, number: u32) -> bool {
        self.numbers.contains(&number)
    }

    /// The genes that a symbol may mean, and what it is of them: those that have it in this spelling, or else in
    /// any case; of those the ones of the first level. `ensembl` leaves those of this Ensembl gene.
    pub(in crate::identifier) fn find(
        &self,
        symbol: &str,
        ensembl: Option<u64>,
    ) -> Option<(Level, Vec<&Gene>)> {
        let range = self.by_symbol.get(&*symbol.to_uppercase())?;
        let claims = &self.claims[range.start as usize..range.end as usize];
        let is_exact = claims.iter().any(|claim| *claim.symbol == *symbol);
        let fits = |claim: &&Claim| {
            let gene = &self.genes[claim.gene as usize];
            (!is_exact || *claim.symbol == *symbol)
                && ensembl.is_none_or(|ensembl| gene.ensembl == Some(ensembl))
        };
        let level = claims.iter().filter(fits).map(|claim| claim.level).min()?;
        let of_level = claims
            .iter()
            .filter(fits)
            .filter(|claim| claim.level == level);
        let mut found: Vec<&Gene> = of_level
            .map(|claim| &self.genes[claim.gene as usize])
            .collect();
        found.sort_by(|a, b| a.symbol.cmp(&b.symbol));
        found.dedup_by_key(|gene| gene.number);
        Some((level, found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_as_ambiguous_as_was_counted() {
        let genes = genes().unwrap();
        assert_eq!(genes.genes.len(), 44_997);
        let symbols: HashSet<&str> = genes.claims.iter().map(|claim| &*claim.symbol).collect();
        let ambiguous = symbols.iter().filter(|symbol| {
            genes
                .find(symbol, None)
                .is_some_and(|(_, found)| found.len() > 1)
        });
        // After approved > previous > alias.
        assert_eq!((symbols.len(), ambiguous.count()), (103_031, 1_093));
        // No approved symbol is rewritten.
        for gene in &genes.genes {
            let (level, found) = genes.find(&gene.symbol, None).unwrap();
            assert_eq!(
                (level, found[0].number, found.len()),
                (Level::Approved, gene.number, 1)
            );
        }
    }
}
