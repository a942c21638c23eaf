//! Files in YAML that say what to do: rules, parsers, pipelines.

use std::fmt::Display;

use serde::de::DeserializeOwned;
pub use serde_saphyr::{Location, Spanned};

/// Reads a text. An error is what is wrong, with line and column.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_saphyr::from_str(text).map_err(|error| {
        let error = error.without_snippet();
        let problem = error.to_string();
        match error.location() {
            // (It begins with its place, in other words.)
            Some(place) if place.line() > 0 => {
                let (line, column) = (place.line(), place.column());
                let before = format!("line {line} column {column}: ");
                let after = format!(" at line {line}, column {column}");
                let problem = problem.strip_prefix(&before).unwrap_or(&problem);
                let problem = problem.strip_suffix(&after).unwrap_or(problem);
                // (What the library advises its callers is no advice for people.)
                let end = problem
                    .find(", set DuplicateKeyPolicy")
                    .or_else(|| problem.find("; use "));
                at(&place, &problem[..end.unwrap_or(problem.len())])
            }
            _ => problem,
        }
    })
}

/// A problem at a place of a file.
pub fn at(place: &Location, problem: impl Display) -> String {
    let (line, column) = (place.line(), place.column());
    format!("line {line}, column {column}: {problem}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn mistakes_are_told_with_their_place() {
        type Numbers = BTreeMap<String, u32>;
        let read = |text| read::<Numbers>(text).map_err(|error| error.lines().count());
        assert_eq!(read("a: 1\nb: 2\n").map(|map| map.len()), Ok(2));
        for text in [
            "a: 1\nb: x\n",
            "a: 1\na: 2\n",
            "a: [1\n",
            "a: 1\n b: 2\n",
            "- 1\n",
        ] {
            let error = super::read::<Numbers>(text).unwrap_err();
            assert!(error.starts_with("line "), "{text:?}: {error}");
            assert_eq!(read(text), Err(1), "{error}");
        }
    }
}
