//! Cuts a file into units as they are taken, each of the size that suits then.

use std::collections::BTreeMap;

/// Units start at multiples of this. A kernel copies three times as slowly to a buffer that lies a few bytes
/// further on in its page than the text does in the file's.
pub(super) const ALIGNED: u64 = 64;

/// Where a unit lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut {
    /// Its number in the file.
    pub(super) unit: u64,
    pub(super) start: u64,
    pub(super) end: u64,
}

impl Cut {
    /// Its bytes.
    pub(super) fn len(self) -> u64 {
        self.end - self.start
    }
}

/// The units of a file, those that were taken.
///
/// No unit reaches over the end of a range that this process reads, or of one that it does not: another
/// process that reads those cuts them there, too, whatever size its units have.
#[derive(Debug)]
pub(super) struct Cuts {
    /// Where stretches end, and whether this process reads them.
    stretches: Vec<(u64, bool)>,
    /// The first stretch that is not all cut.
    stretch: usize,
    at: u64,
    /// Units cut, those of others among them.
    units: u64,
    /// Units taken by this process.
    taken: u64,
    /// Units that are in work; those of others stay.
    open: BTreeMap<u64, Cut>,
}

impl Cuts {
    /// Of a file of this size this process reads these ranges.
    pub(super) fn new(size: u64, ranges: &[(u64, u64)]) -> Self {
        let mut ranges: Vec<_> = ranges
            .iter()
            .map(|&(from, to)| (from.min(size), to.min(size)))
            .filter(|(from, to)| from < to)
            .collect();
        ranges.sort_unstable();
        let mut stretches: Vec<(u64, bool)> = Vec::new();
        let mut at = 0;
        for (from, to) in ranges {
            if from > at {
                stretches.push((from, false));
            }
            match stretches.last_mut() {
                Some((end, true)) => *end = to.max(*end),
                _ => stretches.push((to, true)),
            }
            at = to.max(at);
        }
        Self {
            stretches,
            stretch: 0,
            at: 0,
            units: 0,
            taken: 0,
            open: BTreeMap::new(),
        }
    }

    /// Bytes that this process reads.
    pub(super) fn bytes(&self) -> u64 {
        let mut start = 0;
        let mut bytes = 0;
        for &(end, own) in &self.stretches {
            if own {
                bytes += end - start;
            }
            start = end;
        }
        bytes
    }

    /// Cuts off the next unit of this process: its number among those, and where it lies. `None` at the end.
    pub(super) fn take(&mut self, unit_bytes: u64) -> Option<(u64, Cut)> {
        loop {
            let &(end, own) = self.stretches.get(self.stretch)?;
            let wanted = (self.at + unit_bytes.max(ALIGNED)) & !(ALIGNED - 1);
            let cut = Cut {
                unit: self.units,
                start: self.at,
                end: wanted.min(end),
            };
            self.units += 1;
            self.at = cut.end;
            if cut.end == end {
                self.stretch += 1;
            }
            self.open.insert(cut.unit, cut);
            if own {
                self.taken += 1;
                return Some((self.taken - 1, cut));
            }
        }
    }

    /// Where a unit lies that is in work, or another process's.
    pub(super) fn get(&self, unit: u64) -> Option<Cut> {
        self.open.get(&unit).copied()
    }

    /// Says that a unit is done.
    pub(super) fn forget(&mut self, unit: u64) {
        self.open.remove(&unit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(cuts: &mut Cuts, sizes: &[u64]) -> Vec<(u64, u64, u64)> {
        let all = sizes.iter().cycle().map_while(|&size| cuts.take(size));
        all.map(|(_, cut)| (cut.unit, cut.start, cut.end)).collect()
    }

    #[test]
    fn units_of_any_size_cover_the_file() {
        let mut cuts = Cuts::new(1000, &[(0, u64::MAX)]);
        assert_eq!(cuts.bytes(), 1000);
        let units = taken(&mut cuts, &[256, 64, 512]);
        assert_eq!(
            units,
            [(0, 0, 256), (1, 256, 320), (2, 320, 832), (3, 832, 1000)]
        );
        assert_eq!(cuts.get(2).map(Cut::len), Some(512));
        cuts.forget(2);
        assert_eq!(cuts.get(2), None);
        assert_eq!(taken(&mut Cuts::new(0, &[(0, 0)]), &[64]), []);
    }

    #[test]
    fn ranges_that_meet_are_one() {
        let mut cuts = Cuts::new(1000, &[(333, 1000), (0, 333)]);
        assert_eq!(taken(&mut cuts, &[512]), [(0, 0, 512), (1, 512, 1000)]);
    }

    #[test]
    fn two_processes_read_every_byte_once_whatever_their_units() {
        let (left, right) = ([(0, 300), (700, 1000)], [(300, 700)]);
        let mut cuts = Cuts::new(1000, &left);
        assert_eq!(cuts.bytes(), 600);
        let units = taken(&mut cuts, &[256]);
        let spans: Vec<_> = units.iter().map(|&(_, from, to)| (from, to)).collect();
        assert_eq!(spans, [(0, 256), (256, 300), (700, 896), (896, 1000)]);
        assert!(cuts.get(2).is_some_and(|cut| cut.start == 300));
        let mut cuts = Cuts::new(1000, &right);
        let units = taken(&mut cuts, &[128]);
        assert_eq!(units.first().map(|unit| unit.1), Some(300));
        assert_eq!(units.last().map(|unit| unit.2), Some(700));
    }
}
