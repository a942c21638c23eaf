//! What datasets have in common.

use super::super::actions::Params;
use super::scope::refused;
use super::words::{quoted, text, texts};
use super::{Made, Scope};
use crate::error::Result;

/// More would have too many combinations to be looked at.
const MOST: usize = 20;

/// `calculate_set_overlap`: rows of every set, every two, and every combination that has members.
///
/// `kind` is `set` (n: distinct values), `pair` (n: in both; jaccard; what share of each is in the other), or `region`
/// (n: in exactly these).
pub(super) fn overlap(scope: &Scope, params: &Params) -> Result<Made> {
    let inputs = params.texts("inputs");
    let columns = params.texts("columns");
    if inputs.len() > MOST {
        return Err(refused(
            params,
            "inputs",
            format!("it names more than {MOST}"),
        ));
    }
    if columns.len() != 1 && columns.len() != inputs.len() {
        let problem = format!(
            "it names {} columns for {} datasets: one for all, or one for each",
            columns.len(),
            inputs.len()
        );
        return Err(refused(params, "columns", problem));
    }
    let given = params.texts("names");
    if !given.is_empty() && given.len() != inputs.len() {
        let problem = format!("it has {} names for {} datasets", given.len(), inputs.len());
        return Err(refused(params, "names", problem));
    }
    let labels: Vec<&str> = if given.is_empty() {
        inputs.clone()
    } else {
        given
    };
    let mut members = Vec::new();
    for (n, input) in scope.inputs(params)?.iter().enumerate() {
        let wanted = columns
            .get(n)
            .or(columns.first())
            .copied()
            .unwrap_or_default();
        let column = quoted(&scope.column(input, params, "columns", wanted)?);
        members.push(format!(
            "SELECT DISTINCT arrow_cast({column}, 'Utf8') AS v, {} AS bit FROM {} WHERE {column} IS NOT NULL",
            1_u32 << n,
            quoted(input)
        ));
    }
    let has = |n: usize| format!("(mask & {}) > 0", 1_u32 << n);
    let count = |condition: &str| format!("coalesce(sum(n) FILTER (WHERE {condition}), 0)");
    let mut rows = Vec::new();
    // (What is put together by UNION ALL comes in any order.)
    let row = |place: usize, kind: &str, sets: &[&str], n: String, rest: &str| {
        format!(
            "SELECT {place} AS place, 0 AS mask, {} AS kind, {} AS sets, arrow_cast({n}, 'Int64') AS n, {rest} FROM regions",
            text(kind),
            texts(sets.iter().copied())
        )
    };
    const NONE: &str = "arrow_cast(NULL, 'Float64') AS jaccard, arrow_cast(NULL, 'Float64') AS of_first, \
                        arrow_cast(NULL, 'Float64') AS of_second";
    for (n, label) in labels.iter().enumerate() {
        rows.push(row(rows.len(), "set", &[label], count(&has(n)), NONE));
    }
    for (a, first) in labels.iter().enumerate() {
        for (b, second) in labels.iter().enumerate().skip(a + 1) {
            let both = count(&format!("{} AND {}", has(a), has(b)));
            let any = count(&format!("{} OR {}", has(a), has(b)));
            let share = |of: String| format!("{both} / nullif(arrow_cast({of}, 'Float64'), 0)");
            let rest = format!(
                "{} AS jaccard, {} AS of_first, {} AS of_second",
                share(any),
                share(count(&has(a))),
                share(count(&has(b)))
            );
            rows.push(row(
                rows.len(),
                "pair",
                &[first, second],
                both.clone(),
                &rest,
            ));
        }
    }
    let within: Vec<String> = labels
        .iter()
        .enumerate()
        .map(|(n, label)| format!("CASE WHEN {} THEN {} END", has(n), text(label)))
        .collect();
    rows.push(format!(
        "SELECT {} AS place, mask, 'region' AS kind, \
         string_to_array(array_to_string(make_array({}), '\u{1f}'), '\u{1f}') AS sets, n, {NONE} FROM regions",
        rows.len(),
        within.join(", ")
    ));
    let all = members.join(" UNION ALL ");
    Ok(Made::Query(format!(
        "WITH regions AS (SELECT mask, count(*) AS n FROM (SELECT v, sum(bit) AS mask FROM ({all}) GROUP BY v) GROUP BY mask) \
         SELECT kind, sets, n, jaccard, of_first, of_second FROM ({}) ORDER BY place, mask",
        rows.join(" UNION ALL ")
    )))
}
