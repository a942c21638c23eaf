//! Prefixes that somebody asks for, and that a mapping has nothing of: most likely they are spelled in another way.

use biotide_common::nearest::did_you_mean;

use crate::index::Index;

/// Those of the prefixes that the mapping has nothing of, each with what is said of it.
fn absent(index: &Index, prefixes: &[String]) -> Vec<String> {
    let known = index.prefixes();
    let absent = prefixes
        .iter()
        .filter(|prefix| index.vocabulary.prefix(prefix).is_none());
    absent
        .map(|prefix| {
            let hint = did_you_mean(prefix, known.iter().copied());
            format!("nothing of {prefix} is in the mapping: {hint}")
        })
        .collect()
}

/// Warns of those that the mapping has nothing of. `option`: what they were asked for with.
pub(crate) fn warn(index: &Index, mapping: &str, option: &str, prefixes: &[String]) {
    for problem in absent(index, prefixes) {
        log::warn!("{mapping}: {option}: {problem}");
    }
}

/// What is said where the mapping has nothing of any of these; nothing, if it has something of one, or all are wanted.
pub(crate) fn of_all(index: &Index, prefixes: &[String]) -> Option<String> {
    let absent = absent(index, prefixes);
    (!absent.is_empty() && absent.len() == prefixes.len()).then(|| absent.join("; "))
}
