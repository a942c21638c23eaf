//! `normalize`: columns made uniform by rules.

use super::action::{Action, Kind, Param};
use super::shared::{INPUT, OUTPUT};

/// The action.
pub(super) const ACTION: Action = Action::new(
    "normalize",
    "Makes columns uniform by rules, as the table function normalize does.",
    &[
        INPUT,
        Param::new("rules", Kind::Rules, "A file of rules, the name of built-in ones, or the rules themselves: `{field_rules: […]}`.")
            .also(&["rules_path", "config"])
            .needed(),
        Param::new("unmapped", Kind::OneOf(&["keep", "drop"]), "What becomes of columns without a rule; what the rules say where it is not said."),
        OUTPUT,
    ],
);
