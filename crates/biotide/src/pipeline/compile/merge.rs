//! `merge_datasets`: several datasets become one.

use std::sync::Arc;

use biotide_exec::concat::ConcatNode;
use datafusion::arrow::compute::can_cast_types;
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Column;
use datafusion::logical_expr::{Expr, ExprSchemable, Extension, LogicalPlan, LogicalPlanBuilder};
use datafusion::optimizer::analyzer::type_coercion::coerce_union_schema;

use super::super::actions::Params;
use super::alike::{are_alike, as_text};
use super::cell::type_of;
use super::deduplicate::{Nulls, Numbered};
use super::scope::{column_of, refused};
use super::words::{fresh, numbered, quoted};
use super::{Made, Scope, joins};
use crate::error::Result;

/// `merge_datasets`.
pub(super) async fn merge(scope: &Scope, params: &Params) -> Result<Made> {
    let inputs = scope.inputs(params)?;
    let by = params.texts("deduplicate");
    refuse_idle(params)?;
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
        return concatenated(scope, params, &inputs).await;
    }
    let columns = columns_of_all(scope, params, &inputs)?;
    let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    let by = columns_of(&names, params)?;
    let (table, row) = (fresh("__table", &names), fresh("__row", &names));
    let parts = inputs.iter().enumerate().map(|(n, input)| {
        let own = selected(scope, input, &columns);
        let (table, row, input) = (quoted(&table), quoted(&row), quoted(input));
        format!("SELECT {own}, {n} AS {table}, row_number() OVER () AS {row} FROM {input}")
    });
    let rows = Numbered {
        from: format!("({})", parts.collect::<Vec<_>>().join(" UNION ALL ")),
        rows: vec![table, row],
        columns: &names,
    };
    Ok(Made::Query(rows.distinct(
        &by,
        Vec::new(),
        last,
        Nulls::Same,
    )))
}

/// Refuses parameters that say nothing here.
fn refuse_idle(params: &Params) -> Result<()> {
    let given = |names: &[&'static str]| names.iter().copied().find(|name| params.is_given(name));
    let of_join = ["how", "on", "left_on", "right_on", "one_to_many"];
    if params.text("merge_strategy") != Some("join")
        && let Some(name) = given(&of_join)
    {
        let problem = "it is of merge_strategy: join, and this is concat";
        return Err(refused(params, name, problem));
    }
    let chooses = params.is_given("dedup") && params.text("dedup") != Some("all");
    if chooses && params.texts("deduplicate").is_empty() {
        let problem = "it needs deduplicate: the columns by which rows are the same";
        return Err(refused(params, "dedup", problem));
    }
    Ok(())
}

/// The columns by which rows are the same.
fn columns_of(columns: &[String], params: &Params) -> Result<Vec<String>> {
    let by = params.texts("deduplicate").into_iter();
    by.map(|wanted| column_of(columns, "the result", params, "deduplicate", wanted))
        .collect()
}

/// One below the other, by the names of columns, as they come.
async fn concatenated(scope: &Scope, params: &Params, inputs: &[String]) -> Result<Made> {
    let columns = columns_of_all(scope, params, inputs)?;
    let rows = inputs.iter().map(|input| {
        let own = selected(scope, input, &columns);
        format!("SELECT {own} FROM {}", quoted(input))
    });
    let rows: Vec<String> = rows.collect();
    Ok(Made::Plan(Box::new(in_turn(scope, &rows).await?)))
}

/// The rows of queries with the same columns, one after the other.
pub(super) async fn in_turn(scope: &Scope, queries: &[String]) -> Result<LogicalPlan> {
    let mut plans = Vec::new();
    for query in queries {
        plans.push(Arc::new(scope.plan(query).await?));
    }
    let schema = coerce_union_schema(&plans)?;
    let mut alike = Vec::new();
    for plan in plans {
        let of_type = |field: &FieldRef| -> Result<Expr> {
            let column = Expr::Column(Column::from_name(field.name()));
            let column = column.cast_to(field.data_type(), plan.schema())?;
            Ok(column.alias(field.name()))
        };
        let columns = schema.fields().iter().map(of_type);
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let plan = LogicalPlanBuilder::from(Arc::clone(&plan)).project(columns)?;
        alike.push(plan.build()?);
    }
    let node = Arc::new(ConcatNode::try_new(alike)?);
    Ok(LogicalPlan::Extension(Extension { node }))
}

/// A column of several datasets.
struct United {
    name: String,
    /// What makes texts of its values, if its types are not alike.
    text: Option<Text>,
}

/// What makes a text of a value in SQL, by its type.
type Text = fn(&str, &DataType) -> String;

/// The columns of all inputs, in the order in which they come.
fn columns_of_all(scope: &Scope, params: &Params, inputs: &[String]) -> Result<Vec<United>> {
    let mut all: Vec<(String, Vec<DataType>)> = Vec::new();
    for input in inputs {
        for column in scope.columns(input) {
            let data_type = type_of(scope, input, &column);
            match all.iter_mut().find(|(known, _)| *known == column) {
                Some((_, types)) => types.push(data_type),
                None => all.push((column, vec![data_type])),
            }
        }
    }
    let united = all.into_iter().map(|(name, types)| {
        let text = (!are_alike(&types)).then(|| text_of(&types));
        let has_text = |one: &&DataType| can_cast_types(one, &DataType::Utf8);
        match types.iter().find(|one| text.is_some() && !has_text(one)) {
            Some(other) => {
                let problem = format!(
                    "the column {name} is {other} in one of them and something else in another, and has no text"
                );
                Err(refused(params, "inputs", problem))
            }
            None => Ok(United { name, text }),
        }
    });
    united.collect()
}

/// What makes texts of values of these types.
fn text_of(types: &[DataType]) -> Text {
    match types.iter().any(DataType::is_integer) {
        // (Equal numbers of columns with fractions and without have one text.)
        true => as_text,
        false => as_written,
    }
}

/// A value as files have it.
fn as_written(sql: &str, _: &DataType) -> String {
    format!("arrow_cast({sql}, 'Utf8')")
}

/// The same of one input, which may lack some.
fn selected(scope: &Scope, input: &str, all: &[United]) -> String {
    let own = scope.columns(input);
    let columns: Vec<String> = all
        .iter()
        .map(|column| {
            let name = quoted(&column.name);
            match (own.contains(&column.name), column.text) {
                (false, _) => format!("NULL AS {name}"),
                (true, None) => name,
                (true, Some(text)) => {
                    let data_type = type_of(scope, input, &column.name);
                    format!("{} AS {name}", text(&name, &data_type))
                }
            }
        })
        .collect();
    columns.join(", ")
}
