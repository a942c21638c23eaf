//! Sinks against real databases.

mod depends;
mod modes;
mod names;
mod resume;
mod types;
mod values;

use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch, StringArray};

use crate::testing::batch;
use crate::{Commit, SinkOptions, WriteMode};

/// Rows of `id` and `name`.
fn people(rows: &[(i64, &str)]) -> RecordBatch {
    let ids: Int64Array = rows.iter().map(|(id, _)| *id).collect();
    let names: StringArray = rows.iter().map(|(_, name)| Some(*name)).collect();
    batch(vec![("id", Arc::new(ids)), ("name", Arc::new(names))])
}

/// Rows of `id` from `start` on, with a name made of it.
fn numbered(start: i64, count: i64) -> RecordBatch {
    let names: Vec<String> = (start..start + count).map(|id| format!("n{id}")).collect();
    let rows: Vec<_> = (start..).zip(names.iter().map(String::as_str)).collect();
    people(&rows)
}

fn options(mode: WriteMode) -> SinkOptions {
    SinkOptions {
        mode,
        ..SinkOptions::default()
    }
}

fn chunks(mode: WriteMode, run: &str) -> SinkOptions {
    SinkOptions {
        mode,
        commit: Commit::PerChunk,
        run_id: Some(run.to_owned()),
        ..SinkOptions::default()
    }
}

fn upsert() -> WriteMode {
    WriteMode::Upsert {
        key: vec!["id".to_owned()],
    }
}
