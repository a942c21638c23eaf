//! Identifiers out of a column.

use super::super::super::actions::Params;
use super::super::super::sift::{Flawed, INVALID};
use super::super::flaw::{Flaw, sifted};
use super::super::namespace::check_namespace;
use super::super::scope::refused;
use super::super::words::{added, fresh, names, quoted, text};
use super::super::{Made, Scope};
use crate::error::Result;
use crate::normalize::Origin;

/// How identifiers are found in a cell, as SQL.
struct Found {
    /// A list: a struct of each part of the cell. One without `id` is no identifier.
    parts: String,
    /// Of a part.
    namespace: String,
    verdict: String,
}

impl Found {
    /// Those of a namespace; `part` is what a column is called.
    fn of(cell: &str, namespace: &str, part: &str) -> Self {
        let namespace = text(namespace);
        Self {
            parts: format!("id_split({cell}, {namespace})"),
            namespace: format!("coalesce(prefix_normalize({namespace}), {namespace})"),
            verdict: format!("{part}['verdict']"),
        }
    }

    /// Whatever they are. A cell that is none as a whole is cut where files join identifiers.
    fn of_any(cell: &str, part: &str) -> Self {
        let pieces = format!(
            "string_to_array(regexp_replace(btrim({cell}), '[\\s,;|]+', chr(31), 'g'), chr(31))"
        );
        let pieces = format!(
            "CASE WHEN id_kind({cell})[1]['confidence'] >= 0.7 THEN make_array({cell}) ELSE {pieces} END"
        );
        let kinds = format!("array_transform({pieces}, piece -> id_kind(piece)[1])");
        Self {
            parts: format!(
                "array_transform({kinds}, kind -> CASE WHEN kind['confidence'] >= 0.7 THEN kind END)"
            ),
            namespace: format!("{part}['namespace']"),
            verdict: format!("coalesce({part}['verdict'], 'unmapped')"),
        }
    }
}

/// `parse`.
pub(in super::super) async fn parse(scope: &Scope, params: &Params) -> Result<Made> {
    let input = scope.input(params, "input")?;
    let column = scope.column(&input, params, "column", params.needed("column")?)?;
    check_namespace(scope, params, "identifier_type")?;
    let (cell, from) = (quoted(&column), quoted(&input));
    let mut own = scope.columns(&input);
    let shown = names(&own);
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
    let [all, part] = ["parts", "part"].map(|name| quoted(&fresh(name, &own)));
    let cell_text = format!("arrow_cast({cell}, 'Utf8')");
    let found = match params.text("identifier_type") {
        Some(namespace) => Found::of(&cell_text, namespace, &part),
        None => Found::of_any(&cell_text, &part),
    };
    let from = format!("(SELECT *, {} AS {all} FROM {from})", found.parts);
    let identified = format!("array_filter({all}, item -> item['id'] IS NOT NULL)");
    let made = format!(
        "{part}['id'] AS {id}, {} AS {namespace}, {} AS {verdict}",
        found.namespace, found.verdict,
    );
    let sql = match format {
        "list" => format!(
            "SELECT {shown}, array_distinct(array_transform({identified}, item -> item['id'])) AS {ids} FROM {from}"
        ),
        "rows" => format!(
            "SELECT {shown}, {made} FROM (SELECT {shown}, unnest(CASE WHEN cardinality({all}) > 0 THEN {all} ELSE \
             make_array(NULL) END) AS {part} FROM {from})"
        ),
        // (What is wrong with the first part is told where none is an identifier. Mostly it is one, and nobody need look at
        // the others.)
        _ => format!(
            "SELECT {shown}, {made} FROM (SELECT {shown}, CASE WHEN {all}[1]['id'] IS NULL AND cardinality({all}) > 1 \
             THEN coalesce({identified}[1], {all}[1]) ELSE {all}[1] END AS {part} FROM {from})"
        ),
    };
    let has = match format {
        "list" => format!("coalesce(cardinality({ids}), 0) > 0"),
        _ => format!("{id} IS NOT NULL"),
    };
    let sql = match params.text("on_invalid") {
        Some("drop") => format!("SELECT * FROM ({sql}) WHERE {has}"),
        Some("fail") => {
            let flaw = fresh("flaw", &own);
            let judged = format!(
                "SELECT *, CASE WHEN {has} THEN NULL {} END AS {} FROM ({sql})",
                none_found(&column, format, Origin::among(&own)),
                quoted(&flaw)
            );
            let plan = scope.plan_with_lambdas(&judged).await?;
            let rows = sifted(plan, &flaw, Flawed::Fails)?;
            return Ok(Made::Plan(Box::new(rows)));
        }
        _ => sql,
    };
    let plan = scope.plan_with_lambdas(&sql).await?;
    Ok(Made::Plan(Box::new(plan)))
}

/// What is wrong with a row in which no identifier was found, as the last cases of SQL.
fn none_found(column: &str, format: &str, origin: Option<Origin<'_>>) -> String {
    let cell = quoted(column);
    let place = origin.map(|origin| {
        let file = origin.file.map_or_else(|| "NULL".to_owned(), quoted);
        let line = format!("try_cast({} AS BIGINT)", quoted(origin.line));
        [file, line, "NULL".to_owned()]
    });
    let flaw = |message: &str| {
        let flaw = Flaw {
            reason: INVALID,
            column,
            message,
            raw: &format!("arrow_cast({cell}, 'Utf8')"),
            place: place
                .as_ref()
                .map(|place| place.each_ref().map(String::as_str)),
        };
        flaw.sql()
    };
    let message = match format {
        "rows" => "it, or a part of it, is no identifier, and on_invalid is fail",
        _ => "there is no identifier in it, and on_invalid is fail",
    };
    format!(
        "WHEN {cell} IS NULL THEN {} ELSE {}",
        flaw("it has no value (NULL), and on_invalid is fail"),
        flaw(message)
    )
}
