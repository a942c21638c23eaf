//! A view, or a prepared statement, holds the plan that it was made with, and in it the mapping of then. A statement is
//! to see that of now.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use biotide_exec::catalog::{Mapping, Mappings};
use biotide_exec::chain::ChainNode;
use biotide_exec::xref::XrefNode;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{Extension, LogicalPlan};

use super::lateral::node as xref;
use super::source::is_path;

/// Puts the mappings that there are now in the place of those that the views of a plan were made with.
pub(crate) fn rewrite(plan: LogicalPlan, mappings: &Mappings) -> Result<LogicalPlan> {
    let mut renewed = Renewed {
        mappings,
        files: HashMap::new(),
    };
    let rewritten = plan.transform_up_with_subqueries(|plan| match &plan {
        LogicalPlan::Extension(extension) => match renewed.node(extension)? {
            Some(node) => Ok(Transformed::yes(node)),
            None => Ok(Transformed::no(plan)),
        },
        _ => Ok(Transformed::no(plan)),
    })?;
    Ok(rewritten.data)
}

struct Renewed<'a> {
    mappings: &'a Mappings,
    /// Those that are files, by the address of what they were.
    files: HashMap<usize, Arc<Mapping>>,
}

impl Renewed<'_> {
    /// The mapping of now; nothing, if it is that already.
    fn mapping(&mut self, old: &Arc<Mapping>) -> Result<Option<Arc<Mapping>>> {
        // (What was made for this statement is not loaded yet.)
        if old.loaded().is_none() {
            return Ok(None);
        }
        let name = old.name();
        if let Some(now) = self.mappings.get(name) {
            return Ok((!Arc::ptr_eq(&now, old)).then_some(now));
        }
        // (One of several files has the names of all.)
        let exist = |files: &str| files.split(", ").all(|file| Path::new(file).exists());
        if !is_path(name) && !Path::new(name).exists() && !exist(name) {
            return plan_err!(
                "the mapping {name}, which a view or a prepared statement was made with, is not there any more"
            );
        }
        // (Whether one of several was written anew nobody knows.)
        let is_one = Path::new(name).exists() || !name.contains(", ");
        if is_one && !old.is_outdated() {
            return Ok(None);
        }
        let made = || {
            let made = Mapping::new(old.name(), Arc::clone(old.loader()));
            Arc::new(made.with_iris(old.iris().clone()))
        };
        let own = self.files.entry(Arc::as_ptr(old) as usize);
        Ok(Some(Arc::clone(own.or_insert_with(made))))
    }

    fn node(&mut self, extension: &Extension) -> Result<Option<LogicalPlan>> {
        if let Some(node) = xref(extension) {
            let Some(mapping) = self.mapping(&node.spec.mapping)? else {
                return Ok(None);
            };
            let mut spec = Arc::clone(&node.spec);
            Arc::make_mut(&mut spec).mapping = mapping;
            let (input, id) = (node.input.clone(), node.id.clone());
            let node = XrefNode::try_new(input, id, spec, node.qualifier.clone())?;
            return Ok(Some(LogicalPlan::Extension(Extension {
                node: Arc::new(node),
            })));
        }
        let Some(node) = (*extension.node).as_any().downcast_ref::<ChainNode>() else {
            return Ok(None);
        };
        let Some(mapping) = self.mapping(&node.spec.mapping)? else {
            return Ok(None);
        };
        let mut spec = Arc::clone(&node.spec);
        Arc::make_mut(&mut spec).mapping = mapping;
        let node = ChainNode::try_new(spec)?;
        Ok(Some(LogicalPlan::Extension(Extension {
            node: Arc::new(node),
        })))
    }
}
