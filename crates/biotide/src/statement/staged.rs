//! A `COPY` writes beside its target, which it replaces once it is complete.

use std::path::Path;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::LogicalPlan;

use super::{Statement, exported, fit, partitions, rounded};
use crate::error::{Error, Result};
use crate::mapping::told;
use crate::staged::Staged;

impl Statement {
    /// The plan to run: a `COPY` writes beside its target.
    pub(super) fn staged(&self) -> Result<(LogicalPlan, Option<Staged>)> {
        let mut staged = None;
        // A plan that is only explained writes nothing.
        let explained = matches!(self.plan, LogicalPlan::Explain(_));
        let plan = self.plan.clone().transform_down(|plan| {
            let LogicalPlan::Copy(mut copy) = plan else {
                return Ok(Transformed::no(plan));
            };
            exported::add_slots(&mut copy)?;
            rounded::round_numbers(&mut copy)?;
            partitions::name_folders(&mut copy)?;
            exported::name_delimiter(&mut copy);
            if exported::is_set(&copy) {
                copy.input = Arc::new(told::kept(copy.input.as_ref().clone())?);
            }
            fit::fit(
                &mut copy,
                self.context.meter.budget(),
                self.state.config_options(),
            )?;
            if explained {
                return Ok(Transformed::yes(LogicalPlan::Copy(copy)));
            }
            let target = &copy.output_url;
            let folder = !copy.partition_by.is_empty()
                || target.ends_with('/')
                || (Path::new(target).is_dir() && Path::new(target).extension().is_none());
            let temp = &self.context.temp_dir;
            let beside = Staged::new(target, folder, self.replace_folder, temp)
                .map_err(Error::into_datafusion)?;
            if let Some(beside) = beside {
                // The ending tells DataFusion which it is.
                let end = if folder { "/" } else { "" };
                copy.output_url = format!("{}{end}", beside.path().display());
                staged = Some(beside);
            }
            Ok(Transformed::yes(LogicalPlan::Copy(copy)))
        })?;
        Ok((plan.data, staged))
    }
}
