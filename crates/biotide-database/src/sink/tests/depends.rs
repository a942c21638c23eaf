//! What else there is about a table: keys that refer to it, indexes, rights, time limits.

use std::time::Duration;

use super::{chunks, numbered, options, people};
use crate::testing::{Database, ask, open, rows, run, write};
use crate::{DatabaseTarget, SinkOptions, WriteMode};

#[tokio::test]
async fn a_replacement_takes_no_rows_of_other_tables() {
    for database in Database::all() {
        let target = database.table();
        let table = target.table();
        run(
            &target,
            &format!(
                "CREATE TABLE {table} (id bigint PRIMARY KEY, name text);
                 CREATE TABLE {table}_of (gene bigint REFERENCES {table} ON DELETE CASCADE);
                 INSERT INTO {table} VALUES (1, 'a'), (2, 'b');
                 INSERT INTO {table}_of VALUES (1), (2);"
            ),
        )
        .await;
        let replace = options(WriteMode::Replace);
        let error = write(&target, &[people(&[(1, "c")])], &replace)
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(&format!("rows of {table}_of refer to it")),
            "{error}"
        );
        let count = format!("SELECT CAST(count(*) AS text) FROM {table}_of");
        assert_eq!(ask(&target, &count).await, "2");
        assert_eq!(rows(&target, "id").await, ["1 a", "2 b"]);
        // Other modes delete nothing.
        write(&target, &[people(&[(2, "d")])], &options(super::upsert()))
            .await
            .unwrap();
        assert_eq!(rows(&target, "id").await, ["1 a", "2 d"]);
    }
}

#[tokio::test]
async fn rows_that_others_refer_to_may_come_again() {
    let database = Database::sqlite();
    let target = database.table();
    let table = target.table();
    let sql = format!(
        "CREATE TABLE {table} (id bigint PRIMARY KEY, name text);
         CREATE TABLE {table}_of (gene bigint REFERENCES {table});
         INSERT INTO {table} VALUES (1, 'a'), (2, 'b');
         INSERT INTO {table}_of VALUES (1);"
    );
    run(&target, &sql).await;
    for options in [
        options(WriteMode::Replace),
        chunks(WriteMode::Replace, "run"),
    ] {
        write(&target, &[people(&[(1, "c")])], &options)
            .await
            .unwrap();
        assert_eq!(rows(&target, "id").await, ["1 c"]);
        let error = write(&target, &[people(&[(3, "d")])], &options).await;
        let error = error.unwrap_err().to_string();
        assert!(error.contains("FOREIGN KEY"), "{error}");
        assert_eq!(rows(&target, "id").await, ["1 c"]);
    }
}

#[tokio::test]
async fn a_replacement_keeps_the_names_of_indexes() {
    let Some(database) = Database::postgres() else {
        return;
    };
    let target = database.table();
    let table = target.table();
    let sql = format!(
        "CREATE TABLE {table} (id bigint CONSTRAINT \"{table} Key\" PRIMARY KEY, name text, CONSTRAINT {table}_u UNIQUE (name));
         CREATE INDEX {table}_name ON {table} (name);
         CREATE INDEX {table}_name_2 ON {table} (name);
         CREATE INDEX {table}_lower ON {table} (lower(name)) WHERE id > 0;"
    );
    run(&target, &sql).await;
    let indexes = format!(
        "SELECT string_agg(pg_get_indexdef(indexrelid), E'\\n' ORDER BY indexrelid::regclass::text)
         FROM pg_index WHERE indrelid = '{table}'::regclass"
    );
    let oid = format!("SELECT '{table}'::regclass::oid::text");
    let (before, first) = (ask(&target, &indexes).await, ask(&target, &oid).await);
    for id in [1, 2] {
        write(
            &target,
            &[people(&[(id, "a")])],
            &options(WriteMode::Replace),
        )
        .await
        .unwrap();
        assert_eq!(ask(&target, &indexes).await, before);
    }
    assert_eq!(rows(&target, "id").await, ["2 a"]);
    // (It is another table all the same.)
    assert_ne!(ask(&target, &oid).await, first);
}

#[tokio::test]
async fn what_a_new_table_would_lack_keeps_the_old_one() {
    let Some(database) = Database::postgres() else {
        return;
    };
    for (columns, more) in [
        ("id bigint, name text", "COMMENT ON TABLE {} IS 'remark'"),
        (
            "id bigint, name text",
            "ALTER TABLE {} ALTER name SET STATISTICS 500",
        ),
        (
            "id bigint, name text",
            "ALTER TABLE {} REPLICA IDENTITY FULL",
        ),
        (
            "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text",
            "SELECT 1",
        ),
    ] {
        let target = database.table();
        let table = target.table();
        let more = more.replace("{}", &table);
        run(
            &target,
            &format!("CREATE TABLE {table} ({columns}); {more}"),
        )
        .await;
        let oid = format!("SELECT '{table}'::regclass::oid::text");
        let before = ask(&target, &oid).await;
        write(&target, &[numbered(1, 3)], &options(WriteMode::Replace))
            .await
            .unwrap();
        assert_eq!(ask(&target, &oid).await, before, "{more}");
        assert_eq!(rows(&target, "id").await, ["1 n1", "2 n2", "3 n3"]);
        if columns.contains("PRIMARY") {
            write(&target, &[people(&[(2, "x")])], &options(super::upsert()))
                .await
                .unwrap();
            assert_eq!(rows(&target, "id").await, ["1 n1", "2 x", "3 n3"]);
        }
    }
}

/// A user of its own, with rights to a table, the position of runs, and no more.
async fn user(database: &Database, table: &str) -> DatabaseTarget {
    let target = database.named(table);
    let role = format!("role_{table}");
    let sql = format!(
        "CREATE ROLE {role} LOGIN; ALTER ROLE {role} SET statement_timeout = '200ms';
         GRANT ALL ON {table} TO {role}"
    );
    run(&target, &sql).await;
    let DatabaseTarget::Postgres(mut own) = target else {
        panic!()
    };
    own.config.user(&role);
    DatabaseTarget::Postgres(own)
}

#[tokio::test]
async fn a_copy_takes_as_long_as_its_rows_take_to_come() {
    let Some(database) = Database::postgres() else {
        return;
    };
    let target = database.table();
    write(&target, &[numbered(0, 1)], &SinkOptions::default())
        .await
        .unwrap();
    let own = user(&database, &target.table()).await;
    let slow = async |target: &DatabaseTarget| {
        let (mut sink, _) = open(target, &numbered(0, 0).schema(), &SinkOptions::default()).await?;
        sink.write(&numbered(1, 1)).await?;
        tokio::time::sleep(Duration::from_millis(500)).await;
        sink.write(&numbered(2, 1)).await?;
        sink.finish().await
    };
    slow(&own).await.unwrap();
    assert_eq!(rows(&target, "id").await.len(), 3);
    // What is asked for is kept to.
    let DatabaseTarget::Postgres(mut asked) = own else {
        panic!()
    };
    asked.config.options("-c statement_timeout=200");
    let error = slow(&DatabaseTarget::Postgres(asked)).await.unwrap_err();
    assert!(error.to_string().contains("statement timeout"), "{error}");
    run(
        &target,
        &format!("DROP OWNED BY role_{0}; DROP ROLE role_{0}", target.table()),
    )
    .await;
}

#[tokio::test]
async fn who_may_create_no_tables_may_write_to_one() {
    let Some(database) = Database::postgres() else {
        return;
    };
    let target = database.table();
    let table = target.table();
    let schema = format!("space_{table}");
    let sql = format!(
        "CREATE SCHEMA {schema}; CREATE TABLE {schema}.{table} (id bigint, name text);
         CREATE TABLE {table} (id bigint)"
    );
    run(&target, &sql).await;
    let DatabaseTarget::Postgres(own) = user(&database, &table).await else {
        panic!()
    };
    let inside = database.named(&format!("{schema}.{table}"));
    let DatabaseTarget::Postgres(mut limited) = inside.clone() else {
        panic!()
    };
    limited.config = own.config;
    let limited = DatabaseTarget::Postgres(limited);
    let grant = format!(
        "GRANT USAGE ON SCHEMA {schema} TO role_{table}; GRANT ALL ON {schema}.{table} TO role_{table}"
    );
    run(&target, &grant).await;
    let options = chunks(WriteMode::Append, "run");
    let error = write(&limited, &[numbered(0, 1)], &options).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("where positions are kept"), "{error}");
    // Somebody else has made it.
    write(&inside, &[numbered(0, 1)], &options).await.unwrap();
    let grant = format!("GRANT ALL ON {schema}.biotide_positions TO role_{table}");
    run(&target, &grant).await;
    write(&limited, &[numbered(1, 1)], &options).await.unwrap();
    assert_eq!(rows(&inside, "id").await, ["0 n0", "1 n1"]);
    run(
        &target,
        &format!(
            "DROP OWNED BY role_{table}; DROP ROLE role_{table}; DROP SCHEMA {schema} CASCADE"
        ),
    )
    .await;
}
