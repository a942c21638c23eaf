//! `id_split`: the identifiers of a cell.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};
use datafusion_common::{Result, exec_datafusion_err};
use twox_hash::XxHash64;

use super::cutter::Cutter;
use super::namespace::Namespace;
use super::parts::{Part, Parts};
use super::registry::Registry;
use super::verdict::{Judged, Verdict};
use super::written::{is_nothing, trim};
use crate::function::{Call, Spec, text};
use crate::record::{Column, Holds, ListEnds, list_type};
use crate::text_column::{TextColumn, nulls, repeated};
use crate::texts::Texts;

pub(super) const SPEC: Spec = Spec {
    name: "id_split",
    arguments: &[
        text(
            "cell",
            "Identifiers, joined in any of the ways that files have.",
        ),
        text("namespace", "What they are: a prefix in any spelling."),
        text(
            "delimiters",
            "Characters that join them besides ; , | and blanks: '/' or ':', say.",
        ),
    ],
    required: 2,
    subject: 0,
    returns: || list_type(&COLUMNS),
    doc: "The identifiers of a cell, each with its verdict. What stands for nothing (NA, -, …) gives an empty list; a \
          cell that is an identifier as a whole is one; otherwise it is cut at ; , | and blanks, at an underscore if \
          each part is an identifier then (UniProt accessions, gene symbols), and at the delimiters that are named. \
          Lists as programs write them (['a', 'b']) and FASTA identifiers are known. Each part keeps its own \
          verdict, and is there once. `group` is the cell in canonical form, \
          or a hash of it if that is long: parts of a complex have the same.",
    example: ("id_split('Q14213_Q8NEV9', 'uniprot')[2]['id']", "Q8NEV9"),
    compute,
};

const COLUMNS: [Column; 6] = [
    ("raw", Holds::Text),
    ("id", Holds::Text),
    ("verdict", Holds::Text),
    ("confidence", Holds::Real),
    ("note", Holds::Text),
    ("group", Holds::Text),
];

/// The parts of a cell.
pub(super) fn split<'a>(
    cell: &'a str,
    namespace: &Namespace,
    cutter: &Cutter,
    parts: &mut Parts<'a>,
) {
    parts.clear();
    let cell = unquoted(trim(cell));
    if is_nothing(cell) || cell.chars().all(|c| cutter.cuts(c) || c == '_') {
        return;
    }
    // (Those of most namespaces hold neither, so that it need not be looked at as a whole.)
    let is_list =
        namespace.is_cut_at_commas() && cell.bytes().any(|byte| matches!(byte, b';' | b','));
    let whole = match is_list {
        true => Judged::invalid("a list"),
        false => namespace.judge(cell),
    };
    // A loose pattern matches a list as well as its items.
    if whole.is_known() && (namespace.is_strict() || cutter.end(cell) == cell.len()) {
        parts.set(Part {
            raw: cell,
            judged: whole,
        });
        return;
    }
    let inner = cell
        .strip_prefix(['[', '(', '{'])
        .and_then(|inner| inner.strip_suffix([']', ')', '}']))
        .unwrap_or(cell);
    let mut rest = inner;
    while let Some((piece, after)) = cutter.piece(rest) {
        rest = after;
        let raw = unquoted(trim(piece));
        // (`TP53 /// BRCA1`.)
        if is_nothing(raw)
            || raw
                .bytes()
                .all(|byte| matches!(byte, b'/' | b'_' | b'-' | b'.'))
        {
            continue;
        }
        let judged = namespace.judge(raw);
        if judged.verdict == Verdict::Null {
            continue;
        }
        if !judged.is_known() && namespace.splits_at_underscores() && raw.contains('_') {
            let joined: Vec<Part<'a>> = raw
                .split('_')
                .map(|raw| Part {
                    raw,
                    judged: namespace.judge(raw),
                })
                .collect();
            if joined.iter().all(|part| part.judged.is_known()) {
                joined.into_iter().for_each(|part| parts.add(part));
                continue;
            }
        }
        parts.add(Part { raw, judged });
    }
    if whole.is_known() && !parts.list().iter().all(|part| part.judged.is_known()) {
        parts.set(Part {
            raw: cell,
            judged: whole,
        });
    }
}

/// Whether texts are the same. (Of few bytes, which differ in the first ones, so that no call is worth it.)
fn is_same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).all(|(a, b)| a == b)
}

/// The pieces of a cell, each once, if all of them are identifiers as they stand and it has nothing but them and what
/// cuts them. So it is of most cells, and the long way ([`split`]) need not be gone.
pub(super) fn plain<'a>(
    cell: &'a str,
    matches: fn(&[u8]) -> bool,
    cutter: &Cutter,
    pieces: &mut Vec<&'a str>,
) -> bool {
    const MOST: usize = 16;
    pieces.clear();
    let bytes = cell.as_bytes();
    let mut start = 0;
    for end in 0..=bytes.len() {
        match bytes
            .get(end)
            .map(|&byte| cutter.ascii.get(usize::from(byte)))
        {
            Some(Some(false)) => continue,
            // (In another script.)
            Some(None) => return false,
            Some(Some(true)) | None => {}
        }
        if start < end {
            let Some(piece) = cell
                .get(start..end)
                .filter(|piece| matches(piece.as_bytes()))
            else {
                return false;
            };
            if !pieces.iter().any(|known| is_same(known, piece)) {
                pieces.push(piece);
            }
            if pieces.len() > MOST {
                return false;
            }
        }
        start = end + 1;
    }
    !pieces.is_empty()
}

/// A text without the quotes around it.
fn unquoted(text: &str) -> &str {
    let mut text = text;
    for quote in ['"', '\''] {
        let inner = text
            .strip_prefix(quote)
            .and_then(|inner| inner.strip_suffix(quote));
        // (`"a","b"` is two quoted texts.)
        text = inner
            .filter(|inner| !inner.contains(quote))
            .map_or(text, trim);
    }
    text
}

/// The most bytes of a group's name: each part of the cell has it.
const GROUP_BYTES: usize = 256;

/// The cell in canonical form; a hash of that where it is long.
fn join<'a>(ids: impl ExactSizeIterator<Item = &'a str>, joined: &mut String) {
    joined.clear();
    let count = ids.len();
    for (at, id) in ids.enumerate() {
        joined.push_str(if at > 0 { ";" } else { "" });
        joined.push_str(id);
    }
    if joined.len() > GROUP_BYTES {
        let hash = XxHash64::oneshot(0, joined.as_bytes());
        *joined = format!("{count} identifiers, {hash:016x}");
    }
}

/// A namespace, and what tells its identifiers that are right as they stand.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) namespace: Namespace,
    pub(super) canonical: Option<fn(&[u8]) -> bool>,
}

/// Namespaces by their names, which are the same from row to row.
pub(super) struct Namespaces<'a> {
    call: &'a Call<'a>,
    registry: Arc<Registry>,
    last: Option<(String, Option<Found>)>,
}

impl<'a> Namespaces<'a> {
    /// The call has them as its second argument.
    pub(super) fn new(call: &'a Call<'a>) -> Result<Self> {
        let registry = call.registry()?;
        Ok(Self {
            call,
            registry,
            last: None,
        })
    }

    /// `None` if there is none of this name; the query fails if that is so of all rows.
    pub(super) fn find(&mut self, name: &str) -> Result<Option<&Found>> {
        if self.last.as_ref().is_none_or(|(same, _)| same != name) {
            let namespace = Namespace::find(&self.registry, name, || self.call.genes())?;
            if namespace.is_none() && self.call.is_constant(1) {
                return Err(unknown(name));
            }
            let found = namespace.map(|namespace| Found {
                canonical: namespace.canonical(),
                namespace,
            });
            self.last = Some((name.to_owned(), found));
        }
        Ok(self.last.as_ref().and_then(|(_, found)| found.as_ref()))
    }
}

/// What is used again for every cell.
#[derive(Default)]
struct Room<'a> {
    pieces: Vec<&'a str>,
    parts: Parts<'a>,
    joined: String,
}

/// Parts of cells, column by column. Most are identifiers as they stand: what a column has then is not kept for each
/// part, until there is another one.
struct Columns {
    raw: TextColumn,
    /// The same as `raw` so far, if there is none.
    id: Option<TextColumn>,
    /// `ok` so far.
    verdict: Option<TextColumn>,
    confidence: Vec<f64>,
    /// NULL so far.
    note: Option<TextColumn>,
    group: TextColumn,
}

impl Columns {
    fn new(cells: Texts<'_>) -> Self {
        let (rows, bytes) = (cells.len(), cells.bytes());
        let texts = |bytes| TextColumn::with_capacity(rows, bytes);
        Self {
            raw: texts(bytes),
            id: None,
            verdict: None,
            confidence: Vec::with_capacity(rows),
            note: None,
            group: texts(bytes),
        }
    }

    /// A part that is an identifier as it stands.
    #[inline]
    fn push_ok(&mut self, raw: &str, group: &str) {
        self.raw.push(raw);
        self.group.push(group);
        self.confidence.push(1.0);
        if let Some(id) = &mut self.id {
            id.push(raw);
        }
        if let Some(verdict) = &mut self.verdict {
            verdict.push(Verdict::Ok.name());
        }
        if let Some(note) = &mut self.note {
            note.push_null();
        }
    }

    fn push(&mut self, part: &Part<'_>, group: &str) {
        let judged = &part.judged;
        if judged.verdict == Verdict::Ok && judged.id.as_deref() == Some(part.raw) {
            return self.push_ok(part.raw, group);
        }
        let before = self.raw.len();
        let id = self.id.get_or_insert_with(|| self.raw.copy());
        id.push_option(judged.id.as_deref());
        let verdict = self.verdict.get_or_insert_with(|| {
            let mut column = TextColumn::with_capacity(before, 2 * before);
            (0..before).for_each(|_| column.push(Verdict::Ok.name()));
            column
        });
        verdict.push(judged.verdict.name());
        let note = self.note.get_or_insert_with(|| {
            let mut column = TextColumn::with_capacity(before, 0);
            (0..before).for_each(|_| column.push_null());
            column
        });
        note.push_option(judged.note);
        self.raw.push(part.raw);
        self.group.push(group);
        self.confidence.push(judged.confidence());
    }

    /// All parts of a cell.
    fn push_cell<'a>(
        &mut self,
        cell: &'a str,
        found: &Found,
        cutter: &Cutter,
        room: &mut Room<'a>,
    ) {
        let Room {
            pieces,
            parts,
            joined,
        } = room;
        if let Some(matches) = found.canonical
            && plain(cell, matches, cutter, pieces)
        {
            match pieces.as_slice() {
                [one] => self.push_ok(one, one),
                several => {
                    join(several.iter().copied(), joined);
                    several.iter().for_each(|part| self.push_ok(part, joined));
                }
            }
            return;
        }
        split(cell, &found.namespace, cutter, parts);
        join(parts.list().iter().map(|part| part.shown()), joined);
        parts.list().iter().for_each(|part| self.push(part, joined));
    }

    fn finish(self) -> Result<Vec<ArrayRef>> {
        let rows = self.raw.len();
        let raw = self.raw.finish_ref()?;
        Ok(vec![
            Arc::clone(&raw),
            self.id.map_or(Ok(raw), TextColumn::finish_ref)?,
            match self.verdict {
                Some(verdict) => verdict.finish_ref()?,
                None => repeated(Verdict::Ok.name(), rows),
            },
            Arc::new(Float64Array::from(self.confidence)),
            self.note
                .map_or_else(|| Ok(nulls(rows)), TextColumn::finish_ref)?,
            self.group.finish_ref()?,
        ])
    }
}

fn compute(call: &Call<'_>) -> Result<ArrayRef> {
    let mut known = Namespaces::new(call)?;
    let (cells, namespaces) = (call.text(0)?, call.text(1)?);
    let delimiters = call.optional_text(2)?;
    let mut columns = Columns::new(cells);
    let mut lists = ListEnds::with_capacity(cells.len());
    let mut room = Room::default();
    // Mostly all cells are of one namespace.
    if let (Some(Some(name)), None) = (namespaces.constant(), delimiters) {
        let found = known.find(name)?;
        let cutter = Cutter::new("");
        for cell in cells.iter() {
            match cell.zip(found) {
                Some((cell, found)) => {
                    columns.push_cell(cell, found, &cutter, &mut room);
                    lists.push(columns.raw.len());
                }
                None => lists.push_null(),
            }
        }
        return lists.finish(&COLUMNS, columns.finish()?);
    }
    let mut cutter = Cutter::new("");
    for (row, cell) in cells.iter().enumerate() {
        let Some((cell, name)) = cell.zip(namespaces.get(row)) else {
            lists.push_null();
            continue;
        };
        let Some(found) = known.find(name)? else {
            lists.push_null();
            continue;
        };
        let more = delimiters
            .and_then(|delimiters| delimiters.get(row))
            .unwrap_or("");
        if cutter.more != more {
            cutter = Cutter::new(more);
        }
        columns.push_cell(cell, found, &cutter, &mut room);
        lists.push(columns.raw.len());
    }
    lists.finish(&COLUMNS, columns.finish()?)
}

/// No such namespace.
pub(super) fn unknown(name: &str) -> datafusion_common::DataFusionError {
    exec_datafusion_err!(
        "\"{name}\" is no namespace: name a prefix of the Bioregistry, as in SELECT prefix, name FROM \
         system.prefixes"
    )
}

#[cfg(test)]
mod tests {
    use super::super::registry::embedded;
    use super::super::tables;
    use super::*;

    fn find(name: &str) -> Namespace {
        let genes = || tables::genes(None).map(|(genes, _)| genes);
        Namespace::find(&embedded(), name, genes).unwrap().unwrap()
    }

    fn ids(cell: &str, namespace: &str, delimiters: &str) -> Vec<String> {
        let namespace = find(namespace);
        let shown = |part: &Part<'_>| match &part.judged.id {
            Some(id) => id.to_string(),
            None => format!("{} {}", part.judged.verdict.name(), part.raw),
        };
        let mut parts = Parts::default();
        split(cell, &namespace, &Cutter::new(delimiters), &mut parts);
        parts.list().iter().map(shown).collect()
    }

    #[test]
    fn cells_are_cut_where_their_namespace_allows() {
        for (cell, namespace, delimiters, expected) in [
            ("Q14213_Q8NEV9", "uniprot", "", vec!["Q14213", "Q8NEV9"]),
            (
                "P0DUB6_P0DTE7_P0DTE8",
                "UniProtKB",
                "",
                vec!["P0DUB6", "P0DTE7", "P0DTE8"],
            ),
            (
                "E9PAV3;Q13765;Q9BZK3",
                "uniprot",
                "",
                vec!["E9PAV3", "Q13765", "Q9BZK3"],
            ),
            (
                "sp|E9PAV3|NACAM_HUMAN;sp|Q13765|NACA_HUMAN",
                "uniprot",
                "",
                vec!["E9PAV3", "Q13765"],
            ),
            (
                "CON__P00761;REV__P12345",
                "uniprot",
                "",
                vec!["P00761", "invalid REV__P12345"],
            ),
            ("P12345, P12345 ;p12345", "uniprot", "", vec!["P12345"]),
            (
                "['P12345', \"Q14213\"]",
                "uniprot",
                "",
                vec!["P12345", "Q14213"],
            ),
            (
                "P12345/Q14213",
                "uniprot",
                "",
                vec!["invalid P12345/Q14213"],
            ),
            ("P12345/Q14213", "uniprot", "/", vec!["P12345", "Q14213"]),
            (
                "P12345;NTproBNP",
                "uniprot",
                "",
                vec!["P12345", "invalid NTproBNP"],
            ),
            ("NA", "uniprot", "", vec![]),
            (" ; ", "uniprot", "", vec![]),
            ("P12345;NA", "uniprot", "", vec!["P12345"]),
            ("\u{feff}P12345\u{a0}", "uniprot", "", vec!["P12345"]),
            ("NM_000546.6", "refseq", "", vec!["NM_000546"]),
            (
                "NM_000546.6|NM_001126112",
                "refseq",
                "",
                vec!["NM_000546", "NM_001126112"],
            ),
            (
                "HMDB00001,HMDB0000002",
                "hmdb",
                "",
                vec!["HMDB0000001", "HMDB0000002"],
            ),
            ("CHEBI:15377;chebi:4167", "chebi", "", vec!["15377", "4167"]),
        ] {
            assert_eq!(ids(cell, namespace, delimiters), expected, "{cell}");
        }
    }

    #[test]
    fn parts_of_a_complex_have_one_group() {
        let namespace = find("uniprot");
        let (mut parts, mut joined) = (Parts::default(), String::new());
        split("q14213_Q8NEV9", &namespace, &Cutter::new(""), &mut parts);
        join(parts.list().iter().map(|part| part.shown()), &mut joined);
        assert_eq!(joined, "Q14213;Q8NEV9");
        assert_eq!(parts.list()[0].judged.verdict, Verdict::Repaired);
        // Many parts are each there once too.
        let many: Vec<String> = (0..200).map(|n| format!("P{:05}", n % 90)).collect();
        let many = many.join(",");
        let mut parts = Parts::default();
        split(&many, &namespace, &Cutter::new(""), &mut parts);
        assert_eq!(parts.list().len(), 90);
        join(parts.list().iter().map(|part| part.shown()), &mut joined);
        assert!(joined.starts_with("90 identifiers, "), "{joined}");
    }

    #[test]
    fn the_short_way_ends_where_the_long_one_does() {
        let pieces = [
            "P12345",
            "Q14213",
            "p12345",
            "HMDB0000001",
            "7157",
            ";",
            ",",
            "|",
            " ",
            "_",
            "NA",
            "x",
            "\"",
            "é",
        ];
        let cutter = Cutter::new("");
        let mut state = 3u64;
        let mut below = |n: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) as usize % n
        };
        let mut short = 0;
        for name in ["uniprot", "hmdb", "pubchem.compound", "ncbigene", "chebi"] {
            let namespace = find(name);
            let matches = namespace.canonical().unwrap();
            for _ in 0..20_000 {
                let length = below(7);
                let cell: String = (0..length).map(|_| pieces[below(pieces.len())]).collect();
                let (mut few, mut parts) = (Vec::new(), Parts::default());
                if plain(&cell, matches, &cutter, &mut few) {
                    split(&cell, &namespace, &cutter, &mut parts);
                    let long: Vec<_> = parts
                        .list()
                        .iter()
                        .map(|part| (part.raw, part.judged.id.as_deref(), part.judged.verdict))
                        .collect();
                    let few: Vec<_> = few
                        .iter()
                        .map(|&raw| (raw, Some(raw), Verdict::Ok))
                        .collect();
                    assert_eq!(few, long, "{name}: {cell:?}");
                    short += 1;
                }
            }
        }
        assert!(short > 2_000, "{short}");
    }
}
