//! Rows stay in the order of the input, whatever threads, batches and memory there are.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use crate::support::steps::{lines, ran, refused};
use crate::support::{Settings, bin, context, write};

/// How many rows there are: some batches of them.
const ROWS: usize = 12_000;
/// How many keys.
const KEYS: usize = 9_001;

/// The key of a row.
fn key(row: usize) -> usize {
    row * 7919 % KEYS
}

/// The keys of the other table, in an order of their own, some twice.
fn others() -> Vec<usize> {
    let keys = (0..KEYS).step_by(3).map(|n| n * 17 % KEYS);
    keys.chain((0..KEYS).step_by(9).map(|n| n * 17 % KEYS))
        .collect()
}

/// The steps that load `b`, the other table, and `t`.
fn loaded(folder: &Path) -> String {
    let rows: String = (0..ROWS).map(|n| format!("k{}\t{n}\n", key(n))).collect();
    let table = write(&folder.join("t.tsv"), format!("key\tid\n{rows}"));
    let keys: String = others().iter().map(|key| format!("k{key}\n")).collect();
    let other = write(&folder.join("b.tsv"), format!("key\n{keys}"));
    format!(
        "- {{type: load, params: {{file_path: '{other}', output: b}}}}\n\
         - {{type: load, params: {{file_path: '{table}', output: t}}}}\n"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_a_subquery_is_asked_of_stay_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let load = loaded(folder.path());
    let known: HashSet<usize> = others().into_iter().collect();
    let rows = |is_kept: &dyn Fn(usize) -> bool| -> Vec<String> {
        let kept = (0..ROWS).filter(|n| is_kept(*n));
        kept.map(|n| format!("k{},{n}", key(n))).collect()
    };
    let inside = rows(&|n: usize| known.contains(&key(n)));
    let outside = rows(&|n: usize| !known.contains(&key(n)));
    let late = rows(&|n: usize| n > KEYS - 5);
    for (condition, expected) in [
        ("key IN (SELECT key FROM b)", &inside),
        ("key NOT IN (SELECT key FROM b)", &outside),
        ("EXISTS (SELECT 1 FROM b WHERE b.key = t.key)", &inside),
        ("(SELECT count(*) FROM b WHERE b.key = t.key) > 0", &inside),
        ("id > (SELECT count(DISTINCT key) FROM t) - 5", &late),
    ] {
        let step = format!("{load}- {{type: filter, params: {{condition: '{condition}'}}}}");
        assert!(lines(&step).await[1..] == *expected, "{condition}");
    }
    // Below a step that numbers its rows.
    let asked = "{type: filter, params: {condition: 'key IN (SELECT key FROM b)'}}";
    let step = format!("{load}- {asked}\n- {{type: deduplicate, params: {{columns: id}}}}");
    assert!(lines(&step).await[1..] == inside);
    // (What is dropped is counted by the same condition.)
    let condition = "key IN (SELECT key FROM b)";
    let checks = format!("[{{condition: '{condition}'}}, {{condition: id >= 0}}, {{unique: id}}]");
    let step = format!("{load}- {{type: validate, params: {{on_fail: drop, checks: {checks}}}}}");
    assert!(lines(&step).await[1..] == inside);
    let (_, report) = ran(&context(), &step).await.unwrap();
    let failed: Vec<u64> = report.checks.iter().map(|check| check.failed).collect();
    assert_eq!(failed, [outside.len() as u64, 0, 0]);
}

/// The engine takes the smaller side of a join first, and drops a sort below rows that are numbered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_joined_is_numbered_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let load = loaded(folder.path());
    let mut seen = HashSet::new();
    let first: Vec<String> = others()
        .into_iter()
        .filter(|key| seen.insert(*key))
        .map(|key| format!("k{key}"))
        .collect();
    let join = "{type: join, params: {left: b, right: t, on: key}}";
    for next in [
        "{type: deduplicate, params: {columns: key}}",
        "{type: aggregate, params: {group_by: key, aggregates: {n: count(*)}}}",
    ] {
        let step = format!("{load}- {join}\n- {next}");
        let keys = lines(&step).await;
        let keys = keys[1..].iter().map(|line| line.split(',').next());
        let keys: Vec<&str> = keys.flatten().collect();
        assert!(keys == first, "{next}");
    }
    // A query's own order, too.
    let query = "SELECT key, id FROM t ORDER BY id DESC";
    let next = "{type: deduplicate, params: {columns: key}}";
    let step = format!("{load}- {{type: sql, params: {{query: '{query}'}}}}\n- {next}");
    let mut seen = HashSet::new();
    let rows = (0..ROWS).rev().filter(|n| seen.insert(key(*n)));
    let last: Vec<String> = rows.map(|n| format!("k{},{n}", key(n))).collect();
    assert!(lines(&step).await[1..] == last);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn columns_that_subqueries_make_stay_with_their_rows() {
    let folder = tempfile::tempdir().unwrap();
    let load = loaded(folder.path());
    let mut times: HashMap<usize, usize> = HashMap::new();
    for key in others() {
        *times.entry(key).or_default() += 1;
    }
    let times = |n: usize| times.get(&key(n)).copied().unwrap_or(0);
    let count = "(SELECT count(*) FROM b WHERE b.key = t.key)";
    let step = format!("{load}- {{type: derive, params: {{columns: {{n: '{count}'}}}}}}");
    let expected: Vec<String> = (0..ROWS)
        .map(|n| format!("k{},{n},{}", key(n), times(n)))
        .collect();
    assert!(lines(&step).await[1..] == expected);
    // (A name of the user's that ours might be.)
    let columns = format!("{{__row: '{count} > 0', key: id + 1}}");
    let step = format!("{load}- {{type: select, params: {{columns: {columns}}}}}");
    let expected: Vec<String> = (0..ROWS)
        .map(|n| format!("{},{}", times(n) > 0, n + 1))
        .collect();
    assert!(lines(&step).await[1..] == expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_that_are_spilled_have_their_rows_in_order() {
    const ROWS: usize = 40_000;
    const KEYS: usize = 15_013;
    let key = |row: usize| row * 7919 % KEYS;
    let text = |row: usize| format!("x{row:0>200}");
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (0..ROWS)
        .map(|n| format!("k{}\t{n}\t{}\n", key(n), text(n)))
        .collect();
    let file = write(
        &folder.path().join("t.tsv"),
        format!("key\tid\ttext\n{rows}"),
    );
    let mut groups: HashMap<usize, Vec<usize>> = HashMap::new();
    for n in 0..ROWS {
        groups.entry(key(n)).or_default().push(n);
    }
    let begins = |n: &usize| groups[&key(*n)][0] == *n;
    let expected: Vec<String> = (0..ROWS)
        .filter(begins)
        .map(|n| {
            let ids = &groups[&key(n)];
            let all: Vec<String> = ids.iter().map(usize::to_string).collect();
            let last = ids[ids.len() - 1];
            let second = ids.get(1).map_or(String::new(), usize::to_string);
            let parts = [
                format!("k{}", key(n)),
                all.join("|"),
                text(n),
                last.to_string(),
                second,
                n.to_string(),
            ];
            parts.join(",")
        })
        .collect();
    for (megabytes, settings) in [
        (50, Settings::new(1, 8192)),
        (50, Settings::new(2, 2000)),
        (1000, Settings::new(2, 8192)),
    ] {
        let steps = format!(
            "- {{type: load, params: {{file_path: '{file}', memory_limit_mb: {megabytes}}}}}
- type: aggregate
  params:
    group_by: key
    aggregates:
      ids: string_agg(arrow_cast(id, 'Utf8'), '|')
      first: first_value(text)
      last: last_value(id)
      second: nth_value(id, 2)
      one: any_value(id)"
        );
        let (found, _) = ran(&settings.context(), &steps).await.unwrap();
        assert!(found[1..] == expected, "{megabytes} MB, {settings:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn aggregates_have_the_order_that_they_say_and_else_that_of_rows() {
    let folder = tempfile::tempdir().unwrap();
    let text = "g\tid\tx\na\t1\t3\nb\t2\t1\na\t3\t2\na\t4\t9\n";
    let file = write(&folder.path().join("t.tsv"), text);
    let of = async |group: &str, aggregates: &str| {
        lines(&format!(
            "- {{type: load, params: {{file_path: '{file}', output: t}}}}
- type: aggregate
  params: {{{group} aggregates: {{{aggregates}}}}}"
        ))
        .await
    };
    let plain = [
        "ids: \"string_agg(arrow_cast(id, 'Utf8'), '+')\"",
        "second: 'nth_value(id, 2)'",
        "last: 'array_agg(id)[-1]'",
        "late: 'first_value(id) FILTER (WHERE x < 3)'",
        "one: any_value(id)",
        "kinds: \"string_agg(DISTINCT arrow_cast(id % 2, 'Utf8'), '+')\"",
        "least: 'array_agg(DISTINCT id % 2)[1]'",
        "n: count(DISTINCT id)",
    ]
    .join(", ");
    assert_eq!(
        of("group_by: g,", &plain).await,
        [
            "g,ids,second,last,late,one,kinds,least,n",
            "a,1+3+4,3,4,3,1,0+1,0,3",
            "b,2,,2,2,2,0,0,1"
        ]
    );
    // Beside one in another order, which the engine takes but one of.
    let own = "xs: \"string_agg(arrow_cast(id, 'Utf8'), '+' ORDER BY x DESC)\"";
    assert_eq!(
        of("group_by: g,", &format!("{own}, {plain}")).await,
        [
            "g,xs,ids,second,last,late,one,kinds,least,n",
            "a,4+1+3,1+3+4,3,4,3,1,0+1,0,3",
            "b,2,2,,2,2,2,0,0,1"
        ]
    );
    assert_eq!(
        of("", &plain).await,
        [
            "ids,second,last,late,one,kinds,least,n",
            "1+2+3+4,2,4,2,1,0+1,0,4"
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_column_cannot_be_whether_a_row_is_in_a_subquery() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(&folder.path().join("t.tsv"), "id\tn\na\t1\nb\t2\n");
    let load = format!("- {{type: load, params: {{file_path: '{file}', output: t}}}}\n");
    for test in [
        "id IN (SELECT id FROM t)",
        "n + 1 > 2 AND id NOT IN (SELECT id FROM t)",
        "EXISTS (SELECT 1 FROM t AS u WHERE u.id = t.id)",
        "CASE WHEN n = ANY (SELECT n FROM t) THEN 1 END",
    ] {
        for step in [
            format!("{{type: derive, params: {{columns: {{x: '{test}'}}}}}}"),
            format!("{{type: select, params: {{columns: {{x: '{test}'}}}}}}"),
            format!(
                "{{type: aggregate, params: {{group_by: id, aggregates: {{x: 'count(*) FILTER (WHERE {test})'}}}}}}"
            ),
        ] {
            let error = refused(&format!("{load}- {step}")).await;
            assert!(error.contains("p.yaml, line 3"), "{error}");
            assert!(error.contains("x: '"), "{error}");
            assert!(
                error.contains("can be the condition of a filter"),
                "{error}"
            );
        }
    }
}

/// The order of a query is that of the steps behind it, whatever threads do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_query_has_sorted_stays_sorted() {
    let folder = tempfile::tempdir().unwrap();
    let text: String = (0..30_000).map(|n| format!("{n}\n")).collect();
    let file = write(&folder.path().join("n.csv"), format!("id\n{text}"));
    let load = format!("- {{name: l, type: load, params: {{file_path: '{file}'}}}}\n");
    let all = "- {type: sql, params: {query: 'SELECT id FROM l ORDER BY id DESC'}}\n";
    let some = "- {type: sql, params: {query: 'SELECT id FROM l ORDER BY id DESC LIMIT 20000'}}\n";
    let derive = "- {type: derive, params: {columns: {z: id * 2}}}";
    let filter = "- {type: filter, params: {condition: id % 3 = 0}}";
    for (sql, step, n) in [
        (all, derive, 30_000),
        (all, filter, 10_000),
        (some, derive, 20_000),
        (some, filter, 6666),
    ] {
        let lines = lines(&format!("{load}{sql}{step}")).await;
        let ids = lines[1..]
            .iter()
            .map(|line| line.split(',').next().unwrap());
        let ids: Vec<u32> = ids.map(|id| id.parse().unwrap()).collect();
        assert!(ids.is_sorted_by(|a, b| a > b), "{sql}{step}");
        assert_eq!(ids.len(), n, "{sql}{step}");
    }
}

/// A few rows of very many columns take no more memory than they are.
#[test]
fn few_rows_of_many_columns_fit() {
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<String> = (1..=3000).map(|n| format!("c{n}")).collect();
    let row: Vec<String> = (1..=3000).map(|n| n.to_string()).collect();
    let (names, row) = (names.join(","), row.join(","));
    let text = format!("{names}\n{row}\n{row}\n{row}\n");
    let file = write(&folder.path().join("w.csv"), text);
    let out = folder.path().join("o.csv").display().to_string();
    for step in [
        "- {type: deduplicate, params: {columns: [c1]}}",
        "- {type: join, params: {left: l, right: l, on: [c1]}}",
        "- {type: sql, params: {query: 'SELECT * FROM l ORDER BY c2'}}",
    ] {
        let yaml = format!(
            "steps:\n- {{name: l, type: load, params: {{file_path: '{file}'}}}}\n{step}\n\
             - {{type: sink, params: {{to: '{out}', mode: replace}}}}\n"
        );
        let yaml = write(&folder.path().join("p.yaml"), yaml);
        bin::run(["run", &yaml, "--memory-limit", "256MB"]).exits(0);
        assert!(std::fs::read_to_string(&out).unwrap().lines().count() > 1);
    }
}
