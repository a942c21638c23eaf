//! Identifiers that were replaced or withdrawn.

use std::sync::{Arc, LazyLock};

use datafusion_common::{DataFusionError, Result};
use hashbrown::{HashMap, HashSet};

use super::unpack;

/// The retired identifiers of a namespace, by number.
#[derive(Debug, Default)]
pub(in crate::identifier) struct Secondary {
    pub(in crate::identifier) release: String,
    /// What has taken their place; nothing of those that were withdrawn.
    successors: HashMap<u32, Box<[u32]>>,
}

static TABLES: LazyLock<std::result::Result<HashMap<String, Arc<Secondary>>, String>> =
    LazyLock::new(|| {
        let text = unpack(include_bytes!("../../../data/secondary.tsv.gz"))?;
        read(&text).ok_or_else(|| "a line of it cannot be read".to_owned())
    });

/// The table of a namespace, if there is one.
pub(in crate::identifier) fn secondary(namespace: &str) -> Result<Option<Arc<Secondary>>> {
    match &*TABLES {
        Ok(tables) => Ok(tables.get(namespace).cloned()),
        Err(problem) => {
            let what = format!("the embedded secondary identifiers: {problem}");
            Err(DataFusionError::Internal(what))
        }
    }
}

/// A head `#namespace, release`, then the difference to the identifier before, and the successors.
fn read(text: &str) -> Option<HashMap<String, Arc<Secondary>>> {
    let mut tables: Vec<(String, Secondary)> = Vec::new();
    let mut number = 0u32;
    for line in text.lines() {
        if let Some(head) = line.strip_prefix('#') {
            let (namespace, release) = head.split_once('\t')?;
            let table = Secondary {
                release: release.to_owned(),
                ..Secondary::default()
            };
            tables.push((namespace.to_owned(), table));
            number = 0;
            continue;
        }
        let (difference, successors) = line.split_once('\t').unwrap_or((line, ""));
        number += difference.parse::<u32>().ok()?;
        let successors = successors.split(',').filter(|one| !one.is_empty());
        let successors = successors
            .map(|one| one.parse().ok())
            .collect::<Option<_>>()?;
        tables.last_mut()?.1.successors.insert(number, successors);
    }
    Some(
        tables
            .into_iter()
            .map(|(name, table)| (name, Arc::new(table)))
            .collect(),
    )
}

/// Where an identifier has come to.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::identifier) struct Fate {
    /// What is current in its place, in order: nothing if it was withdrawn.
    pub(in crate::identifier) current: Vec<u32>,
    /// The longest way there.
    pub(in crate::identifier) hops: usize,
}

impl Secondary {
    /// Follows an identifier to what is current; `None` if it is not retired. A circle ends where it started.
    pub(in crate::identifier) fn follow(&self, number: u32) -> Option<Fate> {
        self.successors.get(&number)?;
        let mut seen: HashSet<u32> = HashSet::from([number]);
        let mut current = Vec::new();
        let mut frontier = vec![number];
        let mut hops = 0;
        while !frontier.is_empty() {
            let mut next = Vec::new();
            for number in frontier {
                match self.successors.get(&number) {
                    None => current.push(number),
                    Some(successors) => {
                        next.extend(
                            successors
                                .iter()
                                .filter(|&&successor| seen.insert(successor)),
                        );
                    }
                }
            }
            hops += usize::from(!next.is_empty());
            frontier = next;
        }
        current.sort_unstable();
        Some(Fate { current, hops })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retired_identifiers_are_followed_to_the_end() {
        let text = "#a\t1\n1\t2\n1\t3,4\n3\t6\n1\t5\n1\n";
        let tables = read(text).unwrap();
        let fate = |number| tables["a"].follow(number);
        let at = |current: &[u32], hops| {
            Some(Fate {
                current: current.to_vec(),
                hops,
            })
        };
        assert_eq!(fate(1), at(&[3, 4], 2));
        assert_eq!(fate(3), None);
        // 5 and 6 are each other's.
        assert_eq!(fate(5), at(&[], 1));
        assert_eq!(fate(7), at(&[], 0));
    }

    #[test]
    fn the_tables_are_those_that_were_counted() {
        let counted = |namespace| secondary(namespace).unwrap().unwrap().successors.len();
        assert_eq!(counted("ncbigene"), 166_208);
        assert_eq!(counted("chebi"), 16_738);
        let ncbi = secondary("ncbigene").unwrap().unwrap();
        let withdrawn = ncbi
            .successors
            .values()
            .filter(|successors| successors.is_empty());
        assert_eq!(withdrawn.count(), 138_166);
        assert!(secondary("hmdb").unwrap().is_none());
    }
}
