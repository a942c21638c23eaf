//! Standard output that counts what it takes and notices when nobody reads on.

use std::io::{self, BufWriter, ErrorKind, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where what is shown goes.
#[derive(Clone, Default)]
pub(crate) enum Target {
    /// Standard output.
    #[default]
    Own,
    /// Something that stands in for it.
    Other(Arc<Mutex<dyn Write + Send>>),
}

/// Standard output, or what stands in for it.
#[derive(Clone, Default)]
pub(crate) struct Stdout {
    seen: Arc<Seen>,
    target: Target,
}

#[derive(Debug, Default)]
struct Seen {
    bytes: AtomicU64,
    closed: AtomicBool,
}

impl Stdout {
    /// Sends what follows to somewhere else.
    pub(super) fn send_to(&mut self, target: Target) {
        self.target = target;
    }

    /// A writer that gathers small pieces.
    pub(crate) fn buffered(&self) -> BufWriter<Self> {
        BufWriter::with_capacity(1 << 16, self.clone())
    }

    /// Bytes taken.
    pub(crate) fn bytes(&self) -> u64 {
        self.seen.bytes.load(Ordering::Relaxed)
    }

    /// Whether the other end has gone.
    pub(crate) fn closed(&self) -> bool {
        self.seen.closed.load(Ordering::Relaxed)
    }

    /// The writers above wrap errors in their own: what is noticed here need not be dug out again.
    fn notice<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &result
            && error.kind() == ErrorKind::BrokenPipe
        {
            self.seen.closed.store(true, Ordering::Relaxed);
        }
        result
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = match &self.target {
            Target::Own => io::stdout().lock().write(bytes),
            Target::Other(target) => locked(target).write(bytes),
        };
        let n = self.notice(written)?;
        self.seen.bytes.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = match &self.target {
            Target::Own => io::stdout().lock().flush(),
            Target::Other(target) => locked(target).flush(),
        };
        self.notice(flushed)
    }
}

fn locked<'a>(
    target: &'a Mutex<dyn Write + Send + 'static>,
) -> MutexGuard<'a, dyn Write + Send + 'static> {
    target.lock().unwrap_or_else(PoisonError::into_inner)
}
