//! Text and Arrow: each batch is encoded for itself, and appended in order.

use std::collections::VecDeque;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use async_trait::async_trait;
use datafusion_common::{DataFusionError, Result};
use datafusion_common_runtime::SpawnedTask;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::durable::{Durable, FileSummary, Mark, Tally};
use super::ipc::IpcEncoder;
use super::open::FileSink;
use super::part::{Part, remove};
use super::slot::{Slot, joined};
use crate::sink::TextEncoder;

/// Bytes that gzip gathers before they are written.
const GATHERED: usize = 64 * 1024;

/// How batches become bytes.
#[derive(Debug, Clone)]
pub(super) enum Encoder {
    Text(Arc<dyn TextEncoder>),
    Ipc(IpcEncoder),
}

impl Encoder {
    pub(super) fn header(&self, schema: &Schema) -> Result<Vec<u8>> {
        match self {
            Self::Text(text) => Ok(text.header(schema)),
            Self::Ipc(ipc) => ipc.header(),
        }
    }

    fn encode(&self, batch: &RecordBatch) -> Result<Vec<u8>> {
        match self {
            Self::Text(text) => text.encode(batch),
            Self::Ipc(ipc) => ipc.encode(batch),
        }
    }
}

/// The part, and the member of gzip that is being written.
#[derive(Debug)]
pub(super) struct Output {
    part: Part,
    gzip: bool,
    member: Option<GzEncoder<Vec<u8>>>,
}

impl Output {
    pub(super) fn new(part: Part, gzip: bool) -> Self {
        Self {
            part,
            gzip,
            member: None,
        }
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        if !self.gzip {
            return self.part.append(bytes);
        }
        if bytes.is_empty() {
            return Ok(());
        }
        let member = self.member.get_or_insert_with(new_member);
        member.write_all(bytes)?;
        if member.get_ref().len() >= GATHERED {
            self.part.append(member.get_ref())?;
            member.get_mut().clear();
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<Mark> {
        if let Some(member) = self.member.take() {
            self.part.append(&member.finish()?)?;
        }
        self.part.commit()
    }

    fn finish(&mut self, encoder: &Encoder) -> Result<()> {
        if self.gzip && self.member.is_none() && self.part.length() == 0 {
            // No file of gzip is empty.
            self.member = Some(new_member());
        }
        self.commit()?;
        if let Encoder::Ipc(ipc) = encoder {
            let footer = ipc.footer(self.part.path())?;
            self.part.append(&footer)?;
        }
        Ok(())
    }
}

fn new_member() -> GzEncoder<Vec<u8>> {
    GzEncoder::new(Vec::new(), Compression::default())
}

/// Appends batches to a part.
#[derive(Debug)]
pub(super) struct AppendSink {
    pub(super) target: PathBuf,
    pub(super) replace: bool,
    pub(super) path: PathBuf,
    pub(super) threads: usize,
    pub(super) encoder: Encoder,
    pub(super) output: Slot<Output>,
    /// Batches that are being encoded, in order.
    pub(super) encoding: VecDeque<SpawnedTask<Result<Vec<u8>>>>,
    pub(super) tally: Tally,
}

impl AppendSink {
    /// Appends what is encoded until no more than so many batches are on their way.
    async fn drain(&mut self, left: usize) -> Result<()> {
        while self.encoding.len() > left {
            let Some(task) = self.encoding.pop_front() else {
                break;
            };
            let bytes = joined(task).await?;
            self.output
                .proceed(move |output| output.append(&bytes))
                .await?;
        }
        Ok(())
    }
}

#[async_trait]
impl FileSink for AppendSink {
    async fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.drain(self.threads.max(1) - 1).await?;
        let (encoder, batch) = (self.encoder.clone(), batch.clone());
        self.tally.rows += batch.num_rows() as u64;
        let task = SpawnedTask::spawn_blocking(move || encoder.encode(&batch));
        self.encoding.push_back(task);
        Ok(())
    }

    async fn commit(&mut self) -> Result<Durable> {
        self.drain(0).await?;
        let mark = self.output.run(Output::commit).await?;
        Ok(self.tally.durable(mark, None))
    }

    async fn finish(mut self: Box<Self>) -> Result<FileSummary> {
        self.drain(0).await?;
        let encoder = self.encoder.clone();
        let (target, replace) = (self.target.clone(), self.replace);
        let bytes = self.output.run(move |output| {
            output.finish(&encoder)?;
            output.part.publish(&target, replace)?;
            Ok::<_, DataFusionError>(output.part.length())
        });
        let bytes = bytes.await?;
        Ok(self.tally.summary(bytes))
    }

    async fn suspend(mut self: Box<Self>) -> Result<()> {
        self.encoding.clear();
        self.output.settle().await;
        Ok(())
    }

    async fn abort(mut self: Box<Self>) -> Result<()> {
        self.encoding.clear();
        self.output.settle().await;
        remove(&self.path)
    }
}
