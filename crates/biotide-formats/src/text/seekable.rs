//! Zstandard's seekable format: frames of their own, and behind them a table of their sizes
//! (`contrib/seekable_format/zstd_seekable_compression_format.md` of zstd).

use twox_hash::XxHash64;

use super::blocks::{Blocks, LARGEST, Packing};

/// Bytes of the header of a skippable frame, and of the footer of the table in it.
const HEADER: usize = 8;
const FOOTER: usize = 9;

const SKIPPABLE: u32 = 0x184D_2A5E;
const SEEKABLE: u32 = 0x8F92_EAB1;

/// Bytes at the end of a file that say how long its table is.
pub(super) const END: usize = FOOTER;

/// The length of the table, with the frame that it is in, of a file that ends so.
pub(super) fn table_length(end: &[u8]) -> Option<usize> {
    let footer: &[u8; FOOTER] = end.last_chunk()?;
    let [a, b, c, d, descriptor, magic @ ..] = *footer;
    if u32::from_le_bytes(magic) != SEEKABLE || descriptor & 0b0111_1100 != 0 {
        return None;
    }
    let frames = usize::try_from(u32::from_le_bytes([a, b, c, d])).ok()?;
    frames
        .checked_mul(entry(descriptor))?
        .checked_add(HEADER + FOOTER)
}

/// Bytes of an entry: two sizes, and maybe a checksum.
fn entry(descriptor: u8) -> usize {
    if descriptor & 0b1000_0000 != 0 { 12 } else { 8 }
}

/// The frames of a file of so many bytes that ends with this table. `None` where the table does not fit, or
/// frames are so large that nothing is gained.
pub(super) fn frames(table: &[u8], file: u64) -> Option<Blocks> {
    if table_length(table)? != table.len() {
        return None;
    }
    let (header, entries) = table.split_first_chunk::<HEADER>()?;
    let (entries, footer) = entries.split_last_chunk::<FOOTER>()?;
    let [a, b, c, d, e, f, g, h] = *header;
    let length = u32::from_le_bytes([e, f, g, h]) as usize;
    if u32::from_le_bytes([a, b, c, d]) != SKIPPABLE || length + HEADER != table.len() {
        return None;
    }
    let (mut at, mut text) = (0u64, 0u64);
    let (mut starts, mut checksums) = (Vec::new(), Vec::new());
    for entry in entries.chunks_exact(entry(footer[4])) {
        let (sizes, checksum) = entry.split_first_chunk::<8>()?;
        checksums.extend(checksum.first_chunk().map(|sum| u32::from_le_bytes(*sum)));
        let [a, b, c, d, e, f, g, h] = *sizes;
        let packed = u64::from(u32::from_le_bytes([a, b, c, d]));
        let length = u64::from(u32::from_le_bytes([e, f, g, h]));
        // (A frame that is said to hold nothing would never be unpacked, and so never be checked.)
        if packed > LARGEST || length > LARGEST || length == 0 && packed > 0 {
            return None;
        }
        starts.push((at, text));
        at += packed;
        text += length;
    }
    // (Decoders pass over the table, which is a frame that may be skipped: it goes with the last one.)
    let fits = at + table.len() as u64 == file && !starts.is_empty();
    fits.then(|| Blocks::new(Packing::Zstd, starts, file, text).with_checksums(checksums))
}

/// Whether a frame holds just so many bytes, of this checksum.
pub(super) fn unpack(frame: &[u8], checksum: Option<u32>, out: &mut [u8]) -> bool {
    let length = out.len();
    let unpacked = zstd::bulk::decompress_to_buffer(frame, out).is_ok_and(|n| n == length);
    unpacked && checksum.is_none_or(|sum| sum == XxHash64::oneshot(0, out) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(parts: &[&[u8]], checksums: bool) -> Vec<u8> {
        let (mut out, mut table) = (Vec::new(), Vec::new());
        for part in parts {
            let frame = zstd::bulk::compress(part, 1).unwrap();
            table.extend((frame.len() as u32).to_le_bytes());
            table.extend((part.len() as u32).to_le_bytes());
            let sum = (XxHash64::oneshot(0, part) as u32).to_le_bytes();
            table.extend(checksums.then_some(sum).iter().flatten());
            out.extend(frame);
        }
        out.extend(SKIPPABLE.to_le_bytes());
        out.extend(((table.len() + FOOTER) as u32).to_le_bytes());
        out.extend(table);
        out.extend((parts.len() as u32).to_le_bytes());
        out.push(if checksums { 0b1000_0000 } else { 0 });
        out.extend(SEEKABLE.to_le_bytes());
        out
    }

    #[test]
    fn any_part_of_the_text_is_read() {
        let parts: [&[u8]; 3] = [b"first frame\n", b"x", b"and the last one"];
        let text = parts.concat();
        for checksums in [false, true] {
            let bytes = packed(&parts, checksums);
            let table = bytes.len() - table_length(&bytes).unwrap();
            let blocks = frames(&bytes[table..], bytes.len() as u64).unwrap();
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
        }
    }

    #[test]
    fn a_table_that_does_not_fit_is_none() {
        let bytes = packed(&[b"first", b"second"], true);
        let length = table_length(&bytes).unwrap();
        let table = &bytes[bytes.len() - length..];
        assert!(frames(table, bytes.len() as u64).is_some());
        assert!(frames(table, bytes.len() as u64 + 1).is_none());
        for at in 0..length {
            let mut bad = table.to_vec();
            bad[at] ^= 4;
            // Sizes of a text are only known to be wrong when it is unpacked.
            let blocks = frames(&bad, bytes.len() as u64);
            let Some(blocks) = blocks else { continue };
            let mut out = vec![0; blocks.text() as usize];
            assert!(blocks.unpack(&bytes, 0, &mut out).is_err(), "{at}");
        }
    }
}
