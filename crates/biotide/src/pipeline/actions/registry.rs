//! The actions that a pipeline can name: built in, and of the program.

use std::sync::Arc;

use biotide_common::BiotideError;

use super::action::Action;
use super::built_in;
use crate::pipeline::custom::PipelineAction;

/// The actions that a pipeline can name.
#[derive(Debug, Clone)]
pub struct Actions {
    known: Vec<Arc<Action>>,
    /// What those of the program do, by their names.
    own: Vec<(&'static str, Arc<dyn PipelineAction>)>,
}

/// Those that are built in.
impl Default for Actions {
    fn default() -> Self {
        Self {
            known: built_in().iter().cloned().map(Arc::new).collect(),
            own: Vec::new(),
        }
    }
}

impl Actions {
    /// Adds an action of the program by its table alone: files that name it can be checked. Its names must be new.
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
        self.known.push(action);
        Ok(())
    }

    /// Adds an action of the program. Its names must be new.
    pub fn add(&mut self, own: Arc<dyn PipelineAction>) -> Result<(), BiotideError> {
        let action = own.action();
        let name = action.name;
        self.register(action)?;
        self.own.push((name, own));
        Ok(())
    }

    /// What an action of the program does.
    pub(crate) fn own(&self, name: &str) -> Option<&Arc<dyn PipelineAction>> {
        let found = self.own.iter().find(|(known, _)| *known == name);
        found.map(|(_, own)| own)
    }

    /// An action by its name, or another of its names, in any case; dashes are underscores.
    pub fn find(&self, name: &str) -> Option<&Arc<Action>> {
        let name = name.trim().replace('-', "_");
        let is_it = |action: &&Arc<Action>| {
            action
                .names()
                .any(|known| known.eq_ignore_ascii_case(&name))
        };
        self.known.iter().find(is_it)
    }

    /// All of them, the built-in ones first.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Action>> {
        self.known.iter()
    }

    /// Every name.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> + Clone + '_ {
        self.known.iter().flat_map(|action| action.names())
    }
}
