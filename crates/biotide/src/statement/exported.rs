//! `COPY … TO 'x.sssom.tsv'` of what a mapping has made: its columns become those that SSSOM has for it.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, DFSchema, Result, ScalarValue};
use datafusion::logical_expr::dml::CopyTo;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, lit, when};

use crate::mapping::found::{self, CHAINED, UNSPECIFIED};

/// Whether a plan writes a set of mappings.
pub(super) fn is_set(copy: &CopyTo) -> bool {
    copy.file_type.get_ext() == "sssom"
}

/// Says that fields are between commas, in a file whose name says so.
pub(super) fn name_delimiter(copy: &mut CopyTo) {
    let lower = copy.output_url.to_ascii_lowercase();
    let bare = lower.strip_suffix(".gz").unwrap_or(&lower);
    if is_set(copy) && bare.ends_with(".csv") {
        let own = copy.options.entry("format.delimiter".to_owned());
        own.or_insert_with(|| ",".to_owned());
    }
}

/// Says that what is denied is so, and how statements were made: every set must.
pub(super) fn add_slots(copy: &mut CopyTo) -> Result<()> {
    if !is_set(copy) {
        return Ok(());
    }
    name_results(copy)?;
    let schema = copy.input.schema();
    let find = |name: &str| schema.iter().find(|(_, field)| field.name() == name);
    let subject = column(schema, "subject_id", |_| true);
    let Some(subject) = subject.filter(|_| find("object_id").is_some()) else {
        return Ok(());
    };
    let is_denied = find("negated").filter(|(_, field)| {
        *field.data_type() == DataType::Boolean && find("predicate_modifier").is_none()
    });
    let made = match find("mapping_justification") {
        Some(_) => None,
        None if find("hops").is_some() => {
            Some(match column(schema, "hops", DataType::is_integer) {
                Some(hops) => found::justification(subject, hops, column(schema, "path", is_path))?,
                None => lit(CHAINED),
            })
        }
        None => Some(lit(UNSPECIFIED)),
    };
    if is_denied.is_none() && made.is_none() {
        return Ok(());
    }
    let denied = is_denied.map(Column::from);
    let mut columns = Vec::new();
    for (qualifier, field) in schema.iter() {
        let column = Column::from((qualifier, field));
        columns.push(match denied.as_ref() == Some(&column) {
            true => when(Expr::Column(column), lit("Not"))
                .otherwise(lit(ScalarValue::Utf8(None)))?
                .alias("predicate_modifier"),
            false => Expr::Column(column),
        });
    }
    columns.extend(made.map(|made| made.alias("mapping_justification")));
    let input = LogicalPlanBuilder::from(copy.input.as_ref().clone()).project(columns)?;
    copy.input = Arc::new(input.build()?);
    Ok(())
}

/// What the columns of a cross-reference are called in a set.
const RESULTS: [(&str, &str); 3] = [
    ("resolved", "subject_id"),
    ("predicate", "predicate_id"),
    ("target", "object_id"),
];

/// The first column of a name, if it holds what it should.
fn column(schema: &DFSchema, name: &str, holds: impl Fn(&DataType) -> bool) -> Option<Expr> {
    let found = schema.iter().find(|(_, field)| field.name() == name);
    let found = found.filter(|(_, field)| holds(field.data_type()));
    found.map(|found| Expr::Column(Column::from(found)))
}

/// Whether a column holds identifiers on paths.
fn is_path(kind: &DataType) -> bool {
    matches!(kind, DataType::List(item) if !item.data_type().is_nested())
}

/// What a result is said of, as far as its columns tell.
fn subject(schema: &DFSchema, resolved: Expr) -> Result<Expr> {
    match (
        column(schema, "target", |_| true),
        column(schema, "path", is_path),
    ) {
        (Some(target), Some(path)) => found::subject(target, resolved, path),
        _ => Ok(resolved),
    }
}

/// Gives the results of a cross-reference the names that they have in a set, where nothing else has them. All paths of a
/// result are lists of records, for which a set has no form: they are left out.
fn name_results(copy: &mut CopyTo) -> Result<()> {
    let schema = copy.input.schema();
    let has = |name: &str| schema.iter().any(|(_, field)| field.name() == name);
    if !has("target") || has("object_id") {
        return Ok(());
    }
    let is_records = |kind: &DataType| match kind {
        DataType::List(item) => item.data_type().is_nested(),
        _ => false,
    };
    let mut columns = Vec::new();
    for (qualifier, field) in schema.iter() {
        let column = Expr::Column(Column::from((qualifier, field)));
        let mut results = RESULTS.iter();
        let result = results.find(|(own, name)| own == field.name() && !has(name));
        match result {
            Some((_, name @ "subject_id")) => {
                columns.push(subject(copy.input.schema(), column)?.alias(*name));
            }
            Some((_, name)) => columns.push(column.alias(*name)),
            None if field.name() == "paths" && is_records(field.data_type()) => {}
            None => columns.push(column),
        }
    }
    let input = LogicalPlanBuilder::from(copy.input.as_ref().clone()).project(columns)?;
    copy.input = Arc::new(input.build()?);
    Ok(())
}
