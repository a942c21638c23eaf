//! Sorting what is spread evenly: dealt to bins of a few records first, which is several times as fast as comparing.

/// Records of a bin, about.
const BIN: usize = 8;

/// The most bins: their counts should stay in a near cache.
const BINS: usize = 1 << 17;

/// Sorts records by `key`. `place` is about where a record belongs, from 0 to 2^64, and does not decrease with the key.
/// `other` is room for as many.
pub(crate) fn sort<T: Copy, K: Ord>(
    records: &mut Vec<T>,
    other: &mut Vec<T>,
    place: impl Fn(&T) -> u64,
    key: impl Fn(&T) -> K,
) {
    let bins = (records.len() / BIN).clamp(1, BINS).next_power_of_two();
    let shift = 64 - bins.trailing_zeros();
    let Some(&first) = records.first().filter(|_| bins > 1) else {
        records.sort_unstable_by_key(key);
        return;
    };
    let bin = |record: &T| (place(record) >> shift) as usize;
    let mut starts = vec![0_u32; bins + 1];
    for record in &*records {
        starts[bin(record) + 1] += 1;
    }
    for i in 1..=bins {
        starts[i] += starts[i - 1];
    }
    other.clear();
    other.resize(records.len(), first);
    let mut next = starts.clone();
    for record in &*records {
        let at = &mut next[bin(record)];
        other[*at as usize] = *record;
        *at += 1;
    }
    for range in starts.windows(2) {
        other[range[0] as usize..range[1] as usize].sort_unstable_by_key(&key);
    }
    std::mem::swap(records, other);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_sorts_as_the_library_does() {
        let mut state = 7_u64;
        for n in [0, 1, 2, 100, 10_000] {
            for spread in [1, 3, 1 << 20, u64::MAX] {
                let random = |_| {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    (state ^ state >> 29) % spread
                };
                let mut records: Vec<u64> = (0..n).map(random).collect();
                let mut sorted = records.clone();
                sorted.sort_unstable();
                let scale = u64::MAX / spread;
                sort(&mut records, &mut Vec::new(), |x| x * scale, |x| *x);
                assert_eq!(records, sorted);
            }
        }
    }
}
