//! `xref_coverage('file', 'column', 'mapping')`: what of a column a mapping knows. The call is replaced by the query
//! that answers it.

use biotide_common::BiotideError;
use biotide_common::options::BiotideOptions;
use biotide_formats::formats;
use datafusion::common::DataFusionError;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, Query, TableFunctionArgs,
};

use super::arguments::Arguments;
use super::loader::missing_column;
use super::source::text;
use super::spec::of_xref;
use crate::error::Result;
use crate::statement::coverage::{Calls, column_name, query_of, text_of};
use crate::statement::functions::literals;

/// How it is called.
pub(crate) const SYNTAX: &str = "xref_coverage('path-or-glob', 'column', 'mapping', targets => ['prefix', …], option => value, …)";

/// What the name of a table begins with that a call is of; the rest is how it was written.
const OF: &str = "xref_coverage of ";

/// Says of a call's column that is not there which there are.
pub(crate) fn named_column(error: DataFusionError) -> DataFusionError {
    match missing_column(&error) {
        Some((Some(table), problem)) => match table.strip_prefix(OF) {
            Some(file) => BiotideError::file(file, problem).into(),
            None => error,
        },
        _ => error,
    }
}

/// Replaces the calls of a statement.
pub(crate) fn resolve(statement: &mut Statement) -> Result<()> {
    Calls {
        name: "xref_coverage",
        query,
    }
    .replace(statement)
}

/// The query of a call; an error is what is wrong with it.
fn query(args: &TableFunctionArgs) -> Result<Query, String> {
    let wanted = || format!("is not what it takes: {SYNTAX}");
    let (mut given, mut reading, mut asking) = (Vec::new(), String::new(), String::new());
    // (It counts identifiers, each of them once.)
    let own = of_xref().filter(|name| !matches!(*name, "policy" | "unmapped"));
    let mut names = Arguments::of(own).and_reading();
    for arg in &args.args {
        match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => given.push(expr),
            FunctionArg::Named { name, .. } => {
                let taken = names.take(&name.value);
                let name = taken.map_err(|problem| format!("has {name}, which {problem}"))?;
                let is_own = BiotideOptions::is_known(&format!("xref_{name}"));
                let list = if is_own { &mut asking } else { &mut reading };
                list.push_str(&format!(", {arg}"));
            }
            _ => return Err(wanted()),
        }
    }
    let [files, column, mapping] = given.as_slice() else {
        return Err(wanted());
    };
    let column = column_name(column).ok_or_else(wanted)?;
    let mapping = texts(mapping).ok_or_else(wanted)?;
    let rows = rows(files, &column, &reading).ok_or_else(wanted)?;
    // (The query that the call is in may have tables of its own with such names.)
    let [found, counts, ranks, fates, sums] = ["found", "counts", "ranks", "fates", "sums"]
        .map(|name| format!("\"{name} of xref_coverage\""));
    // However many identifiers and groups there are, they are sorted or grouped, which spills; no more than the commonest
    // of a group are held. The sum of all is thus the last of running sums: `sum(…) OVER ()` would hold all groups. (They
    // run from the last group to the first, so that sorting by them is sorting by group. Without `|| ''` the engine sees
    // that the groups come sorted the other way, and holds them all to go through them from their end.)
    let sql = format!(
        "WITH {found} AS (SELECT arrow_cast(p.{column}, 'Utf8') AS written, x.resolved, x.verdict, x.hops,
             array_to_string(x.sources, '|') AS source
             FROM ({rows}) AS p, LATERAL xref(p.{column}, {mapping}{asking}, policy => 'first', unmapped => 'keep') AS x),
         {counts} AS (SELECT split_part(resolved, ':', 1) AS namespace, verdict, hops, source, written, count(*) AS n
             FROM {found} GROUP BY 1, 2, 3, 4, 5),
         {ranks} AS (SELECT namespace, verdict, hops, source, written, n,
             row_number() OVER (PARTITION BY namespace, verdict, hops, source ORDER BY n DESC, written) AS place FROM {counts}),
         {fates} AS (SELECT namespace, verdict, hops, source, sum(n) AS n, count(*) AS distinct_values,
             string_agg(concat(written, ' (', n, ')'), ', ' ORDER BY place) FILTER (WHERE place <= 5) AS commonest
             FROM {ranks} GROUP BY namespace, verdict, hops, source),
         {sums} AS (SELECT namespace, verdict, hops, source, n, distinct_values, commonest,
             sum(n) OVER (ORDER BY namespace || '' DESC, verdict DESC, hops DESC, source DESC ROWS UNBOUNDED PRECEDING) AS running FROM {fates})
         SELECT namespace, verdict, hops, source, n,
             round(100.0 * n / first_value(running) OVER (ORDER BY running DESC ROWS UNBOUNDED PRECEDING), 2) AS percent,
             distinct_values, commonest
         FROM {sums}"
    );
    query_of(&sql).ok_or_else(wanted)?
}

/// A text, or a list of them, in SQL.
fn texts(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Array(_) => {
            let all: Vec<String> = literals(expr)?.iter().map(|one| text(one)).collect();
            (!all.is_empty()).then(|| format!("[{}]", all.join(", ")))
        }
        expr => Some(text(&text_of(expr)?)),
    }
}

/// A query of the column of a file, or of several, one below the other.
fn rows(files: &Expr, column: &str, reading: &str) -> Option<String> {
    let files = match files {
        Expr::Array(array) => array.elem.as_slice(),
        file => std::slice::from_ref(file),
    };
    let rows = files.iter().map(|file| {
        let shown = match file {
            Expr::CompoundIdentifier(_) => file.to_string(),
            file => text_of(file)?,
        };
        let from = source(file, reading)?;
        let p = format!("\"{OF}{}\"", shown.replace('"', "\"\""));
        Some(format!(
            "SELECT {p}.{column} AS {column} FROM {from} AS {p}"
        ))
    });
    let rows = rows.collect::<Option<Vec<_>>>()?;
    (!rows.is_empty()).then(|| rows.join(" UNION ALL "))
}

/// A table by its name, a file by its path; options need the format's function.
fn source(file: &Expr, reading: &str) -> Option<String> {
    if reading.is_empty() {
        return Some(file.to_string());
    }
    let path = text_of(file)?;
    let format = formats::by_path(&path).map_or("tsv", |format| format.name());
    Some(format!("read_{format}({file}{reading})"))
}
