//! Rows told apart by their folder.

use std::collections::HashMap;

use arrow::array::{ArrayRef, AsArray, RecordBatch, UInt32Array};
use arrow::compute::{cast, take_record_batch};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::row::{RowConverter, SortField};
use datafusion::common::{Result, exec_err};
use datafusion::datasource::physical_plan::FileSinkConfig;
use std::sync::Arc;

/// The values that make a folder's name, in the order of its columns.
pub(super) type Key = Vec<String>;

/// Which columns name folders, and which are written.
#[derive(Debug)]
pub(super) struct Columns {
    keys: Vec<usize>,
    written: Vec<usize>,
    /// What is written.
    pub(super) schema: SchemaRef,
}

impl Columns {
    pub(super) fn new(schema: &Schema, config: &FileSinkConfig) -> Result<Self> {
        let partitions = &config.table_partition_cols;
        let keys = partitions.iter().map(|(name, _)| schema.index_of(name));
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        let is_written = |i: &usize| config.keep_partition_by_columns || !keys.contains(i);
        let written: Vec<usize> = (0..schema.fields().len()).filter(is_written).collect();
        if written.is_empty() {
            return exec_err!("the folders are named by every column: leave one to be written");
        }
        Ok(Self {
            schema: Arc::new(schema.project(&written)?),
            keys,
            written,
        })
    }

    /// The columns that name folders, as text.
    pub(super) fn keys(&self, rows: &RecordBatch) -> Result<Vec<ArrayRef>> {
        let keys = self.keys.iter();
        let texts = keys.map(|&i| Ok(cast(rows.column(i), &DataType::Utf8)?));
        texts.collect()
    }

    /// The places of the columns that name folders.
    pub(super) fn key_indices(&self) -> &[usize] {
        &self.keys
    }

    /// The columns that are written.
    pub(super) fn written(&self, rows: &RecordBatch) -> Result<RecordBatch> {
        let columns = rows.project(&self.written)?;
        Ok(columns.with_schema(Arc::clone(&self.schema))?)
    }

    /// The rows of each folder by their numbers, folders in the order of their first row.
    pub(super) fn split(&self, rows: &RecordBatch) -> Result<Vec<(Key, Vec<u32>)>> {
        let keys = self.keys(rows)?;
        let fields = keys.iter().map(|_| SortField::new(DataType::Utf8));
        let converter = RowConverter::new(fields.collect())?;
        let encoded = converter.convert_columns(&keys)?;
        let mut places: HashMap<&[u8], usize> = HashMap::new();
        let mut folders: Vec<(Key, Vec<u32>)> = Vec::new();
        for (i, row) in (0u32..).zip(&encoded) {
            let place = *places.entry(row.data()).or_insert(folders.len());
            match folders.get_mut(place) {
                Some((_, rows)) => rows.push(i),
                None => folders.push((key(&keys, i as usize), vec![i])),
            }
        }
        Ok(folders)
    }
}

/// These rows of a batch.
pub(super) fn pick(batch: &RecordBatch, rows: Vec<u32>) -> Result<RecordBatch> {
    if rows.len() == batch.num_rows() && rows.is_sorted() {
        return Ok(batch.clone());
    }
    Ok(take_record_batch(batch, &UInt32Array::from(rows))?)
}

/// The key of a row.
pub(super) fn key(keys: &[ArrayRef], row: usize) -> Key {
    let value = |column: &ArrayRef| column.as_string::<i32>().value(row).to_owned();
    keys.iter().map(value).collect()
}
