//! Results on standard output. They stream: a batch is written when it comes, and forgotten.

mod binary;
mod stdout;
mod table;
mod text;

use std::error::Error;
use std::io::{ErrorKind, IsTerminal, Write};
use std::ops::ControlFlow;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use biotide::{DelimitedEncoder, JsonLinesEncoder};
use clap::ValueEnum;

use crate::error::{Context, Failure};
use stdout::Stdout;
pub(crate) use stdout::Target;
pub(crate) use table::table;
use text::TextWriter;

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Table,
    /// Comma-separated, with a header
    Csv,
    /// Tab-separated, with a header
    Tsv,
    /// JSON Lines: an object a row, without its nulls
    Jsonl,
    /// Arrow IPC
    Arrow,
    /// Parquet
    Parquet,
}

impl Format {
    /// As the facade knows it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Jsonl => "jsonl",
            Self::Arrow => "arrow",
            Self::Parquet => "parquet",
        }
    }
}

/// Writes one result.
trait ResultWriter {
    /// Writes these rows through to whoever reads.
    fn write(&mut self, batch: &RecordBatch) -> anyhow::Result<()>;
    /// Writes what comes after the last row.
    fn finish(self: Box<Self>) -> anyhow::Result<()>;
}

/// Standard output and the format of what goes there.
pub(crate) struct Output {
    format: Format,
    stdout: Stdout,
    /// The result that is being written.
    writer: Option<Box<dyn ResultWriter>>,
    results: usize,
}

impl Output {
    /// In this format, or in the one that suits whoever reads.
    pub(crate) fn new(format: Option<Format>) -> Result<Self, Failure> {
        let terminal = std::io::stdout().is_terminal();
        let format = format.unwrap_or(if terminal { Format::Table } else { Format::Csv });
        if terminal && matches!(format, Format::Arrow | Format::Parquet) {
            let name = format.name();
            let problem =
                format!("{name} is not for a terminal: use -o FILE, or send it to a file");
            return Err(Failure::usage(problem));
        }
        Ok(Self {
            format,
            stdout: Stdout::default(),
            writer: None,
            results: 0,
        })
    }

    /// Sends what follows to somewhere else.
    pub(crate) fn send_to(&mut self, target: Target) {
        self.stdout.send_to(target);
    }

    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Bytes written so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.stdout.bytes()
    }

    /// Whether whoever was reading has gone.
    pub(crate) fn closed(&self) -> bool {
        self.stdout.closed()
    }

    /// Writes rows of a result; breaks off when nobody reads on.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<ControlFlow<()>, Failure> {
        let written = self
            .start(batch.schema_ref())
            .and_then(|writer| writer.write(batch));
        self.or_closed(written)
    }

    /// Ends a result. One without rows has a header all the same.
    pub(crate) fn end(&mut self, schema: &SchemaRef) -> Result<ControlFlow<()>, Failure> {
        let started = self.start(schema).map(|_| ());
        let ended =
            started.and_then(|()| self.writer.take().map_or(Ok(()), |writer| writer.finish()));
        self.or_closed(ended)
    }

    fn or_closed(&self, written: anyhow::Result<()>) -> Result<ControlFlow<()>, Failure> {
        match written {
            Ok(()) => Ok(ControlFlow::Continue(())),
            Err(_) if self.closed() => Ok(ControlFlow::Break(())),
            Err(error) => Err(error.context("writing to standard output").into()),
        }
    }

    /// The writer of the result at hand.
    fn start(&mut self, schema: &SchemaRef) -> anyhow::Result<&mut Box<dyn ResultWriter>> {
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => self.writer(schema)?,
        };
        Ok(self.writer.insert(writer))
    }

    fn writer(&mut self, schema: &SchemaRef) -> anyhow::Result<Box<dyn ResultWriter>> {
        let another = self.results > 0;
        self.results += 1;
        let mut out = self.stdout.buffered();
        // A blank line sets results of several statements apart.
        if another && matches!(self.format, Format::Table | Format::Csv | Format::Tsv) {
            out.write_all(b"\n")?;
        }
        Ok(match self.format {
            Format::Table => Box::new(table::TableWriter::new(out, schema)),
            Format::Csv => Box::new(TextWriter::new(
                out,
                schema,
                DelimitedEncoder::new(b',', true),
            )?),
            Format::Tsv => Box::new(TextWriter::new(
                out,
                schema,
                DelimitedEncoder::new(b'\t', true),
            )?),
            Format::Jsonl => Box::new(TextWriter::new(out, schema, JsonLinesEncoder)?),
            Format::Arrow => Box::new(binary::ArrowWriter::new(out, schema)?),
            Format::Parquet if another => {
                anyhow::bail!("a Parquet file holds one result, and this is the second")
            }
            Format::Parquet => Box::new(binary::ParquetWriter::new(out, schema)?),
        })
    }
}

/// Shows a text.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = Stdout::default();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if !out.closed() => Err(error).context("writing to standard output")?,
        _ => Ok(()),
    }
}

/// Whether an error says that whoever was reading has gone.
pub(crate) fn is_pipe_closed(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        let io = error.downcast_ref::<std::io::Error>();
        if io.is_some_and(|io| io.kind() == ErrorKind::BrokenPipe) {
            return true;
        }
        next = error.source();
    }
    false
}

/// Whether what goes to standard output lands in a file, and so leaves the screen alone.
pub(crate) fn goes_to_a_file() -> bool {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        let own = std::io::stdout().as_fd().try_clone_to_owned();
        let metadata = own.and_then(|fd| std::fs::File::from(fd).metadata());
        metadata.is_ok_and(|metadata| metadata.is_file())
    }
    #[cfg(not(unix))]
    false
}
