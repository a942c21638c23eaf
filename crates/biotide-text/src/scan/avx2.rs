//! The AVX2 twin of `scalar.rs`: compare 32 bytes at once, gather the sign bits.
#![expect(unsafe_code, reason = "SIMD intrinsics; each with its safety argument")]

use std::arch::x86_64::{
    __m256i, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_set1_epi8,
};

use super::{BLOCK, Block, Count, Scanner, Separators, Split, driver};

struct Avx2;

impl Avx2 {
    /// The two halves of a block.
    ///
    /// # Safety
    /// The CPU must have AVX2.
    #[inline(always)]
    unsafe fn load(block: &[u8; BLOCK]) -> (__m256i, __m256i) {
        let at = block.as_ptr();
        // SAFETY: both loads are unaligned loads of 32 bytes inside the 64 bytes of `block`.
        unsafe {
            (
                _mm256_loadu_si256(at.cast()),
                _mm256_loadu_si256(at.add(32).cast()),
            )
        }
    }
}

impl Block for Avx2 {
    #[inline(always)]
    fn eq(block: &[u8; BLOCK], needle: u8) -> u64 {
        // SAFETY: `Avx2` is private to this file and used only by functions that `scanner` hands
        // out after it has found AVX2.
        unsafe {
            let (low, high) = Self::load(block);
            let needle = _mm256_set1_epi8(needle.cast_signed());
            let low = _mm256_movemask_epi8(_mm256_cmpeq_epi8(low, needle)).cast_unsigned();
            let high = _mm256_movemask_epi8(_mm256_cmpeq_epi8(high, needle)).cast_unsigned();
            u64::from(low) | (u64::from(high) << 32)
        }
    }

    #[inline(always)]
    fn high(block: &[u8; BLOCK]) -> u64 {
        // SAFETY: as above.
        unsafe {
            let (low, high) = Self::load(block);
            let low = _mm256_movemask_epi8(low).cast_unsigned();
            let high = _mm256_movemask_epi8(high).cast_unsigned();
            u64::from(low) | (u64::from(high) << 32)
        }
    }
}

#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,lzcnt")]
fn split_inner(bytes: &[u8], base: u32, by: Separators, out: &mut Split) -> bool {
    driver::split::<Avx2>(bytes, base, by, out)
}

#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,lzcnt")]
fn structurals_inner(bytes: &[u8], base: u32, needles: &[u8], out: &mut Vec<u32>) -> bool {
    driver::structurals::<Avx2>(bytes, base, needles, out)
}

#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,lzcnt")]
fn count_inner(bytes: &[u8], by: Separators, delimiters: u64) -> Option<Count> {
    driver::count::<Avx2>(bytes, by, delimiters)
}

/// The AVX2 scanner, if the CPU has what it needs.
pub(super) fn scanner() -> Option<Scanner> {
    let found = is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("popcnt")
        && is_x86_feature_detected!("lzcnt");
    found.then_some(Scanner {
        name: "avx2",
        // SAFETY (all three): the features were found on this CPU just above.
        split: |bytes, base, by, out| unsafe { split_inner(bytes, base, by, out) },
        structurals: |bytes, base, needles, out| unsafe {
            structurals_inner(bytes, base, needles, out)
        },
        count: |bytes, by, delimiters| unsafe { count_inner(bytes, by, delimiters) },
    })
}
