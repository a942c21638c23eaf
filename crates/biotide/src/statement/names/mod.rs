//! Column names match in any case where that is unique: `SELECT uniprot` finds `UniProt`.
//!
//! DataFusion lower-cases names without quotes and matches them exactly. So names are completed before
//! planning: one that is, but for its case, the name of exactly one column it can mean where it stands is
//! put in quotes as the column has it. A name that matches as DataFusion reads it is left alone.

mod expr;
mod from;
mod outputs;
mod query;
mod scope;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use datafusion::common::TableReference;
use datafusion::execution::SessionState;
use datafusion::sql::parser::{CopyToSource, Statement};
use datafusion::sql::sqlparser::ast::{Query, Statement as SqlStatement, VisitMut, VisitorMut};

use self::query::Names;
use self::scope::{Columns, Match};
use super::star;
use crate::error::{Error, Result};

/// A part of a statement that can be visited.
pub(super) enum TreeMut<'a> {
    Sql(&'a mut SqlStatement),
    Query(&'a mut Query),
}

impl TreeMut<'_> {
    pub(super) fn visit_with<V: VisitorMut>(&mut self, visitor: &mut V) -> ControlFlow<V::Break> {
        match self {
            Self::Sql(statement) => statement.visit(visitor),
            Self::Query(query) => query.visit(visitor),
        }
    }
}

/// Calls `f` with the SQL parts of a statement.
pub(super) fn for_each_tree(statement: &mut Statement, mut f: impl FnMut(&mut TreeMut<'_>)) {
    match statement {
        Statement::Statement(sql) => f(&mut TreeMut::Sql(sql)),
        Statement::CopyTo(copy) => {
            if let CopyToSource::Query(query) = &mut copy.source {
                f(&mut TreeMut::Query(query));
            }
        }
        Statement::Explain(explain) => for_each_tree(&mut explain.statement, f),
        Statement::CreateExternalTable(_) | Statement::Reset(_) => {}
    }
}

/// Visits the SQL parts of a statement; what breaks the visit off is the error.
pub(crate) fn visit<V: VisitorMut>(statement: &mut Statement, visitor: &mut V) -> Result<()>
where
    Error: From<V::Break>,
{
    let mut broken = None;
    for_each_tree(statement, |tree| {
        if broken.is_none()
            && let ControlFlow::Break(error) = tree.visit_with(visitor)
        {
            broken = Some(error);
        }
    });
    broken.map_or(Ok(()), |error| Err(error.into()))
}

/// What names are completed with.
struct Known {
    /// The columns of the tables that the statement names.
    tables: HashMap<TableReference, Vec<String>>,
    /// The names of the aggregate functions, in lower case.
    aggregates: HashSet<String>,
    /// Whether DataFusion lower-cases names without quotes.
    normalize: bool,
}

/// Completes the names of a statement.
pub(super) async fn resolve(statement: &mut Statement, state: &SessionState) -> Result<()> {
    let mut tables = HashMap::new();
    for reference in state.resolve_table_references(statement)? {
        // What is not there is planning's to say.
        let Ok(schema) = state.schema_for_ref(reference.clone()) else {
            continue;
        };
        let Some(provider) = schema.table(reference.table()).await? else {
            continue;
        };
        let schema = provider.schema();
        let columns = schema.fields().iter().map(|field| field.name().clone());
        tables.insert(reference, columns.collect());
    }
    let known = Known {
        tables,
        aggregates: state
            .aggregate_functions()
            .keys()
            .map(|name| name.to_lowercase())
            .collect(),
        normalize: state.config_options().sql_parser.enable_ident_normalization,
    };
    let written = statement.clone();
    complete(statement, &known);
    // A statement that DataFusion accepts as it is written goes on working whatever was made of it.
    if *statement != written
        && star::plan(statement.clone(), state).await.is_err()
        && star::plan(written.clone(), state).await.is_ok()
    {
        *statement = written;
    }
    Ok(())
}

fn complete(statement: &mut Statement, known: &Known) {
    match statement {
        Statement::Statement(sql) => Names::new(known).statement(sql),
        Statement::CopyTo(copy) => {
            let mut names = Names::new(known);
            let columns = match &mut copy.source {
                CopyToSource::Query(query) => names.query(query),
                CopyToSource::Relation(table) => names.table(table),
            };
            for name in &mut copy.partitioned_by {
                partition(name, &columns);
            }
        }
        Statement::Explain(explain) => complete(&mut explain.statement, known),
        Statement::CreateExternalTable(_) | Statement::Reset(_) => {}
    }
}

/// Completes a name of `PARTITIONED BY`, which DataFusion takes as it is written, quotes included.
fn partition(name: &mut String, columns: &Columns) {
    let Some(columns) = columns else { return };
    if columns.contains(name) {
        return;
    }
    let quoted = name
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    if let Some(inner) = quoted {
        *name = inner.replace("\"\"", "\"");
    } else if let Match::One(full) = Match::of(columns.iter().map(String::as_str), name) {
        *name = full;
    }
}
