//! Opening a sink, and what every sink does.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use biotide_common::{BiotideError, behind_links};
use datafusion_common::{DataFusionError, Result};
use datafusion_common_runtime::SpawnedTask;

use super::append::{AppendSink, Encoder, Output};
use super::durable::{Durable, FileSummary, Tally};
use super::ipc::IpcEncoder;
use super::options::{FileSinkOptions, Format};
use super::parquet::ParquetSink;
use super::part::{Part, begins, make_folder, remove, vacant, working};
use super::slot::{Slot, joined};

/// A file on its way. After an error, or when a call was dropped before its end, it can be suspended or
/// aborted only; what was durable stays so.
#[async_trait]
pub trait FileSink: Send {
    /// Adds rows. They may be in memory until the next commit.
    async fn write(&mut self, batch: &RecordBatch) -> Result<()>;
    /// Makes all rows so far durable, and tells how to go on from there.
    async fn commit(&mut self) -> Result<Durable>;
    /// Completes the file and gives it its name; nothing is left beside it. After an error the last
    /// durable state can be resumed.
    async fn finish(self: Box<Self>) -> Result<FileSummary>;
    /// Stops; what was committed can be resumed, rows since then are lost.
    async fn suspend(self: Box<Self>) -> Result<()>;
    /// Gives everything up, what was committed too.
    async fn abort(self: Box<Self>) -> Result<()>;
}

/// Opens a file to write, anew or where a run before has made it durable. Anew, what a run before has left
/// beside it is cleared away.
pub async fn open(
    path: &Path,
    schema: SchemaRef,
    options: FileSinkOptions,
    resume: Option<&Durable>,
) -> Result<Box<dyn FileSink>> {
    let path = path.to_owned();
    let resume = resume.cloned();
    let inner_schema = Arc::clone(&schema);
    let opening = SpawnedTask::spawn_blocking(move || {
        open_now(&path, inner_schema, &options, resume.as_ref()).map(|inner| (path, inner))
    });
    let (path, inner) = joined(opening).await?;
    Ok(Box::new(Guarded {
        name: path.display().to_string(),
        inner,
        schema,
        usable: true,
    }))
}

/// Removes what a run has left beside a file, where nobody will go on with it.
pub fn discard(path: &Path) {
    let Ok(target) = behind_links(path) else {
        return;
    };
    for kind in ["part", "footer"] {
        // (It may be that there is nothing.)
        let _ = std::fs::remove_file(working(&target, kind));
    }
}

fn open_now(
    path: &Path,
    schema: SchemaRef,
    options: &FileSinkOptions,
    resume: Option<&Durable>,
) -> Result<Box<dyn FileSink>> {
    let format = options.format()?;
    let shown = path.display().to_string();
    let target = behind_links(path).map_err(|e| BiotideError::io(format!("finding {shown}"), e))?;
    let (Some(_), Some(folder)) = (target.file_name(), target.parent()) else {
        return Err(BiotideError::file(shown, "it is not a file's name").into());
    };
    let part = working(&target, "part");
    let log = working(&target, "footer");
    if resume.is_some() && target.is_file() && !part.exists() {
        let problem = "the run that wrote it seems to be complete: there is the file, and no working file; \
                       remove the file to start anew";
        return Err(BiotideError::file(shown, problem).into());
    }
    vacant(&target, options.replace)?;
    let tally = Tally::new(&target, &schema, options, resume)?;
    if resume.is_none() {
        make_folder(folder)?;
    }
    let file = match resume {
        Some(durable) => Part::resume(part.clone(), durable.part)?,
        None => Part::fresh(part.clone(), &target)?,
    };
    let encoder = match format {
        Format::Parquet(compression) => {
            let sink =
                ParquetSink::open(target, file, schema, compression, options, tally, resume)?;
            return Ok(Box::new(sink));
        }
        Format::Text(text) => Encoder::Text(text),
        Format::Arrow => Encoder::Ipc(IpcEncoder::new(&schema)),
    };
    let mut output = Output::new(file, options.gzip);
    if resume.is_none() {
        // Of a run in another format.
        remove(&log)?;
        output.append(&encoder.header(&schema)?)?;
    }
    Ok(Box::new(AppendSink {
        target,
        replace: options.replace,
        path: part,
        threads: options.threads,
        encoder,
        output: Slot::Idle(output),
        encoding: VecDeque::new(),
        tally,
    }))
}

impl Durable {
    /// Whether the file has its name: the run that got so far had nothing more to do but to say so. What it
    /// has left beside the file is removed then.
    pub fn is_complete(&self, path: &Path) -> Result<bool> {
        let shown = path.display();
        let target =
            behind_links(path).map_err(|e| BiotideError::io(format!("finding {shown}"), e))?;
        if working(&target, "part").exists() || !begins(&target, self.part)? {
            return Ok(false);
        }
        // (Other formats end with what is written last.)
        let is_text = !self.gzip && !matches!(self.format.as_str(), "parquet" | "arrow");
        let length = target.metadata().map(|meta| meta.len()).ok();
        if is_text && length != Some(self.part.length) {
            return Ok(false);
        }
        remove(&working(&target, "footer"))?;
        Ok(true)
    }
}

/// Checks what is written, and keeps a sink that has failed from going on.
struct Guarded {
    name: String,
    inner: Box<dyn FileSink>,
    schema: SchemaRef,
    usable: bool,
}

impl Guarded {
    /// Until a call has ended well, the sink is not usable.
    fn enter(&mut self) -> Result<()> {
        if std::mem::take(&mut self.usable) {
            return Ok(());
        }
        let problem = "writing it has failed; open it again, resuming what was durable";
        Err(BiotideError::file(self.name.as_str(), problem).into())
    }

    fn wrong(&self, error: impl Into<DataFusionError>) -> DataFusionError {
        error.into().context(format!("writing {}", self.name))
    }
}

#[async_trait]
impl FileSink for Guarded {
    async fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.enter()?;
        let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let columns = batch.columns().to_vec();
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &rows)
            .map_err(|e| self.wrong(e))?;
        if batch.num_rows() > 0 {
            self.inner.write(&batch).await?;
        }
        self.usable = true;
        Ok(())
    }

    async fn commit(&mut self) -> Result<Durable> {
        self.enter()?;
        let durable = self.inner.commit().await?;
        self.usable = true;
        Ok(durable)
    }

    async fn finish(mut self: Box<Self>) -> Result<FileSummary> {
        self.enter()?;
        self.inner.finish().await
    }

    async fn suspend(self: Box<Self>) -> Result<()> {
        self.inner.suspend().await
    }

    async fn abort(self: Box<Self>) -> Result<()> {
        self.inner.abort().await
    }
}
