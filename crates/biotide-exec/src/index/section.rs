//! Arrays of an index, in segments: in memory, or in a file.

use std::ops::Range;
use std::sync::Arc;

use datafusion_common::{Result, internal_err};

use super::charge::Charge;
use super::pages::{PAGE, Pages};
use super::record::{Record, get_all, put_all};
use super::spill::SpillFile;

/// An array.
#[derive(Debug)]
pub(crate) struct Section<T> {
    pub(crate) segments: Vec<Segment<T>>,
    pages: Option<Arc<Pages>>,
}

/// A piece of one.
#[derive(Debug)]
pub(crate) enum Segment<T> {
    Memory(Vec<T>),
    /// Where it begins in the file, and how many there are.
    File(u64, usize),
}

impl<T> Segment<T> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Memory(records) => records.len(),
            Self::File(_, n) => *n,
        }
    }
}

/// What is read from a file is put here.
#[derive(Debug)]
pub(crate) struct Scratch<T> {
    bytes: Vec<u8>,
    records: Vec<T>,
}

impl<T> Default for Scratch<T> {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            records: Vec::new(),
        }
    }
}

impl<T: Record> Section<T> {
    pub(crate) fn new(segments: Vec<Segment<T>>, pages: Option<Arc<Pages>>) -> Self {
        Self { segments, pages }
    }

    /// How many records a segment has.
    pub(crate) fn len(&self, segment: usize) -> usize {
        self.segments.get(segment).map_or(0, Segment::len)
    }

    /// The records of a segment in a range.
    pub(crate) fn read<'a>(
        &'a self,
        segment: usize,
        range: Range<usize>,
        scratch: &'a mut Scratch<T>,
    ) -> Result<&'a [T]> {
        match (self.segments.get(segment), &self.pages) {
            (Some(Segment::Memory(records)), _) => match records.get(range) {
                Some(records) => Ok(records),
                None => internal_err!("a range outside of a segment"),
            },
            (Some(Segment::File(at, n)), Some(pages))
                if range.end <= *n && range.start <= range.end =>
            {
                scratch.bytes.resize(range.len() * T::BYTES, 0);
                pages.read(at + (range.start * T::BYTES) as u64, &mut scratch.bytes)?;
                scratch.records.clear();
                get_all(&scratch.bytes, &mut scratch.records);
                Ok(&scratch.records)
            }
            _ => internal_err!("no such segment"),
        }
    }

    /// The records that begin on the page of the file on which this one does; all, if they are in memory.
    pub(crate) fn page(&self, segment: usize, record: usize) -> Range<usize> {
        let Some(Segment::File(at, n)) = self.segments.get(segment) else {
            return 0..self.len(segment);
        };
        let page = (at + (record * T::BYTES) as u64) / PAGE as u64 * PAGE as u64;
        let from = page.saturating_sub(*at) as usize;
        let to = (page + PAGE as u64 - at) as usize;
        from.div_ceil(T::BYTES)..(to / T::BYTES).max(record + 1).min(*n)
    }

    /// A segment that is in memory.
    pub(crate) fn in_memory(&self, segment: usize) -> Option<&[T]> {
        match self.segments.get(segment) {
            Some(Segment::Memory(records)) => Some(records),
            _ => None,
        }
    }
}

/// Gathers the segments of an array, in their order.
#[derive(Debug)]
pub(crate) struct SectionBuilder<T> {
    segments: Vec<Segment<T>>,
    charge: Arc<Charge>,
    file: Arc<SpillFile>,
    /// Whether memory was refused: then all goes to the file.
    full: bool,
}

impl<T: Record> SectionBuilder<T> {
    pub(crate) fn new(charge: &Arc<Charge>, file: &Arc<SpillFile>) -> Self {
        Self {
            segments: Vec::new(),
            charge: Arc::clone(charge),
            file: Arc::clone(file),
            full: false,
        }
    }

    pub(crate) fn push(&mut self, records: Vec<T>) -> Result<()> {
        if !self.full && self.charge.try_grow(records.capacity() * size_of::<T>()) {
            self.segments.push(Segment::Memory(records));
            return Ok(());
        }
        self.spill()?;
        let segment = write(&records, &self.file)?;
        self.segments.push(segment);
        Ok(())
    }

    /// Writes what is in memory to the file, and all that comes.
    pub(crate) fn spill(&mut self) -> Result<()> {
        self.full = true;
        spill(&mut self.segments, &self.charge, &self.file)
    }

    pub(crate) fn finish(self) -> Vec<Segment<T>> {
        self.segments
    }
}

/// Writes the segments that are in memory to a file.
pub(crate) fn spill<T: Record>(
    segments: &mut [Segment<T>],
    charge: &Charge,
    file: &SpillFile,
) -> Result<()> {
    for segment in segments {
        if let Segment::Memory(records) = segment {
            let records = std::mem::take(records);
            *segment = write(&records, file)?;
            charge.shrink(records.capacity() * size_of::<T>());
        }
    }
    Ok(())
}

fn write<T: Record>(records: &[T], file: &SpillFile) -> Result<Segment<T>> {
    let mut bytes = Vec::new();
    put_all(records, &mut bytes);
    Ok(Segment::File(file.append(&bytes)?, records.len()))
}
