//! `steps:` in each of the forms there are.
//!
//! ```yaml
//! - action: {type: load, params: {…}}        # at will with name, description, condition, is_required
//! - {type: load, params: {…}}                # the same without the wrapper
//! - {action: load, params: {…}}
//! ```

use std::sync::Arc;

use biotide_common::BiotideError;

use super::nearest::did_you_mean;
use super::pipeline::Step;
use super::place::Placed;
use super::placeholders::Scope;
use super::tree::Tree;
use super::{condition, fields};
use crate::pipeline::actions::{Actions, Params};

pub(super) const KEYS: [&str; 7] = [
    "name",
    "description",
    "condition",
    "is_required",
    "action",
    "type",
    "params",
];

/// The steps of a file.
pub(super) fn read(
    tree: &Tree,
    scope: &Scope<'_>,
    actions: &Actions,
) -> Result<Vec<Step>, BiotideError> {
    let Some(list) = tree.get("steps").filter(|list| !list.is_null()) else {
        return Err(tree.place.error("the pipeline has no steps"));
    };
    let items = list.as_list().ok_or_else(|| {
        let problem = format!("steps are a list of actions, not {}", list.describe());
        list.place.error(problem)
    })?;
    if items.is_empty() {
        return Err(list.place.error("the pipeline has no steps"));
    }
    let mut steps: Vec<Step> = Vec::with_capacity(items.len());
    for item in items {
        let step = step(item, items, scope, actions, &steps)?;
        steps.push(step);
    }
    Ok(steps)
}

fn step(
    item: &Tree,
    all: &[Tree],
    scope: &Scope<'_>,
    actions: &Actions,
    before: &[Step],
) -> Result<Step, BiotideError> {
    fields::entries(item, "a step", &KEYS)?;
    // (Placeholders of a condition are values, not text: it is judged as it was written.)
    let runs = match item.get("condition") {
        Some(condition) => condition::holds(condition, scope)?,
        None => true,
    };
    let part = |key: &str| item.get(key).map(|part| scope.resolve(part)).transpose();
    let text = |key: &str| fields::text(part(key)?.as_ref(), key);
    let is_required = fields::boolean(part("is_required")?.as_ref(), "is_required")?;
    let called = called(item, scope)?;
    let action = actions.find(&called.name.value).ok_or_else(|| {
        let name = &called.name.value;
        let hint = did_you_mean(name, actions.names());
        let problem = format!("there is no action '{name}'; {hint}");
        called.name.place.error(problem)
    })?;
    let params = Params::read(called.params.as_ref(), &item.place, action)?;
    let name = match text("name")? {
        Some(name) => {
            if let Some(same) = before.iter().find(|step| step.name == name.value) {
                let (name_, line) = (&name.value, same.place.short());
                let problem = format!("two steps have the name '{name_}', the first on {line}");
                return Err(name.place.error(problem));
            }
            name.value
        }
        None => unused(action.name, before, all),
    };
    Ok(Step {
        name,
        description: text("description")?.map(|text| text.value),
        runs,
        is_required: is_required.unwrap_or(true),
        action: Arc::clone(action),
        params,
        place: item.place.clone(),
    })
}

/// The name of an action that no other step has: `load`, `load_2`.
fn unused(action: &str, before: &[Step], all: &[Tree]) -> String {
    let is_used = |name: &str| {
        let said = |item: &Tree| item.get("name").and_then(Tree::as_text) == Some(name);
        before.iter().any(|step| step.name == name) || all.iter().any(said)
    };
    let numbered = (2..).map(|number: u64| format!("{action}_{number}"));
    let mut names = std::iter::once(action.to_owned()).chain(numbered);
    names
        .find(|name| !is_used(name))
        .unwrap_or_else(|| action.to_owned())
}

/// What a step calls: an action by its name, and what it is given.
struct Called {
    name: Placed<String>,
    params: Option<Tree>,
}

fn called(item: &Tree, scope: &Scope<'_>) -> Result<Called, BiotideError> {
    let wrapper = item.get("action").filter(|action| !action.is_null());
    if let (Some(_), Some(twice)) = (wrapper, item.get("type")) {
        let problem = "the step has an action and a type: one of them is enough";
        return Err(twice.place.error(problem));
    }
    let (inner, key) = match wrapper {
        Some(action) if action.as_map().is_some() => {
            fields::entries(action, "an action", &["type", "params"])?;
            if let Some(twice) = item.get("params") {
                let problem = "params belong into the action here, beside its type";
                return Err(twice.place.error(problem));
            }
            (action, "type")
        }
        Some(action) if action.as_text().is_none() => {
            let problem = format!(
                "an action is its name, or {{type: …, params: …}}, not {}",
                action.describe()
            );
            return Err(action.place.error(problem));
        }
        Some(_) => (item, "action"),
        None => (item, "type"),
    };
    let resolved = |key: &str| inner.get(key).map(|part| scope.resolve(part)).transpose();
    let Some(name) = fields::text(resolved(key)?.as_ref(), key)? else {
        let problem = "the step names no action: action: {type: …, params: …}";
        return Err(inner.place.error(problem));
    };
    let params = resolved("params")?;
    Ok(Called { name, params })
}
