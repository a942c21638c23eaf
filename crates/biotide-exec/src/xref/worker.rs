//! Cross-references pieces of batches, for one task.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, SchemaRef};
use biotide_common::BiotideError;
use datafusion_common::Result;
use datafusion_execution::memory_pool::MemoryReservation;

use super::answer::{self, Answer};
use super::columns::Column;
use super::coverage::Coverage;
use super::rows::{Common, Rows, Shown};
use super::spec::{Policy, XrefSpec};
use crate::index::Index;
use crate::mapping::spelling::Speller;
use crate::walk::{Found, WalkOptions, Walker};

/// The predicate of what has taken another one's place.
const REPLACED_BY: &str = "IAO:0100001";

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
    /// Walks back from results, to see who else maps to them.
    back: Option<Walker>,
    answer: Answer,
    held: MemoryReservation,
    pub(super) coverage: Coverage,
}

/// A result as it is shown, with what it borrows from.
#[derive(Debug, Default)]
struct Written {
    target: String,
    predicate: Option<String>,
    confidence: f64,
    hops: usize,
    path: Vec<String>,
    sources: Vec<String>,
}

impl Written {
    fn shown(&self) -> Shown<'_> {
        Shown {
            target: &self.target,
            predicate: self.predicate.as_deref(),
            confidence: self.confidence,
            hops: self.hops,
            path: &self.path,
            sources: &self.sources,
        }
    }
}

impl Worker {
    pub(super) fn new(
        spec: &Arc<XrefSpec>,
        index: &Arc<Index>,
        output: &Output,
        held: MemoryReservation,
    ) -> Self {
        let speller = Speller::new(Arc::clone(&spec.identifiers), spec.namespace.as_deref());
        Self {
            walker: Walker::new(index, &spec.walk),
            back: None,
            spec: Arc::clone(spec),
            index: Arc::clone(index),
            output: output.clone(),
            speller,
            answer: Answer::default(),
            held,
            coverage: Coverage::default(),
        }
    }

    /// Cross-references the rows of a batch, whose identifiers are given.
    pub(super) fn work(&mut self, batch: &RecordBatch, ids: &ArrayRef) -> Result<Vec<RecordBatch>> {
        let ids = match ids.data_type() {
            DataType::Utf8 => Arc::clone(ids),
            _ => cast(ids, &DataType::Utf8)?,
        };
        let ids = ids.as_string::<i32>();
        let output = &self.output;
        let mut rows = Rows::new(
            Arc::clone(&output.schema),
            output.inputs.clone(),
            &output.columns,
        );
        let (batch_size, mut done) = (output.batch_size, Vec::new());
        for (row, id) in (0..).zip(ids) {
            let (speller, walker) = (&mut self.speller, &mut self.walker);
            self.answer
                .of(id, &self.spec, &self.index, speller, walker)?;
            self.held.try_resize(self.walker.size())?;
            self.rows_of(row, id, &mut rows)?;
            self.walker.shrink();
            if rows.len() >= batch_size {
                done.push(rows.finish(batch)?);
            }
        }
        if rows.len() > 0 || done.is_empty() {
            done.push(rows.finish(batch)?);
        }
        Ok(done)
    }

    fn rows_of(&mut self, row: u32, written: Option<&str>, rows: &mut Rows) -> Result<()> {
        let mut results = self.chosen(written)?;
        if self.answer.retired.is_some() {
            self.bring_forward(&mut results);
        }
        let namespace = self
            .answer
            .resolved
            .split_once(':')
            .map(|(prefix, _)| prefix);
        self.coverage.add(
            namespace,
            self.answer.verdict,
            &results
                .iter()
                .map(|r| (r.hops, r.sources.as_slice()))
                .collect::<Vec<_>>(),
            written,
        );
        if results.is_empty() && !self.spec.keep_unmapped {
            return Ok(());
        }
        let cardinality = match self.output.wants(Column::Cardinality) {
            true => self.cardinality(&results)?,
            false => None,
        };
        let paths = match self.output.wants(Column::Paths) {
            true => self.paths()?,
            false => Vec::new(),
        };
        let paths: Vec<Shown<'_>> = paths.iter().map(Written::shown).collect();
        let answer = &self.answer;
        let some = |text: &'_ String| (!text.is_empty()).then(|| text.clone());
        let (note, resolved) = (some(&answer.note), some(&answer.resolved));
        let common = Common {
            verdict: answer.verdict,
            note: note.as_deref(),
            resolved: resolved.as_deref(),
            cardinality,
            paths: &paths,
            conflicts: &answer.conflicts,
        };
        let all: Vec<Shown<'_>> = results.iter().map(Written::shown).collect();
        match (self.spec.policy, all.as_slice()) {
            (Policy::List, all) => rows.push(row, None, all, common),
            (_, []) => rows.push(row, None, &[], common),
            (_, all) => {
                for &one in all {
                    rows.push(row, Some(one), &[], common);
                }
            }
        }
        Ok(())
    }

    /// The results that the policy leaves, written out.
    fn chosen(&mut self, written: Option<&str>) -> Result<Vec<Written>> {
        let found = &self.answer.results.found;
        let several = |found: &Found| self.answer.has_several(found.prefix);
        let mut left: Vec<usize> = (0..found.len()).collect();
        match self.spec.policy {
            Policy::Explode | Policy::List => {}
            Policy::First => {
                let names = &self.index.vocabulary.prefixes;
                let rank = |prefix: u16| {
                    let name = &names[usize::from(prefix)].name;
                    let place = self.spec.priority.iter().position(|own| own == name);
                    place.unwrap_or(usize::MAX)
                };
                // (Those that rank alike stay in their order.)
                left.sort_by_key(|&i| rank(found[i].prefix));
                left.truncate(1);
            }
            Policy::Error => {
                if let Some(one) = found.iter().find(|found| several(found)) {
                    let own = found.iter().filter(|found| found.prefix == one.prefix);
                    let text = &self.answer.results.text;
                    let names: Vec<&str> =
                        own.map(|found| &text[found.text.clone()]).take(5).collect();
                    return Err(BiotideError::Option {
                        key: "xref policy".to_owned(),
                        value: "error".to_owned(),
                        problem: format!(
                            "ends the statement: {} maps to several: {}",
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
        left.into_iter().map(|i| self.write(i)).collect()
    }

    /// Writes a result out, as far as it is asked for.
    fn write(&mut self, i: usize) -> Result<Written> {
        let results = &self.answer.results;
        let found = results.found[i].clone();
        let predicates = &self.index.vocabulary.predicates;
        let mut written = Written {
            target: results.text[found.text.clone()].to_owned(),
            predicate: found.predicate.map(|n| predicates[n as usize].name.clone()),
            confidence: found.confidence,
            hops: found.hops,
            ..Written::default()
        };
        if self.output.wants(Column::Path) || self.output.wants(Column::Mappings) {
            written.path = self.path(self.answer.results.evidence[found.evidence.start])?;
        }
        self.sources(&found, &mut written.sources);
        Ok(written)
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

    /// Where the statements are from that a result rests on.
    fn sources(&self, found: &Found, sources: &mut Vec<String>) {
        let vocabulary = &self.index.vocabulary;
        let mut numbers: Vec<u32> = Vec::new();
        for &path in &self.answer.results.evidence[found.evidence.clone()] {
            let steps = self.walker.steps_of(path);
            numbers.extend(
                steps
                    .iter()
                    .map(|step| vocabulary.classes[step.entry.class as usize].source),
            );
        }
        numbers.sort_unstable();
        numbers.dedup();
        sources.extend(
            numbers
                .iter()
                .map(|&n| vocabulary.sources[n as usize].shown()),
        );
    }

    /// The paths that the results rest on, best first.
    fn paths(&mut self) -> Result<Vec<Written>> {
        let mut all = Vec::new();
        for i in 0..self.answer.results.found.len() {
            let found = self.answer.results.found[i].clone();
            for at in found.evidence.clone() {
                let path = self.answer.results.evidence[at];
                let predicates = &self.index.vocabulary.predicates;
                let own = self.walker.paths[path];
                all.push(Written {
                    target: self.answer.results.text[found.text.clone()].to_owned(),
                    predicate: own.predicate.map(|n| predicates[n as usize].name.clone()),
                    confidence: own.confidence,
                    hops: own.hops,
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

    /// A retired identifier maps to the one in its place, where that is of a namespace that is asked for.
    fn bring_forward(&self, results: &mut Vec<Written>) {
        let Some(old) = &self.answer.retired else {
            return;
        };
        let new = &self.answer.resolved;
        let prefix = new.split_once(':').map_or("", |(prefix, _)| prefix);
        if self.spec.walk.targets.iter().any(|target| target == prefix) {
            results.insert(
                0,
                Written {
                    target: new.clone(),
                    predicate: Some(REPLACED_BY.to_owned()),
                    confidence: 1.0,
                    hops: 1,
                    path: vec![old.clone(), new.clone()],
                    sources: Vec::new(),
                },
            );
        }
    }

    /// How many identifiers map to how many: several on the left, if another one of the same namespace maps to a
    /// result; on the right, if several results are of one namespace.
    fn cardinality(&mut self, results: &[Written]) -> Result<Option<&'static str>> {
        if matches!(self.answer.verdict, answer::NULL | answer::INVALID) {
            return Ok(None);
        }
        if results.is_empty() {
            return Ok(Some("1:0"));
        }
        let found = self.answer.results.found.clone();
        let right = found
            .iter()
            .any(|found| self.answer.has_several(found.prefix));
        let mut left = false;
        if let Some((start, prefix)) = self.answer.start {
            let back = self.back.get_or_insert_with(|| {
                let names = &self.index.vocabulary.prefixes;
                let options = WalkOptions {
                    targets: names
                        .get(usize::from(prefix))
                        .map(|prefix| prefix.name.clone())
                        .into_iter()
                        .collect(),
                    ..self.spec.walk.clone()
                };
                Walker::new(&self.index, &options)
            });
            back.retarget(prefix);
            for one in &found {
                back.walk(&self.index, one.node, one.prefix)?;
                left |= back.ends().any(|node| node != start);
                if left {
                    break;
                }
            }
        }
        Ok(Some(match (left, right) {
            (false, false) => "1:1",
            (false, true) => "1:n",
            (true, false) => "n:1",
            (true, true) => "n:n",
        }))
    }
}
