//! The metadata of row groups: in memory, in the log, and in the footer.

use std::io::{self, Write};

use ::parquet::arrow::arrow_writer::ArrowColumnChunk;
use ::parquet::errors::{ParquetError, Result};
use ::parquet::file::metadata::{
    ColumnChunkMetaData, FileMetaData, PageIndexPolicy, ParquetMetaDataBuilder,
    ParquetMetaDataOptions, ParquetMetaDataReader, ParquetMetaDataWriter, RowGroupMetaData,
};
use ::parquet::file::page_index::column_index::ColumnIndexMetaData;
use ::parquet::file::page_index::offset_index::OffsetIndexMetaData;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::TrackedWrite;
use ::parquet::schema::types::SchemaDescPtr;
use bytes::Bytes;

/// Zeros to skip bytes with.
static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];

/// A writer of a file whose first bytes are there already: they are taken and dropped.
#[derive(Debug)]
pub(super) struct Placed<W> {
    pub(super) inner: W,
    pub(super) skip: u64,
}

impl<W: Write> Write for Placed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.skip == 0 {
            return self.inner.write(bytes);
        }
        let skipped = usize::try_from(self.skip)
            .unwrap_or(usize::MAX)
            .min(bytes.len());
        self.skip -= skipped as u64;
        Ok(skipped)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Has a writer that counts its bytes begin at a place: what is before is dropped by [`Placed`].
pub(super) fn advance(
    mut bytes: u64,
    mut write: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    while bytes > 0 {
        let length = bytes.min(ZEROS.len() as u64);
        write(&ZEROS[..length as usize])?;
        bytes -= length;
    }
    Ok(())
}

/// Row groups with their page indexes.
#[derive(Debug, Default)]
pub(super) struct RowGroups {
    groups: Vec<RowGroupMetaData>,
    column_indexes: Vec<Vec<ColumnIndexMetaData>>,
    offset_indexes: Vec<Vec<OffsetIndexMetaData>>,
}

/// The page indexes of a row group that is being written.
#[derive(Debug, Default)]
pub(super) struct PageIndexes {
    columns: Vec<ColumnIndexMetaData>,
    offsets: Vec<Option<OffsetIndexMetaData>>,
}

impl PageIndexes {
    /// Takes those of a column.
    pub(super) fn add(&mut self, chunk: &ArrowColumnChunk) {
        let close = chunk.close();
        let none = ColumnIndexMetaData::NONE;
        self.columns
            .push(close.column_index.clone().unwrap_or(none));
        self.offsets.push(close.offset_index.clone());
    }
}

/// Places the pages of a column where they were written. Their own offsets are those of a buffer in which the dictionary
/// stands behind the pages that were full before it was; in the file it stands first, and pages one after another.
fn place(pages: &mut OffsetIndexMetaData, column: &ColumnChunkMetaData) -> Result<()> {
    let mut next = column.data_page_offset();
    for page in &mut pages.page_locations {
        page.offset = next;
        next += i64::from(page.compressed_page_size);
    }
    let start = column.dictionary_page_offset();
    let start = start.unwrap_or(column.data_page_offset());
    if !pages.page_locations.is_empty() && next != start + column.compressed_size() {
        let problem = format!(
            "the pages of column {} do not fill it",
            column.column_path()
        );
        return Err(ParquetError::General(problem));
    }
    Ok(())
}

impl RowGroups {
    pub(super) fn len(&self) -> usize {
        self.groups.len()
    }

    /// Adds a row group that was written.
    pub(super) fn push(&mut self, group: &RowGroupMetaData, pages: PageIndexes) -> Result<()> {
        let ordinal = i16::try_from(self.groups.len()).unwrap_or(i16::MAX);
        let mut offsets = Vec::with_capacity(pages.offsets.len());
        for (offset, column) in pages.offsets.into_iter().zip(group.columns()) {
            let mut offset = offset.unwrap_or_else(|| OffsetIndexMetaData {
                page_locations: Vec::new(),
                unencoded_byte_array_data_bytes: None,
            });
            place(&mut offset, column)?;
            offsets.push(offset);
        }
        let group = group.clone().into_builder().set_ordinal(ordinal).build()?;
        self.groups.push(group);
        self.column_indexes.push(pages.columns);
        self.offset_indexes.push(offsets);
        Ok(())
    }

    /// The metadata of the row groups from `first` on, as it ends a file of `at` bytes.
    pub(super) fn footer(
        &self,
        first: usize,
        at: u64,
        schema: &SchemaDescPtr,
        properties: &WriterProperties,
    ) -> Result<Vec<u8>> {
        let groups = self.groups.get(first..).unwrap_or_default().to_vec();
        let file = FileMetaData::new(
            properties.writer_version().as_num(),
            groups.iter().map(RowGroupMetaData::num_rows).sum(),
            Some(properties.created_by().to_owned()),
            properties.key_value_metadata().cloned(),
            SchemaDescPtr::clone(schema),
            None,
        );
        let metadata = ParquetMetaDataBuilder::new(file)
            .set_row_groups(groups)
            .set_column_index(self.column_indexes.get(first..).map(<[_]>::to_vec))
            .set_offset_index(self.offset_indexes.get(first..).map(<[_]>::to_vec))
            .build();
        let mut bytes = Vec::new();
        let placed = Placed {
            inner: &mut bytes,
            skip: at,
        };
        let mut tracked = TrackedWrite::new(placed);
        advance(at, |zeros| tracked.write_all(zeros))?;
        ParquetMetaDataWriter::new_with_tracked(tracked, &metadata).finish()?;
        Ok(bytes)
    }

    /// Adds the row groups that a footer at the start of a file of its own tells.
    pub(super) fn read(&mut self, footer: Bytes) -> Result<()> {
        let whole = ParquetMetaDataOptions::new().with_encoding_stats_as_mask(false);
        let metadata = ParquetMetaDataReader::new()
            .with_page_index_policy(PageIndexPolicy::Optional)
            .with_metadata_options(Some(whole))
            .parse_and_finish(&footer)?;
        let mut metadata = metadata.into_builder();
        let groups = metadata.take_row_groups();
        let columns: Vec<usize> = groups.iter().map(|group| group.columns().len()).collect();
        self.column_indexes
            .extend(metadata.take_column_index().unwrap_or_else(|| {
                let none = |&n: &usize| vec![ColumnIndexMetaData::NONE; n];
                columns.iter().map(none).collect()
            }));
        self.offset_indexes
            .extend(metadata.take_offset_index().unwrap_or_default());
        self.groups.extend(groups);
        if self.offset_indexes.len() != self.groups.len()
            || self.column_indexes.len() != self.groups.len()
        {
            let problem = "the log of row groups lacks its page indexes".to_owned();
            return Err(ParquetError::General(problem));
        }
        Ok(())
    }
}
