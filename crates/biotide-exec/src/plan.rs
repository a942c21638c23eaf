//! What our nodes of physical plans have in common.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use biotide_common::session::QueryLog;
use datafusion_execution::TaskContext;
use datafusion_physical_expr::EquivalenceProperties;
use datafusion_physical_plan::execution_plan::{Boundedness, EmissionType, SchedulingType};
use datafusion_physical_plan::{DisplayFormatType, Partitioning, PlanProperties};

/// Those of a node that makes its rows itself.
pub(crate) fn properties(
    schema: SchemaRef,
    partitions: usize,
    emission: EmissionType,
    scheduling: SchedulingType,
) -> Arc<PlanProperties> {
    let properties = PlanProperties::new(
        EquivalenceProperties::new(schema),
        Partitioning::UnknownPartitioning(partitions),
        emission,
        Boundedness::Bounded,
    );
    Arc::new(properties.with_scheduling_type(scheduling))
}

/// The threads of a statement, which may be more than it has partitions.
pub(crate) fn threads(context: &TaskContext) -> usize {
    let config = context.session_config();
    let log = config.get_extension::<QueryLog>();
    log.map_or(config.target_partitions(), |log| log.threads)
}

/// Shows a node, with its name where that does not stand there already.
pub(crate) fn show(
    name: &str,
    shown: &str,
    kind: DisplayFormatType,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    match kind {
        DisplayFormatType::TreeRender => f.write_str(shown),
        _ => write!(f, "{name}: {shown}"),
    }
}
