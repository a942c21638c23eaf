//! The writing of placeholders: where they end, what their parts are.

use super::nearest::did_you_mean;
use super::tree::Tree;

/// Where the brace of a text that begins with `${` is closed.
pub(super) fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"${") {
            depth += 1;
            at += 2;
            continue;
        }
        if rest[0] == b'}' {
            depth -= 1;
            if depth == 0 {
                return Some(at);
            }
        }
        at += 1;
    }
    None
}

/// What is before and after `:-`, one of an inner placeholder not counted.
pub(super) fn split_default(body: &str) -> (&str, Option<&str>) {
    let mut at = 0;
    while at < body.len() {
        let rest = &body.as_bytes()[at..];
        if rest.starts_with(b":-") {
            return (&body[..at], Some(&body[at + 2..]));
        }
        let inner = rest.starts_with(b"${").then(|| closing(&body[at..]));
        at += inner.flatten().unwrap_or(0) + 1;
    }
    (body, None)
}

/// Whether it is the name of a variable.
pub(super) fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// A step of a path into a value.
pub(super) enum PathStep<'a> {
    Key(&'a str),
    Index(usize),
}

/// The first step, and the rest.
pub(super) fn step(path: &str) -> Option<(PathStep<'_>, &str)> {
    if let Some(path) = path.strip_prefix('.') {
        let (key, rest) = path.split_at(path.find(['.', '[']).unwrap_or(path.len()));
        return (!key.is_empty()).then_some((PathStep::Key(key), rest));
    }
    let (index, rest) = path.strip_prefix('[')?.split_once(']')?;
    Some((PathStep::Index(index.trim().parse().ok()?), rest))
}

impl PathStep<'_> {
    /// What it leads to.
    pub(super) fn of<'t>(&self, tree: &'t Tree) -> Option<&'t Tree> {
        match self {
            Self::Key(key) => tree.get(key),
            Self::Index(index) => tree.as_list()?.get(*index),
        }
    }

    /// That it leads nowhere.
    pub(super) fn missing(&self, tree: &Tree) -> String {
        let what = tree.describe();
        match self {
            Self::Key(key) => match tree.as_map() {
                Some(entries) => {
                    let keys = entries.iter().map(|entry| entry.key.value.as_str());
                    format!("there is no '{key}'; {}", did_you_mean(key, keys))
                }
                None => format!("there is no '{key}' in {what}"),
            },
            Self::Index(index) => format!("there is no [{index}] in {what}; the first is [0]"),
        }
    }
}
