//! A small generator (xorshift64*), so that the tests need no crate for it, and the time they may take.

use std::time::{Duration, Instant};

#[derive(Debug, Clone)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
    }

    /// A number below `n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    /// True `n` times in `of`.
    pub(crate) fn chance(&mut self, n: usize, of: usize) -> bool {
        self.below(of) < n
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

/// Calls `f` with the seeds `0..rounds`; with more for as long as `BIOTIDE_FUZZ_SECONDS` says.
pub(crate) fn for_seeds(rounds: u64, mut f: impl FnMut(u64)) {
    let started = Instant::now();
    let seconds = std::env::var("BIOTIDE_FUZZ_SECONDS").ok();
    let longer = Duration::from_secs(seconds.and_then(|s| s.parse().ok()).unwrap_or(0));
    let mut seed = 0;
    while seed < rounds || started.elapsed() < longer {
        let guard = Announce(seed);
        f(seed);
        std::mem::forget(guard);
        seed += 1;
    }
}

/// Says at which seed a test failed.
struct Announce(u64);

impl Drop for Announce {
    fn drop(&mut self) {
        eprintln!("failed at seed {}", self.0);
    }
}
