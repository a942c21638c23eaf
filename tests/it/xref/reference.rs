//! What a mapping says, slowly: from the rules, sharing nothing with what is tested.

use std::collections::{BTreeMap, BTreeSet};

/// A row of a mapping.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Statement {
    pub(super) subject: String,
    pub(super) predicate: &'static str,
    pub(super) object: String,
    pub(super) confidence: f64,
    pub(super) source: String,
    pub(super) negated: bool,
}

/// What is asked of it.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) max_hops: usize,
    pub(super) hop_factor: f64,
    pub(super) min_confidence: f64,
    pub(super) limit: usize,
    pub(super) targets: Vec<&'static str>,
    pub(super) chain: Vec<&'static str>,
    pub(super) repeat_prefix: bool,
    pub(super) undirected: bool,
}

/// A result.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pub(super) target: String,
    /// Undirected, a path has none.
    pub(super) predicate: String,
    pub(super) confidence: f64,
    pub(super) path: Vec<String>,
    /// Whether an edge alone says it.
    pub(super) is_stated: bool,
}

/// What is said of an identifier: of all results, best first, however many are asked for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    pub(super) found: Vec<Found>,
    pub(super) conflicts: Vec<String>,
}

impl Answer {
    pub(super) fn verdict(&self) -> &'static str {
        match self.found.is_empty() {
            true => "unmapped",
            false if self.found.iter().any(|found| self.has_several(found)) => "ambiguous",
            false => "ok",
        }
    }

    /// Whether there are other identifiers of its prefix.
    pub(super) fn has_several(&self, one: &Found) -> bool {
        let same = |other: &&Found| prefix(&other.target) == prefix(&one.target);
        self.found
            .iter()
            .filter(same)
            .any(|other| other.target != one.target)
    }
}

pub(super) fn prefix(id: &str) -> &str {
    id.split_once(':').map_or("", |(prefix, _)| prefix)
}

/// The kind of a predicate; empty: none.
fn kind(predicate: &str) -> &'static str {
    match predicate {
        "skos:exactMatch"
        | "owl:sameAs"
        | "owl:equivalentClass"
        | "owl:equivalentProperty"
        | "owl:equivalentTo" => "exact",
        "skos:narrowMatch" => "narrow",
        "skos:broadMatch" | "rdfs:subClassOf" | "rdfs:subPropertyOf" | "owl:subClassOf" => "broad",
        "skos:closeMatch" => "close",
        "skos:relatedMatch" => "related",
        "oboInOwl:hasDbXref" | "skos:mappingRelation" => "xref",
        "semapv:crossSpeciesExactMatch" => "cross exact",
        "semapv:crossSpeciesNarrowMatch" => "cross narrow",
        "semapv:crossSpeciesBroadMatch" => "cross broad",
        _ => "",
    }
}

/// The predicate of a chain of this kind whose predicates differ.
fn general(kind: &str) -> &'static str {
    match kind {
        "exact" => "skos:exactMatch",
        "narrow" => "skos:narrowMatch",
        "broad" => "skos:broadMatch",
        "close" => "skos:closeMatch",
        "related" => "skos:relatedMatch",
        "xref" => "skos:mappingRelation",
        other => panic!("{other} does not chain"),
    }
}

/// The predicate of a statement that is read from its object.
fn turned(predicate: &'static str) -> Option<&'static str> {
    match kind(predicate) {
        "" => None,
        "narrow" => Some("skos:broadMatch"),
        "broad" => Some("skos:narrowMatch"),
        "cross narrow" => Some("semapv:crossSpeciesBroadMatch"),
        "cross broad" => Some("semapv:crossSpeciesNarrowMatch"),
        _ => Some(predicate),
    }
}

fn compose(one: &'static str, other: &'static str, chain: &[&str]) -> Option<&'static str> {
    let asked = |kind| chain.contains(&kind);
    match (one, other) {
        ("exact", "xref") | ("xref", "exact") => asked("xref").then_some("xref"),
        ("exact", kind @ ("exact" | "narrow" | "broad" | "close" | "related")) => Some(kind),
        (kind @ ("narrow" | "broad" | "close" | "related"), "exact") => Some(kind),
        ("narrow", "narrow") | ("broad", "broad") => Some(one),
        ("close", "close") | ("related", "related") | ("xref", "xref") => asked(one).then_some(one),
        _ => None,
    }
}

/// What a source says, however it is written: a statement and the one that its inverse makes of it are the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Said {
    subject: String,
    predicate: &'static str,
    object: String,
    source: String,
}

impl Said {
    fn of(row: &Statement) -> Self {
        let is_turned = match turned(row.predicate) {
            // (`rdfs:subClassOf` turned twice is another predicate: it says more than that.)
            Some(other) if turned(other) != Some(row.predicate) => false,
            Some(other) if other == row.predicate => row.subject > row.object,
            Some(other) => other < row.predicate,
            None => false,
        };
        let (subject, object) = (row.subject.clone(), row.object.clone());
        let (subject, predicate, object) = match (is_turned, turned(row.predicate)) {
            (true, Some(predicate)) => (object, predicate, subject),
            _ => (subject, row.predicate, object),
        };
        Self {
            subject,
            predicate,
            object,
            source: row.source.clone(),
        }
    }
}

/// A statement as it is read from one of its ends.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Reading {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) predicate: &'static str,
    source: String,
    said: Said,
}

/// A path, and what follows from it.
#[derive(Debug, Clone)]
struct Path<'a> {
    ids: Vec<&'a str>,
    edges: Vec<(&'a Reading, f64)>,
    kind: &'static str,
}

impl Path<'_> {
    fn confidence(&self, hop_factor: f64) -> f64 {
        let all: f64 = self
            .edges
            .iter()
            .map(|(_, confidence)| confidence)
            .product();
        all * hop_factor.powi(self.edges.len() as i32 - 1)
    }

    fn predicate(&self) -> &'static str {
        let all = self.edges.iter().map(|(edge, _)| edge.predicate);
        // (Beside what is exact a cross-reference keeps its predicate.)
        let counts = |own: &&str| self.kind != "xref" || kind(own) == "xref";
        let named: BTreeSet<&'static str> = all.filter(counts).collect();
        match named.first() {
            Some(&only) if named.len() == 1 => only,
            _ => general(self.kind),
        }
    }

    fn names(&self) -> Vec<String> {
        self.ids.iter().map(|&id| id.to_owned()).collect()
    }

    fn by(&self) -> Vec<(&str, &str)> {
        let edges = self.edges.iter();
        edges
            .map(|(edge, _)| (edge.predicate, &*edge.source))
            .collect()
    }
}

/// A mapping.
#[derive(Debug)]
pub(super) struct Mapping {
    pub(super) readings: BTreeMap<Reading, f64>,
    /// Each statement once.
    statements: BTreeMap<Said, f64>,
    denied: BTreeSet<(String, String, &'static str)>,
    ids: BTreeSet<String>,
}

impl Mapping {
    pub(super) fn new(rows: &[Statement]) -> Self {
        let mut mapping = Self {
            readings: BTreeMap::new(),
            statements: BTreeMap::new(),
            denied: BTreeSet::new(),
            ids: BTreeSet::new(),
        };
        for row in rows {
            mapping
                .ids
                .extend([row.subject.clone(), row.object.clone()]);
            if row.subject == row.object {
                continue;
            }
            let read = |from: &String, to: &String, predicate| Reading {
                from: from.clone(),
                to: to.clone(),
                predicate,
                source: row.source.clone(),
                said: Said::of(row),
            };
            let forward = read(&row.subject, &row.object, row.predicate);
            let back =
                turned(row.predicate).map(|predicate| read(&row.object, &row.subject, predicate));
            if row.negated {
                // (Who denies what has no inverse says nothing of the other direction.)
                for denied in [Some(forward), back].into_iter().flatten() {
                    mapping
                        .denied
                        .insert((denied.from, denied.to, denied.predicate));
                }
                continue;
            }
            let best = mapping.statements.entry(Said::of(row)).or_insert(0.0);
            *best = best.max(row.confidence);
            for reading in [Some(forward), back].into_iter().flatten() {
                let best = mapping.readings.entry(reading).or_insert(0.0);
                *best = best.max(row.confidence);
            }
        }
        mapping
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.ids.iter().map(String::as_str)
    }

    pub(super) fn knows(&self, id: &str) -> bool {
        self.ids.contains(id)
    }

    /// Whether somebody says that it is not so.
    fn denies(&self, from: &str, to: &str, claimed: &str, predicate: &str) -> bool {
        self.denied.iter().any(|(one, other, denied)| {
            let same_kind = match kind(denied) {
                "" => *denied == predicate,
                "close" => matches!(claimed, "close" | "exact"),
                kind => kind == claimed,
            };
            one == from && other == to && same_kind
        })
    }

    pub(super) fn cut(&self, edge: &Reading) -> bool {
        self.denies(&edge.from, &edge.to, kind(edge.predicate), edge.predicate)
    }

    pub(super) fn answer(&self, start: &str, asked: &Asked) -> Answer {
        let (mut found, conflicts) = match asked.undirected {
            true => self.undirected(start, asked),
            false => self.directed(start, asked),
        };
        let wanted = |id: &str| asked.targets.is_empty() || asked.targets.contains(&prefix(id));
        found.retain(|found| wanted(&found.target) && found.confidence >= asked.min_confidence);
        found.sort_by(|a, b| {
            let order = b.confidence.total_cmp(&a.confidence);
            let order = order.then(a.path.len().cmp(&b.path.len()));
            order
                .then(a.target.cmp(&b.target))
                .then(a.predicate.cmp(&b.predicate))
                .then(a.path.cmp(&b.path))
        });
        let conflicts = conflicts.into_iter().filter(|id| wanted(id)).collect();
        Answer { found, conflicts }
    }

    /// How many identifiers of the start's prefix have one of its results, and how many results of one prefix there
    /// are, whatever is shown of them.
    pub(super) fn cardinality(&self, start: &str, answer: &Answer, asked: &Asked) -> String {
        if answer.found.is_empty() {
            return "1:0".to_owned();
        }
        let is_other = |id: &&str| *id != start && prefix(id) == prefix(start);
        let others: BTreeSet<String> = self
            .ids()
            .filter(is_other)
            .flat_map(|other| self.answer(other, asked).found)
            .map(|found| found.target)
            .collect();
        let mut results = answer.found.iter();
        let left = results.any(|one| others.contains(&one.target));
        let right = answer.found.iter().any(|one| answer.has_several(one));
        let side = |several| if several { "n" } else { "1" };
        format!("{}:{}", side(left), side(right))
    }

    fn directed(&self, start: &str, asked: &Asked) -> (Vec<Found>, BTreeSet<String>) {
        let mut conflicts = BTreeSet::new();
        let mut paths = Vec::new();
        let from = Path {
            ids: vec![self.ids.get(start).map_or("", String::as_str)],
            edges: Vec::new(),
            kind: "exact",
        };
        self.walk(&from, asked, &mut paths, &mut conflicts);
        // (Also where it can be read from the other end only.)
        let from_object = |edge: &&Reading| edge.to == start && self.cut(edge);
        let outright = self.readings.keys().filter(from_object);
        conflicts.extend(outright.map(|edge| edge.from.clone()));
        let mut groups: BTreeMap<(String, &str), Vec<Path<'_>>> = BTreeMap::new();
        for path in paths {
            let target = path.ids[path.ids.len() - 1].to_owned();
            groups
                .entry((target, path.predicate()))
                .or_default()
                .push(path);
        }
        let results = groups.into_iter().map(|((target, predicate), mut paths)| {
            paths.sort_by(|a, b| {
                let confidence = |path: &Path<'_>| path.confidence(asked.hop_factor);
                let order = confidence(b).total_cmp(&confidence(a));
                let order = order.then(a.edges.len().cmp(&b.edges.len()));
                order.then(a.ids.cmp(&b.ids)).then(a.by().cmp(&b.by()))
            });
            let mut taken = BTreeSet::new();
            let mut doubt = 1.0;
            for path in &paths {
                let own: Vec<_> = path.edges.iter().map(|(edge, _)| &edge.said).collect();
                if own.iter().any(|statement| taken.contains(statement)) {
                    continue;
                }
                taken.extend(own);
                doubt *= 1.0 - path.confidence(asked.hop_factor);
            }
            Found {
                target,
                predicate: predicate.to_owned(),
                confidence: 1.0 - doubt,
                path: paths[0].names(),
                is_stated: paths.iter().any(|path| path.edges.len() == 1),
            }
        });
        (results.collect(), conflicts)
    }

    fn walk<'a>(
        &'a self,
        path: &Path<'a>,
        asked: &Asked,
        paths: &mut Vec<Path<'a>>,
        conflicts: &mut BTreeSet<String>,
    ) {
        if path.edges.len() == asked.max_hops {
            return;
        }
        let (start, end) = (path.ids[0], path.ids[path.ids.len() - 1]);
        for (edge, &confidence) in self.readings.iter().filter(|(edge, _)| edge.from == end) {
            let to = &*edge.to;
            // Contradicted outright: told of, whatever path it would be on.
            if path.edges.is_empty() && self.cut(edge) {
                conflicts.insert(to.to_owned());
                continue;
            }
            let seen = |id: &&str| **id == *to;
            let met = |id: &&str| prefix(id) == prefix(to);
            if path.ids.iter().any(seen) || !asked.repeat_prefix && path.ids.iter().any(met) {
                continue;
            }
            let own = kind(edge.predicate);
            let kind = match path.edges.is_empty() {
                true => own,
                false => match compose(path.kind, own, &asked.chain) {
                    Some(kind) => kind,
                    None => continue,
                },
            };
            if !path.edges.is_empty() && self.cut(edge) {
                continue;
            }
            if self.denies(start, to, kind, edge.predicate) {
                conflicts.insert(to.to_owned());
                continue;
            }
            let mut longer = path.clone();
            longer.ids.push(to);
            longer.edges.push((edge, confidence));
            longer.kind = kind;
            self.walk(&longer, asked, paths, conflicts);
            paths.push(longer);
        }
    }

    fn undirected(&self, start: &str, asked: &Asked) -> (Vec<Found>, BTreeSet<String>) {
        let mut conflicts = BTreeSet::new();
        let mut found: Vec<Found> = Vec::new();
        type Open<'a> = (Vec<&'a str>, Vec<(&'a Said, f64)>, Option<&'static str>);
        let mut open: Vec<Open<'_>> = vec![(vec![start], Vec::new(), None)];
        while let Some((ids, edges, kind_so_far)) = open.pop() {
            let end = ids[ids.len() - 1];
            for (edge, &confidence) in &self.statements {
                let to = match (edge.subject == end, edge.object == end) {
                    (true, _) => &*edge.object,
                    (_, true) => &*edge.subject,
                    _ => continue,
                };
                let (subject, object) = (&edge.subject, &edge.object);
                if self.denies(subject, object, kind(edge.predicate), edge.predicate) {
                    if edges.is_empty() {
                        conflicts.insert(to.to_owned());
                    }
                    continue;
                }
                if edges.iter().any(|(used, _)| *used == edge) {
                    continue;
                }
                // (It still means something, perhaps, and that may be denied.)
                let read = match edge.subject == end {
                    true => Some(edge.predicate),
                    false => turned(edge.predicate),
                };
                let own = read.map(kind);
                let kind = match edges.is_empty() {
                    true => own,
                    false => kind_so_far.zip(own).and_then(|(before, own)| {
                        compose(before, own, &["close", "related", "xref"])
                    }),
                };
                if let Some((kind, read)) = kind.zip(read)
                    && self.denies(start, to, kind, read)
                {
                    conflicts.insert(to.to_owned());
                    continue;
                }
                let ids: Vec<&str> = ids.iter().copied().chain([to]).collect();
                let edges: Vec<_> = edges.iter().copied().chain([(edge, confidence)]).collect();
                let product: f64 = edges.iter().map(|(_, confidence)| confidence).product();
                if to != start {
                    let one = Found {
                        target: to.to_owned(),
                        predicate: String::new(),
                        confidence: product * asked.hop_factor.powi(edges.len() as i32 - 1),
                        path: ids.iter().map(|&id| id.to_owned()).collect(),
                        is_stated: edges.len() == 1,
                    };
                    if !found.contains(&one) {
                        found.push(one);
                    }
                }
                if edges.len() < asked.max_hops {
                    open.push((ids, edges, kind));
                }
            }
        }
        (found, conflicts)
    }

    /// What follows and is not stated, by identifier.
    pub(super) fn inferred(&self, asked: &Asked) -> Vec<(String, Found)> {
        let mut all = Vec::new();
        for id in &self.ids {
            let found = self.answer(id, asked).found.into_iter().take(asked.limit);
            let found = found.filter(|found| !found.is_stated);
            all.extend(found.map(|found| (id.clone(), found)));
        }
        all
    }
}
