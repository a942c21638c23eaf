//! `FROM t, LATERAL xref(t.id, …) x`: DataFusion plans a join with a subquery that looks outside. Here the node takes
//! the left side for its input, and its columns are those of the join.

use std::sync::Arc;

use biotide_common::BiotideError;
use biotide_exec::xref::XrefNode;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{JoinType, Result, ScalarValue, TableReference};
use datafusion::logical_expr::logical_plan::Join;
use datafusion::logical_expr::{
    Expr, Extension, LogicalPlan, LogicalPlanBuilder, UserDefinedLogicalNode,
};

/// Puts the rows below the nodes that need them.
pub(crate) fn rewrite(plan: LogicalPlan) -> Result<LogicalPlan> {
    let rewritten = plan.transform_down_with_subqueries(|plan| match plan {
        LogicalPlan::Join(join) => match lateral(&join.right) {
            Some((node, alias)) => Ok(Transformed::yes(applied(&join, node, alias)?)),
            None => Ok(Transformed::no(LogicalPlan::Join(join))),
        },
        plan => Ok(Transformed::no(plan)),
    })?;
    Ok(rewritten.data)
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
        return Err(BiotideError::Option {
            key: "LATERAL xref(…)".to_owned(),
            value: format!("{} JOIN", join.join_type),
            problem: "is not a join it takes part in: use FROM t, LATERAL xref(…) x or t LEFT JOIN LATERAL xref(…) x ON true, and WHERE"
                .to_owned(),
        }
        .into());
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
