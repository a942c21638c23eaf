//! SIGINT and SIGTERM. The first one drops the work, and its drops remove what is half written; the
//! second one, or a drop that takes too long, ends the process at once.

use std::time::Duration;

use tokio::sync::{broadcast, oneshot};

use crate::error::{Context, Failure};

/// How long dropping the work may take.
const GRACE: Duration = Duration::from_secs(10);

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

/// Waits for the first signal.
#[expect(
    clippy::disallowed_methods,
    reason = "the task must outlive whoever waits: it ends the process"
)]
pub(crate) async fn first() -> Result<Signal, Failure> {
    let mut signals = Signals::listen().context("listening for signals")?;
    let (tell, told) = oneshot::channel();
    // A task of its own: the main thread may be held up by a reader that does not read.
    tokio::spawn(async move {
        let signal = signals.next().await;
        let _ = tell.send(signal);
        let _ = tokio::time::timeout(GRACE, signals.next()).await;
        std::process::exit(signal.exit_code().into());
    });
    Ok(told.await.context("listening for signals")?)
}

/// The signals of a shell, which outlives the statement that one of them ends. They are listened for from
/// its start to its end: one that comes while nothing runs must neither end the shell nor, if it asks to
/// end it, be lost.
pub(crate) struct Watch(broadcast::Sender<Signal>);

impl Watch {
    #[expect(
        clippy::disallowed_methods,
        reason = "the task lives as long as the process, which it may end"
    )]
    pub(crate) fn start() -> Result<Self, Failure> {
        let mut signals = Signals::listen().context("listening for signals")?;
        let (tell, _) = broadcast::channel(1);
        let watch = Self(tell.clone());
        tokio::spawn(async move {
            loop {
                let signal = signals.next().await;
                let heard = tell.send(signal).is_ok();
                if signal == Signal::INTERRUPT {
                    continue;
                }
                if heard {
                    tokio::time::sleep(GRACE).await;
                }
                std::process::exit(signal.exit_code().into());
            }
        });
        Ok(watch)
    }

    /// Waits for the next signal.
    pub(crate) async fn next(&self) -> Signal {
        let mut heard = self.0.subscribe();
        loop {
            match heard.recv().await {
                Ok(signal) => return signal,
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                // The task that sends never ends.
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
