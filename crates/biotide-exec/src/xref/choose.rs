//! What a policy and the limit leave of the results of an identifier.

use biotide_common::BiotideError;
use datafusion_common::Result;

use super::spec::Policy;
use super::worker::Worker;
use crate::walk::Found;

impl Worker {
    /// The results that the policy leaves, a successor among them.
    pub(super) fn choose(&mut self, written: Option<&str>) -> Result<()> {
        let found = &self.answer.results.found;
        let several = |found: &Found| self.answer.has_several(found.prefix);
        let left = &mut self.left;
        left.clear();
        left.extend(0..found.len());
        match self.spec.policy {
            Policy::Explode | Policy::List => {}
            Policy::First => {
                let names = &self.index.vocabulary.prefixes;
                let rank = |name: &str| {
                    let place = self.spec.priority.iter().position(|own| own == name);
                    place.unwrap_or(usize::MAX)
                };
                let rank_of = |i: usize| rank(&names[usize::from(found[i].prefix)].name);
                // (Those that rank alike stay in their order.)
                let best = left.iter().copied().min_by_key(|&i| rank_of(i));
                let own = self.answer.resolved.split_once(':');
                let own = rank(own.map_or("", |(prefix, _)| prefix));
                self.has_successor &= best.is_none_or(|best| own <= rank_of(best));
                left.clear();
                left.extend(best.filter(|_| !self.has_successor));
            }
            Policy::Error => {
                if let Some(one) = found.iter().find(|found| several(found)) {
                    let own = found.iter().filter(|found| found.prefix == one.prefix);
                    let text = &self.answer.results.text;
                    let names: Vec<&str> =
                        own.map(|found| &text[found.text.clone()]).take(5).collect();
                    let several = match self.answer.results.has_several(one.prefix) {
                        true => "several",
                        false => "more, perhaps: not all edges were walked (max_paths)",
                    };
                    return Err(BiotideError::Option {
                        key: "xref policy".to_owned(),
                        value: "error".to_owned(),
                        problem: format!(
                            "ends the statement: {} maps to {several}: {}",
                            written.unwrap_or_default(),
                            names.join(", ")
                        ),
                    }
                    .into());
                }
            }
            Policy::Drop => {
                let before = left.len();
                left.retain(|&i| !several(&found[i]));
                if left.len() < before {
                    self.answer
                        .add_note("several identifiers of a namespace: left out");
                }
            }
        }
        self.limit();
        Ok(())
    }

    /// Keeps as many results as are wanted, and says how many there were.
    fn limit(&mut self) {
        let (limit, first) = (self.spec.walk.limit, usize::from(self.has_successor));
        let chosen = match self.spec.policy {
            Policy::Explode | Policy::List => self.answer.results.all,
            Policy::First | Policy::Error | Policy::Drop => self.left.len(),
        };
        let all = chosen + first;
        if all > limit {
            let results = match limit {
                1 => "result",
                _ => "results",
            };
            let note = format!("more than {limit} {results}: {all} were found (limit)");
            self.answer.add_note(&note);
        }
        self.left.truncate(limit - first);
        // (Of those that a policy has left out the best are told of.)
        let found = &mut self.answer.results.found;
        let mut n = limit.min(found.len());
        for i in self.left.iter_mut().filter(|i| **i >= limit) {
            found.swap(n, *i);
            *i = n;
            n += 1;
        }
        found.truncate(n);
    }
}
