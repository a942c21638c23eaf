//! `validate`: what rows and tables must be.

use super::action::{Action, Kind, Param};
use super::shared::{INPUT, OUTPUT};

/// The action.
pub(super) const ACTION: Action = Action::new(
    "validate",
    "Checks rows and the whole table, and reports what fails.",
    PARAMS,
);

const CHECK: &[Param] = &[
    Param::new(
        "check",
        Kind::OneOf(&[
            "not_null",
            "unique",
            "regex",
            "range",
            "in_set",
            "row_count",
            "condition",
        ]),
        "What is checked, where no parameter below says it.",
    )
    .also(&["type"]),
    Param::new("column", Kind::Columns, "The column, or columns.").also(&["columns"]),
    Param::new("not_null", Kind::Columns, "These columns have a value."),
    Param::new(
        "unique",
        Kind::Columns,
        "No two rows have the same values in these columns together. A row that lacks one of them is like no other.",
    ),
    Param::new(
        "regex",
        Kind::Text,
        "The whole text of the column is of this regular expression.",
    )
    .also(&["pattern"]),
    Param::new(
        "range",
        Kind::List,
        "The least and the most of the column, `[1, 10]`; null is no bound. What is no number fails, as NaN does; a cell without a value passes.",
    ),
    Param::new(
        "in_set",
        Kind::Texts,
        "The values that the column may have, read as its type as those of FILTER_DATASET are; a cell without one passes.",
    )
    .also(&["values"]),
    Param::new(
        "row_count",
        Kind::Map,
        "`min` and `max` of the number of rows; not with `on_fail: drop`, as no row is the one that fails.",
    ),
    Param::new(
        "condition",
        Kind::Sql,
        "A condition of SQL that holds for every row.",
    )
    .also(&["expression"]),
    Param::new(
        "min",
        Kind::Number {
            min: f64::NEG_INFINITY,
            max: f64::INFINITY,
        },
        "The least, of `range` and `row_count`.",
    ),
    Param::new(
        "max",
        Kind::Number {
            min: f64::NEG_INFINITY,
            max: f64::INFINITY,
        },
        "The most, of `range` and `row_count`.",
    ),
    Param::new(
        "severity",
        Kind::OneOf(&["error", "warning", "info"]),
        "Whether a failure is one of the step, or told only.",
    )
    .or("error"),
    Param::new("name", Kind::Text, "What the report calls the check."),
];

const PARAMS: &[Param] = &[
    INPUT,
    Param::new("checks", Kind::List, "The checks: `{not_null: uniprot}`, `{regex: '[A-Z].*', column: uniprot, severity: warning}`.")
        .of(CHECK)
        .needed()
        .at_least(1),
    Param::new("on_fail", Kind::OneOf(&["fail", "drop", "keep"]), "What a failure of severity `error` does: ends the run, drops the row, or nothing; of `row_count`, for which no row can be dropped, `drop` ends the run too. A run that goes on after a failure of severity `error` or `warning` is a partial success.")
        .or("fail"),
    Param::new("report_path", Kind::Path, "Where the report is written to: .json, .jsonl, .csv, .tsv or .parquet."),
    OUTPUT,
];
