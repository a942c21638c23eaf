//! Whether a pipeline is the same as another time.

use super::tree::{Node, Tree};

/// FNV-1a of 64 bits: the same on every machine, and in every release.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Digest(u64);

impl Digest {
    pub(crate) fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// With a text more. (Texts are kept apart: `a`, `bc` is not `ab`, `c`.)
    pub(crate) fn with(self, text: &str) -> Self {
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self(text.bytes().chain([0xff]).fold(self.0, step))
    }

    pub(crate) fn value(self) -> u64 {
        self.0
    }
}

/// The digests of what a section says, each by its path: `streaming.chunk_size`. What is not said has none, and where it
/// stands does not count.
pub(super) fn of_section(path: &str, section: &Tree) -> Vec<(String, u64)> {
    match &section.node {
        Node::Null => Vec::new(),
        Node::Map(entries) => {
            let inner = |key: &str, value: &Tree| of_section(&format!("{path}.{key}"), value);
            let entries = entries.iter();
            entries
                .flat_map(|entry| inner(&entry.key.value, &entry.value))
                .collect()
        }
        _ => vec![(
            path.to_owned(),
            Digest::new().with(&section.to_string()).value(),
        )],
    }
}

#[cfg(test)]
mod tests {
    use super::super::yaml;
    use super::*;

    #[test]
    fn sections_are_told_apart_by_what_they_say() {
        let of = |text: &str| of_section("s", &yaml::read(&"p.yaml".into(), text).unwrap());
        let (before, after) = (
            of("a: 1\nb: {c: 2, d: }\n"),
            of("# no\na:   1\nb:\n  c: 3\n"),
        );
        let names =
            |of: &[(String, u64)]| of.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&before), ["s.a", "s.b.c"]);
        assert_eq!(names(&before), names(&after));
        assert_eq!(before[0], after[0]);
        assert_ne!(before[1], after[1]);
    }

    #[test]
    fn digests_are_fixed_and_keep_texts_apart() {
        // (FNV's published value of nothing but the byte 0xff after its basis.)
        assert_eq!(Digest::new().value(), 0xcbf2_9ce4_8422_2325);
        let digest = |texts: &[&str]| texts.iter().fold(Digest::new(), |d, t| d.with(t)).value();
        assert_ne!(digest(&["a", "bc"]), digest(&["ab", "c"]));
        assert_eq!(digest(&["a", "bc"]), digest(&["a", "bc"]));
    }
}
