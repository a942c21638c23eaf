//! The one way in: bytes of a file, from a local disk or an object store.

use std::fs::File;
use std::sync::Arc;

use biotide_common::BiotideError;
use datafusion_common::{DataFusionError, Result};
use object_store::path::Path;
use object_store::{GetOptions, GetResultPayload, ObjectMeta, ObjectStore, ObjectStoreExt};
use parking_lot::RwLock;

use super::blocks::Blocks;
use super::{bgzf, seekable};
use crate::compress::Codec;

/// Bytes of one file, readable anywhere.
#[derive(Debug)]
pub struct ChunkSource {
    name: String,
    size: u64,
    meta: ObjectMeta,
    store: Arc<dyn ObjectStore>,
    /// Set where the file is on a local disk: then it is read without detour.
    file: RwLock<Option<File>>,
    /// Set where its text is read instead of its bytes.
    blocks: Option<Blocks>,
}

impl ChunkSource {
    /// Opens a file of a store. `name` is how messages call it.
    pub async fn open(
        store: Arc<dyn ObjectStore>,
        meta: &ObjectMeta,
        name: String,
    ) -> Result<Self> {
        // A local store answers any get with the open file; a remote one must not start a download. (An
        // empty file has no range to ask for.)
        let range = (meta.size > 0).then(|| (0..1).into());
        let range = GetOptions {
            range,
            ..GetOptions::default()
        };
        let file = match store.get_opts(&meta.location, range).await {
            Ok(result) => match result.payload {
                GetResultPayload::File(file, _) => Some(file),
                GetResultPayload::Stream(_) => None,
            },
            Err(error) => return Err(DataFusionError::ObjectStore(Box::new(error))),
        };
        Ok(Self {
            name,
            size: meta.size,
            meta: meta.clone(),
            store,
            file: RwLock::new(file),
            blocks: None,
        })
    }

    /// Whether the file, which starts with `head`, is of blocks that can be unpacked one by one.
    pub(crate) async fn is_of_blocks(&self, codec: Codec, head: &[u8]) -> Result<bool> {
        match codec {
            Codec::Gzip => Ok(bgzf::is_bgzf(head)),
            Codec::Zstd => Ok(self.frames().await?.is_some()),
            _ => Ok(false),
        }
    }

    /// Reads the text of a file of blocks from now on, if it is whole; answers whether it is. The file
    /// starts with `head`.
    pub(super) async fn unpack(&mut self, codec: Codec, head: &[u8]) -> Result<bool> {
        self.blocks = match codec {
            Codec::Gzip if bgzf::is_bgzf(head) => match self.indexed_blocks().await? {
                Some(blocks) => Some(blocks),
                None => self.walked_blocks()?,
            },
            Codec::Zstd => self.frames().await?,
            _ => None,
        };
        if let Some(blocks) = &self.blocks {
            self.size = blocks.text();
        }
        Ok(self.blocks.is_some())
    }

    /// The blocks of a local BGZF file, by a walk over them.
    fn walked_blocks(&self) -> Result<Option<Blocks>> {
        match &*self.file.read() {
            Some(file) => Ok(bgzf::walk(file, self.size).map_err(|e| self.reading(e))?),
            None => Ok(None),
        }
    }

    /// The blocks of a BGZF file that has an index, `FILE.gzi`, younger than itself.
    async fn indexed_blocks(&self) -> Result<Option<Blocks>> {
        /// Bytes that no index has.
        const MOST: u64 = 1 << 30;
        /// The last blocks, which it may not know.
        const END: u64 = 1 << 20;
        let location = Path::from(format!("{}.gzi", self.meta.location));
        let Ok(meta) = self.store.head(&location).await else {
            return Ok(None);
        };
        if meta.last_modified < self.meta.last_modified || meta.size > MOST {
            return Ok(None);
        }
        let gzi = self.store.get(&location).await?.bytes().await?;
        let Some(starts) = bgzf::indexed(&gzi) else {
            return Ok(None);
        };
        // A few of its blocks are looked at: it may be of another file.
        for pair in [0, starts.len() / 2, starts.len().saturating_sub(2)] {
            let Some(&[(at, text), (next, next_text)]) = starts.get(pair..pair + 2) else {
                continue;
            };
            let mut block = Vec::new();
            self.read(at, next, &mut block).await?;
            if bgzf::text_of(&block) != Some(next_text - text) {
                return Ok(None);
            }
        }
        let last = starts.last().map_or(0, |(at, _)| *at);
        if last >= self.size || self.size - last > END {
            return Ok(None);
        }
        let mut end = Vec::new();
        self.read(last, self.size, &mut end).await?;
        Ok(bgzf::complete(starts, &end, self.size))
    }

    /// The frames of a Zstandard file that has a seek table.
    async fn frames(&self) -> Result<Option<Blocks>> {
        let mut end = Vec::new();
        let from = self.size.saturating_sub(seekable::END as u64);
        self.read(from, self.size, &mut end).await?;
        let length = seekable::table_length(&end).map(|length| length as u64);
        let Some(from) = length.and_then(|length| self.size.checked_sub(length)) else {
            return Ok(None);
        };
        let mut table = Vec::new();
        self.read(from, self.size, &mut table).await?;
        Ok(seekable::frames(&table, self.size))
    }

    fn reading(&self, error: std::io::Error) -> BiotideError {
        BiotideError::io(format!("reading {}", self.name), error)
    }

    /// Leaves out what stands from `end` on.
    pub(crate) fn cut(&mut self, end: u64) {
        self.size = self.size.min(end);
    }

    /// Leaves out the last so many lines, as far as they start after `start`.
    pub(crate) async fn cut_lines(&mut self, lines: usize, newline: u8, start: u64) -> Result<()> {
        const STEP: u64 = 64 << 10;
        let mut left = lines;
        let (mut from, mut to) = (self.size, self.size);
        let mut bytes = Vec::new();
        while to > start {
            from = from.saturating_sub(STEP).max(start);
            bytes.clear();
            self.read(from, to, &mut bytes).await?;
            // A line end at the very end ends the last line.
            let last = usize::from(to == self.size && bytes.last() == Some(&newline));
            for at in memchr::memrchr_iter(newline, &bytes[..bytes.len() - last]) {
                left -= 1;
                if left == 0 {
                    self.size = from + at as u64 + 1;
                    return Ok(());
                }
            }
            to = from;
        }
        self.size = start;
        Ok(())
    }

    /// Bytes of the store that stand for this span of what is read: all spans add up to its size there.
    pub(super) fn stored(&self, from: u64, to: u64) -> u64 {
        match &self.blocks {
            Some(blocks) => blocks.before(to) - blocks.before(from),
            None => to - from,
        }
    }

    /// How messages call the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The size of what is read: as it was when it was planned, bytes that come later are not read.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Its place in the store.
    pub fn location(&self) -> &Path {
        &self.meta.location
    }

    /// Gives the file back: a table may be of more files than a process may hold open.
    pub fn close(&self) {
        self.file.write().take();
    }

    /// Appends the bytes of `offset..end`, cut at the file's size, to `out`.
    pub async fn read(&self, offset: u64, end: u64, out: &mut Vec<u8>) -> Result<()> {
        let len = end.min(self.size).saturating_sub(offset);
        let old = out.len();
        out.resize(
            old.saturating_add(usize::try_from(len).unwrap_or(usize::MAX)),
            0,
        );
        self.fill(offset, &mut out[old..]).await
    }

    /// Fills `out` with the bytes from `offset` on, which the file must have.
    pub async fn fill(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        if out.is_empty() {
            return Ok(());
        }
        let Some(blocks) = &self.blocks else {
            return self.fill_stored(offset, out).await;
        };
        let span = blocks.packed(offset..offset + out.len() as u64);
        let length = usize::try_from(span.end - span.start).unwrap_or(usize::MAX);
        let mut packed = vec![0; length];
        self.fill_stored(span.start, &mut packed).await?;
        let unpacked = blocks.unpack(&packed, offset, out);
        Ok(unpacked.map_err(|e| self.reading(e))?)
    }

    /// Fills `out` with the bytes of the store from `offset` on.
    async fn fill_stored(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        if let Some(file) = &*self.file.read() {
            return Ok(self.fill_local(file, offset, out)?);
        }
        let bytes = self
            .store
            .get_range(&self.meta.location, offset..offset + out.len() as u64)
            .await?;
        if bytes.len() < out.len() {
            return Err(self.shrank(offset + bytes.len() as u64).into());
        }
        out.copy_from_slice(&bytes[..out.len()]);
        Ok(())
    }

    fn fill_local(&self, file: &File, offset: u64, out: &mut [u8]) -> Result<(), BiotideError> {
        match read_at(file, out, offset) {
            Ok(n) if n == out.len() => Ok(()),
            Ok(n) => Err(self.shrank(offset + n as u64)),
            Err(e) => Err(self.reading(e)),
        }
    }

    fn shrank(&self, at: u64) -> BiotideError {
        let problem = format!(
            "the file was {} bytes long and now ends at byte {at}: it changed while it was read; run \
             the statement again once it is complete",
            self.meta.size
        );
        BiotideError::file(&self.name, problem)
    }

    /// An error where the file is no longer what was planned: a last record may then be half a record.
    pub async fn check_unchanged(&self) -> Result<()> {
        let now = self.store.head(&self.meta.location).await?;
        if now.size == self.meta.size && now.last_modified == self.meta.last_modified {
            return Ok(());
        }
        let problem = format!(
            "the file changed while it was read ({} bytes then, {} now); run the statement again once \
             it is complete",
            self.meta.size, now.size
        );
        Err(BiotideError::file(&self.name, problem).into())
    }
}

/// Reads as many bytes from `offset` on as there are, and answers how many.
pub(super) fn read_at(file: &File, out: &mut [u8], offset: u64) -> std::io::Result<usize> {
    let mut done = 0;
    while done < out.len() {
        let at = offset + done as u64;
        #[cfg(unix)]
        let read = std::os::unix::fs::FileExt::read_at(file, &mut out[done..], at);
        #[cfg(windows)]
        let read = std::os::windows::fs::FileExt::seek_read(file, &mut out[done..], at);
        match read {
            Ok(0) => break,
            Ok(n) => done += n,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(done)
}
