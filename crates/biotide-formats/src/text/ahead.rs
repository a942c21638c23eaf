//! A file that can only be read from its start: decompressed, and made UTF-8, by a thread of its own,
//! ahead of the one that parses.

use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use biotide_common::BiotideError;
use biotide_common::options::Compression;
use datafusion_common::{DataFusionError, Result};
use datafusion_common_runtime::SpawnedTask;
use encoding_rs::Encoding;
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use zip::ZipArchive;

use super::chunk_source::ChunkSource;
use crate::compress::Codec;
use crate::zip as archive;

/// Bytes of a block, and how many may wait.
const BLOCK: usize = 256 << 10;
const WAITING: usize = 4;

/// Bytes read from the store at a time.
const READ: usize = 256 << 10;

/// What expands more than this, beyond a first GiB, is no data but an attack.
const RATIO: u64 = 5000;

/// The text of a file, block by block.
#[derive(Debug)]
pub(crate) struct Ahead {
    blocks: mpsc::Receiver<Result<Vec<u8>>>,
    task: Option<SpawnedTask<()>>,
    consumed: Arc<AtomicU64>,
}

impl Ahead {
    /// What it holds at most, decoders (zstd's window: 8 MiB by default) not counted.
    pub(crate) const MOST_BYTES: u64 = (BLOCK * (WAITING + 2) + READ) as u64;

    /// Starts reading. `encoding`: what the text is in, if that has to be made UTF-8. `level`: how often a
    /// block is halved, now.
    pub(crate) fn start(
        source: Arc<ChunkSource>,
        codec: Codec,
        encoding: Option<&'static Encoding>,
        level: Arc<AtomicUsize>,
    ) -> Self {
        let (sender, blocks) = mpsc::channel(WAITING);
        let consumed = Arc::new(AtomicU64::new(0));
        let compressed = SourceReader {
            source,
            handle: Handle::current(),
            at: 0,
            consumed: Arc::clone(&consumed),
            failed: Arc::default(),
        };
        let task =
            SpawnedTask::spawn_blocking(move || run(compressed, codec, encoding, &level, &sender));
        Self {
            blocks,
            task: Some(task),
            consumed,
        }
    }

    /// The next block; `None` at the end. What comes before damage is delivered before the error.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        match self.blocks.recv().await {
            Some(block) => block.map(Some),
            None => {
                if let Some(task) = self.task.take() {
                    task.await
                        .map_err(|error| DataFusionError::ExecutionJoin(Box::new(error)))?;
                }
                Ok(None)
            }
        }
    }

    /// Bytes of the store that were read.
    pub(crate) fn consumed(&self) -> u64 {
        self.consumed.load(Ordering::Relaxed)
    }
}

fn run(
    compressed: SourceReader,
    codec: Codec,
    encoding: Option<&'static Encoding>,
    level: &AtomicUsize,
    sender: &mpsc::Sender<Result<Vec<u8>>>,
) {
    let name = compressed.source.name().to_owned();
    let consumed = Arc::clone(&compressed.consumed);
    let failed = Arc::clone(&compressed.failed);
    let mut produced = 0u64;
    let mut send = |block: Vec<u8>| sender.blocking_send(Ok(block)).is_ok();
    let ended = pump(
        compressed,
        codec,
        encoding,
        level,
        &mut produced,
        &consumed,
        &mut send,
    );
    if let Err(error) = ended {
        let at = consumed.load(Ordering::Relaxed);
        let error = match failed.lock().take() {
            // It was the store that failed, not the decoder.
            Some(error) => error,
            None => {
                let what = format!(
                    "{name}: the {} data is damaged or cut short after {at} compressed bytes ({produced} \
                     bytes of text); fetch the file again. What comes before the damage was read",
                    codec.name()
                );
                BiotideError::io(what, error).into()
            }
        };
        // If nobody listens any more, nobody wants to know.
        sender.blocking_send(Err(error)).ok();
    }
}

/// Reads to the end, or until nobody takes the blocks.
fn pump(
    compressed: SourceReader,
    codec: Codec,
    encoding: Option<&'static Encoding>,
    level: &AtomicUsize,
    produced: &mut u64,
    consumed: &AtomicU64,
    send: &mut impl FnMut(Vec<u8>) -> bool,
) -> std::io::Result<()> {
    if codec == Codec::Zip {
        let failed = Arc::clone(&compressed.failed);
        let name = compressed.source.name().to_owned();
        let mut members = ZipArchive::new(BufReader::with_capacity(READ, compressed))?;
        let index = match archive::member(&members, &name) {
            Ok(index) => index,
            Err(error) => {
                *failed.lock() = Some(error.into());
                return Err(std::io::Error::other("no such member"));
            }
        };
        let mut member = BufReader::with_capacity(READ, members.by_index(index)?);
        // What was packed before it was put into the archive.
        let inner = match Codec::of(&name, Compression::Auto, member.fill_buf()?) {
            Ok(Codec::Zip) => {
                let what = "the member is an archive itself: unpack the outer one";
                *failed.lock() = Some(BiotideError::file(name, what).into());
                return Err(std::io::Error::other(what));
            }
            Ok(codec) => codec,
            Err(error) => {
                *failed.lock() = Some(error.into());
                return Err(std::io::Error::other("the member is no table"));
            }
        };
        let mut reader = inner.reader(member)?;
        return copy(&mut reader, encoding, level, produced, consumed, send);
    }
    let mut reader = codec.reader(BufReader::with_capacity(READ, compressed))?;
    copy(&mut reader, encoding, level, produced, consumed, send)
}

/// Hands on what a reader gives, as UTF-8.
fn copy(
    reader: &mut dyn Read,
    encoding: Option<&'static Encoding>,
    level: &AtomicUsize,
    produced: &mut u64,
    consumed: &AtomicU64,
    send: &mut impl FnMut(Vec<u8>) -> bool,
) -> std::io::Result<()> {
    let mut decoder = encoding.map(Encoding::new_decoder_with_bom_removal);
    loop {
        let size = BLOCK >> level.load(Ordering::Relaxed).min(3);
        let mut block = vec![0; size];
        let mut filled = 0;
        let mut failure = None;
        while filled < size {
            match reader.read(&mut block[filled..]) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        block.truncate(filled);
        *produced += filled as u64;
        let read = consumed.load(Ordering::Relaxed);
        if *produced > 1 << 30 && *produced / read.max(1) > RATIO {
            let problem = "it expands more than any real data does";
            return Err(std::io::Error::other(problem));
        }
        let last = filled < size && failure.is_none();
        if let Some(decoder) = &mut decoder {
            let room = decoder.max_utf8_buffer_length(block.len());
            let mut text = String::with_capacity(room.unwrap_or(block.len() * 3 + 16));
            let (_, _, _) = decoder.decode_to_string(&block, &mut text, last);
            block = text.into_bytes();
        }
        if !block.is_empty() && !send(block) {
            return Ok(());
        }
        match failure {
            Some(error) => return Err(error),
            None if last => return Ok(()),
            None => {}
        }
    }
}

/// The file's bytes, for a thread that may wait.
struct SourceReader {
    source: Arc<ChunkSource>,
    handle: Handle,
    at: u64,
    consumed: Arc<AtomicU64>,
    /// Why the store did not give its bytes.
    failed: Arc<Mutex<Option<DataFusionError>>>,
}

impl Read for SourceReader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let left = self.source.size().saturating_sub(self.at);
        let n = buffer
            .len()
            .min(usize::try_from(left).unwrap_or(usize::MAX));
        if n == 0 {
            return Ok(0);
        }
        let fill = self.source.fill(self.at, &mut buffer[..n]);
        if let Err(error) = self.handle.block_on(fill) {
            *self.failed.lock() = Some(error);
            return Err(std::io::Error::other("the store failed"));
        }
        self.at += n as u64;
        self.consumed.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

impl Seek for SourceReader {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.source.size().checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        let before_start = std::io::ErrorKind::InvalidInput;
        self.at = at.ok_or(before_start)?;
        Ok(self.at)
    }
}

/// The first bytes of a text, by the first bytes of the file: as many as they tell.
pub(crate) fn peek(codec: Codec, head: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    if let Ok(reader) = codec.reader(head) {
        // The head is cut off: an error is only its end.
        reader.take(64 << 10).read_to_end(&mut text).ok();
    }
    text
}
