//! `FROM 'x.sssom.tsv' AS t, LATERAL xref(t.subject_id, …)`: identifiers that come straight from a set mean what that set
//! says, whatever the mapping's sources do.

use std::collections::HashMap;
use std::sync::Arc;

use biotide_common::identifiers::Identifiers;
use biotide_common::sssom::CURIE_MAP;
use biotide_exec::xref::XrefNode;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, Result};
use datafusion::logical_expr::{Expr, Extension, LogicalPlan};

use super::declared::of_metadata;
use super::lateral::node as xref;
use super::told::ToldNode;
use crate::pipeline::measure::StepNode;

/// Tells cross-references what the sets of their identifiers declare.
pub(crate) fn rewrite(plan: LogicalPlan, identifiers: &dyn Identifiers) -> Result<LogicalPlan> {
    let rewritten = plan.transform_up_with_subqueries(|plan| {
        let LogicalPlan::Extension(extension) = &plan else {
            return Ok(Transformed::no(plan));
        };
        let Some(node) = xref(extension).filter(|node| node.spec.declared.is_none()) else {
            return Ok(Transformed::no(plan));
        };
        let Some(metadata) = column(&node.id).and_then(|id| of_column(&node.input, id)) else {
            return Ok(Transformed::no(plan));
        };
        let mut spec = Arc::clone(&node.spec);
        Arc::make_mut(&mut spec).declared = of_metadata(metadata, identifiers)?;
        let (input, id) = (node.input.clone(), node.id.clone());
        let node = XrefNode::try_new(input, id, spec, node.qualifier.clone())?;
        Ok(Transformed::yes(LogicalPlan::Extension(Extension {
            node: Arc::new(node),
        })))
    })?;
    Ok(rewritten.data)
}

/// The column that an expression only shows.
fn column(expr: &Expr) -> Option<&Column> {
    match expr {
        Expr::Column(column) => Some(column),
        Expr::Alias(alias) => column(&alias.expr),
        Expr::Cast(cast) => column(&cast.expr),
        _ => None,
    }
}

/// The metadata of the table that a column of a plan comes from, if that is a set, and nothing is done to it on the way.
fn of_column<'a>(plan: &'a LogicalPlan, own: &Column) -> Option<&'a HashMap<String, String>> {
    let place = plan.schema().maybe_index_of_column(own)?;
    match plan {
        LogicalPlan::TableScan(scan) => {
            let metadata = scan.projected_schema.metadata();
            metadata.contains_key(CURIE_MAP).then_some(metadata)
        }
        LogicalPlan::Projection(projection) => {
            let below = column(projection.expr.get(place)?)?;
            of_column(&projection.input, below)
        }
        LogicalPlan::SubqueryAlias(alias) => at(&alias.input, place),
        LogicalPlan::Filter(filter) => at(&filter.input, place),
        LogicalPlan::Sort(sort) => at(&sort.input, place),
        LogicalPlan::Limit(limit) => at(&limit.input, place),
        LogicalPlan::Join(join) => match join.left.schema().maybe_index_of_column(own) {
            Some(place) => at(&join.left, place),
            None => of_column(&join.right, own),
        },
        LogicalPlan::Extension(extension) => {
            if let Some(told) = ToldNode::of(extension) {
                return at(&told.input, place);
            }
            if let Some(step) = StepNode::of(extension) {
                return at(&step.input, place);
            }
            let input = &xref(extension)?.input;
            // (What it adds is behind that.)
            (place < input.schema().fields().len()).then(|| at(input, place))?
        }
        _ => None,
    }
}

/// The same of the column at a place.
fn at(plan: &LogicalPlan, place: usize) -> Option<&HashMap<String, String>> {
    let column = plan.schema().columns().into_iter().nth(place)?;
    of_column(plan, &column)
}
