//! What one task or partition decodes units with.

use arrow::array::RecordBatch;
use biotide_text::chunk::RowFilter;
use datafusion_common::Result;
use datafusion_physical_plan::metrics::Count;

use super::cuts::Cut;
use super::file_scan::FileScan;
use super::filter::Predicate;
use super::stream_scan::StreamScan;
use crate::spec::ChunkReader;

/// A reader with its filter, its buffer and its metrics.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) reader: Box<dyn ChunkReader>,
    pub(super) predicate: Option<Predicate>,
    pub(super) buffer: Vec<u8>,
    pub(super) batch_rows: usize,
    pub(super) bytes_scanned: Count,
    pub(super) rows_rejected: Count,
}

impl Worker {
    /// Decodes a unit, of at most `limit` rows: its batches, and how many rows there were before filters.
    pub(super) async fn process(
        &mut self,
        scan: &FileScan,
        cut: Cut,
        limit: Option<usize>,
    ) -> Result<(Vec<RecordBatch>, u64)> {
        let chunk = scan.process(cut, self, limit).await?;
        self.bytes_scanned
            .add(usize::try_from(scan.stored(cut)).unwrap_or(0));
        self.rows_rejected
            .add(usize::try_from(chunk.rejected).unwrap_or(0));
        Ok((chunk.batches, chunk.delivered))
    }

    /// The batches of the next chunk of a compressed file; `None` at its end.
    pub(super) async fn next(&mut self, scan: &mut StreamScan) -> Result<Option<Vec<RecordBatch>>> {
        let filter = self.predicate.as_mut();
        let filter = filter.map(|filter| filter as &mut dyn RowFilter);
        let chunk = scan
            .next(&mut *self.reader, filter, self.batch_rows)
            .await?;
        Ok(chunk.map(|chunk| chunk.batches))
    }
}
