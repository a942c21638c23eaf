//! Datasets put together.

use super::super::actions::Params;
use super::rows::distinct;
use super::scope::refused;
use super::words::{names, quoted};
use super::{Made, Scope};
use crate::error::Result;

/// `join`.
pub(super) fn join(scope: &Scope, params: &Params) -> Result<Made> {
    let left = scope.input(params, "left")?;
    let right = scope.input(params, "right")?;
    let (left_on, right_on) = keys(scope, params, &left, &right)?;
    let how = params.text("how").unwrap_or("inner");
    let suffix = params.text("suffix").unwrap_or("_right");
    let columns = columns(scope, (&left, &right), (&left_on, &right_on), how, suffix);
    Ok(Made::Query(format!(
        "SELECT {columns} {}",
        joined(&quoted(&left), &quoted(&right), &left_on, &right_on, how)
    )))
}

/// The columns that two datasets are joined by.
fn keys(
    scope: &Scope,
    params: &Params,
    left: &str,
    right: &str,
) -> Result<(Vec<String>, Vec<String>)> {
    if !params.texts("on").is_empty() {
        let left = scope.columns_of(left, params, "on")?;
        let right = scope.columns_of(right, params, "on")?;
        return Ok((left, right));
    }
    let left_on = scope.columns_of(left, params, "left_on")?;
    let right_on = scope.columns_of(right, params, "right_on")?;
    match (left_on.len(), right_on.len()) {
        (0, 0) => Err(refused(
            params,
            "on",
            "it says not by which columns: on, or left_on and right_on",
        )),
        (a, b) if a != b => Err(refused(
            params,
            "right_on",
            format!("it names {b} columns, and left_on {a}"),
        )),
        _ => Ok((left_on, right_on)),
    }
}

fn joined(left: &str, right: &str, left_on: &[String], right_on: &[String], how: &str) -> String {
    let on: Vec<String> = left_on
        .iter()
        .zip(right_on)
        .map(|(left, right)| format!("l.{} = r.{}", quoted(left), quoted(right)))
        .collect();
    let how = match how {
        "outer" => "FULL OUTER",
        "left" => "LEFT",
        "right" => "RIGHT",
        _ => "INNER",
    };
    format!(
        "FROM {left} AS l {how} JOIN {right} AS r ON {}",
        on.join(" AND ")
    )
}

fn columns(
    scope: &Scope,
    (left, right): (&str, &str),
    (left_on, right_on): (&[String], &[String]),
    how: &str,
    suffix: &str,
) -> String {
    let own = scope.columns(left);
    let mut columns: Vec<String> = own
        .iter()
        .map(|name| {
            let at = left_on.iter().position(|on| on == name);
            match (at, how) {
                // (Of a row that only the right one has, its key.)
                (Some(at), "outer" | "right") => format!(
                    "coalesce(l.{}, r.{}) AS {}",
                    quoted(name),
                    quoted(&right_on[at]),
                    quoted(name)
                ),
                _ => format!("l.{}", quoted(name)),
            }
        })
        .collect();
    for name in scope.columns(right) {
        let is_key = right_on.contains(&name);
        if is_key && own.contains(&name) {
            continue;
        }
        columns.push(match own.contains(&name) {
            true => format!(
                "r.{} AS {}",
                quoted(&name),
                quoted(&format!("{name}{suffix}"))
            ),
            false => format!("r.{}", quoted(&name)),
        });
    }
    columns.join(", ")
}

/// `merge_datasets`.
pub(super) fn merge(scope: &Scope, params: &Params) -> Result<Made> {
    let mut inputs = Vec::new();
    for input in params.placed_texts("inputs") {
        match scope.dataset(input.value) {
            Some(_) => inputs.push(input.value.to_owned()),
            None => {
                let problem = format!("'{}' is no dataset", input.value);
                return Err(input.place.error(problem).into());
            }
        }
    }
    let sql = match params.text("merge_strategy") {
        Some("join") => merged(scope, params, &inputs)?,
        _ => concatenated(scope, &inputs),
    };
    let by = params.texts("deduplicate");
    let last = match params.text("dedup") {
        Some("all") => return Ok(Made::Query(sql)),
        keep => keep == Some("last"),
    };
    if by.is_empty() {
        return Ok(Made::Query(sql));
    }
    let by: Vec<String> = by.into_iter().map(str::to_owned).collect();
    let query = distinct("__merged", &by, None, last);
    Ok(Made::Query(format!("WITH \"__merged\" AS ({sql}) {query}")))
}

/// One below the other, by the names of columns.
fn concatenated(scope: &Scope, inputs: &[String]) -> String {
    let mut all: Vec<String> = Vec::new();
    for input in inputs {
        for column in scope.columns(input) {
            if !all.contains(&column) {
                all.push(column);
            }
        }
    }
    let parts: Vec<String> = inputs
        .iter()
        .map(|input| {
            let own = scope.columns(input);
            let columns: Vec<String> = all
                .iter()
                .map(|name| match own.contains(name) {
                    true => quoted(name),
                    false => format!("NULL AS {}", quoted(name)),
                })
                .collect();
            format!("SELECT {} FROM {}", columns.join(", "), quoted(input))
        })
        .collect();
    parts.join(" UNION ALL ")
}

/// Side by side.
fn merged(scope: &Scope, params: &Params, inputs: &[String]) -> Result<String> {
    let how = params.text("how").unwrap_or("inner");
    let [first, others @ ..] = inputs else {
        return Err(refused(params, "inputs", "a join needs two"));
    };
    if others.len() > 1 && params.texts("on").is_empty() {
        return Err(refused(params, "on", "a join of more than two needs on"));
    }
    let one_to_many = params.text("one_to_many").unwrap_or("keep_all");
    let mut from = quoted(first);
    let mut left = first.clone();
    let mut sql = String::new();
    for (n, right) in others.iter().enumerate() {
        let (left_on, right_on) = keys(scope, params, &left, right)?;
        let source = partners(scope, right, &right_on, one_to_many);
        let columns = columns(
            scope,
            (&left, right),
            (&left_on, &right_on),
            how,
            &format!("_{}", n + 2),
        );
        sql = format!(
            "SELECT {columns} {}",
            joined(&from, &source, &left_on, &right_on, how)
        );
        from = format!("({sql})");
        left.clone_from(first);
    }
    Ok(sql)
}

/// The right one of a join, with one row a key if that is wanted.
fn partners(scope: &Scope, right: &str, on: &[String], one_to_many: &str) -> String {
    let from = quoted(right);
    match one_to_many {
        "first" => format!("({})", distinct(right, on, None, false)),
        "aggregate" => {
            let others = scope.columns(right);
            let lists: Vec<String> = others
                .iter()
                .filter(|name| !on.contains(name))
                .map(|name| format!("array_agg({0}) AS {0}", quoted(name)))
                .collect();
            let all = [vec![names(on)], lists].concat().join(", ");
            format!("(SELECT {all} FROM {from} GROUP BY {})", names(on))
        }
        _ => from,
    }
}
