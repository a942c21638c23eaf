//! `merge_datasets`: several datasets become one.

use super::action::{Action, Kind, Param};
use super::join::JOINS;
use super::shared::{INPUTS, OUTPUT};

/// The action.
pub(super) const ACTION: Action = Action::new(
    "merge_datasets",
    "Puts datasets one below the other, by the names of columns, or side by side. Rows stay in their order: those of the first dataset, then those of the next; of a join as those of `join`. A column whose types differ becomes text, each value as its type is written (a number that was 1.50 in its file is 1.5; beside whole numbers 2.0 is 2); whole numbers stay numbers, whatever their width.",
    &[
        INPUTS,
        Param::new("merge_strategy", Kind::OneOf(&["concat", "join"]), "One below the other, or side by side.")
            .also(&["strategy", "mode"])
            .or("concat"),
        Param::new("how", JOINS, "Of a join, which rows without a partner are kept.")
            .also(&["join_type", "join_how"])
            .or("inner"),
        Param::new("on", Kind::Columns, "Of a join, the columns, where all have the same names. What further datasets have besides is added, with `_2`, `_3` … behind a name that is there already.")
            .also(&["join_on", "join_columns"]),
        Param::new("left_on", Kind::Columns, "Of a join of two, the columns of the first."),
        Param::new("right_on", Kind::Columns, "Of a join of two, the columns of the second, in the same order."),
        Param::new("deduplicate", Kind::Columns, "Of rows with the same values in these columns one is kept.")
            .also(&["deduplication_column", "dedup_columns"]),
        Param::new("dedup", Kind::OneOf(&["first", "last", "all"]), "Which of them, in the order of the result; `all` keeps every row.")
            .also(&["keep"])
            .or("first"),
        Param::new("one_to_many", Kind::OneOf(&["keep_all", "first", "aggregate"]), "Of a join, what becomes of a row with several partners: a row each, the first, or one with lists, in the order of their dataset.")
            .also(&["handle_one_to_many"])
            .or("keep_all"),
        OUTPUT,
    ],
);
