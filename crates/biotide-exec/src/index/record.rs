//! Records of a fixed size, in memory and in files (little endian).

use crate::mapping::key::Key;

/// A value that is always of the same size.
pub(crate) trait Record: Copy + Send + Sync + 'static {
    /// Bytes of one in a file.
    const BYTES: usize;

    /// Writes it to so many bytes.
    fn put(&self, to: &mut [u8]);

    /// Reads it from so many bytes.
    fn get(from: &[u8]) -> Self;
}

/// Appends records to bytes.
pub(crate) fn put_all<R: Record>(records: &[R], bytes: &mut Vec<u8>) {
    let start = bytes.len();
    bytes.resize(start + records.len() * R::BYTES, 0);
    for (record, to) in records
        .iter()
        .zip(bytes[start..].chunks_exact_mut(R::BYTES))
    {
        record.put(to);
    }
}

/// Appends the records of bytes.
pub(crate) fn get_all<R: Record>(bytes: &[u8], records: &mut Vec<R>) {
    records.extend(bytes.chunks_exact(R::BYTES).map(R::get));
}

impl Record for u8 {
    const BYTES: usize = 1;

    fn put(&self, to: &mut [u8]) {
        to[0] = *self;
    }

    fn get(from: &[u8]) -> Self {
        from[0]
    }
}

impl<const N: usize> Record for [u32; N] {
    const BYTES: usize = 4 * N;

    fn put(&self, to: &mut [u8]) {
        for (part, to) in self.iter().zip(to.chunks_exact_mut(4)) {
            to.copy_from_slice(&part.to_le_bytes());
        }
    }

    fn get(from: &[u8]) -> Self {
        let mut parts = [0; N];
        for (part, from) in parts.iter_mut().zip(from.chunks_exact(4)) {
            *part = u32::from_le_bytes([from[0], from[1], from[2], from[3]]);
        }
        parts
    }
}

impl Record for u32 {
    const BYTES: usize = 4;

    fn put(&self, to: &mut [u8]) {
        [*self].put(to);
    }

    fn get(from: &[u8]) -> Self {
        let [value] = <[Self; 1]>::get(from);
        value
    }
}

impl Record for u64 {
    const BYTES: usize = 8;

    fn put(&self, to: &mut [u8]) {
        [(self & 0xffff_ffff) as u32, (self >> 32) as u32].put(to);
    }

    fn get(from: &[u8]) -> Self {
        let [low, high] = <[u32; 2]>::get(from);
        Self::from(high) << 32 | Self::from(low)
    }
}

impl Record for Key {
    const BYTES: usize = 16;

    fn put(&self, to: &mut [u8]) {
        self.hi.put(&mut to[..8]);
        self.lo.put(&mut to[8..]);
    }

    fn get(from: &[u8]) -> Self {
        Self {
            hi: u64::get(&from[..8]),
            lo: u64::get(&from[8..]),
        }
    }
}

/// One end of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) key: Key,
    /// Twice the number of the statement, and 1 more if it is the object.
    pub(crate) at: u32,
    pub(crate) class: u32,
}

impl Record for Endpoint {
    const BYTES: usize = 24;

    fn put(&self, to: &mut [u8]) {
        self.key.put(&mut to[..16]);
        [self.at, self.class].put(&mut to[16..]);
    }

    fn get(from: &[u8]) -> Self {
        let [at, class] = <[u32; 2]>::get(&from[16..]);
        Self {
            key: Key::get(from),
            at,
            class,
        }
    }
}

/// An end whose node is known: `at`, node, class, prefix.
pub(crate) type End = [u32; 4];

/// A statement as its subject has it, or its object: from, to, class, [`meta`](super::entry::Entry).
pub(crate) type Half = [u32; 4];
