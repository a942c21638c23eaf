//! `FROM 'x.sssom.tsv' AS t, LATERAL xref(t.subject_id, …)`: identifiers that come from a set mean what that set says,
//! whatever the mapping's sources do, and whatever is done to them before they are looked up (`DISTINCT`, `GROUP BY`,
//! `UNION`, `trim(…)`).

use std::sync::Arc;

use biotide_common::identifiers::Identifiers;
use biotide_exec::xref::XrefNode;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{JoinType, Result};
use datafusion::logical_expr::utils::grouping_set_to_exprlist;
use datafusion::logical_expr::{Aggregate, Distinct, Expr, Extension, Join, LogicalPlan};

use super::declared::{LOOKED_UP, of_metadata};
use super::lateral::node as xref;
use super::meeting::{Meeting, Says};

/// Tells cross-references what the sets of their identifiers declare.
pub(crate) fn rewrite(plan: LogicalPlan, identifiers: &dyn Identifiers) -> Result<LogicalPlan> {
    let rewritten = plan.transform_up_with_subqueries(|plan| {
        let LogicalPlan::Extension(extension) = &plan else {
            return Ok(Transformed::no(plan));
        };
        let Some(node) = xref(extension).filter(|node| node.spec.declared.is_none()) else {
            return Ok(Transformed::no(plan));
        };
        let said = Origins(identifiers).of_expr(&node.id, &node.input)?.told();
        let metadata = said.into_iter().collect();
        let Some(declared) = of_metadata(&metadata, identifiers, LOOKED_UP)? else {
            return Ok(Transformed::no(plan));
        };
        let mut spec = Arc::clone(&node.spec);
        Arc::make_mut(&mut spec).declared = Some(declared);
        let (input, id) = (node.input.clone(), node.id.clone());
        let node = XrefNode::try_new(input, id, spec, node.qualifier.clone())?;
        Ok(Transformed::yes(LogicalPlan::Extension(Extension {
            node: Arc::new(node),
        })))
    })?;
    Ok(rewritten.data)
}

/// Finds the tables that values of a plan come from, and what these say.
struct Origins<'a>(&'a dyn Identifiers);

impl Origins<'_> {
    /// Those of what an expression makes of rows.
    fn of_expr(&self, expr: &Expr, rows: &LogicalPlan) -> Result<Says> {
        let mut all = Says::default();
        expr.apply(|expr| {
            let one = match expr {
                Expr::Column(column) => match rows.schema().maybe_index_of_column(column) {
                    Some(place) => self.of_column(rows, place)?,
                    None => Says::default(),
                },
                Expr::ScalarSubquery(query) => self.of_column(&query.subquery, 0)?,
                _ => return Ok(TreeNodeRecursion::Continue),
            };
            all = std::mem::take(&mut all).with(one, Meeting::Beside, self.0);
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(all)
    }

    /// Those of an expression, if there is one.
    fn of_some(&self, expr: Option<&Expr>, rows: &LogicalPlan) -> Result<Says> {
        expr.map_or_else(|| Ok(Says::default()), |expr| self.of_expr(expr, rows))
    }

    /// Those of the column at a place.
    fn of_column(&self, plan: &LogicalPlan, place: usize) -> Result<Says> {
        match plan {
            LogicalPlan::Projection(shown) => self.of_some(shown.expr.get(place), &shown.input),
            LogicalPlan::Distinct(Distinct::On(first)) => {
                self.of_some(first.select_expr.get(place), &first.input)
            }
            LogicalPlan::Aggregate(groups) => self.of_some(made(groups, place)?, &groups.input),
            LogicalPlan::Window(window) => {
                // (What it adds is behind the columns of its input.)
                match place.checked_sub(window.input.schema().fields().len()) {
                    None => self.of_column(&window.input, place),
                    Some(own) => self.of_some(window.window_expr.get(own), &window.input),
                }
            }
            LogicalPlan::Unnest(lists) => match lists.dependency_indices.get(place) {
                Some(&place) => self.of_column(&lists.input, place),
                None => Ok(Says::default()),
            },
            LogicalPlan::Join(join) => {
                let (side, place) = side(join, place);
                self.of_column(side, place)
            }
            // (The rows that it adds are made of those that it begins with.)
            LogicalPlan::RecursiveQuery(query) => self.of_column(&query.static_term, place),
            LogicalPlan::Extension(extension) => self.of_node(plan, extension, place),
            plan if plan.inputs().is_empty() => Ok(Says::of(plan, self.0)),
            // (They have the columns of what is below them: a filter, an alias, a UNION.)
            plan => self.of_all(&plan.inputs(), place),
        }
    }

    /// Those of a column whose rows are those of one plan behind those of another.
    fn of_all(&self, plans: &[&LogicalPlan], place: usize) -> Result<Says> {
        let says = plans.iter().map(|plan| self.of_column(plan, place));
        let says = says.collect::<Result<Vec<_>>>()?.into_iter();
        let all = says.reduce(|one, other| one.with(other, Meeting::Behind, self.0));
        Ok(all.unwrap_or_default())
    }

    fn of_node(&self, plan: &LogicalPlan, extension: &Extension, place: usize) -> Result<Says> {
        if let Some(node) = xref(extension) {
            return match place < node.input.schema().fields().len() {
                true => self.of_column(&node.input, place),
                false => Ok(Says::of_mapping(&node.spec.mapping)),
            };
        }
        let name = |plan: &LogicalPlan| Some(plan.schema().fields().get(place)?.name().clone());
        let inputs = extension.node.inputs();
        let has_it = !inputs.is_empty() && inputs.iter().all(|input| name(input) == name(plan));
        match has_it {
            true => self.of_all(&inputs, place),
            false => Ok(Says::of(plan, self.0)),
        }
    }
}

/// What makes a column of groups.
fn made(groups: &Aggregate, place: usize) -> Result<Option<&Expr>> {
    let keys = grouping_set_to_exprlist(&groups.group_expr)?;
    if let Some(&key) = keys.get(place) {
        return Ok(Some(key));
    }
    // (Before them there may be the number of the grouping set.)
    let aggregates = groups.aggr_expr.len();
    let first = groups.schema.fields().len().saturating_sub(aggregates);
    let own = place.checked_sub(first);
    Ok(own.and_then(|own| groups.aggr_expr.get(own)))
}

/// The side of a join that a column is of, and its place there.
fn side(join: &Join, place: usize) -> (&LogicalPlan, usize) {
    let left = match join.join_type {
        JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => 0,
        _ => join.left.schema().fields().len(),
    };
    match place.checked_sub(left) {
        None => (&*join.left, place),
        Some(place) => (&*join.right, place),
    }
}
