//! Cross-references pieces of batches, for one task.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringViewArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, SchemaRef};
use biotide_common::BiotideError;
use datafusion_common::{DataFusionError, Result};
use datafusion_execution::memory_pool::MemoryReservation;

use super::answer::Answer;
use super::cardinality::Back;
use super::columns::Column;
use super::coverage::Coverage;
use super::rows::{Common, Made, Rows, Shown};
use super::spec::{Policy, XrefSpec};
use super::written::Written;
use crate::absent;
use crate::index::Index;
use crate::mapping::dictionary::Vocabulary;
use crate::mapping::spelling::Speller;
use crate::walk::{Ahead, Walker};

/// Identifiers that are looked ahead at.
const AHEAD: usize = 256;

/// Paths of an identifier that are shown.
const PATHS: usize = 1000;

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

/// Rows of the input, and how far they were cross-referenced.
#[derive(Debug)]
pub(super) struct Piece {
    /// Their identifiers, as texts.
    ids: ArrayRef,
    /// That which is next, or has rows yet to come.
    row: usize,
    rows: Rows,
}

/// What one task needs, and uses again.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) spec: Arc<XrefSpec>,
    pub(super) index: Arc<Index>,
    output: Output,
    speller: Speller,
    walker: Walker,
    ahead: Ahead,
    /// Looks who else maps to results.
    back: Option<Back>,
    pub(super) answer: Answer,
    /// Whether what has taken the place of the identifier is a result, the first one.
    pub(super) has_successor: bool,
    /// Results that the policy leaves, by their number.
    pub(super) left: Vec<usize>,
    /// Whether it is in the midst of an identifier, of whose rows these are left, and which is said of each.
    is_begun: bool,
    lines: Range<usize>,
    cardinality: Option<&'static str>,
    evidence: Vec<Written>,
    /// A result, written out.
    line: Written,
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
            is_begun: false,
            lines: 0..0,
            cardinality: None,
            evidence: Vec::new(),
            line: Written::default(),
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

    /// Begins with the rows of a batch, whose identifiers are given.
    pub(super) fn begin(&mut self, batch: RecordBatch, ids: ArrayRef) -> Result<Piece> {
        // (What is not told apart for want of room must not depend on what others have met.)
        if !self.speller.has_room(ids.len()) {
            self.speller = speller(&self.spec);
        }
        Ok(Piece {
            ids: match ids.data_type() {
                DataType::Utf8View => ids,
                _ => cast(&ids, &DataType::Utf8View)?,
            },
            row: 0,
            rows: Rows::new(batch, &self.output, self.held.new_empty()),
        })
    }

    /// The next batch of what the rows of a piece become.
    pub(super) fn next(&mut self, piece: &mut Piece) -> Result<Option<Made>> {
        let Piece { ids, row, rows } = piece;
        let ids = ids.as_string_view();
        let index = Arc::clone(&self.index);
        while *row < ids.len() {
            let id = ids.is_valid(*row).then(|| ids.value(*row));
            if !self.is_begun {
                if row.is_multiple_of(AHEAD) {
                    self.look_ahead(ids, *row);
                }
                self.answer(id).map_err(|error| told(error, id))?;
                self.is_begun = true;
            }
            let pushed = self.push_rows(*row as u32, &index.vocabulary, rows);
            pushed.map_err(|error| told(error, id))?;
            if self.lines.is_empty() {
                self.walker.shrink();
                self.answer.results.shrink();
                self.is_begun = false;
                *row += 1;
            }
            if rows.is_full() {
                return rows.end_batch().map(Some);
            }
        }
        match rows.is_empty() {
            true => Ok(None),
            false => rows.end_batch().map(Some),
        }
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

    /// Answers for an identifier, and says which rows it has.
    fn answer(&mut self, written: Option<&str>) -> Result<()> {
        let (speller, walker) = (&mut self.speller, &mut self.walker);
        self.answer
            .of(written, &self.spec, &self.index, speller, walker)?;
        // (Of all results: it is counted before any is left out.)
        self.cardinality = self.cardinality()?;
        self.answer.cut(&self.spec, &self.index, &mut self.walker)?;
        self.has_successor = self.answer.is_brought_forward(&self.spec);
        self.choose(written)?;
        self.count(written);
        self.leave_wanted();
        let n = self.shown();
        self.lines = match self.spec.policy {
            _ if n == 0 && (!self.spec.keep_unmapped || self.spec.wanted.is_some()) => 0..0,
            Policy::List => 0..1,
            _ => 0..n.max(1),
        };
        if self.lines.is_empty() {
            return Ok(());
        }
        self.evidence = self.paths()?;
        Ok(())
    }

    /// How many identifiers map to how many, if somebody wants to know.
    fn cardinality(&mut self) -> Result<Option<&'static str>> {
        if !self.output.wants(Column::Cardinality) {
            return Ok(None);
        }
        if !self.answer.has_results(&self.spec) {
            let is_known = self.answer.is_looked_up() && !self.answer.is_cut;
            return Ok(is_known.then_some("1:0"));
        }
        let new = || Back::new(&self.index, &self.spec.walk, self.held.new_empty());
        let back = self.back.get_or_insert_with(new);
        back.cardinality(&self.index, &self.answer)
    }

    /// How many results are shown.
    fn shown(&self) -> usize {
        usize::from(self.has_successor) + self.left.len()
    }

    /// Adds rows of an identifier, until it has no more or their batch is full.
    fn push_rows(&mut self, row: u32, vocabulary: &Vocabulary, rows: &mut Rows) -> Result<()> {
        let (n, paths) = (self.shown(), std::mem::take(&mut self.evidence));
        let shown: Vec<Shown<'_>> = paths.iter().map(|path| path.shown(vocabulary)).collect();
        let is_list = self.spec.policy == Policy::List;
        while !rows.is_full()
            && let Some(line) = self.lines.next()
        {
            if is_list && self.output.wants(Column::Mappings) {
                for line in 0..n {
                    self.write(line)?;
                    rows.add_mapping(self.line.shown(vocabulary))?;
                }
            }
            let has_one = !is_list && n > 0;
            if has_one {
                self.write(line)?;
            }
            let one = has_one.then(|| self.line.shown(vocabulary));
            rows.push(row, one, self.common(&shown))?;
        }
        self.evidence = paths;
        Ok(())
    }

    /// What the rows of an identifier have in common.
    fn common<'a>(&'a self, paths: &'a [Shown<'a>]) -> Common<'a> {
        fn some(text: &str) -> Option<&str> {
            (!text.is_empty()).then_some(text)
        }
        Common {
            verdict: self.answer.verdict,
            note: some(&self.answer.note),
            resolved: some(&self.answer.resolved),
            cardinality: self.cardinality,
            paths,
            conflicts: &self.answer.conflicts,
        }
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

    /// Writes that which has taken the place of the identifier.
    fn write_successor(&mut self) {
        let answer = &self.answer;
        let old = answer.retired.as_ref().unwrap_or(&answer.resolved).clone();
        let new = answer.successor.clone().unwrap_or_default();
        self.line = Written {
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
    fn write(&mut self, line: usize) -> Result<()> {
        if self.has_successor && line == 0 {
            self.write_successor();
            return Ok(());
        }
        let found = self.left[line - usize::from(self.has_successor)];
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
        let line = &mut self.line;
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

    /// The paths that the results rest on, best first, and of many the best ones.
    fn paths(&mut self) -> Result<Vec<Written>> {
        let found = &self.answer.results.found;
        let all: usize = found.iter().map(|found| found.evidence.len()).sum();
        if all > PATHS {
            let note = format!("more than {PATHS} paths: its results rest on {all}");
            self.answer.add_note(&note);
        }
        if !self.output.wants(Column::Paths) {
            return Ok(Vec::new());
        }
        let results = &self.answer.results;
        let path = |at: usize| &self.walker.paths[results.evidence[at]];
        let keep_best = |places: &mut Vec<(usize, usize)>| {
            places.sort_unstable_by(|a, b| {
                let (one, other) = (path(a.1), path(b.1));
                other
                    .confidence
                    .total_cmp(&one.confidence)
                    .then(one.hops.cmp(&other.hops))
                    .then(a.cmp(b))
            });
            places.truncate(PATHS);
        };
        let mut places = Vec::new();
        for (i, found) in results.found.iter().enumerate() {
            for at in found.evidence.clone() {
                places.push((i, at));
                if places.len() >= 2 * PATHS {
                    keep_best(&mut places);
                }
            }
        }
        keep_best(&mut places);
        let mut paths = Vec::with_capacity(places.len());
        for (found, at) in places {
            let path = self.answer.results.evidence[at];
            let own = self.walker.paths[path];
            let text = self.answer.results.found[found].text.clone();
            paths.push(Written {
                target: self.answer.results.text[text].to_owned(),
                predicate: own.predicate,
                is_successor: false,
                confidence: own.confidence,
                hops: self.answer.hops(own.hops),
                path: self.path(path)?,
                sources: Vec::new(),
            });
        }
        Ok(paths)
    }
}

/// Says which identifier has more than there is memory for.
fn told(error: DataFusionError, id: Option<&str>) -> DataFusionError {
    match error.find_root() {
        DataFusionError::ResourcesExhausted(_) => {
            let id = id.unwrap_or_default();
            let place =
                format!("xref of {id} (targets, limit, max_hops and max_paths leave less of it)");
            BiotideError::at(place, error).into()
        }
        _ => error,
    }
}
