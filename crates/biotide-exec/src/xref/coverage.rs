//! What became of the identifiers of a statement.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use parking_lot::Mutex;
use serde::Serialize;

use crate::mapping::dictionary::Vocabulary;

/// Unmapped identifiers that are counted at a time, and twice as many at most.
const COUNTED: usize = 4096;

/// Of an unmapped identifier, so many characters are told of.
const LENGTH: usize = 128;

/// Unmapped identifiers that are told of.
const SHOWN: usize = 20;

/// The most groups that are told apart.
const GROUPS: usize = 4096;

/// What identifiers are counted by: namespace, verdict, hops, source.
type Group = (String, &'static str, usize, String);

/// Counts of one task.
#[derive(Debug, Default)]
pub(super) struct Coverage {
    groups: Vec<Counted>,
    unmapped: HashMap<String, u64>,
}

/// Identifiers with the same fate, their sources by number.
#[derive(Debug)]
struct Counted {
    namespace: String,
    verdict: &'static str,
    hops: usize,
    sources: Vec<u32>,
    n: u64,
}

impl Coverage {
    /// Counts an identifier, by its best result; what has none by what was written.
    pub(super) fn add(
        &mut self,
        namespace: &str,
        verdict: &'static str,
        hops: usize,
        sources: &[u32],
        unmapped: Option<&str>,
    ) {
        let same = |group: &Counted| {
            group.verdict == verdict
                && group.hops == hops
                && group.namespace == namespace
                && group.sources == sources
        };
        match self.groups.iter().position(same) {
            Some(place) => {
                self.groups[place].n += 1;
                // (What is frequent is found first.)
                self.groups.swap(place, place / 2);
            }
            None => self.groups.push(Counted {
                namespace: namespace.to_owned(),
                verdict,
                hops,
                sources: sources.to_vec(),
                n: 1,
            }),
        }
        if let Some(written) = unmapped {
            let end = written
                .char_indices()
                .nth(LENGTH)
                .map_or(written.len(), |(end, _)| end);
            *self.unmapped.entry_ref(&written[..end]).or_default() += 1;
        }
    }
}

/// Leaves what is frequent, if there is much (Misra and Gries; Agarwal and others 2012: what comes more often than in
/// one of `COUNTED` is there). What is left does not depend on the order of what is counted between two calls.
///
/// Whether anything was left out.
fn prune(counts: &mut HashMap<String, u64>) -> bool {
    if counts.len() <= 2 * COUNTED {
        return false;
    }
    let mut all: Vec<u64> = counts.values().copied().collect();
    let (_, &mut next, _) = all.select_nth_unstable_by(COUNTED, |a, b| b.cmp(a));
    counts.retain(|_, count| {
        *count = count.saturating_sub(next);
        *count > 0
    });
    true
}

/// What became of the identifiers of a statement. A session extension.
#[derive(Debug, Default)]
pub struct CoverageLog(Mutex<All>);

/// Counts of all tasks.
#[derive(Debug, Default)]
struct All {
    groups: BTreeMap<Group, u64>,
    unmapped: HashMap<String, u64>,
    /// Some of `unmapped` were left out.
    pruned: bool,
}

/// So many identifiers had the same fate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CoverageRow {
    /// Their prefix; empty if they had none.
    pub namespace: String,
    /// What became of them.
    pub verdict: &'static str,
    /// Edges to the best result.
    pub hops: usize,
    /// Where its statements are from.
    pub source: String,
    /// How many.
    pub n: u64,
}

impl CoverageLog {
    pub(super) fn add(&self, coverage: Coverage, vocabulary: &Vocabulary) {
        let mut all = self.0.lock();
        for counted in coverage.groups {
            let names = counted
                .sources
                .iter()
                .map(|&n| vocabulary.sources[n as usize].shown());
            let sources: Vec<String> = names.collect();
            let group = (
                counted.namespace,
                counted.verdict,
                counted.hops,
                sources.join("|"),
            );
            let is_full = all.groups.len() >= GROUPS && !all.groups.contains_key(&group);
            let group = match is_full {
                true => ("…".to_owned(), counted.verdict, 0, String::new()),
                false => group,
            };
            *all.groups.entry(group).or_default() += counted.n;
        }
        for (text, n) in coverage.unmapped {
            *all.unmapped.entry(text).or_default() += n;
        }
        let pruned = prune(&mut all.unmapped);
        all.pruned |= pruned;
    }

    /// Whether nothing was cross-referenced.
    pub fn is_empty(&self) -> bool {
        self.0.lock().groups.is_empty()
    }

    /// The counts.
    pub fn rows(&self) -> Vec<CoverageRow> {
        let all = self.0.lock();
        let rows = all
            .groups
            .iter()
            .map(|((namespace, verdict, hops, source), &n)| CoverageRow {
                namespace: namespace.clone(),
                verdict,
                hops: *hops,
                source: source.clone(),
                n,
            });
        rows.collect()
    }

    /// Whether [`CoverageLog::top_unmapped`] tells all and their exact number. Of more than some thousand different ones
    /// only the common ones are held: those are found, but counted too low, by as much as the order of rows makes it.
    pub fn top_is_exact(&self) -> bool {
        !self.0.lock().pruned
    }

    /// Unmapped identifiers, the commonest first.
    pub fn top_unmapped(&self) -> Vec<(String, u64)> {
        let all = self.0.lock();
        let mut top: Vec<(String, u64)> = all
            .unmapped
            .iter()
            .map(|(text, &n)| (text.clone(), n))
            .collect();
        top.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        top.truncate(SHOWN);
        top
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unmapped<'a>(texts: impl IntoIterator<Item = &'a str>) -> Coverage {
        let mut coverage = Coverage::default();
        for text in texts {
            coverage.add("", "unmapped", 0, &[], Some(text));
        }
        coverage
    }

    #[test]
    fn long_identifiers_are_counted_by_their_beginning() {
        let long = ["x".repeat(200), "x".repeat(128) + "y"];
        let log = CoverageLog::default();
        for _ in 0..2 {
            log.add(
                unmapped(long.iter().map(String::as_str)),
                &Vocabulary::default(),
            );
        }
        assert_eq!(log.top_unmapped(), [("x".repeat(128), 4)]);
        assert!(log.top_is_exact());
    }

    #[test]
    fn what_is_common_is_told_of_among_many() {
        let log = CoverageLog::default();
        let rare: Vec<String> = (0..50_000).map(|n| format!("rare:{n}")).collect();
        for some in rare.chunks(500) {
            let some = some.iter().map(String::as_str);
            let often = std::iter::repeat_n("often", 300);
            log.add(unmapped(some.chain(often)), &Vocabulary::default());
        }
        let top = log.top_unmapped();
        assert!(!log.top_is_exact());
        assert_eq!(top[0].0, "often");
        assert!(top[0].1 > 29_000 && top[1].1 < 300, "{top:?}");
    }
}
