//! The fuzz targets' corpus, and a bounded random run of their bodies.

use std::path::PathBuf;

use crate::rng::{Rng, for_seeds};
use crate::{fuzz_bodies, inputs, json_body};

fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = [env!("CARGO_MANIFEST_DIR"), "fuzz", "corpus", target];
    let folder: PathBuf = folder.iter().collect();
    let files = std::fs::read_dir(&folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    let mut files: Vec<PathBuf> = files.collect();
    files.sort();
    let read = |path: PathBuf| (path.clone(), std::fs::read(path).unwrap());
    let files: Vec<_> = files.into_iter().map(read).collect();
    assert!(!files.is_empty());
    files
}

fn replay(target: &str, body: fn(&[u8])) {
    for (path, input) in corpus(target) {
        eprintln!("{}", path.display());
        body(&input);
    }
}

#[test]
fn simd_vs_scalar() {
    replay("simd_vs_scalar", fuzz_bodies::simd_vs_scalar);
}

#[test]
fn decode_any_chunking() {
    replay("decode_any_chunking", fuzz_bodies::decode_any_chunking);
}

#[test]
fn sniff_any() {
    replay("sniff_any", fuzz_bodies::sniff_any);
    replay("decode_any_chunking", fuzz_bodies::sniff_any);
}

#[test]
fn random_inputs() {
    for_seeds(4_000, |seed| {
        let mut rng = Rng::new(seed);
        let layout = inputs::layout(&mut rng);
        let mut input: Vec<u8> = (0..4).map(|_| rng.next() as u8).collect();
        input.extend(inputs::text(&mut rng, &layout, 300));
        fuzz_bodies::decode_any_chunking(&input);
        fuzz_bodies::sniff_any(&input);
        if rng.chance(3, 4) {
            input[..4].copy_from_slice(b",\n\"\0");
        }
        fuzz_bodies::simd_vs_scalar(&input);
    });
}

#[test]
fn mutated_corpus() {
    let corpus = corpus("decode_any_chunking");
    for_seeds(4_000, |seed| {
        let mut rng = Rng::new(seed);
        let mut input = corpus[rng.below(corpus.len())].1.clone();
        for _ in 0..=rng.below(4) {
            let at = rng.below(input.len() + 1);
            match rng.below(4) {
                0 if at < input.len() => drop(input.remove(at)),
                1 => input.insert(
                    at,
                    *rng.pick(&[&b',', &b'"', &b'\n', &b'\r', &b'\\', &0xC3]),
                ),
                2 if at < input.len() => input[at] ^= 1 << rng.below(8),
                _ => {
                    let from = rng.below(input.len() + 1).min(at);
                    let copy = input[from..at].to_vec();
                    input.splice(at..at, copy);
                }
            }
        }
        fuzz_bodies::decode_any_chunking(&input);
        fuzz_bodies::simd_vs_scalar(&input);
        fuzz_bodies::sniff_any(&input);
    });
}

/// What JSON is made of.
const SIGNS: &[u8] = b"{}[]\",:\n\\ 0e-nN\xC3\r1";

#[test]
fn json_any() {
    replay("json_any", json_body::json_any);
    let corpus = corpus("json_any");
    for_seeds(4_000, |seed| {
        let mut rng = Rng::new(seed);
        let mut input = corpus[rng.below(corpus.len())].1.clone();
        if rng.chance(1, 2) {
            input[0] = rng.next() as u8 & 31;
        }
        for _ in 0..=rng.below(4) {
            let at = rng.below(input.len() + 1).max(1);
            match rng.below(4) {
                0 if at < input.len() => drop(input.remove(at)),
                1 => input.insert(at, SIGNS[rng.below(SIGNS.len())]),
                2 if at < input.len() => input[at] ^= 1 << rng.below(8),
                _ => {
                    let from = rng.below(input.len() + 1).clamp(1, at);
                    let copy = input[from..at].to_vec();
                    input.splice(at..at, copy);
                }
            }
        }
        json_body::json_any(&input);
    });
}
