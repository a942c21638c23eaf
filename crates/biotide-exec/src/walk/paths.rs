//! All paths from a node.

use std::ops::ControlFlow;

use datafusion_common::Result;

use super::options::{MOST_HOPS, WalkOptions};
use crate::index::build::walked;
use crate::index::entry::{Entry, Packed};
use crate::index::section::Scratch;
use crate::index::{Index, Reader};
use crate::mapping::predicate::{Chains, Kind};

/// Entries that are read at a time.
const CHUNK: usize = 4096;

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

/// What a statement says, wherever it is met: two nodes in the order of its canonical predicate, that and the source.
pub(crate) type EdgeId = (u32, u32, u32, u32);

/// The kinds, and the predicates of no kind, that are denied of a pair.
#[derive(Debug, Default, Clone)]
struct Denied {
    kinds: u16,
    others: Vec<u32>,
}

impl Denied {
    fn clear(&mut self) {
        self.kinds = 0;
        self.others.clear();
    }

    fn add(&mut self, kind: Kind, predicate: u32) {
        match kind {
            Kind::Other => self.others.push(predicate),
            kind => self.kinds |= 1 << kind as u8,
        }
    }

    fn denies(&self, kind: Kind, predicate: Option<u32>) -> bool {
        if kind == Kind::Other {
            return predicate.is_some_and(|predicate| self.others.contains(&predicate));
        }
        self.kinds != 0
            && [
                Kind::Exact,
                Kind::Narrow,
                Kind::Broad,
                Kind::Close,
                Kind::Related,
                Kind::Xref,
            ]
            .into_iter()
            .chain([Kind::CrossExact, Kind::CrossNarrow, Kind::CrossBroad])
            .any(|denied| self.kinds & 1 << denied as u8 != 0 && denied.denies(kind))
    }
}

/// Where a path is.
#[derive(Debug, Clone, Copy)]
struct At {
    node: u32,
    depth: usize,
    confidence: f64,
    /// What follows from it so far; nothing at the start.
    meaning: Option<(Kind, Option<u32>)>,
}

/// Finds paths, for one thread.
#[derive(Debug)]
pub(crate) struct Walker {
    options: WalkOptions,
    /// By the number of a prefix: whether results may have it.
    targets: Option<Vec<bool>>,
    /// Nobody looks at results of another prefix.
    wanted: Option<Wanted>,
    /// Paths to results that nobody looks at.
    passed: usize,
    /// By kind: the predicate of a chain.
    general: [Option<u32>; 10],
    pub(super) reader: Reader,
    /// The nodes of the path, and their prefixes.
    nodes: Vec<u32>,
    prefixes: Vec<u16>,
    steps: Vec<Step>,
    chunks: [Scratch<Packed>; MOST_HOPS],
    /// What the start is said not to be: node, kind, predicate; by node.
    denials: Vec<(u32, Kind, u32)>,
    looked_at: usize,
    pub(crate) paths: Vec<Path>,
    /// The steps of all paths, `max_hops` for each.
    pub(crate) path_steps: Vec<Step>,
    /// Nodes that are contradicted.
    pub(crate) conflicts: Vec<u32>,
    /// Whether there are more paths than are walked.
    pub(crate) is_cut: bool,
}

/// The number of the one prefix that results are looked at of; `None`: the mapping has it not.
type Wanted = Option<u16>;

/// A step that is none.
const NOWHERE: Step = Step {
    node: u32::MAX,
    entry: Entry::NONE,
};

impl Walker {
    pub(crate) fn new(index: &Index, options: &WalkOptions) -> Self {
        let names = &index.vocabulary.prefixes;
        let wanted = |name: &String| options.targets.contains(name);
        let targets = names.iter().map(|prefix| wanted(&prefix.name)).collect();
        let general = |kind: u8| index.vocabulary.predicate(Kind::from_u8(kind).general()?);
        Self {
            targets: (!options.targets.is_empty()).then_some(targets),
            wanted: None,
            passed: 0,
            general: std::array::from_fn(|kind| general(kind as u8)),
            options: options.clone(),
            reader: Reader::default(),
            nodes: Vec::new(),
            prefixes: Vec::new(),
            steps: Vec::new(),
            chunks: std::array::from_fn(|_| Scratch::default()),
            denials: Vec::new(),
            looked_at: 0,
            paths: Vec::new(),
            path_steps: Vec::new(),
            conflicts: Vec::new(),
            is_cut: false,
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
        // (What is not looked at takes its place among the results all the same.)
        if self.passed > 0 && self.passed + self.paths.len() > self.options.limit {
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
        (self.looked_at, self.passed, self.is_cut) = (0, 0, false);
        self.nodes.push(start);
        self.prefixes.push(prefix);
        if index.counts.negated > 0 {
            self.find_denials(index, start)?;
        }
        let at = At {
            node: start,
            depth: 0,
            confidence: 1.0,
            meaning: None,
        };
        self.is_cut = self.visit(index, at)?.is_break();
        self.conflicts.sort_unstable();
        self.conflicts.dedup();
        Ok(())
    }

    /// What the start is said not to be.
    fn find_denials(&mut self, index: &Index, start: u32) -> Result<()> {
        let (segment, range) = self.reader.edges(index, start)?;
        for from in range.clone().step_by(CHUNK) {
            let chunk = from..(from + CHUNK).min(range.end);
            let entries = index
                .arrays
                .entries
                .read(segment, chunk, &mut self.chunks[0])?;
            let entries = entries.iter().map(|&entry| Entry::unpack(entry));
            for entry in entries.filter(|entry| entry.is_negated()) {
                self.denials
                    .push((entry.to, entry.kind(), walked(entry, &index.vocabulary)));
            }
        }
        Ok(())
    }

    /// Whether the start is said not to be this.
    fn is_denied(&self, node: u32, kind: Kind, predicate: Option<u32>) -> bool {
        let from = self.denials.partition_point(|&(denied, ..)| denied < node);
        let own = self.denials[from..]
            .iter()
            .take_while(|&&(denied, ..)| denied == node);
        own.into_iter().any(|&(_, denied, other)| match denied {
            Kind::Other => kind == Kind::Other && predicate == Some(other),
            denied => denied.denies(kind),
        })
    }

    fn visit(&mut self, index: &Index, at: At) -> Result<ControlFlow<()>> {
        let (segment, range) = self.reader.edges(index, at.node)?;
        let mut scratch = std::mem::take(&mut self.chunks[at.depth]);
        let (mut node, mut denied) = (u32::MAX, Denied::default());
        for from in range.clone().step_by(CHUNK) {
            let chunk = from..(from + CHUNK).min(range.end);
            let entries = index.arrays.entries.read(segment, chunk, &mut scratch)?;
            for &entry in entries {
                let entry = Entry::unpack(entry);
                if entry.to != node {
                    node = entry.to;
                    denied.clear();
                }
                if entry.is_negated() {
                    denied.add(entry.kind(), walked(entry, &index.vocabulary));
                    continue;
                }
                self.looked_at += 1;
                if self.looked_at > self.options.max_paths {
                    return Ok(ControlFlow::Break(()));
                }
                if self.step(index, at, entry, &denied)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        self.chunks[at.depth] = scratch;
        Ok(ControlFlow::Continue(()))
    }

    /// Goes along an edge, if one may.
    fn step(
        &mut self,
        index: &Index,
        at: At,
        entry: Entry,
        denied: &Denied,
    ) -> Result<ControlFlow<()>> {
        const GO_ON: Result<ControlFlow<()>> = Ok(ControlFlow::Continue(()));
        let prefix = entry.prefix();
        let is_last = at.depth + 1 == self.options.max_hops;
        let is_target = self.is_target(prefix);
        if is_last && !is_target {
            return GO_ON;
        }
        let is_passed = self.wanted.is_some_and(|wanted| wanted != Some(prefix));
        if is_last && is_passed {
            self.passed += 1;
            return GO_ON;
        }
        let kind = entry.kind();
        let predicate = Some(walked(entry, &index.vocabulary));
        if denied.denies(kind, predicate) {
            if at.depth == 0 && is_target {
                self.conflicts.push(entry.to);
            }
            return GO_ON;
        }
        let meaning = match self.options.undirected {
            true => {
                if self.uses(index, at.node, entry) {
                    return GO_ON;
                }
                self.along(at.meaning, entry, predicate)
            }
            false => {
                if entry.is_one_way() || self.nodes.contains(&entry.to) {
                    return GO_ON;
                }
                if !self.options.repeat_prefix && self.prefixes.contains(&prefix) {
                    return GO_ON;
                }
                let Some(meaning) =
                    self.follows(self.options.chains, at.meaning, (kind, predicate))
                else {
                    return GO_ON;
                };
                Some(meaning)
            }
        };
        if let Some((kind, predicate)) = meaning
            && self.is_denied(entry.to, kind, predicate)
        {
            if is_target {
                self.conflicts.push(entry.to);
            }
            return GO_ON;
        }
        let factor = if at.depth == 0 {
            1.0
        } else {
            self.options.hop_factor
        };
        let class = &index.vocabulary.classes[entry.class as usize];
        let confidence = at.confidence * class.confidence() * factor;
        let step = Step {
            node: entry.to,
            entry,
        };
        self.steps.push(step);
        // (A way back to the start is no mapping.)
        if is_target && entry.to != self.nodes[0] && is_passed {
            self.passed += 1;
        } else if is_target && entry.to != self.nodes[0] {
            self.paths.push(Path {
                confidence,
                predicate: meaning.and_then(|(_, predicate)| predicate),
                hops: at.depth + 1,
            });
            self.path_steps.extend_from_slice(&self.steps);
            let all = self.paths.len() * self.options.max_hops;
            self.path_steps.resize(all, NOWHERE);
        }
        let goes_on = !is_last
            && (self.options.undirected || meaning.is_some_and(|(kind, _)| self.may_go_on(kind)));
        let mut flow = ControlFlow::Continue(());
        if goes_on {
            self.nodes.push(entry.to);
            self.prefixes.push(prefix);
            flow = self.visit(
                index,
                At {
                    node: entry.to,
                    depth: at.depth + 1,
                    confidence,
                    meaning,
                },
            )?;
            self.nodes.pop();
            self.prefixes.pop();
        }
        self.steps.pop();
        Ok(flow)
    }

    /// What follows from a path and an edge behind it.
    fn follows(
        &self,
        chains: Chains,
        before: Option<(Kind, Option<u32>)>,
        (kind, predicate): (Kind, Option<u32>),
    ) -> Option<(Kind, Option<u32>)> {
        let Some((first, name)) = before else {
            return Some((kind, predicate));
        };
        let composed = chains.compose(first, kind)?;
        let same = name == predicate && name.is_some();
        Some((
            composed,
            if same {
                predicate
            } else {
                self.general[composed as usize]
            },
        ))
    }

    /// The same of a path on which anything goes: nothing may follow.
    fn along(
        &self,
        before: Option<(Kind, Option<u32>)>,
        entry: Entry,
        predicate: Option<u32>,
    ) -> Option<(Kind, Option<u32>)> {
        const ALL: Chains = Chains {
            close: true,
            related: true,
            xref: true,
        };
        // (Of an edge that means nothing from here nothing is said.)
        let own = (entry.kind(), predicate.filter(|_| !entry.is_one_way()));
        match (before, self.steps.is_empty()) {
            (None, true) => Some(own),
            (None, false) => None,
            (before, _) => self.follows(ALL, before, own),
        }
    }

    /// Whether anything composes with a kind.
    fn may_go_on(&self, kind: Kind) -> bool {
        self.options.chains.compose(kind, Kind::Exact).is_some()
    }

    /// Whether the path uses this edge already.
    fn uses(&self, index: &Index, node: u32, entry: Entry) -> bool {
        let own = edge_id(index, node, entry);
        let mut from = self.nodes[0];
        self.steps.iter().any(|step| {
            let used = edge_id(index, from, step.entry) == own;
            from = step.node;
            used
        })
    }

    /// The steps of a path.
    pub(crate) fn steps_of(&self, path: usize) -> &[Step] {
        let start = path * self.options.max_hops;
        &self.path_steps[start..start + self.paths[path].hops]
    }

    /// About how many bytes its paths take.
    pub(crate) fn size(&self) -> usize {
        self.paths.capacity() * size_of::<Path>() + self.path_steps.capacity() * size_of::<Step>()
    }

    /// Gives memory back that an identifier with many paths took.
    pub(crate) fn shrink(&mut self) {
        const KEEP: usize = 4096;
        if self.paths.capacity() > KEEP {
            self.paths = Vec::new();
            self.path_steps = Vec::new();
        }
    }
}

/// Which statement an edge is.
pub(crate) fn edge_id(index: &Index, node: u32, entry: Entry) -> EdgeId {
    let vocabulary = &index.vocabulary;
    let class = &vocabulary.classes[entry.class as usize];
    let predicate = &vocabulary.predicates[class.predicate as usize];
    let (subject, object) = match entry.is_reversed() {
        true => (entry.to, node),
        false => (node, entry.to),
    };
    let symmetric = predicate.inverse == Some(class.predicate);
    let (x, y) = match (symmetric, predicate.canonical == class.predicate) {
        (true, _) => (subject.min(object), subject.max(object)),
        (false, true) => (subject, object),
        (false, false) => (object, subject),
    };
    (x, y, predicate.canonical, class.source)
}
