//! What a step is given, checked against the table of its action.

use biotide_common::BiotideError;

use super::action::{Action, Param, find};
use super::check::check;
use crate::pipeline::spec::{Entry, Node, Place, Placed, Scalar, Tree, Value, list, nearest};

/// The parameters of a step: of the kinds and within the ranges of its action's table, defaults filled in. They are
/// asked for by the names of the table, whatever name the file used.
#[derive(Debug, Clone, PartialEq)]
pub struct Params {
    /// What errors call their owner: `load`.
    owner: &'static str,
    place: Place,
    table: &'static [Param],
    is_open: bool,
    given: Vec<Given>,
    defaults: Vec<Given>,
    /// Those that the table lacks, of an action that takes any.
    others: Vec<Entry>,
}

/// A parameter with its value.
#[derive(Debug, Clone, PartialEq)]
struct Given {
    param: &'static Param,
    /// As the file calls it.
    key: Placed<String>,
    value: Tree,
    /// Of a list of maps: each of them.
    items: Vec<Params>,
}

impl Params {
    /// The parameters of a step; `step` is its place, where it has none.
    pub(crate) fn read(
        tree: Option<&Tree>,
        step: &Place,
        action: &Action,
    ) -> Result<Self, BiotideError> {
        let entries = match tree.map(|tree| (&tree.node, tree)) {
            None | Some((Node::Null, _)) => &[],
            Some((Node::Map(entries), _)) => entries.as_slice(),
            Some((_, tree)) => {
                let (name, what) = (action.name, tree.describe());
                return Err(tree
                    .place
                    .error(format!("params of {name} are a map, not {what}")));
            }
        };
        Self::of_entries(entries, step, action.name, action.params, action.is_open)
    }

    /// A section of a file that has a table too.
    pub(crate) fn of_section(
        tree: &Tree,
        owner: &'static str,
        table: &'static [Param],
    ) -> Result<Self, BiotideError> {
        match tree.as_map() {
            Some(entries) => Self::of_entries(entries, &tree.place, owner, table, false),
            None if tree.is_null() => Self::of_entries(&[], &tree.place, owner, table, false),
            None => {
                let names = table.iter().map(|param| param.name).collect::<Vec<_>>();
                let (names, what) = (names.join(", "), tree.describe());
                let problem = format!("{owner} is a map of {names}, not {what}");
                Err(tree.place.error(problem))
            }
        }
    }

    fn of_entries(
        entries: &[Entry],
        place: &Place,
        owner: &'static str,
        table: &'static [Param],
        is_open: bool,
    ) -> Result<Self, BiotideError> {
        let mut given: Vec<Given> = Vec::with_capacity(entries.len());
        let mut others = Vec::new();
        for Entry { key, value } in entries {
            let Some(param) = find(table, &key.value) else {
                if is_open {
                    others.push(Entry {
                        key: key.clone(),
                        value: value.clone(),
                    });
                    continue;
                }
                let hint = match nearest(&key.value, table.iter().flat_map(Param::names)) {
                    Some(near) => format!("did you mean '{near}'?"),
                    // (Without the other names of each.)
                    None => format!("it has {}", list(table.iter().map(|param| param.name))),
                };
                let problem = format!("{owner} has no parameter '{}'; {hint}", key.value);
                return Err(key.place.error(problem));
            };
            if let Some(same) = given.iter().find(|known| known.param.name == param.name) {
                let (name, other) = (&key.value, &same.key);
                let line = other.place.short();
                let problem = match *name == other.value {
                    true => format!("{owner} has '{name}' twice, the first on {line}"),
                    false => format!("'{name}' is the same as '{}' on {line}", other.value),
                };
                return Err(key.place.error(problem));
            }
            // (Nothing after the colon is nothing said.)
            if value.is_null() {
                continue;
            }
            let value = check(param, &key.value, value)?;
            let items = items(param, &value)?;
            given.push(Given {
                param,
                key: key.clone(),
                value,
                items,
            });
        }
        let is_given = |param: &Param| given.iter().any(|known| known.param.name == param.name);
        let mut defaults = Vec::new();
        for param in table.iter().filter(|param| !is_given(param)) {
            if param.required {
                let (name, kind) = (param.name, param.kind.describe());
                let names = match param.aliases {
                    [] => String::new(),
                    aliases => format!(", also called {}", aliases.join(", ")),
                };
                let problem = format!("{owner} needs the parameter '{name}' ({kind}){names}");
                return Err(place.error(problem));
            }
            if let Some(default) = param.default {
                defaults.push(Given {
                    param,
                    key: Placed {
                        value: param.name.to_owned(),
                        place: place.clone(),
                    },
                    value: Tree::scalar(place.clone(), Scalar::plain(default)),
                    items: Vec::new(),
                });
            }
        }
        let place = place.clone();
        Ok(Self {
            owner,
            place,
            table,
            is_open,
            given,
            defaults,
            others,
        })
    }

    fn find(&self, name: &str) -> Option<&Given> {
        debug_assert!(
            self.is_open || self.table.iter().any(|param| param.name == name),
            "{} has no parameter {name} by this name",
            self.owner
        );
        let mut all = self.given.iter().chain(&self.defaults);
        all.find(|given| given.param.name == name)
    }

    /// Whether the file says it; a default is not said.
    pub fn is_given(&self, name: &str) -> bool {
        self.given.iter().any(|given| given.param.name == name)
    }

    /// The value as it was written.
    pub fn tree(&self, name: &str) -> Option<&Tree> {
        let of_table = self.find(name).map(|given| &given.value);
        let other = || self.others.iter().find(|entry| entry.key.value == name);
        of_table.or_else(|| other().map(|entry| &entry.value))
    }

    /// The text of a scalar: of a text, path, column, expression, dataset, number. One of a choice is as the table
    /// spells it.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.tree(name)?.as_text()
    }

    /// The text of a parameter that the step must have, or an error that says so.
    pub fn needed(&self, name: &str) -> Result<&str, BiotideError> {
        self.text(name).ok_or_else(|| {
            let problem = format!("{} needs the parameter '{name}'", self.owner);
            self.place.error(problem)
        })
    }

    /// Texts, paths, columns, datasets: none if it is not set.
    pub fn texts(&self, name: &str) -> Vec<&str> {
        self.placed_texts(name)
            .into_iter()
            .map(|text| text.value)
            .collect()
    }

    /// The same, with the place of each.
    pub fn placed_texts(&self, name: &str) -> Vec<Placed<&str>> {
        let tree = self.tree(name);
        let items = match tree.map(|tree| (&tree.node, tree)) {
            Some((Node::List(items), _)) => items.as_slice(),
            Some((_, tree)) => std::slice::from_ref(tree),
            None => &[],
        };
        items.iter().filter_map(placed).collect()
    }

    /// A whole number.
    pub fn integer(&self, name: &str) -> Option<i64> {
        match self.tree(name)?.as_scalar()?.value {
            Value::Integer(value) => Some(value),
            _ => None,
        }
    }

    /// A whole number that is not negative.
    pub fn unsigned(&self, name: &str) -> Option<u64> {
        u64::try_from(self.integer(name)?).ok()
    }

    /// A whole number that is not negative.
    pub fn size(&self, name: &str) -> Option<usize> {
        usize::try_from(self.integer(name)?).ok()
    }

    /// A number.
    pub fn number(&self, name: &str) -> Option<f64> {
        match self.tree(name)?.as_scalar()?.value {
            Value::Integer(value) => Some(value as f64),
            Value::Number(value) => Some(value),
            _ => None,
        }
    }

    /// True or false.
    pub fn boolean(&self, name: &str) -> Option<bool> {
        match self.tree(name)?.as_scalar()?.value {
            Value::Boolean(value) => Some(value),
            _ => None,
        }
    }

    /// Keys and values: none if it is not set.
    pub fn map(&self, name: &str) -> &[Entry] {
        self.tree(name).and_then(Tree::as_map).unwrap_or_default()
    }

    /// Values: none if it is not set.
    pub fn list(&self, name: &str) -> &[Tree] {
        self.tree(name).and_then(Tree::as_list).unwrap_or_default()
    }

    /// The maps of a list whose table the action has: none if it is not set.
    pub fn items(&self, name: &str) -> &[Self] {
        self.find(name).map_or(&[], |given| given.items.as_slice())
    }

    /// Those that the table lacks, of an action that takes any.
    pub fn others(&self) -> &[Entry] {
        &self.others
    }

    /// Where a parameter's value stands; where it is not given, the step.
    pub fn place(&self, name: &str) -> &Place {
        let given = self.given.iter().find(|given| given.param.name == name);
        given.map_or(&self.place, |given| &given.value.place)
    }

    /// What is wrong with a parameter, at its place.
    pub fn error(&self, name: &str, problem: impl std::fmt::Display) -> BiotideError {
        let given = self.given.iter().find(|given| given.param.name == name);
        let key = given.map_or(name, |given| given.key.value.as_str());
        self.place(name).error(format!("{key}: {problem}"))
    }

    /// What the file gives, by the names of the table.
    pub(crate) fn given(&self) -> Tree {
        let entry = |given: &Given| Entry {
            key: Placed {
                value: given.param.name.to_owned(),
                place: given.key.place.clone(),
            },
            value: given.value.clone(),
        };
        let given = self.given.iter().map(entry);
        let node = Node::Map(given.chain(self.others.iter().cloned()).collect());
        let place = self.place.clone();
        Tree { place, node }
    }
}

/// The maps of a list, each checked.
fn items(param: &'static Param, value: &Tree) -> Result<Vec<Params>, BiotideError> {
    if param.items.is_empty() {
        return Ok(Vec::new());
    }
    let items = value.as_list().unwrap_or_default().iter();
    items
        .map(|item| Params::of_section(item, param.name, param.items))
        .collect()
}

fn placed(tree: &Tree) -> Option<Placed<&str>> {
    Some(Placed {
        value: tree.as_text()?,
        place: tree.place.clone(),
    })
}
