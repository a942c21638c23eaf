//! Compressed files of blocks that can be decompressed one by one, so that they are read anywhere, and in
//! parallel.

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use parking_lot::Mutex;

use super::{bgzf, seekable};

/// Unpacked blocks that are kept for who reads the other half of one.
const KEPT: usize = 4;

/// Bytes of a text, and of what it is packed in, that are too much for a block: it would be unpacked whole
/// for any part of it.
pub(super) const LARGEST: u64 = 8 << 20;

/// How blocks are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    /// BGZF.
    Bgzf,
    /// Zstandard frames, with a seek table.
    Zstd,
}

/// Where the blocks of a file are.
#[derive(Debug)]
pub(super) struct Blocks {
    packing: Packing,
    /// Of each block: where it starts in the file, and in the text.
    starts: Vec<(u64, u64)>,
    /// Of each block the low half of its text's XXH64; none where they are not known.
    checksums: Vec<u32>,
    /// Bytes of the file, and of its text.
    file: u64,
    text: u64,
    kept: Mutex<VecDeque<(usize, Unpacked)>>,
}

/// The text of a block, once somebody has unpacked it.
type Unpacked = Arc<Mutex<Option<Arc<Vec<u8>>>>>;

impl Blocks {
    /// Blocks that start so, in the file and in the text, of a file and a text of so many bytes.
    pub(super) fn new(packing: Packing, starts: Vec<(u64, u64)>, file: u64, text: u64) -> Self {
        Self {
            packing,
            starts,
            checksums: Vec::new(),
            file,
            text,
            kept: Mutex::default(),
        }
    }

    /// The same with a checksum of each block's text.
    pub(super) fn with_checksums(mut self, checksums: Vec<u32>) -> Self {
        self.checksums = checksums;
        self
    }

    /// Bytes of the text.
    pub(super) fn text(&self) -> u64 {
        self.text
    }

    /// Bytes of the file before the block in which the text has this offset.
    pub(super) fn before(&self, offset: u64) -> u64 {
        match offset < self.text {
            true => self.starts[self.block_at(offset)].0,
            false => self.file,
        }
    }

    fn block_at(&self, offset: u64) -> usize {
        self.starts
            .partition_point(|&(_, text)| text <= offset)
            .saturating_sub(1)
    }

    /// The blocks that hold a part of the text.
    fn blocks(&self, text: &Range<u64>) -> Range<usize> {
        let last = self.starts.partition_point(|&(_, at)| at < text.end);
        self.block_at(text.start)..last
    }

    /// Where a block ends, in the file and in the text.
    fn end(&self, block: usize) -> (u64, u64) {
        self.starts
            .get(block + 1)
            .copied()
            .unwrap_or((self.file, self.text))
    }

    /// The bytes of the file that hold a part of the text.
    pub(super) fn packed(&self, text: Range<u64>) -> Range<u64> {
        let blocks = self.blocks(&text);
        self.starts[blocks.start].0..self.end(blocks.end.saturating_sub(1)).0
    }

    /// Fills `out` with the text from `offset` on, which the file must have, from the bytes of the file
    /// that hold it. The error tells which block is damaged.
    pub(super) fn unpack(&self, packed: &[u8], offset: u64, out: &mut [u8]) -> io::Result<()> {
        let wanted = offset..offset + out.len() as u64;
        let blocks = self.blocks(&wanted);
        let from = self.starts[blocks.start].0;
        for block in blocks {
            let (at, text) = self.starts[block];
            let (next, text_end) = self.end(block);
            let place = |at: u64| usize::try_from(at - from).unwrap_or(usize::MAX);
            let bytes = packed.get(place(at)..place(next)).unwrap_or_default();
            let length = usize::try_from(text_end - text).unwrap_or(0);
            let skip = usize::try_from(offset.saturating_sub(text)).unwrap_or(0);
            let to = usize::try_from(text.saturating_sub(offset)).unwrap_or(0);
            let wanted = (length - skip).min(out.len() - to);
            let target = &mut out[to..to + wanted];
            let unpacked = match self.packing {
                _ if wanted == length => self.unpack_block(block, bytes, target),
                Packing::Bgzf => {
                    let mut whole = vec![0; length];
                    let unpacked = self.unpack_block(block, bytes, &mut whole);
                    target.copy_from_slice(&whole[skip..skip + wanted]);
                    unpacked
                }
                Packing::Zstd => match self.kept(block, bytes, length) {
                    Some(whole) => {
                        target.copy_from_slice(&whole[skip..skip + wanted]);
                        true
                    }
                    None => false,
                },
            };
            if !unpacked {
                let what = format!(
                    "the block at byte {at} (byte {text} of the text) is damaged; what comes before it can \
                     be read"
                );
                return Err(io::Error::new(io::ErrorKind::InvalidData, what));
            }
        }
        Ok(())
    }

    /// Whether the block holds just so many bytes.
    fn unpack_block(&self, block: usize, bytes: &[u8], out: &mut [u8]) -> bool {
        match self.packing {
            Packing::Bgzf => bgzf::unpack(bytes, out),
            Packing::Zstd => seekable::unpack(bytes, self.checksums.get(block).copied(), out),
        }
    }

    /// A whole block. Of those who want one at a time only the first unpacks it.
    fn kept(&self, block: usize, bytes: &[u8], length: usize) -> Option<Arc<Vec<u8>>> {
        let unpacked = {
            let mut kept = self.kept.lock();
            match kept.iter().find(|(known, _)| *known == block) {
                Some((_, unpacked)) => Arc::clone(unpacked),
                None => {
                    let unpacked = Unpacked::default();
                    kept.push_back((block, Arc::clone(&unpacked)));
                    if kept.len() > KEPT {
                        kept.pop_front();
                    }
                    unpacked
                }
            }
        };
        let mut unpacked = unpacked.lock();
        if let Some(whole) = &*unpacked {
            return Some(Arc::clone(whole));
        }
        let mut whole = vec![0; length];
        if !self.unpack_block(block, bytes, &mut whole) {
            return None;
        }
        let whole = Arc::new(whole);
        *unpacked = Some(Arc::clone(&whole));
        Some(whole)
    }
}
