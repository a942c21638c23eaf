//! Append, replace, upsert, and tables that are not as the rows need them.

use std::error::Error;
use std::sync::Arc;

use arrow::array::{Int64Array, StringViewArray};

use super::{numbered, options, people, upsert};
use crate::testing::{Database, ask, batch, open, rows, run, write};
use crate::{Commit, DatabaseError, DatabaseTable, SinkOptions, WriteMode};

#[tokio::test]
async fn append_adds() {
    for database in Database::all() {
        let target = database.table();
        let options = options(WriteMode::Append);
        let batches = [numbered(0, 3), numbered(3, 0), numbered(3, 100)];
        let summary = write(&target, &batches, &options).await.unwrap();
        assert_eq!((summary.rows, summary.mode), (103, "append"));
        assert_eq!(summary.table, target.table());
        assert!(summary.bytes > 103 * 8);
        write(&target, &[numbered(103, 1)], &options).await.unwrap();
        let found = rows(&target, "id").await;
        assert_eq!(found.len(), 104);
        assert_eq!(found[103], "103 n103");
    }
}

#[tokio::test]
async fn columns_are_matched_by_name() {
    for database in Database::all() {
        let target = database.table();
        let table = target.table();
        run(
            &target,
            &format!("CREATE TABLE {table} (more integer DEFAULT 5, name text, id bigint)"),
        )
        .await;
        write(&target, &[people(&[(1, "a")])], &options(WriteMode::Append))
            .await
            .unwrap();
        assert_eq!(rows(&target, "id").await, ["5 a 1"]);
    }
}

#[tokio::test]
async fn replace_shows_old_rows_until_the_end() {
    for database in Database::all() {
        let target = database.table();
        write(&target, &[numbered(0, 5)], &options(WriteMode::Append))
            .await
            .unwrap();
        let replace = options(WriteMode::Replace);
        let (mut sink, _) = open(&target, &numbered(0, 0).schema(), &replace)
            .await
            .unwrap();
        sink.write(&numbered(100, 50)).await.unwrap();
        sink.commit("in the middle").await.unwrap();
        sink.write(&numbered(150, 50)).await.unwrap();
        assert_eq!(rows(&target, "id").await.len(), 5);
        let summary = sink.finish().await.unwrap();
        assert_eq!((summary.rows, summary.mode), (100, "replace"));
        let found = rows(&target, "id").await;
        assert_eq!((found.len(), found[0].as_str()), (100, "100 n100"));

        let (mut sink, _) = open(&target, &numbered(0, 0).schema(), &replace)
            .await
            .unwrap();
        sink.write(&numbered(0, 1)).await.unwrap();
        sink.abort().await.unwrap();
        assert_eq!(rows(&target, "id").await.len(), 100);
        // Nothing comes: nothing is left.
        write(&target, &[numbered(0, 0)], &replace).await.unwrap();
        assert_eq!(rows(&target, "id").await.len(), 0);
    }
}

#[tokio::test]
async fn replace_keeps_what_depends_on_the_table() {
    let Some(database) = Database::postgres() else {
        return;
    };
    let target = database.table();
    let table = target.table();
    let sql = format!(
        "CREATE TABLE {table} (serial serial, id bigint, name text);
         INSERT INTO {table} (id, name) VALUES (1, 'old');
         CREATE VIEW {table}_view AS SELECT name FROM {table};
         CREATE TABLE {table}_plain (id bigint PRIMARY KEY, name text DEFAULT 'x');"
    );
    run(&target, &sql).await;
    let before = ask(&target, &format!("SELECT '{table}'::regclass::oid::text")).await;
    write(
        &target,
        &[people(&[(2, "new")])],
        &options(WriteMode::Replace),
    )
    .await
    .unwrap();
    assert_eq!(
        ask(
            &target,
            &format!("SELECT string_agg(name, ',') FROM {table}_view")
        )
        .await,
        "new"
    );
    assert_eq!(
        ask(&target, &format!("SELECT '{table}'::regclass::oid::text")).await,
        before
    );

    // A plain table gives its name to the new one, with its indexes and defaults.
    let plain = database.named(&format!("{table}_plain"));
    for id in [1, 2] {
        write(
            &plain,
            &[people(&[(id, "a")])],
            &options(WriteMode::Replace),
        )
        .await
        .unwrap();
    }
    assert_eq!(rows(&plain, "id").await, ["2 a"]);
    write(&plain, &[people(&[(2, "b")])], &options(upsert()))
        .await
        .unwrap();
    assert_eq!(rows(&plain, "id").await, ["2 b"]);
    let left = format!(
        "SELECT count(*)::text FROM pg_class WHERE relname LIKE 'biotide_stage%' AND reltuples < 0 AND relname LIKE '%{table}%'"
    );
    assert_eq!(ask(&target, &left).await, "0");
}

#[tokio::test]
async fn upsert_keeps_the_last_row_of_a_key() {
    for database in Database::all() {
        let target = database.table();
        let once = options(upsert());
        let first = people(&[(1, "a"), (2, "b"), (1, "c"), (3, "d"), (1, "e")]);
        write(&target, &[first, people(&[(2, "f"), (2, "g")])], &once)
            .await
            .unwrap();
        assert_eq!(rows(&target, "id").await, ["1 e", "2 g", "3 d"]);
        let chunks = SinkOptions {
            commit: Commit::PerChunk,
            ..once.clone()
        };
        let (mut sink, _) = open(&target, &numbered(0, 0).schema(), &chunks)
            .await
            .unwrap();
        for name in ["x", "y"] {
            sink.write(&people(&[(1, name), (4, name)])).await.unwrap();
            sink.commit("").await.unwrap();
            assert_eq!(rows(&target, "id").await[0], format!("1 {name}"));
        }
        assert_eq!(sink.finish().await.unwrap().rows, 4);
        assert_eq!(rows(&target, "id").await, ["1 y", "2 g", "3 d", "4 y"]);

        let id = batch(vec![("id", Arc::new(Int64Array::from(vec![1, 9, 9])))]);
        write(&target, &[id], &once).await.unwrap();
        assert_eq!(rows(&target, "id").await.len(), 5);
        let ids = Int64Array::from(vec![Some(1), None]);
        let null = batch(vec![("id", Arc::new(ids))]);
        let error = write(&target, &[null], &once).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "column id, row 2: NULL in a column of the key; leave such rows out"
        );
    }
}

#[tokio::test]
async fn upsert_needs_a_unique_index() {
    for database in Database::all() {
        let target = database.table();
        let table = target.table();
        run(
            &target,
            &format!("CREATE TABLE {table} (id bigint, name text)"),
        )
        .await;
        let error = write(&target, &[people(&[(1, "a")])], &options(upsert()))
            .await
            .unwrap_err();
        assert!(error.to_string().contains("CREATE UNIQUE INDEX"), "{error}");
        run(
            &target,
            &format!("CREATE UNIQUE INDEX u{table} ON {table} (id)"),
        )
        .await;
        write(
            &target,
            &[people(&[(1, "a"), (1, "b")])],
            &options(upsert()),
        )
        .await
        .unwrap();
        assert_eq!(rows(&target, "id").await, ["1 b"]);
    }
}

#[tokio::test]
async fn a_table_with_other_columns_is_refused_with_all_differences() {
    for database in Database::all() {
        let target = database.table();
        let table = target.table();
        let bytes = if database.is_postgres() {
            "bytea"
        } else {
            "blob"
        };
        run(
            &target,
            &format!("CREATE TABLE {table} (id {bytes}, other text NOT NULL)"),
        )
        .await;
        let error = write(&target, &[people(&[(1, "a")])], &options(WriteMode::Append))
            .await
            .unwrap_err();
        let DatabaseError::Table { problems, .. } = &error else {
            panic!("{error}")
        };
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(
            error.to_string().contains("there is no column name (Utf8)"),
            "{error}"
        );
        assert!(
            error.to_string().contains("column other is NOT NULL"),
            "{error}"
        );
        let missing = SinkOptions {
            create: false,
            ..SinkOptions::default()
        };
        let error = write(&database.table(), &[people(&[(1, "a")])], &missing)
            .await
            .unwrap_err();
        assert!(error.to_string().contains("does not exist"), "{error}");
        let twice = options(WriteMode::Upsert {
            key: vec!["nobody".into()],
        });
        let error = write(&target, &[people(&[(1, "a")])], &twice)
            .await
            .unwrap_err();
        assert!(error.to_string().contains("no column nobody"), "{error}");
    }
}

#[tokio::test]
async fn text_with_nul_names_its_row() {
    let Some(database) = Database::postgres() else {
        return;
    };
    let target = database.table();
    let options = options(WriteMode::Append);
    let (mut sink, _) = open(&target, &numbered(0, 0).schema(), &options)
        .await
        .unwrap();
    sink.write(&numbered(0, 1000)).await.unwrap();
    let error = sink
        .write(&people(&[(1, "a"), (2, "b\0c")]).slice(1, 1))
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("column name, row 1001: text with a NUL byte"),
        "{error}"
    );
    assert!(!error.is_retriable());
    let ended = sink.write(&numbered(0, 1)).await.unwrap_err();
    assert!(matches!(ended, DatabaseError::Ended { .. }), "{ended}");
    sink.abort().await.unwrap();
    assert!(!DatabaseTable::exists(&target).await.unwrap());

    let id: Arc<Int64Array> = Arc::new(Int64Array::from(vec![5, 6]));
    let view = StringViewArray::from(vec!["x", "\0"]);
    let error = write(
        &target,
        &[batch(vec![("id", id), ("name", Arc::new(view))])],
        &options,
    )
    .await;
    assert!(
        error
            .unwrap_err()
            .to_string()
            .starts_with("column name, row 2")
    );
    // Beside the rows of a slice it does no harm.
    let slice = people(&[(1, "\0"), (2, "b"), (3, "\0")]).slice(1, 1);
    write(&target, &[slice], &options).await.unwrap();
    assert_eq!(rows(&target, "id").await, ["2 b"]);
    // SQLite keeps it.
    let sqlite = Database::sqlite();
    let target = sqlite.table();
    write(&target, &[people(&[(1, "a\0b")])], &options)
        .await
        .unwrap();
    assert_eq!(rows(&target, "id").await, ["1 a\0b"]);
}

#[tokio::test]
async fn what_the_server_refuses_is_told_with_its_words() {
    let Some(database) = Database::postgres() else {
        return;
    };
    let target = database.table();
    let table = target.table();
    run(
        &target,
        &format!("CREATE TABLE {table} (id bigint CHECK (id < 10), name varchar(5))"),
    )
    .await;
    let options = options(WriteMode::Append);
    for batches in [
        vec![numbered(0, 20)],
        vec![people(&[(1, "too long for it")])],
    ] {
        let error = write(&target, &batches, &options).await.unwrap_err();
        assert!(error.to_string().contains("SQLSTATE 2"), "{error}");
        assert!(error.source().is_some() && !error.is_retriable());
    }
    // In the midst of much more than a buffer holds.
    let (mut sink, _) = open(&target, &numbered(0, 0).schema(), &options)
        .await
        .unwrap();
    let mut failed = None;
    for start in 0..200 {
        if let Err(error) = sink.write(&numbered(start * 10_000, 10_000)).await {
            failed = Some(error);
            break;
        }
    }
    let error = failed.expect("the server ends a COPY at the first wrong row");
    assert!(error.to_string().contains("23514"), "{error}");
    assert!(error.to_string().contains("from row 1 on"), "{error}");
}

#[tokio::test]
async fn nobody_there_is_retriable() {
    let target = crate::DatabaseTarget::parse("postgres://me@127.0.0.1:1/db/t").unwrap();
    let error = write(&target, &[numbered(0, 1)], &SinkOptions::default())
        .await
        .unwrap_err();
    assert!(error.is_retriable(), "{error:?}");
    assert!(
        error
            .to_string()
            .starts_with("connecting to postgres://me@127.0.0.1:1/db/t: "),
        "{error}"
    );
}
