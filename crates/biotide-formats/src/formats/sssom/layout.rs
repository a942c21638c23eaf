//! The layout of SSSOM files: that of their tables, below what the sets say of themselves.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use biotide_common::BiotideError;
use biotide_text::delimited::{Layout, RecordEnd};
use encoding_rs::Encoding;

use super::metadata::Block;
use crate::formats::delimited::DelimitedLayout;
use crate::formats::reader::{Source, TableReader};
use crate::spec::{ChunkReader, Companion, Description, FileStart, TextLayout, Widening};

/// The files of a table, by header and by what they say of themselves.
#[derive(Debug, Clone)]
pub(super) struct SssomLayout {
    /// Of the tables alone.
    pub(super) inner: DelimitedLayout,
    pub(super) variants: Vec<Variant>,
    pub(super) schema: SchemaRef,
    pub(super) metadata_columns: bool,
    pub(super) description: Description,
}

/// Files with the same header that say the same of themselves.
#[derive(Debug, Clone)]
pub(super) struct Variant {
    /// Of which variant their tables are.
    pub(super) inner: usize,
    /// The block above their tables, as it stands there.
    pub(super) block: Vec<u8>,
    /// The file beside them.
    pub(super) companion: Option<Companion>,
    /// Their names.
    pub(super) files: Vec<String>,
    /// Their columns, and what rows are held against.
    pub(super) layout: Arc<Layout>,
    /// Where the columns that the table shows are from.
    pub(super) sources: Vec<Source>,
}

impl SssomLayout {
    fn inner(&self, variant: usize) -> usize {
        self.variants[variant].inner
    }

    /// The variant of a file with this block, whose table is of this variant.
    fn variant(&self, file: &str, block: &[u8], inner: usize) -> Option<usize> {
        let alike = |variant: &Variant| variant.inner == inner && variant.block == block;
        let named = |variant: &Variant| variant.files.iter().any(|name| name == file);
        let mut all = (0..self.variants.len()).filter(|&i| alike(&self.variants[i]));
        // Of files without a block only their names tell which companion was read.
        let named = all.clone().find(|&i| named(&self.variants[i]));
        let first = all.next()?;
        named.or_else(|| all.next().is_none().then_some(first))
    }
}

impl TextLayout for SssomLayout {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn mean_record_bytes(&self) -> f64 {
        self.inner.mean_record_bytes()
    }

    fn min_record_bytes(&self, variant: usize) -> u64 {
        self.inner.min_record_bytes(self.inner(variant))
    }

    fn shows_lines(&self) -> bool {
        self.metadata_columns
    }

    fn reads_anywhere(&self, variant: usize) -> bool {
        self.inner.reads_anywhere(self.inner(variant))
    }

    fn record_end(&self, variant: usize) -> RecordEnd {
        self.inner.record_end(self.inner(variant))
    }

    fn transcoded_from(&self) -> Option<&'static Encoding> {
        self.inner.transcoded_from()
    }

    fn describe(&self) -> Description {
        self.description.clone()
    }

    fn doubt(&self) -> Option<&'static str> {
        None
    }

    fn start(&self, file: &str, head: &[u8], eof: bool) -> Result<Option<FileStart>, BiotideError> {
        let most = self.inner.layout().max_record_bytes;
        let Some(block) = Block::of(head, eof) else {
            return match head.len() > most {
                true => Err(BiotideError::file(
                    file,
                    "the lines above its table that start with # are longer than max_record_bytes",
                )),
                false => Ok(None),
            };
        };
        let (above, table) = head.split_at(block.end);
        let Some(start) = self.inner.start(file, table, eof)? else {
            return Ok(None);
        };
        let Some(variant) = self.variant(file, above, start.variant) else {
            let problem = "its metadata is not what it was when the table was planned";
            return Err(BiotideError::file(file, problem));
        };
        Ok(Some(FileStart {
            offset: start.offset + block.end as u64,
            lines: start.lines + block.lines,
            end: None,
            variant,
        }))
    }

    fn finds_notes(&self) -> bool {
        self.inner.finds_notes()
    }

    fn notes_below(&self, variant: usize, tail: &[u8], whole: bool) -> Option<usize> {
        self.inner.notes_below(self.inner(variant), tail, whole)
    }

    fn reader(
        &self,
        variant: usize,
        projection: &[usize],
    ) -> Result<Box<dyn ChunkReader>, BiotideError> {
        let variant = &self.variants[variant];
        let layout = Arc::clone(&variant.layout);
        TableReader::open(layout, self.schema(), variant.sources.clone(), projection)
    }

    fn fails_on_error(&self) -> bool {
        self.inner.fails_on_error()
    }

    fn widening(&self) -> Box<dyn Widening> {
        Box::new(Fixed(self.clone()))
    }
}

/// Types are those of the schema: there is nothing to find.
struct Fixed(SssomLayout);

impl Widening for Fixed {
    fn observe(&mut self, _variant: usize, records: &[u8], _eof: bool) -> usize {
        records.len()
    }

    fn layout(self: Box<Self>) -> Result<Arc<dyn TextLayout>, BiotideError> {
        Ok(Arc::new(self.0))
    }
}
