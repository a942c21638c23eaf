//! Has the disk begin before a commit asks for it.

use std::fs::File;
use std::io;
use std::thread::{Builder, JoinHandle};

/// Bytes that are written before the disk is asked to take them.
const EVERY: usize = 16 << 20;

/// Syncs a file now and then while more is written to it: a commit, and the end, then wait for little.
///
/// This makes nothing durable by itself: who commits still syncs, after [`EarlySync::wait`]. The kernel tells a failure
/// to write back only once for an open file, so what came of each sync here is kept for the next call.
#[derive(Debug, Default)]
pub(super) struct EarlySync {
    written: usize,
    running: Option<JoinHandle<io::Result<()>>>,
}

impl EarlySync {
    /// So many bytes were written. One sync runs at a time; where the disk is slower than its writer, the next one
    /// has more to do.
    pub(super) fn wrote(&mut self, file: &File, bytes: usize) -> io::Result<()> {
        self.written += bytes;
        if self.written < EVERY {
            return Ok(());
        }
        if let Some(running) = &self.running
            && !running.is_finished()
        {
            return Ok(());
        }
        self.wait()?;
        let file = file.try_clone()?;
        let sync = Builder::new().name("biotide-sync".to_owned());
        self.running = Some(sync.spawn(move || file.sync_data())?);
        self.written = 0;
        Ok(())
    }

    /// Waits for the sync that runs, and tells what came of it.
    pub(super) fn wait(&mut self) -> io::Result<()> {
        match self.running.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(synced)) => synced,
            Some(Err(_)) => Err(io::Error::other(
                "the thread that syncs the file has panicked",
            )),
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_sync_runs_beside_the_writer_and_its_failure_is_told() {
        let mut file = tempfile::tempfile().unwrap();
        let mut early = EarlySync::default();
        let block = vec![7; EVERY / 2];
        for round in 1..=4 {
            file.write_all(&block).unwrap();
            early.wrote(&file, block.len()).unwrap();
            assert_eq!(early.running.is_some(), round >= 2);
        }
        early.wait().unwrap();
        assert!(early.running.is_none());

        // A pipe cannot be synced.
        let (_reader, writer) = io::pipe().unwrap();
        let pipe = File::from(std::os::fd::OwnedFd::from(writer));
        early.wrote(&pipe, EVERY).unwrap();
        assert!(early.wait().is_err());
        early.wait().unwrap();
    }
}
