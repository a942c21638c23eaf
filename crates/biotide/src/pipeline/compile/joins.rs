//! Datasets side by side.
//!
//! ```text
//! a ─► numbered ─┐
//!                ├─ join ─► sorted by the numbers of a, then of b
//! b ─► numbered ─┘
//! ```
//!
//! Joins give their rows as they find them. So those of both sides are numbered before: what comes out is in the order
//! of the left rows, those of one in the order of the right; right rows without a partner are last, in their order.

use datafusion::arrow::datatypes::DataType;

use super::super::actions::Params;
use super::alike::{are_alike, as_text, compared};
use super::cell::type_of;
use super::deduplicate::{Nulls, Numbered, any_is_null};
use super::scope::{column_of, refused};
use super::words::{fresh, names, numbered, quoted};
use super::{Made, Scope};
use crate::error::Result;

/// What is joined: a table whose rows are numbered.
struct Side {
    /// What messages call it.
    owner: String,
    /// It, in SQL.
    from: String,
    columns: Vec<Typed>,
    /// The columns that number its rows.
    rows: Vec<String>,
}

/// A column.
#[derive(Clone)]
struct Typed {
    name: String,
    data_type: DataType,
}

/// Two sides, put together.
pub(super) struct Joined {
    /// What the columns are.
    select: Vec<String>,
    columns: Vec<Typed>,
    /// `FROM … AS l JOIN … AS r ON …`.
    from: String,
    /// The columns that number the rows, with their side.
    rows: Vec<String>,
}

/// `join`.
pub(super) fn join(scope: &Scope, params: &Params) -> Result<Made> {
    let left = scope.input(params, "left")?;
    let right = scope.input(params, "right")?;
    let (left, right) = (Side::of(scope, &left), Side::of(scope, &right));
    let on = keys(params, &left, &right)?;
    let suffix = params.text("suffix").unwrap_or("_right");
    let joined = joined(params, &left, &right, &on, suffix)?;
    Ok(Made::Query(joined.ordered()))
}

/// Any number of datasets, each joined to what those before it became.
pub(super) fn merged(scope: &Scope, params: &Params, inputs: &[String]) -> Result<Joined> {
    let [first, second, others @ ..] = inputs else {
        return Err(refused(params, "inputs", "a join needs two"));
    };
    if !others.is_empty() && params.texts("on").is_empty() {
        return Err(refused(params, "on", "a join of more than two needs on"));
    }
    let one_to_many = params.text("one_to_many").unwrap_or("keep_all");
    let with = |left: &Side, right: &str, number: usize| {
        let right = Side::of(scope, right);
        let on = keys(params, left, &right)?;
        let right = right.partners(&on, one_to_many);
        joined(params, left, &right, &on, &format!("_{number}"))
    };
    let mut all = with(&Side::of(scope, first), second, 2)?;
    for (n, right) in others.iter().enumerate() {
        all = with(&all.side(first), right, n + 3)?;
    }
    Ok(all)
}

/// The columns that two tables are joined by: of the left one, of the right one.
fn keys(params: &Params, left: &Side, right: &Side) -> Result<Vec<(Typed, Typed)>> {
    let own = ["left_on", "right_on"];
    let own = own.into_iter().find(|name| params.is_given(name));
    if let Some(name) = own.filter(|_| params.is_given("on")) {
        let problem = "on says the columns of both already; leave one of them out";
        return Err(refused(params, name, problem));
    }
    let (of_left, of_right) = match params.texts("on").is_empty() {
        false => ("on", "on"),
        true => ("left_on", "right_on"),
    };
    let left_on = left.columns_of(params, of_left)?;
    let right_on = right.columns_of(params, of_right)?;
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
        _ => Ok(left_on.into_iter().zip(right_on).collect()),
    }
}

impl Side {
    /// A dataset.
    fn of(scope: &Scope, dataset: &str) -> Self {
        let columns = scope.columns(dataset);
        let row = fresh("__row", &columns);
        let typed = |name: String| Typed {
            data_type: type_of(scope, dataset, &name),
            name,
        };
        Self {
            owner: dataset.to_owned(),
            from: numbered(&quoted(dataset), &row),
            columns: columns.into_iter().map(typed).collect(),
            rows: vec![row],
        }
    }

    fn names(&self) -> Vec<String> {
        names_of(&self.columns)
    }

    fn columns_of(&self, params: &Params, name: &str) -> Result<Vec<Typed>> {
        let own = self.names();
        let find = |wanted| {
            let found = column_of(&own, &self.owner, params, name, wanted)?;
            let column = self.columns.iter().find(|column| column.name == found);
            column
                .cloned()
                .ok_or_else(|| refused(params, name, "it is no column"))
        };
        params.texts(name).into_iter().map(find).collect()
    }

    /// With one row a key, if that is wanted. Rows without a key have no partners, and stay as they are.
    fn partners(self, on: &[(Typed, Typed)], one_to_many: &str) -> Self {
        let by: Vec<String> = on.iter().map(|(_, right)| right.name.clone()).collect();
        let columns = self.names();
        let numbered = Numbered {
            from: self.from.clone(),
            rows: self.rows.clone(),
            columns: &columns,
        };
        let rows = names(&self.rows);
        match one_to_many {
            "first" => Self {
                from: format!(
                    "(SELECT {}, {rows} {})",
                    names(&columns),
                    numbered.chosen(&by, Vec::new(), false, Nulls::Different)
                ),
                ..self
            },
            "aggregate" => {
                let (keys, others): (Vec<Typed>, Vec<Typed>) = self
                    .columns
                    .iter()
                    .cloned()
                    .partition(|column| by.contains(&column.name));
                let lists = others.iter().map(|column| {
                    let name = quoted(&column.name);
                    format!("array_agg({name} ORDER BY {rows}) AS {name}")
                });
                let firsts = self.rows.iter().map(|row| {
                    let row = quoted(row);
                    format!("min({row}) AS {row}")
                });
                let made: Vec<String> = lists.chain(firsts).collect();
                let keys_sql: Vec<String> = keys.iter().map(|key| quoted(&key.name)).collect();
                let from = format!(
                    "(SELECT {0}, {1} FROM {2} GROUP BY {0}, CASE WHEN {3} THEN {rows} END)",
                    keys_sql.join(", "),
                    made.join(", "),
                    self.from,
                    any_is_null(&by)
                );
                let lists = others.into_iter().map(|column| Typed {
                    data_type: DataType::new_list(column.data_type, true),
                    ..column
                });
                Self {
                    from,
                    columns: keys.into_iter().chain(lists).collect(),
                    ..self
                }
            }
            _ => self,
        }
    }
}

impl Joined {
    /// The names of the columns.
    pub(super) fn names(&self) -> Vec<String> {
        names_of(&self.columns)
    }

    /// In the order of the left rows, then of the right.
    pub(super) fn ordered(&self) -> String {
        let rows: Vec<String> = self
            .rows
            .iter()
            .map(|row| format!("{row} NULLS LAST"))
            .collect();
        format!(
            "SELECT {} {} ORDER BY {}",
            self.select.join(", "),
            self.from,
            rows.join(", ")
        )
    }

    /// As the left side of another join.
    fn side(self, owner: &str) -> Side {
        let names = self.names();
        let numbers = 1..=self.rows.len();
        let rows: Vec<String> = numbers
            .map(|n| fresh(&format!("__row_{n}"), &names))
            .collect();
        let numbers = self.rows.iter().zip(&rows);
        let numbers = numbers.map(|(sql, name)| format!("{sql} AS {}", quoted(name)));
        let select: Vec<String> = self.select.into_iter().chain(numbers).collect();
        Side {
            owner: owner.to_owned(),
            from: format!("(SELECT {} {})", select.join(", "), self.from),
            columns: self.columns,
            rows,
        }
    }
}

fn joined(
    params: &Params,
    left: &Side,
    right: &Side,
    on: &[(Typed, Typed)],
    suffix: &str,
) -> Result<Joined> {
    let how = params.text("how").unwrap_or("inner");
    let (left_names, right_names) = (left.names(), right.names());
    let mut select = Vec::new();
    let mut columns = Vec::new();
    for column in &left.columns {
        let key = on.iter().find(|(key, _)| key.name == column.name);
        let (sql, data_type) = match (key, how) {
            // (Of a row that only the right one has, its key.)
            (Some((own, other)), "outer" | "right") => match is_one_type(own, other) {
                true => (
                    format!("coalesce({}, {})", of_left(own), of_right(other)),
                    match own.data_type.is_null() {
                        true => other.data_type.clone(),
                        false => own.data_type.clone(),
                    },
                ),
                false => (
                    format!(
                        "coalesce({}, {})",
                        as_text(&of_left(own), &own.data_type),
                        as_text(&of_right(other), &other.data_type)
                    ),
                    DataType::Utf8,
                ),
            },
            _ => (of_left(column), column.data_type.clone()),
        };
        select.push(format!("{sql} AS {}", quoted(&column.name)));
        columns.push(Typed {
            name: column.name.clone(),
            data_type,
        });
    }
    for column in &right.columns {
        // (`on: id` means the left one's ID too.)
        let is_same_key = |(own, other): &(Typed, Typed)| {
            other.name == column.name && own.name.eq_ignore_ascii_case(&other.name)
        };
        if on.iter().any(is_same_key) {
            continue;
        }
        let mut name = column.name.clone();
        let is_taken = |name: &String| {
            left_names.contains(name) || columns.iter().any(|known: &Typed| known.name == *name)
        };
        while is_taken(&name) || name != column.name && right_names.contains(&name) {
            if suffix.is_empty() {
                let problem = format!("it is empty, and both have the column {name}");
                return Err(refused(params, "suffix", problem));
            }
            name.push_str(suffix);
        }
        select.push(format!("{} AS {}", of_right(column), quoted(&name)));
        columns.push(Typed {
            name,
            data_type: column.data_type.clone(),
        });
    }
    let mut rows = Vec::new();
    let sides = left.rows.iter().map(|row| ("l", row));
    for (side, row) in sides.chain(right.rows.iter().map(|row| ("r", row))) {
        rows.push(format!("{side}.{}", quoted(row)));
    }
    let on: Vec<String> = on.iter().map(|(left, right)| same(left, right)).collect();
    let how = match how {
        "outer" => "FULL OUTER",
        "left" => "LEFT",
        "right" => "RIGHT",
        _ => "INNER",
    };
    Ok(Joined {
        select,
        from: format!(
            "FROM {} AS l {how} JOIN {} AS r ON {}",
            left.from,
            right.from,
            on.join(" AND ")
        ),
        columns,
        rows,
    })
}

fn names_of(columns: &[Typed]) -> Vec<String> {
    columns.iter().map(|column| column.name.clone()).collect()
}

fn of_left(column: &Typed) -> String {
    format!("l.{}", quoted(&column.name))
}

fn of_right(column: &Typed) -> String {
    format!("r.{}", quoted(&column.name))
}

/// Whether keys of both sides can be in one column as they are.
fn is_one_type(left: &Typed, right: &Typed) -> bool {
    are_alike([&left.data_type, &right.data_type])
}

/// That two keys are the same.
fn same(left: &Typed, right: &Typed) -> String {
    let keys = [
        (of_left(left), &left.data_type),
        (of_right(right), &right.data_type),
    ];
    compared(&keys).join(" = ")
}
