//! `sql`: a query over the datasets.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    Query, Select, SetExpr, Statement as SqlStatement, TableFactor, Visit, Visitor,
};

use super::super::actions::Params;
use super::super::spec::{did_you_mean, list};
use super::read::file_readers;
use super::scope::refused;
use super::{Made, Scope, planned};
use crate::error::Result;

/// `sql`.
pub(super) async fn sql(scope: &Scope, params: &Params) -> Result<Made> {
    let text = params.needed("query")?;
    let dialect = scope.state.config_options().sql_parser.dialect;
    let statement = scope.state.sql_to_statement(text, &dialect)?;
    let query = query_of(&statement).map_err(|what| {
        let problem = format!("{what}: a step is the rows of one SELECT (or WITH, VALUES)");
        refused(params, "query", problem)
    })?;
    let mut state = scope.state.clone();
    let readers = Arc::new(file_readers(scope)?);
    state.config_mut().set_extension(readers);
    match scope.context.plan_query(text, &state).await {
        Ok(plan) => {
            refuse_shared_names(params, &plan)?;
            Ok(Made::Plan(Box::new(plan)))
        }
        Err(error) => match unknown(scope, query) {
            Some(name) => {
                let hint = did_you_mean(&name, scope.keys().collect::<Vec<_>>());
                let problem = format!("no step before makes a dataset '{name}'; {hint}");
                Err(refused(params, "query", problem))
            }
            None => Err(planned::told(scope, error)),
        },
    }
}

/// Refuses names that several columns have: the engine tells those by their tables, which later steps know nothing of.
fn refuse_shared_names(params: &Params, plan: &LogicalPlan) -> Result<()> {
    let (mut known, mut shared) = (HashSet::new(), Vec::new());
    for field in plan.schema().fields() {
        let name = field.name().as_str();
        if !known.insert(name) && !shared.contains(&name) {
            shared.push(name);
        }
    }
    if shared.is_empty() {
        return Ok(());
    }
    let problem = format!(
        "several of its columns are called {}: give each a name of its own, with AS",
        list(shared)
    );
    Err(refused(params, "query", problem))
}

/// The query that a statement is, or what else it is: what is run for what it does has no rows that a step could be.
fn query_of(statement: &Statement) -> std::result::Result<&Query, &'static str> {
    match statement {
        Statement::Statement(sql) => match &**sql {
            SqlStatement::Query(query) if changes(query) => Err("it changes tables"),
            SqlStatement::Query(query) => Ok(query),
            _ => Err("it is no query"),
        },
        Statement::CopyTo(_) => Err("it is a COPY, and it is the action sink that writes"),
        _ => Err("it is no query"),
    }
}

/// Whether a query does something besides: `WITH … INSERT`, `SELECT … INTO`.
fn changes(query: &Query) -> bool {
    struct Changes;
    impl Visitor for Changes {
        type Break = ();

        fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
            match &*query.body {
                SetExpr::Insert(_)
                | SetExpr::Update(_)
                | SetExpr::Delete(_)
                | SetExpr::Merge(_) => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        }

        fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
            match select.into {
                Some(_) => ControlFlow::Break(()),
                None => ControlFlow::Continue(()),
            }
        }
    }
    query.visit(&mut Changes).is_break()
}

/// A table of one word that is neither a dataset nor a file, nor one of the query's own.
fn unknown(scope: &Scope, query: &Query) -> Option<String> {
    #[derive(Default)]
    struct Tables {
        named: Vec<String>,
        own: Vec<String>,
    }
    impl Visitor for Tables {
        type Break = ();

        fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
            let with = query.with.iter().flat_map(|with| &with.cte_tables);
            self.own
                .extend(with.map(|cte| cte.alias.name.value.to_lowercase()));
            ControlFlow::Continue(())
        }

        fn pre_visit_table_factor(&mut self, table: &TableFactor) -> ControlFlow<()> {
            if let TableFactor::Table {
                name, args: None, ..
            } = table
                && let [part] = name.0.as_slice()
                && let Some(word) = part.as_ident()
            {
                self.named.push(match word.quote_style {
                    Some(_) => word.value.clone(),
                    None => word.value.to_lowercase(),
                });
            }
            ControlFlow::Continue(())
        }
    }
    let mut tables = Tables::default();
    // (It is broken off by nothing.)
    let _ = query.visit(&mut tables);
    let is_file =
        |name: &str| name.contains(['.', '/', ':']) || std::path::Path::new(name).exists();
    let Tables { named, own } = tables;
    named.into_iter().find(|name| {
        scope.dataset(name).is_none() && !own.contains(&name.to_lowercase()) && !is_file(name)
    })
}
