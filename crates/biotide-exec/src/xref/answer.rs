//! What is said of one identifier.

use std::fmt::Write;

use biotide_common::identifiers::{Fate, is_nothing, trim};
use datafusion_common::Result;

use super::spec::{Policy, XrefSpec};
use crate::index::Index;
use crate::mapping::spelling::Speller;
use crate::walk::{Results, Walker};

/// The verdicts.
pub(crate) const OK: &str = "ok";
pub(crate) const AMBIGUOUS: &str = "ambiguous";
pub(crate) const RETIRED: &str = "retired";
pub(crate) const WITHDRAWN: &str = "withdrawn";
pub(crate) const UNMAPPED: &str = "unmapped";
pub(crate) const INVALID: &str = "invalid";
pub(crate) const NULL: &str = "null";

/// What is said of one identifier. Used again for the next one.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) verdict: &'static str,
    /// Why; empty: it goes without saying.
    pub(super) note: String,
    /// As it was looked up, with its prefix; empty if it is none.
    pub(super) resolved: String,
    /// As it was written, in canonical form, if it was brought forward.
    pub(super) retired: Option<String>,
    /// What has taken its place, also where that is not in the mapping.
    pub(super) successor: Option<String>,
    /// Where the walk began.
    pub(super) start: Option<(u32, u16)>,
    pub(super) results: Results,
    /// Identifiers that are contradicted.
    pub(super) conflicts: Vec<String>,
    /// Whether there are more edges than were walked.
    pub(super) is_cut: bool,
    /// Whether there are edges to a prefix that the path came through.
    pub(super) repeats: bool,
    /// Why no path leads to the targets, where that is so of all identifiers.
    pub(super) no_targets: Option<String>,
}

impl Answer {
    fn clear(&mut self) {
        self.verdict = UNMAPPED;
        self.note.clear();
        self.resolved.clear();
        self.retired = None;
        self.successor = None;
        self.start = None;
        self.results.clear();
        self.conflicts.clear();
        self.is_cut = false;
        self.repeats = false;
    }

    /// Answers for an identifier as it is written.
    pub(super) fn of(
        &mut self,
        written: Option<&str>,
        spec: &XrefSpec,
        index: &Index,
        speller: &mut Speller,
        walker: &mut Walker,
    ) -> Result<()> {
        self.clear();
        let Some(written) = written.filter(|written| !is_nothing(trim(written))) else {
            self.verdict = NULL;
            return Ok(());
        };
        let Some((number, local)) = speller.take_apart(written) else {
            self.verdict = INVALID;
            self.note.push_str(match speller.bare() {
                Some(_) => "no identifier",
                None if written.contains(':') => "no identifier behind its prefix",
                None => "no prefix: namespace => … says of which it is",
            });
            return Ok(());
        };
        let known = speller.known(number);
        let (prefix_name, namespace) = (&*known.prefix, known.namespace.as_ref());
        let curie = |local: &str| format!("{prefix_name}:{local}");
        self.resolved.push_str(prefix_name);
        self.resolved.push(':');
        self.resolved.push_str(&local);
        let prefix = index.vocabulary.prefix(prefix_name);
        let find = |walker: &mut Walker, local: &str| match prefix {
            Some(prefix) => walker.find(index, prefix, local),
            None => Ok(None),
        };
        let fate = match namespace {
            Some(namespace) if spec.retired => namespace.fate(&local)?,
            _ => None,
        };
        let (mut node, mut is_new_known, mut judged) = (None, false, None);
        match fate {
            Some(Fate::Replaced(successor)) => {
                judged = Some(RETIRED);
                node = find(walker, &successor)?;
                is_new_known = node.is_some();
                let new = curie(&successor);
                let _ = write!(self.note, "replaced by {new}");
                if !is_new_known {
                    self.note.push_str(", which is not in the mapping");
                }
                self.successor = Some(new);
            }
            Some(Fate::Withdrawn) => {
                judged = Some(WITHDRAWN);
                self.note.push_str("withdrawn without a successor");
            }
            Some(Fate::Ambiguous(successors)) if successors.is_empty() => {
                judged = Some(AMBIGUOUS);
                self.note
                    .push_str("retired, and those in its place lead back to it");
            }
            Some(Fate::Ambiguous(successors)) => {
                judged = Some(AMBIGUOUS);
                for successor in &successors {
                    is_new_known |= find(walker, successor)?.is_some();
                }
                let all: Vec<String> = successors
                    .iter()
                    .map(|successor| curie(successor))
                    .collect();
                let _ = write!(self.note, "retired, and it may be {}", all.join(" or "));
            }
            None => {}
        }
        let mut is_old = false;
        if !is_new_known {
            node = find(walker, &local)?;
            // (A mapping as old as the identifier knows none of what came after it.)
            is_old = judged.is_some() && node.is_some();
            if is_old {
                self.add_note("the old one is in the mapping");
            }
        }
        if let Some(new) = self.successor.as_ref().filter(|_| !is_old) {
            self.retired = Some(std::mem::replace(&mut self.resolved, new.clone()));
        }
        let Some((node, prefix)) = node.zip(prefix) else {
            let accepted = namespace.is_none_or(|namespace| namespace.accepts(&local));
            if let Some(judged) = judged {
                self.verdict = judged;
            } else if !accepted {
                self.verdict = INVALID;
                let _ = write!(self.note, "no identifier of {prefix_name}");
            } else {
                self.note.push_str(match prefix {
                    Some(_) => "not in the mapping",
                    None => "nothing of its prefix is in the mapping",
                });
            }
            return Ok(());
        };
        self.start = Some((node, prefix));
        walker.walk(index, node, prefix)?;
        self.is_cut = walker.is_cut;
        self.repeats = walker.repeats;
        self.results.gather(walker, index, node)?;
        for i in 0..walker.conflicts.len() {
            let mut text = String::new();
            let conflict = walker.conflicts[i];
            walker.write_curie(index, conflict, &mut text)?;
            self.conflicts.push(text);
        }
        self.conflicts.sort_unstable();
        self.judge(spec, judged);
        Ok(())
    }

    /// Puts the results in order, and keeps as many as are shown.
    pub(super) fn cut(
        &mut self,
        spec: &XrefSpec,
        index: &Index,
        walker: &mut Walker,
    ) -> Result<()> {
        // (Where a policy has still to choose, all of them are there to choose from.)
        let most = match spec.policy {
            Policy::Explode | Policy::List => spec.walk.limit,
            Policy::First | Policy::Error | Policy::Drop => usize::MAX,
        };
        self.results.cut(walker, index, most)
    }

    fn judge(&mut self, spec: &XrefSpec, judged: Option<&'static str>) {
        // (Of all results: what is not shown counts, too.)
        let several = self.is_cut || self.results.are_several();
        self.verdict = match (judged, self.results.found.is_empty()) {
            (Some(judged), _) => judged,
            (None, true) => UNMAPPED,
            (None, false) if several => AMBIGUOUS,
            (None, false) => OK,
        };
        if !self.conflicts.is_empty() {
            let shown: Vec<&str> = self.conflicts.iter().map(String::as_str).take(3).collect();
            let denied = format!("denied: {}", shown.join(", "));
            self.add_note(&denied);
        } else if !self.is_cut && !self.has_results(spec) {
            self.add_note(match spec.walk.targets.is_empty() {
                true => "no path leads from it",
                false => "no path leads to the targets",
            });
            // (Undirected, a path ends where it is below.)
            if self.results.are_below || spec.walk.undirected && spec.walk.min_confidence > 0.0 {
                let least = spec.walk.min_confidence;
                let _ = write!(self.note, " with a confidence of {least} (min_confidence)");
            }
            if self.repeats {
                self.note
                    .push_str(", but through a prefix twice (repeat_prefix)");
            }
            if let Some(why) = &self.no_targets {
                self.note.push_str(": ");
                self.note.push_str(why);
            }
        }
        if self.is_cut {
            let most = spec.walk.max_paths;
            let edges = match most {
                1 => "edge",
                _ => "edges",
            };
            self.add_note(&format!(
                "more than {most} {edges}: not all were walked (max_paths)"
            ));
        }
    }

    /// Whether it was an identifier at all.
    pub(super) fn is_looked_up(&self) -> bool {
        !matches!(self.verdict, NULL | INVALID)
    }

    /// Whether the one in the place of a retired identifier is a result: it is of a namespace that is asked for.
    pub(super) fn is_brought_forward(&self, spec: &XrefSpec) -> bool {
        let prefix = self.resolved.split_once(':');
        let prefix = prefix.map_or("", |(prefix, _)| prefix);
        let targets = &spec.walk.targets;
        self.successor.is_some() && targets.iter().any(|target| target == prefix)
    }

    /// Whether there are results, a successor among them, whatever is shown of them.
    pub(super) fn has_results(&self, spec: &XrefSpec) -> bool {
        !self.results.found.is_empty() || self.is_brought_forward(spec)
    }

    /// Edges of a path of so many: that it was brought forward is one, too.
    pub(super) fn hops(&self, walked: usize) -> usize {
        walked + usize::from(self.retired.is_some())
    }

    pub(super) fn add_note(&mut self, text: &str) {
        if !self.note.is_empty() {
            self.note.push_str("; ");
        }
        self.note.push_str(text);
    }

    /// Whether several identifiers of a namespace were found, or there may be several.
    pub(super) fn has_several(&self, prefix: u16) -> bool {
        self.is_cut || self.results.has_several(prefix)
    }
}
