//! The scans, written once over [`Block`]. `#[inline(always)]` lets each instruction set's wrapper
//! compile its own copy. No closures here: they are functions of their own, without the wrapper's
//! instruction set, and where the compiler leaves one so, every intrinsic in it becomes a call.

use super::{BLOCK, Block, Count, Separators, Split};

/// The blocks of a text; the last one is padded with zeros.
struct Blocks<'a> {
    full: &'a [[u8; BLOCK]],
    last: [u8; BLOCK],
    /// The bytes of `last` that are really there.
    real: u64,
    next: usize,
}

impl<'a> Blocks<'a> {
    #[inline(always)]
    fn of(bytes: &'a [u8]) -> Self {
        let (full, tail) = bytes.as_chunks::<BLOCK>();
        let mut last = [0u8; BLOCK];
        last[..tail.len()].copy_from_slice(tail);
        Self {
            full,
            last,
            real: (1u64 << tail.len()) - 1,
            next: 0,
        }
    }

    /// The next block, its position, and the mask of the bytes that are really there.
    #[inline(always)]
    fn next(&mut self) -> Option<(&[u8; BLOCK], usize, u64)> {
        let i = self.next;
        self.next += 1;
        match self.full.get(i) {
            Some(block) => Some((block, i * BLOCK, u64::MAX)),
            None if i == self.full.len() && self.real != 0 => {
                Some((&self.last, i * BLOCK, self.real))
            }
            None => None,
        }
    }
}

/// Appends `base + i` for every bit `i` of `mask`. Writes in groups of eight without asking how many
/// of them are real: the surplus is overwritten by the next block.
#[inline(always)]
fn append_bits(mut mask: u64, base: u32, out: &mut Vec<u32>) {
    let n = mask.count_ones() as usize;
    let old = out.len();
    out.reserve(BLOCK + 8);
    for _ in 0..n.div_ceil(8) {
        let mut group = [0u32; 8];
        for slot in &mut group {
            *slot = base.wrapping_add(mask.trailing_zeros());
            mask &= mask.wrapping_sub(1);
        }
        out.extend_from_slice(&group);
    }
    out.truncate(old + n);
}

#[inline(always)]
pub(super) fn split<B: Block>(bytes: &[u8], base: u32, by: Separators, out: &mut Split) -> bool {
    let mut high = 0u64;
    let quote = by.quote.unwrap_or(by.newline);
    let no_quote = if by.quote.is_some() { u64::MAX } else { 0 };
    let mut blocks = Blocks::of(bytes);
    let mut done = true;
    while let Some((block, at, real)) = blocks.next() {
        if B::eq(block, quote) & no_quote & real != 0 {
            done = false;
            break;
        }
        let mut newline = B::eq(block, by.newline) & real;
        let ends = (B::eq(block, by.delimiter) & real) | newline;
        high |= B::high(block);
        let before = out.ends.len() as u32;
        append_bits(ends, base + at as u32, &mut out.ends);
        while newline != 0 {
            let bit = newline & newline.wrapping_neg();
            out.newlines.push(before + (ends & (bit - 1)).count_ones());
            newline ^= bit;
        }
    }
    out.non_ascii |= high != 0;
    done
}

#[inline(always)]
pub(super) fn structurals<B: Block>(
    bytes: &[u8],
    base: u32,
    needles: &[u8],
    out: &mut Vec<u32>,
) -> bool {
    debug_assert!((1..=4).contains(&needles.len()));
    let last = needles.len() - 1;
    let (a, b) = (needles[0], needles[last.min(1)]);
    let (c, d) = (needles[last.min(2)], needles[last.min(3)]);
    let mut high = 0u64;
    let mut blocks = Blocks::of(bytes);
    while let Some((block, at, real)) = blocks.next() {
        high |= B::high(block);
        let hits = B::eq(block, a) | B::eq(block, b) | B::eq(block, c) | B::eq(block, d);
        append_bits(hits & real, base + at as u32, out);
    }
    high != 0
}

#[inline(always)]
pub(super) fn count<B: Block>(bytes: &[u8], by: Separators, delimiters: u64) -> Option<Count> {
    let mut high = 0u64;
    let mut records = 0u64;
    let mut seen = 0u64;
    // What `seen` must be at the next newline.
    let mut due = delimiters;
    let quote = by.quote.unwrap_or(by.newline);
    let no_quote = if by.quote.is_some() { u64::MAX } else { 0 };
    let mut blocks = Blocks::of(bytes);
    while let Some((block, _, real)) = blocks.next() {
        if B::eq(block, quote) & no_quote & real != 0 {
            return None;
        }
        let mut newline = B::eq(block, by.newline) & real;
        let ends = B::eq(block, by.delimiter) & real;
        high |= B::high(block);
        while newline != 0 {
            let bit = newline & newline.wrapping_neg();
            if seen + u64::from((ends & (bit - 1)).count_ones()) != due {
                return None;
            }
            due += delimiters;
            records += 1;
            newline ^= bit;
        }
        seen += u64::from(ends.count_ones());
    }
    Some(Count {
        records,
        open_delimiters: seen - (due - delimiters),
        non_ascii: high != 0,
    })
}
