//! The fuzz target's corpus, and a bounded random run of its body.

use std::path::PathBuf;

use crate::fuzz_body::identifiers_any;
use crate::rng::{Rng, for_seeds};

fn corpus() -> Vec<(PathBuf, Vec<u8>)> {
    let folder = [
        env!("CARGO_MANIFEST_DIR"),
        "fuzz",
        "corpus",
        "identifiers_any",
    ];
    let folder: PathBuf = folder.iter().collect();
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
        .into_iter()
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect()
}

/// What identifiers are written with.
const PIECES: [&str; 40] = [
    ":",
    "::",
    "_",
    "-",
    ".",
    ";",
    ",",
    "|",
    "/",
    " ",
    "\u{a0}",
    "\u{feff}",
    "\t",
    "'",
    "\"",
    "[",
    "]",
    "NA",
    "0",
    "1",
    "٣",
    "é",
    "ß",
    "CHEBI:",
    "chebi",
    "GO:",
    "HMDB",
    "HMDB00001",
    "ENSG",
    "rs",
    "CID",
    "P12345",
    "p12345",
    "Q14213_Q8NEV9",
    "sp|",
    "REV__",
    "CON__",
    "http://",
    "hsa:7157",
    "58-08-2",
];

#[test]
fn the_corpus() {
    for (path, input) in corpus() {
        eprintln!("{}", path.display());
        identifiers_any(&input);
    }
}

#[test]
fn mutated_texts() {
    let corpus = corpus();
    for_seeds(1_500, |seed| {
        let mut rng = Rng::new(seed);
        let mut text = corpus[rng.below(corpus.len())].1.clone();
        for _ in 0..=rng.below(4) {
            let at = rng.below(text.len() + 1);
            match rng.below(5) {
                0 if at < text.len() => drop(text.remove(at)),
                1 if at < text.len() => text[at] ^= 1 << rng.below(8),
                2 => {
                    let from = rng.below(text.len() + 1).min(at);
                    let copy = text[from..at].to_vec();
                    text.splice(at..at, copy);
                }
                3 if at < text.len() => text[at..].make_ascii_lowercase(),
                _ => {
                    let piece = PIECES[rng.below(PIECES.len())];
                    text.splice(at..at, piece.bytes());
                }
            }
        }
        text.truncate(200);
        identifiers_any(&text);
    });
}
