//! Runs that were broken off and go on: each row is there once.

use std::time::Duration;

use super::{chunks, numbered, upsert};
use crate::testing::{Database, ask, open, rows, run, write};
use crate::{DatabaseTable, DatabaseTarget, Position, SinkOptions, WriteMode};

/// Writes chunks of ten rows from where the run stands; breaks off within chunk `until`.
async fn go_on(target: &DatabaseTarget, options: &SinkOptions, until: i64) -> Option<Position> {
    let (mut sink, position) = open(target, &numbered(0, 0).schema(), options)
        .await
        .unwrap();
    let start = position
        .as_ref()
        .map_or(0, |known| known.position.parse().unwrap());
    for chunk in start..until {
        sink.write(&numbered(chunk * 10, 10)).await.unwrap();
        sink.commit(&(chunk + 1).to_string()).await.unwrap();
    }
    sink.write(&numbered(until * 10, 5)).await.unwrap();
    sink.abort().await.unwrap();
    position
}

#[tokio::test]
async fn a_run_goes_on_behind_its_last_commit() {
    for database in Database::all() {
        for mode in [WriteMode::Append, WriteMode::Replace, upsert()] {
            let target = database.table();
            let is_replace = mode == WriteMode::Replace;
            write(&target, &[numbered(-5, 5)], &super::options(mode.clone()))
                .await
                .unwrap();
            let options = chunks(mode, "it's a run");
            assert_eq!(go_on(&target, &options, 3).await, None);
            let seen = rows(&target, "id").await.len();
            assert_eq!(seen, if is_replace { 5 } else { 35 });
            let known = go_on(&target, &options, 7).await.unwrap();
            assert_eq!((known.position.as_str(), known.rows), ("3", 30));
            // Another run, and another table, begin anew.
            let other = chunks(WriteMode::Append, "another");
            let (sink, none) = open(&target, &numbered(0, 0).schema(), &other)
                .await
                .unwrap();
            assert_eq!(none, None);
            sink.abort().await.unwrap();

            let (mut sink, known) = open(&target, &numbered(0, 0).schema(), &options)
                .await
                .unwrap();
            assert_eq!(known.unwrap().rows, 70);
            sink.write(&numbered(70, 30)).await.unwrap();
            let summary = sink.finish().await.unwrap();
            assert_eq!(summary.rows, 100);
            let found = rows(&target, "id").await;
            let first = if is_replace { 0 } else { -5 };
            let expected: Vec<_> = (first..100).map(|id| format!("{id} n{id}")).collect();
            assert_eq!(found, expected);
            // It is done: the same id begins anew.
            let (sink, none) = open(&target, &numbered(0, 0).schema(), &options)
                .await
                .unwrap();
            assert_eq!(none, None);
            sink.abort().await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_lost_staging_table_is_told() {
    for database in Database::all() {
        let target = database.table();
        let options = chunks(WriteMode::Replace, "run");
        go_on(&target, &options, 2).await;
        let stage = super::super::statements::staging("run", &target.table());
        run(&target, &format!("DROP TABLE {stage}")).await;
        let error = open(&target, &numbered(0, 0).schema(), &options)
            .await
            .err()
            .unwrap();
        assert!(error.to_string().contains("staging table"), "{error}");
    }
}

#[tokio::test]
async fn a_lost_table_is_told_and_not_begun_in_the_middle() {
    for database in Database::all() {
        for mode in [WriteMode::Append, upsert()] {
            let target = database.table();
            let options = chunks(mode, "run");
            go_on(&target, &options, 2).await;
            run(&target, &format!("DROP TABLE {}", target.table())).await;
            let error = open(&target, &numbered(0, 0).schema(), &options)
                .await
                .err()
                .unwrap();
            assert!(error.to_string().contains("the table, with"), "{error}");
            assert!(!DatabaseTable::exists(&target).await.unwrap());
        }
        // The rows of a replacement are elsewhere.
        let target = database.table();
        let options = chunks(WriteMode::Replace, "run");
        go_on(&target, &options, 2).await;
        run(&target, &format!("DROP TABLE {}", target.table())).await;
        let (sink, known) = open(&target, &numbered(0, 0).schema(), &options)
            .await
            .unwrap();
        assert_eq!(known.unwrap().rows, 20);
        sink.finish().await.unwrap();
        assert_eq!(rows(&target, "id").await.len(), 20);
    }
}

#[tokio::test]
async fn a_sink_that_commits_nothing_leaves_nothing() {
    for database in Database::all() {
        for mode in [WriteMode::Append, WriteMode::Replace, upsert()] {
            for options in [super::options(mode.clone()), chunks(mode.clone(), "run")] {
                let target = database.table();
                let stage = super::super::statements::staging("run", &target.table());
                let stage = database.named(&stage);
                for rows in [0, 10] {
                    let (mut sink, _) = open(&target, &numbered(0, 0).schema(), &options)
                        .await
                        .unwrap();
                    sink.write(&numbered(0, rows)).await.unwrap();
                    sink.abort().await.unwrap();
                    for table in [&target, &stage] {
                        assert!(!DatabaseTable::exists(table).await.unwrap());
                    }
                }
                // No rows are no reason for no table.
                write(&target, &[numbered(0, 0)], &options).await.unwrap();
                assert_eq!(rows(&target, "id").await.len(), 0);
                // A run that turns out to be complete.
                let (sink, _) = open(&target, &numbered(0, 0).schema(), &options)
                    .await
                    .unwrap();
                sink.abort().await.unwrap();
                assert!(!DatabaseTable::exists(&stage).await.unwrap());
            }
        }
    }
}

#[tokio::test]
async fn two_sinks_of_one_run_do_not_write_the_same_rows() {
    let database = Database::sqlite();
    for mode in [WriteMode::Append, WriteMode::Replace, upsert()] {
        let target = database.table();
        let options = chunks(mode, "run");
        let schema = numbered(0, 0).schema();
        let (mut first, _) = open(&target, &schema, &options).await.unwrap();
        first.write(&numbered(0, 10)).await.unwrap();
        first.commit("1").await.unwrap();
        let (mut second, known) = open(&target, &schema, &options).await.unwrap();
        assert_eq!(known.unwrap().rows, 10);
        first.write(&numbered(10, 10)).await.unwrap();
        first.commit("2").await.unwrap();
        second.write(&numbered(10, 10)).await.unwrap();
        let error = second.commit("2").await.unwrap_err();
        assert!(error.to_string().contains("another process"), "{error}");
        let (third, _) = open(&target, &schema, &options).await.unwrap();
        assert_eq!(first.finish().await.unwrap().rows, 20);
        assert!(third.finish().await.is_err());
        assert_eq!(rows(&target, "id").await.len(), 20);
    }
}

#[tokio::test]
async fn a_connection_that_is_killed_is_retriable_and_the_run_exact() {
    let Some(database) = Database::postgres() else {
        return;
    };
    for mode in [WriteMode::Append, WriteMode::Replace, upsert()] {
        let target = database.table();
        let name = format!("kill_{}", target.table());
        let DatabaseTarget::Postgres(mut own) = target.clone() else {
            panic!()
        };
        own.config.application_name(&name);
        let own = DatabaseTarget::Postgres(own);
        let options = chunks(mode, "killed");
        let (mut sink, _) = open(&own, &numbered(0, 0).schema(), &options)
            .await
            .unwrap();
        sink.write(&numbered(0, 10_000)).await.unwrap();
        sink.commit("1").await.unwrap();
        sink.write(&numbered(10_000, 10_000)).await.unwrap();
        let kill = format!(
            "SELECT count(pg_terminate_backend(pid))::text FROM pg_stat_activity WHERE application_name = '{name}'"
        );
        assert_eq!(ask(&target, &kill).await, "1");
        let mut failed = None;
        for start in 2..1000 {
            if let Err(error) = sink.write(&numbered(start * 10_000, 10_000)).await {
                failed = Some(error);
                break;
            }
        }
        let error = failed.expect("a connection that was killed takes no rows");
        assert!(error.is_retriable(), "{error:?}");
        drop(sink);

        let (mut sink, known) = open(&target, &numbered(0, 0).schema(), &options)
            .await
            .unwrap();
        let known = known.unwrap();
        assert_eq!((known.position.as_str(), known.rows), ("1", 10_000));
        sink.write(&numbered(10_000, 10_000)).await.unwrap();
        sink.commit("2").await.unwrap();
        assert_eq!(sink.finish().await.unwrap().rows, 20_000);
        let sum = format!("SELECT count(*) || ' ' || sum(id) FROM {}", target.table());
        assert_eq!(ask(&target, &sum).await, "20000 199990000");
    }
}

#[tokio::test]
async fn a_locked_file_is_retriable() {
    let database = Database::sqlite();
    let target = database.table();
    write(&target, &[numbered(0, 1)], &SinkOptions::default())
        .await
        .unwrap();
    let DatabaseTarget::Sqlite(file) = &target else {
        panic!()
    };
    let other = rusqlite::Connection::open(&file.path).unwrap();
    other.busy_timeout(Duration::ZERO).unwrap();
    let (mut sink, _) = open(&target, &numbered(0, 0).schema(), &SinkOptions::default())
        .await
        .unwrap();
    sink.write(&numbered(1, 1)).await.unwrap();
    // (When it is read, the row before has been written.)
    sink.write(&numbered(2, 1)).await.unwrap();
    sink.write(&numbered(3, 1)).await.unwrap();
    sink.write(&numbered(4, 1)).await.unwrap();
    let error = other.execute_batch("BEGIN IMMEDIATE").unwrap_err();
    assert!(crate::DatabaseError::sqlite("locking", error).is_retriable());
    assert_eq!(sink.finish().await.unwrap().rows, 4);
}
