//! Tables of real databases.

use std::sync::Arc;

use arrow::array::{Float64Array, Int64Array, StringArray};

use crate::testing::{Database, batch, lines, plan, query, run, write};
use crate::{DatabaseTable, DatabaseTarget, SinkOptions};

async fn numbers(target: &DatabaseTarget, count: i64) {
    let ids: Int64Array = (0..count).collect();
    let names: StringArray = (0..count)
        .map(|id| (id % 3 != 0).then(|| format!("n{}", id % 10)))
        .collect();
    let floats: Float64Array = (0..count).map(|id| Some(id as f64 / 2.0)).collect();
    let columns = batch(vec![
        ("id", Arc::new(ids)),
        ("Na me", Arc::new(names)),
        ("x", Arc::new(floats)),
    ]);
    write(target, &[columns], &SinkOptions::default())
        .await
        .unwrap();
}

#[tokio::test]
async fn columns_rows_and_filters_are_left_to_the_database() {
    for database in Database::all() {
        let target = database.table();
        numbers(&target, 1000).await;
        for (filter, pushed) in [
            ("id = 7", "\"id\" = "),
            ("id > 995 OR id < 2", " OR "),
            ("id BETWEEN 5 AND 8", "\"id\" >= "),
            ("id IN (1, 2, 3, 5000)", "\"id\" IN ("),
            ("id NOT IN (1, 2, 3, 4, 5) AND id < 9", "NOT IN ("),
            ("\"Na me\" = 'n7'", "'n7'"),
            ("\"Na me\" <> 'n7' AND id < 20", "'n7'"),
            ("\"Na me\" IN ('n1', 'O''x')", "'O''x'"),
            ("\"Na me\" IS NULL AND id < 30", "IS NULL"),
            ("\"Na me\" IS NOT NULL AND id < 10", "IS NOT NULL"),
            ("NOT (id < 990)", "\"id\" >= "),
            ("x < 2.5", "\"x\" < "),
        ] {
            let sql = format!("SELECT id FROM t WHERE {filter} ORDER BY id");
            let shown = plan(&target, &sql).await;
            assert!(
                shown.contains("where=") && shown.contains(pushed),
                "{filter}\n{shown}"
            );
            let exact = !filter.starts_with('x');
            assert_eq!(!shown.contains("FilterExec"), exact, "{filter}\n{shown}");
            let read = lines(&query(&target, &sql).await.unwrap());
            // The same without the database's help.
            let kept = format!(
                "SELECT id FROM (SELECT id, \"Na me\", x FROM t LIMIT 100000) WHERE {filter} ORDER BY id"
            );
            assert_eq!(
                read,
                lines(&query(&target, &kept).await.unwrap()),
                "{filter}"
            );
            assert!(!read.is_empty(), "{filter}");
        }
        // The order of texts may be another one.
        let shown = plan(&target, "SELECT id FROM t WHERE \"Na me\" < 'n3'").await;
        assert!(!shown.contains("where="), "{shown}");
        let shown = plan(&target, "SELECT id FROM t WHERE id > 3 LIMIT 5").await;
        assert!(
            shown.contains("columns=[id]") && shown.contains("limit=5"),
            "{shown}"
        );
        let five = query(&target, "SELECT id FROM t WHERE id > 3 LIMIT 5")
            .await
            .unwrap();
        assert_eq!(five.num_rows(), 5);
        let count = query(&target, "SELECT count(*) FROM t WHERE id >= 10")
            .await
            .unwrap();
        assert_eq!(lines(&count), ["990"]);
        let some = query(&target, "SELECT sum(id), count(\"Na me\") FROM t")
            .await
            .unwrap();
        assert_eq!(lines(&some), ["499500 666"]);
        // What is not wanted any more ends.
        let first = query(
            &target,
            "SELECT id, random() FROM t WHERE random() < 2 LIMIT 1",
        )
        .await
        .unwrap();
        assert_eq!(first.num_rows(), 1);
    }
}

#[tokio::test]
async fn batches_are_of_the_session_s_size() {
    for database in Database::all() {
        let target = database.table();
        numbers(&target, 30).await;
        let context = crate::testing::context(8);
        let table = DatabaseTable::open(&target).await.unwrap();
        assert_eq!(table.target().table(), target.table());
        let frame = context.read_table(Arc::new(table)).unwrap();
        let sizes: Vec<_> = frame
            .collect()
            .await
            .unwrap()
            .iter()
            .map(|b| b.num_rows())
            .collect();
        assert_eq!(sizes, [8, 8, 8, 6]);
    }
}

#[tokio::test]
async fn times_are_filtered_in_postgres() {
    let Some(database) = Database::postgres() else {
        return;
    };
    let target = database.table();
    let table = target.table();
    let sql = format!(
        "CREATE TABLE {table} (d date, t timestamp, z timestamptz, n numeric(10,2), b boolean, u uuid, c char(5),
                               j jsonb, ip inet, m int[][], f real);
         INSERT INTO {table} VALUES ('2020-02-29', '2020-02-29 12:00', '2020-02-29 12:00+02', 1.50, true,
            '00112233-4455-6677-8899-aabbccddeeff', 'ab', '{{\"a\": 1}}', '10.0.0.1', '{{1,2}}', 0.1), (DEFAULT)"
    );
    // (A row of defaults needs a statement of its own.)
    run(
        &target,
        &sql.replace(
            ", (DEFAULT)",
            &format!("; INSERT INTO {table} DEFAULT VALUES"),
        ),
    )
    .await;
    let all = lines(&query(&target, "SELECT * FROM t ORDER BY d").await.unwrap());
    assert_eq!(
        all[0],
        "2020-02-29 2020-02-29T12:00:00 2020-02-29T10:00:00Z 1.50 true \
         00112233-4455-6677-8899-aabbccddeeff ab    {\"a\": 1} 10.0.0.1/32 [1, 2] 0.1"
    );
    for filter in [
        "d = DATE '2020-02-29'",
        "t >= TIMESTAMP '2020-02-29 12:00:00' AND t < TIMESTAMP '2020-02-29 12:00:00.000001'",
        "z = TIMESTAMP '2020-02-29T10:00:00Z'",
        "n = 1.5",
        "n > 1.49 AND n <> 2",
        "b",
        "u = '00112233-4455-6677-8899-aabbccddeeff'",
        "j = '{\"a\": 1}'",
        "c IS NOT NULL",
    ] {
        let sql = format!("SELECT count(*) FROM t WHERE {filter}");
        let shown = plan(&target, &sql).await;
        assert!(
            shown.contains("where=") && !shown.contains("FilterExec"),
            "{filter}\n{shown}"
        );
        assert_eq!(
            lines(&query(&target, &sql).await.unwrap()),
            ["1"],
            "{filter}"
        );
    }
    for filter in ["c = 'ab   '", "c <> 'ab'", "f = arrow_cast(0.1, 'Float32')"] {
        let sql = format!("SELECT count(*) FROM t WHERE {filter}");
        assert_eq!(
            lines(&query(&target, &sql).await.unwrap()),
            ["1"],
            "{filter}"
        );
    }
    run(
        &target,
        &format!("INSERT INTO {table} (n, m) VALUES ('NaN', '{{{{1}},{{2}}}}')"),
    )
    .await;
    for column in ["n", "m"] {
        let error = query(&target, &format!("SELECT {column} FROM t"))
            .await
            .unwrap_err();
        assert!(
            error
                .to_string()
                .contains(&format!("column {column}, row 3: ")),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_value_of_another_type_is_named() {
    let target = Database::sqlite();
    let database = target;
    let target = database.table();
    let table = target.table();
    let sql = format!(
        "CREATE TABLE {table} (n INTEGER, x REAL, t TEXT, d DATE, anything, s TEXT COLLATE NOCASE);
         INSERT INTO {table} VALUES (1, 2, 'a', '2020-01-31', 1.5, 'A');
         INSERT INTO {table} VALUES ('one', 'x', x'ff', 'soon', 'b', 'a');
         CREATE VIEW view_{table} AS SELECT n FROM {table};"
    );
    run(&target, &sql).await;
    for (column, found) in [("n", "TEXT"), ("x", "TEXT"), ("t", "BLOB"), ("d", "TEXT")] {
        let error = query(&target, &format!("SELECT {column} FROM t"))
            .await
            .unwrap_err();
        let expected =
            format!("{table}, column {column}, rowid 2: found {found} in a column read as");
        assert!(error.to_string().contains(&expected), "{error}");
    }
    let read = query(&target, "SELECT anything FROM t").await.unwrap();
    assert_eq!(lines(&read), ["1.5", "b"]);
    let read = query(&target, "SELECT s FROM t WHERE s = 'a'")
        .await
        .unwrap();
    assert_eq!(lines(&read), ["a"]);
    let view = database.named(&format!("view_{table}"));
    let error = query(&view, "SELECT n FROM t").await.unwrap_err();
    assert!(error.to_string().contains("row 2: found TEXT"), "{error}");
    let read = query(&view, "SELECT n FROM t LIMIT 1").await.unwrap();
    assert_eq!(lines(&read), ["1"]);
}

#[tokio::test]
async fn a_table_that_is_not_there_is_told() {
    for database in Database::all() {
        let error = DatabaseTable::open(&database.table()).await.unwrap_err();
        assert!(!error.is_retriable());
        let shown = error.to_string();
        assert!(
            shown.contains("does not exist") || shown.contains("unable to open"),
            "{shown}"
        );
    }
}
