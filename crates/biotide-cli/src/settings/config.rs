//! The file of `--config`: lines `key = value` or `key: value`, and comments from `#` on.

use std::path::Path;

use super::{Origin, Setting};
use crate::error::{Context, Failure};

/// Reads a configuration file.
pub(super) fn read(path: &Path) -> Result<Vec<Setting>, Failure> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("reading {}", path.display()))
        .map_err(Failure::Usage)?;
    let mut settings = Vec::new();
    for (line, text) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let parsed = parse_line(text)
            .map_err(|problem| Failure::usage(format!("{}:{line}: {problem}", path.display())))?;
        if let Some((key, value)) = parsed {
            let origin = Origin::File {
                path: path.to_owned(),
                line,
            };
            settings.push(Setting {
                key: key.to_owned(),
                value: value.to_owned(),
                origin,
            });
        }
    }
    Ok(settings)
}

/// A key and its value, or nothing on a line that holds neither.
fn parse_line(line: &str) -> Result<Option<(&str, &str)>, String> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') || line == "---" {
        return Ok(None);
    }
    let end = line.find(|c: char| !(c.is_alphanumeric() || "._-".contains(c)));
    let (key, rest) = line.split_at(end.unwrap_or(line.len()));
    let value = rest.trim_start().strip_prefix(['=', ':']);
    match value {
        Some(value) if !key.is_empty() => Ok(Some((key, parse_value(value.trim())?))),
        _ => Err(format!("'{line}' is not `key = value` or `key: value`")),
    }
}

/// The value without its quotes and without the comment behind it.
///
/// A value that starts with `#` is no comment (`comment: #`), and one that starts with a quote and goes
/// on behind it is taken as it stands (`null_values: "a,b",c`).
fn parse_value(text: &str) -> Result<&str, String> {
    if let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        // A lone quote is a value as well: `quote: "`.
        if text.len() == 1 {
            return Ok(text);
        }
        let Some((value, rest)) = text[1..].split_once(quote) else {
            return Err(format!("{text} has a quote that is not closed"));
        };
        let rest = rest.trim_start();
        if rest.is_empty() || rest.starts_with('#') {
            return Ok(value);
        }
    }
    let comment = text.match_indices('#').map(|(at, _)| at).find(|&at| {
        let before = &text[..at];
        before.ends_with([' ', '\t']) && !before.trim().is_empty()
    });
    Ok(text[..comment.unwrap_or(text.len())].trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read() {
        for (line, key, value) in [
            ("on_error=lenient", "on_error", "lenient"),
            (
                "  biotide.on-error :  fail  # strict",
                "biotide.on-error",
                "fail",
            ),
            ("delimiter: \"#\" # a hash", "delimiter", "#"),
            ("delimiter = ' '", "delimiter", " "),
            ("comment: #", "comment", "#"),
            ("quote: \"", "quote", "\""),
            ("null_values: \"a,b\",c", "null_values", "\"a,b\",c"),
            (
                "rejects: s3://bucket/a#1.jsonl",
                "rejects",
                "s3://bucket/a#1.jsonl",
            ),
            ("temp_dir: C:\\temp", "temp_dir", "C:\\temp"),
            ("quote =", "quote", ""),
        ] {
            assert_eq!(parse_line(line), Ok(Some((key, value))), "{line}");
        }
        for line in ["", "   ", "# on_error=fail", "---"] {
            assert_eq!(parse_line(line), Ok(None), "{line}");
        }
        for line in ["on_error", "on error = fail", "= fail", "quote: \"a"] {
            assert!(parse_line(line).is_err(), "{line}");
        }
    }

    #[test]
    fn mistakes_name_file_and_line() {
        let path = std::env::temp_dir().join(format!("biotide-config-{}", std::process::id()));
        std::fs::write(&path, "# mine\non_error: fail\n\nthreads\n").unwrap();
        let message = read(&path).unwrap_err().message();
        std::fs::remove_file(&path).unwrap();
        let place = format!("{}:4: 'threads' is not", path.display());
        assert!(message.contains(&place), "{message}");
    }
}
