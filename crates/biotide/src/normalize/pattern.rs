//! Regular expressions of rules, and what stands for their groups.

use regex::Regex;

/// A pattern, compiled; an error says what is wrong with it.
pub(super) fn compiled(pattern: &str) -> Result<Regex, String> {
    Regex::new(pattern).map_err(|error| {
        format!(
            "{error}; write a regular expression of the crate regex (no look-around, no backreferences)"
        )
    })
}

/// A pattern that can be compiled, as it was.
pub(super) fn checked(pattern: String) -> Result<String, String> {
    compiled(&pattern).map(|_| pattern)
}

/// A pattern of the whole text. (A comment of `(?x)` ends with its line.)
pub(super) fn whole(pattern: &str) -> String {
    let is_commented = pattern.contains("(?x") && pattern.contains('#');
    let end = if is_commented { "\n" } else { "" };
    format!(r"\A(?:{pattern}{end})\z")
}

/// A replacement in which each group is told from what follows it: `$1mg` is the first group and `mg`. An error is a
/// group that the pattern does not have.
pub(super) fn replacement(pattern: &Regex, written: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = written;
    while let Some(at) = rest.find(['$', '\\']) {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let sign = &after[..1];
        rest = &after[1..];
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let word = rest.len()
            - rest
                .trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_')
                .len();
        let (name, length) = if digits > 0 {
            (&rest[..digits], digits)
        } else if sign == "$" && rest.starts_with('{') {
            match rest.find('}') {
                Some(end) => (&rest[1..end], end + 1),
                None => {
                    return Err(format!(
                        "the replacement has ${rest}, whose brace is not closed"
                    ));
                }
            }
        } else if sign == "$" && word > 0 {
            (&rest[..word], word)
        } else {
            // (`$$` is a dollar; a lone sign is itself.)
            let doubled = sign == "$" && rest.starts_with('$');
            out.push_str(if sign == "$" { "$$" } else { sign });
            rest = &rest[usize::from(doubled)..];
            continue;
        };
        let known = match name.parse::<usize>() {
            Ok(number) => number < pattern.captures_len(),
            Err(_) => pattern.capture_names().flatten().any(|known| known == name),
        };
        if !known {
            return Err(format!(
                "the pattern has no group {name}: it has {} and the whole match, 0 ($$ is a dollar)",
                pattern.captures_len() - 1
            ));
        }
        out.push_str(&format!("${{{name}}}"));
        rest = &rest[length..];
    }
    out.push_str(rest);
    Ok(out)
}

/// The group of a pattern: by number, 0 is the whole match, or by name. The first one, if none is said.
pub(super) fn group(pattern: &Regex, group: Option<String>) -> Result<usize, String> {
    let groups = pattern.captures_len();
    let number = match &group {
        None => Some(usize::from(groups > 1)),
        Some(name) => name.parse().ok().or_else(|| {
            let mut names = pattern.capture_names();
            names.position(|known| known == Some(name))
        }),
    };
    number.filter(|&number| number < groups).ok_or_else(|| {
        let group = group.unwrap_or_default();
        format!(
            "the pattern has no group {group}: it has {} and the whole match, 0",
            groups - 1
        )
    })
}
