//! Cross-references pieces of batches, for one task.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringViewArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, SchemaRef};
use biotide_common::BiotideError;
use datafusion_common::Result;
use datafusion_execution::memory_pool::MemoryReservation;

use super::answer::Answer;
use super::cardinality::Back;
use super::columns::Column;
use super::coverage::Coverage;
use super::rows::{Common, Rows, Shown};
use super::spec::{Policy, XrefSpec};
use crate::absent;
use crate::index::Index;
use crate::mapping::dictionary::Vocabulary;
use crate::mapping::spelling::Speller;
use crate::walk::{Ahead, Found, Walker};

/// The predicate of what has taken another one's place.
const REPLACED_BY: &str = "IAO:0100001";

/// Identifiers that are looked ahead at.
const AHEAD: usize = 256;

/// What the result looks like.
#[derive(Debug, Clone)]
pub(super) struct Output {
    pub(super) schema: SchemaRef,
    /// Columns of the input.
    pub(super) inputs: Vec<usize>,
    /// Those that are added.
    pub(super) columns: Vec<Column>,
    /// Rows of a batch.
    pub(super) batch_size: usize,
}

impl Output {
    fn wants(&self, column: Column) -> bool {
        self.columns.contains(&column)
    }
}

/// What one task needs, and uses again.
#[derive(Debug)]
pub(super) struct Worker {
    spec: Arc<XrefSpec>,
    index: Arc<Index>,
    output: Output,
    speller: Speller,
    walker: Walker,
    ahead: Ahead,
    /// Looks who else maps to results.
    back: Option<Back>,
    answer: Answer,
    /// Whether what has taken the place of the identifier is a result, the first one.
    has_successor: bool,
    /// Results that the policy leaves, by their number.
    left: Vec<usize>,
    /// All of them, written out.
    lines: Vec<Written>,
    /// Of sources.
    numbers: Vec<u32>,
    /// Holds nothing: what its walkers hold is of the same consumer.
    held: MemoryReservation,
    /// Whether somebody wants to know what became of identifiers.
    counts: bool,
    coverage: Coverage,
}

/// Where the statements of paths are from.
fn sources(index: &Index, walker: &Walker, paths: &[usize], numbers: &mut Vec<u32>) {
    let classes = &index.vocabulary.classes;
    for &path in paths {
        let steps = walker.steps_of(path);
        numbers.extend(
            steps
                .iter()
                .map(|step| classes[step.entry.class as usize].source),
        );
    }
    numbers.sort_unstable();
    numbers.dedup();
}

/// A result as it is shown, with what it borrows from. Used again for the next one.
#[derive(Debug, Default)]
struct Written {
    target: String,
    predicate: Option<u32>,
    /// Whether it is what has taken the place of the identifier.
    is_successor: bool,
    confidence: f64,
    hops: usize,
    path: Vec<String>,
    sources: Vec<String>,
}

impl Written {
    fn shown<'a>(&'a self, vocabulary: &'a Vocabulary) -> Shown<'a> {
        let name = |number: u32| vocabulary.predicates[number as usize].name.as_str();
        Shown {
            target: &self.target,
            predicate: match self.is_successor {
                true => Some(REPLACED_BY),
                false => self.predicate.map(name),
            },
            confidence: self.confidence,
            hops: self.hops,
            path: &self.path,
            sources: &self.sources,
        }
    }
}

/// Takes the identifiers apart that are looked up: by what their set says, and by IRIs that only the mapping's sources
/// know.
fn speller(spec: &XrefSpec) -> Speller {
    let iris = spec.mapping.iris();
    let own = spec.declared.as_deref().cloned().unwrap_or_default();
    let known = own.named_as(iris).with_iris(iris, &*spec.identifiers);
    Speller::new(Arc::clone(&spec.identifiers), spec.namespace.as_deref())
        .with_declared(Some(Arc::new(known)))
}

impl Worker {
    pub(super) fn new(
        spec: &Arc<XrefSpec>,
        index: &Arc<Index>,
        output: &Output,
        held: MemoryReservation,
        counts: bool,
    ) -> Self {
        let speller = speller(spec);
        let mut walker = Walker::new(index, &spec.walk, held.new_empty());
        let prefix = spec
            .wanted
            .as_ref()
            .and_then(|wanted| wanted.prefix.as_ref());
        // (Where a verdict is shown or counted, it is of all results.)
        if let Some(prefix) = prefix
            && spec.policy == Policy::Explode
            && !counts
            && !output.columns.iter().any(|column| column.is_of_all())
        {
            walker.narrow(index, prefix);
        }
        Self {
            walker,
            ahead: Ahead::default(),
            back: None,
            spec: Arc::clone(spec),
            index: Arc::clone(index),
            output: output.clone(),
            speller,
            answer: Answer {
                no_targets: absent::of_all(index, &spec.walk.targets),
                ..Answer::default()
            },
            has_successor: false,
            left: Vec::new(),
            lines: Vec::new(),
            numbers: Vec::new(),
            held,
            counts,
            coverage: Coverage::default(),
        }
    }

    /// What became of identifiers since it was last asked.
    pub(super) fn coverage(&mut self) -> Coverage {
        std::mem::take(&mut self.coverage)
    }

    /// Cross-references the rows of a batch, whose identifiers are given.
    pub(super) fn work(&mut self, batch: &RecordBatch, ids: &ArrayRef) -> Result<Vec<RecordBatch>> {
        let ids = match ids.data_type() {
            DataType::Utf8View => Arc::clone(ids),
            _ => cast(ids, &DataType::Utf8View)?,
        };
        let ids = ids.as_string_view();
        let output = &self.output;
        let mut rows = Rows::new(batch, output);
        // (What is not told apart for want of room must not depend on what others have met.)
        if !self.speller.has_room(ids.len()) {
            self.speller = speller(&self.spec);
        }
        for (row, id) in (0..).zip(ids) {
            if (row as usize).is_multiple_of(AHEAD) {
                self.look_ahead(ids, row as usize);
            }
            let (speller, walker) = (&mut self.speller, &mut self.walker);
            self.answer
                .of(id, &self.spec, &self.index, speller, walker)?;
            self.rows_of(row, id, &mut rows)?;
            self.walker.shrink();
            self.answer.results.shrink();
        }
        rows.finish()
    }

    /// Brings what the next identifiers need near.
    fn look_ahead(&mut self, ids: &StringViewArray, from: usize) {
        self.ahead.clear();
        for row in (from..ids.len())
            .take(AHEAD)
            .filter(|&row| ids.is_valid(row))
        {
            let Some((number, local)) = self.speller.take_apart(ids.value(row)) else {
                continue;
            };
            let prefix = &self.speller.known(number).prefix;
            if let Some(prefix) = self.index.vocabulary.prefix(prefix) {
                self.ahead.add(&self.index, prefix, &local);
            }
        }
        let hops = self.spec.walk.max_hops;
        let walker = &self.walker;
        self.ahead
            .look(&self.index, hops, |prefix| walker.is_target(prefix));
    }

    fn rows_of(&mut self, row: u32, written: Option<&str>, rows: &mut Rows<'_>) -> Result<()> {
        self.has_successor = self.is_brought_forward();
        self.choose(written)?;
        self.count(written);
        self.leave_wanted();
        let first = usize::from(self.has_successor);
        let n = first + self.left.len();
        if self.lines.len() < n {
            self.lines.resize_with(n, Written::default);
        }
        if self.has_successor {
            self.write_successor();
        }
        for line in first..n {
            self.write(line, self.left[line - first])?;
        }
        if n == 0 && (!self.spec.keep_unmapped || self.spec.wanted.is_some()) {
            return Ok(());
        }
        let cardinality = match self.output.wants(Column::Cardinality) {
            true if n == 0 => {
                let is_known = self.answer.is_looked_up() && !self.answer.is_cut;
                is_known.then_some("1:0")
            }
            true => {
                let new = || Back::new(&self.index, &self.spec.walk, self.held.new_empty());
                let back = self.back.get_or_insert_with(new);
                back.cardinality(&self.index, &self.answer)?
            }
            false => None,
        };
        let paths = match self.output.wants(Column::Paths) {
            true => self.paths()?,
            false => Vec::new(),
        };
        let vocabulary = &self.index.vocabulary;
        let paths: Vec<Shown<'_>> = paths.iter().map(|path| path.shown(vocabulary)).collect();
        let answer = &self.answer;
        fn some(text: &str) -> Option<&str> {
            (!text.is_empty()).then_some(text)
        }
        let common = Common {
            verdict: answer.verdict,
            note: some(&answer.note),
            resolved: some(&answer.resolved),
            cardinality,
            paths: &paths,
            conflicts: &answer.conflicts,
        };
        let lines = self.lines[..n].iter().map(|line| line.shown(vocabulary));
        match self.spec.policy {
            Policy::List => rows.push(row, None, &lines.collect::<Vec<_>>(), common)?,
            _ if n == 0 => rows.push(row, None, &[], common)?,
            _ => {
                for line in lines {
                    rows.push(row, Some(line), &[], common)?;
                }
            }
        }
        Ok(())
    }

    /// Leaves those results that a filter above wants.
    fn leave_wanted(&mut self) {
        let Some(wanted) = &self.spec.wanted else {
            return;
        };
        let (found, names) = (&self.answer.results.found, &self.index.vocabulary.prefixes);
        self.left.retain(|&i| {
            let name = &names[usize::from(found[i].prefix)].name;
            found[i].confidence >= wanted.min_confidence
                && wanted.prefix.as_ref().is_none_or(|prefix| prefix == name)
        });
    }

    /// Counts the identifier, by its best result.
    fn count(&mut self, written: Option<&str>) {
        if !self.counts {
            return;
        }
        let answer = &self.answer;
        let namespace = answer
            .resolved
            .split_once(':')
            .map_or("", |(prefix, _)| prefix);
        let best = self.left.first().map(|&i| &answer.results.found[i]);
        self.numbers.clear();
        // (That another one has taken its place is no statement of the mapping.)
        if let Some(best) = best.filter(|_| !self.has_successor) {
            sources(
                &self.index,
                &self.walker,
                &answer.results.evidence[best.evidence.clone()],
                &mut self.numbers,
            );
        }
        let hops = match (self.has_successor, best) {
            (true, _) => 1,
            (false, Some(best)) => answer.hops(best.hops),
            (false, None) => 0,
        };
        let unmapped = written.filter(|_| hops == 0);
        self.coverage
            .add(namespace, answer.verdict, hops, &self.numbers, unmapped);
    }

    /// Whether the one in the place of a retired identifier is a result: it is of a namespace that is asked for.
    fn is_brought_forward(&self) -> bool {
        let prefix = self.answer.resolved.split_once(':');
        let prefix = prefix.map_or("", |(prefix, _)| prefix);
        let targets = &self.spec.walk.targets;
        self.answer.successor.is_some() && targets.iter().any(|target| target == prefix)
    }

    /// The results that the policy leaves, a successor among them.
    fn choose(&mut self, written: Option<&str>) -> Result<()> {
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
            let note = format!("more than {limit} results: {all} were found (limit)");
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

    /// Writes that which has taken the place of the identifier: the first line.
    fn write_successor(&mut self) {
        let answer = &self.answer;
        let old = answer.retired.as_ref().unwrap_or(&answer.resolved).clone();
        let new = answer.successor.clone().unwrap_or_default();
        self.lines[0] = Written {
            target: new.clone(),
            predicate: None,
            is_successor: true,
            confidence: 1.0,
            hops: 1,
            path: vec![old, new],
            sources: Vec::new(),
        };
    }

    /// Writes a result, as far as it is asked for.
    fn write(&mut self, line: usize, found: usize) -> Result<()> {
        let found = self.answer.results.found[found].clone();
        let (wants_path, wants_sources) = (
            self.output.wants(Column::Path) || self.output.wants(Column::Mappings),
            self.output.wants(Column::Sources) || self.output.wants(Column::Mappings),
        );
        let path = match wants_path {
            true => self.path(self.answer.results.evidence[found.evidence.start])?,
            false => Vec::new(),
        };
        let results = &self.answer.results;
        let line = &mut self.lines[line];
        line.target.clear();
        line.target.push_str(&results.text[found.text]);
        (line.predicate, line.is_successor) = (found.predicate, false);
        (line.confidence, line.path) = (found.confidence, path);
        line.hops = self.answer.hops(found.hops);
        line.sources.clear();
        if wants_sources {
            self.numbers.clear();
            sources(
                &self.index,
                &self.walker,
                &results.evidence[found.evidence],
                &mut self.numbers,
            );
            let names = &self.index.vocabulary.sources;
            line.sources
                .extend(self.numbers.iter().map(|&n| names[n as usize].shown()));
        }
        Ok(())
    }

    /// The identifiers on a path.
    fn path(&mut self, path: usize) -> Result<Vec<String>> {
        let steps = self.walker.steps_of(path).to_vec();
        let mut texts = Vec::with_capacity(steps.len() + 2);
        texts.extend(self.answer.retired.clone());
        texts.push(self.answer.resolved.clone());
        for step in steps {
            let mut text = String::new();
            self.walker.write_curie(&self.index, step.node, &mut text)?;
            texts.push(text);
        }
        Ok(texts)
    }

    /// The paths that the results rest on, best first.
    fn paths(&mut self) -> Result<Vec<Written>> {
        let mut all = Vec::new();
        for i in 0..self.answer.results.found.len() {
            let found = self.answer.results.found[i].clone();
            for at in found.evidence.clone() {
                let path = self.answer.results.evidence[at];
                let own = self.walker.paths[path];
                all.push(Written {
                    target: self.answer.results.text[found.text.clone()].to_owned(),
                    predicate: own.predicate,
                    is_successor: false,
                    confidence: own.confidence,
                    hops: self.answer.hops(own.hops),
                    path: self.path(path)?,
                    sources: Vec::new(),
                });
            }
        }
        all.sort_by(|a, b| {
            b.confidence
                .total_cmp(&a.confidence)
                .then(a.hops.cmp(&b.hops))
        });
        Ok(all)
    }
}
