//! `${…}`: values of parameters, metadata and the environment, put where they are named.
//!
//! | written | is |
//! |---|---|
//! | `${parameters.x}`, `${parameters.x.y[0]}` | a parameter, or a part of it |
//! | `${metadata.files[0].path}` | a part of the metadata |
//! | `${env.X}`, `${X}` | a variable of the environment |
//! | `${…:-text}` | the same, or the text where it is not set |
//! | `${parameters.${env.SITE}}` | the parameter that the variable names |
//! | `$${…}` | the text `${…}` |
//!
//! A scalar that is one placeholder and nothing else takes the value with its type; inside a text it is put in. What is
//! no name of ours (`${1}`, a variable that is not set) stays as it is, a parameter that does not exist is an error.
//! Values of the environment are not looked through for more placeholders.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};

use biotide_common::BiotideError;

use super::nearest::did_you_mean;
use super::parameters::Parameter;
use super::path::{closing, is_variable, split_default, step};
use super::place::Place;
use super::tree::{Entry, Node, Scalar, Tree};

/// How many references may stand inside one another.
const MOST_PASSES: usize = 10;
/// What all values may come to, in bytes: lists of lists of placeholders grow fast.
const MOST_BYTES: usize = 32 << 20;
/// About what a value takes besides its text.
const NODE_BYTES: usize = 16;

/// What the process's environment says of a name.
pub(super) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What placeholders can name.
pub(super) struct Scope<'a> {
    parameters: &'a [Parameter],
    metadata: &'a Tree,
    environment: Environment<'a>,
    /// The references that are being followed.
    chain: RefCell<Vec<String>>,
    /// How deep inside one another they stand in one text.
    depth: Cell<usize>,
    spent: Cell<usize>,
}

/// A text with its placeholders filled in.
enum Filled {
    /// It had none.
    Same,
    /// It was one and nothing else.
    Whole(Tree),
    /// It had some.
    Text(String),
}

impl<'a> Scope<'a> {
    pub(super) fn new(
        parameters: &'a [Parameter],
        metadata: &'a Tree,
        environment: Environment<'a>,
    ) -> Self {
        Self {
            parameters,
            metadata,
            environment,
            chain: RefCell::default(),
            depth: Cell::new(0),
            spent: Cell::new(0),
        }
    }

    /// The value with all its placeholders filled in.
    pub(super) fn resolve(&self, tree: &Tree) -> Result<Tree, BiotideError> {
        self.spend(NODE_BYTES, &tree.place)?;
        let node = match &tree.node {
            Node::Null => Node::Null,
            Node::Scalar(scalar) => {
                self.spend(scalar.text.len(), &tree.place)?;
                match self.fill(&scalar.text, &tree.place)? {
                    Filled::Same => Node::Scalar(scalar.clone()),
                    Filled::Whole(whole) => whole.node,
                    Filled::Text(text) => Node::Scalar(Scalar::plain(text)),
                }
            }
            Node::List(items) => {
                let items = items.iter().map(|item| self.resolve(item));
                Node::List(items.collect::<Result<_, _>>()?)
            }
            Node::Map(entries) => {
                let entry = |entry: &Entry| {
                    Ok(Entry {
                        key: entry.key.clone(),
                        value: self.resolve(&entry.value)?,
                    })
                };
                Node::Map(entries.iter().map(entry).collect::<Result<_, _>>()?)
            }
        };
        let place = tree.place.clone();
        Ok(Tree { place, node })
    }

    /// The text with its placeholders put in.
    pub(super) fn text(&self, text: &str, place: &Place) -> Result<String, BiotideError> {
        Ok(match self.fill(text, place)? {
            Filled::Same => text.to_owned(),
            Filled::Whole(whole) => inserted(&whole),
            Filled::Text(text) => text,
        })
    }

    /// What is between the braces of a placeholder; `None` is nothing of ours.
    pub(super) fn reference(
        &self,
        body: &str,
        place: &Place,
    ) -> Result<Option<Tree>, BiotideError> {
        if self.depth.get() >= MOST_PASSES {
            let problem = format!("placeholders stand more than {MOST_PASSES} deep in one another");
            return Err(place.error(problem));
        }
        self.depth.set(self.depth.get() + 1);
        let found = self.named(body, place);
        self.depth.set(self.depth.get() - 1);
        found
    }

    fn named(&self, body: &str, place: &Place) -> Result<Option<Tree>, BiotideError> {
        let (name, default) = split_default(body);
        let name = self.text(name, place)?;
        let name = name.trim();
        let is_ours = ["parameters.", "metadata.", "env."]
            .iter()
            .any(|prefix| name.starts_with(prefix));
        let found = match is_ours || is_variable(name) {
            true => self.follow(name, default.is_some(), place)?,
            false => return Ok(None),
        };
        match (found, default) {
            (Some(found), _) if !found.is_null() => Ok(Some(found)),
            (_, Some(default)) => {
                let node = match self.fill(default, place)? {
                    Filled::Same => Node::Scalar(Scalar::plain(default)),
                    Filled::Whole(whole) => whole.node,
                    Filled::Text(text) => Node::Scalar(Scalar::plain(text)),
                };
                let place = place.clone();
                Ok(Some(Tree { place, node }))
            }
            (found, None) => Ok(found),
        }
    }

    fn fill(&self, text: &str, place: &Place) -> Result<Filled, BiotideError> {
        if !text.contains("${") {
            return Ok(Filled::Same);
        }
        let (mut rest, mut filled) = (text, String::new());
        while let Some(start) = rest.find("${") {
            let (before, from) = rest.split_at(start);
            if let Some(before) = before.strip_suffix('$') {
                filled.push_str(before);
                filled.push_str("${");
                rest = &from[2..];
                continue;
            }
            filled.push_str(before);
            let Some(end) = closing(from) else {
                rest = from;
                break;
            };
            match self.reference(&from[2..end], place)? {
                Some(mut value) if end + 1 == text.len() => {
                    value.place = place.clone();
                    return Ok(Filled::Whole(value));
                }
                Some(value) => filled.push_str(&inserted(&value)),
                None => filled.push_str(&from[..=end]),
            }
            self.spend(filled.len(), place)?;
            rest = &from[end + 1..];
        }
        filled.push_str(rest);
        Ok(Filled::Text(filled))
    }

    /// The value of a name, with its own placeholders filled in.
    fn follow(
        &self,
        name: &str,
        may_miss: bool,
        place: &Place,
    ) -> Result<Option<Tree>, BiotideError> {
        {
            let mut chain = self.chain.borrow_mut();
            let begins = chain.iter().position(|known| known == name);
            chain.push(name.to_owned());
            if let Some(begins) = begins {
                let circle = chain[begins..].join(" → ");
                return Err(place.error(format!("references go in a circle: {circle}")));
            }
            if chain.len() > MOST_PASSES {
                let chain = chain.join(" → ");
                let problem = format!("more than {MOST_PASSES} references in a row: {chain}");
                return Err(place.error(problem));
            }
        }
        // (What is looked up is another text.)
        let depth = self.depth.replace(0);
        let found = self.look_up(name, may_miss, place);
        self.depth.set(depth);
        self.chain.borrow_mut().pop();
        found
    }

    fn look_up(
        &self,
        name: &str,
        may_miss: bool,
        place: &Place,
    ) -> Result<Option<Tree>, BiotideError> {
        if let Some(path) = name.strip_prefix("parameters.") {
            let (first, rest) = path.split_at(path.find(['.', '[']).unwrap_or(path.len()));
            let parameter = self.parameters.iter().find(|known| known.name == first);
            return match parameter {
                Some(parameter) => self.part(&parameter.value, rest, name, may_miss, place),
                None if may_miss => Ok(None),
                None => {
                    let names = self.parameters.iter().map(|known| known.name.as_str());
                    let hint = did_you_mean(first, names);
                    Err(place.error(format!("there is no parameter '{first}'; {hint}")))
                }
            };
        }
        if let Some(path) = name.strip_prefix("metadata") {
            // (A variable may have this name.)
            if path.starts_with('.') {
                return self.part(self.metadata, path, name, may_miss, place);
            }
        }
        let variable = name.strip_prefix("env.").unwrap_or(name);
        match (self.environment)(variable) {
            // (As a shell has it: an empty one counts as not set where there is a default.)
            Some(value) if !(value.is_empty() && may_miss) => {
                Ok(Some(Tree::scalar(place.clone(), Scalar::plain(value))))
            }
            None if !may_miss && name.starts_with("env.") => {
                let problem = format!(
                    "the environment has no variable {variable}; ${{{name}:-…}} gives a default"
                );
                Err(place.error(problem))
            }
            _ => Ok(None),
        }
    }

    /// What `.key` and `[0]` lead to.
    fn part(
        &self,
        tree: &Tree,
        path: &str,
        name: &str,
        may_miss: bool,
        place: &Place,
    ) -> Result<Option<Tree>, BiotideError> {
        let mut current = Cow::Borrowed(tree);
        let mut rest = path;
        while !rest.is_empty() {
            if current.as_text().is_some_and(|text| text.contains("${")) {
                current = Cow::Owned(self.resolve(&current)?);
            }
            let Some((step, after)) = step(rest) else {
                let problem = format!("${{{name}}}: '{rest}' is no .key and no [number]");
                return Err(place.error(problem));
            };
            let Some(child) = step.of(&current) else {
                if may_miss {
                    return Ok(None);
                }
                let problem = format!("${{{name}}}: {}", step.missing(&current));
                return Err(place.error(problem));
            };
            current = Cow::Owned(child.clone());
            rest = after;
        }
        self.resolve(&current).map(Some)
    }

    fn spend(&self, bytes: usize, place: &Place) -> Result<(), BiotideError> {
        let spent = self.spent.get().saturating_add(bytes);
        self.spent.set(spent);
        match spent > MOST_BYTES {
            true => {
                let most = MOST_BYTES >> 20;
                Err(place.error(format!("placeholders grow to more than {most} MiB")))
            }
            false => Ok(()),
        }
    }
}

/// A value inside a text.
fn inserted(tree: &Tree) -> String {
    match &tree.node {
        Node::Null => String::new(),
        Node::Scalar(scalar) => scalar.text.clone(),
        Node::List(_) | Node::Map(_) => format!("{tree}"),
    }
}
