//! Results that are longer or wider than the screen: `$PAGER`, or `less`.

use std::io::{self, IsTerminal, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use crate::output::Target;

/// A pager, which starts when there is something to show.
pub(super) struct Pager(Arc<Mutex<Paged>>);

/// What is shown, and where.
enum Paged {
    Nothing,
    /// The pager runs.
    Child(Child),
    /// There is none: then the screen is as good.
    Screen,
}

impl Pager {
    /// None where there is no screen.
    pub(super) fn new() -> Option<Self> {
        let screen = io::stdout().is_terminal();
        screen.then(|| Self(Arc::new(Mutex::new(Paged::Nothing))))
    }

    /// Where to write.
    pub(super) fn input(&self) -> Target {
        Target::Other(Arc::clone(&self.0) as _)
    }
}

/// Waits until whoever reads has seen enough: also of a result that was cancelled.
impl Drop for Pager {
    fn drop(&mut self) {
        let mut paged = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Paged::Child(child) = &mut *paged {
            drop(child.stdin.take());
            child.wait().ok();
        }
    }
}

fn start() -> Paged {
    let named = std::env::var("PAGER").ok();
    let named = named.filter(|pager| !pager.trim().is_empty());
    let mut command = match &named {
        Some(pager) => {
            let mut command = Command::new("sh");
            command.args(["-c", pager]);
            command
        }
        None => {
            // Short results are shown as they are; long lines are cut, and can be scrolled.
            let mut command = Command::new("less");
            command.args(["-F", "-R", "-S", "-X"]);
            command
        }
    };
    match command.stdin(Stdio::piped()).spawn() {
        Ok(child) => Paged::Child(child),
        Err(_) => Paged::Screen,
    }
}

impl Paged {
    fn target(&mut self) -> Box<dyn Write + '_> {
        if let Self::Nothing = self {
            *self = start();
        }
        match self {
            Self::Child(child) => match &mut child.stdin {
                Some(input) => Box::new(input),
                None => Box::new(io::sink()),
            },
            _ => Box::new(io::stdout().lock()),
        }
    }
}

impl Write for Paged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.target().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Nothing => Ok(()),
            _ => self.target().flush(),
        }
    }
}
