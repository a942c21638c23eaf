//! Two streams as one.

use futures::{StreamExt, stream};

use crate::run::Items;

/// Whose chunks come when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Merge {
    /// All of the first, then all of the second.
    #[default]
    Concat,
    /// One of each in turn, then the rest of the longer.
    Alternate,
    /// As they arrive. Neither waits for the other.
    Arrival,
}

pub(crate) fn merge(one: Items, two: Items, how: Merge) -> Items {
    match how {
        Merge::Concat => one.chain(two).boxed(),
        Merge::Arrival => stream::select(one, two).boxed(),
        Merge::Alternate => {
            // The one whose turn it is comes first. One that has ended is no longer there.
            let turns = stream::unfold((one, Some(two)), |(mut now, next)| async move {
                match (now.next().await, next) {
                    (Some(item), Some(next)) => Some((item, (next, Some(now)))),
                    (Some(item), None) => Some((item, (now, None))),
                    (None, Some(mut next)) => Some((next.next().await?, (next, None))),
                    (None, None) => None,
                }
            });
            turns.boxed()
        }
    }
}
