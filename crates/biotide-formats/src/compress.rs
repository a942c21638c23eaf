//! Compression: told by the first bytes, not by the name, and undone from start to end.

use std::io::{BufRead, Read};

use biotide_common::BiotideError;
use biotide_common::options::Compression;
use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::GzDecoder;
use lz4_flex::frame::FrameDecoder;
use lzma_rust2::XzReader;

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// Not at all: may be read anywhere.
    None,
    /// gzip, of any number of members (BGZF too).
    Gzip,
    /// Zstandard, of any number of frames.
    Zstd,
    /// bzip2, of any number of streams.
    Bzip2,
    /// xz, of any number of streams.
    Xz,
    /// LZ4 frames.
    Lz4,
    /// A zip archive, of which one member is read.
    Zip,
}

/// First bytes, and the codec that they tell.
const KNOWN: [(&[u8], Codec); 6] = [
    (&[0x1F, 0x8B, 0x08], Codec::Gzip),
    (&[0x28, 0xB5, 0x2F, 0xFD], Codec::Zstd),
    (&[0xFD, b'7', b'z', b'X', b'Z', 0], Codec::Xz),
    (&[0x04, 0x22, 0x4D, 0x18], Codec::Lz4),
    (b"PK\x03\x04", Codec::Zip),
    (b"PK\x05\x06", Codec::Zip),
];

/// First bytes of what is no table.
const NO_TABLE: [(&[u8], &str); 14] = [
    (
        &[0x02, 0x21, 0x4C, 0x18],
        "LZ4 data of the old kind; unpack it with `lz4 -d`",
    ),
    (b"\x89PNG", "a PNG image"),
    (b"\xFF\xD8\xFF", "a JPEG image"),
    (b"GIF89a", "a GIF image"),
    (b"%PDF-", "a PDF document"),
    (b"\x7FELF", "a program"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"\x89HDF\r\n", "an HDF5 file"),
    (b"\x93NUMPY", "a NumPy array"),
    (
        b"\xD0\xCF\x11\xE0",
        "an old Office document; save it as CSV",
    ),
    (
        b"ARROW1\0\0",
        "an Arrow file; give it a name that ends in .arrow",
    ),
    (
        b"PAR1\x15",
        "a Parquet file; give it a name that ends in .parquet",
    ),
    (b"Rar!\x1A\x07", "a RAR archive; unpack it"),
    (b"7z\xBC\xAF", "a 7-Zip archive; unpack it"),
];

impl Codec {
    /// The codec of a file that starts with these bytes. What is known and cannot be read is refused:
    /// its bytes would be taken for rows.
    pub fn of(file: &str, option: Compression, head: &[u8]) -> Result<Self, BiotideError> {
        match option {
            Compression::None => return Ok(Self::None),
            Compression::Gzip => return Ok(Self::Gzip),
            Compression::Zstd => return Ok(Self::Zstd),
            Compression::Bzip2 => return Ok(Self::Bzip2),
            Compression::Xz => return Ok(Self::Xz),
            Compression::Lz4 => return Ok(Self::Lz4),
            Compression::Zip => return Ok(Self::Zip),
            Compression::Auto => {}
        }
        let starts = |magic: &[u8]| head.starts_with(magic);
        if let Some((_, codec)) = KNOWN.iter().find(|(magic, _)| starts(magic)) {
            return Ok(*codec);
        }
        // `BZh` alone may begin a table: a block, or the end, follows.
        let block = [b"1AY&SY", b"\x17rE8P\x90"];
        if starts(b"BZh")
            && head
                .get(4..10)
                .is_some_and(|next| block.iter().any(|b| next == *b))
        {
            return Ok(Self::Bzip2);
        }
        // A skippable frame first, as pzstd writes it.
        if head.len() > 3 && head[0] & 0xF0 == 0x50 && head[1..4] == [0x2A, 0x4D, 0x18] {
            return Ok(match file.ends_with(".lz4") {
                true => Self::Lz4,
                false => Self::Zstd,
            });
        }
        if let Some((_, what)) = NO_TABLE.iter().find(|(magic, _)| starts(magic)) {
            let problem = format!(
                "it is not a table, because its first bytes say that it is {what} (to read it as text all \
                 the same, set compression = 'none')"
            );
            return Err(BiotideError::file(file, problem));
        }
        Ok(Self::None)
    }

    /// Its name, as the option has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Lz4 => "lz4",
            Self::Zip => "zip",
        }
    }

    /// Reads decompressed bytes: every member, frame or stream, to the true end. A zip archive is not read
    /// so, but by its directory: see [`crate::zip`].
    pub fn reader<'a>(
        self,
        compressed: impl BufRead + Send + 'a,
    ) -> std::io::Result<Box<dyn Read + Send + 'a>> {
        Ok(match self {
            Self::None | Self::Zip => Box::new(compressed),
            Self::Gzip => Box::new(Members(Some(GzDecoder::new(compressed)))),
            Self::Zstd => {
                let mut decoder = zstd::Decoder::with_buffer(compressed)?;
                // `zstd --long`; 128 MiB is what its decoder takes unasked.
                decoder.window_log_max(27)?;
                Box::new(decoder)
            }
            Self::Bzip2 => Box::new(MultiBzDecoder::new(compressed)),
            Self::Xz => Box::new(XzReader::new(compressed, true)),
            Self::Lz4 => Box::new(Frames::new(compressed)),
        })
    }
}

/// Members of gzip one after the other. Zeros behind one are padding, of a tape or a block device.
struct Members<R: BufRead>(Option<GzDecoder<R>>);

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while let Some(member) = &mut self.0 {
            let n = member.read(buffer)?;
            if n > 0 || buffer.is_empty() {
                return Ok(n);
            }
            let Some(mut rest) = self.0.take().map(GzDecoder::into_inner) else {
                break;
            };
            loop {
                let bytes = rest.fill_buf()?;
                if bytes.is_empty() {
                    return Ok(0);
                }
                let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
                let more = zeros < bytes.len();
                rest.consume(zeros);
                if more {
                    break;
                }
            }
            self.0 = Some(GzDecoder::new(rest));
        }
        Ok(0)
    }
}

/// LZ4 frames one after the other. The decoder answers the end of each as an end, and so it does where
/// the bytes end before a frame does: that is told by the mark that ends one.
struct Frames<R: BufRead>(FrameDecoder<Tail<R>>);

impl<R: BufRead> Frames<R> {
    fn new(compressed: R) -> Self {
        Self(FrameDecoder::new(Tail {
            compressed,
            last: [0; 8],
        }))
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            let n = self.0.read(buffer)?;
            if n > 0 || buffer.is_empty() {
                return Ok(n);
            }
            let tail = self.0.get_mut();
            if tail.compressed.fill_buf()?.is_empty() {
                // Four zeros, and maybe a checksum behind them.
                return match tail.last {
                    [.., 0, 0, 0, 0] | [0, 0, 0, 0, ..] => Ok(0),
                    _ => Err(std::io::ErrorKind::UnexpectedEof.into()),
                };
            }
        }
    }
}

/// Remembers the last bytes that were read.
struct Tail<R> {
    compressed: R,
    last: [u8; 8],
}

impl<R: Read> Read for Tail<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.compressed.read(buffer)?;
        let new = &buffer[..n][n.saturating_sub(8)..];
        self.last.rotate_left(new.len());
        self.last[8 - new.len()..].copy_from_slice(new);
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn packed(codec: Codec, text: &[u8]) -> Vec<u8> {
        match codec {
            Codec::None | Codec::Zip => text.to_vec(),
            Codec::Gzip => {
                let mut out =
                    flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                out.write_all(text).unwrap();
                out.finish().unwrap()
            }
            Codec::Zstd => zstd::encode_all(text, 1).unwrap(),
            Codec::Bzip2 => {
                let mut out = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
                out.write_all(text).unwrap();
                out.finish().unwrap()
            }
            // "first\n" and "second\n", by `xz`.
            Codec::Xz => match text {
                b"first\n" => XZ_FIRST.to_vec(),
                _ => XZ_SECOND.to_vec(),
            },
            Codec::Lz4 => {
                let mut out = lz4_flex::frame::FrameEncoder::new(Vec::new());
                out.write_all(text).unwrap();
                out.finish().unwrap()
            }
        }
    }

    const XZ_FIRST: &[u8] = include_bytes!("../testdata/first.xz");
    const XZ_SECOND: &[u8] = include_bytes!("../testdata/second.xz");

    fn unpack(codec: Codec, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut out = Vec::new();
        codec.reader(bytes)?.read_to_end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn every_member_is_read_and_a_cut_is_noticed() {
        for codec in [
            Codec::Gzip,
            Codec::Zstd,
            Codec::Bzip2,
            Codec::Xz,
            Codec::Lz4,
        ] {
            let first = packed(codec, b"first\n");
            let both = [&first[..], &packed(codec, b"second\n")].concat();
            let found = Codec::of("f", Compression::Auto, &both).unwrap();
            assert_eq!(found, codec);
            assert_eq!(
                unpack(codec, &both).unwrap(),
                b"first\nsecond\n",
                "{codec:?}"
            );
            for cut in [first.len() + 5, both.len() - 3] {
                assert!(
                    unpack(codec, &both[..cut]).is_err(),
                    "{codec:?} cut at {cut}"
                );
            }
        }
    }

    #[test]
    fn zeros_behind_a_member_are_padding() {
        let mut bytes = packed(Codec::Gzip, b"first\n");
        bytes.extend([0; 700]);
        assert_eq!(unpack(Codec::Gzip, &bytes).unwrap(), b"first\n");
        bytes.extend(packed(Codec::Gzip, b"second\n"));
        assert_eq!(unpack(Codec::Gzip, &bytes).unwrap(), b"first\nsecond\n");
        bytes.extend(b"\0\0junk");
        assert!(unpack(Codec::Gzip, &bytes).is_err());
    }

    #[test]
    fn what_is_no_table_is_refused() {
        let error = Codec::of("f", Compression::Auto, b"%PDF-1.7").unwrap_err();
        assert!(error.to_string().contains("a PDF document"), "{error}");
        let forced = Codec::of("f", Compression::None, b"%PDF-1.7").unwrap();
        assert_eq!(forced, Codec::None);
    }
}
