//! `parse`: identifiers out of a column.

use super::action::{Action, Kind, Param};
use super::shared::{INPUT, OUTPUT};

/// The action.
pub(super) const ACTION: Action = Action::new(
    "parse",
    "Finds the identifiers in a column, however they are written, and brings them into canonical form.",
    &[
        INPUT,
        Param::new("column", Kind::Column, "The column.")
            .also(&["source_column", "identifier_column"])
            .needed(),
        Param::new("identifier_type", Kind::Text, "The namespace, such as `uniprot`; found in each value where it is not said.")
            .also(&["namespace"]),
        Param::new("output_format", Kind::OneOf(&["columns", "rows", "list"]), "`columns` adds <column>_id, <column>_namespace and <column>_verdict, of the first part of the cell that is an identifier; `rows` makes a row of each part; `list` adds <column>_ids, the list of the identifiers, each once.")
            .or("columns"),
        Param::new("prefix", Kind::Text, "What the added columns begin with instead of the column's name."),
        Param::new("on_invalid", Kind::OneOf(&["keep", "drop", "fail"]), "What becomes of rows without an identifier, of `rows` of parts that are none; `fail` ends the run with the first.")
            .or("keep"),
        OUTPUT,
    ],
);
