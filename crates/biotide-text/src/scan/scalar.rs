//! The reference: one byte after the other.

use super::{BLOCK, Block};

pub(super) struct Scalar;

impl Block for Scalar {
    fn eq(block: &[u8; BLOCK], needle: u8) -> u64 {
        mask(block, |byte| byte == needle)
    }

    fn high(block: &[u8; BLOCK]) -> u64 {
        mask(block, |byte| byte >= 0x80)
    }
}

fn mask(block: &[u8; BLOCK], hit: impl Fn(u8) -> bool) -> u64 {
    block
        .iter()
        .enumerate()
        .fold(0, |mask, (i, &byte)| mask | (u64::from(hit(byte)) << i))
}
