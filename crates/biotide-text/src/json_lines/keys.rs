//! Which keys of a record are columns.

use std::collections::HashMap;

use super::walk;

/// The keys of an object.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys {
    entries: Vec<Entry>,
    by_name: HashMap<Box<[u8]>, usize>,
    /// The entry that the first key of the last object was.
    first: usize,
}

#[derive(Debug, Clone)]
struct Entry {
    /// As it is written most often: in quotes, with the colon.
    written: Box<[u8]>,
    target: Target,
    /// The entry that came after it the last time.
    next: usize,
}

/// What a key is.
#[derive(Debug, Clone)]
pub(super) enum Target {
    /// The column of this number.
    Column(usize),
    /// An object whose keys are columns.
    Keys(Box<Keys>),
}

impl Keys {
    /// Adds a path of keys that leads to a column. One that goes through a column is left out.
    pub(super) fn insert(&mut self, path: &[String], column: usize) {
        let [name, rest @ ..] = path else { return };
        let known = self.by_name.get(name.as_bytes()).copied();
        let at = known.unwrap_or_else(|| {
            let written = format!("{}:", quoted(name)).into_bytes();
            let target = match rest {
                [] => Target::Column(column),
                _ => Target::Keys(Box::default()),
            };
            self.by_name
                .insert(name.as_bytes().into(), self.entries.len());
            self.entries.push(Entry {
                written: written.into(),
                target,
                next: self.entries.len() + 1,
            });
            self.entries.len() - 1
        });
        if let Target::Keys(keys) = &mut self.entries[at].target {
            keys.insert(rest, column);
        }
    }

    /// Where prediction starts in a new object.
    #[inline(always)]
    pub(super) fn first(&self) -> usize {
        self.first
    }

    /// The key at `at` is probably that of entry `guess`, and then its value starts here.
    #[inline(always)]
    pub(super) fn guessed(&self, text: &[u8], at: usize, guess: usize) -> Option<usize> {
        let entry = self.entries.get(guess)?;
        let written = &*entry.written;
        text.get(at..at + written.len())
            .is_some_and(|key| key == written)
            .then(|| walk::blank(text, at + written.len()))
    }

    /// The entry of a key, given with its quotes. `before`: the entry of the key before it.
    pub(super) fn find(
        &mut self,
        key: &[u8],
        escaped: bool,
        before: Option<usize>,
    ) -> Option<usize> {
        let at = match escaped {
            true => self.by_name.get(walk::unescape(key).as_slice()),
            false => self.by_name.get(&key[1..key.len() - 1]),
        };
        let at = *at?;
        match before {
            Some(before) => self.entries[before].next = at,
            None => self.first = at,
        }
        Some(at)
    }

    #[inline(always)]
    pub(super) fn next(&self, entry: usize) -> usize {
        self.entries[entry].next
    }

    #[inline(always)]
    pub(super) fn target(&mut self, entry: usize) -> &mut Target {
        &mut self.entries[entry].target
    }
}

/// A name as a JSON string.
fn quoted(name: &str) -> String {
    let mut out = String::from("\"");
    for c in name.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
