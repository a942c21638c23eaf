//! SIGINT and SIGTERM. The first one drops the work, and its drops remove what is half written; the
//! second one, or work that cannot be dropped soon, ends the process at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio::sync::{broadcast, oneshot};

use crate::error::{Context, Failure};
use crate::stderr;

/// How long dropping the work may take.
const GRACE: Duration = Duration::from_secs(10);

/// How long the work may take to let itself be dropped: an operator that yields to nobody, such as a join of every row
/// with every other one, may go on for hours.
const NOTICE: Duration = Duration::from_millis(800);

/// How long a statement of the shell may take to end before more is said.
const PROMPTLY: Duration = Duration::from_secs(1);

/// Number of a signal that was caught.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signal(u8);

impl Signal {
    /// Ctrl-C.
    pub(crate) const INTERRUPT: Self = Self(2);

    /// As a shell reports it.
    pub(crate) fn exit_code(self) -> u8 {
        128 + self.0
    }

    pub(crate) fn name(self) -> &'static str {
        if self == Self::INTERRUPT {
            "interrupted"
        } else {
            "terminated"
        }
    }
}

/// Hands signals to `on` one after the other, on a thread of its own with a runtime of its own: those of
/// the work may be busy for as long as the work takes.
fn listen(mut on: impl AsyncFnMut(Signal) + Send + 'static) -> Result<(), Failure> {
    let (tell, ready) = std::sync::mpsc::channel();
    let run = move || {
        let started = Builder::new_current_thread()
            .enable_all()
            .build()
            .and_then(|runtime| {
                let signals = runtime.block_on(async { Signals::listen() })?;
                Ok((runtime, signals))
            });
        let (runtime, mut signals) = match started {
            Ok(started) => started,
            Err(error) => {
                tell.send(Err(error)).ok();
                return;
            }
        };
        tell.send(Ok(())).ok();
        runtime.block_on(async {
            loop {
                on(signals.next().await).await;
            }
        });
    };
    let thread = std::thread::Builder::new().name("signals".to_owned());
    thread.spawn(run).context("listening for signals")?;
    // Nothing is begun before signals are listened for.
    match ready.recv() {
        Ok(started) => Ok(started.context("listening for signals")?),
        Err(_) => Ok(()),
    }
}

/// Waits for the first signal.
pub(crate) async fn first() -> Result<Signal, Failure> {
    let (tell, told) = oneshot::channel();
    let mut tell = Some(tell);
    let noticed = Arc::<AtomicBool>::default();
    let notice = Arc::clone(&noticed);
    listen(async move |signal| {
        let Some(tell) = tell.take() else {
            // The second one.
            exit(signal);
        };
        // If nobody listens any more, the work has ended.
        let is_heard = tell.send(signal).is_ok();
        let noticed = Arc::clone(&noticed);
        std::thread::spawn(move || {
            std::thread::sleep(NOTICE);
            if is_heard && !noticed.load(Ordering::Relaxed) {
                stderr::clear_bar();
                stderr::fail(signal.name(), signal.exit_code());
                exit(signal);
            }
            std::thread::sleep(GRACE);
            exit(signal);
        });
    })?;
    let signal = told.await.context("listening for signals")?;
    notice.store(true, Ordering::Relaxed);
    Ok(signal)
}

/// Ends the process, whatever it is at.
fn exit(signal: Signal) -> ! {
    biotide::remove_unfinished();
    std::process::exit(signal.exit_code().into())
}

/// The signals of a shell, which outlives the statement that one of them ends. They are listened for from
/// its start to its end: one that comes while nothing runs must neither end the shell nor, if it asks to
/// end it, be lost.
pub(crate) struct Watch {
    tell: broadcast::Sender<Signal>,
    /// Statements that have listened.
    statements: Arc<AtomicU64>,
}

impl Watch {
    pub(crate) fn start() -> Result<Self, Failure> {
        let (tell, _) = broadcast::channel(1);
        let statements = Arc::<AtomicU64>::default();
        let watch = Self {
            tell: tell.clone(),
            statements: Arc::clone(&statements),
        };
        // The statement that was told to end, and did not.
        let mut stuck = None;
        listen(async move |signal| {
            let heard = tell.send(signal).is_ok();
            if signal != Signal::INTERRUPT {
                if heard {
                    tokio::time::sleep(GRACE).await;
                }
                exit(signal);
            }
            let statement = statements.load(Ordering::Relaxed);
            if heard && stuck == Some(statement) {
                exit(signal);
            }
            let begin = Instant::now();
            while tell.receiver_count() > 0 && begin.elapsed() < PROMPTLY {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            if heard && tell.receiver_count() > 0 {
                stuck = Some(statement);
                stderr::say("the statement does not stop at once; Ctrl-C again leaves the shell");
            }
        })?;
        Ok(watch)
    }

    /// Waits for the next signal.
    pub(crate) async fn next(&self) -> Signal {
        self.statements.fetch_add(1, Ordering::Relaxed);
        let mut heard = self.tell.subscribe();
        loop {
            match heard.recv().await {
                Ok(signal) => return signal,
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                // The thread that sends never ends.
                Err(broadcast::error::RecvError::Closed) => std::future::pending::<()>().await,
            }
        }
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::INTERRUPT,
            _ = self.terminate.recv() => Signal(15),
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> Signal {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Signal::INTERRUPT
    }
}
