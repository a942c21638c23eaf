//! `SELECT * FROM wide`: DataFusion 55 compares each column of a selection with all before it, by their names as text,
//! which takes half a minute of ten thousand columns. `*` alone is all that its table has: nothing needs selecting. So
//! a constant is selected in its place, and taken out of the plan.

use datafusion::common::Result;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::sql::parser::{CopyToSource, Statement};
use datafusion::sql::sqlparser::ast::{
    Expr as SqlExpr, GroupByExpr, Ident, OrderByKind, Query, Select, SelectItem, SetExpr,
    Statement as SqlStatement, TableFactor, Value, WildcardAdditionalOptions,
};

/// The name of the constant.
const ALL: &str = "__all_columns";

/// The plan of a statement.
pub(super) async fn plan(statement: Statement, state: &SessionState) -> Result<LogicalPlan> {
    let mut short = statement.clone();
    // (An error is that of the statement as it was written.)
    if resolve(&mut short)
        && let Ok(plan) = state.statement_to_plan(short).await
        && let Some(plan) = expand(plan)?
    {
        return Ok(plan);
    }
    state.statement_to_plan(statement).await
}

/// Puts the constant in the place of `*`, where that is all columns of one table. Answers whether it did.
fn resolve(statement: &mut Statement) -> bool {
    match statement {
        Statement::Statement(sql) => match &mut **sql {
            SqlStatement::Query(query) => of_query(query),
            _ => false,
        },
        Statement::CopyTo(copy) => match &mut copy.source {
            CopyToSource::Query(query) => of_query(query),
            CopyToSource::Relation(_) => false,
        },
        _ => false,
    }
}

/// The plan without the constant; nothing if it has become more than it was meant to be.
fn expand(plan: LogicalPlan) -> Result<Option<LogicalPlan>> {
    match plan {
        LogicalPlan::Projection(projection) if projection.expr.iter().any(is_all) => {
            let input = projection.input.as_ref().clone();
            match input {
                // (Where the constant is handed on from.)
                LogicalPlan::Sort(_) => expand(input),
                input => Ok(Some(input)),
            }
        }
        LogicalPlan::Copy(_) | LogicalPlan::Limit(_) | LogicalPlan::Sort(_) => {
            let inputs = plan.inputs();
            let [input] = inputs.as_slice() else {
                return Ok(None);
            };
            let Some(input) = expand((*input).clone())? else {
                return Ok(None);
            };
            if let LogicalPlan::Sort(sort) = &plan {
                let columns = sort.expr.iter().flat_map(|key| key.expr.column_refs());
                if !columns
                    .into_iter()
                    .all(|column| input.schema().has_column(column))
                {
                    return Ok(None);
                }
            }
            Ok(Some(plan.with_new_exprs(plan.expressions(), vec![input])?))
        }
        _ => Ok(None),
    }
}

fn is_all(expr: &Expr) -> bool {
    match expr {
        Expr::Alias(alias) => alias.name == ALL,
        Expr::Column(column) => column.name == ALL,
        _ => false,
    }
}

fn of_query(query: &mut Query) -> bool {
    let by_place = query
        .order_by
        .as_ref()
        .is_some_and(|order| match &order.kind {
            // (`ORDER BY 2` is a column of the selection.)
            OrderByKind::Expressions(keys) => {
                keys.iter().any(|key| matches!(key.expr, SqlExpr::Value(_)))
            }
            OrderByKind::All(_) => true,
        });
    match &mut *query.body {
        SetExpr::Select(select) if !by_place && is_all_of_one(select) => {
            select.projection = vec![SelectItem::ExprWithAlias {
                expr: SqlExpr::Value(Value::Null.into()),
                alias: Ident::with_quote('"', ALL),
            }];
            true
        }
        _ => false,
    }
}

/// Whether a selection is all columns of one table, and nothing looks at what is selected.
fn is_all_of_one(select: &Select) -> bool {
    let is_star = match select.projection.as_slice() {
        [SelectItem::Wildcard(options)] => {
            let plain = WildcardAdditionalOptions {
                wildcard_token: options.wildcard_token.clone(),
                ..Default::default()
            };
            *options == plain
        }
        _ => false,
    };
    let is_one = match select.from.as_slice() {
        // (A join in parentheses is none: of the columns of USING it shows one.)
        [table] => {
            table.joins.is_empty() && !matches!(table.relation, TableFactor::NestedJoin { .. })
        }
        _ => false,
    };
    let is_grouped = match &select.group_by {
        GroupByExpr::All(_) => true,
        GroupByExpr::Expressions(keys, with) => !keys.is_empty() || !with.is_empty(),
    };
    is_star
        && is_one
        && !is_grouped
        && select.distinct.is_none()
        && select.having.is_none()
        && select.qualify.is_none()
        && select.into.is_none()
}
