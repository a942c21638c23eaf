//! Names of tables and columns, whatever is in them.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};

use super::{chunks, options};
use crate::testing::{Database, batch, open, run, write};
use crate::{DatabaseTable, SinkOptions, WriteMode};

/// Columns that have to be quoted, the first of which is a key.
const COLUMNS: [&str; 5] = ["sel\"ect", "Order", "a b.c", "größe", "biotide_row"];

fn rows(ids: &[i64], text: &str) -> RecordBatch {
    let ids: ArrayRef = Arc::new(Int64Array::from(ids.to_vec()));
    let texts: ArrayRef = Arc::new(StringArray::from(vec![text; ids.len()]));
    let columns = COLUMNS.iter().enumerate().map(|(at, name)| match at {
        0 => (*name, Arc::clone(&ids)),
        _ => (*name, Arc::clone(&texts)),
    });
    batch(columns.collect())
}

#[tokio::test]
async fn names_are_quoted_everywhere() {
    let upsert = WriteMode::Upsert {
        key: vec![COLUMNS[0].to_owned()],
    };
    for database in Database::all() {
        let long = "x".repeat(63 - 12);
        for name in ["Gen es", "table", "q\"uo.te;--", "", long.as_str()] {
            // (In quotes a name is one, and an own one of this process.)
            let own = format!("{}{name}", database.table().table());
            let written = match database.is_postgres() {
                true => format!("\"{}\"", own.replace('"', "\"\"")),
                false => own.clone(),
            };
            let target = database.named(&written.replace('%', "%25").replace(';', "%3B"));
            for mode in [WriteMode::Append, upsert.clone(), WriteMode::Replace] {
                write(&target, &[rows(&[1, 2], "a")], &options(mode.clone()))
                    .await
                    .unwrap();
                let options = chunks(mode, "it's \"one\"");
                let (mut sink, _) = open(&target, &rows(&[], "").schema(), &options)
                    .await
                    .unwrap();
                sink.write(&rows(&[3], "b")).await.unwrap();
                sink.commit("").await.unwrap();
                sink.abort().await.unwrap();
                let (mut sink, position) = open(&target, &rows(&[], "").schema(), &options)
                    .await
                    .unwrap();
                assert_eq!(position.unwrap().rows, 1, "{own}");
                sink.write(&rows(&[4], "c")).await.unwrap();
                sink.finish().await.unwrap();
                let found = crate::testing::rows(&target, "\"sel\"\"ect\"").await;
                let last: Vec<_> = found.iter().rev().take(2).rev().cloned().collect();
                assert_eq!(last, ["3 b b b b", "4 c c c c"], "{own}");
                let drop = format!("DROP TABLE \"{}\"", own.replace('"', "\"\""));
                run(&target, &drop).await;
            }
        }
    }
}

#[tokio::test]
async fn names_that_postgres_would_cut_are_refused_and_nothing_is_made() {
    let Some(database) = Database::postgres() else {
        return;
    };
    let long = "é".repeat(32);
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["a"]));
    for (target, column, problem) in [
        (database.table(), long.as_str(), "has a name of 64 bytes"),
        (database.table(), "", "column 1 has no name"),
        (database.named(&long), "a", "the table"),
    ] {
        let written = [batch(vec![(column, Arc::clone(&texts))])];
        let error = write(&target, &written, &SinkOptions::default()).await;
        let shown = error.unwrap_err().to_string();
        assert!(shown.contains(problem), "{shown}");
        assert!(!DatabaseTable::exists(&target).await.unwrap());
    }
}

#[tokio::test]
async fn columns_that_sqlite_takes_for_one_are_refused() {
    let database = Database::sqlite();
    let target = database.table();
    let id: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let written = [batch(vec![("id", Arc::clone(&id)), ("ID", id)])];
    let error = write(&target, &written, &SinkOptions::default()).await;
    let shown = error.unwrap_err().to_string();
    assert!(
        shown.contains("does not tell the columns ID and id apart"),
        "{shown}"
    );
}

#[tokio::test]
async fn a_file_of_sqlite_is_one_whatever_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(":memory:");
    let url = format!("sqlite:{}?table=t", path.display());
    let target = crate::DatabaseTarget::parse(&url).unwrap();
    write(&target, &[rows(&[1], "a")], &SinkOptions::default())
        .await
        .unwrap();
    assert!(path.is_file());
}
