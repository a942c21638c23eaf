//! What a query would reserve, and what the limit made of its plan: the `memory` row of `EXPLAIN`.

use std::any::Any;
use std::sync::Arc;

use arrow::array::{RecordBatch, StringArray};
use arrow::datatypes::SchemaRef;
use biotide_common::format_size;
use biotide_formats::text::TextSource;
use datafusion::common::Result;
use datafusion::config::ConfigOptions;
use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::sink::DataSinkExec;
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::joins::{
    CrossJoinExec, HashJoinExec, NestedLoopJoinExec, SortMergeJoinExec,
};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;

use super::budget::Budget;
use super::joins::held_bytes;
use super::report::MemoryReport;
use super::unnest::FewElementsExec;
use super::windows::WindowByPartitionExec;

/// Says for each operator of a plan that holds rows how many, and what it does when that is too much.
pub(crate) fn describe(
    plan: &Arc<dyn ExecutionPlan>,
    budget: Budget,
    options: &ConfigOptions,
) -> Result<String> {
    let execution = &options.execution;
    let mut lines = vec![format!(
        "limit {}: {} for data, {} for operators that spill; {} partitions at work, batches of {} rows",
        format_size(budget.limit as u64),
        format_size(budget.pool as u64),
        format_size(budget.for_spillers() as u64),
        budget.partitions,
        execution.batch_size,
    )];
    add(plan, budget, execution.batch_size.into(), &mut lines)?;
    Ok(lines.join("\n"))
}

fn add(
    plan: &Arc<dyn ExecutionPlan>,
    budget: Budget,
    batch_size: usize,
    lines: &mut Vec<String>,
) -> Result<()> {
    if let Some(what) = holds(plan, budget, batch_size)? {
        lines.push(format!("{}: {what}", plan.name()));
    }
    for child in plan.children() {
        add(child, budget, batch_size, lines)?;
    }
    Ok(())
}

fn holds(
    plan: &Arc<dyn ExecutionPlan>,
    budget: Budget,
    batch_size: usize,
) -> Result<Option<String>> {
    let estimate = |input: &Arc<dyn ExecutionPlan>| {
        let bytes = held_bytes(input)?.map(|bytes| format_size(bytes as u64));
        Ok::<_, datafusion::common::DataFusionError>(match bytes {
            Some(bytes) => format!("taken to be {bytes}"),
            None => "of unknown size".to_owned(),
        })
    };
    let most = format_size(budget.held() as u64);
    Ok(Some(
        if let Some(exec) = plan.downcast_ref::<DataSourceExec>() {
            return Ok(reads(exec, batch_size));
        } else if let Some(sort) = plan.downcast_ref::<SortExec>() {
            match sort.fetch() {
                Some(rows) => format!("holds the first {rows} rows; cannot spill"),
                None => format!("holds its input, {}; spills", estimate(sort.input())?),
            }
        } else if let Some(aggregate) = plan.downcast_ref::<AggregateExec>() {
            if aggregate.group_expr().is_empty() {
                return Ok(None);
            }
            match aggregate.mode() {
                AggregateMode::Partial => "holds groups; hands them on early".to_owned(),
                _ => "holds groups; spills".to_owned(),
            }
        } else if let Some(join) = plan.downcast_ref::<HashJoinExec>() {
            let build = estimate(join.left())?;
            format!("holds its left side, {build}, of {most} that are allowed; cannot spill")
        } else if let Some(join) = plan.downcast_ref::<SortMergeJoinExec>() {
            let build = estimate(join.children()[0])?;
            format!(
                "sorted sides in place of a hash table of the left one, {build}, where {most} are allowed; spills"
            )
        } else if let Some(join) = plan.downcast_ref::<NestedLoopJoinExec>() {
            let build = estimate(join.children()[0])?;
            format!("holds its left side, {build}; spills")
        } else if let Some(join) = plan.downcast_ref::<CrossJoinExec>() {
            let build = estimate(join.children()[0])?;
            format!("holds its left side, {build}; cannot spill")
        } else if let Some(window) = plan.downcast_ref::<WindowByPartitionExec>() {
            let input = estimate(window.children()[0])?;
            match window.is_partitioned() {
                true => {
                    format!("holds one partition at a time of its input, {input}; cannot spill")
                }
                false => format!("holds its input, {input}; cannot spill"),
            }
        } else if plan.downcast_ref::<FewElementsExec>().is_some() {
            "hands on few rows where lists are long".to_owned()
        } else if plan.downcast_ref::<RepartitionExec>().is_some() {
            "batches on their way; spills".to_owned()
        } else if plan.downcast_ref::<DataSinkExec>().is_some() {
            "what is encoded and not yet written; cannot spill".to_owned()
        } else {
            return Ok(None);
        },
    ))
}

/// What a reader of text would reserve.
fn reads(exec: &DataSourceExec, batch_size: usize) -> Option<String> {
    let config = exec.data_source().downcast_ref::<FileScanConfig>()?;
    let source: &dyn Any = &**config.file_source();
    let reading = source
        .downcast_ref::<TextSource>()?
        .would_reserve(config, batch_size)?;
    Some(format!(
        "reads units of {}, {} reserved a file, {} files at a time; waits, then is content with smaller ones",
        format_size(reading.unit_bytes),
        format_size(reading.bytes),
        reading.files
    ))
}

/// What a run held.
pub(crate) fn held(report: &MemoryReport, peak_rss: u64) -> String {
    format!(
        "limit {}, {} for data\npeak of the process {}, of what was reserved {}; {} reservations refused\n\
         {} spilled in {} files\nreaders' units {}",
        format_size(report.limit),
        format_size(report.pool),
        format_size(peak_rss),
        format_size(report.pool_peak),
        report.refused,
        format_size(report.spilled_bytes),
        report.spilled_files,
        report.reading,
    )
}

/// A row of `EXPLAIN`.
pub(crate) fn row(schema: SchemaRef, text: String) -> Result<RecordBatch> {
    let kind = Arc::new(StringArray::from(vec!["memory"]));
    let text = Arc::new(StringArray::from(vec![text]));
    Ok(RecordBatch::try_new(schema, vec![kind, text])?)
}
