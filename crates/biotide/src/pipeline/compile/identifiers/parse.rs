//! Identifiers out of a column.

use super::super::super::actions::Params;
use super::super::super::sift::{Flawed, INVALID};
use super::super::flaw::{Flaw, sifted};
use super::super::scope::refused;
use super::super::words::{added, fresh, quoted, text};
use super::super::{Made, Scope};
use crate::error::Result;

/// How identifiers are found in a cell, as SQL.
struct Found {
    /// What it is made of, a list.
    parts: String,
    /// What one of them is.
    part: String,
    /// Of a part.
    id: String,
    namespace: String,
    verdict: String,
}

impl Found {
    /// Those of a namespace; `one` and `part` are what columns are called.
    fn of(cell: &str, namespace: &str, one: &str, part: &str) -> Self {
        let namespace = text(namespace);
        Self {
            parts: format!("id_split({cell}, {namespace})"),
            part: one.to_owned(),
            id: format!("{part}['id']"),
            namespace: format!("coalesce(prefix_normalize({namespace}), {namespace})"),
            verdict: format!("{part}['verdict']"),
        }
    }

    /// Whatever they are. A cell that is none as a whole is cut where files join identifiers.
    fn of_any(cell: &str, one: &str, part: &str) -> Self {
        let pieces = format!(
            "string_to_array(regexp_replace(btrim({cell}), '[\\s,;|]+', chr(31), 'g'), chr(31))"
        );
        Self {
            parts: format!(
                "CASE WHEN id_kind({cell})[1]['confidence'] >= 0.7 THEN make_array({cell}) ELSE {pieces} END"
            ),
            part: format!(
                "CASE WHEN id_kind({one})[1]['confidence'] >= 0.7 THEN id_kind({one})[1] END"
            ),
            id: format!("{part}['id']"),
            namespace: format!("{part}['namespace']"),
            verdict: format!("coalesce({part}['verdict'], 'unmapped')"),
        }
    }
}

/// `parse`.
pub(in super::super) async fn parse(scope: &Scope, params: &Params) -> Result<Made> {
    let input = scope.input(params, "input")?;
    let column = scope.column(&input, params, "column", params.needed("column")?)?;
    let (cell, from) = (quoted(&column), quoted(&input));
    let mut own = scope.columns(&input);
    let prefix = params.text("prefix").unwrap_or(&column);
    let mut named = |what: &str| match added(&mut own, &[format!("{prefix}_{what}")]) {
        Ok(name) => Ok(quoted(&name)),
        Err(problem) => Err(refused(params, "prefix", problem)),
    };
    let format = params.text("output_format").unwrap_or("columns");
    let (ids, [id, namespace, verdict]) = match format {
        "list" => (named("ids")?, Default::default()),
        _ => {
            let three = [named("id")?, named("namespace")?, named("verdict")?];
            (String::new(), three)
        }
    };
    let [all, one, part] = ["parts", "one", "part"].map(|name| quoted(&fresh(name, &own)));
    let cell_text = format!("arrow_cast({cell}, 'Utf8')");
    let found = match params.text("identifier_type") {
        Some(namespace) => Found::of(&cell_text, namespace, &one, &part),
        None => Found::of_any(&cell_text, &one, &part),
    };
    let made = format!(
        "{} AS {id}, {} AS {namespace}, {} AS {verdict}",
        found.id, found.namespace, found.verdict,
    );
    let (parts, is) = (&found.parts, &found.part);
    let sql = match format {
        "list" => format!("SELECT *, {parts} AS {ids} FROM {from}"),
        "rows" => format!(
            "SELECT * EXCEPT ({part}, {all}), {made} FROM (SELECT * EXCEPT ({one}), {is} AS {part} FROM (SELECT *, \
             unnest(CASE WHEN cardinality({all}) > 0 THEN {all} ELSE make_array(NULL) END) AS {one} FROM (SELECT *, \
             {parts} AS {all} FROM {from})))"
        ),
        _ => format!(
            "SELECT * EXCEPT ({part}), {made} FROM (SELECT * EXCEPT ({one}), {is} AS {part} FROM (SELECT *, \
             {parts}[1] AS {one} FROM {from}))"
        ),
    };
    let has = match format {
        "list" => format!("cardinality({ids}) > 0"),
        _ => format!("{id} IS NOT NULL"),
    };
    match params.text("on_invalid") {
        Some("drop") => Ok(Made::Query(format!("SELECT * FROM ({sql}) WHERE {has}"))),
        Some("fail") => {
            let flaw = fresh("flaw", &own);
            let what = Flaw {
                reason: INVALID,
                column: &column,
                message: "there is no identifier in it, and on_invalid is fail",
                raw: &format!("coalesce({cell_text}, 'NULL')"),
                place: None,
            };
            let judged = format!(
                "SELECT *, CASE WHEN {has} THEN NULL ELSE {} END AS {} FROM ({sql})",
                what.sql(),
                quoted(&flaw)
            );
            let plan = scope.plan(&judged).await?;
            let rows = sifted(plan, &flaw, Flawed::Fails)?;
            Ok(Made::Plan(Box::new(rows)))
        }
        _ => Ok(Made::Query(sql)),
    }
}
