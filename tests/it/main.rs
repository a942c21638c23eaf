//! The integration tests.

mod cli;
mod codecs;
mod compressed;
mod convert;
mod docs;
#[cfg(target_os = "linux")]
mod faults;
mod hostile;
mod inference;
mod inspect;
#[cfg(unix)]
mod interrupt;
mod json;
mod limits;
mod memory;
mod monitor;
mod odd_files;
mod parallel;
mod pipeline;
mod pipeline_checks;
mod pipeline_composite;
mod pipeline_conditions;
mod pipeline_examples;
mod pipeline_files;
mod pipeline_identifiers;
mod pipeline_joins;
mod pipeline_load;
mod pipeline_order;
mod pipeline_rejects;
mod pipeline_report;
mod pipeline_resume;
mod pipeline_rows;
mod pipeline_run;
mod pipeline_sorts;
mod processors;
mod progress;
mod queries;
mod ranks;
mod real_data;
#[cfg(unix)]
mod resume;
#[cfg(unix)]
mod resume_inputs;
mod same_answer;
#[cfg(target_os = "linux")]
mod shell;
mod slt;
mod spans;
mod sssom;
mod streaming;
mod support;
mod ugly;
mod xref;
mod xref_command;
