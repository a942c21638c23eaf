//! Retired accessions brought forward.

use biotide_common::BiotideError;

use super::super::super::actions::Params;
use super::super::namespace::check_namespace;
use super::super::scope::refused;
use super::super::words::{added, fresh, quoted, text};
use super::super::{Made, Scope};
use crate::error::Result;
use crate::resumable::FilesBeside;

/// `protein_historical_resolution`: the answer of `id_resolve`, and a confidence by it.
pub(in super::super) async fn historical(scope: &Scope, params: &Params) -> Result<Made> {
    let input = scope.input(params, "input")?;
    let column = scope.column(&input, params, "column", params.needed("column")?)?;
    let namespace = params.text("namespace").unwrap_or("uniprot");
    check_namespace(scope, params, "namespace")?;
    let namespace = text(namespace);
    has_table(scope, params, &namespace).await?;
    let confidence = |name: &str| params.number(name).unwrap_or(0.0);
    let mut own = scope.columns(&input);
    let mut named = |what: &str| {
        let names = [
            format!("{column}_{what}"),
            format!("{column}_historical_{what}"),
        ];
        match added(&mut own, &names) {
            Ok(name) => Ok(quoted(&name)),
            Err(problem) => Err(refused(params, "column", problem)),
        }
    };
    let [current, verdict, sure] = [named("current")?, named("verdict")?, named("confidence")?];
    let fate = quoted(&fresh("fate", &own));
    let (cell, from) = (quoted(&column), quoted(&input));
    Ok(Made::Query(format!(
        "SELECT * EXCEPT ({fate}), coalesce({fate}['id'], arrow_cast({cell}, 'Utf8')) AS {current}, {fate}['verdict'] AS \
         {verdict}, CASE {fate}['verdict'] WHEN 'ok' THEN {:?} WHEN 'retired' THEN {:?} WHEN 'ambiguous' THEN {:?} WHEN \
         'withdrawn' THEN {:?} END AS {sure} FROM (SELECT *, id_resolve(arrow_cast({cell}, 'Utf8'), {namespace}) AS {fate} \
         FROM {from})",
        confidence("primary_confidence"),
        confidence("secondary_confidence"),
        confidence("demerged_confidence"),
        confidence("obsolete_confidence"),
    )))
}

/// Reads the table of retired identifiers: without one there is nothing to go by, which is told before the run.
async fn has_table(scope: &Scope, params: &Params, namespace: &str) -> Result<()> {
    if let Some(path) = params.text("secondary") {
        FilesBeside::note(&scope.state, path);
    }
    let plan = scope
        .plan(&format!("SELECT id_resolve('-', {namespace})"))
        .await?;
    let resolved = match scope.session().execute_logical_plan(plan).await {
        Ok(frame) => frame.collect().await,
        Err(error) => Err(error),
    };
    let place = match params.is_given("secondary") {
        true => params.place("secondary").to_string(),
        false => format!(
            "{}, which names no secondary: a table of retired identifiers, such as UniProt's sec_ac.txt",
            params.place("secondary")
        ),
    };
    match resolved {
        Ok(_) => Ok(()),
        Err(error) => Err(BiotideError::at(place, error).into()),
    }
}
