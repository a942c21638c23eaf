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
        ("filter", "condition: id", "neither true nor false, but"),
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
        (
            "validate",
            "checks: [{condition: id}]",
            "neither true nor false, but",
        ),
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
        "checks:\n    - {not_null: id}\n    - {condition: n > 0}\n    - {condition: id + id > 1}";
    let error = refused(&format!(
        "{load}- name: bad\n  type: validate\n  params:\n    {checks}"
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

/// The rows of a table that windows are asked of: many with the same key, and the same value.
fn windowed() -> Vec<(usize, usize, usize)> {
    (0..12_000).map(|n| (n, n * 7919 % 97, n % 13)).collect()
}

/// The steps that load them.
fn load_windowed(folder: &Path) -> String {
    let rows: String = windowed()
        .iter()
        .map(|(id, g, v)| format!("{id}\t{g}\t{v}\n"))
        .collect();
    load(folder, &format!("id\tg\tv\n{rows}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn windows_leave_rows_in_order_and_see_them_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let load = load_windowed(folder.path());
    let rows = windowed();
    let step = format!(
        "{load}- type: derive
  params:
    columns:
      n: count(*) OVER (PARTITION BY g)
      place: row_number() OVER (PARTITION BY g)
      first: first_value(id) OVER (PARTITION BY g ORDER BY v)
      before: lag(id) OVER (PARTITION BY g ORDER BY v DESC)
      until: sum(id) OVER (PARTITION BY g ROWS UNBOUNDED PRECEDING)
      back: row_number() OVER (ORDER BY id DESC)
      rank: rank() OVER (PARTITION BY g ORDER BY v)
      with_equals: count(*) OVER (PARTITION BY g ORDER BY v)
      all: row_number() OVER ()"
    );
    let mut groups: BTreeMap<usize, Vec<(usize, usize)>> = BTreeMap::new();
    for (id, g, v) in &rows {
        groups.entry(*g).or_default().push((*v, *id));
    }
    let expected: Vec<String> = rows
        .iter()
        .map(|(id, g, v)| {
            let group = &groups[g];
            let place = group.iter().position(|(_, other)| other == id).unwrap();
            let mut down = group.clone();
            down.sort_by_key(|(v, id)| (usize::MAX - v, *id));
            let below = down.iter().position(|(_, other)| other == id).unwrap();
            let before = below.checked_sub(1).map(|n| down[n].1.to_string());
            let until: usize = group[..=place].iter().map(|(_, id)| id).sum();
            let values = [
                *id,
                *g,
                *v,
                group.len(),
                place + 1,
                group.iter().min().unwrap().1,
            ];
            let more = [
                until,
                rows.len() - id,
                1 + group.iter().filter(|(other, _)| other < v).count(),
                group.iter().filter(|(other, _)| other <= v).count(),
                id + 1,
            ];
            let shown = |values: &[usize]| -> String {
                let values: Vec<String> = values.iter().map(usize::to_string).collect();
                values.join(",")
            };
            let before = before.unwrap_or_default();
            format!("{},{before},{}", shown(&values), shown(&more))
        })
        .collect();
    let found = lines(&step).await;
    assert_eq!(
        found[0],
        "id,g,v,n,place,first,before,until,back,rank,with_equals,all"
    );
    for (found, expected) in found[1..].iter().zip(&expected) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.len(), expected.len() + 1);
    // What is chosen by the order of rows is the same as without.
    let next = "\n- {type: deduplicate, params: {columns: g}}\n- {type: select, params: {columns: {id: id}}}";
    let first: Vec<String> = (0..97).map(|id| id.to_string()).collect();
    assert!(lines(&format!("{step}{next}")).await[1..] == first);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn windows_stand_beside_subqueries_and_in_groups() {
    let folder = tempfile::tempdir().unwrap();
    let load = load(
        folder.path(),
        "id\tg\t__row\n1\tb\tx\n2\ta\ty\n3\tc\tx\n4\tb\ty\n5\ta\tx\n",
    );
    let step = "- type: select
  params:
    columns:
      id: id
      __row: row_number() OVER (PARTITION BY __row)
      n: row_number() OVER ()
      of_all: (SELECT count(*) FROM t AS u WHERE u.g = t.g)
      ids: \"array_to_string(array_agg(id) OVER (PARTITION BY g), '+')\"";
    assert_eq!(
        lines(&format!("{load}{step}")).await,
        [
            "id,__row,n,of_all,ids",
            "1,1,1,2,1+4",
            "2,1,2,2,2+5",
            "3,2,3,1,3",
            "4,2,4,2,1+4",
            "5,3,5,2,2+5"
        ]
    );
    let step = "- type: aggregate
  params:
    group_by: g
    aggregates:
      n: count(*)
      place: row_number() OVER (PARTITION BY count(*))
      until: sum(count(*)) OVER (ROWS UNBOUNDED PRECEDING)";
    assert_eq!(
        lines(&format!("{load}{step}")).await,
        ["g,n,place,until", "b,2,1,2", "a,2,2,4", "c,1,1,5"]
    );
    let window = "count(*) OVER (PARTITION BY g) > 1";
    let step = format!("{load}- {{type: filter, params: {{condition: '{window}'}}}}");
    let error = refused(&step).await;
    assert!(error.starts_with("p.yaml, line 3, column "), "{error}");
    assert!(
        error.contains("'count(*) OVER (PARTITION BY g)' looks at other rows"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn columns_of_a_query_have_names_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let load = load(folder.path(), "id\tg\n1\ta\n2\tb\n");
    let of = |query: &str| format!("{load}- {{type: sql, params: {{query: '{query}'}}}}");
    for (query, names) in [
        (
            "SELECT * FROM t JOIN (SELECT * FROM t) AS z ON t.id = z.id",
            "id, g",
        ),
        ("SELECT t.g, z.g FROM t JOIN t AS z ON t.id = z.id", "g"),
        ("SELECT * FROM t JOIN t AS z USING (id)", "g"),
        ("SELECT * FROM t, t AS z", "id, g"),
    ] {
        let error = refused(&of(query)).await;
        assert!(error.starts_with("p.yaml, line 3, column "), "{error}");
        let told = format!("query: several of its columns are called {names}: give each");
        assert!(error.contains(&told), "{error}");
    }
    assert_eq!(
        lines(&of(
            "SELECT t.*, z.g AS h FROM t JOIN t AS z USING (id) ORDER BY id"
        ))
        .await,
        ["id,g,h", "1,a,a", "2,b,b"]
    );
    assert_eq!(
        lines(&of("SELECT id, g AS \"ID\" FROM t")).await[0],
        "id,ID"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_that_become_texts_are_those_of_files() {
    let folder = tempfile::tempdir().unwrap();
    let loads: String = [
        ("a", "k\tf\n2.0\t1\n1.50\t2\n100000.0\t3\n"),
        ("b", "k\tf\nx\t1\n2.0\t2\n"),
        ("c", "k\tf\n2\t4\n"),
    ]
    .iter()
    .map(|(name, text)| {
        let file = write(&folder.path().join(format!("{name}.tsv")), text);
        format!("- {{type: load, params: {{file_path: '{file}', output: {name}}}}}\n")
    })
    .collect();
    let merged = async |params: &str| -> Vec<String> {
        lines(&format!(
            "{loads}- {{type: merge_datasets, params: {{{params}}}}}"
        ))
        .await
    };
    assert_eq!(
        merged("inputs: [a, b]").await,
        ["k,f", "2.0,1", "1.5,2", "100000.0,3", "x,1", "2.0,2"]
    );
    assert_eq!(
        merged("inputs: [a, b], deduplicate: k").await,
        ["k,f", "2.0,1", "1.5,2", "100000.0,3", "x,1"]
    );
    // (Whole numbers have no fraction, and equal ones one text.)
    assert_eq!(
        merged("inputs: [a, c], deduplicate: k").await,
        ["k,f", "2,1", "1.5,2", "100000,3"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_column_is_refused_for_is_told_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let load = load(folder.path(), "k\tv\na\t1\na\t2\n");
    for (kind, key, columns, told) in [
        (
            "derive",
            "columns",
            "{x: v + 1, y: nothing(v), z: v}",
            "y: Invalid function 'nothing'",
        ),
        (
            "select",
            "columns",
            "{x: v + 1, y: k + k}",
            "y: Cannot coerce",
        ),
        (
            "derive",
            "columns",
            "{x: row_number() OVER (), y: vv}",
            "y: there is no column vv; did you mean 'v'?",
        ),
        (
            "aggregate",
            "group_by: k, aggregates",
            "{n: count(*), m: v}",
            "m: the column t.v may have several values in a group: group by it too",
        ),
        (
            "aggregate",
            "aggregates",
            "{n: count(*), m: v}",
            "m: the column t.v may have several values",
        ),
        (
            "aggregate",
            "aggregates",
            "{m: v}",
            "m: the column t.v may have several values",
        ),
        (
            "aggregate",
            "group_by: k, aggregates",
            "{n: count(*), s: sum(k)}",
            "s: sum does not take ",
        ),
    ] {
        let error = refused(&format!(
            "{load}- {{name: bad, type: {kind}, params: {{{key}: {columns}}}}}"
        ))
        .await;
        assert!(error.starts_with("p.yaml, line 3, column "), "{error}");
        let key = key.rsplit(' ').next().unwrap();
        let told = format!(", step bad: {key}: {told}");
        assert!(error.contains(&told), "{error}");
        assert!(!error.contains("__row"), "{error}");
    }
    // All rows are one where they have no groups.
    let step = "- {type: aggregate, params: {aggregates: {x: 1}}}";
    assert_eq!(lines(&format!("{load}{step}")).await, ["x", "1"]);
}
