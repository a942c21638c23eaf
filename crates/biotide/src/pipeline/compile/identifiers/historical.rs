//! Retired accessions brought forward.

use biotide_common::BiotideError;
use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::common::plan_datafusion_err;

use super::super::super::actions::Params;
use super::super::namespace::check_namespace;
use super::super::scope::refused;
use super::super::words::{added, fresh, quoted, text};
use super::super::{Made, Scope};
use crate::error::Result;
use crate::resumable::FilesBeside;

/// What is said of an isoform whose accession another one has replaced.
const OF_ISOFORM: &str = "replaced; the isoform is of the retired accession alone";

/// `protein_historical_resolution`: the answer of `id_resolve`, and a confidence by it.
pub(in super::super) async fn historical(scope: &Scope, params: &Params) -> Result<Made> {
    let input = scope.input(params, "input")?;
    let column = scope.column(&input, params, "column", params.needed("column")?)?;
    let namespace = params.text("namespace").unwrap_or("uniprot");
    check_namespace(scope, params, "namespace")?;
    has_table(scope, params, namespace).await?;
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
    let note = named("note")?;
    let [fate, isoform] = ["fate", "isoform"].map(|name| quoted(&fresh(name, &own)));
    let cell = format!("arrow_cast({}, 'Utf8')", quoted(&column));
    let fates = fates(&quoted(&input), &cell, &text(namespace), &fate, &isoform);
    let in_use = confidence("primary_confidence");
    Ok(Made::Query(format!(
        "SELECT * EXCEPT ({fate}, {isoform}), CASE WHEN {fate}['verdict'] IN ('ok', 'repaired') THEN concat({fate}['id'], \
         {isoform}) ELSE coalesce({fate}['id'], {cell}) END AS {current}, {fate}['verdict'] AS {verdict}, CASE \
         {fate}['verdict'] WHEN 'ok' THEN {in_use:?} WHEN 'repaired' THEN {in_use:?} WHEN 'retired' THEN {:?} WHEN \
         'ambiguous' THEN {:?} WHEN 'withdrawn' THEN {:?} END AS {sure}, CASE WHEN {isoform} IS NOT NULL AND \
         {fate}['verdict'] = 'retired' THEN {} ELSE {fate}['note'] END AS {note} FROM ({fates})",
        confidence("secondary_confidence"),
        confidence("demerged_confidence"),
        confidence("obsolete_confidence"),
        text(OF_ISOFORM),
    )))
}

/// The rows with what has become of their identifiers. An isoform, `P12345-2`, has the fate of its accession; `isoform` is
/// its `-2` then.
fn fates(from: &str, cell: &str, namespace: &str, fate: &str, isoform: &str) -> String {
    let number = "-[1-9][0-9]*";
    format!(
        "SELECT *, id_resolve(CASE WHEN {isoform} IS NULL THEN {cell} ELSE regexp_replace({cell}, '{number}(\\s*)$', '\\1') \
         END, {namespace}) AS {fate} FROM (SELECT *, CASE WHEN prefix_normalize({namespace}) = 'uniprot' THEN \
         regexp_match({cell}, '({number})\\s*$')[1] END AS {isoform} FROM {from})"
    )
}

/// Reads the table of retired identifiers: without one there is nothing to go by, which is told before the run.
async fn has_table(scope: &Scope, params: &Params, namespace: &str) -> Result<()> {
    if let Some(path) = params.text("secondary") {
        FilesBeside::note(&scope.state, path);
    }
    // (Of a constant namespace the function's own error tells of an option.)
    let sql = format!(
        "SELECT id_resolve('-', n)['verdict'] = 'null' FROM (VALUES ({})) AS t(n)",
        text(namespace)
    );
    let plan = scope.plan(&sql).await?;
    let asked = match scope.session().execute_logical_plan(plan).await {
        Ok(frame) => frame.collect().await,
        Err(error) => Err(error),
    };
    let is_there = |batch: &RecordBatch| {
        let answer = batch.column(0).as_boolean_opt();
        answer.is_some_and(|answer| answer.true_count() > 0)
    };
    match asked {
        Ok(batches) if batches.iter().any(is_there) => Ok(()),
        Ok(_) => Err(plan_datafusion_err!(
            "there is no table of retired identifiers of {namespace}: name its file by the parameter secondary (UniProt's \
             sec_ac.txt, or one of sec2pri's tables)"
        )
        .into()),
        Err(error) if params.is_given("secondary") => {
            Err(BiotideError::at(params.place("secondary").to_string(), error).into())
        }
        Err(error) => Err(error.into()),
    }
}
