//! Identifiers found, taken apart, brought forward and mapped.

use datafusion::arrow::datatypes::DataType;

use super::super::actions::Params;
use super::scope::refused;
use super::words::{names, quoted, text, texts};
use super::{Made, Scope};
use crate::error::Result;

/// The type of a column.
fn kind(scope: &Scope, input: &str, column: &str) -> Option<DataType> {
    let plan = scope.dataset(input)?;
    let field = plan
        .schema()
        .fields()
        .iter()
        .find(|field| field.name() == column)?;
    Some(field.data_type().clone())
}

/// How identifiers are found in a cell, as SQL.
struct Found {
    /// What it is made of, a list.
    parts: String,
    /// What `one` of them is.
    part: String,
    /// Of a `part`.
    id: &'static str,
    namespace: String,
    verdict: &'static str,
}

impl Found {
    /// Those of a namespace.
    fn of(cell: &str, namespace: &str) -> Self {
        let namespace = text(namespace);
        Self {
            parts: format!("id_split({cell}, {namespace})"),
            part: "one".to_owned(),
            id: "part['id']",
            namespace: format!("coalesce(prefix_normalize({namespace}), {namespace})"),
            verdict: "part['verdict']",
        }
    }

    /// Whatever they are. A cell that is none as a whole is cut where files join identifiers.
    fn of_any(cell: &str) -> Self {
        let pieces = format!(
            "string_to_array(regexp_replace(btrim({cell}), '[\\s,;|]+', chr(31), 'g'), chr(31))"
        );
        Self {
            parts: format!(
                "CASE WHEN id_kind({cell})[1]['confidence'] >= 0.7 THEN make_array({cell}) ELSE {pieces} END"
            ),
            part: "CASE WHEN id_kind(one)[1]['confidence'] >= 0.7 THEN id_kind(one)[1] END"
                .to_owned(),
            id: "part['id']",
            namespace: "part['namespace']".to_owned(),
            verdict: "coalesce(part['verdict'], 'unmapped')",
        }
    }
}

/// `parse`.
pub(super) fn parse(scope: &Scope, params: &Params) -> Result<Made> {
    let input = scope.input(params, "input")?;
    let column = scope.column(&input, params, "column", params.needed("column")?)?;
    let (cell, from) = (quoted(&column), quoted(&input));
    let prefix = params.text("prefix").unwrap_or(&column);
    let named = |what: &str| quoted(&format!("{prefix}_{what}"));
    let cell_text = format!("arrow_cast({cell}, 'Utf8')");
    let found = match params.text("identifier_type") {
        Some(namespace) => Found::of(&cell_text, namespace),
        None => Found::of_any(&cell_text),
    };
    let format = params.text("output_format").unwrap_or("columns");
    let added = format!(
        "{} AS {}, {} AS {}, {} AS {}",
        found.id,
        named("id"),
        found.namespace,
        named("namespace"),
        found.verdict,
        named("verdict")
    );
    let (parts, part) = (&found.parts, &found.part);
    let sql = match format {
        "list" => format!("SELECT *, {parts} AS {} FROM {from}", named("ids")),
        "rows" => format!(
            "SELECT * EXCEPT (part, parts), {added} FROM (SELECT * EXCEPT (one), {part} AS part FROM (SELECT *, \
             unnest(CASE WHEN cardinality(parts) > 0 THEN parts ELSE make_array(NULL) END) AS one FROM (SELECT *, \
             {parts} AS parts FROM {from})))"
        ),
        _ => format!(
            "SELECT * EXCEPT (part), {added} FROM (SELECT * EXCEPT (one), {part} AS part FROM (SELECT *, {parts}[1] \
             AS one FROM {from}))"
        ),
    };
    let (list, id) = (named("ids"), named("id"));
    let has = match format {
        "list" => format!("cardinality({list}) > 0"),
        _ => format!("{id} IS NOT NULL"),
    };
    Ok(Made::Query(match params.text("on_invalid") {
        Some("drop") => format!("SELECT * FROM ({sql}) WHERE {has}"),
        Some("fail") => format!(
            "SELECT * FROM ({sql}) WHERE CASE WHEN {has} THEN true ELSE arrow_cast(concat('no identifier in ', {}, ': ', \
             coalesce({cell_text}, 'NULL')), 'Boolean') END",
            text(&column)
        ),
        _ => sql,
    }))
}

/// The parts of a cell, as a list of texts.
fn parts_of(scope: &Scope, params: &Params, input: &str, column: &str) -> Result<String> {
    let cell = quoted(column);
    if let Some(DataType::List(_)) = kind(scope, input, column) {
        return Ok(cell);
    }
    let mut cell = format!("arrow_cast({cell}, 'Utf8')");
    if params.boolean("lowercase") == Some(true) {
        cell = format!("lower({cell})");
    }
    let mut cuts: Vec<(String, bool)> = Vec::new();
    for separator in params.texts("separators") {
        cuts.push((format!("\\s*{}\\s*", regex::escape(separator)), true));
    }
    for item in params.items("patterns") {
        let separator = item.needed("separator")?;
        let pattern = match item.boolean("is_regex") {
            Some(true) => separator.to_owned(),
            _ => regex::escape(separator),
        };
        if let Err(error) = regex::Regex::new(&pattern) {
            return Err(refused(item, "separator", error));
        }
        let trims = item.boolean("trim_whitespace") != Some(false);
        let pattern = if trims {
            format!("\\s*(?:{pattern})\\s*")
        } else {
            pattern
        };
        cuts.push((pattern, item.boolean("remove_empty") != Some(false)));
    }
    if cuts.is_empty() {
        cuts.push(("\\s*[,;|_]\\s*".to_owned(), true));
    }
    // A character that no identifier has.
    const CUT: char = '\u{1f}';
    // (Blanks of every kind: spreadsheets leave those that do not break.)
    let mut joined = format!(r"regexp_replace({cell}, '^\s+|\s+$', '', 'g')");
    for (pattern, _) in &cuts {
        joined = format!("regexp_replace({joined}, {}, '{CUT}', 'g')", text(pattern));
    }
    let mut parts = format!("string_to_array({joined}, '{CUT}')");
    if cuts.iter().all(|(_, removes)| *removes) {
        parts = format!("array_remove_all({parts}, '')");
    }
    if params.boolean("unique_only") == Some(true) {
        parts = format!("array_distinct({parts})");
    }
    Ok(parts)
}

/// `parse_composite_identifiers`.
pub(super) fn composite(scope: &Scope, params: &Params) -> Result<Made> {
    let input = scope.input(params, "input")?;
    let column = scope.column(&input, params, "column", params.needed("column")?)?;
    let (cell, from) = (quoted(&column), quoted(&input));
    let mut parts = parts_of(scope, params, &input, &column)?;
    if let (Some(true), Some(namespace)) =
        (params.boolean("validate"), params.text("identifier_type"))
    {
        parts = format!(
            "id_list(array_to_string({parts}, '|'), {})",
            text(namespace)
        );
    }
    if params.boolean("preserve_original") == Some(true) {
        parts = format!(
            "CASE WHEN cardinality({parts}) > 1 THEN array_prepend(arrow_cast({cell}, 'Utf8'), {parts}) ELSE {parts} END"
        );
    }
    if let Some(most) = params.size("max_components") {
        parts = format!(
            "CASE WHEN cardinality({parts}) > {most} THEN make_array(arrow_cast({cell}, 'Utf8')) ELSE {parts} END"
        );
    }
    let is_list = matches!(kind(scope, &input, &column), Some(DataType::List(_)));
    let original = match is_list {
        true => format!("array_to_string({cell}, '|')"),
        false => format!("arrow_cast({cell}, 'Utf8')"),
    };
    let sql = match params.text("output_format") {
        Some("flat") => format!("SELECT unnest({parts}) AS {cell} FROM {from}"),
        Some("mapped") => format!(
            "SELECT DISTINCT {original} AS composite, {parts} AS identifiers FROM {from} WHERE {cell} IS NOT NULL"
        ),
        Some("detailed") => format!(
            "SELECT {original} AS composite, {parts} AS identifiers, cardinality({parts}) AS n, cardinality({parts}) > 1 AS \
             is_composite, count(*) AS rows FROM {from} WHERE {cell} IS NOT NULL GROUP BY 1, 2, 3, 4"
        ),
        _ => {
            let own: Vec<String> = scope.columns(&input);
            let place = |name: &String| match *name == column {
                true => format!("part AS {cell}"),
                false => quoted(name),
            };
            let columns: Vec<String> = own.iter().map(place).collect();
            let others: Vec<String> = own
                .iter()
                .filter(|name| **name != column)
                .cloned()
                .collect();
            let others = if others.is_empty() {
                String::new()
            } else {
                format!("{}, ", names(&others))
            };
            // An empty cell stays a row.
            format!(
                "SELECT {}, __original AS {}, __n AS _expansion_count, __index AS _original_index, \
                 CASE WHEN __n > 1 THEN concat('composite_', __index) END AS _composite_entity_id, \
                 arrow_cast(1, 'Float64') / greatest(__n, 1) AS _entity_weight, __n > 1 AS _is_composite_component FROM (SELECT {others}__original, \
                 __n, __index, unnest(CASE WHEN __n > 0 THEN __parts ELSE make_array(arrow_cast(NULL, 'Utf8')) END) AS part FROM \
                 (SELECT *, coalesce(arrow_cast(cardinality(__parts), 'Int64'), 0) AS __n FROM (SELECT {others}{original} AS \
                 __original, {parts} AS __parts, arrow_cast(row_number() OVER (), 'Int64') - 1 AS __index FROM {from})))",
                columns.join(", "),
                quoted(&format!("_original_{column}")),
            )
        }
    };
    Ok(Made::Query(sql))
}

/// `cross_reference`.
pub(super) fn cross_reference(scope: &Scope, params: &Params) -> Result<Made> {
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
    let added: &[&str] = match params.text("policy") {
        Some("list") => &["mappings", "verdict", "note"],
        _ => &[
            "target",
            "predicate",
            "confidence",
            "hops",
            "path",
            "sources",
            "verdict",
            "note",
        ],
    };
    let mut columns = vec!["i.*".to_owned()];
    let mut from = format!("{} AS i", quoted(&input));
    for (n, id) in ids.iter().enumerate() {
        from.push_str(&format!(
            ", LATERAL xref(i.{}, {mapping}, {options}) AS x{n}",
            quoted(id)
        ));
        for name in added {
            let shown = match n {
                0 => (*name).to_owned(),
                _ => format!("{id}_{name}"),
            };
            columns.push(format!("x{n}.{name} AS {}", quoted(&shown)));
        }
    }
    Ok(Made::Query(format!(
        "SELECT {} FROM {from}",
        columns.join(", ")
    )))
}

/// `protein_historical_resolution`: the answer of `id_resolve`, and a confidence by it.
pub(super) fn historical(scope: &Scope, params: &Params) -> Result<Made> {
    let input = scope.input(params, "input")?;
    let column = scope.column(&input, params, "column", params.needed("column")?)?;
    let confidence = |name: &str| params.number(name).unwrap_or(0.0);
    let named = |what: &str| quoted(&format!("{column}_{what}"));
    Ok(Made::Query(format!(
        "SELECT * EXCEPT (__fate), coalesce(__fate['id'], arrow_cast({cell}, 'Utf8')) AS {}, __fate['verdict'] AS {}, \
         CASE __fate['verdict'] WHEN 'ok' THEN {:?} WHEN 'retired' THEN {:?} WHEN 'ambiguous' THEN {:?} WHEN 'withdrawn' \
         THEN {:?} END AS {} FROM (SELECT *, id_resolve(arrow_cast({cell}, 'Utf8'), {}) AS __fate FROM {})",
        named("current"),
        named("verdict"),
        confidence("primary_confidence"),
        confidence("secondary_confidence"),
        confidence("demerged_confidence"),
        confidence("obsolete_confidence"),
        named("confidence"),
        text(params.text("namespace").unwrap_or("uniprot")),
        quoted(&input),
        cell = quoted(&column),
    )))
}

/// `protein_extract_uniprot_from_xrefs`.
pub(super) fn of_xrefs(scope: &Scope, params: &Params) -> Result<Made> {
    let input = scope.input(params, "input")?;
    let column = scope.column(&input, params, "column", params.needed("column")?)?;
    let named = quoted(params.text("output_column").unwrap_or("uniprot"));
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
