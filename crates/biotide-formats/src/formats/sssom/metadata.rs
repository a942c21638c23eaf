//! What a set says of itself: the lines above its table that start with `#`, or a file beside it, in YAML.

use std::collections::{BTreeMap, BTreeSet};

use biotide_common::yaml::{self, Keys, Node};
use biotide_common::{BiotideError, sssom};
use biotide_text::delimited::RecordEnd;

use super::enumerations;
use super::iris::Iris;
use super::old;

/// Where the block above a table ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    /// The byte behind it.
    pub(super) end: usize,
    /// Its lines.
    pub(super) lines: u64,
}

const MARK: &[u8] = b"\xEF\xBB\xBF";

impl Block {
    /// The block of a file that starts so; empty if it has none, `None` if that needs more bytes.
    pub(super) fn of(head: &[u8], eof: bool) -> Option<Self> {
        let newline = RecordEnd::of(head).byte();
        let mut block = Self { end: 0, lines: 0 };
        let mut at = if head.starts_with(MARK) {
            MARK.len()
        } else {
            0
        };
        loop {
            match head.get(at..) {
                Some([b'#', ..]) => {}
                Some([]) | None if !eof => return None,
                _ => return Some(block),
            }
            at = match memchr::memchr(newline, &head[at..]) {
                Some(length) => at + length + 1,
                None if eof => head.len(),
                None => return None,
            };
            block.end = at;
            block.lines += 1;
        }
    }
}

/// The YAML of a block: the lines without `#` and the blanks that the first has behind it.
fn uncommented(block: &[u8]) -> String {
    let text = String::from_utf8_lossy(block.strip_prefix(MARK).unwrap_or(block));
    let lines = || {
        text.split(['\n', '\r'])
            .filter_map(|line| line.strip_prefix('#'))
    };
    let blanks = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let indent = lines().next().map_or(0, blanks);
    let mut yaml = String::with_capacity(text.len());
    for line in lines() {
        // (Spreadsheets fill lines up with delimiters.)
        yaml.push_str(line[blanks(line).min(indent)..].trim_end());
        yaml.push('\n');
    }
    yaml
}

/// What a set says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Metadata {
    /// Prefixes with their IRIs; `None` if nothing at all is said of the set.
    pub(super) prefixes: Option<BTreeMap<String, String>>,
    /// The other slots, in their order.
    pub(super) slots: Vec<(String, Node)>,
}

/// Slots with one value are text, so that `1.10` stays what it is.
#[derive(Debug)]
struct Slots;

impl Keys for Slots {
    fn is_text(key: &str) -> bool {
        const OF_SETS: [&str; 8] = [
            "sssom_version",
            "mapping_set_id",
            "mapping_set_version",
            "mapping_set_title",
            "mapping_set_description",
            "mapping_set_confidence",
            "issue_tracker",
            "comment",
        ];
        let slot = sssom::by_name(current(key));
        OF_SETS.contains(&key)
            || slot.is_some_and(|slot| !slot.several && (slot.propagates || key == "license"))
    }
}

/// The name that a slot has had since SSSOM 1.0.
pub(super) fn current(name: &str) -> &str {
    let renamed = old::RENAMED.iter().find(|(old, _)| *old == name);
    renamed.map_or(name, |(_, now)| *now)
}

impl Metadata {
    /// Of a block above the table of `file`.
    pub(super) fn of_block(file: &str, block: &[u8]) -> Result<Self, BiotideError> {
        Self::read(&uncommented(block)).map_err(|problem| {
            let problem = format!(
                "the lines above its table that start with # are not the metadata of SSSOM: {problem}; \
                 read_tsv('…', comment => '#') passes over them"
            );
            BiotideError::file(file, problem)
        })
    }

    /// Of a file of its own, which would not be there if it had nothing to say.
    pub(super) fn of_file(file: &str, text: &[u8]) -> Result<Self, BiotideError> {
        let text = String::from_utf8_lossy(text.strip_prefix(MARK).unwrap_or(text));
        let metadata = Self::read(&text).and_then(|metadata| match metadata.is_empty() {
            true => Err(SAYS_NOTHING.to_owned()),
            false => Ok(metadata),
        });
        metadata.map_err(|problem| {
            let problem = format!("it is not the metadata of SSSOM, in YAML: {problem}");
            BiotideError::file(file, problem)
        })
    }

    fn read(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Self {
                prefixes: Some(BTreeMap::new()),
                slots: Vec::new(),
            });
        }
        let block: yaml::Block<Slots> =
            yaml::read(text).map_err(|problem| no_keys(text, problem))?;
        let mut prefixes = BTreeMap::new();
        let mut slots = Vec::new();
        for (key, node) in block.entries {
            match (key.as_str(), node) {
                ("curie_map", Node::Map(map)) => {
                    for (prefix, node) in map {
                        let iri = iri(&prefix, node)?;
                        if prefixes.insert(prefix.clone(), iri).is_some() {
                            return Err(format!("curie_map: \"{prefix}\" is there twice"));
                        }
                    }
                }
                ("curie_map", Node::Null) | (_, Node::Null) => {}
                ("curie_map", _) => {
                    return Err(
                        "curie_map is not a list of prefixes, `prefix: IRI` a line".to_owned()
                    );
                }
                (key, node) => slots.push((current(key).to_owned(), node)),
            }
        }
        old::rename_types(&mut slots)?;
        enumerations::standardize(&mut slots)?;
        let expanded = prefixes.keys().map(|prefix| {
            let iri = expand(prefix, &prefixes)?;
            Ok((prefix.clone(), iri))
        });
        let mut prefixes: BTreeMap<_, _> = expanded.collect::<Result<_, String>>()?;
        keep_built_in(&mut prefixes)?;
        Ok(Self {
            prefixes: Some(prefixes),
            slots,
        })
    }

    /// Whether nothing is said.
    fn is_empty(&self) -> bool {
        self.slots.is_empty() && self.prefixes.as_ref().is_none_or(BTreeMap::is_empty)
    }

    /// The value of a slot.
    pub(super) fn slot(&self, name: &str) -> Option<&Node> {
        let slot = self.slots.iter().find(|(slot, _)| slot == name);
        slot.map(|(_, node)| node)
    }

    /// The prefixes that rows may have; `None`: any.
    pub(super) fn known_prefixes(&self) -> Option<BTreeSet<Vec<u8>>> {
        let own = self.prefixes.as_ref()?.keys().map(String::as_str);
        let others = sssom::BUILT_IN.iter().chain(&sssom::TAKEN_AS_DECLARED);
        let all = own.chain(others.map(|(prefix, _)| *prefix));
        Some(all.map(|prefix| prefix.as_bytes().to_vec()).collect())
    }

    /// What its prefixes stand for.
    pub(super) fn iris(&self) -> Iris {
        let declared = self.prefixes.as_ref();
        declared.map(Iris::of).unwrap_or_default()
    }
}

const SAYS_NOTHING: &str =
    "it says nothing of the set: write into it what prefixes stand for (curie_map), or remove it";

/// What is wrong with a text that is no keys and values: another kind of YAML, or what reading it said.
fn no_keys(text: &str, problem: String) -> String {
    let what = match yaml::read(text) {
        Ok(Node::List(_)) => "a list",
        Ok(Node::Scalar(_)) => "a single value",
        Ok(Node::Null) => "nothing",
        Ok(Node::Map(_)) | Err(_) => return problem,
    };
    format!("{what} stands where keys and values should, such as curie_map")
}

/// What a prefix stands for. An IRI has a scheme.
fn iri(prefix: &str, node: Node) -> Result<String, String> {
    match node {
        Node::Scalar(iri) if iri.contains(':') => Ok(iri),
        Node::Scalar(other) if !other.trim().is_empty() => Err(format!(
            "curie_map: \"{prefix}\" stands for '{other}', which is no IRI"
        )),
        _ => Err(format!("curie_map: \"{prefix}\" stands for no IRI")),
    }
}

/// What is said of built-in prefixes in sets that are older than their IRIs.
const FORMER: [(&str, &str); 1] = [("semapv", "https://w3id.org/semapv/")];

/// Fails where a map gives a prefix that needs no declaration another meaning: a set that is written lacks it.
fn keep_built_in(prefixes: &mut BTreeMap<String, String>) -> Result<(), String> {
    for (prefix, iri) in sssom::BUILT_IN {
        let Some(own) = prefixes.get_mut(prefix).filter(|own| *own != iri) else {
            continue;
        };
        if FORMER.contains(&(prefix, own.as_str())) {
            iri.clone_into(own);
        } else {
            return Err(format!(
                "curie_map says that {prefix} stands for {own}, and in every set it stands for {iri}: leave it out there, \
                 or give the prefix of {own} another name (in curie_map and in the rows)"
            ));
        }
    }
    Ok(())
}

/// The IRI of a prefix. One that is written with another prefix of the map is expanded by that.
fn expand(prefix: &str, prefixes: &BTreeMap<String, String>) -> Result<String, String> {
    let mut way = vec![prefix];
    let mut rest = String::new();
    loop {
        let iri = prefixes.get(way[way.len() - 1]).map_or("", String::as_str);
        // (What goes on with two slashes is an IRI, whatever is declared, and `urn: urn:` is one, too.)
        let inner = iri.split_once(':').filter(|(own, local)| {
            let is_own = local.is_empty() && *own == way[way.len() - 1];
            !is_own && !local.starts_with("//")
        });
        let known =
            inner.and_then(|(inner, local)| Some((prefixes.get_key_value(inner)?.0, local)));
        let Some((next, local)) = known else {
            return Ok(format!("{iri}{rest}"));
        };
        rest.insert_str(0, local);
        if way.contains(&next.as_str()) {
            way.push(next);
            return Err(format!(
                "curie_map goes in a circle: {}; give each of these prefixes the whole of its IRI",
                way.join(" -> ")
            ));
        }
        way.push(next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_ends_with_its_last_comment() {
        let of =
            |head: &str, eof| Block::of(head.as_bytes(), eof).map(|block| (block.end, block.lines));
        assert_eq!(of("#a: 1\n#b: 2\nid\n", false), Some((12, 2)));
        assert_eq!(of("#a: 1\r\nid\n", false), Some((7, 1)));
        assert_eq!(of("id\n#x\n", false), Some((0, 0)));
        assert_eq!(of("\u{FEFF}#a\nid", false), Some((6, 1)));
        for head in ["", "#a: 1", "#a: 1\n"] {
            assert_eq!(of(head, false), None, "{head:?}");
            assert!(of(head, true).is_some(), "{head:?}");
        }
    }

    #[test]
    fn prefixes_are_expanded_unless_they_go_in_a_circle() {
        let read = |text: &str| Metadata::of_block("x", text.as_bytes());
        let block = "# curie_map:\n#   obo: http://o/\n#   hp: obo:HP_\n#   http: http://h/\n";
        let prefixes = read(block).unwrap().prefixes.unwrap();
        assert_eq!(prefixes["hp"], "http://o/HP_");
        assert_eq!(prefixes["http"], "http://h/");
        let own = read("#curie_map:\n#  urn: 'urn:'\n#  x: 'urn:x:'\n");
        let prefixes = own.unwrap().prefixes.unwrap();
        assert_eq!((&*prefixes["urn"], &*prefixes["x"]), ("urn:", "urn:x:"));
        let circle = read("#curie_map:\n#  a: b:x\n#  b: a:y\n")
            .unwrap_err()
            .to_string();
        assert!(circle.contains("a -> b -> a"), "{circle}");
        let own = read("#curie_map:\n#  a: a:x\n").unwrap_err().to_string();
        assert!(own.contains("a -> a"), "{own}");
    }

    #[test]
    fn what_is_built_in_means_what_it_means() {
        let read = |iri: &str| {
            let block = format!("#curie_map:\n#  skos: {iri}\n");
            Metadata::of_block("x", block.as_bytes())
        };
        assert!(read("http://www.w3.org/2004/02/skos/core#").is_ok());
        let block = b"#curie_map:\n#  semapv: https://w3id.org/semapv/\n";
        let old = Metadata::of_block("x", block).unwrap();
        let own = old.prefixes.unwrap().remove("semapv");
        assert_eq!(own.as_deref(), Some("https://w3id.org/semapv/vocab/"));
        for other in ["http://e.org/f/", "https://www.w3.org/2004/02/skos/core#"] {
            let error = read(other).unwrap_err().to_string();
            assert!(
                error.contains(&format!("skos stands for {other}")),
                "{error}"
            );
        }
    }

    #[test]
    fn what_is_no_yaml_is_told_with_its_line() {
        let error = Metadata::of_block("x.sssom.tsv", b"#a: 1\n#a: 2\n").unwrap_err();
        let error = error.to_string();
        assert!(
            error.starts_with("x.sssom.tsv: ") && error.contains("line 2"),
            "{error}"
        );
    }

    #[test]
    fn a_prefix_stands_for_an_iri() {
        for (iri, words) in [
            ("''", "curie_map: \"FOO\" stands for no IRI"),
            ("' '", "curie_map: \"FOO\" stands for no IRI"),
            ("", "curie_map: \"FOO\" stands for no IRI"),
            ("[http://x/]", "curie_map: \"FOO\" stands for no IRI"),
            ("12", "curie_map: \"FOO\" stands for '12', which is no IRI"),
            (
                "true",
                "curie_map: \"FOO\" stands for 'true', which is no IRI",
            ),
        ] {
            let block = format!("#curie_map:\n#  X: http://x/\n#  FOO: {iri}\n");
            let error = Metadata::of_block("x.sssom.tsv", block.as_bytes()).unwrap_err();
            let error = error.to_string();
            assert!(
                error.starts_with("x.sssom.tsv: ") && error.contains(words),
                "{iri:?}: {error}"
            );
        }
    }

    #[test]
    fn a_file_of_its_own_says_something() {
        for (text, words) in [
            ("", "it says nothing of the set"),
            ("\u{FEFF}\n", "it says nothing of the set"),
            ("# to be written\n", "it says nothing of the set"),
            ("curie_map:\n", "it says nothing of the set"),
            ("- a\n", "a list stands where keys and values should"),
            ("a\n", "a single value stands where keys and values should"),
        ] {
            let error = Metadata::of_file("x.sssom.yml", text.as_bytes()).unwrap_err();
            let error = error.to_string();
            assert!(
                error.starts_with("x.sssom.yml: ") && error.contains(words),
                "{text:?}: {error}"
            );
        }
        assert!(Metadata::of_file("x", b"license: http://l/\n").is_ok());
        // (Of a table the lines above may be there to say nothing.)
        assert!(Metadata::of_block("x", b"#\n").is_ok());
    }

    #[test]
    fn versions_keep_their_spelling() {
        let metadata =
            Metadata::of_block("x", b"#mapping_tool_version: 1.10\n#creator_id: a:b\n").unwrap();
        let version = Node::Scalar("1.10".to_owned());
        assert_eq!(metadata.slot("mapping_tool_version"), Some(&version));
    }
}
