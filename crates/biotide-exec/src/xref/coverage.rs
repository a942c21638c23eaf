//! What became of the identifiers of a statement.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use parking_lot::Mutex;
use serde::Serialize;

/// Unmapped identifiers that are counted at a time.
const COUNTED: usize = 4096;

/// Unmapped identifiers that are told of.
const SHOWN: usize = 20;

/// The most groups that are told apart.
const GROUPS: usize = 4096;

/// What identifiers are counted by: namespace, verdict, hops, source.
type Group = (String, &'static str, usize, String);

/// Counts of one task.
#[derive(Debug, Default)]
pub(super) struct Coverage {
    groups: BTreeMap<Group, u64>,
    unmapped: HashMap<String, u64>,
}

impl Coverage {
    /// Counts an identifier, by its best result.
    pub(super) fn add(
        &mut self,
        namespace: Option<&str>,
        verdict: &'static str,
        results: &[(usize, &[String])],
        written: Option<&str>,
    ) {
        let (hops, sources) = results
            .first()
            .map_or((0, String::new()), |(hops, sources)| {
                (*hops, sources.join("|"))
            });
        let group = (
            namespace.unwrap_or_default().to_owned(),
            verdict,
            hops,
            sources,
        );
        let is_full = self.groups.len() >= GROUPS;
        match self.groups.get_mut(&group) {
            Some(n) => *n += 1,
            None if is_full => {
                *self
                    .groups
                    .entry(("…".to_owned(), verdict, 0, String::new()))
                    .or_default() += 1
            }
            None => drop(self.groups.insert(group, 1)),
        }
        if results.is_empty()
            && let Some(written) = written
        {
            count(&mut self.unmapped, written, 1);
        }
    }
}

/// Counts what is frequent (Misra and Gries: what comes more often than in one of `COUNTED` is there).
fn count(counts: &mut HashMap<String, u64>, text: &str, n: u64) {
    if let Some(count) = counts.get_mut(text) {
        *count += n;
        return;
    }
    if counts.len() >= COUNTED {
        counts.retain(|_, count| {
            *count -= 1;
            *count > 0
        });
        return;
    }
    counts.insert(text.chars().take(128).collect(), n);
}

/// What became of the identifiers of a statement. A session extension.
#[derive(Debug, Default)]
pub struct CoverageLog(Mutex<Coverage>);

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
    pub(super) fn add(&self, coverage: Coverage) {
        let mut all = self.0.lock();
        for (group, n) in coverage.groups {
            *all.groups.entry(group).or_default() += n;
        }
        for (text, n) in coverage.unmapped {
            count(&mut all.unmapped, &text, n);
        }
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

    /// Unmapped identifiers, the commonest first. (Of more than 4096 different ones, those that are common.)
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
