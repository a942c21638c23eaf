//! The part of a Parquet file, and the log of its row groups.

use std::path::Path;
use std::sync::Arc;

use ::parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowRowGroupWriterFactory};
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::types::SchemaDescPtr;
use arrow::datatypes::SchemaRef;
use biotide_common::BiotideError;
use bytes::Bytes;
use datafusion_common::{DataFusionError, Result};

use super::footer::{PageIndexes, Placed, RowGroups, advance};
use crate::sink::resumable::durable::{Durable, Mark};
use crate::sink::resumable::part::{Part, failed, remove};

/// Bytes before the first row group.
const MAGIC: u64 = 4;

/// A Parquet file that lacks its footer.
pub(super) struct PartFile {
    writer: SerializedFileWriter<Placed<Part>>,
    schema: SchemaDescPtr,
    groups: RowGroups,
    log: Part,
    /// Row groups that are in the log.
    logged: usize,
}

impl PartFile {
    /// Goes on where a run before has made the part durable, or begins.
    pub(super) fn open(
        part: Part,
        log: &Path,
        schema: SchemaDescPtr,
        properties: &Arc<WriterProperties>,
        resume: Option<&Durable>,
    ) -> Result<Self> {
        let (log, groups) = match resume {
            None => (Part::fresh(log.to_owned(), log)?, RowGroups::default()),
            Some(durable) => {
                let Some(mark) = durable.log else {
                    let problem = "the log of its row groups is missing; start the run anew";
                    return Err(BiotideError::file(log.display().to_string(), problem).into());
                };
                (Part::resume(log.to_owned(), mark)?, read_log(log, mark)?)
            }
        };
        let skip = part.length();
        let path = part.path().to_owned();
        let placed = Placed { inner: part, skip };
        let wrong = |e| failure(&path, e);
        let root = schema.root_schema_ptr();
        let mut writer =
            SerializedFileWriter::new(placed, root, Arc::clone(properties)).map_err(wrong)?;
        advance(skip.saturating_sub(MAGIC), |zeros| writer.write_all(zeros))
            .and_then(|()| writer.flush())
            .map_err(|e| failed("writing", &path, e))?;
        Ok(Self {
            writer,
            schema,
            logged: groups.len(),
            groups,
            log,
        })
    }

    /// What makes the writers of columns.
    pub(super) fn factory(&self, schema: SchemaRef) -> ArrowRowGroupWriterFactory {
        ArrowRowGroupWriterFactory::new(&self.writer, schema)
    }

    fn part(&mut self) -> &mut Part {
        &mut self.writer.inner_mut().inner
    }

    fn path(&self) -> &Path {
        self.writer.inner().inner.path()
    }

    /// Appends a row group.
    pub(super) fn append(&mut self, chunks: Vec<ArrowColumnChunk>) -> Result<()> {
        if self.groups.len() >= i16::MAX as usize {
            let problem = "a Parquet file has at most 32767 row groups; commit less often";
            return Err(BiotideError::file(self.path().display().to_string(), problem).into());
        }
        let append = || {
            let mut pages = PageIndexes::default();
            let mut group = self.writer.next_row_group()?;
            for chunk in chunks {
                pages.add(&chunk);
                chunk.append_to_row_group(&mut group)?;
            }
            let group = group.close()?;
            self.groups.push(&group, pages)
        };
        append().map_err(|e| failure(self.path(), e))
    }

    /// Makes the row groups so far durable, then what is known of them.
    pub(super) fn commit(&mut self) -> Result<(Mark, Mark)> {
        self.writer
            .flush()
            .map_err(|e| failed("writing", self.path(), e))?;
        let part = self.part().commit()?;
        if self.logged < self.groups.len() {
            let footer = self.footer(self.logged, 0)?;
            self.log.append(&(footer.len() as u64).to_le_bytes())?;
            self.log.append(&footer)?;
            self.logged = self.groups.len();
        }
        Ok((part, self.log.commit()?))
    }

    /// Completes the file, and gives it its name.
    pub(super) fn finish(&mut self, target: &Path, replace: bool) -> Result<u64> {
        self.writer
            .flush()
            .map_err(|e| failed("writing", self.path(), e))?;
        let at = self.part().length();
        let footer = self.footer(0, at)?;
        let part = self.part();
        part.append(&footer)?;
        part.publish(target, replace)?;
        let bytes = part.length();
        remove(self.log.path())?;
        Ok(bytes)
    }

    fn footer(&self, first: usize, at: u64) -> Result<Vec<u8>> {
        let footer = self
            .groups
            .footer(first, at, &self.schema, self.writer.properties());
        footer.map_err(|e| failure(self.path(), e))
    }
}

/// The row groups that are in a log.
fn read_log(path: &Path, mark: Mark) -> Result<RowGroups> {
    let bytes = std::fs::read(path).map_err(|e| failed("reading", path, e))?;
    let mut bytes = Bytes::from(bytes);
    bytes.truncate(usize::try_from(mark.length).unwrap_or(usize::MAX));
    let mut groups = RowGroups::default();
    let broken = || {
        let problem = "the log of row groups is broken; start the run anew";
        BiotideError::file(path.display().to_string(), problem)
    };
    while !bytes.is_empty() {
        let length = bytes.first_chunk::<8>().ok_or_else(broken)?;
        let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| broken())?;
        let mut footer = bytes.split_off(8);
        if footer.len() < length {
            return Err(broken().into());
        }
        bytes = footer.split_off(length);
        groups.read(footer).map_err(|e| failure(path, e))?;
    }
    Ok(groups)
}

/// An error of the Parquet writer, with the path; one of the disk as such.
pub(super) fn failure(path: &Path, error: ParquetError) -> DataFusionError {
    let error = match error {
        ParquetError::External(error) => match error.downcast::<std::io::Error>() {
            Ok(error) => return failed("writing", path, *error).into(),
            Err(error) => ParquetError::External(error),
        },
        error => error,
    };
    DataFusionError::from(error).context(format!("writing {}", path.display()))
}
