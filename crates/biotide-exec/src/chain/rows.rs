//! Statements of an index as rows.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Float64Builder, Int64Builder, ListBuilder, RecordBatch, StringBuilder,
};
use arrow::datatypes::SchemaRef;
use biotide_common::BiotideError;
use datafusion_common::Result;
use datafusion_execution::memory_pool::MemoryReservation;

use super::spec::{ChainSpec, Which};
use crate::index::Index;
use crate::index::entry::Entry;
use crate::index::section::Scratch;
use crate::mapping::encoder::PREDICATE;
use crate::walk::{Results, WalkOptions, Walker};

/// Statements of a node that become rows at a time.
const CHUNK: usize = 4096;

/// Nodes that are looked at at a time: few of them may have rows.
const NODES: usize = 4096;

/// Makes rows of the statements of nodes, one after the other.
pub(super) struct Statements {
    index: Arc<Index>,
    which: Which,
    schema: SchemaRef,
    walker: Walker,
    results: Results,
    scratch: Scratch<[u32; 3]>,
    subject: StringBuilder,
    predicate: StringBuilder,
    object: StringBuilder,
    confidence: Float64Builder,
    source: StringBuilder,
    release: StringBuilder,
    negated: BooleanBuilder,
    hops: Int64Builder,
    path: ListBuilder<StringBuilder>,
    sources: ListBuilder<StringBuilder>,
    rows: usize,
    /// A node of which not all statements are rows yet, and where it goes on.
    rest: Option<(u32, usize)>,
}

impl Statements {
    pub(super) fn new(index: &Arc<Index>, spec: &ChainSpec, held: MemoryReservation) -> Self {
        let options = match &spec.which {
            Which::Asserted { .. } => WalkOptions::default(),
            Which::Inferred { walk, .. } => (**walk).clone(),
        };
        Self {
            walker: Walker::new(index, &options, held),
            index: Arc::clone(index),
            which: spec.which.clone(),
            schema: spec.schema(),
            results: Results::default(),
            scratch: Scratch::default(),
            subject: StringBuilder::new(),
            predicate: StringBuilder::new(),
            object: StringBuilder::new(),
            confidence: Float64Builder::new(),
            source: StringBuilder::new(),
            release: StringBuilder::new(),
            negated: BooleanBuilder::new(),
            hops: Int64Builder::new(),
            path: ListBuilder::new(StringBuilder::new()),
            sources: ListBuilder::new(StringBuilder::new()),
            rows: 0,
            rest: None,
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Adds the statements of the next nodes, until there are so many rows, or many nodes were looked at. Answers
    /// whether there may be more.
    pub(super) fn add(&mut self, nodes: &mut Range<u32>, enough: usize) -> Result<bool> {
        let which = self.which.clone();
        for _ in 0..NODES {
            if self.rows >= enough {
                return Ok(true);
            }
            let next = self.rest.take();
            let Some((node, place)) = next.or_else(|| Some((nodes.next()?, 0))) else {
                return Ok(false);
            };
            let rest = match &which {
                Which::Asserted { alone } => self.asserted(node, place, *alone)?,
                Which::Inferred {
                    subjects, asserted, ..
                } => self.inferred(node, place, subjects, *asserted)?,
            };
            self.rest = rest.map(|place| (node, place));
        }
        Ok(true)
    }

    /// Adds statements of a node from a place on. Answers where it goes on, if it does.
    fn asserted(&mut self, node: u32, place: usize, alone: bool) -> Result<Option<usize>> {
        let index = Arc::clone(&self.index);
        let (segment, range) = self.walker.reader_mut().edges(&index, node)?;
        let mut scratch = std::mem::take(&mut self.scratch);
        let mut subject = String::new();
        self.walker.write_curie(&index, node, &mut subject)?;
        if range.is_empty() && alone {
            self.subject.append_value(&subject);
            self.predicate.append_value(PREDICATE);
            self.object.append_value(&subject);
            self.confidence.append_value(1.0);
            self.source.append_null();
            self.release.append_null();
            self.negated.append_value(false);
            self.rows += 1;
        }
        let end = (place + CHUNK).min(range.len());
        let rest = (end < range.len()).then_some(end);
        let range = range.start + place..range.start + end;
        let entries = index.arrays.entries.read(segment, range, &mut scratch)?;
        for &entry in entries {
            let entry = Entry::unpack(entry);
            if entry.is_reversed() {
                continue;
            }
            let class = &index.vocabulary.classes[entry.class as usize];
            let mut object = String::new();
            self.walker.write_curie(&index, entry.to, &mut object)?;
            self.subject.append_value(&subject);
            self.predicate
                .append_value(&index.vocabulary.predicates[class.predicate as usize].name);
            self.object.append_value(object);
            self.confidence.append_value(class.confidence());
            let source = &index.vocabulary.sources[class.source as usize];
            self.source.append_value(&source.name);
            self.release.append_option(source.release.as_deref());
            self.negated.append_value(class.negated);
            self.rows += 1;
        }
        self.scratch = scratch;
        Ok(rest)
    }

    /// The same of what follows: a walk from the node, then the results from a place on.
    fn inferred(
        &mut self,
        node: u32,
        place: usize,
        subjects: &[String],
        asserted: bool,
    ) -> Result<Option<usize>> {
        let index = Arc::clone(&self.index);
        let vocabulary = &index.vocabulary;
        let prefix = self.walker.reader_mut().prefix(&index, node)?;
        let name = &vocabulary.prefixes[usize::from(prefix)].name;
        if !subjects.is_empty() && !subjects.contains(name) {
            return Ok(None);
        }
        let mut subject = String::new();
        self.walker.write_curie(&index, node, &mut subject)?;
        if place == 0 {
            self.walk(node, prefix, &subject)?;
        }
        let end = (place + CHUNK).min(self.results.found.len());
        for found in &self.results.found[place..end] {
            let evidence = &self.results.evidence[found.evidence.clone()];
            // (A statement itself shares no edge with a longer path: it is always among the evidence.)
            let is_asserted = evidence
                .iter()
                .any(|&path| self.walker.paths[path].hops == 1);
            if is_asserted && !asserted {
                continue;
            }
            self.subject.append_value(&subject);
            let predicate = found
                .predicate
                .map(|n| &vocabulary.predicates[n as usize].name);
            self.predicate.append_option(predicate);
            self.object
                .append_value(&self.results.text[found.text.clone()]);
            self.confidence.append_value(found.confidence);
            self.hops.append_value(found.hops as i64);
            self.path.values().append_value(&subject);
            let steps = self.walker.steps_of(evidence[0]).to_vec();
            for step in &steps {
                let mut text = String::new();
                self.walker.write_curie(&index, step.node, &mut text)?;
                self.path.values().append_value(text);
            }
            self.path.append(true);
            let steps = evidence.iter().flat_map(|&path| self.walker.steps_of(path));
            let mut sources: Vec<u32> = steps
                .map(|step| vocabulary.classes[step.entry.class as usize].source)
                .collect();
            sources.sort_unstable();
            sources.dedup();
            for source in sources {
                self.sources
                    .values()
                    .append_value(vocabulary.sources[source as usize].shown());
            }
            self.sources.append(true);
            self.rows += 1;
        }
        if end < self.results.found.len() {
            return Ok(Some(end));
        }
        self.walker.shrink();
        self.results.shrink();
        Ok(None)
    }

    fn walk(&mut self, node: u32, prefix: u16, subject: &str) -> Result<()> {
        self.walker.walk(&self.index, node, prefix)?;
        if self.walker.is_cut {
            return Err(BiotideError::Option {
                key: "max_paths".to_owned(),
                value: self.walker.options().max_paths.to_string(),
                problem: format!(
                    "edges are not all that there are from {subject}: what follows from the others would be missing; \
                     chain_infer(…, max_paths => …) looks at more"
                ),
            }
            .into());
        }
        let (walker, index) = (&mut self.walker, &self.index);
        self.results.gather(walker, index, node)?;
        let limit = walker.options().limit;
        self.results.cut(walker, index, limit)
    }

    /// The rows so far.
    pub(super) fn finish(&mut self) -> Result<RecordBatch> {
        self.rows = 0;
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(self.subject.finish()),
            Arc::new(self.predicate.finish()),
            Arc::new(self.object.finish()),
            Arc::new(self.confidence.finish()),
        ];
        match self.which {
            Which::Asserted { .. } => {
                columns.push(Arc::new(self.source.finish()));
                columns.push(Arc::new(self.release.finish()));
                columns.push(Arc::new(self.negated.finish()));
            }
            Which::Inferred { .. } => {
                columns.push(Arc::new(self.hops.finish()));
                columns.push(Arc::new(self.path.finish()));
                columns.push(Arc::new(self.sources.finish()));
            }
        }
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}
