//! What the engine refuses of a step, told of the step.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::common::{Column, DataFusionError, SchemaError};
use datafusion::logical_expr::{EmptyRelation, LogicalPlan};

use super::super::measure::{StepNode, is_placed};
use super::super::spec::did_you_mean;
use super::Scope;
use crate::error::{Error, Result};

/// Refuses expressions that do not fit the types of their columns.
///
/// The engine looks at the types of conditions and orders when a plan is run: at a sink, of all steps before it. So it is
/// asked here, of one step alone: those below have been looked at.
pub(super) fn check(scope: &Scope, plan: &LogicalPlan) -> Result<()> {
    let own = plan.clone().transform_down_with_subqueries(|plan| {
        if StepNode::of_plan(&plan).is_none() {
            return Ok(Transformed::no(plan));
        }
        let rows = LogicalPlan::EmptyRelation(EmptyRelation {
            produce_one_row: false,
            schema: Arc::clone(plan.schema()),
        });
        Ok(Transformed::new(rows, true, TreeNodeRecursion::Jump))
    })?;
    let analyzer = scope.state.analyzer();
    analyzer.execute_and_check(own.data, scope.state.config_options(), |_, _| {})?;
    Ok(())
}

/// An error; if it is of a column that is not there, with those of the user that are.
pub(super) fn told(scope: &Scope, error: Error) -> Error {
    if is_placed(error.as_datafusion()) {
        return error;
    }
    let DataFusionError::SchemaError(schema, _) = error.as_datafusion().find_root() else {
        return error;
    };
    let SchemaError::FieldNotFound {
        field,
        valid_fields,
    } = &**schema
    else {
        return error;
    };
    let keys: Vec<&str> = scope.keys().collect();
    let is_of_user = |name: &str| {
        let has = |key: &&str| scope.columns(key).iter().any(|column| column == name);
        !name.starts_with("__") || keys.iter().any(has)
    };
    let mut known: Vec<&str> = Vec::new();
    for name in valid_fields.iter().map(Column::name) {
        if !known.contains(&name) && is_of_user(name) {
            known.push(name);
        }
    }
    let hint = did_you_mean(field.name(), known);
    let problem = format!("there is no column {}; {hint}", field.flat_name());
    DataFusionError::Plan(problem).into()
}
