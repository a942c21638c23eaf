//! What a session does differently where memory is short.

use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::config::{ConfigOptions, MaxRowGroupBytes};
use datafusion::logical_expr::LogicalPlan;
use datafusion::optimizer::OptimizerRule;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;

use super::budget::Budget;
use super::distincts::DistinctsByGroups;
use super::joins::JoinsThatSpill;
use super::unnest::UnnestFewAtATime;
use super::windows::WindowsByPartition;
use crate::statement::KeptOrder;

const MIB: usize = 1 << 20;

/// Below this even one row group of a file could be too much.
const LITTLE: usize = 64 * MIB;

/// Rows of a Parquet row group, where nothing says otherwise.
pub(crate) const ROW_GROUP_ROWS: usize = 1_000_000;

/// Below this so is what zstd takes at its usual level: 4 MiB, at most times, of memory that nobody counts.
const TINY: usize = 24 * MIB;

/// What a spilled run has in memory while it is merged, with rows that are not too wide.
const RUN: usize = 2 * MIB;

/// Of the pool, as a divisor, one batch may take so much.
const WIDE: usize = 16;

/// Bytes of a value, about.
const VALUE: usize = 16;

/// Rows of a batch in any case.
const LEAST_ROWS: usize = 16;

/// Rows of a batch: many operators, merges above all, hold several batches that nobody counts.
pub(crate) fn batch_size(budget: Budget) -> usize {
    match budget.pool / MIB {
        0..24 => 512,
        24..64 => 1024,
        64..96 => 2048,
        96..192 => 4096,
        _ => 8192,
    }
}

/// Rows of a batch where wide rows are sorted, joined or put together: for each column operators make room for a whole
/// batch, however few rows there are.
pub(crate) fn batch_size_of(plan: &LogicalPlan, budget: Budget, batch_size: usize) -> usize {
    let mut columns = 0;
    // (Nothing fails here.)
    let _ = plan.apply_with_subqueries(|plan| {
        if let LogicalPlan::Sort(_)
        | LogicalPlan::Join(_)
        | LogicalPlan::Window(_)
        | LogicalPlan::Aggregate(_)
        | LogicalPlan::Distinct(_)
        | LogicalPlan::Unnest(_) = plan
        {
            columns = columns.max(plan.schema().fields().len());
        }
        Ok(TreeNodeRecursion::Continue)
    });
    let values = budget.pool / WIDE / VALUE;
    batch_size.min((values / columns.max(1)).max(LEAST_ROWS))
}

/// Spilled runs that are merged at a time: each has batches in memory, and too many leave nothing to others.
pub(crate) fn merged_runs(budget: Budget) -> usize {
    (budget.pool / (RUN * budget.partitions)).clamp(4, 128)
}

/// Our rules for logical plans; they come after DataFusion's.
pub(crate) fn logical_rules(budget: Budget) -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    vec![Arc::new(DistinctsByGroups::new(budget))]
}

/// DataFusion's rules, and ours where they belong among them.
pub(crate) fn physical_rules(budget: Budget) -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    let mut rules = PhysicalOptimizer::new().rules;
    // After the sides of joins are chosen, before what they require of their inputs is added.
    let at = rules
        .iter()
        .position(|rule| rule.name() == "join_selection");
    let at = at.map_or(0, |at| at + 1);
    rules.insert(at, Arc::new(JoinsThatSpill::new(budget)));
    // After what the whole plan requires, which is not added to a plan that requires anything already.
    let at = rules
        .iter()
        .position(|rule| rule.name() == "OutputRequirements");
    rules.insert(at.map_or(0, |at| at + 1), Arc::new(KeptOrder));
    // Nothing moves their nodes any more.
    rules.push(Arc::new(WindowsByPartition));
    rules.push(Arc::new(UnnestFewAtATime));
    rules
}

/// The rules of a session, ours made anew for another budget.
pub(crate) fn logical_rules_for(
    budget: Budget,
    rules: &[Arc<dyn OptimizerRule + Send + Sync>],
) -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    let own = logical_rules(budget);
    let renewed = |rule: &Arc<dyn OptimizerRule + Send + Sync>| {
        let own = own.iter().find(|own| own.name() == rule.name());
        Arc::clone(own.unwrap_or(rule))
    };
    rules.iter().map(renewed).collect()
}

/// The rules of a session, ours made anew for another budget.
pub(crate) fn physical_rules_for(
    budget: Budget,
    rules: &[Arc<dyn PhysicalOptimizerRule + Send + Sync>],
) -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    let joins: Arc<dyn PhysicalOptimizerRule + Send + Sync> = Arc::new(JoinsThatSpill::new(budget));
    let renewed = |rule: &Arc<dyn PhysicalOptimizerRule + Send + Sync>| match rule.name() {
        name if name == joins.name() => Arc::clone(&joins),
        _ => Arc::clone(rule),
    };
    rules.iter().map(renewed).collect()
}

/// The options of a session that was told nothing.
pub(crate) fn options(budget: Budget) -> ConfigOptions {
    let mut options = ConfigOptions::new();
    apply(budget, &mut options);
    options
}

/// DataFusion's options. What a user sets comes later, and wins.
pub(crate) fn apply(budget: Budget, options: &mut ConfigOptions) {
    let execution = &mut options.execution;
    // Each sort keeps so much for the merge at its end, whether it spills or not.
    let share = budget.pool / (8 * budget.partitions);
    execution.sort_spill_reservation_bytes = share.clamp(MIB, 10 * MIB);
    // A row group lies in memory, encoded, until it is complete.
    let parquet = &mut execution.parquet;
    parquet.max_row_group_size = ROW_GROUP_ROWS;
    if budget.pool < LITTLE {
        // Bytes are only looked at where one task writes all columns.
        parquet.allow_single_file_parallelism = false;
        parquet.max_row_group_bytes = MaxRowGroupBytes::try_new(budget.pool / 8).ok();
        if budget.pool < TINY {
            parquet.compression = Some("zstd(1)".to_owned());
        }
        // Each column has a page and a dictionary that grow.
        parquet.data_pagesize_limit = 128 << 10;
        parquet.dictionary_page_size_limit = 128 << 10;
    }
}
