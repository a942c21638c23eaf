//! DataFusion's planner of physical plans, with our nodes.

use std::sync::Arc;

use async_trait::async_trait;
use biotide_exec::planner::NodePlanner;
use biotide_stream::ProcessorNode;
use datafusion::catalog::Session;
use datafusion::common::{Result, internal_err};
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{LogicalPlan, UserDefinedLogicalNode};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, ExtensionPlanner, PhysicalPlanner};

use crate::mapping::told::ToldNode;
use crate::mapping::told_exec::ToldExec;
use crate::pipeline::measure::{StepExec, StepNode};
use crate::pipeline::sift::{SiftExec, SiftNode};

/// Plans what DataFusion knows, and our nodes.
#[derive(Debug, Default)]
pub(crate) struct BiotidePlanner;

#[async_trait]
impl QueryPlanner for BiotidePlanner {
    async fn create_physical_plan(
        &self,
        plan: &LogicalPlan,
        session: &dyn Session,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let planner = DefaultPhysicalPlanner::with_extension_planners(vec![
            Arc::new(NodePlanner),
            Arc::new(StepPlanner),
        ]);
        planner.create_physical_plan(plan, session).await
    }
}

/// Plans steps of pipelines, and processors.
struct StepPlanner;

#[async_trait]
impl ExtensionPlanner for StepPlanner {
    async fn plan_extension(
        &self,
        _planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        physical_inputs: &[Arc<dyn ExecutionPlan>],
        _session: &dyn Session,
        _planning_ctx: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let input = || match physical_inputs {
            [input] => Ok(Arc::clone(input)),
            _ => internal_err!("{} has one input", node.name()),
        };
        let node = node.as_any();
        if let Some(node) = node.downcast_ref::<ToldNode>() {
            let exec = ToldExec::try_new(input()?, node.told.clone())?;
            return Ok(Some(Arc::new(exec)));
        }
        if let Some(step) = node.downcast_ref::<StepNode>() {
            let exec = StepExec::new(input()?, step);
            return Ok(Some(Arc::new(exec)));
        }
        if let Some(sift) = node.downcast_ref::<SiftNode>() {
            let exec = SiftExec::new(input()?, sift.column.clone(), sift.flawed);
            return Ok(Some(Arc::new(exec)));
        }
        if let Some(processors) = node.downcast_ref::<ProcessorNode>() {
            return Ok(Some(Arc::new(processors.physical(input()?)?)));
        }
        Ok(None)
    }
}
