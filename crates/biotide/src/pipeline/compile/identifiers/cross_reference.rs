//! Identifiers of one database to those of others.

use super::super::super::actions::Params;
use super::super::scope::refused;
use super::super::words::{added, quoted, text, texts};
use super::super::{Made, Scope};
use crate::error::Result;
use crate::mapping::request::ADDED;

/// `cross_reference`.
pub(in super::super) fn cross_reference(scope: &Scope, params: &Params) -> Result<Made> {
    let input = scope.input(params, "input")?;
    let ids = scope.columns_of(&input, params, "columns")?;
    let mut options = format!(
        "max_hops => {}, policy => {}, \"limit\" => {}, unmapped => {}, mode => {}",
        params.integer("max_hops").unwrap_or(2),
        text(params.text("policy").unwrap_or("explode")),
        params.integer("limit").unwrap_or(100),
        text(params.text("unmapped").unwrap_or("keep")),
        text(params.text("mode").unwrap_or("directed")),
    );
    let targets = params.texts("targets");
    if !targets.is_empty() {
        options.push_str(&format!(", targets => {}", texts(targets)));
    }
    if let Some(least) = params.number("min_confidence").filter(|least| *least > 0.0) {
        options.push_str(&format!(", min_confidence => {least:?}"));
    }
    if let Some(namespace) = params.text("namespace") {
        options.push_str(&format!(", namespace => {}", text(namespace)));
    }
    let mapping = text(params.needed("mapping")?);
    let results: &[&str] = match params.text("policy") {
        Some("list") => &["mappings", "verdict"],
        _ => &ADDED,
    };
    let results = results.iter().chain(&["note"]);
    let mut own = scope.columns(&input);
    let mut columns = vec!["i.*".to_owned()];
    let mut from = format!("{} AS i", quoted(&input));
    for (n, id) in ids.iter().enumerate() {
        from.push_str(&format!(
            ", LATERAL xref(i.{}, {mapping}, {options}) AS x{n}",
            quoted(id)
        ));
        for name in results.clone() {
            let of_id = format!("{id}_{name}");
            let names = match n {
                0 => vec![(*name).to_owned(), of_id],
                _ => vec![of_id],
            };
            let shown = added(&mut own, &names);
            let shown = shown.map_err(|problem| refused(params, "columns", problem))?;
            columns.push(format!("x{n}.{name} AS {}", quoted(&shown)));
        }
    }
    Ok(Made::Query(format!(
        "SELECT {} FROM {from}",
        columns.join(", ")
    )))
}
