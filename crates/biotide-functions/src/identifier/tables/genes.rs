//! Genes, found by their symbols.

use std::hash::{BuildHasher, Hasher};
use std::sync::{Arc, LazyLock};

use datafusion_common::{DataFusionError, Result};
use hashbrown::{DefaultHashBuilder, HashTable};

use super::file::Table;
use super::unpack;
use crate::identifier::ensembl_parse;
use crate::identifier::verdict::Verdict;

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

    /// What is said of a symbol of this level, and why; `same`: it is written as the gene's symbol of today.
    pub(in crate::identifier) fn judged(self, same: bool) -> (Verdict, Option<&'static str>) {
        match self {
            Self::Approved if same => (Verdict::Ok, None),
            Self::Approved => (Verdict::Repaired, Some("blanks removed, or case")),
            Self::Previous => (Verdict::Retired, Some("a previous symbol")),
            Self::Alias => (Verdict::Repaired, Some("an alias")),
        }
    }
}

/// What is known of the gene that a symbol means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::identifier) struct Context<'a> {
    /// The number of its Ensembl gene.
    pub(in crate::identifier) ensembl: Option<u64>,
    /// Its chromosome, without `chr`.
    pub(in crate::identifier) chromosome: Option<&'a str>,
    /// Its taxon, as the NCBI numbers them.
    pub(in crate::identifier) taxon: Option<u32>,
}

/// A piece of the text that all names of a table are in.
#[derive(Debug, Clone, Copy, Default)]
struct Span {
    at: u32,
    len: u32,
}

/// A gene.
#[derive(Debug)]
struct Gene {
    id: Span,
    symbol: Span,
    /// Where it lies: `19q13.43`, or nothing.
    location: Span,
    /// The number of its Ensembl gene, or 0.
    ensembl: u64,
    taxon: u32,
}

/// A symbol of a gene.
#[derive(Debug, Clone, Copy)]
struct Claim {
    symbol: Span,
    gene: u32,
    level: Level,
}

/// All genes.
#[derive(Debug)]
pub(crate) struct Genes {
    pub(in crate::identifier) release: String,
    text: String,
    genes: Vec<Gene>,
    /// By symbol in capitals, then level.
    claims: Vec<Claim>,
    /// Where the claims of each symbol in capitals begin, and where the last ones end.
    groups: Vec<u32>,
    /// Groups by their symbol.
    by_symbol: HashTable<u32>,
    by_id: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

/// The genes that a symbol may mean.
#[derive(Debug, Clone)]
pub(in crate::identifier) struct Found<'a> {
    pub(in crate::identifier) level: Level,
    genes: &'a Genes,
    /// The first, which is the only one mostly.
    first: u32,
    /// All of them, if there are more.
    all: Vec<u32>,
}

impl<'a> Found<'a> {
    /// The gene, if it is one.
    pub(in crate::identifier) fn one(&self) -> Option<u32> {
        self.all.is_empty().then_some(self.first)
    }

    /// The symbols of all, in order.
    pub(in crate::identifier) fn symbols(&self) -> impl Iterator<Item = &'a str> {
        let genes = self.genes;
        let all = self.one().into_iter().chain(self.all.iter().copied());
        all.map(|gene| genes.symbol(gene))
    }
}

static EMBEDDED: LazyLock<std::result::Result<Arc<Genes>, String>> = LazyLock::new(|| {
    let text = unpack(include_bytes!("../../../data/hgnc.tsv.gz"))?;
    Genes::embedded(&text)
        .map(Arc::new)
        .ok_or_else(|| "a line of it cannot be read".to_owned())
});

/// The genes that are built in.
pub(in crate::identifier) fn embedded() -> Result<Arc<Genes>> {
    EMBEDDED
        .clone()
        .map_err(|problem| DataFusionError::Internal(format!("the embedded genes: {problem}")))
}

/// An Ensembl gene as a number, its species with it: those of human are just numbers.
pub(in crate::identifier) fn ensembl_code(id: &str) -> Option<u64> {
    let parts = ensembl_parse::parse(id).filter(|parts| parts.feature == "G")?;
    let digits = parts
        .id
        .trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().ok()?;
    let letter = |code: u64, byte: u8| (code * 31 + u64::from(byte)) % (1 << 26);
    // (Eleven digits are 37 bits.)
    Some((parts.species.bytes().fold(0, letter) << 37) | number)
}

/// Human, to the NCBI.
const HUMAN: u32 = 9606;

/// What HGNC calls its columns, and others.
const ID: [&str; 4] = ["hgnc_id", "id", "source_id", "gene_id"];
const SYMBOL: [&str; 1] = ["symbol"];
const ALIASES: [&str; 2] = ["alias_symbol", "alias_symbols"];
const PREVIOUS: [&str; 2] = ["prev_symbol", "prev_symbols"];
const ENSEMBL: [&str; 2] = ["ensembl_gene_id", "ensembl_id"];
const LOCATION: [&str; 2] = ["location", "chromosome"];
const TAXON: [&str; 3] = ["taxon_id", "taxon", "tax_id"];
const STATUS: [&str; 1] = ["status"];

impl Genes {
    /// As `data/make_tables.py` writes them.
    fn embedded(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let release = lines.next()?.strip_prefix('#')?;
        let mut builder = Builder::default();
        for line in lines {
            let mut fields = line.split('\t');
            let id = format!("HGNC:{}", fields.next()?);
            let (symbol, aliases, previous) = (fields.next()?, fields.next()?, fields.next()?);
            let ensembl = fields.next()?.parse().unwrap_or(0);
            builder.gene(&id, symbol, "", ensembl, HUMAN);
            builder.claims(aliases, Level::Alias);
            builder.claims(previous, Level::Previous);
        }
        Some(builder.finish(release.to_owned()))
    }

    /// HGNC's complete set, or a table with columns of the same names; `taxon_id` tells other species' genes. An
    /// error is what is wrong, with the line.
    pub(super) fn read(table: &Table<'_>, release: String) -> std::result::Result<Self, String> {
        let column = |names: &[&str]| table.column(names);
        let [Some(id), Some(symbol)] = [column(&ID), column(&SYMBOL)] else {
            return Err(
                "line 1: it has no columns hgnc_id and symbol: identifiers.genes takes HGNC's complete set \
                 (hgnc_complete_set.txt), or a table with hgnc_id, symbol, alias_symbol, prev_symbol, \
                 ensembl_gene_id, location, taxon_id"
                    .to_owned(),
            );
        };
        let (aliases, previous) = (column(&ALIASES), column(&PREVIOUS));
        let (ensembl, location) = (column(&ENSEMBL), column(&LOCATION));
        let (taxon, status) = (column(&TAXON), column(&STATUS));
        let mut builder = Builder::default();
        for row in table.rows() {
            let row = row?;
            if !matches!(row.get(status), "" | "Approved") {
                continue;
            }
            let (id, symbol) = (row.get(Some(id)), row.get(Some(symbol)));
            if id.is_empty() || symbol.is_empty() {
                return Err(format!(
                    "line {}: a gene needs an identifier and a symbol",
                    row.line
                ));
            }
            let taxon = match row.get(taxon) {
                "" => HUMAN,
                number => number
                    .parse()
                    .map_err(|_| format!("line {}: \"{number}\" is no taxon's number", row.line))?,
            };
            let ensembl = ensembl_code(row.get(ensembl)).unwrap_or(0);
            builder.gene(id, symbol, row.get(location), ensembl, taxon);
            builder.claims(row.get(aliases), Level::Alias);
            builder.claims(row.get(previous), Level::Previous);
        }
        if builder.genes.is_empty() {
            return Err("it has no genes".to_owned());
        }
        Ok(builder.finish(release))
    }

    /// Bytes of memory.
    pub(super) fn size(&self) -> usize {
        let tables = self.by_symbol.capacity() + self.by_id.capacity();
        self.text.capacity()
            + self.genes.capacity() * size_of::<Gene>()
            + self.claims.capacity() * size_of::<Claim>()
            + self.groups.capacity() * size_of::<u32>()
            + tables * (size_of::<u32>() + 1)
    }

    fn span(&self, span: Span) -> &str {
        let start = span.at as usize;
        &self.text[start..start + span.len as usize]
    }

    /// A gene's identifier.
    pub(in crate::identifier) fn id(&self, gene: u32) -> &str {
        self.span(self.genes[gene as usize].id)
    }

    /// A gene's symbol.
    pub(in crate::identifier) fn symbol(&self, gene: u32) -> &str {
        self.span(self.genes[gene as usize].symbol)
    }

    /// Whether a gene of this identifier is approved.
    pub(in crate::identifier) fn is_approved(&self, id: &str) -> bool {
        let hash = self.hasher.hash_one(id);
        let same = |&gene: &u32| self.id(gene) == id;
        self.by_id.find(hash, same).is_some()
    }

    /// Whether this is a gene's symbol today, as it is written.
    pub(in crate::identifier) fn is_symbol(&self, symbol: &str) -> bool {
        let found = self.find(symbol, Context::default());
        found.is_some_and(|found| {
            let one = found.one().filter(|_| found.level == Level::Approved);
            one.is_some_and(|gene| self.symbol(gene) == symbol)
        })
    }

    /// Whether a gene is where, and what, the context says. What is not known of it says nothing against it, but
    /// for Ensembl's number, which nearly all have.
    fn fits(&self, gene: u32, context: Context<'_>) -> bool {
        let gene = &self.genes[gene as usize];
        context.ensembl.is_none_or(|number| gene.ensembl == number)
            && context.taxon.is_none_or(|taxon| gene.taxon == taxon)
            && context
                .chromosome
                .is_none_or(|chromosome| lies_on(self.span(gene.location), chromosome))
    }

    /// The genes that a symbol may mean, and what it is of them: those that have it in this spelling, or else in
    /// any case; of those the ones that fit, and of these the ones of the first level.
    pub(in crate::identifier) fn find(
        &self,
        symbol: &str,
        context: Context<'_>,
    ) -> Option<Found<'_>> {
        let hash = folded_hash(&self.hasher, symbol);
        let first = |group: u32| &self.claims[self.groups[group as usize] as usize];
        let same = |&group: &u32| is_folded_same(self.span(first(group).symbol), symbol);
        let group = *self.by_symbol.find(hash, same)? as usize;
        let (start, end) = (self.groups[group], self.groups[group + 1]);
        let claims = &self.claims[start as usize..end as usize];
        if let [claim] = claims {
            let found = Found {
                level: claim.level,
                genes: self,
                first: claim.gene,
                all: Vec::new(),
            };
            return self.fits(claim.gene, context).then_some(found);
        }
        let mut fitting = claims.iter().filter(|claim| self.fits(claim.gene, context));
        let is_exact = fitting.any(|claim| self.span(claim.symbol) == symbol);
        let fits = |claim: &&Claim| {
            (!is_exact || self.span(claim.symbol) == symbol) && self.fits(claim.gene, context)
        };
        let level = claims.iter().filter(fits).map(|claim| claim.level).min()?;
        let of_level = claims
            .iter()
            .filter(fits)
            .filter(|claim| claim.level == level);
        let mut all: Vec<u32> = of_level.map(|claim| claim.gene).collect();
        all.sort_by_key(|&gene| (self.symbol(gene), gene));
        // (A table may have a gene twice.)
        all.dedup_by_key(|gene| self.id(*gene));
        let first = *all.first()?;
        if all.len() == 1 {
            all.clear();
        }
        Some(Found {
            level,
            genes: self,
            first,
            all,
        })
    }

    #[cfg(test)]
    fn symbols(&self) -> impl Iterator<Item = &str> {
        self.claims.iter().map(|claim| self.span(claim.symbol))
    }
}

/// `19q13.43` lies on 19, `Xp22.33 and Yp11.2` on X and Y. What lies nowhere that is known may lie anywhere.
fn lies_on(location: &str, chromosome: &str) -> bool {
    let name = |place: &str| -> Option<String> {
        let place = place.trim();
        let place = place.strip_prefix("chr").unwrap_or(place);
        if place
            .get(..4)
            .is_some_and(|start| start.eq_ignore_ascii_case("mito"))
        {
            return Some("MT".to_owned());
        }
        let end = place.find(|c: char| !c.is_ascii_alphanumeric() || matches!(c, 'p' | 'q' | 'c'));
        let name = place[..end.unwrap_or(place.len())].to_ascii_uppercase();
        let numbered = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
        match name.as_str() {
            "M" | "MT" => Some("MT".to_owned()),
            "X" | "Y" | "Z" | "W" => Some(name),
            _ => numbered.then_some(name),
        }
    };
    let places = location.split(" and ").flat_map(|part| part.split(" or "));
    let places: Vec<String> = places.filter_map(name).collect();
    let asked = name(chromosome).unwrap_or_else(|| chromosome.to_ascii_uppercase());
    places.is_empty() || places.contains(&asked)
}

/// A symbol's hash, in any case.
fn folded_hash(hasher: &DefaultHashBuilder, symbol: &str) -> u64 {
    let mut short = [0u8; 24];
    let mut state = hasher.build_hasher();
    match short.get_mut(..symbol.len()) {
        Some(upper) if symbol.is_ascii() => {
            upper.copy_from_slice(symbol.as_bytes());
            upper.make_ascii_uppercase();
            state.write(upper);
        }
        _ => state.write(symbol.to_uppercase().as_bytes()),
    }
    state.finish()
}

/// Whether symbols are the same in any case.
fn is_folded_same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
        || (!(a.is_ascii() && b.is_ascii()) && a.to_uppercase() == b.to_uppercase())
}

#[derive(Default)]
struct Builder {
    text: String,
    genes: Vec<Gene>,
    claims: Vec<Claim>,
}

impl Builder {
    fn push(&mut self, text: &str) -> Span {
        let span = Span {
            at: self.text.len() as u32,
            len: text.len() as u32,
        };
        self.text.push_str(text);
        span
    }

    fn gene(&mut self, id: &str, symbol: &str, location: &str, ensembl: u64, taxon: u32) {
        let (id, symbol, location) = (self.push(id), self.push(symbol), self.push(location));
        let gene = self.genes.len() as u32;
        self.claims.push(Claim {
            symbol,
            gene,
            level: Level::Approved,
        });
        self.genes.push(Gene {
            id,
            symbol,
            location,
            ensembl,
            taxon,
        });
    }

    /// More symbols of the last gene.
    fn claims(&mut self, symbols: &str, level: Level) {
        let gene = (self.genes.len() as u32).saturating_sub(1);
        for symbol in symbols
            .split('|')
            .map(str::trim)
            .filter(|symbol| !symbol.is_empty())
        {
            let symbol = self.push(symbol);
            self.claims.push(Claim {
                symbol,
                gene,
                level,
            });
        }
    }

    fn finish(self, release: String) -> Genes {
        let Self {
            mut text,
            mut genes,
            mut claims,
        } = self;
        let hasher = DefaultHashBuilder::default();
        let of = |span: Span| &text[span.at as usize..(span.at + span.len) as usize];
        claims
            .sort_by_cached_key(|claim| (of(claim.symbol).to_uppercase(), claim.level, claim.gene));
        let mut groups: Vec<u32> = Vec::new();
        for (place, claim) in (0u32..).zip(&claims) {
            let before = place.checked_sub(1);
            let before = before.map(|before| of(claims[before as usize].symbol));
            if before.is_none_or(|before| !is_folded_same(before, of(claim.symbol))) {
                groups.push(place);
            }
        }
        let mut by_symbol: HashTable<u32> = HashTable::new();
        for group in 0..groups.len() as u32 {
            let symbol = |group: u32| of(claims[groups[group as usize] as usize].symbol);
            let hash = |&group: &u32| folded_hash(&hasher, symbol(group));
            by_symbol.insert_unique(folded_hash(&hasher, symbol(group)), group, hash);
        }
        groups.push(claims.len() as u32);
        let mut by_id: HashTable<u32> = HashTable::new();
        for (place, gene) in (0u32..).zip(&genes) {
            let hash = |&gene: &u32| hasher.hash_one(of(genes[gene as usize].id));
            by_id.insert_unique(hasher.hash_one(of(gene.id)), place, hash);
        }
        text.shrink_to_fit();
        genes.shrink_to_fit();
        claims.shrink_to_fit();
        Genes {
            release,
            text,
            genes,
            claims,
            groups,
            by_symbol,
            by_id,
            hasher,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hashbrown::HashSet;

    #[test]
    fn symbols_are_as_ambiguous_as_was_counted() {
        let genes = embedded().unwrap();
        assert_eq!(genes.genes.len(), 44_997);
        let symbols: HashSet<&str> = genes.symbols().collect();
        let ambiguous = symbols.iter().filter(|symbol| {
            let found = genes.find(symbol, Context::default());
            found.is_some_and(|found| found.one().is_none())
        });
        // After approved > previous > alias.
        assert_eq!((symbols.len(), ambiguous.count()), (103_031, 1_093));
        // No approved symbol is rewritten.
        for gene in 0..44_997 {
            let found = genes.find(genes.symbol(gene), Context::default()).unwrap();
            assert_eq!((found.level, found.one()), (Level::Approved, Some(gene)));
        }
        assert!(genes.size() < 8 << 20, "{}", genes.size());
        assert!(genes.is_approved("HGNC:11998") && !genes.is_approved("HGNC:1"));
        assert!(genes.is_symbol("TP53") && !genes.is_symbol("p53") && !genes.is_symbol("tp53"));
    }

    #[test]
    fn a_newer_table_can_have_more() {
        let text = "hgnc_id\tsymbol\tstatus\talias_symbol\tprev_symbol\tensembl_gene_id\tlocation\ttaxon_id\n\
                    HGNC:1\tAAA\tApproved\t\"X1|X2\"\t\tENSG00000000007\t19q13.43\t\n\
                    HGNC:2\tBBB\tApproved\tX1\t\t\tXp22.33 and Yp11.2\t\n\
                    HGNC:3\tCCC\tWithdrawn\tX1\t\t\t\t\n\
                    MGI:4\tX1\t\t\t\t\t\t10090\n";
        let table = Table::new(text).unwrap();
        let genes = Genes::read(&table, "new".to_owned()).unwrap();
        let find = |symbol, context| {
            let found = genes.find(symbol, context)?;
            Some(
                found
                    .symbols()
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
                    .join(" "),
            )
        };
        let all = Context::default();
        let human = Context {
            taxon: Some(HUMAN),
            ..all
        };
        let on = |name| Context {
            chromosome: Some(name),
            ..human
        };
        assert_eq!(find("X1", all).as_deref(), Some("X1"));
        assert_eq!(find("X1", human).as_deref(), Some("AAA BBB"));
        assert_eq!(find("x1", on("19")).as_deref(), Some("AAA"));
        assert_eq!(find("X1", on("y")).as_deref(), Some("BBB"));
        assert_eq!(find("X1", on("1")), None);
        assert_eq!(
            find(
                "X1",
                Context {
                    ensembl: Some(7),
                    ..all
                }
            )
            .as_deref(),
            Some("AAA")
        );
        assert_eq!(find("CCC", all), None);
    }

    #[test]
    fn a_bad_table_is_told_where() {
        let read = |text: &str| {
            let table = Table::new(text)?;
            Genes::read(&table, String::new()).map(|_| ())
        };
        let error = read("a\tb\n1\t2\n").unwrap_err();
        assert!(
            error.starts_with("line 1: it has no columns hgnc_id"),
            "{error}"
        );
        let error = read("hgnc_id\tsymbol\nHGNC:1\n").unwrap_err();
        assert!(error.starts_with("line 2:"), "{error}");
        let error = read("hgnc_id\tsymbol\ttaxon\nHGNC:1\tA\thuman\n").unwrap_err();
        assert!(error.contains("\"human\" is no taxon"), "{error}");
        assert!(read("").is_err() && read("hgnc_id\tsymbol\n").is_err());
    }
}
