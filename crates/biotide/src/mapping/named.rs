//! The mappings that a statement names: of the session, or files. A file is opened before planning, which is not
//! asynchronous, and read when the statement runs.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use biotide_common::BiotideError;
use biotide_common::nearest::did_you_mean;
use biotide_exec::catalog::{Mapping, is_stored};
use datafusion::execution::SessionState;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, ObjectName, TableFactor, VisitorMut,
};

use super::declared::unite;
use super::loader::{EdgePlan, PlanLoader, StoredLoader, plans, united};
use super::source::{is_path, of_path, of_paths};
use super::tables::check_stored;
use crate::context::BiotideContext;
use crate::error::Result;
use crate::statement::functions::{called, literals};
use crate::statement::names::visit;

/// Relations that need a mapping, and which of their arguments it is.
const RELATIONS: [(&str, usize); 4] = [
    ("xref", 1),
    ("chain_infer", 0),
    ("mapping_edges", 0),
    ("clique_assign", 0),
];

/// The mappings of one statement that are files.
#[derive(Debug, Default)]
pub(crate) struct FileMappings {
    pub(super) mappings: BTreeMap<String, Arc<Mapping>>,
    /// Statements of files for `clique_assign`, and what they are from.
    pub(super) edges: BTreeMap<String, EdgePlan>,
}

/// A relation, if it is one of ours: its name, and its arguments.
pub(super) fn relation(factor: &TableFactor) -> Option<(String, &[FunctionArg])> {
    let (name, args): (&ObjectName, &[FunctionArg]) = match factor {
        TableFactor::Table {
            name,
            args: Some(args),
            ..
        } => (name, &args.args),
        TableFactor::Function { name, args, .. } => (name, args),
        _ => return None,
    };
    let name = called(name);
    RELATIONS
        .iter()
        .any(|(own, _)| *own == name)
        .then_some((name, args))
}

/// The name or path of the mapping of a relation.
pub(super) fn mapping_of(name: &str, args: &[FunctionArg]) -> Option<String> {
    let (_, place) = RELATIONS.iter().find(|(own, _)| *own == name)?;
    let positional = args.iter().filter_map(|arg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    });
    let expr: &Expr = positional.into_iter().nth(*place)?;
    literals(expr)?.pop()
}

/// Opens the files that a statement names as mappings. Nothing, if it has no relation of ours.
pub(crate) async fn resolve(
    statement: &mut Statement,
    context: &BiotideContext,
    state: &SessionState,
) -> Result<Option<FileMappings>> {
    let mut finder = Finder { found: Vec::new() };
    visit(statement, &mut finder)?;
    if finder.found.is_empty() {
        return Ok(None);
    }
    let mut files = FileMappings::default();
    for (relation, name) in finder.found {
        let Some(name) = name else { continue };
        let known = context.mappings().get(&name).is_some();
        let is_clique = relation == "clique_assign";
        if known || files.mappings.contains_key(&name) && !is_clique {
            continue;
        }
        let path = Path::new(&name);
        if path.is_file() && is_stored(path) {
            let loader = StoredLoader {
                path: path.to_owned(),
                made_from: Vec::new(),
            };
            let mapping = Arc::new(loader.mapping(&name).await?);
            files.mappings.insert(name.clone(), mapping);
            continue;
        }
        if !is_path(&name) && !path.exists() {
            return Err(missing(context, &name).into());
        }
        check_stored(&name)?;
        let parts = match is_clique {
            // (Its node has one input.)
            true => vec![of_path(&name)],
            false => of_paths(state, &name).await,
        };
        let mut plans = plans(context, state, parts).await?;
        if is_clique {
            unite(&mut plans, &*context.identifiers()?)?;
            files.edges.insert(name, united(plans)?);
            continue;
        }
        let loader = PlanLoader::new(state.clone(), plans, context.identifiers()?)?;
        files
            .mappings
            .insert(name.clone(), Arc::new(loader.mapping(&name)));
    }
    Ok(Some(files))
}

/// No mapping has this name.
pub(super) fn missing(context: &BiotideContext, name: &str) -> BiotideError {
    let known = context.mappings().all();
    let known: Vec<&str> = known.iter().map(|mapping| mapping.name()).collect();
    let hint = match known.as_slice() {
        [] => "there are none yet;".to_owned(),
        known => match did_you_mean(name, known.iter().copied()) {
            hint if hint.ends_with('?') => hint,
            hint => hint + ";",
        },
    };
    BiotideError::Option {
        key: "mapping".to_owned(),
        value: name.to_owned(),
        problem: format!(
            "is neither the name of a mapping nor a file: {hint} CREATE MAPPING {name} FROM … makes one"
        ),
    }
}

struct Finder {
    found: Vec<(String, Option<String>)>,
}

impl VisitorMut for Finder {
    type Break = BiotideError;

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<BiotideError> {
        if let Some((name, args)) = relation(factor) {
            // (Without a mapping it is not what it takes, which the planner says.)
            let mapping = mapping_of(&name, args);
            self.found.push((name, mapping));
        }
        ControlFlow::Continue(())
    }
}
