//! SQL over a plan.

use std::sync::Arc;

use datafusion::catalog::view::ViewTable;
use datafusion::logical_expr::LogicalPlan;

use super::Scope;
use crate::error::Result;

/// A query of ours over the rows of a plan, which it calls `table`.
pub(super) async fn over(
    scope: &Scope,
    plan: LogicalPlan,
    table: &str,
    sql: &str,
) -> Result<LogicalPlan> {
    let session = scope.session();
    session.register_table(table, Arc::new(ViewTable::new(plan, None)))?;
    let planned = scope.plan_with_lambdas(sql).await;
    session.deregister_table(table)?;
    planned
}
