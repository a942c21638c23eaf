//! What datasets have in common.

use super::super::actions::Params;
use super::alike::compared;
use super::cell::type_of;
use super::merge::in_turn;
use super::over::over;
use super::scope::refused;
use super::words::{CUT, fresh, quoted, text};
use super::{Made, Scope};
use crate::error::Result;

/// More would have too many combinations to be looked at.
const MOST: usize = 20;

/// `calculate_set_overlap`: rows of every set, every two, and every combination that has members.
///
/// `kind` is `set` (n: distinct values), `pair` (n: in both; jaccard; what share of each is in the other), or `region`
/// (n: in exactly these).
pub(super) async fn overlap(scope: &Scope, params: &Params) -> Result<Made> {
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
    let mut columns_of_inputs = Vec::new();
    for (n, input) in scope.inputs(params)?.into_iter().enumerate() {
        let wanted = columns.get(n).or(columns.first());
        let wanted = wanted.copied().unwrap_or_default();
        let column = scope.column(&input, params, "columns", wanted)?;
        let data_type = type_of(scope, &input, &column);
        columns_of_inputs.push((input, quoted(&column), data_type));
    }
    let cells = columns_of_inputs.iter();
    let cells = cells.map(|(_, column, data_type)| (column.clone(), data_type));
    let values = compared(&cells.collect::<Vec<_>>());
    let members = columns_of_inputs.iter().zip(&values).enumerate();
    let members = members.map(|(n, ((input, column, _), value))| {
        format!(
            "SELECT {value} AS v, arrow_cast({}, 'Int64') AS bit FROM {} WHERE {column} IS NOT NULL",
            bit(n),
            quoted(input)
        )
    });
    // (In turn: readers of all of them at once would need the memory of all.)
    let members = in_turn(scope, &members.collect::<Vec<_>>()).await?;
    let keys: Vec<String> = scope.keys().map(str::to_owned).collect();
    let table = quoted(&fresh("biotide_members", &keys));
    let counted = over(scope, members, &table, &counted(&table, &labels)).await?;
    Ok(Made::Plan(Box::new(counted)))
}

/// What stands for a dataset in the combinations of them.
fn bit(n: usize) -> u32 {
    1 << n
}

/// The counts of sets, of every two, and of combinations, of a table of values and the datasets that have them.
///
/// ```text
/// values ─► in which datasets each is ─► how many are in just these ─┐
///                                            places of the result ──┴─► of each place, the sum of those it is of
/// ```
///
/// All of it is one pass over the values: what is counted comes of the few combinations that there are.
fn counted(table: &str, labels: &[&str]) -> String {
    let all = (1_u32 << labels.len()) - 1;
    let mut pairs: Vec<(u32, u32)> = (0..labels.len()).map(|n| (bit(n), bit(n))).collect();
    for first in 0..labels.len() {
        pairs.extend((first + 1..labels.len()).map(|second| (bit(first), bit(second))));
    }
    // (Combinations come last: of each that there is a row.)
    let region = pairs.len();
    pairs.push((all, all));
    let places = pairs.iter().enumerate();
    let places: Vec<String> = places
        .map(|(place, (a, b))| format!("({place}, {a}, {b})"))
        .collect();
    let within: Vec<String> = labels
        .iter()
        .enumerate()
        .map(|(n, label)| {
            format!(
                "CASE WHEN (members & {}) > 0 THEN {} END",
                bit(n),
                text(label)
            )
        })
        .collect();
    let count = |condition: &str| {
        format!("arrow_cast(coalesce(sum(r.n) FILTER (WHERE {condition}), 0), 'Int64')")
    };
    let (in_a, in_b) = ("(r.mask & p.a) > 0", "(r.mask & p.b) > 0");
    let share = |of: &str, name: &str| {
        format!(
            "CASE WHEN kind = 'pair' THEN n / nullif(arrow_cast({of}, 'Float64'), 0) END AS {name}"
        )
    };
    format!(
        "WITH regions AS (SELECT mask, count(*) AS n FROM (SELECT v, bit_or(bit) AS mask FROM {table} GROUP BY v) GROUP BY mask), \
         counts AS (SELECT p.place, CASE WHEN p.place = {region} THEN r.mask ELSE p.a | p.b END AS members, {} AS n, {} AS any_n, \
         {} AS a_n, {} AS b_n FROM (VALUES {}) AS p(place, a, b) LEFT JOIN regions AS r ON true GROUP BY 1, 2), \
         named AS (SELECT *, CASE WHEN place < {} THEN 'set' WHEN place < {region} THEN 'pair' ELSE 'region' END AS kind \
         FROM counts WHERE members IS NOT NULL) \
         SELECT kind, string_to_array(array_to_string(make_array({}), '{CUT}'), '{CUT}') AS sets, n, {}, {}, {} FROM named \
         ORDER BY place, members",
        count(&format!("{in_a} AND {in_b}")),
        count(&format!("{in_a} OR {in_b}")),
        count(in_a),
        count(in_b),
        places.join(", "),
        labels.len(),
        within.join(", "),
        share("any_n", "jaccard"),
        share("a_n", "of_first"),
        share("b_n", "of_second"),
    )
}
