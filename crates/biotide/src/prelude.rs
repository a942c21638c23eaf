//! What most programs need: `use biotide::prelude::*;`

pub use crate::builder::BiotideContextBuilder;
pub use crate::context::BiotideContext;
pub use crate::convert::{ConvertReport, ConvertRequest};
pub use crate::inspect::{InspectRequest, Inspection};
pub use crate::monitor::Monitor;
pub use crate::normalize::Rules;
pub use crate::statement::Statement;
pub use crate::{Error, IdentifierParser, Parsed, ScanReport, Verdict};
pub use arrow::array::RecordBatch;
pub use arrow::datatypes::SchemaRef;
pub use datafusion::execution::SendableRecordBatchStream;
