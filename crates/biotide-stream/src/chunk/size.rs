//! How many bytes rows take.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::DataType;

/// Bytes of a batch's rows.
///
/// Arrow's own `get_array_memory_size` counts whole buffers, so each slice of a batch would be as large as it.
pub(crate) fn slice_bytes(batch: &RecordBatch) -> usize {
    batch
        .columns()
        .iter()
        .map(|column| array_bytes(column))
        .sum()
}

fn array_bytes(array: &dyn Array) -> usize {
    let fixed = array
        .to_data()
        .get_slice_memory_size()
        .unwrap_or_else(|_| array.get_array_memory_size());
    // Strings of at most 12 bytes lie in their view.
    let long = |length: u32| if length > 12 { length as usize } else { 0 };
    let beside = match array.data_type() {
        DataType::Utf8View => array.as_string_view().lengths().map(long).sum(),
        DataType::BinaryView => array.as_binary_view().lengths().map(long).sum(),
        _ => 0,
    };
    fixed + beside
}
