//! Made-up mappings and what is asked of them.

use std::fmt::Write;

use super::reference::{Asked, Statement};
use crate::support::gen_data::Rng;

/// Prefixes that no registry knows. (As texts, `a0:1` comes before `a:1`.)
pub(super) const PREFIXES: [&str; 5] = ["a", "a0", "b", "c", "zzd"];

/// Predicates of every kind.
pub(super) const PREDICATES: [&str; 17] = [
    "skos:exactMatch",
    "skos:exactMatch",
    "owl:sameAs",
    "owl:equivalentClass",
    "skos:narrowMatch",
    "skos:broadMatch",
    "rdfs:subClassOf",
    "owl:subClassOf",
    "skos:closeMatch",
    "skos:relatedMatch",
    "oboInOwl:hasDbXref",
    "skos:mappingRelation",
    "semapv:crossSpeciesExactMatch",
    "semapv:crossSpeciesNarrowMatch",
    "semapv:crossSpeciesBroadMatch",
    "RO:0002",
    "RO:0003",
];

/// Sums and products of these are exact.
const CONFIDENCES: [f64; 5] = [0.25, 0.5, 0.75, 1.0, 1.0];

/// What is local to a prefix. (Some are longer than a key.)
const LOCALS: [&str; 6] = [
    "1",
    "10",
    "2",
    "007",
    "a name that is longer than the others are",
    "a name that is longer than the others are, too",
];

pub(super) fn pick<T: Copy>(rng: &mut Rng, of: &[T]) -> T {
    of[rng.below(of.len() as u64) as usize]
}

/// Some of them, at times none.
pub(super) fn some<T: Copy>(rng: &mut Rng, of: &[T]) -> Vec<T> {
    let one_of = rng.below(4) + 1;
    of.iter()
        .copied()
        .filter(|_| rng.below(one_of + 1) >= one_of)
        .collect()
}

/// How large a mapping is made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) ids: u64,
    pub(super) statements: u64,
}

pub(super) fn ids(rng: &mut Rng, size: Size) -> Vec<String> {
    let prefixes = &PREFIXES[..3 + rng.below(3) as usize];
    let mut ids = Vec::new();
    while ids.len() < size.ids as usize {
        let local = match size.ids {
            ..=12 => pick(rng, &LOCALS).to_owned(),
            _ => format!("{}{}", pick(rng, &LOCALS), rng.below(size.ids)),
        };
        let id = format!("{}:{local}", pick(rng, prefixes));
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids
}

/// A mapping of few predicates, so that chains are long and things are said again.
pub(super) fn statements(rng: &mut Rng, ids: &[String], size: Size) -> Vec<Statement> {
    let kinds = 1 + rng.below(5) as usize;
    let mut predicates: Vec<&str> = (0..kinds).map(|_| pick(rng, &PREDICATES)).collect();
    if rng.below(3) > 0 {
        predicates.push("skos:exactMatch");
    }
    let negated = rng.below(8);
    let sources = ["s1", "s2", "s3"];
    let sources = &sources[..1 + rng.below(3) as usize];
    let mut all: Vec<Statement> = Vec::new();
    while all.len() < size.statements as usize {
        let again = rng.below(6);
        let mut one = match all.is_empty() || again > 1 {
            true => Statement {
                subject: ids[rng.below(ids.len() as u64) as usize].clone(),
                predicate: pick(rng, &predicates),
                object: ids[rng.below(ids.len() as u64) as usize].clone(),
                confidence: pick(rng, &CONFIDENCES),
                source: pick(rng, sources).to_owned(),
                negated: rng.below(20) < negated,
            },
            false => all[rng.below(all.len() as u64) as usize].clone(),
        };
        match again {
            // Of the same pair, but something is different.
            0 => match rng.below(4) {
                0 => one.confidence = pick(rng, &CONFIDENCES),
                1 => one.predicate = pick(rng, &predicates),
                2 => one.source = pick(rng, sources).to_owned(),
                _ => std::mem::swap(&mut one.subject, &mut one.object),
            },
            // The other way round.
            1 => {
                std::mem::swap(&mut one.subject, &mut one.object);
                one.predicate = match one.predicate {
                    "skos:narrowMatch" => "skos:broadMatch",
                    "skos:broadMatch" => "skos:narrowMatch",
                    "semapv:crossSpeciesNarrowMatch" => "semapv:crossSpeciesBroadMatch",
                    "semapv:crossSpeciesBroadMatch" => "semapv:crossSpeciesNarrowMatch",
                    other => other,
                };
            }
            _ => {}
        }
        all.push(one);
    }
    all
}

pub(super) fn shuffle<T>(rng: &mut Rng, all: &mut [T]) {
    for at in (1..all.len()).rev() {
        all.swap(at, rng.below(at as u64 + 1) as usize);
    }
}

/// The file that says it.
pub(super) fn tsv(statements: &[Statement]) -> String {
    let mut text = String::from(
        "subject_id\tpredicate_id\tobject_id\tconfidence\tpredicate_modifier\tmapping_source\n",
    );
    for one in statements {
        let not = if one.negated { "Not" } else { "" };
        writeln!(
            text,
            "{}\t{}\t{}\t{}\t{not}\t{}",
            one.subject, one.predicate, one.object, one.confidence, one.source
        )
        .unwrap();
    }
    text
}

pub(super) fn asked(rng: &mut Rng) -> Asked {
    let undirected = rng.below(4) == 0;
    let repeat_prefix = rng.below(2) == 0;
    let most = match (undirected, repeat_prefix) {
        (true, _) => 3,
        (_, true) => 4,
        _ => 8,
    };
    Asked {
        max_hops: 1 + rng.below(most) as usize,
        hop_factor: pick(rng, &[1.0, 1.0, 0.5]),
        min_confidence: pick(rng, &[0.0, 0.0, 0.25, 0.5, 1.0]),
        limit: match undirected {
            true => 1_000_000,
            false => pick(rng, &[1, 2, 5, 100, 100]),
        },
        targets: some(rng, &PREFIXES),
        chain: some(rng, &["close", "related", "xref"]),
        repeat_prefix,
        undirected,
    }
}

/// A list in SQL.
pub(super) fn list(texts: &[&str]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| format!("'{text}'")).collect();
    format!("[{}]", quoted.join(", "))
}

/// The arguments that ask for it; those that are as if nothing was said are at times left out.
pub(super) fn arguments(asked: &Asked) -> String {
    let mut text = format!(", max_hops => {}, limit => {}", asked.max_hops, asked.limit);
    let mut add = |key: &str, value: String| write!(text, ", {key} => {value}").unwrap();
    if asked.hop_factor != 1.0 {
        add("hop_factor", asked.hop_factor.to_string());
    }
    if asked.min_confidence != 0.0 {
        add("min_confidence", asked.min_confidence.to_string());
    }
    if !asked.targets.is_empty() {
        add("targets", list(&asked.targets));
    }
    if !asked.chain.is_empty() {
        add("chain", list(&asked.chain));
    }
    if asked.repeat_prefix {
        add("repeat_prefix", "true".to_owned());
    }
    if asked.undirected {
        add("mode", "'undirected'".to_owned());
    }
    text
}
