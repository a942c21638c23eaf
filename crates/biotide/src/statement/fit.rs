//! Makes a `COPY` fit into memory: row groups by the number of columns, few folders at a time.

use datafusion::common::Result;
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::dml::CopyTo;

use crate::memory::budget::Budget;
use crate::memory::policy::{self, ROW_GROUP_ROWS};
use crate::partitioned::{Folders, few_at_a_time};

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// What a writer of Parquet holds for a column from the beginning: the table of its dictionary and buffers.
/// (Measured; without a dictionary it is a tenth.)
const COLUMN: usize = 80 * KIB;

/// Bytes of a value of a row group, in a table of many columns.
const VALUE: usize = 8;

/// Tables with no more columns have row groups of any size.
const FEW: usize = 64;

/// The least rows of a row group.
const LEAST_ROWS: usize = 1024;

/// Folders that are written at a time.
const OPEN: std::ops::RangeInclusive<usize> = 2..=64;

/// The least bytes of a part of an upload, but for the last (S3).
const PART: usize = 5 * MIB;

/// Sets what depends on the number of columns and folders, where the user did not.
pub(super) fn fit(copy: &mut CopyTo, budget: Budget, options: &ConfigOptions) -> Result<()> {
    let columns = copy.input.schema().fields().len().max(1);
    let parquet = copy.file_type.get_ext() == "parquet";
    let open = (budget.held() / (2 * columns * COLUMN)).clamp(*OPEN.start(), *OPEN.end());
    let files = match copy.partition_by.is_empty() {
        true => 1,
        false => open,
    };
    let given = &options.execution.parquet;
    let plain = policy::options(budget);
    let plain = &plain.execution.parquet;
    // What the statement says wins, and what the session was told, if it is not what it was from the beginning.
    let mut set = |key: &str, told: bool, value: String| {
        if !told {
            let key = format!("format.{key}");
            copy.options.entry(key).or_insert(value);
        }
    };
    if parquet {
        let one_task = given.allow_single_file_parallelism != plain.allow_single_file_parallelism;
        // (Dictionaries grow to twice that and more.)
        if 2 * columns * COLUMN * files > budget.held() {
            let told = given.dictionary_enabled != plain.dictionary_enabled;
            set("dictionary_enabled", told, "false".to_owned());
            let told = given.data_pagesize_limit != plain.data_pagesize_limit;
            set("data_pagesize_limit", told, (64 * KIB).to_string());
            // Columns that are compressed at the same time each take what compressing takes.
            set(
                "allow_single_file_parallelism",
                one_task,
                "false".to_owned(),
            );
        }
        if columns > FEW {
            let rows = budget.held() / (columns * VALUE);
            let rows = rows.clamp(LEAST_ROWS, ROW_GROUP_ROWS);
            let told = given.max_row_group_size != plain.max_row_group_size;
            set("max_row_group_size", told, rows.to_string());
        }
        if files > 1 {
            // Bytes are only looked at where one task writes all columns. (The folders are written in
            // parallel.)
            set(
                "allow_single_file_parallelism",
                one_task,
                "false".to_owned(),
            );
            let bytes = (budget.held() / files).max(MIB);
            let told = given.max_row_group_bytes != plain.max_row_group_bytes;
            set("max_row_group_bytes", told, bytes.to_string());
        }
    }
    if files > 1 {
        let remote = copy.output_url.contains("://") && !copy.output_url.starts_with("file:");
        let least = if remote { PART } else { 256 * KIB };
        let most = options.execution.objectstore_writer_buffer_size.max(least);
        let buffer = (budget.held() / files).clamp(least, most);
        let folders = Folders {
            open: files,
            buffer,
        };
        copy.file_type = few_at_a_time(&copy.file_type, folders)?;
    }
    Ok(())
}
