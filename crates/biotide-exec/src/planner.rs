//! Physical plans of our logical nodes: one line each.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion_common::{Result, internal_err};
use datafusion_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion_expr::{LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore};
use datafusion_physical_plan::ExecutionPlan;
use datafusion_session::{ExtensionPlanner, PhysicalPlanner, Session};

use crate::chain::{ChainExec, ChainNode};
use crate::clique::{CliqueExec, CliqueNode};
use crate::concat::{ConcatExec, ConcatNode};
use crate::xref::{XrefExec, XrefNode};

/// Plans the nodes of this crate.
#[derive(Debug, Default)]
pub struct NodePlanner;

#[async_trait]
impl ExtensionPlanner for NodePlanner {
    async fn plan_extension(
        &self,
        planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        physical_inputs: &[Arc<dyn ExecutionPlan>],
        session: &dyn Session,
        planning_ctx: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let input = || match physical_inputs {
            [input] => Ok(Arc::clone(input)),
            _ => internal_err!("{} has one input", node.name()),
        };
        let node = node.as_any();
        if let Some(node) = node.downcast_ref::<XrefNode>() {
            let schema = node.input.schema();
            let id = planner.create_physical_expr(&node.id, schema, session, planning_ctx)?;
            return Ok(Some(Arc::new(XrefExec::try_new(
                input()?,
                id,
                Arc::clone(&node.spec),
            )?)));
        }
        if let Some(node) = node.downcast_ref::<ChainNode>() {
            return Ok(Some(Arc::new(ChainExec::new(Arc::clone(&node.spec)))));
        }
        if let Some(node) = node.downcast_ref::<CliqueNode>() {
            return Ok(Some(Arc::new(CliqueExec::new(
                input()?,
                Arc::clone(&node.spec),
            ))));
        }
        if let Some(node) = node.downcast_ref::<ConcatNode>() {
            let schema = Arc::clone(UserDefinedLogicalNodeCore::schema(node).inner());
            let inputs = physical_inputs.to_vec();
            return Ok(Some(Arc::new(ConcatExec::new(inputs, schema))));
        }
        Ok(None)
    }
}
