//! Accessions out of lists of cross-references.

use super::super::super::actions::Params;
use super::super::scope::refused;
use super::super::words::{added, quoted};
use super::super::{Made, Scope};
use crate::error::Result;

/// `protein_extract_uniprot_from_xrefs`.
pub(in super::super) fn of_xrefs(scope: &Scope, params: &Params) -> Result<Made> {
    let input = scope.input(params, "input")?;
    let column = scope.column(&input, params, "column", params.needed("column")?)?;
    let wanted = params.text("output_column").unwrap_or("uniprot");
    let mut names = vec![wanted.to_owned()];
    if !params.is_given("output_column") {
        names.push(format!("{column}_{wanted}"));
    }
    let named = added(&mut scope.columns(&input), &names);
    let named = quoted(&named.map_err(|problem| refused(params, "output_column", problem))?);
    let cell = format!("arrow_cast({}, 'Utf8')", quoted(&column));
    // Everything but the accessions goes: each stands behind its prefix.
    let keep = match params.boolean("keep_isoforms") {
        Some(true) => "UniProtKB:([A-Z0-9]+(?:-[0-9]+)?)",
        _ => "UniProtKB:([A-Z0-9]+)(?:-[0-9]+)?",
    };
    let found = format!(
        "array_distinct(array_remove_all(string_to_array(regexp_replace(regexp_replace({cell}, '{keep}', '\u{1e}\\1\u{1f}', 'g'), \
         '(?s)(^|\u{1f})[^\u{1e}]*(\u{1e}|$)', '|', 'g'), '|'), ''))"
    );
    let from = quoted(&input);
    let drops = params.boolean("drop_na") != Some(false);
    let (sql, has) = match params.text("output_format") {
        Some("first") => (
            format!("SELECT *, {found}[1] AS {named} FROM {from}"),
            format!("{named} IS NOT NULL"),
        ),
        Some("expand_rows") => (
            format!(
                "SELECT *, unnest(CASE WHEN cardinality({found}) > 0 THEN {found} ELSE make_array(arrow_cast(NULL, 'Utf8')) END) \
                 AS {named} FROM {from}"
            ),
            format!("{named} IS NOT NULL"),
        ),
        _ => (
            format!("SELECT *, {found} AS {named} FROM {from}"),
            format!("cardinality({named}) > 0"),
        ),
    };
    Ok(Made::Query(match drops {
        true => format!("SELECT * FROM ({sql}) WHERE {has}"),
        false => sql,
    }))
}
