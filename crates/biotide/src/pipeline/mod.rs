//! Pipelines: YAML files that say what becomes of tables, step by step.
//!
//! | module | what |
//! |---|---|
//! | [`spec`] | a file, read and checked: its parameters, steps, placeholders and conditions, all with their places |
//! | [`custom`] | actions of the program |
//! | [`run`] | steps become views, each sink is run as one plan |
//! | [`actions`] | what a step can do: one table of parameters an action |

pub mod actions;
mod compile;
pub mod custom;
pub(crate) mod measure;
pub mod run;
pub(crate) mod sift;
pub mod spec;

pub use custom::{ActionStep, PROCESSOR_PARAMS, PipelineAction, ProcessorAction};
pub use measure::StepNumbers;
pub use run::{PipelineReport, RunOptions};
pub use spec::Pipeline;
