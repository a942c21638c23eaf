//! The SQL shell: `biotide` without a verb. Where standard input is no terminal, its statements are run as
//! those of a script.

mod complete;
mod helper;
mod highlight;
mod history;
mod meta;
mod pager;

use std::io::IsTerminal;

use biotide::prelude::{BiotideContext, SchemaRef};
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{Config, Editor};

use super::sql::{self, Show};
use crate::args::{Ending, Script, SqlArgs};
use crate::error::{Context, Failure};
use crate::output::Output;
use crate::settings::Settings;
use crate::signals::{Signal, Watch};
use crate::stderr;
use helper::ShellHelper;
use meta::{Meta, Next};
use pager::Pager;

const PROMPT: &str = "biotide> ";

const HELLO: &str = "Statements end with a semicolon; files are tables: SELECT * FROM 'data.tsv' LIMIT 10;\n\
                     \\? lists commands, \\q leaves.";

/// What the shell keeps between statements.
struct Shell<'a> {
    context: &'a BiotideContext,
    settings: &'a Settings,
    /// Whether times are told.
    timing: bool,
    /// Where results go, if not to the screen.
    output: Option<String>,
    pager: bool,
}

/// Reads and runs statements until the end of the input.
pub(crate) async fn run(settings: &Settings, context: &BiotideContext) -> Result<(), Failure> {
    if !std::io::stdin().is_terminal() {
        let args = SqlArgs {
            script: Script::Stdin,
            output: None,
            format: None,
            ending: Ending::default(),
        };
        return sql::run(args, settings, context).await;
    }
    let signals = Watch::start()?;
    let config = Config::builder().auto_add_history(false).build();
    let mut editor: Editor<ShellHelper, FileHistory> =
        Editor::with_config(config).context("opening the terminal")?;
    editor.set_helper(Some(ShellHelper::new(context.clone())));
    let history = history::path();
    if let Some(path) = &history {
        // The first time there is none.
        editor.load_history(path).ok();
    }
    let mut shell = Shell {
        context,
        settings,
        timing: true,
        output: None,
        pager: true,
    };
    if !settings.quiet {
        stderr::say(format_args!(
            "biotide {}\n{HELLO}",
            env!("CARGO_PKG_VERSION")
        ));
    }
    loop {
        match editor.readline(PROMPT) {
            Ok(line) if line.trim().is_empty() => {}
            Ok(line) => {
                editor.add_history_entry(line.trim()).ok();
                if let Some(path) = &history {
                    history::save(&mut editor, path);
                }
                if shell.take(&line, &signals).await? == Next::Leave {
                    return Ok(());
                }
            }
            // A line that is given up is gone; the shell is not.
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => return Ok(()),
            Err(error) => {
                return Err(error)
                    .context("reading the terminal")
                    .map_err(Into::into);
            }
        }
    }
}

/// The columns of what stands behind a FROM.
async fn schema_of(context: &BiotideContext, source: &str) -> Result<SchemaRef, biotide::Error> {
    let sql = format!("SELECT * FROM {source} LIMIT 0");
    Ok(context.sql(&sql).await?.schema())
}

impl Shell<'_> {
    /// Runs what was typed; an error of it is told and ends nothing.
    async fn take(&mut self, line: &str, signals: &Watch) -> Result<Next, Failure> {
        let done = tokio::select! {
            done = self.run(line) => done,
            signal = signals.next() => match signal {
                Signal::INTERRUPT => {
                    stderr::clear_bar();
                    stderr::say("cancelled");
                    return Ok(Next::Go);
                }
                signal => return Err(Failure::Signal(signal)),
            },
        };
        match done {
            Ok(next) => Ok(next),
            Err(failure) => {
                stderr::say(failure.message());
                Ok(Next::Go)
            }
        }
    }

    async fn run(&mut self, line: &str) -> Result<Next, Failure> {
        if let Some(meta) = Meta::parse(line)? {
            return Box::pin(self.meta(meta)).await;
        }
        self.script(line).await?;
        Ok(Next::Go)
    }

    async fn script(&self, script: &str) -> Result<(), Failure> {
        for statement in BiotideContext::split_statements(script)? {
            self.statement(&statement).await?;
        }
        Ok(())
    }

    async fn statement(&self, statement: &str) -> Result<(), Failure> {
        let show = Show {
            context: self.context,
            settings: self.settings,
            timing: self.timing,
        };
        if let Some(file) = &self.output
            && sql::is_query(statement)
        {
            return show.to_file(statement, file).await;
        }
        let paged = self.pager && sql::is_query(statement);
        // (It outlives what writes to it, whichever way this ends.)
        let pager = paged.then(Pager::new).flatten();
        let mut out = Output::new(None)?;
        if let Some(pager) = &pager {
            out.send_to(pager.input());
        }
        let shown = show.on(statement, &mut out).await;
        drop(out);
        // What is said of the result comes below it.
        drop(pager);
        if let Some(line) = shown? {
            stderr::say(line);
        }
        Ok(())
    }
}
