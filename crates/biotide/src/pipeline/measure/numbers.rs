//! What the steps of a plan have done.

use std::sync::Arc;

use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::EvaluationType;
use serde::Serialize;

use super::exec::{Counts, StepExec};

/// What a step has done, of all uses of its dataset in one plan.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct StepNumbers {
    /// Its name.
    pub step: String,
    /// Rows that it gave to the steps after it, in the plan that ran. That is not what it would give by itself: columns,
    /// conditions and limits of later steps are applied as early as they can be, in the reader of a file if that is
    /// possible, and a step has only those rows to give that they left. So a `load`, a `validate` that keeps all and the
    /// `filter` after them may all have the same number, that of the rows which the condition holds for. Rows of all
    /// uses of a step are added up. (How many rows readers have found is told by the sink's `scan`: `delivered`; how
    /// many a check has looked at by its own `rows`.)
    pub rows: u64,
    /// Batches that it gave.
    pub batches: u64,
    /// From when its batches were asked for until they were there, less what the steps before it took. Partitions
    /// are added up, so it may be more than the time that passed; what works ahead in tasks of its own is seen only
    /// where it is waited for.
    pub seconds: f64,
    /// Rows a second of these.
    pub rows_per_second: f64,
    /// What a batch took of these, in milliseconds.
    pub mean_batch_ms: f64,
}

impl StepNumbers {
    fn add(&mut self, counts: Counts, seconds: f64) {
        self.rows += counts.rows;
        self.batches += counts.batches;
        self.seconds += seconds;
        let rate = |n: f64, of: f64| if of > 0.0 { n / of } else { 0.0 };
        self.rows_per_second = rate(self.rows as f64, self.seconds);
        self.mean_batch_ms = rate(self.seconds * 1e3, self.batches as f64);
    }
}

/// What the steps of a plan have done until now, in the order in which rows flow.
pub(crate) fn of(plan: &Arc<dyn ExecutionPlan>) -> Vec<StepNumbers> {
    let mut found = Vec::new();
    gather(plan, &mut found);
    found
}

/// Adds the steps of a plan. Gives the seconds, of those that come first from above, that are within the time of who
/// asks for the plan's rows.
fn gather(plan: &Arc<dyn ExecutionPlan>, found: &mut Vec<StepNumbers>) -> f64 {
    let children = plan.children().into_iter();
    let below: f64 = children.map(|child| gather(child, found)).sum();
    let Some(exec) = plan.downcast_ref::<StepExec>() else {
        // (What reads its input in tasks of its own is waited for, not they.)
        let is_eager = plan.properties().evaluation_type == EvaluationType::Eager;
        return if is_eager { 0.0 } else { below };
    };
    let counts = exec.counts();
    let seconds = (counts.seconds - below).max(0.0);
    match found.iter_mut().find(|known| known.step == exec.step()) {
        Some(known) => known.add(counts, seconds),
        None => {
            let mut numbers = StepNumbers {
                step: exec.step().to_owned(),
                ..StepNumbers::default()
            };
            numbers.add(counts, seconds);
            found.push(numbers);
        }
    }
    counts.seconds
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{Int64Array, RecordBatch};
    use datafusion::common::DataFusionError;
    use datafusion::datasource::{MemTable, provider_as_source};
    use datafusion::execution::TaskContext;
    use datafusion::logical_expr::{Extension, LogicalPlan, LogicalPlanBuilder, col, lit};
    use datafusion::physical_plan::{collect, displayable};
    use datafusion::prelude::SessionContext;

    use super::super::{StepInfo, StepNode, is_placed};
    use super::*;
    use crate::context::BiotideContext;

    fn step(name: &str, input: LogicalPlan) -> LogicalPlan {
        let info = StepInfo {
            name: name.to_owned(),
            place: format!("p.yaml, step {name}"),
            made_with: String::new(),
        };
        LogicalPlan::Extension(Extension {
            node: Arc::new(StepNode::new(input, info)),
        })
    }

    fn session() -> SessionContext {
        let context = BiotideContext::builder().threads(3).build().unwrap();
        context.session().clone()
    }

    fn rows() -> LogicalPlan {
        let n = Int64Array::from_iter_values(0..100);
        let batch =
            RecordBatch::try_from_iter([("n", Arc::new(n.clone()) as _), ("m", Arc::new(n) as _)])
                .unwrap();
        let table = MemTable::try_new(batch.schema(), vec![vec![batch]]);
        let source = provider_as_source(Arc::new(table.unwrap()));
        let scan = LogicalPlanBuilder::scan("rows", source, None).unwrap();
        scan.build().unwrap()
    }

    async fn physical(plan: &LogicalPlan) -> Arc<dyn ExecutionPlan> {
        session().state().create_physical_plan(plan).await.unwrap()
    }

    #[tokio::test]
    async fn steps_come_as_rows_flow_and_are_one_by_their_name() {
        let load = step("load", rows());
        let both = LogicalPlanBuilder::from(load.clone())
            .union(load)
            .unwrap()
            .filter(col("n").lt(lit(10_i64)).or(col("n").eq(col("m"))))
            .unwrap();
        let plan = physical(&step("both", both.build().unwrap())).await;
        assert!(
            of(&plan).iter().all(|step| step.rows == 0),
            "not before it runs"
        );
        collect(Arc::clone(&plan), Arc::new(TaskContext::default()))
            .await
            .unwrap();
        let numbers = of(&plan);
        let shown: Vec<(&str, u64)> = numbers
            .iter()
            .map(|it| (it.step.as_str(), it.rows))
            .collect();
        assert_eq!(shown, [("load", 200), ("both", 200)]);
        assert!(
            numbers
                .iter()
                .all(|it| it.seconds >= 0.0 && it.batches >= 2)
        );
        let json = serde_json::to_value(&numbers[0]).unwrap();
        assert_eq!(json["rows"], 200);
    }

    #[tokio::test]
    async fn columns_and_limits_move_through() {
        let some = LogicalPlanBuilder::from(step("a", step("b", rows())))
            .project([col("m")])
            .unwrap()
            .limit(0, Some(3))
            .unwrap();
        let plan = physical(&some.build().unwrap()).await;
        let shown = displayable(&*plan).indent(false).to_string();
        assert!(
            shown.contains("StepExec: a") && shown.contains("StepExec: b"),
            "{shown}"
        );
        let last = shown.trim_end().lines().last().unwrap();
        assert!(last.contains("fetch=3"), "{shown}");
        let columns = |plan: &Arc<dyn ExecutionPlan>| plan.schema().fields().len();
        let mut below = &plan;
        loop {
            assert_eq!(columns(below), 1, "{shown}");
            let Some(&child) = below.children().first() else {
                break;
            };
            below = child;
        }
    }

    #[tokio::test]
    async fn an_error_has_the_place_of_its_step() {
        let divided = LogicalPlanBuilder::from(step("load", rows()))
            .project([(lit(1_i64) / col("n")).alias("x")])
            .unwrap();
        let plan = step("after", step("divide", divided.build().unwrap()));
        let plan = physical(&plan).await;
        let error = collect(plan, Arc::new(TaskContext::default())).await;
        let error = error.unwrap_err();
        assert!(is_placed(&error));
        let shown = error.to_string();
        assert!(shown.contains("p.yaml, step divide: "), "{shown}");
        assert!(!shown.contains("step after"), "{shown}");
        assert!(!is_placed(&DataFusionError::Plan("p.yaml".to_owned())));
    }

    #[test]
    fn rates_are_of_all_that_was_added() {
        let mut numbers = StepNumbers::default();
        let counts = Counts {
            rows: 10,
            batches: 2,
            seconds: 9.0,
        };
        numbers.add(counts, 0.5);
        numbers.add(counts, 1.5);
        assert_eq!((numbers.rows, numbers.batches), (20, 4));
        assert_eq!(numbers.seconds, 2.0);
        assert_eq!(
            (numbers.rows_per_second, numbers.mean_batch_ms),
            (10.0, 500.0)
        );
    }
}
