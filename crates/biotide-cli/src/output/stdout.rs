//! Standard output that counts what it takes and notices when nobody reads on.

use std::io::{self, BufWriter, ErrorKind, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Standard output.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stdout {
    seen: Arc<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    bytes: AtomicU64,
    closed: AtomicBool,
}

impl Stdout {
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
        let n = self.notice(io::stdout().lock().write(bytes))?;
        self.seen.bytes.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.notice(io::stdout().lock().flush())
    }
}
