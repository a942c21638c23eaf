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
use super::source::{is_path, of_path, of_paths, text};
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

/// The mappings of one statement that are files, by their paths: several can be one mapping.
#[derive(Debug, Default)]
pub(crate) struct FileMappings {
    pub(super) mappings: BTreeMap<Vec<String>, Arc<Mapping>>,
    /// Statements of files for `clique_assign`, and what they are from.
    pub(super) edges: BTreeMap<Vec<String>, EdgePlan>,
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

/// The name of the mapping of a relation, or the paths that it is made of.
pub(super) fn mapping_of(name: &str, args: &[FunctionArg]) -> Option<Vec<String>> {
    let (_, place) = RELATIONS.iter().find(|(own, _)| *own == name)?;
    let positional = args.iter().filter_map(|arg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    });
    let expr: &Expr = positional.into_iter().nth(*place)?;
    literals(expr).filter(|names| !names.is_empty())
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
    for (relation, names) in finder.found {
        let Some(names) = names else { continue };
        let is_clique = relation == "clique_assign";
        let mappings = context.mappings();
        let is_known = matches!(names.as_slice(), [name] if mappings.get(name).is_some());
        if is_known || files.mappings.contains_key(&names) && !is_clique {
            continue;
        }
        if let Some(mapping) = stored(&names).await? {
            files.mappings.insert(names, mapping);
            continue;
        }
        check(context, &names)?;
        // (Its node has one input. Of several files an index is made, and that has their statements.)
        if is_clique && names.len() == 1 {
            let edges = edges(context, state, &names).await?;
            files.edges.insert(names, edges);
        } else {
            let mapping = made(context, state, &names).await?;
            files.mappings.insert(names, mapping);
        }
    }
    Ok(Some(files))
}

/// The mapping that a file holds, if it is a stored one.
async fn stored(names: &[String]) -> Result<Option<Arc<Mapping>>> {
    let [name] = names else { return Ok(None) };
    let path = Path::new(name);
    if !path.is_file() || !is_stored(path) {
        return Ok(None);
    }
    let loader = StoredLoader {
        path: path.to_owned(),
        made_from: Vec::new(),
    };
    Ok(Some(Arc::new(loader.mapping(name).await?)))
}

/// The statements of files, read together.
async fn edges(
    context: &BiotideContext,
    state: &SessionState,
    names: &[String],
) -> Result<EdgePlan> {
    let parts = names.iter().map(|name| of_path(name)).collect();
    let mut plans = plans(context, state, parts).await?;
    unite(&mut plans, &*context.identifiers()?)?;
    Ok(united(plans)?)
}

/// The mapping that is made of files: of all of them, as if `CREATE MAPPING` named them one by one.
async fn made(
    context: &BiotideContext,
    state: &SessionState,
    names: &[String],
) -> Result<Arc<Mapping>> {
    let mut parts = Vec::new();
    for name in names {
        parts.extend(of_paths(state, name).await);
    }
    let plans = plans(context, state, parts).await?;
    let loader = PlanLoader::new(state.clone(), plans, context.identifiers()?)?;
    Ok(Arc::new(loader.mapping(&names.join(", "))))
}

/// Fails where one of those that a mapping is to be made of is no file.
fn check(context: &BiotideContext, names: &[String]) -> Result<(), BiotideError> {
    for name in names {
        let is_mapping = context.mappings().get(name).is_some();
        let is_file = is_path(name) || Path::new(name).exists();
        match names.len() {
            1 if !is_file => return Err(missing(context, name)),
            2.. if is_mapping => return Err(no_file(context, names, name)),
            2.. if !is_file => return Err(BiotideError::file(name, "there is no such file")),
            _ => check_stored(name)?,
        }
    }
    Ok(())
}

/// One of several is a mapping: only files are put together where they are named.
fn no_file(context: &BiotideContext, names: &[String], name: &str) -> BiotideError {
    let source = |name: &String| match context.mappings().get(name) {
        Some(_) => format!("(SELECT * FROM mapping_edges({}))", text(name)),
        None => text(name),
    };
    let sources: Vec<String> = names.iter().map(source).collect();
    BiotideError::Option {
        key: "mapping".to_owned(),
        value: name.to_owned(),
        problem: format!(
            "is the name of a mapping, and a list is of files: CREATE MAPPING … FROM {} makes one mapping of them",
            sources.join(", ")
        ),
    }
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
    found: Vec<(String, Option<Vec<String>>)>,
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
