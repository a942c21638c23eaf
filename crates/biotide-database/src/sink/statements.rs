//! SQL that both databases take.

use std::fmt::Display;

use crate::error::DatabaseError;
use crate::sql;

/// Where positions are kept, beside the tables.
pub(super) const POSITIONS: &str = "biotide_positions";

/// Creates the table of positions; `table` is its quoted name.
pub(super) fn create_positions(table: &str) -> String {
    format!(
        "CREATE TABLE IF NOT EXISTS {table} (run_id text NOT NULL, target text NOT NULL, \
         \"position\" text NOT NULL, \"rows\" bigint NOT NULL, PRIMARY KEY (run_id, target))"
    )
}

/// Keeps a position.
pub(super) fn keep_position(
    table: &str,
    run: &str,
    target: &str,
    position: &str,
    rows: u64,
) -> String {
    format!(
        "INSERT INTO {table} (run_id, target, \"position\", \"rows\") VALUES ({}, {}, {}, {rows}) \
         ON CONFLICT (run_id, target) DO UPDATE \
         SET \"position\" = excluded.\"position\", \"rows\" = excluded.\"rows\"",
        sql::literal(run),
        sql::literal(target),
        sql::literal(position),
    )
}

/// Forgets a position.
pub(super) fn forget_position(table: &str, run: &str, target: &str) -> String {
    format!("DELETE FROM {table} WHERE {}", position_of(run, target))
}

/// The condition that finds a position.
pub(super) fn position_of(run: &str, target: &str) -> String {
    format!(
        "run_id = {} AND target = {}",
        sql::literal(run),
        sql::literal(target)
    )
}

/// The staging table of a run.
pub(super) fn staging(run: &str, target: &str) -> String {
    format!("biotide_stage_{}", sql::digest(&format!("{run}\0{target}")))
}

/// A run that cannot go on: the table that held its rows, or its staging table, is gone.
pub(super) fn lost(
    target: impl Display,
    stage: Option<impl Display>,
    positions: &str,
) -> DatabaseError {
    let gone = match stage {
        Some(stage) => format!("its staging table {stage}"),
        None => "the table".to_owned(),
    };
    let problem = format!(
        "the run cannot be resumed: {gone}, with the rows that it had written, is gone. Begin anew; how far it \
         came stands in {positions}"
    );
    DatabaseError::table(target, problem)
}

/// `ON CONFLICT (key) DO UPDATE SET …` for columns of which `key` is the key.
pub(super) fn on_conflict(columns: &[String], key: &[String]) -> String {
    let keys = sql::identifiers(key.iter().map(String::as_str));
    let others: Vec<_> = columns
        .iter()
        .filter(|column| !key.contains(column))
        .map(|column| {
            let column = sql::identifier(column);
            format!("{column} = excluded.{column}")
        })
        .collect();
    match others.is_empty() {
        true => format!("ON CONFLICT ({keys}) DO NOTHING"),
        false => format!("ON CONFLICT ({keys}) DO UPDATE SET {}", others.join(", ")),
    }
}
