//! Which columns of a dataset are answers of a cross-reference.

use biotide_exec::xref::XrefNode;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, TableReference};
use datafusion::logical_expr::{Expr, LogicalPlan};

use crate::mapping::lateral::node;

/// What a cross-reference made of a column, by the names of the columns.
pub(super) struct CrossReferenced {
    /// The identifiers.
    pub(super) id: String,
    pub(super) verdict: String,
    /// (Where mappings are lists there are none.)
    pub(super) hops: Option<String>,
    pub(super) predicate: Option<String>,
}

/// The columns that a plan cross-references, in the order of its steps. Their answers may be called anything, and a
/// column of the input as they usually are: the projection over the node tells.
pub(super) fn cross_referenced(plan: &LogicalPlan) -> Vec<CrossReferenced> {
    let mut found: Vec<CrossReferenced> = Vec::new();
    // (The closure cannot fail.)
    let _ = plan.apply_with_subqueries(|plan| {
        if let LogicalPlan::Projection(projection) = plan {
            let mut nodes = Vec::new();
            collect(&projection.input, &mut nodes);
            // (Later steps are met first, and so are the later columns of a step.)
            let made = nodes.iter().rev();
            let made = made.filter_map(|(id, table)| answers(&projection.expr, id, table.as_ref()));
            found.splice(0..0, made.collect::<Vec<_>>());
        }
        Ok(TreeNodeRecursion::Continue)
    });
    found
}

/// The columns that are cross-referenced right below a projection, with the table that the answers are of.
fn collect(plan: &LogicalPlan, found: &mut Vec<(Column, Option<TableReference>)>) {
    let _ = plan.apply(|plan| {
        let node: Option<&XrefNode> = match plan {
            LogicalPlan::Projection(_) => return Ok(TreeNodeRecursion::Jump),
            LogicalPlan::Extension(extension) => node(extension),
            _ => None,
        };
        if let Some(node) = node
            && let Expr::Column(id) = &node.id
        {
            found.push((id.clone(), node.qualifier.clone()));
        }
        Ok(TreeNodeRecursion::Continue)
    });
}

/// What a projection calls the answers.
fn answers(shown: &[Expr], id: &Column, table: Option<&TableReference>) -> Option<CrossReferenced> {
    let named = |is: &dyn Fn(&Column) -> bool| {
        shown.iter().find_map(|expr| match expr {
            Expr::Column(column) if is(column) => Some(column.name.clone()),
            Expr::Alias(alias) => match &*alias.expr {
                Expr::Column(column) if is(column) => Some(alias.name.clone()),
                _ => None,
            },
            _ => None,
        })
    };
    let answer =
        |name: &str| named(&|column| column.name == name && column.relation.as_ref() == table);
    Some(CrossReferenced {
        id: named(&|column| column == id).unwrap_or_else(|| id.name.clone()),
        verdict: answer("verdict")?,
        hops: answer("hops"),
        predicate: answer("predicate"),
    })
}
