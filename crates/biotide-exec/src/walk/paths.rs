//! All paths from a node.

use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion_common::Result;
use datafusion_execution::memory_pool::MemoryReservation;

use super::denied::Denied;
use super::options::{MOST_HOPS, WalkOptions};
use super::step::{At, is_barred};
use crate::index::build::read;
use crate::index::entry::{Entry, Packed};
use crate::index::hubs::{HUB, Hubs};
use crate::index::section::Scratch;
use crate::index::{Index, Reader};
use crate::mapping::predicate::Kind;

/// Entries that are read at a time.
pub(super) const CHUNK: usize = 4096;

/// Paths that there is room for at first.
const PATHS: usize = 64;

/// What a node is said not to be: node, kind, predicate; by node.
pub(super) type Denials = Vec<(u32, Kind, u32)>;

/// An edge of a path: where it leads, and which it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) node: u32,
    pub(crate) entry: Entry,
}

/// A path, but for its steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Path {
    pub(crate) confidence: f64,
    /// What follows from it, if anything does.
    pub(crate) predicate: Option<u32>,
    pub(crate) hops: usize,
}

/// Finds paths, for one thread.
#[derive(Debug)]
pub(crate) struct Walker {
    pub(super) options: WalkOptions,
    /// By the number of a prefix: whether results may have it.
    targets: Option<Vec<bool>>,
    /// Nobody looks at results of another prefix.
    wanted: Option<Wanted>,
    /// Paths to results that nobody looks at.
    pub(super) passed: usize,
    /// By kind: the predicate of a chain.
    pub(super) general: [Option<u32>; 10],
    /// Whether paths are walked from their ends to where they begin.
    pub(super) is_backwards: bool,
    /// A result besides this one ends the walk, and whether there was one.
    pub(super) than: Option<u32>,
    pub(super) is_met: bool,
    pub(super) reader: Reader,
    /// The nodes of the path, and their prefixes.
    pub(super) nodes: Vec<u32>,
    pub(super) prefixes: Vec<u16>,
    pub(super) steps: Vec<Step>,
    chunks: [Scratch<Packed>; MOST_HOPS],
    spare: Scratch<Packed>,
    /// From so many edges on a node is a hub.
    pub(super) hub: usize,
    pub(super) hubs: Arc<Hubs>,
    /// Of the start.
    pub(super) denials: Denials,
    /// Of a node that was found backwards.
    pub(super) end: Option<u32>,
    pub(super) end_denials: Denials,
    /// What paths, and what is made of them, take.
    pub(super) held: MemoryReservation,
    looked_at: usize,
    pub(crate) paths: Vec<Path>,
    /// The steps of all paths, `max_hops` for each.
    pub(crate) path_steps: Vec<Step>,
    /// Nodes that are contradicted.
    pub(crate) conflicts: Vec<u32>,
    /// Whether there are more paths than are walked.
    pub(crate) is_cut: bool,
    /// Whether edges to targets were left out for a prefix that the path came through.
    pub(crate) repeats: bool,
}

/// The number of the one prefix that results are looked at of; `None`: the mapping has it not.
type Wanted = Option<u16>;

impl Walker {
    pub(crate) fn new(index: &Index, options: &WalkOptions, held: MemoryReservation) -> Self {
        let names = &index.vocabulary.prefixes;
        let wanted = |name: &String| options.targets.contains(name);
        let targets = names.iter().map(|prefix| wanted(&prefix.name)).collect();
        let general = |kind: u8| index.vocabulary.predicate(Kind::from_u8(kind).general()?);
        Self {
            targets: (!options.targets.is_empty()).then_some(targets),
            wanted: None,
            passed: 0,
            general: std::array::from_fn(|kind| general(kind as u8)),
            is_backwards: false,
            than: None,
            is_met: false,
            options: options.clone(),
            reader: Reader::default(),
            nodes: Vec::new(),
            prefixes: Vec::new(),
            steps: Vec::new(),
            chunks: std::array::from_fn(|_| Scratch::default()),
            spare: Scratch::default(),
            hub: HUB,
            hubs: index.hubs(),
            denials: Vec::new(),
            end: None,
            end_denials: Vec::new(),
            held,
            looked_at: 0,
            paths: Vec::new(),
            path_steps: Vec::new(),
            conflicts: Vec::new(),
            is_cut: false,
            repeats: false,
        }
    }

    pub(crate) fn options(&self) -> &WalkOptions {
        &self.options
    }

    /// Finds the node of an identifier.
    pub(crate) fn find(&mut self, index: &Index, prefix: u16, local: &str) -> Result<Option<u32>> {
        self.reader.find(index, prefix, local)
    }

    /// What looks things up for it.
    pub(crate) fn reader_mut(&mut self) -> &mut Reader {
        &mut self.reader
    }

    /// Appends an identifier to a text, as a CURIE.
    pub(crate) fn write_curie(&mut self, index: &Index, node: u32, out: &mut String) -> Result<()> {
        self.reader.write_curie(index, node, out)
    }

    /// Whether results may have a prefix.
    pub(crate) fn is_target(&self, prefix: u16) -> bool {
        let targets = self.targets.as_ref();
        targets.is_none_or(|targets| targets.get(usize::from(prefix)).copied().unwrap_or(false))
    }

    /// Nobody looks at results of another prefix than this, nor at what is said of all of them: their paths need not
    /// be kept.
    pub(crate) fn narrow(&mut self, index: &Index, prefix: &str) {
        self.wanted = Some(index.vocabulary.prefix(prefix));
    }

    /// From now on results have this prefix.
    pub(crate) fn retarget(&mut self, prefix: u16) {
        if let Some(targets) = &mut self.targets {
            targets.fill(false);
            if let Some(target) = targets.get_mut(usize::from(prefix)) {
                *target = true;
            }
        }
    }

    /// The nodes that paths end in.
    pub(crate) fn ends(&self) -> impl Iterator<Item = u32> {
        (0..self.paths.len()).filter_map(|path| self.steps_of(path).last().map(|step| step.node))
    }

    /// Finds all paths from a node.
    pub(crate) fn walk(&mut self, index: &Index, start: u32, prefix: u16) -> Result<()> {
        self.walk_once(index, start, prefix)?;
        // (What is not looked at takes its place among the results all the same, and so does a successor.)
        if self.passed > 0 && self.passed + self.paths.len() >= self.options.limit {
            let wanted = self.wanted.take();
            self.walk_once(index, start, prefix)?;
            self.wanted = wanted;
        }
        Ok(())
    }

    fn walk_once(&mut self, index: &Index, start: u32, prefix: u16) -> Result<()> {
        self.paths.clear();
        self.path_steps.clear();
        self.conflicts.clear();
        self.nodes.clear();
        self.prefixes.clear();
        self.steps.clear();
        self.denials.clear();
        (self.looked_at, self.passed) = (0, 0);
        (self.is_cut, self.is_met, self.repeats) = (false, false, false);
        self.nodes.push(start);
        self.prefixes.push(prefix);
        if index.counts.negated > 0 {
            let mut denials = std::mem::take(&mut self.denials);
            self.find_denials(index, start, self.is_backwards, &mut denials)?;
            self.denials = denials;
        }
        let at = At {
            node: start,
            depth: 0,
            meaning: None,
        };
        self.is_cut = self.visit(index, at)?.is_break() && !self.is_met;
        self.conflicts.sort_unstable();
        self.conflicts.dedup();
        Ok(())
    }

    /// What a node is said not to be.
    pub(super) fn find_denials(
        &mut self,
        index: &Index,
        node: u32,
        is_backwards: bool,
        denials: &mut Denials,
    ) -> Result<()> {
        let (segment, range) = self.reader.edges(index, node)?;
        let mut scratch = std::mem::take(&mut self.spare);
        for from in range.clone().step_by(CHUNK) {
            let chunk = from..(from + CHUNK).min(range.end);
            let entries = index.arrays.entries.read(segment, chunk, &mut scratch)?;
            let entries = entries.iter().map(|&entry| Entry::unpack(entry));
            for entry in entries.filter(|entry| entry.is_negated()) {
                // (Who denies what has no inverse says nothing of the other direction.)
                if !is_barred(entry, is_backwards) {
                    let predicate = read(entry, is_backwards, &index.vocabulary);
                    denials.push((entry.to, entry.kind(), predicate));
                }
            }
        }
        self.spare = scratch;
        Ok(())
    }

    pub(super) fn visit(&mut self, index: &Index, at: At) -> Result<ControlFlow<()>> {
        let mut scratch = std::mem::take(&mut self.chunks[at.depth]);
        let flow = self.visit_with(index, at, &mut scratch);
        self.chunks[at.depth] = scratch;
        flow
    }

    fn visit_with(
        &mut self,
        index: &Index,
        at: At,
        scratch: &mut Scratch<Packed>,
    ) -> Result<ControlFlow<()>> {
        let (segment, range) = self.reader.edges(index, at.node)?;
        if let Some(flow) = self.visit_hub(index, at, (segment, &range), scratch)? {
            return Ok(flow);
        }
        let mut denied = Denied::default();
        for from in range.clone().step_by(CHUNK) {
            let chunk = from..(from + CHUNK).min(range.end);
            let entries = index.arrays.entries.read(segment, chunk, scratch)?;
            for &entry in entries {
                let entry = Entry::unpack(entry);
                if denied.take(entry, &index.vocabulary) {
                    continue;
                }
                if !self.may_look_at(1) {
                    return Ok(ControlFlow::Break(()));
                }
                if self.step(index, at, entry, &denied)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Whether so many more edges may be looked at.
    pub(super) fn may_look_at(&mut self, edges: usize) -> bool {
        self.looked_at += edges;
        self.looked_at <= self.options.max_paths
    }

    /// Whether nobody looks at results of a prefix.
    pub(super) fn is_passed(&self, prefix: u16) -> bool {
        self.wanted.is_some_and(|wanted| wanted != Some(prefix))
    }

    /// Whether the path came through a prefix, and may not again.
    pub(super) fn is_repeated(&self, prefix: u16) -> bool {
        !self.options.undirected && !self.options.repeat_prefix && self.prefixes.contains(&prefix)
    }

    /// The steps of a path.
    pub(crate) fn steps_of(&self, path: usize) -> &[Step] {
        let start = path * self.options.max_hops;
        &self.path_steps[start..start + self.paths[path].hops]
    }

    /// Makes room for a path, with memory that it is given.
    pub(super) fn make_room(&mut self) -> Result<()> {
        if self.paths.len() < self.paths.capacity() {
            return Ok(());
        }
        let more = self.paths.len().max(PATHS);
        let steps = more * self.options.max_hops;
        let bytes = more * size_of::<Path>() + steps * size_of::<Step>();
        self.hold(self.held.size() + bytes)?;
        self.paths.reserve_exact(more);
        self.path_steps.reserve_exact(steps);
        Ok(())
    }

    /// About how many bytes its paths take.
    fn size(&self) -> usize {
        self.paths.capacity() * size_of::<Path>() + self.path_steps.capacity() * size_of::<Step>()
    }

    /// Holds its paths, and so many bytes of what is made of them.
    pub(super) fn charge(&self, others: usize) -> Result<()> {
        self.hold(self.size() + others)
    }

    /// Holds so many bytes. What is known of hubs gives way before that is refused.
    fn hold(&self, bytes: usize) -> Result<()> {
        if self.held.try_resize(bytes).is_ok() {
            return Ok(());
        }
        self.hubs.clear();
        self.held.try_resize(bytes)
    }

    /// Gives memory back that an identifier with many paths took.
    pub(crate) fn shrink(&mut self) {
        const KEEP: usize = 4096;
        if self.paths.capacity() > KEEP {
            self.paths = Vec::new();
            self.path_steps = Vec::new();
            self.held.free();
        }
    }
}
