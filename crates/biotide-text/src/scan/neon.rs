//! The NEON twin of `scalar.rs`. NEON has no movemask: each lane keeps one bit, three pairwise
//! additions fold four compared vectors into 64 bits.
#![expect(unsafe_code, reason = "SIMD intrinsics; each with its safety argument")]

use std::arch::aarch64::{
    uint8x16_t, vandq_u8, vceqq_u8, vcgeq_u8, vdupq_n_u8, vgetq_lane_u64, vld1q_u8, vpaddq_u8,
    vreinterpretq_u64_u8,
};

use super::{BLOCK, Block, Count, Scanner, Separators, Split, driver};

struct Neon;

/// The bit that each lane keeps.
const BITS: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128];

impl Neon {
    /// One bit for each byte for which `hit` answers 0xFF.
    ///
    /// # Safety
    /// The CPU must have NEON.
    #[inline(always)]
    unsafe fn mask(block: &[u8; BLOCK], hit: impl Fn(uint8x16_t) -> uint8x16_t) -> u64 {
        let at = block.as_ptr();
        // SAFETY: four loads of 16 bytes inside the 64 bytes of `block`, one of the 16 of `BITS`.
        unsafe {
            let bits = vld1q_u8(BITS.as_ptr());
            let a = vandq_u8(hit(vld1q_u8(at)), bits);
            let b = vandq_u8(hit(vld1q_u8(at.add(16))), bits);
            let c = vandq_u8(hit(vld1q_u8(at.add(32))), bits);
            let d = vandq_u8(hit(vld1q_u8(at.add(48))), bits);
            let folded = vpaddq_u8(vpaddq_u8(a, b), vpaddq_u8(c, d));
            vgetq_lane_u64::<0>(vreinterpretq_u64_u8(vpaddq_u8(folded, folded)))
        }
    }
}

impl Block for Neon {
    #[inline(always)]
    fn eq(block: &[u8; BLOCK], needle: u8) -> u64 {
        // SAFETY: `Neon` is used only by functions that `scanner` hands out after it has found NEON.
        unsafe {
            let needle = vdupq_n_u8(needle);
            Self::mask(block, |bytes| vceqq_u8(bytes, needle))
        }
    }

    #[inline(always)]
    fn high(block: &[u8; BLOCK]) -> u64 {
        // SAFETY: as above.
        unsafe {
            let first = vdupq_n_u8(0x80);
            Self::mask(block, |bytes| vcgeq_u8(bytes, first))
        }
    }
}

#[target_feature(enable = "neon")]
fn split_inner(bytes: &[u8], base: u32, by: Separators, out: &mut Split) -> bool {
    driver::split::<Neon>(bytes, base, by, out)
}

#[target_feature(enable = "neon")]
fn structurals_inner(bytes: &[u8], base: u32, needles: &[u8], out: &mut Vec<u32>) -> bool {
    driver::structurals::<Neon>(bytes, base, needles, out)
}

#[target_feature(enable = "neon")]
fn count_inner(bytes: &[u8], by: Separators, delimiters: u64) -> Option<Count> {
    driver::count::<Neon>(bytes, by, delimiters)
}

/// The NEON scanner, if the CPU has it.
pub(super) fn scanner() -> Option<Scanner> {
    std::arch::is_aarch64_feature_detected!("neon").then_some(Scanner {
        name: "neon",
        // SAFETY (all three): NEON was found on this CPU just above.
        split: |bytes, base, by, out| unsafe { split_inner(bytes, base, by, out) },
        structurals: |bytes, base, needles, out| unsafe {
            structurals_inner(bytes, base, needles, out)
        },
        count: |bytes, by, delimiters| unsafe { count_inner(bytes, by, delimiters) },
    })
}
