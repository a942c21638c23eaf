//! What a format's author implements.

use std::fmt::Debug;
use std::sync::Arc;

use arrow::buffer::Buffer;
use arrow::datatypes::SchemaRef;
use biotide_common::BiotideError;
use biotide_common::options::BiotideOptions;
use biotide_text::chunk::{DecodedChunk, Flaw, Place, RowFilter, Stop};
use biotide_text::delimited::RecordEnd;
use biotide_text::problem::Problem;
use biotide_text::sample::Sample;
use encoding_rs::Encoding;

use crate::compress::Codec;

/// A file that was looked at.
#[derive(Debug, Clone)]
pub struct SampledFile {
    /// Its path or URL, as messages name it.
    pub name: String,
    /// Its size as it lies in its store.
    pub size: u64,
    /// How it is compressed.
    pub codec: Codec,
    /// Whether it is compressed in blocks that can be unpacked one by one (BGZF, seekable zstd).
    pub blocks: bool,
    /// What its text is in.
    pub encoding: &'static Encoding,
    /// Its start and some places further on, decompressed, and UTF-8 if [`Charset::of`] its encoding is
    /// nothing.
    ///
    /// [`Charset::of`]: biotide_text::charset::Charset::of
    pub sample: Sample,
    /// The first file of [`FormatSpec::companions`] that is there.
    pub companion: Option<Companion>,
}

/// A file that says something of another one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Companion {
    /// Its path or URL.
    pub name: String,
    /// All of it.
    pub text: Vec<u8>,
}

/// A text format: from samples to a layout.
pub trait FormatSpec: Debug + Send + Sync + 'static {
    /// Its name in SQL: `STORED AS NAME`, `read_name(…)`.
    fn name(&self) -> &'static str;

    /// Other names for it.
    fn aliases(&self) -> &'static [&'static str] {
        &[]
    }

    /// File name endings, without compression.
    fn extensions(&self) -> &'static [&'static str];

    /// Whether these first bytes of a file, decompressed, are enough to know its columns. A whole file
    /// always is.
    fn is_enough(&self, head: &[u8], options: &BiotideOptions) -> Result<bool, BiotideError>;

    /// Files that may say more of the one at this path, which starts so: the first that is there is read.
    fn companions(&self, _path: &str, _head: &[u8]) -> Vec<String> {
        Vec::new()
    }

    /// What the records of these files are like. A file that cannot be of one table with the others is
    /// refused by name.
    fn layout(
        &self,
        files: &[SampledFile],
        options: &BiotideOptions,
    ) -> Result<Arc<dyn TextLayout>, BiotideError>;
}

/// What the records of a table's files are like. Files may be of several *variants*: other columns, or
/// the same in another order.
pub trait TextLayout: Debug + Send + Sync + 'static {
    /// The schema of the files, opt-in metadata columns included.
    fn schema(&self) -> SchemaRef;

    /// The mean length of a record in bytes, as far as the sample showed it.
    fn mean_record_bytes(&self) -> f64;

    /// The least length that a record of good shape can have in files of a variant, line end included.
    fn min_record_bytes(&self, variant: usize) -> u64;

    /// Whether a column tells the line of its record: then a chunk is decoded only when its place is
    /// certain.
    fn shows_lines(&self) -> bool;

    /// Whether files of a variant can be read from any line on; else they are read from their start.
    fn reads_anywhere(&self, variant: usize) -> bool;

    /// What ends lines in files of a variant.
    fn record_end(&self, variant: usize) -> RecordEnd;

    /// The encoding of the files, if they have to be made UTF-8 before they are read.
    fn transcoded_from(&self) -> Option<&'static Encoding>;

    /// What was found, for a person.
    fn describe(&self) -> Description;

    /// Why this may be no table at all, of a file whose name does not say that it is one.
    fn doubt(&self) -> Option<&'static str>;

    /// Where the records of a file start, by what was decided when it was planned; an error where it is
    /// not a file of this layout. `None` if that needs more than these first bytes.
    fn start(&self, file: &str, head: &[u8], eof: bool) -> Result<Option<FileStart>, BiotideError>;

    /// Whether notes below the table are looked for.
    fn finds_notes(&self) -> bool {
        false
    }

    /// Where they start in the last bytes of a file of a variant; `whole` says that those start with a
    /// record.
    fn notes_below(&self, _variant: usize, _tail: &[u8], _whole: bool) -> Option<usize> {
        None
    }

    /// A reader of files of a variant: of the columns of `projection` (positions in
    /// [`TextLayout::schema`]), which are NULL where these files have none.
    fn reader(
        &self,
        variant: usize,
        projection: &[usize],
    ) -> Result<Box<dyn ChunkReader>, BiotideError>;

    /// Whether one bad row ends the read.
    fn fails_on_error(&self) -> bool;

    /// For `infer = full`: types that hold all values of the files.
    fn widening(&self) -> Box<dyn Widening>;
}

/// What was found of a table's files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Description {
    /// How the files are read, in words.
    pub dialect: Vec<String>,
    /// The options that read them the same way.
    pub options: Vec<(&'static str, String)>,
    /// For each column, what its type was found by.
    pub evidence: Vec<String>,
    /// What is odd about the header, or the files.
    pub warnings: Vec<String>,
    /// Files whose columns are not those of the first, with how they differ.
    pub different: Vec<(String, String)>,
}

/// Finds types that hold all values of a table's files.
pub trait Widening: Send {
    /// Looks at the next decompressed bytes of a file of a variant, from the start of a record on; answers
    /// how many are done with. `eof` says that nothing follows.
    fn observe(&mut self, variant: usize, records: &[u8], eof: bool) -> usize;

    /// The layout with the types that were seen.
    fn layout(self: Box<Self>) -> Result<Arc<dyn TextLayout>, BiotideError>;
}

/// Where the records of a file start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileStart {
    /// Byte offset of the first record.
    pub offset: u64,
    /// Newlines before it.
    pub lines: u64,
    /// Where the table ends, if another one stands below it.
    pub end: Option<u64>,
    /// Which of the layout's variants the file is of.
    pub variant: usize,
}

/// Decodes chunks, see [`biotide_text::chunk::ChunkDecoder`].
pub trait ChunkReader: Debug + Send {
    /// Finds the records that start in `bytes[from..limit]`.
    fn index(
        &mut self,
        bytes: &[u8],
        from: usize,
        limit: usize,
        eof: bool,
        filtered: bool,
    ) -> biotide_text::Result<Stop>;

    /// The columns (positions in [`TextLayout::schema`]) of the filter that chunks will be decoded with, if
    /// there is one. Told before the first chunk is indexed.
    fn expect_filter(&mut self, columns: &[usize]);

    /// Says where notes below the table start in the chunks to come, if they do.
    fn notes_from(&mut self, at: Option<usize>);

    /// Records and newlines that the last index passed.
    fn passed(&self) -> (u64, u64);

    /// Builds batches from what the last index found, of at most `limit` rows in all.
    fn decode(
        &self,
        bytes: &Buffer,
        place: Place,
        filter: Option<&mut dyn RowFilter>,
        batch_rows: usize,
        limit: Option<usize>,
    ) -> biotide_text::Result<DecodedChunk>;

    /// What was wrong, in words, with a record or value of the chunk that was decoded last.
    fn describe(&self, bytes: &Buffer, place: Place, flaw: &Flaw) -> Problem;
}
