//! One file a verb.

mod convert;
mod inspect;
mod report;
mod run;
mod shell;
mod sql;
mod xref;

use crate::args::Verb;
use crate::error::Failure;
use crate::settings::Settings;

/// Does what was asked for.
pub(crate) async fn run(verb: Verb, settings: &Settings) -> Result<(), Failure> {
    let context = settings.context()?;
    match verb {
        Verb::Sql(args) => sql::run(args, settings, &context).await,
        Verb::Convert(args) => convert::run(args, settings, &context).await,
        Verb::Xref(args) => xref::run(args, settings, &context).await,
        Verb::Run(args) => run::run(args, settings, &context).await,
        Verb::Shell => shell::run(settings, &context).await,
        Verb::Inspect(args) => inspect::run(args, settings, &context).await,
    }
}
