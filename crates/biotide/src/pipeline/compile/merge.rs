//! `merge_datasets`: several datasets become one.

use std::sync::Arc;

use biotide_exec::concat::ConcatNode;
use datafusion::common::Column;
use datafusion::logical_expr::{Expr, ExprSchemable, Extension, LogicalPlan, LogicalPlanBuilder};
use datafusion::optimizer::analyzer::type_coercion::coerce_union_schema;

use super::super::actions::Params;
use super::deduplicate::{Nulls, Numbered};
use super::scope::column_of;
use super::words::{fresh, numbered, quoted};
use super::{Made, Scope, joins};
use crate::error::Result;

/// `merge_datasets`.
pub(super) async fn merge(scope: &Scope, params: &Params) -> Result<Made> {
    let inputs = scope.inputs(params)?;
    let by = params.texts("deduplicate");
    let last = params.text("dedup") == Some("last");
    let all = by.is_empty() || params.text("dedup") == Some("all");
    if params.text("merge_strategy") == Some("join") {
        let joined = joins::merged(scope, params, &inputs)?;
        if all {
            return Ok(Made::Query(joined.ordered()));
        }
        let columns = joined.names();
        let by = columns_of(&columns, params)?;
        let row = fresh("__row", &columns);
        let rows = Numbered {
            from: numbered(&format!("({})", joined.ordered()), &row),
            rows: vec![row],
            columns: &columns,
        };
        return Ok(Made::Query(rows.distinct(
            &by,
            Vec::new(),
            last,
            Nulls::Same,
        )));
    }
    if all {
        return concatenated(scope, &inputs).await;
    }
    let columns = columns_of_all(scope, &inputs);
    let by = columns_of(&columns, params)?;
    let (table, row) = (fresh("__table", &columns), fresh("__row", &columns));
    let parts = inputs.iter().enumerate().map(|(n, input)| {
        let own = selected(scope, input, &columns);
        let (table, row, input) = (quoted(&table), quoted(&row), quoted(input));
        format!("SELECT {own}, {n} AS {table}, row_number() OVER () AS {row} FROM {input}")
    });
    let rows = Numbered {
        from: format!("({})", parts.collect::<Vec<_>>().join(" UNION ALL ")),
        rows: vec![table, row],
        columns: &columns,
    };
    Ok(Made::Query(rows.distinct(
        &by,
        Vec::new(),
        last,
        Nulls::Same,
    )))
}

/// The columns by which rows are the same.
fn columns_of(columns: &[String], params: &Params) -> Result<Vec<String>> {
    let by = params.texts("deduplicate").into_iter();
    by.map(|wanted| column_of(columns, "the result", params, "deduplicate", wanted))
        .collect()
}

/// One below the other, by the names of columns, as they come.
async fn concatenated(scope: &Scope, inputs: &[String]) -> Result<Made> {
    let columns = columns_of_all(scope, inputs);
    let mut plans = Vec::new();
    for input in inputs {
        let own = selected(scope, input, &columns);
        let plan = scope
            .plan(&format!("SELECT {own} FROM {}", quoted(input)))
            .await?;
        plans.push(Arc::new(plan));
    }
    let schema = coerce_union_schema(&plans)?;
    let mut alike = Vec::new();
    for plan in plans {
        let of_type = |name: &String| -> Result<Expr> {
            let data_type = schema.field_with_unqualified_name(name)?.data_type();
            let column = Expr::Column(Column::from_name(name));
            Ok(column.cast_to(data_type, plan.schema())?.alias(name))
        };
        let columns = columns.iter().map(of_type).collect::<Result<Vec<_>>>()?;
        let plan = LogicalPlanBuilder::from(Arc::clone(&plan)).project(columns)?;
        alike.push(plan.build()?);
    }
    let node = Arc::new(ConcatNode::try_new(alike)?);
    Ok(Made::Plan(Box::new(LogicalPlan::Extension(Extension {
        node,
    }))))
}

/// The columns of all inputs, in the order in which they come.
fn columns_of_all(scope: &Scope, inputs: &[String]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for input in inputs {
        for column in scope.columns(input) {
            if !all.contains(&column) {
                all.push(column);
            }
        }
    }
    all
}

/// The same of one input, which may lack some.
fn selected(scope: &Scope, input: &str, all: &[String]) -> String {
    let own = scope.columns(input);
    let columns: Vec<String> = all
        .iter()
        .map(|name| match own.contains(name) {
            true => quoted(name),
            false => format!("NULL AS {}", quoted(name)),
        })
        .collect();
    columns.join(", ")
}
