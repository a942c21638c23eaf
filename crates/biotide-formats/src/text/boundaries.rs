//! Where the units of a file start: told by those who have indexed them, in any order, and put together
//! in the order of the file.

use std::collections::HashMap;

/// Where the first record of a unit starts, and what came before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Boundary {
    pub(super) offset: u64,
    pub(super) lines: u64,
    pub(super) records: u64,
}

/// What indexing a unit showed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    /// Where its first record was taken to start.
    pub(super) begin: u64,
    /// Where the first record after it starts.
    pub(super) next: u64,
    pub(super) lines: u64,
    pub(super) records: u64,
}

/// The starts of units that are certain, up to the first one that is not; and what is known beyond.
#[derive(Debug)]
pub(super) struct Boundaries {
    /// The last unit whose start is certain.
    unit: u64,
    start: Boundary,
    /// Certain starts that their unit has not taken yet.
    certain: HashMap<u64, Boundary>,
    /// Units that were indexed before their start was certain.
    spans: HashMap<u64, Span>,
}

impl Boundaries {
    /// The first unit of a file starts here.
    pub(super) fn new(first: Boundary) -> Self {
        Self {
            unit: 0,
            start: first,
            certain: HashMap::from([(0, first)]),
            spans: HashMap::new(),
        }
    }

    /// Says what a unit holds. If it was indexed from where it does not start, that is known once the
    /// units before it are, and it has to be indexed and told again.
    pub(super) fn tell(&mut self, unit: u64, span: Span) {
        if unit < self.unit {
            return;
        }
        self.spans.insert(unit, span);
        while let Some(span) = self.spans.remove(&self.unit) {
            if span.begin != self.start.offset {
                return;
            }
            self.unit += 1;
            self.start = Boundary {
                offset: span.next,
                lines: self.start.lines + span.lines,
                records: self.start.records + span.records,
            };
            self.certain.insert(self.unit, self.start);
        }
    }

    /// Where a unit starts, if that is certain.
    pub(super) fn of(&self, unit: u64) -> Option<Boundary> {
        self.certain.get(&unit).copied()
    }

    /// The last unit whose start is certain.
    pub(super) fn last(&self) -> (u64, Boundary) {
        (self.unit, self.start)
    }

    /// Says that a unit is done with its start.
    pub(super) fn forget(&mut self, unit: u64) {
        self.certain.remove(&unit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Boundary = Boundary {
        offset: 10,
        lines: 1,
        records: 0,
    };

    fn span(begin: u64, next: u64) -> Span {
        Span {
            begin,
            next,
            lines: 2,
            records: 1,
        }
    }

    #[test]
    fn units_told_in_any_order_are_put_together() {
        let mut boundaries = Boundaries::new(FIRST);
        boundaries.tell(2, span(200, 300));
        boundaries.tell(1, span(100, 200));
        assert_eq!(boundaries.of(1), None);
        assert_eq!(boundaries.last(), (0, FIRST));
        boundaries.tell(0, span(10, 100));
        let third = Boundary {
            offset: 300,
            lines: 7,
            records: 3,
        };
        assert_eq!(boundaries.last(), (3, third));
        assert_eq!(boundaries.of(2).map(|b| b.offset), Some(200));
        boundaries.forget(2);
        assert_eq!(boundaries.of(2), None);
    }

    #[test]
    fn a_unit_that_guessed_wrong_is_told_again() {
        let mut boundaries = Boundaries::new(FIRST);
        boundaries.tell(1, span(90, 200));
        boundaries.tell(2, span(200, 300));
        boundaries.tell(0, span(10, 100));
        assert_eq!(boundaries.last().0, 1);
        boundaries.tell(1, span(100, 210));
        assert_eq!(boundaries.last().0, 2, "the third one guessed wrong too");
        boundaries.tell(2, span(210, 300));
        assert_eq!(boundaries.last().0, 3);
        boundaries.tell(0, span(11, 99));
        assert_eq!(boundaries.last().0, 3, "what is certain stays");
    }
}
