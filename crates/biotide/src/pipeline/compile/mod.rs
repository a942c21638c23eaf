//! Steps become views, each over those before: what a sink writes is one plan.
//!
//! Most actions are SQL over the views of their inputs, in a schema of the run's own; what a file is read with, and
//! rules of normalisation, are plans.

mod aggregates;
mod alike;
mod bounds;
mod cell;
mod checks;
mod datasets;
mod deduplicate;
mod filter_dataset;
mod flaw;
mod identifier_column;
mod identifiers;
mod joins;
mod load;
mod load_identifiers;
mod merge;
mod namespace;
mod number;
mod over;
mod overlap;
mod planned;
mod read;
mod rows;
mod scope;
mod session;
mod sql;
mod subqueries;
mod windows;
mod words;
mod written;

pub(crate) use checks::{What, checks, counting};
pub(crate) use scope::{Scope, key_of, once};
pub(crate) use words::{quoted, text};

use biotide_common::BiotideError;

use super::custom::ActionStep;
use super::measure::is_placed;
use super::spec::Step;
use crate::error::{Error, Result};

/// What a step makes of the steps before it.
pub(crate) enum Made {
    /// A dataset, by a query.
    Query(String),
    /// A dataset, by a plan.
    Plan(Box<datafusion::logical_expr::LogicalPlan>),
}

/// Compiles a step that makes a dataset. What goes wrong is told with its place.
pub(crate) async fn step(scope: &mut Scope, step: &Step) -> Result<()> {
    if matches!(step.action.name, "load" | "load_dataset_identifiers") {
        scope.take_pace(&step.params);
    }
    let made = Box::pin(made(scope, step)).await;
    let added = match made {
        Ok(Made::Query(sql)) => match scope.add_query(step, &sql).await {
            Err(error) => Err(rows::told_of_column(scope, step, error).await),
            added => added,
        },
        Ok(Made::Plan(plan)) => scope.add(step, *plan),
        Err(error) => Err(error),
    };
    added.map_err(|error| placed(step, error))
}

/// An error with the place of its step, if it has none yet.
pub(crate) fn placed(step: &Step, error: Error) -> Error {
    if let Some(BiotideError::File { file, problem }) = error.as_biotide()
        && file.as_str() == &*step.place.file
        && let Some((place, problem)) = problem.split_once(": ")
        && place.starts_with("line ")
    {
        // (Rules that stand in the pipeline tell their place as a file of rules does.)
        return BiotideError::file(format!("{file}, {place}, step {}", step.name), problem).into();
    }
    let is_of_file = match error.as_biotide() {
        Some(BiotideError::File { file, .. }) => file.starts_with(&*step.place.file),
        _ => false,
    };
    match is_of_file || is_placed(error.as_datafusion()) {
        true => error,
        false => BiotideError::at(scope::place_of(step), error.into_datafusion()).into(),
    }
}

async fn made(scope: &mut Scope, step: &Step) -> Result<Made> {
    let params = &step.params;
    Ok(match step.action.name {
        "load" => load::load(scope, params).await?,
        "load_dataset_identifiers" => load_identifiers::identifiers(scope, params).await?,
        "filter" => rows::filter(scope, params)?,
        "filter_dataset" => filter_dataset::filter_dataset(scope, params)?,
        "select" | "derive" => rows::derive(scope, params)?,
        "sql" => sql::sql(scope, params).await?,
        "aggregate" => rows::aggregate(scope, params)?,
        "deduplicate" => deduplicate::deduplicate(scope, params)?,
        "normalize" => rows::normalize(scope, params)?,
        "cache" | "validate" => checks::kept(scope, step).await?,
        "parse" => identifiers::parse(scope, params).await?,
        "parse_composite_identifiers" => identifiers::composite(scope, params)?,
        "cross_reference" => identifiers::cross_reference(scope, params)?,
        "protein_historical_resolution" => identifiers::historical(scope, params).await?,
        "protein_extract_uniprot_from_xrefs" => identifiers::of_xrefs(scope, params)?,
        "join" => joins::join(scope, params)?,
        "merge_datasets" => merge::merge(scope, params).await?,
        "calculate_set_overlap" => overlap::overlap(scope, params).await?,
        own => match scope.context.actions().own(own) {
            Some(action) => Made::Plan(Box::new(action.plan(&ActionStep::new(scope, step)).await?)),
            None => {
                let problem = format!("nobody has registered what the action {own} does");
                return Err(step.place.error(problem).into());
            }
        },
    })
}
