//! The cliques of a mapping, slowly.

use std::collections::{BTreeMap, BTreeSet};

use super::reference::{Mapping, prefix};

/// A member of a clique.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Member {
    pub(super) id: String,
    pub(super) clique: String,
    pub(super) size: usize,
    pub(super) conflicts: Vec<String>,
}

impl Mapping {
    /// Connected components. A statement counts if one of its readings has one of the predicates.
    pub(super) fn cliques(
        &self,
        predicates: &[&str],
        priority: &[&str],
        min_confidence: f64,
    ) -> Vec<Member> {
        let mut of: BTreeMap<&str, usize> = self.ids().zip(0..).collect();
        for (edge, confidence) in &self.readings {
            if !predicates.contains(&edge.predicate)
                || *confidence < min_confidence
                || self.cut(edge)
            {
                continue;
            }
            let (one, other) = (of[&*edge.from], of[&*edge.to]);
            for number in of.values_mut().filter(|number| **number == other) {
                *number = one;
            }
        }
        let mut members: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        for (id, number) in &of {
            members.entry(*number).or_default().push(id);
        }
        let mut all = Vec::new();
        for ids in members.values() {
            let rank = |id: &&&str| {
                let at = priority.iter().position(|own| *own == prefix(id));
                (at.unwrap_or(usize::MAX), id.to_string())
            };
            let clique = ids.iter().min_by_key(rank).unwrap();
            let count = |of: &str| ids.iter().filter(|id| prefix(id) == of).count();
            let prefixes: BTreeSet<&str> = ids.iter().map(|id| prefix(id)).collect();
            let several = prefixes.into_iter().filter(|prefix| count(prefix) > 1);
            let conflicts: Vec<String> = several.map(str::to_owned).collect();
            all.extend(ids.iter().map(|id| Member {
                id: id.to_string(),
                clique: clique.to_string(),
                size: ids.len(),
                conflicts: conflicts.clone(),
            }));
        }
        all.sort();
        all
    }
}
