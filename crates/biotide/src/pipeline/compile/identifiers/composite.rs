//! Several identifiers in one value.

use datafusion::arrow::datatypes::DataType;

use super::super::super::actions::Params;
use super::super::cell::type_of;
use super::super::namespace::check_namespace;
use super::super::scope::refused;
use super::super::words::{CUT, added, fresh, quoted, text};
use super::super::{Made, Scope};
use super::cuts::Cuts;
use crate::error::Result;

/// Whether a column holds lists.
fn is_list(scope: &Scope, input: &str, column: &str) -> bool {
    matches!(
        type_of(scope, input, column),
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..)
    )
}

/// The parts of a cell, as SQL: a list of texts, and the list of what was cut at.
fn parts_of(params: &Params, cell: &str, is_list: bool) -> Result<(String, String)> {
    let text_of_cell = match is_list {
        true => format!("array_to_string({cell}, '{CUT}')"),
        false => format!("arrow_cast({cell}, 'Utf8')"),
    };
    let cuts = Cuts::of(params, is_list)?;
    let (mut joined, found) = cuts.joined(&text_of_cell);
    let lowers = params.boolean("lowercase") == Some(true);
    let list = |joined: &str, removes: bool| match removes {
        true => format!("array_remove_all(string_to_array({joined}, '{CUT}'), '')"),
        false => format!("string_to_array({joined}, '{CUT}')"),
    };
    let mut removes = cuts.removes_all();
    if params.boolean("validate") == Some(true) {
        let Some(namespace) = params.text("identifier_type") else {
            let problem = "it needs identifier_type: of what the parts are to be identifiers";
            return Err(refused(params, "validate", problem));
        };
        let valid = format!(
            "id_list(array_to_string({}, '|'), {})",
            list(&joined, removes),
            text(namespace)
        );
        joined = format!("array_to_string({valid}, '{CUT}')");
        removes = true;
    }
    // (After the cuts: a separator may be a letter.)
    if lowers {
        joined = format!("lower({joined})");
    }
    let mut parts = list(&joined, removes);
    if params.boolean("unique_only") == Some(true) {
        parts = format!("array_distinct({parts})");
    }
    Ok((parts, found))
}

/// What the columns of the rows are called that a step works on: as no column of the input is.
struct Names {
    /// The value, before it is cut.
    whole: String,
    /// Its parts.
    cut: String,
    /// What is made of it.
    ids: String,
    n: String,
    /// Where the row is, from 0.
    place: String,
    patterns: String,
    /// Where a value is first seen, and how often.
    first: String,
    count: String,
    part: String,
}

impl Names {
    fn among(own: &[String]) -> Self {
        let name = |name| quoted(&fresh(name, own));
        Self {
            whole: name("whole"),
            cut: name("cut"),
            ids: name("ids"),
            n: name("n"),
            place: name("place"),
            patterns: name("patterns"),
            first: name("first"),
            count: name("count"),
            part: name("part"),
        }
    }
}

/// `parse_composite_identifiers`.
pub(in super::super) fn composite(scope: &Scope, params: &Params) -> Result<Made> {
    let input = scope.input(params, "input")?;
    let column = scope.column(&input, params, "column", params.needed("column")?)?;
    if params.boolean("validate") == Some(true) {
        check_namespace(scope, params, "identifier_type")?;
    }
    let own = scope.columns(&input);
    let names = Names::among(&own);
    let is_list = is_list(scope, &input, &column);
    let rows = numbered(params, &input, &column, is_list, &names)?;
    Ok(Made::Query(match params.text("output_format") {
        Some("flat") => flat(params, &rows, &quoted(&column), &names),
        Some("mapped") => values(&rows, false, &names),
        Some("detailed") => values(&rows, true, &names),
        _ => exploded(params, &rows, &own, &column, &names)?,
    }))
}

/// Every row with its value and what is made of it, numbered as they come.
fn numbered(
    params: &Params,
    input: &str,
    column: &str,
    is_list: bool,
    names: &Names,
) -> Result<String> {
    let (cell, from) = (quoted(column), quoted(input));
    let (parts, mut patterns) = parts_of(params, &cell, is_list)?;
    if params.text("output_format") != Some("detailed") {
        "NULL".clone_into(&mut patterns);
    }
    let original = match is_list {
        true => format!("array_to_string({cell}, '|')"),
        false => format!("arrow_cast({cell}, 'Utf8')"),
    };
    let Names {
        whole,
        cut,
        ids,
        n,
        place,
        patterns: found,
        ..
    } = names;
    // How many parts there are is judged before the value itself is put before them.
    let mut cases = String::new();
    if let Some(most) = params.size("max_components") {
        cases.push_str(&format!(
            " WHEN cardinality({cut}) > {most} THEN make_array({whole})"
        ));
    }
    if params.boolean("preserve_original") == Some(true) {
        cases.push_str(&format!(
            " WHEN cardinality({cut}) > 1 THEN array_prepend({whole}, {cut})"
        ));
    }
    let kept = match cases.is_empty() {
        true => cut.clone(),
        false => format!("CASE{cases} ELSE {cut} END"),
    };
    Ok(format!(
        "SELECT *, coalesce(arrow_cast(cardinality({ids}), 'Int64'), 0) AS {n} FROM (SELECT *, {kept} AS {ids} FROM (SELECT \
         *, {original} AS {whole}, {parts} AS {cut}, {patterns} AS {found}, arrow_cast(row_number() OVER (), 'Int64') - 1 AS \
         {place} FROM {from}))"
    ))
}

/// The parts alone.
fn flat(params: &Params, rows: &str, cell: &str, names: &Names) -> String {
    let Names {
        ids, place, first, ..
    } = names;
    let flat = format!("SELECT unnest({ids}) AS {cell} FROM ({rows})");
    match params.boolean("unique_only") {
        Some(true) => format!(
            "SELECT {cell} FROM (SELECT {cell}, min({place}) AS {first} FROM (SELECT {cell}, row_number() OVER () AS {place} \
             FROM ({flat})) GROUP BY {cell}) ORDER BY {first}"
        ),
        _ => flat,
    }
}

/// Every value once, with its parts; in detail or not.
fn values(rows: &str, detailed: bool, names: &Names) -> String {
    let Names {
        whole,
        ids,
        n,
        place,
        patterns,
        first,
        count,
        ..
    } = names;
    let (by, more) = match detailed {
        false => (format!("{whole}, {ids}"), String::new()),
        true => (
            format!("{whole}, {ids}, {n}, {patterns}"),
            format!(", {n} AS n, {n} > 1 AS is_composite, {count} AS rows, {patterns} AS patterns"),
        ),
    };
    format!(
        "SELECT {whole} AS composite, {ids} AS identifiers{more} FROM (SELECT {by}, min({place}) AS {first}, count(*) AS \
         {count} FROM ({rows}) WHERE {whole} IS NOT NULL GROUP BY {by}) ORDER BY {first}"
    )
}

/// A row of each part.
fn exploded(
    params: &Params,
    rows: &str,
    own: &[String],
    column: &str,
    names: &Names,
) -> Result<String> {
    let mut taken = own.to_vec();
    let mut named = |name: &str| {
        let of_column = format!("{column}_{}", name.trim_start_matches('_'));
        match added(&mut taken, &[name.to_owned(), of_column]) {
            Ok(name) => Ok(quoted(&name)),
            Err(problem) => Err(refused(params, "column", problem)),
        }
    };
    let Names {
        whole,
        ids,
        n,
        place,
        part,
        ..
    } = names;
    let columns = own.iter().map(|name| match name == column {
        true => format!("{part} AS {}", quoted(name)),
        false => quoted(name),
    });
    let columns: Vec<String> = columns.collect();
    let others = own.iter().filter(|name| *name != column);
    let others: String = others.map(|name| format!("{}, ", quoted(name))).collect();
    // An empty cell stays a row.
    Ok(format!(
        "SELECT {}, {whole} AS {}, {n} AS {}, {place} AS {}, CASE WHEN {n} > 1 THEN concat('composite_', {place}) END AS {}, \
         arrow_cast(1, 'Float64') / greatest({n}, 1) AS {}, {n} > 1 AS {} FROM (SELECT {others}{whole}, {n}, {place}, \
         unnest(CASE WHEN {n} > 0 THEN {ids} ELSE make_array(arrow_cast(NULL, 'Utf8')) END) AS {part} FROM ({rows}))",
        columns.join(", "),
        named(&format!("_original_{column}"))?,
        named("_expansion_count")?,
        named("_original_index")?,
        named("_composite_entity_id")?,
        named("_entity_weight")?,
        named("_is_composite_component")?,
    ))
}
