//! Pipelines: YAML files that say what becomes of tables, step by step.
//!
//! | module | what |
//! |---|---|
//! | [`spec`] | a file, read and checked: its parameters, steps, placeholders and conditions, all with their places |
//! | [`run`] | steps become views, each sink is run as one plan |
//! | [`actions`] | what a step can do: one table of parameters an action |

pub mod actions;
mod compile;
pub mod run;
pub mod spec;

pub use run::{PipelineReport, RunOptions};
pub use spec::Pipeline;
