//! Conditions on results, told to the walk: `WHERE x.confidence >= 0.8 AND x.target LIKE 'chebi:%'`.
//!
//! The filter stays where it is. What it would leave out is not written out, and not handed on; verdicts, limits and
//! policies are those of all results, so nothing else changes.

use std::sync::Arc;

use biotide_exec::xref::{Column as Added, Wanted, XrefNode, columns};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result, ScalarValue};
use datafusion::logical_expr::expr::Like;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{
    BinaryExpr, Expr, Extension, Filter, LogicalPlan, Operator, UserDefinedLogicalNodeCore,
};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

use super::lateral::node;
use crate::pipeline::measure::StepNode;

/// Tells cross-references what the filters above them want.
#[derive(Debug, Default)]
pub(crate) struct FiltersOfResults;

impl OptimizerRule for FiltersOfResults {
    fn name(&self) -> &str {
        "biotide_filters_of_results"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn supports_rewrite(&self) -> bool {
        true
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Filter(filter) = &plan else {
            return Ok(Transformed::no(plan));
        };
        let Some(xref) = below(&filter.input).filter(|xref| xref.spec.wanted.is_none()) else {
            return Ok(Transformed::no(plan));
        };
        let mut wanted = Wanted::default();
        let conditions = split_conjunction(&filter.predicate);
        // (Each is looked at.)
        let known = conditions
            .iter()
            .filter(|condition| take(condition, xref, &mut wanted))
            .count();
        if known == 0 {
            return Ok(Transformed::no(plan));
        }
        let input = told((*filter.input).clone(), &wanted)?;
        let filter = Filter::try_new(filter.predicate.clone(), Arc::new(input))?;
        Ok(Transformed::yes(LogicalPlan::Filter(filter)))
    }
}

/// The node below, where nothing but steps and a choice of columns is between.
fn below(plan: &LogicalPlan) -> Option<&XrefNode> {
    match plan {
        LogicalPlan::Extension(extension) => match StepNode::of(extension) {
            Some(step) => below(&step.input),
            None => node(extension),
        },
        LogicalPlan::Projection(projection) => {
            let plain = projection
                .expr
                .iter()
                .all(|expr| matches!(expr, Expr::Column(_)));
            plain.then(|| below(&projection.input))?
        }
        _ => None,
    }
}

/// The same plan, whose node knows what is wanted.
fn told(plan: LogicalPlan, wanted: &Wanted) -> Result<LogicalPlan> {
    let told = plan.transform_down(|plan| {
        let LogicalPlan::Extension(extension) = &plan else {
            return Ok(Transformed::no(plan));
        };
        let Some(xref) = node(extension) else {
            return Ok(Transformed::no(plan));
        };
        let mut spec = (*xref.spec).clone();
        spec.wanted = Some(wanted.clone());
        let (input, id, qualifier) = (xref.input.clone(), xref.id.clone(), xref.qualifier.clone());
        let node = Arc::new(XrefNode::try_new(input, id, Arc::new(spec), qualifier)?);
        let plan = LogicalPlan::Extension(Extension { node });
        // (There may be another one below, which is not this one's.)
        Ok(Transformed::new(plan, true, TreeNodeRecursion::Stop))
    })?;
    Ok(told.data)
}

/// Takes a condition that only results meet; `false` if it is another one.
fn take(condition: &Expr, xref: &XrefNode, wanted: &mut Wanted) -> bool {
    match condition {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            let (column, value) = match (&**left, &**right, op) {
                (Expr::Column(column), Expr::Literal(value, _), Operator::GtEq | Operator::Gt) => {
                    (column, value)
                }
                (Expr::Literal(value, _), Expr::Column(column), Operator::LtEq | Operator::Lt) => {
                    (column, value)
                }
                _ => return false,
            };
            match (added(column, xref), value) {
                (Some(Added::Confidence), ScalarValue::Float64(Some(least))) => {
                    wanted.min_confidence = wanted.min_confidence.max(*least);
                    true
                }
                _ => false,
            }
        }
        Expr::Like(Like {
            negated: false,
            expr,
            pattern,
            escape_char: None,
            case_insensitive: false,
        }) => {
            let (Expr::Column(column), Expr::Literal(ScalarValue::Utf8(Some(pattern)), _)) =
                (&**expr, &**pattern)
            else {
                return false;
            };
            // (Behind a colon comes what is local, to which a colon may belong: `kegg.genes:hsa:%`.)
            let prefix = pattern
                .strip_suffix(":%")
                .filter(|prefix| !prefix.contains(['%', '_', '\\', ':']));
            match (added(column, xref), prefix, &wanted.prefix) {
                (Some(Added::Target), Some(prefix), None) => {
                    wanted.prefix = Some(prefix.to_owned());
                    true
                }
                _ => false,
            }
        }
        _ => false,
    }
}

/// Which of the columns that a node adds this is.
fn added(column: &Column, xref: &XrefNode) -> Option<Added> {
    let place = xref.schema().maybe_index_of_column(column)?;
    let own = place.checked_sub(xref.input.schema().fields().len())?;
    columns(xref.spec.policy).get(own).map(|(added, _)| *added)
}
