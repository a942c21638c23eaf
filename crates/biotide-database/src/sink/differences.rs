//! All that keeps rows from going into a table, for one message.

use arrow::datatypes::{Field, Schema};

use crate::postgres::catalog::PgColumn;
use crate::sqlite::catalog::SqliteColumn;
use crate::types::sqlite::{SqliteType, column_type};

pub(super) fn of_postgres(schema: &Schema, table: &[PgColumn]) -> Vec<String> {
    let mut problems = Vec::new();
    for field in schema.fields() {
        let name = field.name();
        match table.iter().find(|column| column.name == *name) {
            None => problems.push(missing(field, table.iter().map(|column| &column.name))),
            Some(column) if column.generated => {
                problems.push(format!("column {name} is computed by the server"));
            }
            Some(PgColumn { of: Some(of), .. }) if of.takes(field.data_type()) => {}
            Some(column) => {
                problems.push(differs(field, &column.declared));
            }
        }
    }
    for column in table
        .iter()
        .filter(|column| !column.optional && !column.generated)
    {
        if schema.field_with_name(&column.name).is_err() {
            problems.push(needed(&column.name));
        }
    }
    problems
}

pub(super) fn of_sqlite(schema: &Schema, table: &[SqliteColumn]) -> Vec<String> {
    let mut problems = Vec::new();
    // (SQLite does not tell names apart by case.)
    let same = |left: &str, right: &str| left.eq_ignore_ascii_case(right);
    for field in schema.fields() {
        let name = field.name();
        let Some(column) = table.iter().find(|column| same(&column.name, name)) else {
            problems.push(missing(field, table.iter().map(|column| &column.name)));
            continue;
        };
        if column.generated {
            problems.push(format!("column {name} is computed by SQLite"));
        }
        let written = column_type(field).ok();
        let of = column.of();
        let is_taken = written.is_some_and(|written| of.takes(&written));
        if !is_taken || SqliteType::rounds(&column.declared, field.data_type()) {
            problems.push(differs(field, &column.declared));
        }
    }
    for column in table
        .iter()
        .filter(|column| !column.optional && !column.generated)
    {
        if !schema
            .fields()
            .iter()
            .any(|field| same(field.name(), &column.name))
        {
            problems.push(needed(&column.name));
        }
    }
    problems
}

fn missing<'a>(field: &Field, columns: impl Iterator<Item = &'a String>) -> String {
    let name = field.name();
    let mut columns = columns;
    match columns.find(|column| column.eq_ignore_ascii_case(name)) {
        Some(other) => format!("there is no column {name}, but {other}: give it this name"),
        None => format!("there is no column {name} ({})", field.data_type()),
    }
}

fn differs(field: &Field, declared: &str) -> String {
    format!(
        "column {} is {declared}, which does not take {}: CAST it",
        field.name(),
        field.data_type()
    )
}

/// A table whose rows would go, or change, with those that are replaced.
pub(super) fn cascade(other: &str) -> String {
    format!(
        "rows of {other} refer to it, and change or go when its rows are deleted (ON DELETE): upsert, or drop \
         that foreign key"
    )
}

fn needed(column: &str) -> String {
    format!("column {column} is NOT NULL without a default, and the rows have no such column")
}
