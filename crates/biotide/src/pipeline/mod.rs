//! Pipelines: YAML files that say what becomes of tables, step by step.
//!
//! | module | what |
//! |---|---|
//! | [`spec`] | a file, read and checked: its parameters, steps, placeholders and conditions, all with their places |
//! | [`actions`] | what a step can do: one table of parameters an action |

pub mod actions;
pub mod spec;
