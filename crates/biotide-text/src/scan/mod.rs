//! Where the delimiters, newlines and quotes are: 64 bytes at a time.
//!
//! The drivers in `driver.rs` are safe, generic code over [`Block`], which answers "which of these
//! 64 bytes equal this one?". `scalar.rs` is the reference; `avx2.rs` and `neon.rs` are its SIMD
//! twins, chosen at run time. Tests hold the twins to the reference.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod driver;
#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;

/// Bytes handled at a time.
pub(crate) const BLOCK: usize = 64;

/// Answers about a block of 64 bytes, bit `i` for byte `i`.
pub(crate) trait Block {
    /// Which bytes equal `needle`?
    fn eq(block: &[u8; BLOCK], needle: u8) -> u64;
    /// Which bytes are not ASCII?
    fn high(block: &[u8; BLOCK]) -> u64;
}

/// The bytes that end a field in text without quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Separators {
    /// Ends a field.
    pub delimiter: u8,
    /// Ends a record.
    pub newline: u8,
    /// Where it occurs, the quote-free path does not apply.
    pub quote: Option<u8>,
}

/// What [`Scanner::split`] found.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Split {
    /// Position of every delimiter and newline.
    pub ends: Vec<u32>,
    /// Index into `ends` of every newline.
    pub newlines: Vec<u32>,
    /// Whether a byte was not ASCII.
    pub non_ascii: bool,
}

impl Split {
    pub(crate) fn clear(&mut self) {
        self.ends.clear();
        self.newlines.clear();
        self.non_ascii = false;
    }
}

/// What [`Scanner::count`] found: rows of the expected shape, and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// Newlines, each ending a record of the expected shape.
    pub records: u64,
    /// Delimiters after the last newline.
    pub open_delimiters: u64,
    /// Whether a byte was not ASCII.
    pub non_ascii: bool,
}

type SplitFn = fn(&[u8], u32, Separators, &mut Split) -> bool;
type StructuralsFn = fn(&[u8], u32, &[u8], &mut Vec<u32>) -> bool;
type CountFn = fn(&[u8], Separators, u64) -> Option<Count>;

/// The scanning functions of one instruction set.
#[derive(Debug, Clone, Copy)]
pub struct Scanner {
    name: &'static str,
    split: SplitFn,
    structurals: StructuralsFn,
    count: CountFn,
}

impl Scanner {
    /// The fastest scanner of this machine.
    pub fn best() -> Self {
        static BEST: OnceLock<Scanner> = OnceLock::new();
        *BEST.get_or_init(|| Self::simd().unwrap_or_else(Self::scalar))
    }

    /// The reference.
    pub fn scalar() -> Self {
        Self {
            name: "scalar",
            split: driver::split::<scalar::Scalar>,
            structurals: driver::structurals::<scalar::Scalar>,
            count: driver::count::<scalar::Scalar>,
        }
    }

    /// The SIMD scanner, where this machine has one.
    pub fn simd() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        {
            avx2::scanner()
        }
        #[cfg(target_arch = "aarch64")]
        {
            neon::scanner()
        }
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        {
            None
        }
    }

    /// `avx2`, `neon` or `scalar`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Splits text without quotes: appends to `out`, positions shifted by `base`. Answers false, with
    /// `out` unfinished, as soon as a quote is seen.
    pub fn split(&self, bytes: &[u8], base: u32, separators: Separators, out: &mut Split) -> bool {
        (self.split)(bytes, base, separators, out)
    }

    /// Appends the position, shifted by `base`, of every byte that is one of `needles` (at most
    /// four). Answers whether a byte was not ASCII.
    pub fn structurals(&self, bytes: &[u8], base: u32, needles: &[u8], out: &mut Vec<u32>) -> bool {
        (self.structurals)(bytes, base, needles, out)
    }

    /// Counts records without writing anything down. `None` where a quote is seen or a record does
    /// not have exactly `delimiters` delimiters: then the chunk needs [`Scanner::split`].
    pub fn count(&self, bytes: &[u8], separators: Separators, delimiters: u64) -> Option<Count> {
        (self.count)(bytes, separators, delimiters)
    }
}
