//! Conditions that may fail stay in their step.
//!
//! A condition is looked at as early as can be: in the reader of a file, if it can go there. One that may fail, of a
//! text that is no number, would then fail in another step than its own, and of rows that a step between the two
//! would have left out. So the steps below the one that it is written in do not let it through.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion, TreeNodeRewriter};
use datafusion::common::{DFSchema, Result};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, Extension, LogicalPlan};
use datafusion::optimizer::AnalyzerRule;

use super::fallible::may_fail;
use super::logical::StepNode;

/// Tells steps which columns they keep conditions on above them.
#[derive(Debug, Default)]
pub(crate) struct KeptConditions;

impl AnalyzerRule for KeptConditions {
    fn name(&self) -> &str {
        "biotide_kept_conditions"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        if !plan.exists(|plan| Ok(StepNode::of_plan(plan).is_some()))? {
            return Ok(plan);
        }
        let mut marker = Marker(vec![Part::default()]);
        Ok(plan.rewrite(&mut marker)?.data)
    }
}

/// Columns of which something that may fail is made, by their names here, between a place and the step above it.
type Part = BTreeSet<String>;

/// A part for each node that leads to where it is.
struct Marker(Vec<Part>);

impl TreeNodeRewriter for Marker {
    type Node = LogicalPlan;

    fn f_down(&mut self, plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
        let above = self.0.last().cloned().unwrap_or_default();
        let Some(step) = StepNode::of_plan(&plan) else {
            self.0.push(below(&plan, above)?);
            return Ok(Transformed::no(plan));
        };
        self.0.push(Part::default());
        let mut step = step.clone();
        step.kept.extend(above);
        let node = Arc::new(step);
        Ok(Transformed::yes(LogicalPlan::Extension(Extension { node })))
    }

    fn f_up(&mut self, plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
        self.0.pop();
        Ok(Transformed::no(plan))
    }
}

/// What is so of a node's inputs, if this is so of its rows.
fn below(plan: &LogicalPlan, above: Part) -> Result<Part> {
    let inputs = plan.inputs();
    let schema = merge_schema(&inputs);
    let mut part = match plan {
        LogicalPlan::Projection(_) | LogicalPlan::Aggregate(_) => Part::new(),
        LogicalPlan::Union(_) => renamed(&inputs, plan.schema(), &above),
        _ => above.clone(),
    };
    plan.apply_expressions(|expr| {
        // (A condition on what it makes becomes one on what it is made of.)
        if may_fail(expr, &schema)? || above.contains(&name(expr)) {
            part.extend(
                expr.column_refs()
                    .into_iter()
                    .map(|column| column.name.clone()),
            );
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(part)
}

/// The name of the column that an expression makes.
fn name(expr: &Expr) -> String {
    expr.qualified_name().1
}

/// The names that columns have in one or another of a union's inputs.
fn renamed(inputs: &[&LogicalPlan], schema: &DFSchema, above: &Part) -> Part {
    let named = schema.fields().iter().enumerate();
    let places = named.filter(|(_, field)| above.contains(field.name()));
    let names = places.flat_map(|(at, _)| {
        let own = inputs
            .iter()
            .filter_map(move |input| input.schema().fields().get(at));
        own.map(|field| field.name().clone())
    });
    names.collect()
}
