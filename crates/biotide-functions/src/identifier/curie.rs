//! CURIEs (`prefix:identifier`), as the functions on them see them.

use super::registry::{Prefix, Registry};
use super::written::{trim, trim_if};

/// The parts of a CURIE whose prefix is known, the identifier without a redundant prefix. `trims`: blanks around
/// both parts do not count.
pub(crate) fn parse<'r, 'a>(
    registry: &'r Registry,
    curie: &'a str,
    separator: &str,
    trims: bool,
) -> Option<(&'r Prefix, &'a str)> {
    let (prefix, id) = split(trim_if(trims, curie), separator)?;
    let prefix = registry.find(trim_if(trims, prefix))?;
    let id = trim_if(trims, id);
    Some((prefix, standardize(prefix, id, trims)))
}

/// The local identifier without redundant prefixes. Bioregistry cuts one off; `GO:GO:GO:0003993` has more, and
/// `GO::0003993` has an empty one.
pub(super) fn standardize<'a>(prefix: &Prefix, id: &'a str, all: bool) -> &'a str {
    let mut id = prefix.standardize(id);
    if all {
        loop {
            let shorter = trim(prefix.standardize(id.strip_prefix(':').unwrap_or(id)));
            if shorter.len() == id.len() || shorter.is_empty() {
                break;
            }
            id = shorter;
        }
    }
    id
}

/// At the first separator.
pub(super) fn split<'a>(curie: &'a str, separator: &str) -> Option<(&'a str, &'a str)> {
    match separator.as_bytes() {
        &[byte] => {
            let at = memchr::memchr(byte, curie.as_bytes())?;
            Some((curie.get(..at)?, curie.get(at + 1..)?))
        }
        [] => None,
        _ => curie.split_once(separator),
    }
}

#[cfg(test)]
mod tests {
    use super::super::registry::embedded;
    use super::*;

    fn normal(curie: &str, trims: bool) -> Option<String> {
        let registry = embedded();
        let (prefix, id) = parse(&registry, curie, ":", trims)?;
        Some(format!("{}:{id}", prefix.prefix))
    }

    #[test]
    fn redundant_prefixes_are_cut_off() {
        for (curie, ours, bioregistry) in [
            (
                "CHEBI:CHEBI:15377",
                Some("chebi:15377"),
                Some("chebi:15377"),
            ),
            ("hgnc:HGNC_11998", Some("hgnc:11998"), Some("hgnc:11998")),
            (
                "Entrez Gene:7157",
                Some("ncbigene:7157"),
                Some("ncbigene:7157"),
            ),
            ("GO_0003993", None, None),
            (" go:1", Some("go:1"), Some("go:1")),
            ("\u{feff}go\u{a0}:1", Some("go:1"), None),
            ("go :1", Some("go:1"), Some("go:1")),
            ("go: 1", Some("go:1"), Some("go: 1")),
            ("go:1\u{a0}", Some("go:1"), Some("go:1\u{a0}")),
            (
                "go:GO:GO:0000001",
                Some("go:0000001"),
                Some("go:GO:0000001"),
            ),
            ("DOID::12386", Some("doid:12386"), Some("doid::12386")),
            (
                "omim.ps:PS214100",
                Some("omim.ps:214100"),
                Some("omim.ps:214100"),
            ),
            (
                "omim.ps:omim.ps:214100",
                Some("omim.ps:214100"),
                Some("omim.ps::214100"),
            ),
            ("nope:1", None, None),
            (":1", None, None),
            ("", None, None),
            ("go:", Some("go:"), Some("go:")),
        ] {
            assert_eq!(normal(curie, true).as_deref(), ours, "{curie}");
            assert_eq!(normal(curie, false).as_deref(), bioregistry, "{curie}");
        }
    }

    #[test]
    fn doing_it_twice_changes_nothing() {
        for curie in [
            "GO:GO:GO:1",
            "hgnc:hgnc:HGNC_1",
            "go: :1",
            "omim.ps:PSPS1",
            "cl:CL:CL_1",
        ] {
            let once = normal(curie, true).unwrap();
            assert_eq!(normal(&once, true).as_ref(), Some(&once), "{curie}");
        }
    }
}
