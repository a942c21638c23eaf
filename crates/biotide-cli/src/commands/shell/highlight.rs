//! Colours for SQL that may not be complete yet.

/// What a part of a statement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Keyword,
    Text,
    Quoted,
    Number,
    Comment,
    Other,
}

/// Words that are shown as keywords.
pub(super) const KEYWORDS: [&str; 83] = [
    "ALL",
    "ANALYZE",
    "AND",
    "ANTI",
    "AS",
    "ASC",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "COPY",
    "CREATE",
    "CROSS",
    "DESC",
    "DESCRIBE",
    "DISTINCT",
    "DROP",
    "ELSE",
    "END",
    "ESCAPE",
    "EXCEPT",
    "EXISTS",
    "EXPLAIN",
    "EXTERNAL",
    "EXTRACT",
    "FALSE",
    "FILTER",
    "FIRST",
    "FOLLOWING",
    "FROM",
    "FULL",
    "GROUP",
    "HAVING",
    "ILIKE",
    "IN",
    "INNER",
    "INSERT",
    "INTERSECT",
    "INTERVAL",
    "INTO",
    "IS",
    "JOIN",
    "LAST",
    "LEFT",
    "LIKE",
    "LIMIT",
    "LOCATION",
    "NATURAL",
    "NOT",
    "NULL",
    "NULLS",
    "OFFSET",
    "ON",
    "OPTIONS",
    "OR",
    "ORDER",
    "OUTER",
    "OVER",
    "PARTITION",
    "PARTITIONED",
    "PRECEDING",
    "RECURSIVE",
    "REPLACE",
    "RESET",
    "RIGHT",
    "ROWS",
    "SELECT",
    "SEMI",
    "SET",
    "SHOW",
    "STORED",
    "TABLE",
    "THEN",
    "TO",
    "TRUE",
    "UNBOUNDED",
    "UNION",
    "USING",
    "VALUES",
    "VIEW",
    "WHEN",
    "WHERE",
    "WITH",
];

/// The parts of a statement, in order: all of its text.
pub(super) fn parts(sql: &str) -> Vec<(Part, &str)> {
    let mut parts = Vec::new();
    let mut rest = sql;
    while let Some(c) = rest.chars().next() {
        let until = |end: Option<usize>| end.unwrap_or(rest.len());
        let quoted = |quote: char| until(rest[1..].find(quote).map(|i| i + 2));
        let word = |part: &dyn Fn(char) -> bool| until(rest.find(|c| !part(c)));
        let (part, end) = match c {
            '\'' => (Part::Text, quoted('\'')),
            '"' => (Part::Quoted, quoted('"')),
            '-' if rest.starts_with("--") => (Part::Comment, until(rest.find('\n'))),
            '/' if rest.starts_with("/*") => (Part::Comment, until(rest.find("*/").map(|i| i + 2))),
            '0'..='9' => (
                Part::Number,
                word(&|c| c.is_ascii_alphanumeric() || c == '.'),
            ),
            c if c.is_alphabetic() || c == '_' => {
                let end = word(&|c| c.is_alphanumeric() || c == '_');
                let upper = rest[..end].to_ascii_uppercase();
                match KEYWORDS.binary_search(&upper.as_str()) {
                    Ok(_) => (Part::Keyword, end),
                    Err(_) => (Part::Other, end),
                }
            }
            c => (Part::Other, c.len_utf8()),
        };
        let (text, after) = rest.split_at(end);
        parts.push((part, text));
        rest = after;
    }
    parts
}

/// The statement in colours.
pub(super) fn coloured(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len() + 32);
    for (part, text) in parts(sql) {
        let colour = match part {
            Part::Keyword => "\x1b[1;34m",
            Part::Text => "\x1b[32m",
            Part::Quoted => "\x1b[36m",
            Part::Number => "\x1b[35m",
            Part::Comment => "\x1b[2m",
            Part::Other => "",
        };
        match colour {
            "" => out.push_str(text),
            colour => out.extend([colour, text, "\x1b[0m"]),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_sorted() {
        assert!(KEYWORDS.is_sorted());
    }

    #[test]
    fn parts_are_all_of_the_text() {
        let sql = "select \"a\"\"b\", 'it''s é', 1.5e3 -- note\nfrom 'x.ts";
        let parts = parts(sql);
        let text: String = parts.iter().map(|(_, text)| *text).collect();
        assert_eq!(text, sql);
        let of = |wanted: Part| -> Vec<&str> {
            let parts = parts.iter().filter(|(part, _)| *part == wanted);
            parts.map(|(_, text)| *text).collect()
        };
        assert_eq!(of(Part::Keyword), ["select", "from"]);
        assert_eq!(of(Part::Text), ["'it'", "'s é'", "'x.ts"]);
        assert_eq!(of(Part::Number), ["1.5e3"]);
        assert_eq!(of(Part::Comment), ["-- note"]);
    }
}
