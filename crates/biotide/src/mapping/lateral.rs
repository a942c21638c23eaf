//! `FROM t, LATERAL xref(t.id, …) x`: DataFusion plans a join with a subquery that looks outside. Here the node takes
//! the left side for its input, and its columns are those of the join.
//!
//! A comma binds weaker than `JOIN`: `t, LATERAL xref(…) x JOIN u` is `t` and a join of `x` with `u`. What is joined to
//! `x` is joined to `t` and `x` together.

use std::sync::Arc;

use biotide_common::BiotideError;
use biotide_exec::xref::XrefNode;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DataFusionError, JoinType, Result, ScalarValue, TableReference};
use datafusion::logical_expr::logical_plan::Join;
use datafusion::logical_expr::{
    Expr, Extension, LogicalPlan, LogicalPlanBuilder, UserDefinedLogicalNode,
};

/// Puts the rows below the nodes that need them.
pub(crate) fn rewrite(plan: LogicalPlan) -> Result<LogicalPlan> {
    Ok(plan.transform_down_with_subqueries(applied_to)?.data)
}

/// A join, with the rows below the node that is on its right.
fn applied_to(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let LogicalPlan::Join(join) = &plan else {
        return Ok(Transformed::no(plan));
    };
    match (lateral(&join.right), first(&join.right)) {
        (Some((node, alias)), _) => Ok(Transformed::yes(applied(join, node, alias)?)),
        // (What was joined to it may be such a node, too.)
        (None, Some(xref)) => Ok(Transformed::yes(applied_to(turned(join, xref)?)?.data)),
        (None, None) => Ok(Transformed::no(plan)),
    }
}

/// The node on the right of a lateral join, and its alias.
fn lateral(right: &LogicalPlan) -> Option<(&XrefNode, Option<&TableReference>)> {
    let (plan, alias) = match right {
        LogicalPlan::SubqueryAlias(aliased) => (&*aliased.input, Some(&aliased.alias)),
        plan => (plan, None),
    };
    let LogicalPlan::Subquery(subquery) = plan else {
        return None;
    };
    let LogicalPlan::Extension(extension) = &*subquery.subquery else {
        return None;
    };
    Some((node(extension)?, alias))
}

/// That which others are joined to, if it is a node on the right of a lateral join.
fn first(right: &LogicalPlan) -> Option<&LogicalPlan> {
    let mut plan = right;
    while let LogicalPlan::Join(join) = plan {
        plan = &join.left;
    }
    lateral(plan).is_some().then_some(plan)
}

/// A join with others that are joined to a node: they are joined to what the node makes of the left side.
fn turned(join: &Join, xref: &LogicalPlan) -> Result<LogicalPlan> {
    if join.join_type != JoinType::Inner {
        return Err(refused(join.join_type));
    }
    let lateral = LogicalPlanBuilder::from((*join.left).clone()).cross_join(xref.clone())?;
    let plan = joined(&join.right, lateral.build()?)?;
    let on = join
        .on
        .iter()
        .map(|(left, right)| left.clone().eq(right.clone()));
    match on.chain(join.filter.clone()).reduce(Expr::and) {
        Some(filter) => LogicalPlanBuilder::from(plan).filter(filter)?.build(),
        None => Ok(plan),
    }
}

/// Joins, the first of another plan.
fn joined(plan: &LogicalPlan, first: LogicalPlan) -> Result<LogicalPlan> {
    let LogicalPlan::Join(join) = plan else {
        return Ok(first);
    };
    let keeps_left = [
        JoinType::Inner,
        JoinType::Left,
        JoinType::LeftSemi,
        JoinType::LeftAnti,
    ];
    if !keeps_left.contains(&join.join_type) {
        return Err(refused(join.join_type));
    }
    let left = joined(&join.left, first)?;
    plan.with_new_exprs(plan.expressions(), vec![left, (*join.right).clone()])
}

fn refused(kind: JoinType) -> DataFusionError {
    BiotideError::Option {
        key: "LATERAL xref(…)".to_owned(),
        value: format!("{kind} JOIN"),
        problem: "is not a join it takes part in: use FROM t, LATERAL xref(…) x or t LEFT JOIN LATERAL xref(…) x ON true, and WHERE"
            .to_owned(),
    }
    .into()
}

/// A node of ours, if it is one.
pub(crate) fn node(extension: &Extension) -> Option<&XrefNode> {
    let node: &dyn UserDefinedLogicalNode = &*extension.node;
    node.as_any().downcast_ref()
}

fn applied(join: &Join, node: &XrefNode, alias: Option<&TableReference>) -> Result<LogicalPlan> {
    let always = |filter: &Option<Expr>| match filter {
        None => true,
        Some(Expr::Literal(value, _)) => *value == ScalarValue::Boolean(Some(true)),
        Some(_) => false,
    };
    let plain = join.on.is_empty() && (join.join_type == JoinType::Inner || always(&join.filter));
    if !plain || !matches!(join.join_type, JoinType::Inner | JoinType::Left) {
        return Err(refused(join.join_type));
    }
    let id = node.id.clone().transform(|expr| match expr {
        Expr::OuterReferenceColumn(_, column) if join.left.schema().has_column(&column) => {
            Ok(Transformed::yes(Expr::Column(column)))
        }
        expr => Ok(Transformed::no(expr)),
    })?;
    let input = (*join.left).clone();
    let mut spec = Arc::clone(&node.spec);
    if join.join_type == JoinType::Left {
        // (Its rows stay, whatever there is on the right.)
        Arc::make_mut(&mut spec).keep_unmapped = true;
    }
    let node = XrefNode::try_new(input, id.data, spec, alias.cloned())?;
    let plan = LogicalPlan::Extension(Extension {
        node: Arc::new(node),
    });
    match &join.filter {
        Some(filter) if !always(&join.filter) => LogicalPlanBuilder::from(plan)
            .filter(filter.clone())?
            .build(),
        _ => Ok(plan),
    }
}
