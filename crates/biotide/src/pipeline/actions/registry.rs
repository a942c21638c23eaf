//! The actions that a pipeline can name: built in, and of the program.

use std::sync::Arc;

use biotide_common::BiotideError;

use super::action::Action;
use super::built_in;

/// The actions that a pipeline can name.
#[derive(Debug, Clone)]
pub struct Actions(Vec<Arc<Action>>);

/// Those that are built in.
impl Default for Actions {
    fn default() -> Self {
        Self(built_in().iter().cloned().map(Arc::new).collect())
    }
}

impl Actions {
    /// Adds an action of the program. Its names must be new.
    pub fn register(&mut self, action: impl Into<Arc<Action>>) -> Result<(), BiotideError> {
        let action = action.into();
        if let Some(name) = action.names().find(|name| self.find(name).is_some()) {
            let problem = String::from("there is an action of this name already");
            return Err(BiotideError::Option {
                key: String::from("action"),
                value: name.to_owned(),
                problem,
            });
        }
        self.0.push(action);
        Ok(())
    }

    /// An action by its name, or another of its names, in any case; dashes are underscores.
    pub fn find(&self, name: &str) -> Option<&Arc<Action>> {
        let name = name.trim().replace('-', "_");
        let is_it = |action: &&Arc<Action>| {
            action
                .names()
                .any(|known| known.eq_ignore_ascii_case(&name))
        };
        self.0.iter().find(is_it)
    }

    /// All of them, the built-in ones first.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Action>> {
        self.0.iter()
    }

    /// Every name.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> + Clone + '_ {
        self.0.iter().flat_map(|action| action.names())
    }
}
