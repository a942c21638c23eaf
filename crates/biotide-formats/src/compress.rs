//! Compression: told by the first bytes, undone as the bytes come.

use std::io::Write;

use biotide_common::BiotideError;
use biotide_common::options::Compression;
use flate2::write::MultiGzDecoder;

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// Not at all: may be read anywhere.
    None,
    /// gzip, of any number of members (BGZF too): is read from start to end.
    Gzip,
}

impl Codec {
    /// The codec of a file that starts with these bytes. What is known and cannot be read is refused:
    /// its bytes would be taken for rows.
    pub fn of(file: &str, option: Compression, head: &[u8]) -> Result<Self, BiotideError> {
        match option {
            Compression::None => return Ok(Self::None),
            Compression::Gzip => return Ok(Self::Gzip),
            Compression::Auto if head.starts_with(&[0x1F, 0x8B, 0x08]) => return Ok(Self::Gzip),
            Compression::Auto => {}
        }
        const UNREAD: [(&[u8], &str); 7] = [
            (
                &[0x28, 0xB5, 0x2F, 0xFD],
                "compressed with zstd: decompress it with `zstd -d`",
            ),
            (
                b"BZh",
                "compressed with bzip2: decompress it with `bunzip2`",
            ),
            (
                &[0xFD, b'7', b'z', b'X', b'Z', 0],
                "compressed with xz: decompress it with `unxz`",
            ),
            (b"PK\x03\x04", "a zip archive: unpack it with `unzip`"),
            (
                &[0xFF, 0xFE],
                "UTF-16 text: make it UTF-8 with `iconv -f UTF-16 -t UTF-8`",
            ),
            (
                &[0xFE, 0xFF],
                "UTF-16 text: make it UTF-8 with `iconv -f UTF-16 -t UTF-8`",
            ),
            (
                b"PAR1",
                "a Parquet file: give it a name that ends in .parquet",
            ),
        ];
        const NO_TABLE: [(&[u8], &str); 12] = [
            (b"\x89PNG", "a PNG image"),
            (b"\xFF\xD8\xFF", "a JPEG image"),
            (b"GIF8", "a GIF image"),
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
                b"ARROW1",
                "an Arrow file; give it a name that ends in .arrow",
            ),
            (b"Rar!", "a RAR archive; unpack it"),
            (b"7z\xBC\xAF", "a 7-Zip archive; unpack it"),
        ];
        if let Some((_, what)) = NO_TABLE.iter().find(|(magic, _)| head.starts_with(magic)) {
            let problem =
                format!("it is not a table, because its first bytes say that it is {what}");
            return Err(BiotideError::file(file, problem));
        }
        match UNREAD.iter().find(|(magic, _)| head.starts_with(magic)) {
            None => Ok(Self::None),
            Some((_, what)) => {
                let problem = format!("the file is {what} (or set compression = 'none')");
                Err(BiotideError::file(file, problem))
            }
        }
    }
}

/// Undoes gzip: compressed bytes are pushed in, decompressed ones taken out.
#[derive(Debug)]
pub struct Gunzip {
    decoder: MultiGzDecoder<Vec<u8>>,
    consumed: u64,
}

impl Default for Gunzip {
    fn default() -> Self {
        Self {
            decoder: MultiGzDecoder::new(Vec::new()),
            consumed: 0,
        }
    }
}

impl Gunzip {
    /// Compressed bytes to push at a time: deflate expands a thousandfold at most, so that what comes
    /// out of one push is bounded.
    pub const STEP: usize = 16 << 10;

    /// Pushes compressed bytes.
    pub fn push(&mut self, file: &str, bytes: &[u8]) -> Result<(), BiotideError> {
        self.decoder
            .write_all(bytes)
            .map_err(|e| self.damaged(file, e))?;
        self.consumed += bytes.len() as u64;
        Ok(())
    }

    /// Says that no bytes follow: the last member must be complete.
    pub fn finish(&mut self, file: &str) -> Result<(), BiotideError> {
        self.decoder.try_finish().map_err(|e| self.damaged(file, e))
    }

    /// The decompressed bytes so far; the caller takes them away.
    pub fn output(&mut self) -> &mut Vec<u8> {
        self.decoder.get_mut()
    }

    fn damaged(&self, file: &str, source: std::io::Error) -> BiotideError {
        let at = self.consumed;
        let what = format!(
            "{file}: the gzip data is damaged or cut short after {at} compressed bytes; fetch the \
             file again, or recover what is left with `gzip -dc` and read that"
        );
        BiotideError::io(what, source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression as Level;
    use flate2::write::GzEncoder;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut out = GzEncoder::new(Vec::new(), Level::fast());
        out.write_all(text).unwrap();
        out.finish().unwrap()
    }

    #[test]
    fn every_member_is_read_and_a_cut_is_noticed() {
        let mut bytes = gzip(b"first\n");
        bytes.extend(gzip(b""));
        bytes.extend(gzip(b"second\n"));
        for step in [1, 7, bytes.len()] {
            let mut gunzip = Gunzip::default();
            bytes
                .chunks(step)
                .for_each(|chunk| gunzip.push("f", chunk).unwrap());
            gunzip.finish("f").unwrap();
            assert_eq!(gunzip.output(), b"first\nsecond\n");
        }
        let mut gunzip = Gunzip::default();
        gunzip.push("f", &bytes[..bytes.len() - 9]).unwrap();
        assert!(gunzip.finish("f").is_err());
    }
}
