//! Walks through hubs: what cannot lead on is not looked at.

use std::ops::{ControlFlow, Range};

use datafusion_common::{Result, internal_err};

use super::denied::Denied;
use super::paths::Walker;
use super::step::{At, is_barred};
use crate::index::Index;
use crate::index::entry::{Entry, Packed};
use crate::index::hubs::{Group, Hub};
use crate::index::section::Scratch;

impl Walker {
    /// Walks on from a node of so many edges, as it would by looking at all of them in turn. Nothing, if that is what is
    /// to be done.
    pub(super) fn visit_hub(
        &mut self,
        index: &Index,
        at: At,
        (segment, range): (usize, &Range<usize>),
        scratch: &mut Scratch<Packed>,
    ) -> Result<Option<ControlFlow<()>>> {
        if range.len() < self.hub || !self.may_leave_out(at) {
            return Ok(None);
        }
        let place = (at.node, segment, range);
        let Some(hub) = self.hubs.get(index, place, scratch, &self.held)? else {
            return Ok(None);
        };
        let (on, out): (Vec<&Group>, Vec<&Group>) = hub
            .groups
            .iter()
            .partition(|group| self.leads_on(at, group.prefix));
        let n: usize = on.iter().map(|group| group.len()).sum();
        let room = self.held.new_empty();
        if n > range.len() / 2 || room.try_grow(n * size_of::<u32>()).is_err() {
            return Ok(None);
        }
        let mut places: Vec<u32> = Vec::with_capacity(n);
        for group in on {
            places.extend_from_slice(hub.places(group));
        }
        places.sort_unstable();
        for group in out {
            self.leave_out(index, at, (segment, range.start), (&hub, group), scratch)?;
        }
        let (mut denied, mut seen) = (Denied::default(), 0);
        for place in places {
            let place = place as usize;
            let entry = entry_at(index, segment, range.start + place, scratch)?;
            if denied.take(entry, &index.vocabulary) {
                continue;
            }
            // (All before it were looked at, too.)
            if !self.may_look_at(hub.edges(seen..place + 1)) {
                return Ok(Some(ControlFlow::Break(())));
            }
            seen = place + 1;
            if self.step(index, at, entry, &denied)?.is_break() {
                return Ok(Some(ControlFlow::Break(())));
            }
        }
        Ok(Some(match self.may_look_at(hub.edges(seen..range.len())) {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }))
    }

    /// Whether there may be prefixes that do not lead on.
    fn may_leave_out(&self, at: At) -> bool {
        let options = &self.options;
        // (Of the start it is told what is denied.)
        at.depth > 0
            && (at.depth + 1 == options.max_hops || !(options.undirected || options.repeat_prefix))
    }

    /// Whether edges to a prefix lead to a result, or on.
    fn leads_on(&self, at: At, prefix: u16) -> bool {
        let is_last = at.depth + 1 == self.options.max_hops;
        let is_result = self.is_target(prefix) && !self.is_passed(prefix);
        (is_result || !is_last) && !self.is_repeated(prefix)
    }

    /// Notes what is noted of edges that do not.
    fn leave_out(
        &mut self,
        index: &Index,
        at: At,
        (segment, start): (usize, usize),
        (hub, group): (&Hub, &Group),
        scratch: &mut Scratch<Packed>,
    ) -> Result<()> {
        if !self.is_target(group.prefix) {
            return Ok(());
        }
        let is_last = at.depth + 1 == self.options.max_hops;
        if is_last && self.is_passed(group.prefix) {
            if !self.is_repeated(group.prefix) {
                self.passed += group.len() - group.denials;
            }
            return Ok(());
        }
        let mut denied = Denied::default();
        for &place in hub.places(group) {
            if self.repeats {
                break;
            }
            let entry = entry_at(index, segment, start + place as usize, scratch)?;
            if !denied.take(entry, &index.vocabulary) {
                self.repeats = !denied.denies(entry, &index.vocabulary)
                    && !is_barred(entry, self.is_backwards)
                    && !self.nodes.contains(&entry.to);
            }
        }
        Ok(())
    }
}

fn entry_at(
    index: &Index,
    segment: usize,
    place: usize,
    scratch: &mut Scratch<Packed>,
) -> Result<Entry> {
    match index
        .arrays
        .entries
        .read(segment, place..place + 1, scratch)?
    {
        [entry] => Ok(Entry::unpack(*entry)),
        _ => internal_err!("an index has no edge {place}"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, BooleanArray, Float64Array, RecordBatch, StringViewArray};
    use biotide_common::identifiers::{Identifiers, Meaning, Namespace};
    use datafusion_execution::TaskContext;
    use datafusion_execution::memory_pool::{MemoryConsumer, UnboundedMemoryPool};
    use datafusion_physical_plan::memory::MemoryStream;

    use super::super::paths::Path;
    use super::*;
    use crate::index::hubs::Hubs;
    use crate::load::{Statements, build_index};
    use crate::mapping::predicate::Chains;
    use crate::walk::WalkOptions;

    /// Knows no namespace.
    #[derive(Debug)]
    struct Nothing;

    impl Identifiers for Nothing {
        fn namespace(&self, _: &str) -> Option<Arc<dyn Namespace>> {
            None
        }

        fn of_iri(&self, _: &str) -> Option<(Arc<dyn Namespace>, String)> {
            None
        }

        fn declared(&self, _: &str, _: &str) -> Meaning {
            Meaning::Unknown
        }

        fn is_stem(&self, _: &str) -> bool {
            false
        }
    }

    struct Rng(u64);

    impl Rng {
        fn below(&mut self, n: u64) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0 % n
        }

        fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
            all[self.below(all.len() as u64) as usize].clone()
        }
    }

    const PREFIXES: [&str; 6] = ["aa", "bb", "cc", "dd", "ee", "ff"];

    async fn graph(rng: &mut Rng) -> Index {
        let id = |rng: &mut Rng| {
            // (Few are met often.)
            let n = rng.below(4) * rng.below(2);
            Some(format!("{}:{n}", rng.one_of(&PREFIXES)))
        };
        let predicates = [
            "skos:exactMatch",
            "skos:exactMatch",
            "skos:narrowMatch",
            "skos:closeMatch",
            "oboInOwl:hasDbXref",
            "rdfs:seeAlso",
        ];
        let rows: Vec<_> = (0..150)
            .map(|_| (id(rng), id(rng), Some(rng.one_of(&predicates).to_owned())))
            .collect();
        let text =
            |column: Vec<Option<String>>| Arc::new(StringViewArray::from_iter(column)) as ArrayRef;
        let confidences = (0..150).map(|_| Some(rng.one_of(&[0.5, 0.7, 0.9, 1.0])));
        let confidences: Float64Array = confidences.collect();
        let negated: BooleanArray = (0..150).map(|_| Some(rng.below(12) == 0)).collect();
        let columns = [
            (
                "subject",
                text(rows.iter().map(|row| row.0.clone()).collect()),
            ),
            (
                "object",
                text(rows.iter().map(|row| row.1.clone()).collect()),
            ),
            (
                "predicate",
                text(rows.iter().map(|row| row.2.clone()).collect()),
            ),
            ("confidence", Arc::new(confidences) as ArrayRef),
            ("negated", Arc::new(negated) as ArrayRef),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let schema = batch.schema();
        let statements = Statements {
            rows: Box::pin(MemoryStream::try_new(vec![batch], schema, None).unwrap()),
            origin: "test".into(),
            declared: None,
        };
        let identifiers: Arc<dyn Identifiers> = Arc::new(Nothing);
        let context = Arc::new(TaskContext::default());
        build_index(vec![statements], &identifiers, &context)
            .await
            .unwrap()
    }

    fn options(rng: &mut Rng) -> WalkOptions {
        let mut any = || rng.below(2) == 0;
        let (undirected, repeat_prefix) = (any(), any());
        let chains = Chains {
            close: any(),
            related: any(),
            xref: any(),
        };
        let prefixes = |n: usize| PREFIXES[..n].iter().map(|&prefix| prefix.to_owned());
        let targets = rng.below(3) as usize;
        WalkOptions {
            max_hops: 1 + rng.below(4) as usize,
            limit: rng.one_of(&[1, 10, 100]),
            min_confidence: rng.one_of(&[0.0, 0.4]),
            hop_factor: rng.one_of(&[1.0, 0.9]),
            targets: prefixes(targets).collect(),
            chains,
            repeat_prefix,
            undirected,
            max_paths: rng.one_of(&[30, 500, 5000]),
        }
    }

    /// What a walk is seen to find: paths that somebody looks at, and what is told unless it is cut.
    type Seen = (Vec<(Path, Vec<u32>)>, bool, Option<(Vec<u32>, bool)>);

    fn seen(walker: &mut Walker, index: &Index, start: u32) -> Seen {
        let prefix = walker.reader.prefix(index, start).unwrap();
        walker.walk(index, start, prefix).unwrap();
        let mut paths = Vec::new();
        for path in 0..walker.paths.len() {
            let steps: Vec<u32> = walker.steps_of(path).iter().map(|step| step.node).collect();
            let end = walker.steps_of(path)[steps.len() - 1].entry.prefix();
            if !walker.is_passed(end) {
                paths.push((walker.paths[path], steps));
            }
        }
        let told = (!walker.is_cut).then(|| (walker.conflicts.clone(), walker.repeats));
        (paths, walker.is_cut, told)
    }

    #[tokio::test]
    async fn what_is_left_out_leads_nowhere() {
        let mut rng = Rng(0x9e37_79b9_7f4a_7c15);
        let pool = Arc::new(UnboundedMemoryPool::default()) as _;
        let (mut told_apart, mut found) = (0, 0);
        for _ in 0..10 {
            let index = graph(&mut rng).await;
            for _ in 0..40 {
                let options = options(&mut rng);
                let is_backwards = rng.below(3) == 0;
                let wanted = rng.one_of(&[None, Some("bb"), Some("zz")]);
                let walker = |hub: usize| {
                    let held = MemoryConsumer::new("test").register(&pool);
                    let mut walker = Walker::new(&index, &options, held);
                    (walker.hub, walker.hubs) = (hub, Arc::new(Hubs::at_once()));
                    if let Some(prefix) = wanted {
                        walker.narrow(&index, prefix);
                    }
                    match is_backwards {
                        true => walker.backwards(),
                        false => walker,
                    }
                };
                let (mut plain, mut through) = (walker(usize::MAX), walker(4));
                for start in 0..index.nodes() {
                    let expected = seen(&mut plain, &index, start);
                    let answer = seen(&mut through, &index, start);
                    assert_eq!(answer, expected, "{options:?} {wanted:?} {is_backwards}");
                    found += expected.0.len();
                }
                told_apart += through.hubs.len();
            }
        }
        assert!(told_apart > 1000 && found > 10_000, "{told_apart} {found}");
    }
}
