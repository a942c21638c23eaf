//! What the columns of a source say of denials.
//!
//! Where a column is read as one of numbers or booleans, a word that is none is NULL: as if nobody had denied anything. So
//! of a file of ours such a column is read as text, unless the call itself says of which type it is.

use std::fs;

use biotide_common::BiotideError;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, Result};
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::functions::string::expr_fn::{btrim, lower};
use datafusion::logical_expr::{Expr, LogicalPlan, lit, when};

use super::source::{read, read_as, text};
use super::statements::{NOTHING, as_text, is_text};

/// The columns that may deny a statement.
pub(super) const COLUMNS: [&str; 2] = ["negated", "predicate_modifier"];

/// What a column of texts says where a statement is denied. (A column of 0 and 1 with gaps may be one of numbers.)
const DENIED: [&str; 7] = ["not", "true", "t", "yes", "y", "1", "1.0"];

/// What it says where a statement is not.
const STATED: [&str; 6] = ["false", "f", "no", "n", "0", "0.0"];

/// Whether one of these columns denies a statement.
pub(super) fn negated(columns: &[&(Column, DataType)]) -> Expr {
    let denied = columns
        .iter()
        .map(|(column, kind)| coalesce(vec![denies(column, kind), lit(false)]));
    denied.reduce(Expr::or).unwrap_or_else(|| lit(false))
}

fn denies(column: &Column, kind: &DataType) -> Expr {
    match kind {
        DataType::Boolean => Expr::Column(column.clone()),
        _ => said(column).in_list(DENIED.map(lit).to_vec(), false),
    }
}

/// What a column says that is to tell whether a statement is denied, and does not.
pub(super) fn unknown(column: &Column) -> Result<Expr> {
    let known = DENIED.iter().chain(&STATED).chain(&NOTHING);
    let known = known.map(|word| lit(*word)).collect();
    when(said(column).in_list(known, true), as_text(column)).end()
}

fn said(column: &Column) -> Expr {
    lower(btrim(vec![as_text(column)]))
}

/// The columns of a plan that may deny a statement, and are no texts.
pub(super) fn unread(plan: &LogicalPlan) -> Vec<&str> {
    let fields = plan.schema().fields().iter();
    let denying = fields.filter(|field| {
        let name = field.name();
        COLUMNS.iter().any(|own| name.eq_ignore_ascii_case(own)) && !is_text(field.data_type())
    });
    denying.map(|field| field.name().as_str()).collect()
}

/// A file that is read with the columns that it has.
#[derive(Debug, Clone, Default)]
pub(super) struct Own {
    pub(super) path: String,
    /// The format that it is said to have; none: that of its ending.
    pub(super) format: Option<&'static str>,
    /// Options of reading, as they were written.
    pub(super) options: String,
    /// What they say of types.
    pub(super) schema: Option<String>,
}

impl Own {
    /// All of it, in SQL.
    pub(super) fn query(&self) -> String {
        self.query_with(&self.options)
    }

    /// The same with these columns as text, but for those whose types the call names; nothing, if it names none: then the
    /// session can say that they are text.
    pub(super) fn query_as_text(&self, columns: &[&str]) -> Result<Option<String>, BiotideError> {
        let Some(schema) = &self.schema else {
            return Ok(None);
        };
        // (What is said last counts, of types and of options.)
        let types = format!("{}\n{}", as_types(columns), types(schema)?);
        let options = format!("{}, schema => {}", self.options, text(&types));
        Ok(Some(self.query_with(&options)))
    }

    fn query_with(&self, options: &str) -> String {
        let from = match self.format {
            Some(format) => read_as(format, &self.path, options),
            None => read(&self.path, options),
        };
        format!("SELECT * FROM {from}")
    }
}

/// Types as a list: those that a schema names, or its file.
pub(super) fn types(schema: &str) -> Result<String, BiotideError> {
    match schema.contains(':') {
        true => Ok(schema.to_owned()),
        false => fs::read_to_string(schema)
            .map_err(|e| BiotideError::io(format!("reading the schema file {schema}"), e)),
    }
}

/// A list of types by which these columns are text.
pub(super) fn as_types(columns: &[&str]) -> String {
    let types = columns.iter().map(|column| format!("\"{column}\":text"));
    types.collect::<Vec<_>>().join(",")
}
