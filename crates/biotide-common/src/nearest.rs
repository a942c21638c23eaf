//! What was meant by a name that does not exist.

use std::fmt::Write;

use datafusion_common::utils::datafusion_strsim::levenshtein;

/// How many names a message lists.
const MOST_NAMES: usize = 40;

/// The longest name that is compared.
const MOST_BYTES: usize = 200;

/// The name that is most like this one, if any is like it.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // (The distance of long texts takes long.)
    if name.len() > MOST_BYTES {
        return None;
    }
    let folded = name.to_lowercase();
    known
        .into_iter()
        .map(|known| (distance(&folded, &known.to_lowercase()), known))
        .min()
        // (A third of its letters may be wrong, but not all of them.)
        .filter(|(distance, known)| {
            let most = known.chars().count().max(3) / 3;
            *distance <= most && *distance < folded.chars().count()
        })
        .map(|(_, known)| known)
}

/// How many letters differ; letters in another order count once: `tvs` is near to `tsv`.
fn distance(a: &str, b: &str) -> usize {
    let sorted = |text: &str| {
        let mut letters: Vec<char> = text.chars().collect();
        letters.sort_unstable();
        letters
    };
    match levenshtein(a, b) {
        2.. if sorted(a) == sorted(b) => 1,
        distance => distance,
    }
}

/// `did you mean 'x'?`, or what there is.
pub fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    match nearest(name, known.clone()) {
        Some(near) => format!("did you mean '{near}'?"),
        None => match list(known) {
            names if names.is_empty() => String::from("there are none"),
            names => format!("there are {names}"),
        },
    }
}

/// `did you mean 'x'? There are x, y`, or what there is alone.
pub fn suggested<'a>(name: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    match nearest(name, known.clone()) {
        Some(near) => format!("did you mean '{near}'? There are {}", list(known)),
        None => did_you_mean(name, known),
    }
}

/// `a, b, c`.
pub fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    let mut text = names
        .iter()
        .take(MOST_NAMES)
        .copied()
        .collect::<Vec<_>>()
        .join(", ");
    if let Some(more) = names.len().checked_sub(MOST_NAMES).filter(|more| *more > 0) {
        // (Writing to a String cannot fail.)
        let _ = write!(text, " and {more} more");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near_is_offered_and_else_what_there_is() {
        let known = ["file_path", "chunk_size"];
        assert_eq!(did_you_mean("file_pth", known), "did you mean 'file_path'?");
        assert_eq!(
            did_you_mean("CHUNKSIZE", known),
            "did you mean 'chunk_size'?"
        );
        assert_eq!(did_you_mean("x", known), "there are file_path, chunk_size");
        assert_eq!(did_you_mean("x", ["m", "n"]), "there are m, n");
        assert_eq!(did_you_mean("tvs", ["csv", "tsv"]), "did you mean 'tsv'?");
        assert_eq!(did_you_mean("x", []), "there are none");
        assert_eq!(suggested("x", ["m", "n"]), "there are m, n");
        assert_eq!(
            suggested("tvs", ["csv", "tsv"]),
            "did you mean 'tsv'? There are csv, tsv"
        );
        let many: Vec<String> = (0..50).map(|n| format!("name{n}")).collect();
        assert!(list(many.iter().map(String::as_str)).ends_with("name39 and 10 more"));
    }
}
