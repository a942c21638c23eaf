//! The parts of a cell, each once.

use std::borrow::Cow;

use hashbrown::HashSet;

use super::verdict::Judged;

/// A part of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part<'a> {
    pub(super) raw: &'a str,
    pub(super) judged: Judged<'a>,
}

impl Part<'_> {
    /// Its identifier, or its text if it is none.
    pub(super) fn shown(&self) -> &str {
        self.key().1
    }

    /// What it is told from others by: its identifier, or its text if it is none.
    fn key(&self) -> (bool, &str) {
        match &self.judged.id {
            Some(id) => (true, id),
            None => (false, self.raw),
        }
    }
}

/// Of so many each is compared with all before it.
const FEW: usize = 24;

/// Parts that differ.
#[derive(Debug, Default)]
pub(super) struct Parts<'a> {
    list: Vec<Part<'a>>,
    /// Once there are more than few.
    seen: HashSet<(bool, Cow<'a, str>)>,
}

impl<'a> Parts<'a> {
    pub(super) fn clear(&mut self) {
        self.list.clear();
        self.seen.clear();
    }

    pub(super) fn list(&self) -> &[Part<'a>] {
        &self.list
    }

    /// Leaves only this one.
    pub(super) fn set(&mut self, part: Part<'a>) {
        self.clear();
        self.list.push(part);
    }

    /// Adds one, unless it is there.
    pub(super) fn add(&mut self, part: Part<'a>) {
        if self.list.len() < FEW {
            if self.list.iter().all(|known| known.key() != part.key()) {
                self.list.push(part);
            }
            return;
        }
        let owned = |part: &Part<'a>| match &part.judged.id {
            Some(id) => (true, id.clone()),
            None => (false, Cow::Borrowed(part.raw)),
        };
        if self.seen.is_empty() {
            self.seen.extend(self.list.iter().map(owned));
        }
        if self.seen.insert(owned(&part)) {
            self.list.push(part);
        }
    }
}
