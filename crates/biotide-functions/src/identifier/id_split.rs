//! `id_split`: the identifiers of a cell.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::ArrayRef;
use datafusion_common::{Result, exec_datafusion_err};
use hashbrown::HashSet;
use twox_hash::XxHash64;

use super::namespace::Namespace;
use super::registry::Registry;
use super::verdict::Judged;
use super::written::{is_nothing, trim};
use crate::function::{Call, Spec, text};
use crate::record::{Column, Holds, Lists, list_type};

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

/// A part of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part<'a> {
    pub(super) raw: &'a str,
    pub(super) judged: Judged<'a>,
}

/// The parts of a cell.
pub(super) fn split<'a>(cell: &'a str, namespace: &Namespace, delimiters: &str) -> Vec<Part<'a>> {
    let cell = unquoted(trim(cell));
    let is_between = |c: char| {
        matches!(c, ';' | ',' | '|' | '\u{feff}') || c.is_whitespace() || delimiters.contains(c)
    };
    if is_nothing(cell) || cell.chars().all(|c| is_between(c) || c == '_') {
        return Vec::new();
    }
    let whole = namespace.judge(cell);
    let one = || Part {
        raw: cell,
        judged: whole.clone(),
    };
    // A loose pattern matches a list as well as its items.
    if whole.is_valid() && (namespace.is_strict() || !cell.contains(is_between)) {
        return vec![one()];
    }
    let mut parts: Vec<Part<'a>> = Vec::new();
    let mut seen: HashSet<(bool, Cow<'a, str>)> = HashSet::new();
    let mut add = |part: Part<'a>| {
        // (Of what is none the text itself counts.)
        let text = part.judged.id.clone().unwrap_or(Cow::Borrowed(part.raw));
        if seen.insert((part.judged.id.is_some(), text)) {
            parts.push(part);
        }
    };
    let inner = cell
        .strip_prefix(['[', '(', '{'])
        .and_then(|inner| inner.strip_suffix([']', ')', '}']))
        .unwrap_or(cell);
    for piece in pieces(inner, &is_between) {
        let raw = unquoted(trim(piece));
        if is_nothing(raw) {
            continue;
        }
        let judged = namespace.judge(raw);
        if !judged.is_valid() && namespace.splits_at_underscores() && raw.contains('_') {
            let joined: Vec<Part<'a>> = raw
                .split('_')
                .map(|raw| Part {
                    raw,
                    judged: namespace.judge(raw),
                })
                .collect();
            if joined.iter().all(|part| part.judged.is_valid()) {
                joined.into_iter().for_each(&mut add);
                continue;
            }
        }
        add(Part { raw, judged });
    }
    if whole.is_valid() && !parts.iter().all(|part| part.judged.is_valid()) {
        return vec![one()];
    }
    parts
}

/// The pieces between delimiters; the bars of a FASTA identifier (`sp|P12345|NAME`) are none.
fn pieces<'a>(cell: &'a str, is_between: &dyn Fn(char) -> bool) -> Vec<&'a str> {
    let mut pieces = Vec::new();
    let mut rest = cell;
    while !rest.is_empty() {
        let start = rest.trim_start_matches(is_between);
        let fasta = ["sp|", "tr|"].iter().any(|db| {
            let bare = start
                .trim_start_matches("REV__")
                .trim_start_matches("CON__");
            bare.starts_with(db)
        });
        let end = match fasta {
            true => start.find(|c| c != '|' && is_between(c)),
            false => start.find(is_between),
        };
        let end = end.unwrap_or(start.len());
        if end > 0 {
            pieces.push(&start[..end]);
        }
        rest = &start[end..];
    }
    pieces
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
fn group(parts: &[Part<'_>]) -> String {
    let ids = parts
        .iter()
        .map(|part| part.judged.id.as_deref().unwrap_or(part.raw));
    let joined = ids.collect::<Vec<_>>().join(";");
    match joined.len() {
        0..=GROUP_BYTES => joined,
        _ => format!(
            "{} identifiers, {:016x}",
            parts.len(),
            XxHash64::oneshot(0, joined.as_bytes())
        ),
    }
}

/// Namespaces by their names, which are the same from row to row.
pub(super) struct Namespaces<'a> {
    call: &'a Call<'a>,
    registry: Arc<Registry>,
    last: Option<(String, Option<Namespace>)>,
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
    pub(super) fn find(&mut self, name: &str) -> Result<Option<&Namespace>> {
        if self.last.as_ref().is_none_or(|(same, _)| same != name) {
            let namespace = Namespace::find(&self.registry, name, || self.call.genes())?;
            if namespace.is_none() && self.call.is_constant(1) {
                return Err(unknown(name));
            }
            self.last = Some((name.to_owned(), namespace));
        }
        Ok(self
            .last
            .as_ref()
            .and_then(|(_, namespace)| namespace.as_ref()))
    }
}

fn compute(call: &Call<'_>) -> Result<ArrayRef> {
    let mut known = Namespaces::new(call)?;
    let (cells, namespaces) = (call.text(0)?, call.text(1)?);
    let delimiters = call.optional_text(2)?;
    let mut lists = Lists::new(&COLUMNS);
    for (row, cell) in cells.iter().enumerate() {
        let Some((cell, name)) = cell.zip(namespaces.get(row)) else {
            lists.push_null();
            continue;
        };
        let Some(namespace) = known.find(name)? else {
            lists.push_null();
            continue;
        };
        let delimiters = delimiters
            .and_then(|delimiters| delimiters.get(row))
            .unwrap_or("");
        let parts = split(cell, namespace, delimiters);
        let group = group(&parts);
        lists.push(parts.into_iter().map(|part| {
            let confidence = part.judged.confidence().into();
            [
                part.raw.into(),
                part.judged.id.into(),
                part.judged.verdict.name().into(),
                confidence,
                part.judged.note.into(),
                group.as_str().into(),
            ]
        }));
    }
    Ok(Arc::new(lists.finish()?))
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
    use super::super::verdict::Verdict;
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
        split(cell, &namespace, delimiters)
            .iter()
            .map(shown)
            .collect()
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
        let parts = split("q14213_Q8NEV9", &namespace, "");
        assert_eq!(group(&parts), "Q14213;Q8NEV9");
        assert_eq!(parts[0].judged.verdict, Verdict::Repaired);
    }
}
