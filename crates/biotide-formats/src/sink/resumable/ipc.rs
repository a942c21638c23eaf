//! Arrow files, message by message.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::ipc::convert::IpcSchemaEncoder;
use arrow::ipc::writer::{
    DictionaryTracker, EncodedData, IpcDataGenerator, IpcWriteContext, IpcWriteOptions,
    write_message,
};
use arrow::ipc::{Block, FooterBuilder, MetadataVersion, root_as_message};
use datafusion_common::{DataFusionError, Result};
use flatbuffers::FlatBufferBuilder;

use super::part::failed;

const MAGIC: &[u8] = b"ARROW1";
/// Where the first message stands.
const START: usize = 64;
/// Before a message's length.
const CONTINUATION: [u8; 4] = [0xff; 4];

/// Writes batches as messages of an Arrow file.
#[derive(Debug, Clone)]
pub(super) struct IpcEncoder {
    /// The columns as they are written.
    schema: SchemaRef,
}

impl IpcEncoder {
    pub(super) fn new(schema: &Schema) -> Self {
        let fields = schema.fields().iter();
        let fields: Vec<_> = fields.map(|field| plain_field(field)).collect();
        let schema = Schema::new_with_metadata(fields, schema.metadata().clone());
        Self {
            schema: Arc::new(schema),
        }
    }

    /// What stands before the first batch.
    pub(super) fn header(&self) -> Result<Vec<u8>> {
        let mut bytes = MAGIC.to_vec();
        bytes.resize(START, 0);
        let options = IpcWriteOptions::default();
        let message = IpcDataGenerator::default().schema_to_bytes_with_dictionary_tracker(
            &self.schema,
            &mut DictionaryTracker::new(true),
            &options,
        );
        write_message(&mut bytes, message, &options)?;
        Ok(bytes)
    }

    /// The message of a batch.
    pub(super) fn encode(&self, batch: &RecordBatch) -> Result<Vec<u8>> {
        let columns = batch.columns().iter().zip(self.schema.fields());
        let columns: Vec<ArrayRef> = columns
            .map(
                |(column, field)| match column.data_type() == field.data_type() {
                    true => Ok(Arc::clone(column)),
                    false => cast(column, field.data_type()),
                },
            )
            .collect::<Result<_, _>>()?;
        let rows = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &rows)?;
        let options = IpcWriteOptions::default();
        let (_, message) = IpcDataGenerator::default().encode(
            &batch,
            &mut DictionaryTracker::new(true),
            &options,
            &mut IpcWriteContext::default(),
        )?;
        let EncodedData {
            ipc_message,
            arrow_data,
        } = &message;
        let mut bytes = Vec::with_capacity(ipc_message.len() + arrow_data.len() + 2 * START);
        write_message(&mut bytes, message, &options)?;
        Ok(bytes)
    }

    /// What completes the file, whose messages are all there.
    pub(super) fn footer(&self, path: &Path) -> Result<Vec<u8>> {
        let blocks = blocks(path).map_err(|e| failed("reading", path, e))?;
        let mut bytes = CONTINUATION.to_vec();
        bytes.extend_from_slice(&[0; 4]);
        let mut fbb = FlatBufferBuilder::new();
        let dictionaries = fbb.create_vector::<Block>(&[]);
        let record_batches = fbb.create_vector(&blocks);
        let schema = IpcSchemaEncoder::new().schema_to_fb_offset(&mut fbb, &self.schema);
        let mut footer = FooterBuilder::new(&mut fbb);
        footer.add_version(MetadataVersion::V5);
        footer.add_schema(schema);
        footer.add_dictionaries(dictionaries);
        footer.add_recordBatches(record_batches);
        let root = footer.finish();
        fbb.finish(root, None);
        let footer = fbb.finished_data();
        let length =
            i32::try_from(footer.len()).map_err(|e| DataFusionError::External(Box::new(e)))?;
        bytes.extend_from_slice(footer);
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(MAGIC);
        Ok(bytes)
    }
}

/// The places of the batches in a file without a footer.
fn blocks(path: &Path) -> io::Result<Vec<Block>> {
    let broken = || io::Error::new(io::ErrorKind::InvalidData, "a message is broken");
    let mut file = File::open(path)?;
    let end = file.metadata()?.len();
    let mut blocks = Vec::new();
    let mut at = START as u64;
    let mut schema = true;
    while at < end {
        let mut prefix = [0; 8];
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut prefix)?;
        let [a, b, c, d, length @ ..] = prefix;
        let length = i32::from_le_bytes(length);
        if [a, b, c, d] != CONTINUATION || length <= 0 {
            return Err(broken());
        }
        let mut message = vec![0; length as usize];
        file.read_exact(&mut message)?;
        let body = root_as_message(&message)
            .map_err(|_| broken())?
            .bodyLength();
        let header = length.checked_add(8).ok_or_else(broken)?;
        if !std::mem::take(&mut schema) {
            let offset = i64::try_from(at).map_err(|_| broken())?;
            blocks.push(Block::new(offset, header, body));
        }
        at += header as u64 + u64::try_from(body).map_err(|_| broken())?;
    }
    Ok(blocks)
}

fn plain_field(field: &Field) -> Field {
    field.clone().with_data_type(plain(field.data_type()))
}

/// A type without dictionaries.
fn plain(data_type: &DataType) -> DataType {
    let nested = |field: &Field| Arc::new(plain_field(field));
    match data_type {
        DataType::Dictionary(_, value) => plain(value),
        DataType::List(field) => DataType::List(nested(field)),
        DataType::LargeList(field) => DataType::LargeList(nested(field)),
        DataType::ListView(field) => DataType::ListView(nested(field)),
        DataType::LargeListView(field) => DataType::LargeListView(nested(field)),
        DataType::FixedSizeList(field, size) => DataType::FixedSizeList(nested(field), *size),
        DataType::Map(field, sorted) => DataType::Map(nested(field), *sorted),
        DataType::Struct(fields) => {
            DataType::Struct(fields.iter().map(|field| nested(field)).collect())
        }
        other => other.clone(),
    }
}
