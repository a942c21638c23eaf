//! The scans, written once over [`Block`]. `#[inline(always)]` lets each instruction set's wrapper
//! compile its own copy.

use super::{BLOCK, Block, Count, Separators, Split};

/// Calls `f` with each block, its position, and the mask of the bytes that are really there; stops
/// when `f` answers false.
#[inline(always)]
fn blocks(bytes: &[u8], mut f: impl FnMut(&[u8; BLOCK], usize, u64) -> bool) -> bool {
    let (full, tail) = bytes.as_chunks::<BLOCK>();
    for (i, block) in full.iter().enumerate() {
        if !f(block, i * BLOCK, u64::MAX) {
            return false;
        }
    }
    if !tail.is_empty() {
        let mut block = [0u8; BLOCK];
        block[..tail.len()].copy_from_slice(tail);
        return f(&block, full.len() * BLOCK, (1u64 << tail.len()) - 1);
    }
    true
}

/// Appends `base + i` for every bit `i` of `mask`. Writes in groups of eight without asking how many
/// of them are real: the surplus is overwritten by the next block.
#[inline(always)]
fn append_bits(mut mask: u64, base: u32, out: &mut Vec<u32>) {
    let n = mask.count_ones() as usize;
    let old = out.len();
    out.resize(old + n.next_multiple_of(8), 0);
    let (groups, _) = out[old..].as_chunks_mut::<8>();
    for group in groups {
        for slot in group {
            *slot = base.wrapping_add(mask.trailing_zeros());
            mask &= mask.wrapping_sub(1);
        }
    }
    out.truncate(old + n);
}

#[inline(always)]
pub(super) fn split<B: Block>(bytes: &[u8], base: u32, by: Separators, out: &mut Split) -> bool {
    let mut high = 0u64;
    let quote = by.quote.unwrap_or(by.newline);
    let no_quote = if by.quote.is_some() { u64::MAX } else { 0 };
    let done = blocks(bytes, |block, at, real| {
        if B::eq(block, quote) & no_quote & real != 0 {
            return false;
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
        true
    });
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
    let needle = |i: usize| needles[i.min(needles.len() - 1)];
    let (a, b, c, d) = (needle(0), needle(1), needle(2), needle(3));
    let mut high = 0u64;
    blocks(bytes, |block, at, real| {
        high |= B::high(block);
        let hits = B::eq(block, a) | B::eq(block, b) | B::eq(block, c) | B::eq(block, d);
        append_bits(hits & real, base + at as u32, out);
        true
    });
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
    let regular = blocks(bytes, |block, _, real| {
        if B::eq(block, quote) & no_quote & real != 0 {
            return false;
        }
        let mut newline = B::eq(block, by.newline) & real;
        let ends = B::eq(block, by.delimiter) & real;
        high |= B::high(block);
        while newline != 0 {
            let bit = newline & newline.wrapping_neg();
            if seen + u64::from((ends & (bit - 1)).count_ones()) != due {
                return false;
            }
            due += delimiters;
            records += 1;
            newline ^= bit;
        }
        seen += u64::from(ends.count_ones());
        true
    });
    regular.then(|| Count {
        records,
        open_delimiters: seen - (due - delimiters),
        non_ascii: high != 0,
    })
}
