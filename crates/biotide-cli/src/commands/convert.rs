//! `biotide convert IN… OUT`.

use biotide::prelude::BiotideContext;

use super::report::{Ender, written};
use crate::args::ConvertArgs;
use crate::error::Failure;
use crate::output::is_pipe_closed;
use crate::progress::Progress;
use crate::settings::Settings;

/// Converts, and says what came of it.
pub(crate) async fn run(
    args: ConvertArgs,
    settings: &Settings,
    context: &BiotideContext,
) -> Result<(), Failure> {
    let to_stdout = args.request.output == "-";
    let output = args.request.output.clone();
    let mut ender = Ender::new(args.ending, settings, !to_stdout);
    ender.check(context)?;
    let mut progress = None;
    let start = |monitor| progress = Some(Progress::of_statement(settings, "convert", monitor));
    let result = context.convert(args.request, start).await;
    drop(progress);
    let report = match result {
        Ok(report) => report,
        Err(error) if to_stdout && is_pipe_closed(&error) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    ender.say(|| written(&report, &output));
    ender.add(&report)?;
    ender.end()
}
