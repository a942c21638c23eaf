//! Statements of an index as rows.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Float64Builder, Int64Builder, ListBuilder, RecordBatch, StringBuilder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion_common::Result;
use datafusion_execution::memory_pool::MemoryReservation;

use crate::catalog::Mapping;
use crate::index::Index;
use crate::index::entry::Entry;
use crate::index::section::Scratch;
use crate::mapping::encoder::PREDICATE;
use crate::walk::{Results, WalkOptions, Walker};

/// Which statements.
#[derive(Debug, Clone, PartialEq)]
pub enum Which {
    /// Those that were made.
    Asserted {
        /// Whether an identifier that is in none has a row about itself.
        alone: bool,
    },
    /// Those that follow, or those too that were made.
    Inferred {
        /// How far to walk.
        walk: Box<WalkOptions>,
        /// The prefixes of subjects. None: any.
        subjects: Vec<String>,
        /// Whether what a statement says itself is a row too.
        asserted: bool,
    },
}

/// The statements of a mapping.
#[derive(Debug, Clone)]
pub struct ChainSpec {
    /// The mapping.
    pub mapping: Arc<Mapping>,
    /// Which of them.
    pub which: Which,
}

impl ChainSpec {
    fn key(&self) -> (usize, String) {
        (
            Arc::as_ptr(&self.mapping) as usize,
            format!("{:?}", self.which),
        )
    }

    /// The columns.
    pub fn schema(&self) -> SchemaRef {
        let field = |name: &str, kind: DataType| Field::new(name, kind, true);
        let texts = || DataType::new_list(DataType::Utf8, true);
        let statement = [
            field("subject_id", DataType::Utf8),
            field("predicate_id", DataType::Utf8),
            field("object_id", DataType::Utf8),
            field("confidence", DataType::Float64),
        ];
        let others = match self.which {
            Which::Asserted { .. } => vec![
                field("source", DataType::Utf8),
                field("release", DataType::Utf8),
                field("negated", DataType::Boolean),
            ],
            Which::Inferred { .. } => vec![
                field("hops", DataType::Int64),
                field("path", texts()),
                field("sources", texts()),
            ],
        };
        Arc::new(Schema::new(
            statement.into_iter().chain(others).collect::<Vec<_>>(),
        ))
    }

    pub(super) fn shown(&self) -> String {
        let name = self.mapping.name();
        match &self.which {
            Which::Asserted { .. } => format!("mapping={name}"),
            Which::Inferred { walk, .. } => format!("mapping={name}, max_hops={}", walk.max_hops),
        }
    }
}

impl PartialEq for ChainSpec {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for ChainSpec {}

impl PartialOrd for ChainSpec {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.key().cmp(&other.key()))
    }
}

impl Hash for ChainSpec {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

/// Makes rows of the statements of nodes, one after the other.
pub(super) struct Statements {
    index: Arc<Index>,
    which: Which,
    schema: SchemaRef,
    walker: Walker,
    results: Results,
    scratch: Scratch<[u32; 3]>,
    held: MemoryReservation,
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
}

impl Statements {
    pub(super) fn new(index: &Arc<Index>, spec: &ChainSpec, held: MemoryReservation) -> Self {
        let options = match &spec.which {
            Which::Asserted { .. } => WalkOptions::default(),
            Which::Inferred { walk, .. } => (**walk).clone(),
        };
        Self {
            walker: Walker::new(index, &options),
            index: Arc::clone(index),
            which: spec.which.clone(),
            schema: spec.schema(),
            results: Results::default(),
            scratch: Scratch::default(),
            held,
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
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Adds the statements of a node.
    pub(super) fn add(&mut self, node: u32) -> Result<()> {
        match self.which.clone() {
            Which::Asserted { alone } => self.asserted(node, alone),
            Which::Inferred {
                subjects, asserted, ..
            } => self.inferred(node, &subjects, asserted),
        }
    }

    fn asserted(&mut self, node: u32, alone: bool) -> Result<()> {
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
        Ok(())
    }

    fn inferred(&mut self, node: u32, subjects: &[String], asserted: bool) -> Result<()> {
        let index = Arc::clone(&self.index);
        let vocabulary = &index.vocabulary;
        let prefix = self.walker.reader_mut().prefix(&index, node)?;
        let name = &vocabulary.prefixes[usize::from(prefix)].name;
        if !subjects.is_empty() && !subjects.contains(name) {
            return Ok(());
        }
        self.walker.walk(&index, node, prefix)?;
        self.held.try_resize(self.walker.size())?;
        self.results.gather(&mut self.walker, &index, node)?;
        let mut subject = String::new();
        self.walker.write_curie(&index, node, &mut subject)?;
        for found in &self.results.found {
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
        self.walker.shrink();
        Ok(())
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
