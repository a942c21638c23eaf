//! From SQL text to a statement that can be run.

use std::sync::Arc;

use biotide_common::session::QueryLog;
use datafusion::catalog::DynamicFileCatalog;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{LogicalPlan, Statement as LogicalStatement};
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::Statement as SqlStatement;

use super::{Statement, coverage, functions, names, normalize, reset, star, target};
use crate::catalog::StatementFiles;
use crate::context::BiotideContext;
use crate::error::Result;
use crate::mapping::create::{self, MappingStatement};
use crate::mapping::relation::MappingRelations;
use crate::mapping::{lateral, looked_up, meeting, named, renew};

impl BiotideContext {
    /// Plans one statement. Statements that only change the session (`SET`, `CREATE …`) take effect
    /// here; queries and `COPY` run when they are asked for their rows.
    pub async fn sql(&self, sql: &str) -> Result<Statement> {
        if let Some(statement) = create::parse(sql)? {
            return self.mapping_statement(statement).await;
        }
        let (plan, state) = self.planned(sql, self.session().state()).await?;
        self.statement(state, plan).await
    }

    /// The plan of a query, in a state that a statement has.
    pub(crate) async fn plan_query(&self, sql: &str, state: &SessionState) -> Result<LogicalPlan> {
        Ok(self.planned(sql, state.clone()).await?.0)
    }

    /// A plan, and the state that it is to run in.
    async fn planned(&self, sql: &str, state: SessionState) -> Result<(LogicalPlan, SessionState)> {
        let dialect = state.config_options().sql_parser.dialect;
        let mut statement = state.sql_to_statement(sql, &dialect)?;
        let (mut state, files) = self.statement_state(state);
        coverage::resolve(&mut statement)?;
        crate::mapping::coverage::resolve(&mut statement)?;
        functions::resolve(&mut statement, &files, &state).await?;
        normalize::resolve(&mut statement, &files, &state).await?;
        target::resolve(&mut statement)?;
        reset::resolve(&mut statement, &state)?;
        names::resolve(&mut statement, &state).await?;
        // (Their queries are statements of their own: what this one names is nothing to them.)
        if let Some(files) = named::resolve(&mut statement, self, files.state()).await? {
            state.register_relation_planner(Arc::new(MappingRelations {
                context: self.clone(),
                identifiers: self.identifiers()?,
                files,
            }))?;
        }
        if let SqlStatement::CreateExternalTable(_) = &statement {
            // The table outlives the statement: it is made with the session's own state.
            state = self.session().state();
        }
        let plan = star::plan(statement, &state).await;
        let plan = lateral::rewrite(plan.map_err(crate::mapping::coverage::named_column)?)?;
        let mut plan = renew::rewrite(plan, &self.mappings())?;
        if meeting::is_in(&plan)? {
            let identifiers = self.identifiers()?;
            plan = meeting::rewrite(plan, &*identifiers)?;
            plan = looked_up::rewrite(plan, &*identifiers)?;
        }
        Ok((plan, state))
    }

    /// Makes or drops a mapping; the rows are what is known of it.
    async fn mapping_statement(&self, statement: MappingStatement) -> Result<Statement> {
        let mut state = self.session().state();
        let log = self.new_log(false);
        state.config_mut().set_extension(Arc::clone(&log));
        let made = create::run(self, &state, statement).await;
        // (What is wrong with it says to look at the log.)
        if made.is_err()
            && let Err(error) = self.publish(&log)
        {
            log::warn!("{error}");
        }
        let name = made?;
        let sql = "SELECT mapping, identifiers, edges, negated, self_loops, duplicates, rejected, skipped \
                   FROM system.mappings WHERE mapping = ";
        let query = format!("{sql}'{}'", name.unwrap_or_default().replace('\'', "''"));
        let (plan, state) = self.planned(&query, self.session().state()).await?;
        let mut statement = self.statement(state, plan).await?;
        // (What was read, and what was wrong with it, is this statement's.)
        statement.renew(log);
        Ok(statement)
    }

    /// Shows a log in `system.rejects`, and writes it where `rejects` asks for that.
    pub(crate) fn publish(&self, log: &Arc<QueryLog>) -> Result<()> {
        if log.is_empty() {
            return Ok(());
        }
        self.finished.push(Arc::clone(log));
        match self.options().rejects {
            Some(file) => self.finished.write(&file, log),
            None => Ok(()),
        }
    }

    /// The session's state for one statement: files by their path.
    pub(crate) fn statement_state(
        &self,
        mut state: SessionState,
    ) -> (SessionState, Arc<StatementFiles>) {
        let files = Arc::new(StatementFiles::new(state.clone()));
        let catalogs = Arc::clone(state.catalog_list());
        let factory = Arc::clone(&files) as _;
        state.register_catalog_list(Arc::new(DynamicFileCatalog::new(catalogs, factory)));
        (state, files)
    }

    async fn statement(&self, mut state: SessionState, plan: LogicalPlan) -> Result<Statement> {
        let plan = match plan {
            // What changes the session goes to the session.
            plan @ LogicalPlan::Statement(
                LogicalStatement::SetVariable(_)
                | LogicalStatement::ResetVariable(_)
                | LogicalStatement::Prepare(_)
                | LogicalStatement::Execute(_)
                | LogicalStatement::Deallocate(_),
            ) => {
                let done = self.session().execute_logical_plan(plan).await?;
                // (What was prepared holds the mappings of then.)
                renew::rewrite(done.into_parts().1, &self.mappings())?
            }
            plan => plan,
        };
        let mut statement = Statement::new(self.clone(), &mut state, plan);
        if let LogicalPlan::Ddl(_) = &statement.plan {
            let session = SessionContext::new_with_state(statement.state.clone());
            statement.plan = session
                .execute_logical_plan(statement.plan.clone())
                .await?
                .into_parts()
                .1;
        }
        Ok(statement)
    }
}
