//! DataFusion's planner of physical plans, with our nodes.

use std::sync::Arc;

use async_trait::async_trait;
use biotide_exec::planner::NodePlanner;
use datafusion::catalog::Session;
use datafusion::common::Result;
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner};

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
        let planner = DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(NodePlanner)]);
        planner.create_physical_plan(plan, session).await
    }
}
