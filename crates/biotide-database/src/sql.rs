//! Names and literals in SQL text.

/// A name in double quotes.
pub(crate) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Names in double quotes, with commas.
pub(crate) fn identifiers<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<_> = names.into_iter().map(identifier).collect();
    quoted.join(", ")
}

/// A text in single quotes, as both databases take it (PostgreSQL: `standard_conforming_strings` is on
/// in every session that we open).
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Sixteen hexadecimal digits that stand for a text: FNV-1a, the same in every version, as names that
/// must be found again are made from it.
pub(crate) fn digest(text: &str) -> String {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_doubled() {
        assert_eq!(identifier("a\"b"), "\"a\"\"b\"");
        assert_eq!(literal("O'Neil \\"), "'O''Neil \\'");
        assert_eq!(digest(""), "cbf29ce484222325");
    }
}
