//! The same answer, however it comes about: the order of rows, threads, batches, files, memory.

use std::fmt::Write;
use std::path::Path;

use biotide::prelude::*;

use super::graphs::{self, Size};
use super::reference::Statement;
use crate::support::gen_data::Rng;
use crate::support::{self, Settings, bin};

const WAYS: [Settings; 6] = [
    Settings::new(1, 8192),
    Settings::new(1, 1),
    Settings::new(2, 3),
    Settings::new(2, 8192),
    Settings::new(7, 1),
    Settings::new(7, 8192),
];

/// What is asked, of rows in a file.
fn questions(ids: &str) -> Vec<String> {
    let all = [
        "",
        ", max_hops => 3, policy => 'list', chain => ['close', 'related', 'xref']",
        ", max_hops => 3, repeat_prefix => true, targets => ['a', 'b'], limit => 3",
        ", mode => 'undirected', limit => 20",
        ", policy => 'first', priority => ['c', 'a']",
        ", unmapped => 'drop', policy => 'drop'",
    ];
    let xref =
        |options| format!("SELECT * FROM '{ids}' AS t, LATERAL xref(t.id, 'kb'{options}) AS x");
    let mut questions: Vec<String> = all.map(xref).to_vec();
    questions.extend(
        [
            "SELECT * FROM chain_infer('kb', max_hops => 2)",
            "SELECT * FROM chain_infer('kb', max_hops => 3, asserted => true, subjects => ['a'])",
            "SELECT * FROM chain_infer('kb', max_hops => 2) LIMIT 5",
            "SELECT * FROM mapping_edges('kb')",
            "SELECT * FROM mapping_edges('kb') LIMIT 7",
            "SELECT * FROM clique_assign('kb')",
            "SELECT * FROM clique_assign('kb', predicates => ['skos:closeMatch'], priority => ['b'])",
        ]
        .map(str::to_owned),
    );
    questions
}

/// The answers; but for cliques they have an order of their own.
async fn answers(context: &BiotideContext, ids: &str) -> Vec<Vec<Vec<String>>> {
    let mut answers = Vec::new();
    for sql in questions(ids) {
        let (mut rows, _) = support::query(context, &sql).await;
        if sql.contains("clique_assign") {
            rows.sort();
        }
        answers.push(rows);
    }
    answers
}

#[track_caller]
fn assert_same(answers: &[Vec<Vec<String>>], expected: &[Vec<Vec<String>>], what: &str, ids: &str) {
    for ((rows, expected), sql) in answers.iter().zip(expected).zip(questions(ids)) {
        let other = rows.iter().zip(expected).find(|(row, other)| row != other);
        assert_eq!(other, None, "{what}\n{sql}");
        assert_eq!(rows.len(), expected.len(), "{what}\n{sql}");
    }
}

fn made(rng: &mut Rng, size: Size) -> (Vec<String>, Vec<Statement>) {
    let ids = graphs::ids(rng, size);
    let mut statements = graphs::statements(rng, &ids, size);
    statements.retain(|one| one.subject != one.object);
    (ids, statements)
}

fn id_file(folder: &Path, ids: &[String]) -> String {
    let lines = ids.iter().map(|id| format!("{id}\n"));
    let more = ["nothing\n", "a:nothing\n", "NA\n", "q:1\n"].map(str::to_owned);
    let text: String = lines.chain(more).collect();
    support::write(&folder.join("ids.tsv"), format!("id\n{text}"))
}

async fn run(context: &BiotideContext, sql: &str) {
    support::query(context, sql).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_way_leads_to_the_same_answer() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for seed in 0..6 {
        let mut rng = Rng::new(seed + 77);
        let size = Size {
            ids: 12 + seed * 20,
            statements: 30 + seed * 40,
        };
        let (ids, mut statements) = made(&mut rng, size);
        let ids = id_file(folder, &ids);
        let file = support::write(&folder.join("plain.tsv"), graphs::tsv(&statements));
        let context = WAYS[0].context();
        run(&context, &format!("CREATE MAPPING kb FROM '{file}'")).await;
        let expected = answers(&context, &ids).await;
        assert!(expected.iter().map(Vec::len).sum::<usize>() > 100);
        for way in WAYS {
            // What was said is said again, in another order.
            let again = statements[rng.below(statements.len() as u64) as usize].clone();
            statements.push(again);
            graphs::shuffle(&mut rng, &mut statements);
            let what = format!("seed {seed}, {way:?}");
            let context = way.context();
            let one = support::write(&folder.join("one.tsv"), graphs::tsv(&statements));
            run(&context, &format!("CREATE MAPPING kb FROM '{one}'")).await;
            assert_same(&answers(&context, &ids).await, &expected, &what, &ids);

            let (left, right) = statements.split_at(statements.len() / 3);
            let left = support::write(&folder.join("left.tsv"), graphs::tsv(left));
            let right = support::write(&folder.join("right.tsv"), graphs::tsv(right));
            let from = format!("CREATE OR REPLACE MAPPING kb FROM '{left}', pairs('{right}')");
            run(&context, &from).await;
            let what = format!("two files, {what}");
            assert_same(&answers(&context, &ids).await, &expected, &what, &ids);

            let stored = folder.join("kb.mapping").display().to_string();
            let from = format!("CREATE OR REPLACE MAPPING kb FROM '{one}' STORED AS '{stored}'");
            run(&context, &from).await;
            let what = format!("stored, {what}");
            assert_same(&answers(&context, &ids).await, &expected, &what, &ids);
            let context = way.context();
            run(
                &context,
                &format!("CREATE OR REPLACE MAPPING kb FROM '{stored}'"),
            )
            .await;
            let what = format!("opened, {what}");
            assert_same(&answers(&context, &ids).await, &expected, &what, &ids);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stored_files_are_the_same_to_the_byte() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for seed in 0..8 {
        let mut rng = Rng::new(seed + 7);
        let size = Size {
            ids: 8 + seed * 30,
            statements: 20 + seed * 60,
        };
        let (_, mut statements) = made(&mut rng, size);
        for threads in [1, 2, 7] {
            let mut expected: Option<Vec<u8>> = None;
            for batch_size in [8192, 3, 1, 8192] {
                graphs::shuffle(&mut rng, &mut statements);
                let file = support::write(&folder.join("x.tsv"), graphs::tsv(&statements));
                let stored = folder.join("x.mapping");
                let sql = format!(
                    "CREATE MAPPING kb FROM '{file}' STORED AS '{}'",
                    stored.display()
                );
                // (How it is divided depends on threads and memory.)
                let builder = Settings::new(threads, batch_size).builder();
                let context = builder.memory_limit(2_000_000_000).build().unwrap();
                run(&context, &sql).await;
                let bytes = std::fs::read(&stored).unwrap();
                let same = *expected.get_or_insert_with(|| bytes.clone()) == bytes;
                assert!(same, "seed {seed}, {threads} threads, {batch_size} rows");
            }
        }
    }
}

/// Many statements of few kinds.
fn large(folder: &Path) -> (String, String) {
    let mut rng = Rng::new(5);
    let mut text = graphs::tsv(&[]);
    let local = |n: u64| match n % 5 {
        0 => format!("{n}-whose-name-is-longer-than-a-key"),
        _ => format!("{n}"),
    };
    for _ in 0..300_000 {
        let mut id = || {
            format!(
                "{}:{}",
                graphs::pick(&mut rng, &["a", "b", "c", "e"]),
                local(rng.below(60_000))
            )
        };
        let (one, other) = (id(), id());
        let predicate = graphs::pick(
            &mut rng,
            &["skos:exactMatch", "skos:broadMatch", "skos:closeMatch"],
        );
        let confidence = graphs::pick(&mut rng, &[0.25, 0.5, 1.0]);
        let not = graphs::pick(&mut rng, &["", "", "", "", "", "Not"]);
        writeln!(text, "{one}\t{predicate}\t{other}\t{confidence}\t{not}\ts").unwrap();
    }
    let ids: Vec<String> = (0..2000)
        .map(|_| {
            format!(
                "{}:{}",
                graphs::pick(&mut rng, &["a", "b", "c", "e"]),
                local(rng.below(60_000))
            )
        })
        .collect();
    (
        support::write(&folder.join("large.tsv"), text),
        id_file(folder, &ids),
    )
}

/// In a process of its own, as this one's memory counts.
#[test]
fn little_memory_changes_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    let (file, ids) = large(folder.path());
    let stored = folder.path().join("large.mapping").display().to_string();
    let counts =
        "count(*), sum(size), max(size), sum(size * length(clique)), min(clique), max(clique)";
    let questions = [
        format!("SELECT * FROM '{ids}' AS t, LATERAL xref(t.id, 'kb', max_hops => 3) AS x"),
        format!(
            "SELECT * FROM '{ids}' AS t, \
             LATERAL xref(t.id, 'kb', policy => 'list', mode => 'undirected') AS x"
        ),
        "SELECT count(*), sum(hops), min(object_id), max(subject_id) FROM chain_infer('kb')"
            .to_owned(),
        format!("SELECT {counts} FROM clique_assign('kb')"),
        format!("SELECT {counts} FROM clique_assign('{file}')"),
    ];
    for question in questions {
        let mut expected: Option<String> = None;
        for limit in ["4GB", "134MB", "100MB", "64MB"] {
            for more in [String::new(), format!(" STORED AS '{stored}'")] {
                let sql = format!("CREATE OR REPLACE MAPPING kb FROM '{file}'{more}; {question}");
                let options = ["--memory-limit", limit, "--threads", "2", "-q"];
                let run = bin::run([&["sql", &*sql][..], &options].concat());
                let rows = run.exits(0).stdout;
                let same = *expected.get_or_insert_with(|| rows.clone()) == rows;
                assert!(same, "{limit}\n{sql}");
            }
        }
    }
}

/// What is counted of a column may be as long as it: identifiers that come once, and prefixes that do.
#[test]
fn coverage_of_many_identifiers_fits_in_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    let file = support::write(
        &folder.path().join("kb.tsv"),
        "subject_id\tobject_id\na:1\tb:1\n",
    );
    let mut text = String::from("id\na:1\nNA\na:1\n");
    for i in 0..300_000 {
        writeln!(text, "z:some_long_identifier_{i:06}").unwrap();
    }
    for i in 0..100_000 {
        writeln!(text, "rs{i}:A:G").unwrap();
    }
    let ids = support::write(&folder.path().join("ids.tsv"), text);
    let coverage = format!(
        "CREATE MAPPING kb FROM '{file}'; \
         SELECT * FROM xref_coverage('{ids}', 'id', 'kb') ORDER BY namespace, verdict"
    );
    let mut expected: Option<String> = None;
    for limit in ["4GB", "64MB"] {
        let options = ["--memory-limit", limit, "--threads", "2", "-q"];
        let run = bin::run([&["sql", &*coverage][..], &options].concat());
        let rows = run.exits(0).stdout;
        let same = *expected.get_or_insert_with(|| rows.clone()) == rows;
        assert!(same, "{limit}");
    }
    let rows = expected.unwrap_or_default();
    let commonest: Vec<String> = (0..5)
        .map(|i| format!("z:some_long_identifier_{i:06} (1)"))
        .collect();
    let row = format!(
        "z,unmapped,,,300000,75.0,300000,\"{}\"\n",
        commonest.join(", ")
    );
    assert!(rows.contains(&row), "{row}");
    assert!(rows.contains("\na,ok,1,kb.tsv,2,0.0,1,a:1 (2)\nrs0,unmapped,,,1,0.0,1,rs0:A:G (1)\n"));
    assert!(rows.ends_with("\n,null,,,1,0.0,1,NA (1)\n"));
    assert_eq!(
        rows.lines().filter(|row| row.starts_with("rs")).count(),
        100_000
    );
}

/// A clique may be most of a mapping: around one identifier, in a ring, several of them, or all of these at a time.
#[test]
fn large_cliques_fit_in_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    let star = |n: u32, of: u32| (0..n).map(move |i| (format!("a:{i}"), format!("b:{}", i % of)));
    let ring = |n: u32| (0..n).map(move |i| (format!("c:{i}"), format!("c:{}", (i + 1) % n)));
    let pairs = |n: u32| (0..n).map(|i| (format!("d:{i}"), format!("e:{i}")));
    let files = [
        star(250_000, 1).collect::<Vec<_>>(),
        star(250_000, 3).collect(),
        ring(250_000).collect(),
        star(100_000, 2)
            .chain(ring(100_000))
            .chain(pairs(30_000))
            .collect(),
    ];
    for (edges, n) in files.into_iter().zip(0..) {
        let mut text = String::from("subject\tobject\n");
        for (subject, object) in edges {
            writeln!(text, "{subject}\t{object}").unwrap();
        }
        let file = support::write(&folder.path().join(format!("{n}.tsv")), text);
        let out = folder.path().join(format!("{n}.csv"));
        let mut expected: Option<Vec<u8>> = None;
        for limit in ["4GB", "72MB", "67MB", "64MB"] {
            let sql = format!(
                "CREATE OR REPLACE MAPPING kb FROM '{file}'; \
                 COPY (SELECT * FROM clique_assign('kb')) TO '{}'",
                out.display()
            );
            let options = ["--memory-limit", limit, "--threads", "2", "-q"];
            bin::run([&["sql", &*sql][..], &options].concat()).exits(0);
            let rows = std::fs::read(&out).unwrap();
            std::fs::remove_file(&out).unwrap();
            let same = *expected.get_or_insert_with(|| rows.clone()) == rows;
            assert!(same, "{limit} {file}");
        }
    }
}

/// What tells statements apart is charged for while it comes, and what to do about it is said.
#[test]
fn many_confidences_take_memory() {
    let of = |confidence: &str| {
        format!(
            "CREATE MAPPING kb FROM (SELECT 'a:' || value AS subject_id, 'b:' || value AS object_id, \
             {confidence} AS confidence FROM generate_series(1, 1000000))"
        )
    };
    let run = |confidence: &str| {
        let sql = of(confidence);
        let options = ["--memory-limit", "100MB", "--threads", "2", "-q"];
        bin::run([&["sql", &*sql][..], &options].concat())
    };
    let refused = run("value / 1000000.0");
    assert_eq!(refused.code, Some(1));
    refused.says("different confidences, which are fewer if they are rounded");
    run("round(value / 1000000.0, 3)").exits(0);
}

/// One that is there already takes memory, but does not keep another one from being made.
#[test]
fn mappings_are_made_anew_under_a_small_limit() {
    let folder = tempfile::tempdir().unwrap();
    let (file, _) = large(folder.path());
    let sql = format!(
        "CREATE MAPPING kb FROM '{file}'; CREATE OR REPLACE MAPPING kb FROM '{file}'; \
         CREATE MAPPING other FROM '{file}'; SELECT count(*) FROM mapping_edges('other')"
    );
    let limits = ["134MB", "100MB", "64MB"];
    for limit in limits {
        let options = ["--memory-limit", limit, "--threads", "2", "-q"];
        bin::run([&["sql", &*sql][..], &options].concat()).exits(0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_edges_than_are_looked_at_are_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let all = (0..50).map(|n| Statement {
        subject: "a:1".to_owned(),
        predicate: "skos:exactMatch",
        object: format!("b:{n}"),
        confidence: 1.0,
        source: "s".to_owned(),
        negated: false,
    });
    let all: Vec<Statement> = all.collect();
    let file = support::write(&folder.path().join("star.tsv"), graphs::tsv(&all));
    let context = support::context();
    run(&context, &format!("CREATE MAPPING kb FROM '{file}'")).await;
    for (most, is_told) in [
        (1, true),
        (10, true),
        (49, true),
        (50, false),
        (1000, false),
    ] {
        for mode in ["directed", "undirected"] {
            let sql = format!(
                "SELECT DISTINCT x.note LIKE '%max_paths%' FROM (VALUES ('a:1')) AS t(id), \
                 LATERAL xref(t.id, 'kb', max_hops => 1, max_paths => {most}, mode => '{mode}') AS x"
            );
            let (rows, _) = support::query(&context, &sql).await;
            let told = rows == [["true"]];
            assert_eq!(told, is_told, "{most}, {mode}: {rows:?}");
        }
    }
}

/// Without an index or with one, an identifier that is only said to be itself is a clique of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cliques_of_a_file_are_those_of_its_mapping() {
    let folder = tempfile::tempdir().unwrap();
    let head = graphs::tsv(&[]);
    let context = support::context();
    for (rows, predicate) in [
        ("d:1\tskos:exactMatch\td:1\t1\t\ts\n", "skos:exactMatch"),
        (
            "a:1\tskos:narrowMatch\tb:1\t0.9\t\ts\nb:1\tskos:broadMatch\ta:1\t0.5\t\ts\n",
            "skos:broadMatch",
        ),
        (
            "a:1\tskos:narrowMatch\tb:1\t0.5\t\ts\nb:1\tskos:broadMatch\ta:1\t0.5\t\ts\n",
            "skos:broadMatch",
        ),
    ] {
        let file = support::write(&folder.path().join("x.tsv"), format!("{head}{rows}"));
        run(
            &context,
            &format!("CREATE OR REPLACE MAPPING kb FROM '{file}'"),
        )
        .await;
        let cliques = |of: &str| {
            format!(
                "SELECT * FROM clique_assign('{of}', predicates => ['{predicate}']) ORDER BY id"
            )
        };
        let (of_file, _) = support::query(&context, &cliques(&file)).await;
        let (of_mapping, _) = support::query(&context, &cliques("kb")).await;
        assert_eq!(of_file, of_mapping, "{rows}");
    }
}

/// A statement and its inverse are one: it counts once in what a mapping says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_and_its_inverse_are_one_row_of_a_mapping() {
    let folder = tempfile::tempdir().unwrap();
    let rows = "a:1\tskos:narrowMatch\tb:1\t0.5\t\ts\nb:1\tskos:broadMatch\ta:1\t0.5\t\ts\n";
    let file = folder.path().join("x.tsv");
    let file = support::write(&file, graphs::tsv(&[]) + rows);
    let context = support::context();
    run(&context, &format!("CREATE MAPPING kb FROM '{file}'")).await;
    let stated = support::value(&context, "SELECT count(*) FROM mapping_edges('kb')").await;
    assert_eq!(stated, "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_shows_what_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.tsv");
    let file = support::write(&file, "subject_id\tobject_id\na:1\tb:1\na:1\tc:1\n");
    for way in WAYS {
        let context = way.context();
        run(&context, &format!("CREATE MAPPING kb FROM '{file}'")).await;
        let sql = "EXPLAIN SELECT x.target FROM (VALUES ('a:1')) AS t(id), \
                   LATERAL xref(t.id, 'kb', targets => ['b'], max_hops => 3, policy => 'first') AS x";
        let (rows, _) = support::query(&context, sql).await;
        let plan = &rows.iter().find(|row| row[0] == "physical_plan").unwrap()[1];
        for part in [
            "XrefExec",
            "mapping=kb",
            "max_hops=3",
            "targets=[b]",
            "policy=first",
        ] {
            assert!(plan.contains(part), "{part} is not in {plan}");
        }
    }
}

/// A stored mapping of which a byte is another one, or of which there is more or less, is not believed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_file_answers_nothing_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut rng = Rng::new(3);
    let size = Size {
        ids: 2000,
        statements: 6000,
    };
    let (ids, statements) = made(&mut rng, size);
    let ids = id_file(folder, &ids);
    let file = support::write(&folder.join("x.tsv"), graphs::tsv(&statements));
    let path = folder.join("x.mapping");
    let stored = path.display().to_string();
    let context = support::context();
    let sql = format!("CREATE MAPPING kb FROM '{file}' STORED AS '{stored}'");
    run(&context, &sql).await;
    let question = format!("SELECT * FROM '{ids}' AS t, LATERAL xref(t.id, 'kb') AS x");
    let (expected, _) = support::query(&context, &question).await;
    let whole = std::fs::read(&path).unwrap();
    let steps = 60;
    let mut told = 0;
    for step in 0..=steps {
        let at = (whole.len() - 1) * step / steps;
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << rng.below(8);
        for (what, bytes) in [("flipped", &flipped[..]), ("cut", &whole[..at])] {
            // (As a program would that wrote it anew, not in the file that is open.)
            std::fs::remove_file(&path).unwrap();
            std::fs::write(&path, bytes).unwrap();
            let sql = format!("CREATE OR REPLACE MAPPING kb FROM '{stored}'");
            let answer = match support::try_query(&context, &sql).await {
                Ok(_) => support::try_query(&context, &question).await,
                Err(error) => Err(error),
            };
            match answer {
                Ok((rows, _)) => {
                    assert!(what == "flipped" && rows == expected, "{what} at {at}")
                }
                Err(error) => {
                    let text = error.to_string();
                    assert!(text.contains("x.mapping"), "{what} at {at}: {text}");
                    told += 1;
                }
            }
        }
    }
    assert!(told > 2 * steps - 10, "only {told} were told of");
}

/// Rows of a table stay in their order, also if they are spread over threads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_stay_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.tsv");
    let file = support::write(&file, "subject_id\tobject_id\na:1\tb:1\n");
    let values: Vec<String> = (0..40).map(|n| format!("({n}, 'a:1')")).collect();
    let expected: Vec<Vec<String>> = (0..40).map(|n| vec![n.to_string()]).collect();
    for way in WAYS {
        let context = way.context();
        run(&context, &format!("CREATE MAPPING kb FROM '{file}'")).await;
        for options in ["", ", policy => 'first'", ", policy => 'list'"] {
            let sql = format!(
                "SELECT t.n FROM (VALUES {}) AS t(n, id), LATERAL xref(t.id, 'kb'{options}) AS x",
                values.join(", ")
            );
            let (rows, _) = support::query(&context, &sql).await;
            assert_eq!(rows, expected, "{way:?}{options}");
        }
    }
}

/// A filter above leaves rows of the answer, whether it cuts walks short or not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_leave_rows_of_the_answer() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (mut left, mut all) = (0, 0);
    for seed in 0..8 {
        let mut rng = Rng::new(seed + 991);
        let size = Size {
            ids: 20 + seed * 10,
            statements: 60 + seed * 50,
        };
        let (ids, statements) = made(&mut rng, size);
        let ids = id_file(folder, &ids);
        let file = support::write(&folder.join("kb.tsv"), graphs::tsv(&statements));
        let context = WAYS[3].context();
        run(&context, &format!("CREATE MAPPING kb FROM '{file}'")).await;
        for options in [
            "",
            ", max_hops => 3, limit => 4",
            ", limit => 1",
            ", max_hops => 3, repeat_prefix => true, targets => ['a', 'b', 'c'], limit => 6",
            ", mode => 'undirected', limit => 5",
            ", max_hops => 3, max_paths => 9",
            ", policy => 'first', priority => ['b']",
            ", policy => 'drop'",
        ] {
            let columns = "t.id, x.target, x.predicate, x.confidence, x.hops, x.path, x.sources";
            let from = format!("FROM '{ids}' AS t, LATERAL xref(t.id, 'kb'{options}) AS x");
            // (The verdict is of all results: with it nothing is cut short.)
            let whole = format!("SELECT {columns}, x.verdict {from}");
            let (rows, _) = support::query(&context, &whole).await;
            for prefix in ["a", "b", "none"] {
                let start = format!("{prefix}:");
                let expected: Vec<Vec<String>> = rows
                    .iter()
                    .filter(|row| row[1].starts_with(&start))
                    .map(|row| row[..7].to_vec())
                    .collect();
                let sql = format!("SELECT {columns} {from} WHERE x.target LIKE '{prefix}:%'");
                let (found, _) = support::query(&context, &sql).await;
                assert_eq!(found, expected, "seed {seed}, {sql}");
                left += found.len();
            }
            all += rows.len();
        }
    }
    assert!(left > 500 && all > left, "{left} of {all}");
}
