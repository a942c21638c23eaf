//! Statements as rows: what a mapping is built from.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, RecordBatch, StringViewArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type, Schema, SchemaRef};
use datafusion_common::Result;

/// The columns of statements. Those that can be NULL may be missing.
pub fn edge_schema() -> SchemaRef {
    let field = |name: &str, kind, nullable| Field::new(name, kind, nullable);
    Arc::new(Schema::new(vec![
        field("subject", DataType::Utf8View, true),
        field("predicate", DataType::Utf8View, true),
        field("object", DataType::Utf8View, true),
        field("confidence", DataType::Float64, true),
        field("_confidence", DataType::Utf8View, true),
        field("source", DataType::Utf8View, true),
        field("release", DataType::Utf8View, true),
        field("negated", DataType::Boolean, true),
        field("_modifier", DataType::Utf8View, true),
        field("_negated", DataType::Utf8View, true),
        field("_line", DataType::Int64, true),
        field("_offset", DataType::Int64, true),
    ]))
}

/// Statements of a batch, by column.
pub(crate) struct Edges {
    pub(crate) rows: usize,
    subject: Option<StringViewArray>,
    predicate: Option<StringViewArray>,
    object: Option<StringViewArray>,
    confidence: Option<Float64Array>,
    no_confidence: Option<StringViewArray>,
    source: Option<StringViewArray>,
    release: Option<StringViewArray>,
    negated: Option<BooleanArray>,
    no_modifier: Option<StringViewArray>,
    no_negation: Option<StringViewArray>,
    line: Option<Int64Array>,
    offset: Option<Int64Array>,
}

/// One statement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edge<'a> {
    pub(crate) subject: Option<&'a str>,
    pub(crate) predicate: Option<&'a str>,
    pub(crate) object: Option<&'a str>,
    pub(crate) confidence: Option<f64>,
    /// What stands in its place where that is no number.
    pub(crate) no_confidence: Option<&'a str>,
    pub(crate) source: Option<&'a str>,
    pub(crate) release: Option<&'a str>,
    pub(crate) negated: bool,
    /// What stands for a denial in `predicate_modifier`, and is neither one nor none.
    pub(crate) no_modifier: Option<&'a str>,
    /// The same in `negated`.
    pub(crate) no_negation: Option<&'a str>,
}

impl Edges {
    /// The statements of a batch, whose columns are known by their names.
    pub(crate) fn new(batch: &RecordBatch) -> Result<Self> {
        let column = |name: &str, kind: DataType| -> Result<Option<ArrayRef>> {
            let column = batch.column_by_name(name);
            Ok(column.map(|column| cast(column, &kind)).transpose()?)
        };
        let text = |name: &str| -> Result<Option<StringViewArray>> {
            Ok(column(name, DataType::Utf8View)?.map(|column| column.as_string_view().clone()))
        };
        let number = |name: &str| -> Result<Option<Int64Array>> {
            let column = column(name, DataType::Int64)?;
            Ok(column.map(|column| column.as_primitive::<Int64Type>().clone()))
        };
        let confidence = column("confidence", DataType::Float64)?;
        let negated = column("negated", DataType::Boolean)?;
        Ok(Self {
            rows: batch.num_rows(),
            subject: text("subject")?,
            predicate: text("predicate")?,
            object: text("object")?,
            confidence: confidence.map(|column| column.as_primitive::<Float64Type>().clone()),
            no_confidence: text("_confidence")?,
            source: text("source")?,
            release: text("release")?,
            negated: negated.map(|column| column.as_boolean().clone()),
            no_modifier: text("_modifier")?,
            no_negation: text("_negated")?,
            line: number("_line")?,
            offset: number("_offset")?,
        })
    }

    pub(crate) fn get(&self, row: usize) -> Edge<'_> {
        let negated = self.negated.as_ref();
        Edge {
            subject: text(self.subject.as_ref(), row),
            predicate: text(self.predicate.as_ref(), row),
            object: text(self.object.as_ref(), row),
            confidence: self
                .confidence
                .as_ref()
                .filter(|c| c.is_valid(row))
                .map(|c| c.value(row)),
            no_confidence: text(self.no_confidence.as_ref(), row),
            source: text(self.source.as_ref(), row),
            release: text(self.release.as_ref(), row),
            negated: negated.is_some_and(|n| n.is_valid(row) && n.value(row)),
            no_modifier: text(self.no_modifier.as_ref(), row),
            no_negation: text(self.no_negation.as_ref(), row),
        }
    }

    /// The line and the byte offset of a row, if they are told.
    pub(crate) fn place(&self, row: usize) -> Option<(u64, u64)> {
        let number = |column: Option<&Int64Array>| {
            let column = column.filter(|column| column.is_valid(row))?;
            u64::try_from(column.value(row)).ok()
        };
        Some((number(self.line.as_ref())?, number(self.offset.as_ref())?))
    }
}

fn text(column: Option<&StringViewArray>, row: usize) -> Option<&str> {
    column
        .filter(|column| column.is_valid(row))
        .map(|column| column.value(row))
}
