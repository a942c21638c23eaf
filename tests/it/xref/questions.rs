//! Made-up questions over made-up mappings are answered as the slow reference does.
//!
//! `BIOTIDE_CASES=5000 scripts/test --test it -- xref` asks more of them, `BIOTIDE_SEED=7` others. What differs is
//! made as small as it gets, and shown as a script.

use std::path::Path;

use biotide::prelude::*;

use super::graphs::{self, PREFIXES, Size, arguments, list, pick, some};
use super::reference::{Asked, Found, Mapping, Statement, prefix};
use crate::support;
use crate::support::gen_data::Rng;

/// Mappings of one run.
const CASES: u64 = 300;

/// Differences that are shown.
const SHOWN: usize = 6;

fn number(name: &str, default: u64) -> u64 {
    let given = std::env::var(name).ok();
    given.map_or(default, |text| text.parse().unwrap())
}

#[derive(Debug, Clone)]
enum Question {
    Xref {
        rows: Vec<Option<String>>,
        asked: Asked,
        policy: &'static str,
        priority: Vec<&'static str>,
    },
    Chain(Asked),
    Clique {
        predicates: Vec<&'static str>,
        priority: Vec<&'static str>,
        min_confidence: f64,
        from_file: bool,
    },
}

impl Question {
    fn sql(&self, file: &str) -> String {
        match self {
            Self::Xref {
                rows,
                asked,
                policy,
                priority,
            } => {
                let row = |(n, id): (usize, &Option<String>)| match id {
                    Some(id) => format!("({n}, '{id}')"),
                    None => format!("({n}, NULL)"),
                };
                let values: Vec<String> = rows.iter().enumerate().map(row).collect();
                let more = format!(", policy => '{policy}', priority => {}", list(priority));
                let cardinality = match has_cardinality(asked) {
                    true => "x.cardinality",
                    false => "'not asked'",
                };
                format!(
                    "SELECT t.n, x.target, x.predicate, x.hops, array_to_string(x.path, ' '), x.verdict, {cardinality}, \
                     array_to_string(x.conflicts, ' '), x.confidence FROM (VALUES {}) AS t(n, id), \
                     LATERAL xref(t.id, 'kb'{}{}) AS x",
                    values.join(", "),
                    arguments(asked),
                    if *policy == "explode" && priority.is_empty() {
                        ""
                    } else {
                        &more
                    },
                )
            }
            Self::Chain(asked) => format!(
                "SELECT subject_id, object_id, predicate_id, hops, array_to_string(path, ' '), confidence \
                 FROM chain_infer('kb'{})",
                arguments(asked)
            ),
            Self::Clique {
                predicates,
                priority,
                min_confidence,
                from_file,
            } => {
                let of = if *from_file { file } else { "kb" };
                let mut more = String::new();
                if !predicates.is_empty() {
                    more += &format!(", predicates => {}", list(predicates));
                }
                if !priority.is_empty() {
                    more += &format!(", priority => {}", list(priority));
                }
                if *min_confidence > 0.0 {
                    more += &format!(", min_confidence => {min_confidence}");
                }
                format!(
                    "SELECT id, clique, size, array_to_string(conflicts, ' ') FROM clique_assign('{of}'{more})"
                )
            }
        }
    }

    /// What must come of it, confidences at the end.
    fn expected(&self, mapping: &Mapping) -> Vec<Vec<String>> {
        match self {
            Self::Xref {
                rows,
                asked,
                policy,
                priority,
            } => {
                let rows = rows.iter().enumerate();
                rows.flat_map(|(n, id)| {
                    let answered = answered(mapping, id.as_deref(), asked, policy, priority);
                    answered.into_iter().map(move |mut row| {
                        row.insert(0, n.to_string());
                        row
                    })
                })
                .collect()
            }
            Self::Chain(asked) => {
                let inferred = mapping.inferred(asked).into_iter();
                let row = |(id, found): (String, Found)| {
                    vec![
                        id,
                        found.target,
                        found.predicate,
                        (found.path.len() - 1).to_string(),
                        found.path.join(" "),
                        format!("{:?}", found.confidence),
                    ]
                };
                sorted(inferred.map(row).collect())
            }
            Self::Clique {
                predicates,
                priority,
                min_confidence,
                ..
            } => {
                let same: &[&str] = match predicates.is_empty() {
                    true => &["skos:exactMatch", "owl:sameAs", "owl:equivalentClass"],
                    false => predicates,
                };
                let members = mapping.cliques(same, priority, *min_confidence).into_iter();
                let row = |member: super::cliques::Member| {
                    vec![
                        member.id,
                        member.clique,
                        member.size.to_string(),
                        match member.conflicts.is_empty() {
                            true => "NULL".to_owned(),
                            false => member.conflicts.join(" "),
                        },
                    ]
                };
                members.map(row).collect()
            }
        }
    }

    /// Rows without an order of theirs.
    fn is_unordered(&self) -> bool {
        !matches!(self, Self::Xref { asked, .. } if !asked.undirected)
    }

    fn has_confidence(&self) -> bool {
        !matches!(self, Self::Clique { .. })
    }

    /// The last rows of the input are not needed, perhaps.
    fn smaller(&self) -> Vec<Self> {
        let Self::Xref {
            rows,
            asked,
            policy,
            priority,
        } = self
        else {
            return Vec::new();
        };
        let without = |at: usize| {
            let mut rows = rows.clone();
            rows.remove(at);
            Self::Xref {
                rows,
                asked: asked.clone(),
                policy,
                priority: priority.clone(),
            }
        };
        match rows.len() {
            0 | 1 => Vec::new(),
            many => (0..many).map(without).collect(),
        }
    }
}

/// Of long paths the reference takes long.
fn has_cardinality(asked: &Asked) -> bool {
    asked.max_hops <= 3
}

fn sorted(mut rows: Vec<Vec<String>>) -> Vec<Vec<String>> {
    rows.sort();
    rows
}

/// The rows of one identifier.
fn answered(
    mapping: &Mapping,
    id: Option<&str>,
    asked: &Asked,
    policy: &str,
    priority: &[&str],
) -> Vec<Vec<String>> {
    let is_counted = has_cardinality(asked);
    let nothing = |verdict: &str, cardinality: &str, conflicts: &str| {
        let cardinality = match is_counted {
            true => cardinality,
            false => "not asked",
        };
        let row = [
            "NULL",
            "NULL",
            "NULL",
            "NULL",
            verdict,
            cardinality,
            conflicts,
            "NULL",
        ];
        vec![row.map(str::to_owned).to_vec()]
    };
    let id = match id {
        None | Some("" | "-" | "NA") => return nothing("null", "NULL", "(empty)"),
        Some(id) if prefix(id).is_empty() => return nothing("invalid", "NULL", "(empty)"),
        Some(id) if !mapping.knows(id) => return nothing("unmapped", "1:0", "(empty)"),
        Some(id) => id,
    };
    let answer = mapping.answer(id, asked);
    let conflicts = match answer.conflicts.is_empty() {
        true => "(empty)".to_owned(),
        false => answer.conflicts.join(" "),
    };
    let verdict = answer.verdict();
    let cardinality = match is_counted {
        true => mapping.cardinality(id, &answer, asked),
        false => "not asked".to_owned(),
    };
    let mut found: Vec<&Found> = answer.found.iter().collect();
    match policy {
        "first" => {
            let rank = |found: &&Found| {
                let at = priority
                    .iter()
                    .position(|own| *own == prefix(&found.target));
                at.unwrap_or(usize::MAX)
            };
            found = found.into_iter().min_by_key(rank).into_iter().collect();
        }
        "drop" => found.retain(|one| !answer.has_several(one)),
        _ => {}
    }
    // (Last: what is not shown counts all the same.)
    found.truncate(asked.limit);
    if found.is_empty() {
        return nothing(verdict, &cardinality, &conflicts);
    }
    let row = |found: &Found| {
        vec![
            found.target.clone(),
            match asked.undirected {
                true => "any".to_owned(),
                false => found.predicate.clone(),
            },
            (found.path.len() - 1).to_string(),
            found.path.join(" "),
            verdict.to_owned(),
            cardinality.clone(),
            conflicts.clone(),
            format!("{:?}", found.confidence),
        ]
    };
    found.into_iter().map(row).collect()
}

/// How an answer differs from what it must be.
async fn difference(
    context: &BiotideContext,
    folder: &Path,
    statements: &[Statement],
    question: &Question,
) -> Option<String> {
    let file = support::write(&folder.join("made.tsv"), graphs::tsv(statements));
    let create = format!("CREATE OR REPLACE MAPPING kb FROM '{file}'");
    if let Err(error) = support::try_query(context, &create).await {
        return Some(error.to_string());
    }
    let mut rows = match support::try_query(context, &question.sql(&file)).await {
        Ok((rows, _)) => rows,
        Err(error) => return Some(error.to_string()),
    };
    let mut expected = question.expected(&Mapping::new(statements));
    if let Question::Xref { asked, .. } = question
        && asked.undirected
    {
        for row in rows.iter_mut().filter(|row| row[1] != "NULL") {
            row[2] = "any".to_owned();
        }
    }
    if question.is_unordered() {
        rows.sort();
        expected.sort();
    }
    let same = |row: &Vec<String>, other: &Vec<String>| match question.has_confidence() {
        false => row == other,
        true => {
            let (Some((last, row)), Some((other_last, other))) =
                (row.split_last(), other.split_last())
            else {
                return false;
            };
            row == other
                && match (last.parse::<f64>(), other_last.parse::<f64>()) {
                    (Ok(one), Ok(other)) => (one - other).abs() < 1e-12,
                    _ => last == other_last,
                }
        }
    };
    let all_same =
        rows.len() == expected.len() && rows.iter().zip(&expected).all(|(a, b)| same(a, b));
    if all_same {
        return None;
    }
    let not_in = |these: &[Vec<String>], those: &[Vec<String>]| {
        let missing: Vec<String> = these
            .iter()
            .filter(|row| !those.iter().any(|other| same(row, other)))
            .map(|row| row.join(" | "))
            .collect();
        missing.join("\n    ")
    };
    Some(format!(
        "  answered, wrongly:\n    {}\n  not answered:\n    {}",
        not_in(&rows, &expected),
        not_in(&expected, &rows)
    ))
}

/// The smallest script that still differs.
async fn shrunk(
    context: &BiotideContext,
    folder: &Path,
    mut statements: Vec<Statement>,
    mut question: Question,
) -> String {
    let mut smaller = true;
    while smaller {
        smaller = false;
        let mut at = 0;
        while at < statements.len() && statements.len() > 1 {
            let mut fewer = statements.clone();
            fewer.remove(at);
            match difference(context, folder, &fewer, &question).await {
                Some(_) => (statements, smaller) = (fewer, true),
                None => at += 1,
            }
        }
        for other in question.smaller() {
            if difference(context, folder, &statements, &other)
                .await
                .is_some()
            {
                (question, smaller) = (other, true);
                break;
            }
        }
    }
    let difference = difference(context, folder, &statements, &question).await;
    format!(
        "--- x.tsv\n{}---\nCREATE MAPPING kb FROM 'x.tsv';\n{};\n{}",
        graphs::tsv(&statements),
        question.sql("x.tsv"),
        difference.unwrap_or_default()
    )
}

fn rows(rng: &mut Rng, ids: &[String]) -> Vec<Option<String>> {
    let mut rows: Vec<Option<String>> = ids.iter().cloned().map(Some).collect();
    rows.push(ids.first().cloned());
    rows.extend([None, Some("-".to_owned()), Some("NA".to_owned())]);
    for unknown in ["", "nothing", "a:nothing", "q:1"] {
        rows.push(Some(unknown.to_owned()));
    }
    graphs::shuffle(rng, &mut rows);
    rows
}

fn question(rng: &mut Rng, ids: &[String]) -> Question {
    match rng.below(6) {
        0 => Question::Chain(Asked {
            undirected: false,
            limit: 1_000_000,
            max_hops: 2 + rng.below(2) as usize,
            ..graphs::asked(rng)
        }),
        1 => Question::Clique {
            predicates: match rng.below(4) {
                0 => vec!["skos:exactMatch", "skos:closeMatch"],
                2 => vec![
                    pick(rng, &["skos:broadMatch", "skos:narrowMatch"]),
                    pick(rng, &["RO:0002", "semapv:crossSpeciesBroadMatch"]),
                ],
                1 => vec![pick(
                    rng,
                    &[
                        "skos:relatedMatch",
                        "oboInOwl:hasDbXref",
                        "RO:0002",
                        "owl:sameAs",
                    ],
                )],
                _ => Vec::new(),
            },
            priority: some(rng, &PREFIXES),
            min_confidence: pick(rng, &[0.0, 0.0, 0.5, 1.0]),
            from_file: rng.below(2) == 0,
        },
        _ => {
            let asked = graphs::asked(rng);
            let policy = match asked.undirected {
                true => "explode",
                false => pick(rng, &["explode", "explode", "explode", "first", "drop"]),
            };
            Question::Xref {
                rows: rows(rng, ids),
                asked,
                policy,
                priority: some(rng, &PREFIXES),
            }
        }
    }
}

/// What identifiers that are only in statements about themselves come to has a test of its own.
fn without_loops(statements: &mut Vec<Statement>) {
    statements.retain(|one| one.subject != one.object);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn questions_are_answered_as_the_rules_say() {
    let folder = tempfile::tempdir().unwrap();
    let context = support::context();
    for prefix in PREFIXES {
        let known = support::value(&context, &format!("SELECT prefix_normalize('{prefix}')")).await;
        assert_eq!(known, "NULL", "{prefix}");
    }
    let mut differences = Vec::new();
    let mut answered = 0;
    for case in 0..number("BIOTIDE_CASES", CASES) {
        let mut rng = Rng::new(number("BIOTIDE_SEED", 1).wrapping_add(case * 7919));
        rng.next();
        let size = Size {
            ids: 5 + rng.below(8),
            statements: 3 + rng.below(25),
        };
        let ids = graphs::ids(&mut rng, size);
        let statements = graphs::statements(&mut rng, &ids, size);
        for _ in 0..4 {
            let question = question(&mut rng, &ids);
            let mut statements = statements.clone();
            if matches!(
                &question,
                Question::Clique {
                    from_file: false,
                    ..
                }
            ) {
                without_loops(&mut statements);
            }
            answered += question.expected(&Mapping::new(&statements)).len();
            if difference(&context, folder.path(), &statements, &question)
                .await
                .is_some()
            {
                let shrunk = shrunk(&context, folder.path(), statements, question).await;
                differences.push(format!("case {case}\n{shrunk}"));
            }
        }
        if differences.len() >= SHOWN {
            break;
        }
    }
    println!("{answered} rows");
    assert!(differences.is_empty(), "{}", differences.join("\n\n"));
    assert!(answered > 1000, "nothing much was asked");
}

/// An identifier with so many edges that walks look only at some of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hubs_are_walked_from_as_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let context = support::context();
    for case in 0..2 {
        let mut rng = Rng::new(case);
        let hub = "a:hub";
        let mut statements: Vec<Statement> = (0..1300)
            .map(|n| {
                // (Some prefixes have few of them.)
                let prefix = match n {
                    ..900 => "b",
                    900..1280 => "c",
                    1280..1295 => "a0",
                    _ => "a",
                };
                let (one, other) = (hub.to_owned(), format!("{prefix}:{n}"));
                let is_turned = rng.below(2) == 0;
                let (subject, object) = if is_turned {
                    (other, one)
                } else {
                    (one, other)
                };
                Statement {
                    subject,
                    predicate: pick(
                        &mut rng,
                        &["skos:exactMatch", "skos:narrowMatch", "RO:0002"],
                    ),
                    object,
                    confidence: pick(&mut rng, &[0.5, 0.75, 1.0]),
                    source: "s".to_owned(),
                    negated: case % 2 == 0 && n % 400 == 7,
                }
            })
            .collect();
        let some = ["b:3", "b:500", "c:1000", "a0:1285", "a:1299"].map(str::to_owned);
        graphs::shuffle(&mut rng, &mut statements);
        for _ in 0..3 {
            let mut asked = graphs::asked(&mut rng);
            asked.max_hops = asked.max_hops.min(2);
            asked.limit = 100;
            // (Who else has a result is asked of all results, slowly.)
            asked.targets = vec![pick(&mut rng, &["a", "a0", "c", "zzd"])];
            let rows = some.iter().cloned().chain([hub.to_owned()]);
            let question = Question::Xref {
                rows: rows.map(Some).collect(),
                asked,
                policy: "explode",
                priority: Vec::new(),
            };
            let difference = difference(&context, folder.path(), &statements, &question).await;
            assert_eq!(
                difference,
                None,
                "case {case}: {}",
                question.sql("made.tsv")
            );
        }
    }
}
