//! The command `biotide`: SQL over large, messy text tables, and their conversion.
//!
//! ```text
//! args (as typed) ─► settings (ready to use) ─► commands ─► output, progress
//! ```
//!
//! Results go to standard output, everything else to standard error; numbers of the work, where they are asked for, to
//! who scrapes them (`metrics`).

mod args;
mod commands;
mod error;
mod metrics;
mod output;
mod progress;
mod settings;
mod signals;
mod stderr;

use std::process::ExitCode;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use crate::args::{Args, Verb};
use crate::error::{Context, Failure};
use crate::metrics::Server;
use crate::progress::ShowProgress;
use crate::settings::Settings;

/// The system's allocator keeps freed batches of other threads for long. This one gives their pages back
/// (`.cargo/config.toml` says when), which the promise about the process's memory rests on.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// How long tasks that still run may take to let go of their files.
const SHUTDOWN: Duration = Duration::from_secs(2);

/// The same after a signal: whoever sent it is waiting.
const AT_ONCE: Duration = Duration::from_millis(300);

fn main() -> ExitCode {
    let args = match args::parse(std::env::args_os()) {
        Ok(args) => args,
        Err(usage) => {
            // Fails only if the stream is closed, and then nobody is there to be told.
            let _ = usage.print();
            return ExitCode::from(u8::try_from(usage.exit_code()).unwrap_or(2));
        }
    };
    // An inspection shows the warnings among what was found.
    let shows_warnings = matches!(args.verb, Verb::Inspect(_));
    let events = args.globals.progress == ShowProgress::Json;
    stderr::start(args.globals.quiet || shows_warnings, events);
    match start(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            stderr::fail(&failure.message(), failure.exit_code());
            ExitCode::from(failure.exit_code())
        }
    }
}

fn start(args: Args) -> Result<(), Failure> {
    let settings = Settings::new(args.globals, args.read_options)?;
    let listen = |address| Server::listen(address, &settings);
    // (To the end.)
    let _server = settings.metrics.as_deref().map(listen).transpose()?;
    let runtime = Builder::new_multi_thread()
        .worker_threads(settings.worker_threads())
        .thread_name("biotide")
        .enable_all()
        .build()
        .context("starting the threads")?;
    let result = runtime.block_on(async {
        // A shell outlives the statement that a signal ends.
        if let Verb::Shell = args.verb {
            return commands::run(args.verb, &settings).await;
        }
        tokio::select! {
            result = commands::run(args.verb, &settings) => result,
            signal = signals::first() => Err(Failure::Signal(signal?)),
        }
    });
    let within = match result {
        Err(Failure::Signal(_)) => AT_ONCE,
        _ => SHUTDOWN,
    };
    if result.is_err() {
        clean_up(&runtime, within);
    }
    runtime.shutdown_timeout(within);
    if result.is_err() {
        // (A task that was told to end may have written for a moment more.)
        biotide::remove_unfinished();
    }
    result
}

/// Waits until the staged files of what was dropped are gone. The local store removes them on a blocking
/// thread, and a runtime that shuts down drops what waits for such a thread: so tasks get a moment to be
/// dropped, and then a task behind theirs in the queue has its turn. (Nothing is awaited: operators that yield to
/// nobody may hold all threads on which the runtime wakes its tasks.)
fn clean_up(runtime: &Runtime, within: Duration) {
    std::thread::sleep(Duration::from_millis(100));
    let (tell, told) = std::sync::mpsc::channel();
    runtime.spawn_blocking(move || tell.send(()).ok());
    told.recv_timeout(within).ok();
}
