//! Aggregates over distinct values that spill.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result, ScalarValue};
use datafusion::datasource::source_as_provider;
use datafusion::functions::expr_fn::coalesce;
use datafusion::functions_aggregate::min_max::max_udaf;
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams};
use datafusion::logical_expr::{
    Aggregate, Expr, GroupingSet, LogicalPlan, LogicalPlanBuilder, col, lit, when,
};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

use super::budget::Budget;

/// Aggregates whose result for a group can be taken along as a value.
const CARRIED: &[&str] = &[
    "count",
    "sum",
    "avg",
    "min",
    "max",
    "var",
    "var_pop",
    "stddev",
    "stddev_pop",
];

/// Aggregates that can be computed from the distinct values once they are known.
const OF_DISTINCT: &[&str] = &["count", "sum", "avg", "min", "max"];

/// Groups by the distinct values first, as DataFusion does where all aggregates are over the same: a
/// group-by can spill, an accumulator that holds the values of a group cannot.
///
/// ```text
/// SELECT g, count(DISTINCT a), sum(DISTINCT b), avg(c) … GROUP BY g
///
/// SELECT g, count(a) FILTER (is_a), sum(b) FILTER (is_b), max(x) FILTER (is_rest)
/// FROM (SELECT g, a, b, avg(c) AS x … GROUP BY GROUPING SETS ((g, a), (g, b), (g))) GROUP BY g
/// ```
#[derive(Debug)]
pub(crate) struct DistinctsByGroups {
    budget: Budget,
}

impl DistinctsByGroups {
    pub(crate) fn new(budget: Budget) -> Self {
        Self { budget }
    }
}

/// Bytes of all tables below, if they are known.
fn input_bytes(plan: &LogicalPlan) -> Result<Option<usize>> {
    let mut sum = Some(0usize);
    plan.apply(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            let statistics = source_as_provider(&scan.source)
                .ok()
                .and_then(|provider| provider.statistics());
            let bytes =
                statistics.and_then(|statistics| statistics.total_byte_size.get_value().copied());
            sum = sum.zip(bytes).map(|(sum, bytes)| sum.saturating_add(bytes));
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(sum)
}

/// What becomes of an aggregate.
enum Part {
    /// The place of its argument among the distinct ones.
    Distinct(AggregateFunction, usize),
    /// Its place among those that are taken along, and whether none is 0.
    Carried(usize, bool),
}

/// The aggregates in two steps; `None` where one of them cannot be.
struct Steps {
    distinct: Vec<Expr>,
    carried: Vec<Expr>,
    parts: Vec<Part>,
}

impl Steps {
    fn new(aggregates: &[Expr]) -> Result<Option<Self>> {
        let mut steps = Self {
            distinct: Vec::new(),
            carried: Vec::new(),
            parts: Vec::new(),
        };
        for expr in aggregates {
            let Expr::AggregateFunction(aggregate) = expr.clone().unalias() else {
                return Ok(None);
            };
            let AggregateFunctionParams {
                args,
                distinct,
                filter,
                order_by,
                ..
            } = &aggregate.params;
            let name = aggregate.func.name();
            if !order_by.is_empty() || expr.is_volatile() || expr.contains_outer() {
                return Ok(None);
            }
            if !distinct {
                if !CARRIED.contains(&name) {
                    return Ok(None);
                }
                let at = steps.carried.len();
                steps.parts.push(Part::Carried(at, name == "count"));
                let carried = Expr::AggregateFunction(aggregate);
                steps.carried.push(carried.alias(format!("carried_{at}")));
                continue;
            }
            let ([argument], true) = (&args[..], OF_DISTINCT.contains(&name)) else {
                return Ok(None);
            };
            // What a filter leaves out is like NULL, which none of these see.
            let argument = match filter {
                Some(filter) => when((**filter).clone(), argument.clone()).end()?,
                None => argument.clone(),
            };
            let at = steps.distinct.iter().position(|known| *known == argument);
            let at = at.unwrap_or_else(|| {
                steps.distinct.push(argument);
                steps.distinct.len() - 1
            });
            steps.parts.push(Part::Distinct(aggregate, at));
        }
        Ok((!steps.distinct.is_empty()).then_some(steps))
    }
}

fn in_two_steps(aggregate: &Aggregate, steps: Steps) -> Result<LogicalPlan> {
    let keys: Vec<Expr> = aggregate.group_expr.clone();
    let n = keys.len();
    // Names of their own, below: whatever the keys and arguments are, they are columns above.
    let named = |prefix: &str, exprs: &[Expr]| -> Vec<Expr> {
        let exprs = exprs.iter().enumerate();
        exprs
            .map(|(i, expr)| expr.clone().alias(format!("{prefix}_{i}")))
            .collect()
    };
    let mut below = named("key", &keys);
    below.extend(named("distinct", &steps.distinct));
    // All that the carried aggregates look at is needed below, too.
    let mut columns: Vec<Column> = Vec::new();
    let mut carried = Vec::new();
    for expr in &steps.carried {
        let moved = expr.clone().transform_up(|expr| match expr {
            Expr::Column(column) => {
                let known = columns.iter().position(|known| *known == column);
                let at = known.unwrap_or(columns.len());
                let name = format!("column_{at}");
                if known.is_none() {
                    below.push(Expr::Column(column.clone()).alias(name.clone()));
                    columns.push(column);
                }
                Ok(Transformed::yes(Expr::Column(Column::new_unqualified(
                    name,
                ))))
            }
            expr => Ok(Transformed::no(expr)),
        })?;
        carried.push(moved.data);
    }
    let input = LogicalPlanBuilder::from(Arc::clone(&aggregate.input))
        .project(below)?
        .build()?;
    let column = |name: String| Expr::Column(Column::new_unqualified(name));
    let key = |i: usize| column(format!("key_{i}"));
    let keys = || (0..n).map(key);
    let m = steps.distinct.len();
    let mut sets: Vec<Vec<Expr>> = (0..m)
        .map(|i| keys().chain([column(format!("distinct_{i}"))]).collect())
        .collect();
    // With keys, a group that has no other row is in the sets of the distinct values.
    if !carried.is_empty() {
        sets.push(keys().collect());
    }
    let inner = Aggregate::try_new(
        Arc::new(input),
        vec![Expr::GroupingSet(GroupingSet::GroupingSets(sets))],
        carried,
    )?;
    // A bit for each value that is not in the set, the first value's the highest.
    let absent_all = (1u64 << m) - 1;
    let is_set = |present: Option<usize>| -> Result<Expr> {
        let present = present.map_or(0, |i| 1u64 << (m - 1 - i));
        let field = inner
            .schema
            .field_with_unqualified_name(Aggregate::INTERNAL_GROUPING_ID)?;
        let id = ScalarValue::UInt64(Some(absent_all & !present)).cast_to(field.data_type())?;
        Ok(column(Aggregate::INTERNAL_GROUPING_ID.to_owned()).eq(Expr::Literal(id, None)))
    };
    let mut outer = Vec::new();
    for part in &steps.parts {
        outer.push(match part {
            Part::Distinct(aggregate, at) => Expr::AggregateFunction(AggregateFunction::new_udf(
                Arc::clone(&aggregate.func),
                vec![column(format!("distinct_{at}"))],
                false,
                Some(Box::new(is_set(Some(*at))?)),
                vec![],
                aggregate.params.null_treatment,
            )),
            Part::Carried(at, _) => Expr::AggregateFunction(AggregateFunction::new_udf(
                max_udaf(),
                vec![column(format!("carried_{at}"))],
                false,
                Some(Box::new(is_set(None)?)),
                vec![],
                None,
            )),
        });
    }
    let outer: Vec<Expr> = (outer.into_iter().enumerate())
        .map(|(i, expr)| expr.alias(format!("result_{i}")))
        .collect();
    let outer = Aggregate::try_new(
        Arc::new(LogicalPlan::Aggregate(inner)),
        keys().collect(),
        outer,
    )?;
    let mut shown = Vec::new();
    for (i, (qualifier, field)) in aggregate.schema.iter().enumerate() {
        let expr = match i.checked_sub(n) {
            None => key(i),
            Some(at) => {
                let result = col(format!("result_{at}"));
                match steps.parts[at] {
                    Part::Carried(_, true) => coalesce(vec![result, lit(0i64)]),
                    _ => result,
                }
            }
        };
        shown.push(expr.alias_qualified(qualifier.cloned(), field.name()));
    }
    LogicalPlanBuilder::from(LogicalPlan::Aggregate(outer))
        .project(shown)?
        .build()
}

impl OptimizerRule for DistinctsByGroups {
    fn name(&self) -> &str {
        "biotide_distincts_by_groups"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Aggregate(aggregate) = &plan else {
            return Ok(Transformed::no(plan));
        };
        let grouped_otherwise = matches!(aggregate.group_expr[..], [Expr::GroupingSet(_), ..]);
        let steps = match grouped_otherwise {
            true => None,
            false => Steps::new(&aggregate.aggr_expr)?,
        };
        match steps.filter(|steps| steps.distinct.len() < 32) {
            Some(steps) if !self.budget.holds(input_bytes(&aggregate.input)?) => {
                Ok(Transformed::yes(in_two_steps(aggregate, steps)?))
            }
            _ => Ok(Transformed::no(plan)),
        }
    }
}
