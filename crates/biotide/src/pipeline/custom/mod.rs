//! Actions of the program: what is none of SQL's business, as a step beside the built-in ones.
//!
//! A [`PipelineAction`] makes a plan of the datasets before it: with DataFusion's `DataFrame`, with SQL, or with
//! processors, which are given rows chunk by chunk. [`ProcessorAction`] is one for a single processor. They are made
//! known by [`pipeline_action`](crate::builder::BiotideContextBuilder::pipeline_action).

mod action;
mod options;
mod processor;
mod step;

pub use action::PipelineAction;
pub use options::PROCESSOR_PARAMS;
pub(crate) use options::processor_options;
pub use processor::ProcessorAction;
pub use step::ActionStep;
