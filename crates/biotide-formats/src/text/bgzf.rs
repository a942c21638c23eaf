//! BGZF (SAM specification, section 4.1): gzip in small blocks that can be decompressed one by one.

use std::fs::File;
use std::io;

use libdeflater::{Crc, Decompressor};

use super::blocks::{Blocks, Packing};
use super::chunk_source::read_at;

/// Bytes of a block's header: gzip's own, and the one extra field that every writer gives it alone.
const HEADER: usize = 18;

/// Checksum and length behind the data of a block.
const TRAILER: usize = 8;

/// The most text that a block can hold.
const LONGEST: u64 = 1 << 16;

/// Whether a file starts with a block.
pub(super) fn is_bgzf(head: &[u8]) -> bool {
    length(head).is_some()
}

/// The length of the block that starts so.
fn length(header: &[u8]) -> Option<u64> {
    let header: &[u8; HEADER] = header.first_chunk()?;
    let known = header[..4] == [31, 139, 8, 4] && header[10..16] == [6, 0, b'B', b'C', 2, 0];
    let length = u64::from(u16::from_le_bytes([header[16], header[17]])) + 1;
    (known && length > (HEADER + TRAILER) as u64).then_some(length)
}

/// Walks over the headers of a file. `None` where it is not of whole blocks to its end: then it is read from
/// start to end, and the damage is found in its place.
pub(super) fn walk(file: &File, size: u64) -> io::Result<Option<Blocks>> {
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
        // Its checksum and length as text stand at its end, and the next header behind that.
        let mut around = [0; TRAILER + HEADER];
        let behind = end - TRAILER as u64;
        let wanted = around
            .len()
            .min(usize::try_from(size - behind).unwrap_or(usize::MAX));
        read_exact_at(file, &mut around[..wanted], behind)?;
        let Some((trailer, next)) = around.split_first_chunk::<TRAILER>() else {
            return Ok(None);
        };
        let Some(length) = text_length(trailer) else {
            return Ok(None);
        };
        starts.push((at, text));
        text += length;
        header.copy_from_slice(next);
        at = end;
    }
    Ok(Some(Blocks::new(Packing::Bgzf, starts, size, text)))
}

/// The length of a block's text by its trailer; `None` where that cannot be: a block that is said to hold
/// nothing is never unpacked, so its checksum must say so too.
fn text_length(trailer: &[u8; TRAILER]) -> Option<u64> {
    let [checksum @ .., a, b, c, d] = *trailer;
    let length = u64::from(u32::from_le_bytes([a, b, c, d]));
    (length <= LONGEST && (length > 0 || checksum == [0; 4])).then_some(length)
}

/// The length of the text of a whole block.
pub(super) fn text_of(block: &[u8]) -> Option<u64> {
    match length(block) == Some(block.len() as u64) {
        true => text_length(block.last_chunk()?),
        false => None,
    }
}

/// Where the blocks of a file start that has this index, `FILE.gzi` (bgzip(1)): the number of entries, and
/// for each block but the first where it starts in the file and in the text. `None` where it is none.
pub(super) fn indexed(gzi: &[u8]) -> Option<Vec<(u64, u64)>> {
    let (number, entries) = gzi.split_first_chunk::<8>()?;
    let number = usize::try_from(u64::from_le_bytes(*number)).ok()?;
    let (numbers, rest) = entries.as_chunks::<8>();
    if !rest.is_empty() || number.checked_mul(2)? != numbers.len() {
        return None;
    }
    let mut starts = vec![(0, 0)];
    for pair in numbers.chunks_exact(2) {
        let start = (u64::from_le_bytes(pair[0]), u64::from_le_bytes(pair[1]));
        let last = starts.last().copied().unwrap_or_default();
        // (Blocks without text are found by their headers: what an index says of them is never checked.)
        if start.0 <= last.0 || start.1 <= last.1 || start.1 - last.1 > LONGEST {
            return None;
        }
        starts.push(start);
    }
    Some(starts)
}

/// The blocks of a file, by where those are that its index knows, and by its bytes from the last of them on.
pub(super) fn complete(mut starts: Vec<(u64, u64)>, end: &[u8], size: u64) -> Option<Blocks> {
    let (mut at, mut text) = starts.pop()?;
    let mut rest = end;
    while !rest.is_empty() {
        let length = usize::try_from(length(rest)?).ok()?;
        let block = rest.get(..length)?;
        starts.push((at, text));
        text += text_length(block.last_chunk()?)?;
        at += length as u64;
        rest = &rest[length..];
    }
    (at == size && !starts.is_empty()).then(|| Blocks::new(Packing::Bgzf, starts, size, text))
}

/// Whether the block holds just these bytes, and their checksum.
pub(super) fn unpack(block: &[u8], out: &mut [u8]) -> bool {
    if length(block) != Some(block.len() as u64) {
        return false;
    }
    let Some((data, trailer)) = block[HEADER..].split_last_chunk::<TRAILER>() else {
        return false;
    };
    let done = Decompressor::new().deflate_decompress(data, out);
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

    const PARTS: [&[u8]; 5] = [b"first block\n", b"", b"x", b"and the third one", b""];

    /// Any part of the text is what it should be.
    fn check(blocks: &Blocks, bytes: &[u8], text: &[u8]) {
        assert_eq!(blocks.text(), text.len() as u64);
        for from in 0..text.len() {
            for to in from + 1..=text.len() {
                let span = blocks.packed(from as u64..to as u64);
                let span = span.start as usize..span.end as usize;
                let mut out = vec![0; to - from];
                blocks.unpack(&bytes[span], from as u64, &mut out).unwrap();
                assert_eq!(out, &text[from..to]);
            }
        }
        // Parts of the file add up.
        let all = (blocks.before(0), blocks.before(text.len() as u64));
        assert_eq!(all, (0, bytes.len() as u64));
    }

    fn written(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[test]
    fn blocks_are_found_by_their_headers() {
        let bytes: Vec<u8> = PARTS.iter().flat_map(|part| block(part)).collect();
        let text = PARTS.concat();
        assert!(is_bgzf(&bytes));
        let file = written(&bytes);
        let size = bytes.len() as u64;
        check(&walk(&file, size).unwrap().unwrap(), &bytes, &text);
        // Cut anywhere, it is not of whole blocks; or of fewer.
        for cut in 1..bytes.len() {
            if let Some(fewer) = walk(&file, cut as u64).unwrap() {
                assert!(
                    fewer.text() < text.len() as u64 || cut as u64 + 28 >= size,
                    "{cut}"
                );
            }
        }
        let mut bad = bytes.clone();
        bad[HEADER + 2] ^= 1;
        let blocks = walk(&written(&bad), size).unwrap().unwrap();
        let error = blocks.unpack(&bad, 0, &mut [0; 4]).unwrap_err();
        assert!(error.to_string().contains("the block at byte 0"), "{error}");
    }

    #[test]
    fn blocks_are_found_by_an_index() {
        let packed: Vec<Vec<u8>> = PARTS.iter().map(|part| block(part)).collect();
        let (bytes, text) = (packed.concat(), PARTS.concat());
        let mut starts = vec![(0, 0)];
        for (packed, part) in packed.iter().zip(PARTS) {
            let (at, text): (u64, u64) = starts[starts.len() - 1];
            starts.push((at + packed.len() as u64, text + part.len() as u64));
        }
        // Of all blocks, or of all but the last few. (Those behind an empty one are not indexed so.)
        for known in 1..=2 {
            let mut gzi = (known as u64 - 1).to_le_bytes().to_vec();
            for (at, text) in &starts[1..known] {
                gzi.extend(at.to_le_bytes());
                gzi.extend(text.to_le_bytes());
            }
            let found = indexed(&gzi).unwrap();
            assert_eq!(found, starts[..known]);
            let end = &bytes[found[known - 1].0 as usize..];
            let blocks = complete(found, end, bytes.len() as u64).unwrap();
            check(&blocks, &bytes, &text);
            gzi.pop();
            assert_eq!(indexed(&gzi), None);
        }
        // One of another file: nothing is read wrongly.
        let other = vec![(0, 0), (packed[0].len() as u64, 13)];
        let end = &bytes[packed[0].len()..];
        let blocks = complete(other, end, bytes.len() as u64).unwrap();
        assert!(blocks.unpack(&bytes, 0, &mut [0; 4]).is_err());
    }
}
