//! Rows chosen and columns made by pipelines, and the SQL that stands in them.

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::steps::{lines, refused};
use crate::support::write;

fn load(folder: &Path, text: &str) -> String {
    let file = write(&folder.join("t.tsv"), text);
    format!("- {{type: load, params: {{file_path: '{file}', output: t}}}}\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_rows_that_are_the_same_the_first_or_the_last_of_an_order_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let text = "id\ta\tb\tn\n\
        x\t1\t1\t0\nx\t2\t1\t1\nx\t2\t3\t2\nx\t2\t3\t3\nx\t1\t9\t4\n\
        y\t\t1\t5\ny\t5\t\t6\ny\t5\t2\t7\n\tq\t1\t8\n\tq\t1\t9\n";
    let load = load(folder.path(), &text.replace('q', "4"));
    let kept = async |more: &str| -> String {
        let found = lines(&format!(
            "{load}- {{type: deduplicate, params: {{columns: id, {more}}}}}"
        ))
        .await;
        let last = |line: &String| line.rsplit(',').next().unwrap().to_owned();
        found[1..].iter().map(last).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(kept("keep: first").await, "0 5 8");
    assert_eq!(kept("keep: last").await, "4 7 9");
    assert_eq!(kept("keep: first, order_by: 'a, b'").await, "0 7 8");
    // (The last of both keys, and of rows that are the same in them.)
    assert_eq!(kept("keep: last, order_by: 'a, b'").await, "3 5 9");
    assert_eq!(kept("keep: first, order_by: 'a DESC, b'").await, "1 5 8");
    assert_eq!(kept("keep: last, order_by: 'a DESC, b'").await, "4 6 9");
    assert_eq!(
        kept("keep: first, order_by: 'a DESC NULLS LAST, b DESC NULLS LAST'").await,
        "2 7 8"
    );
    assert_eq!(
        kept("keep: last, order_by: 'a DESC NULLS LAST, b DESC NULLS LAST'").await,
        "0 5 9"
    );
    assert_eq!(
        kept("keep: last, order_by: 'abs(a - 2) DESC, B'").await,
        "3 6 9"
    );
    for order in ["a b", "a, ", "a LIMIT 1", "a) --", ""] {
        let step =
            format!("{load}- {{type: deduplicate, params: {{columns: id, order_by: '{order}'}}}}");
        let error = refused(&step).await;
        assert!(
            error.contains("p.yaml, line 3") && error.contains("order_by"),
            "{error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_are_the_same_in_large_tables_too() {
    let folder = tempfile::tempdir().unwrap();
    let rows: Vec<(u64, u64)> = (0..60_000).map(|n| (n * 7919 % 9_001, n)).collect();
    let text: String = rows.iter().map(|(id, n)| format!("{id}\t{n}\n")).collect();
    let load = load(folder.path(), &format!("id\tn\n{text}"));
    let mut groups: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    let mut order = Vec::new();
    for (id, n) in &rows {
        let group = groups.entry(*id).or_default();
        if group.is_empty() {
            order.push(*id);
        }
        group.push(*n);
    }
    let first: Vec<String> = order
        .iter()
        .map(|id| format!("{id},{}", groups[id][0]))
        .collect();
    let found = lines(&format!(
        "{load}- {{type: deduplicate, params: {{columns: id}}}}"
    ))
    .await;
    assert!(found[1..] == first);
    // After a join, and what is made of it.
    let joined = lines(&format!(
        "{load}- {{type: join, params: {{left: t, right: t, on: [id, n]}}}}
- {{type: deduplicate, params: {{columns: id}}}}"
    ))
    .await;
    assert!(joined[1..] == first);
    let found = lines(&format!(
        "{load}- {{type: aggregate, params: {{group_by: id, aggregates: {{rows: count(*), all: \"string_agg(arrow_cast(n, 'Utf8'), '+')\"}}}}}}"
    ))
    .await;
    let expected: Vec<String> = order
        .iter()
        .map(|id| {
            let all: Vec<String> = groups[id].iter().map(u64::to_string).collect();
            format!("{id},{},{}", all.len(), all.join("+"))
        })
        .collect();
    assert!(found[1..] == expected);
    let all = lines(&format!(
        "{load}- {{type: aggregate, params: {{aggregates: {{all: \"string_agg(arrow_cast(n, 'Utf8'), '+')\"}}}}}}"
    ))
    .await;
    let expected: Vec<String> = rows.iter().map(|(_, n)| n.to_string()).collect();
    assert!(all[1..] == [expected.join("+")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_of_columns_are_the_users_own() {
    let folder = tempfile::tempdir().unwrap();
    let load = load(
        folder.path(),
        "__row\t__place\tl\tr\n5\tp\tx\t1\n5\tq\ty\t2\n4\tr\tz\t3\n",
    );
    let all = ["__row,__place,l,r", "5,q,y,2", "4,r,z,3"];
    assert_eq!(
        lines(&format!(
            "{load}- {{type: deduplicate, params: {{columns: __row, keep: last}}}}"
        ))
        .await,
        all
    );
    assert_eq!(
        lines(&format!(
            "{load}- {{type: merge_datasets, params: {{inputs: [t, t], deduplicate: l}}}}"
        ))
        .await
        .len(),
        4
    );
    assert_eq!(
        lines(&format!("{load}- {{type: aggregate, params: {{group_by: __row, aggregates: {{__place: 'max(__place)'}}}}}}")).await,
        ["__row,__place", "5,q", "4,r"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_condition_is_one_expression_and_a_query_a_query() {
    let folder = tempfile::tempdir().unwrap();
    let load = load(folder.path(), "id\tn\na\t1\nb\t2\nc\t3\n");
    let of = |kind: &str, params: &str| format!("{load}- type: {kind}\n  params: {{{params}}}");
    assert_eq!(
        lines(&of("filter", "condition: 'n > 1 -- not the first'")).await,
        ["id,n", "b,2", "c,3"]
    );
    assert_eq!(
        lines(&of("filter", "condition: 'n IN (SELECT max(n) FROM t)'")).await,
        ["id,n", "c,3"]
    );
    assert_eq!(
        lines(&of("derive", "columns: {m: 'n + 1 /* more */'}")).await[1],
        "a,1,2"
    );
    assert_eq!(
        lines(&of(
            "sql",
            "query: 'WITH x AS (SELECT * FROM t) SELECT id FROM x ORDER BY n DESC;'"
        ))
        .await,
        ["id", "c", "b", "a"]
    );
    assert_eq!(lines(&of("sql", "query: 'VALUES (1)'")).await.len(), 2);
    for wrong in [
        "n LIMIT 1",
        "1 = 1 ORDER BY n",
        "n > 1) OR (n < 3",
        "n > 1; DROP TABLE t",
        "n AS m",
        "n, id",
        "n >",
    ] {
        for (kind, params) in [
            ("filter", format!("condition: '{wrong}'")),
            ("select", format!("columns: {{x: '{wrong}'}}")),
            ("derive", format!("columns: {{x: '{wrong}'}}")),
            (
                "aggregate",
                format!("aggregates: {{x: 'max({wrong})) FROM t --'}}"),
            ),
            ("validate", format!("checks: [{{condition: '{wrong}'}}]")),
        ] {
            let error = refused(&of(kind, &params)).await;
            assert!(
                error.contains("p.yaml, line 4") && error.contains("is not one expression"),
                "{kind} {error}"
            );
        }
    }
    for wrong in [
        "COPY t TO ''x.csv''",
        "CREATE TABLE x AS SELECT * FROM t",
        "INSERT INTO t VALUES (1, 2)",
        "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x",
        "SELECT * INTO x FROM t",
        "DROP TABLE t",
        "SET datafusion.execution.batch_size = 1",
        "EXPLAIN SELECT 1",
    ] {
        let error = refused(&of("sql", &format!("query: '{wrong}'"))).await;
        assert!(
            error.contains("p.yaml, line 4") && error.contains("one SELECT"),
            "{error}"
        );
    }
    assert!(!Path::new("x.csv").exists());
    refused(&of("sql", "query: 'SELECT 1; SELECT 2'")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_nearest_of_what_there_is_is_offered() {
    let folder = tempfile::tempdir().unwrap();
    let load = load(folder.path(), "uniprot\tn\na\t1\n").replace("output: t", "output: proteins");
    for (kind, params, near) in [
        ("deduplicate", "columns: uniprt", "'uniprot'"),
        (
            "aggregate",
            "group_by: uniprott, aggregates: {n: count(*)}",
            "'uniprot'",
        ),
        (
            "filter_dataset",
            "conditions: [{column: unipro, operator: is_null}]",
            "'uniprot'",
        ),
        ("validate", "checks: [{not_null: unprot}]", "'uniprot'"),
        ("filter", "input: protein, condition: 'true'", "'proteins'"),
        (
            "merge_datasets",
            "inputs: [proteins, protiens]",
            "'proteins'",
        ),
        (
            "join",
            "left: proteins, right: protein, on: n",
            "'proteins'",
        ),
        (
            "calculate_set_overlap",
            "inputs: [proteins, proteens], columns: n",
            "'proteins'",
        ),
        ("sql", "query: SELECT * FROM protein", "'proteins'"),
    ] {
        let error = refused(&format!("{load}- type: {kind}\n  params: {{{params}}}")).await;
        assert!(error.contains("p.yaml, line 4"), "{kind} {error}");
        assert!(
            error.contains(&format!("did you mean {near}?")),
            "{kind} {error}"
        );
    }
    let error = refused(&format!(
        "{load}- type: filter\n  params: {{condition: uniprt = 'a'}}"
    ))
    .await;
    assert!(error.contains("uniprot"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_fit_a_type_is_told_of_its_step() {
    let folder = tempfile::tempdir().unwrap();
    let load = load(folder.path(), "id\tn\na\t1\nb\t2\n");
    let of = |kind: &str, params: &str| {
        format!(
            "{load}- {{name: bad, type: {kind}, params: {{{params}}}}}
- {{name: after, type: filter, params: {{condition: 'true'}}}}"
        )
    };
    for (kind, params, problem) in [
        ("filter", "condition: '(id + id) % 7 <> 1'", "Utf8 + Utf8"),
        ("filter", "condition: 'NOT (id + id > 1)'", "Utf8 + Utf8"),
        ("filter", "condition: id", "non-boolean"),
        (
            "filter",
            "condition: 'n IN (SELECT n FROM t WHERE id + id > 1)'",
            "Utf8 + Utf8",
        ),
        ("derive", "columns: {x: 'id + id'}", "Utf8 + Utf8"),
        ("select", "columns: {x: 'id + id'}", "Utf8 + Utf8"),
        ("deduplicate", "order_by: 'id + id'", "Utf8 + Utf8"),
        (
            "aggregate",
            "aggregates: {x: \"count(*) FILTER (WHERE id + id > 1)\"}",
            "Utf8 + Utf8",
        ),
        (
            "aggregate",
            "aggregates: {x: 'sum(id)'}",
            "sum does not take Utf8",
        ),
        (
            "validate",
            "checks: [{condition: 'id + id > 1'}]",
            "Utf8 + Utf8",
        ),
        ("validate", "checks: [{condition: id}]", "non-boolean"),
        (
            "sql",
            "query: 'SELECT * FROM t WHERE id + id > 1'",
            "Utf8 + Utf8",
        ),
    ] {
        let error = refused(&of(kind, params)).await;
        assert!(
            error.contains("p.yaml, line 3") && error.contains("step bad"),
            "{kind} {params} {error}"
        );
        assert!(error.contains(problem), "{kind} {params} {error}");
        assert!(!error.contains("bug"), "{kind} {params} {error}");
    }
    // The check of several.
    let checks =
        "checks:\n  - {not_null: id}\n  - {condition: n > 0}\n  - {condition: id + id > 1}";
    let error = refused(&format!(
        "{load}- name: bad\n  type: validate\n  params:\n   {checks}"
    ))
    .await;
    assert!(error.starts_with("p.yaml, line 9, column "), "{error}");
    assert!(error.contains(", step bad: "), "{error}");
    // NULL is no truth, and holds for no row.
    assert_eq!(lines(&of("filter", "condition: 'NULL'")).await, ["id,n"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_column_that_is_not_there_is_told_with_those_of_the_user() {
    let folder = tempfile::tempdir().unwrap();
    let load = load(folder.path(), "uniprot\tn\na\t1\n");
    for (kind, params) in [
        ("filter", "condition: unipro = 'a'"),
        ("derive", "columns: {x: upper(unipro)}"),
        ("deduplicate", "order_by: unipro desc"),
        ("aggregate", "aggregates: {x: max(unipro)}"),
        ("validate", "checks: [{condition: unipro = 'a'}]"),
        ("sql", "query: SELECT unipro FROM t"),
    ] {
        let error = refused(&format!("{load}- {{type: {kind}, params: {{{params}}}}}")).await;
        assert!(
            error.contains("p.yaml, line 3") && error.contains("did you mean 'uniprot'?"),
            "{kind} {error}"
        );
    }
    let error = refused(&format!(
        "{load}- {{type: deduplicate, params: {{order_by: xyzzy}}}}"
    ))
    .await;
    assert!(
        error.contains("there is no column xyzzy; there are uniprot, n"),
        "{error}"
    );
}
