//! BGZF (SAM specification, section 4.1): gzip in small blocks that can be decompressed one by one, so that
//! such a file is read anywhere, and in parallel.

use std::fs::File;
use std::io;

use libdeflater::{Crc, Decompressor};

use super::chunk_source::read_at;

/// Bytes of a block's header: gzip's own, and the one extra field that every writer gives it alone.
const HEADER: usize = 18;

/// Checksum and length behind the data of a block.
const TRAILER: usize = 8;

/// Where the blocks of a file are.
#[derive(Debug)]
pub(crate) struct Blocks {
    /// Of each block: where it starts in the file, and in the text.
    starts: Vec<(u64, u64)>,
    /// Bytes of the file, and of its text.
    file: u64,
    text: u64,
}

/// Whether a file starts with a block.
pub(crate) fn is_bgzf(head: &[u8]) -> bool {
    length(head).is_some()
}

/// The length of the block that starts so.
fn length(header: &[u8]) -> Option<u64> {
    let header: &[u8; HEADER] = header.first_chunk()?;
    let known = header[..4] == [31, 139, 8, 4] && header[10..16] == [6, 0, b'B', b'C', 2, 0];
    let length = u64::from(u16::from_le_bytes([header[16], header[17]])) + 1;
    (known && length > (HEADER + TRAILER) as u64).then_some(length)
}

impl Blocks {
    /// Walks over the headers of a file. `None` where it is not of whole blocks to its end: then it is
    /// read from start to end, and the damage is found in its place.
    pub(crate) fn of(file: &File, size: u64) -> io::Result<Option<Self>> {
        let mut starts = Vec::new();
        let (mut at, mut text) = (0u64, 0u64);
        let mut header = [0; HEADER];
        if size < HEADER as u64 {
            return Ok(None);
        }
        read_exact_at(file, &mut header, 0)?;
        while at < size {
            let Some(length) = length(&header) else {
                return Ok(None);
            };
            let end = at + length;
            if end > size {
                return Ok(None);
            }
            // Its length as text stands at its end, and the next header behind that.
            let mut around = [0; 4 + HEADER];
            let wanted = (4 + HEADER).min(usize::try_from(size - (end - 4)).unwrap_or(usize::MAX));
            read_exact_at(file, &mut around[..wanted], end - 4)?;
            let [a, b, c, d, next @ ..] = around;
            starts.push((at, text));
            let length = u64::from(u32::from_le_bytes([a, b, c, d]));
            if length > 1 << 16 {
                return Ok(None);
            }
            text += length;
            header = next;
            at = end;
        }
        let blocks = Self {
            starts,
            file: size,
            text,
        };
        Ok(Some(blocks))
    }

    /// Bytes of the text.
    pub(crate) fn text(&self) -> u64 {
        self.text
    }

    /// Bytes of the file before the block in which the text has this offset.
    pub(crate) fn before(&self, offset: u64) -> u64 {
        if offset >= self.text {
            return self.file;
        }
        self.starts[self.block_at(offset)].0
    }

    fn block_at(&self, offset: u64) -> usize {
        self.starts
            .partition_point(|&(_, text)| text <= offset)
            .saturating_sub(1)
    }

    /// Fills `out` with the text from `offset` on, which the file must have. The error tells which block.
    pub(crate) fn fill(&self, file: &File, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let end = offset + out.len() as u64;
        let first = self.block_at(offset);
        let last = self.starts.partition_point(|&(_, text)| text < end);
        let (from, to) = (self.starts[first].0, self.end(last.saturating_sub(1)).0);
        let mut packed = vec![0; usize::try_from(to - from).unwrap_or(usize::MAX)];
        read_exact_at(file, &mut packed, from)?;
        let mut decoder = Decompressor::new();
        let mut whole = Vec::new();
        for block in first..last {
            let (at, text) = self.starts[block];
            let (next, text_end) = self.end(block);
            let place = |at: u64| usize::try_from(at - from).unwrap_or(usize::MAX);
            let bytes = &packed[place(at)..place(next)];
            let length = usize::try_from(text_end - text).unwrap_or(0);
            let skip = usize::try_from(offset.saturating_sub(text)).unwrap_or(0);
            let to = usize::try_from(text.saturating_sub(offset)).unwrap_or(0);
            let wanted = (length - skip).min(out.len() - to);
            let target = &mut out[to..to + wanted];
            let unpacked = if wanted == length {
                unpack(&mut decoder, bytes, target)
            } else {
                whole.resize(length, 0);
                let unpacked = unpack(&mut decoder, bytes, &mut whole);
                target.copy_from_slice(&whole[skip..skip + wanted]);
                unpacked
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

    /// Where a block ends, in the file and in the text.
    fn end(&self, block: usize) -> (u64, u64) {
        self.starts
            .get(block + 1)
            .copied()
            .unwrap_or((self.file, self.text))
    }
}

/// Whether the block holds just these bytes, and their checksum.
fn unpack(decoder: &mut Decompressor, block: &[u8], out: &mut [u8]) -> bool {
    let Some((data, trailer)) = block[HEADER..].split_last_chunk::<TRAILER>() else {
        return false;
    };
    let done = decoder.deflate_decompress(data, out);
    let mut checksum = Crc::new();
    checksum.update(out);
    let [a, b, c, d, ..] = *trailer;
    done == Ok(out.len()) && checksum.sum() == u32::from_le_bytes([a, b, c, d])
}

fn read_exact_at(file: &File, out: &mut [u8], offset: u64) -> io::Result<()> {
    match read_at(file, out, offset)? == out.len() {
        true => Ok(()),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn block(text: &[u8]) -> Vec<u8> {
        let mut packer =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(text).unwrap();
        let data = packer.finish().unwrap();
        let mut out = vec![31, 139, 8, 4, 0, 0, 0, 0, 0, 255, 6, 0, b'B', b'C', 2, 0];
        out.extend(((data.len() + HEADER + TRAILER - 1) as u16).to_le_bytes());
        out.extend(data);
        let mut checksum = Crc::new();
        checksum.update(text);
        out.extend(checksum.sum().to_le_bytes());
        out.extend((text.len() as u32).to_le_bytes());
        out
    }

    #[test]
    fn any_part_of_the_text_is_read() {
        let parts: [&[u8]; 5] = [b"first block\n", b"", b"x", b"and the third one", b""];
        let bytes: Vec<u8> = parts.iter().flat_map(|part| block(part)).collect();
        let text = parts.concat();
        assert!(is_bgzf(&bytes));
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        let size = bytes.len() as u64;
        let blocks = Blocks::of(&file, size).unwrap().unwrap();
        assert_eq!(blocks.text(), text.len() as u64);
        for from in 0..text.len() {
            for to in from + 1..=text.len() {
                let mut out = vec![0; to - from];
                blocks.fill(&file, from as u64, &mut out).unwrap();
                assert_eq!(out, &text[from..to]);
            }
        }
        // Parts of the file add up.
        assert_eq!(
            (blocks.before(0), blocks.before(text.len() as u64)),
            (0, size)
        );
        // Cut anywhere, it is not of whole blocks; or of fewer.
        for cut in 1..bytes.len() {
            if let Some(fewer) = Blocks::of(&file, cut as u64).unwrap() {
                assert!(
                    fewer.text() < text.len() as u64 || cut as u64 + 28 >= size,
                    "{cut}"
                );
            }
        }
        let mut bad = bytes.clone();
        bad[HEADER + 2] ^= 1;
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bad).unwrap();
        let blocks = Blocks::of(&file, size).unwrap().unwrap();
        let error = blocks.fill(&file, 3, &mut [0; 4]).unwrap_err();
        assert!(error.to_string().contains("the block at byte 0"), "{error}");
    }
}
