//! Steps, measured while they run.
//!
//! A sink is one plan over the views of its steps, in which no step could be told from another. So a node stands over
//! what each of them makes. It passes rows through as they are, counts them, and hides nothing from the optimizer:
//! columns, filters that cannot fail, and limits move through it, so the rows of a step are those that the steps after it left to it. (To
//! hold them up would give each step its full number, and cost more than that is worth: a condition that reaches the
//! reader spares it to make the other columns of rows that nobody wants.)

mod exec;
mod fallible;
mod kept;
mod logical;
mod numbers;

pub(crate) use exec::{StepExec, is_placed};
pub(crate) use kept::KeptConditions;
pub(crate) use logical::{StepInfo, StepNode};
pub use numbers::StepNumbers;
pub(crate) use numbers::of;
