//! `normalize('file.tsv', 'rules.yaml')`: a file or table with rules on top of it. The call is replaced by a name of
//! the statement's own, which stands for a view.

use std::ops::ControlFlow;
use std::sync::Arc;

use biotide_common::BiotideError;
use biotide_common::options::BiotideOptions;
use biotide_formats::formats;
use biotide_formats::table::OpenTable;
use datafusion::catalog::TableProvider;
use datafusion::catalog::view::ViewTable;
use datafusion::common::TableReference;
use datafusion::datasource::provider_as_source;
use datafusion::execution::SessionState;
use datafusion::logical_expr::LogicalPlanBuilder;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, TableFactor, TableFunctionArgs, VisitorMut,
};

use super::functions::{called, literals, set_option, shown, stand_in};
use super::names::visit;
use crate::catalog::StatementFiles;
use crate::error::Result;
use crate::normalize::Rules;
use crate::resumable::FilesBeside;

/// How it is called.
pub(crate) const SYNTAX: &str = "normalize('path-or-glob', 'rules.yaml', option => value, …)";

/// A call that was found.
struct Call {
    /// The name that stands for it from now on.
    name: String,
    source: Source,
    rules: String,
}

enum Source {
    /// A path, with options.
    File(Box<OpenTable>, bool),
    Table(TableReference),
}

/// Makes views of the calls of a statement.
pub(super) async fn resolve(
    statement: &mut Statement,
    files: &StatementFiles,
    state: &SessionState,
) -> Result<()> {
    let mut finder = Finder { calls: Vec::new() };
    visit(statement, &mut finder)?;
    for call in finder.calls {
        let rules = Rules::open(&call.rules)?;
        FilesBeside::note(state, &call.rules);
        let table = call.source.table(files, state).await?;
        let scan = LogicalPlanBuilder::scan("row", provider_as_source(table), None)?;
        let plan = rules.apply(scan.build()?, state)?;
        files.insert(call.name, Arc::new(ViewTable::new(plan, None)));
    }
    Ok(())
}

impl Source {
    async fn table(
        self,
        files: &StatementFiles,
        state: &SessionState,
    ) -> Result<Arc<dyn TableProvider>> {
        let missing =
            |name: String| BiotideError::file(name, "there is no such file, and no such table");
        match self {
            Self::File(open, true) => Ok(open.open(state).await?),
            Self::File(open, false) => {
                let path = open.locations.first().cloned().unwrap_or_default();
                Ok(files.table(&path).await?.ok_or_else(|| missing(path))?)
            }
            Self::Table(name) => {
                let schema = state.schema_for_ref(name.clone())?;
                let table = schema.table(name.table()).await?;
                Ok(table.ok_or_else(|| missing(name.to_string()))?)
            }
        }
    }
}

struct Finder {
    calls: Vec<Call>,
}

impl VisitorMut for Finder {
    type Break = BiotideError;

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<BiotideError> {
        let TableFactor::Table { name, args, .. } = factor else {
            return ControlFlow::Continue(());
        };
        let is_ours = called(name) == "normalize";
        let Some(given) = args.as_ref().filter(|_| is_ours) else {
            return ControlFlow::Continue(());
        };
        match parse(given) {
            Ok(call) => {
                stand_in(name, args, &call.name);
                self.calls.push(call);
                ControlFlow::Continue(())
            }
            Err(error) => ControlFlow::Break(error),
        }
    }
}

fn parse(given: &TableFunctionArgs) -> Result<Call, BiotideError> {
    let shown = shown(given);
    let wanted = || BiotideError::Option {
        key: "normalize(…)".to_owned(),
        value: shown.clone(),
        problem: format!("is not what it takes: {SYNTAX}"),
    };
    let (mut positional, mut options) = (Vec::new(), BiotideOptions::default());
    let mut has_options = false;
    for arg in &given.args {
        match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => positional.push(expr),
            FunctionArg::Named {
                name,
                arg: FunctionArgExpr::Expr(expr),
                ..
            } => {
                set_option(&mut options, &name.value, expr).ok_or_else(wanted)??;
                has_options = true;
            }
            _ => return Err(wanted()),
        }
    }
    let [source, rules] = positional.as_slice() else {
        return Err(wanted());
    };
    let one = |expr: &Expr| literals(expr).and_then(|mut texts| texts.pop());
    let source = match source {
        Expr::Identifier(name) if !has_options => {
            Source::Table(TableReference::from(name.to_string()))
        }
        Expr::CompoundIdentifier(names) if !has_options => {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            Source::Table(TableReference::from(names.join(".")))
        }
        path => {
            let path = one(path).ok_or_else(wanted)?;
            let mut open = OpenTable::new(&path);
            if has_options {
                let format = formats::by_path(&path).map_or("tsv", |format| format.name());
                open.format = Some(format.to_owned());
            }
            open.options = options;
            Source::File(Box::new(open), has_options)
        }
    };
    let rules = one(rules).ok_or_else(wanted)?;
    Ok(Call {
        name: format!("normalize({shown})"),
        source,
        rules,
    })
}
