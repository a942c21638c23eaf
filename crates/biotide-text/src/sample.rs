//! The part of a file that is read before the file is: one sample feeds everything that is inferred.

/// Bytes from the start of a file and, where the file can be read anywhere, from further on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sample {
    /// The file's first bytes.
    pub head: Vec<u8>,
    /// Whether `head` is the whole file.
    pub complete: bool,
    /// Pieces from further on. They start and end anywhere, in the middle of a record too.
    pub pieces: Vec<Vec<u8>>,
}

impl Sample {
    /// Bytes read from the start, unless asked otherwise.
    pub const HEAD_BYTES: usize = 1 << 20;
    /// Bytes of each further piece.
    pub const PIECE_BYTES: usize = 128 << 10;

    /// Where the further pieces of a file of `size` bytes start: spread over it, the last one at its end.
    pub fn piece_offsets(size: u64) -> Vec<u64> {
        let piece = Self::PIECE_BYTES as u64;
        let head = Self::HEAD_BYTES as u64;
        if size <= head + 4 * piece {
            return if size > head { vec![head] } else { vec![] };
        }
        vec![size / 4, size / 2, size / 4 * 3, size - piece]
    }

    /// A whole small file.
    pub fn whole(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            head: bytes.into(),
            complete: true,
            pieces: Vec::new(),
        }
    }
}
