//! Logs in files.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use biotide_common::BiotideError;
use biotide_common::reject::{RejectRecord, reject_batch, reject_schema};
use biotide_common::session::QueryLog;
use biotide_formats::sink::{DelimitedEncoder, TextEncoder};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::Compression;
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::properties::WriterProperties;

use super::place::make_folder;
use super::unseen::Unseen;
use crate::error::Result;

/// Entries that are read at once.
pub(super) const BATCH: usize = 8192;

/// The columns of text, in the order in which JSON Lines have them.
const COLUMNS: [&str; 10] = [
    "source", "offset", "column", "reason", "record", "line", "length", "message", "raw", "action",
];

/// Writes logs to a file of Parquet, without what the logs beside each hold too.
pub(super) fn write_parquet(
    path: &str,
    logs: impl Iterator<Item = (Vec<Arc<QueryLog>>, Arc<QueryLog>)>,
) -> Result<()> {
    let io = |e: std::io::Error| BiotideError::io(format!("writing the reject log {path}"), e);
    let parquet = |e: ParquetError| io(std::io::Error::other(e));
    let properties =
        WriterProperties::builder().set_compression(Compression::ZSTD(Default::default()));
    let file = make_folder(Path::new(path)).and_then(|()| File::create(path));
    let file = file.map_err(io)?;
    let mut writer =
        ArrowWriter::try_new(file, reject_schema(), Some(properties.build())).map_err(parquet)?;
    for (before, log) in logs {
        let mut unseen = Unseen::of(&log, &before)?;
        while let Some(records) = unseen.next()? {
            writer
                .write(&reject_batch(log.id, &records)?)
                .map_err(parquet)?;
        }
    }
    writer.close().map_err(parquet)?;
    Ok(())
}

/// Writes a log as JSON Lines, without what some others hold too.
pub(crate) fn write_json_lines(
    path: impl AsRef<Path>,
    log: &QueryLog,
    before: &[Arc<QueryLog>],
    append: bool,
) -> Result<()> {
    let path = path.as_ref();
    let io = |e: std::io::Error| {
        BiotideError::io(format!("writing the reject log {}", path.display()), e)
    };
    let mut out = BufWriter::new(text_file(path, append).map_err(io)?);
    let mut unseen = Unseen::of(log, before)?;
    while let Some(records) = unseen.next()? {
        for record in &records {
            serde_json::to_writer(&mut out, record).map_err(|e| io(e.into()))?;
            out.write_all(b"\n").map_err(io)?;
        }
    }
    Ok(out.flush().map_err(io)?)
}

/// Writes a log as delimited text, without what some others hold too.
pub(super) fn write_delimited(
    path: &str,
    delimiter: u8,
    log: &QueryLog,
    before: &[Arc<QueryLog>],
    append: bool,
) -> Result<()> {
    let io = |e: std::io::Error| BiotideError::io(format!("writing the reject log {path}"), e);
    let schema = reject_schema();
    let columns = COLUMNS.iter().map(|name| schema.index_of(name));
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    let mut out = text_file(Path::new(path), append).map_err(io)?;
    // (What is added to may have been taken away.)
    let is_new = out.metadata().map_err(io)?.len() == 0;
    let encoder = DelimitedEncoder::new(delimiter, is_new);
    let header = encoder.header(&schema.project(&columns)?);
    out.write_all(&header).map_err(io)?;
    let mut unseen = Unseen::of(log, before)?;
    while let Some(records) = unseen.next()? {
        let batch = reject_batch(log.id, &records)?.project(&columns)?;
        out.write_all(&encoder.encode(&batch)?).map_err(io)?;
    }
    Ok(())
}

/// Opens a file of text, to begin it anew or to add to it.
fn text_file(path: &Path, append: bool) -> std::io::Result<File> {
    make_folder(path)?;
    File::options()
        .create(true)
        .write(true)
        .append(append)
        .truncate(!append)
        .open(path)
}

/// Reads what was written as JSON Lines into a log.
pub(crate) fn read_json_lines(path: &Path, log: &QueryLog) -> Result<()> {
    let io = |e: std::io::Error| {
        BiotideError::io(format!("reading the reject log {}", path.display()), e)
    };
    let mut records = Vec::new();
    // (Of a record with several faults there are several entries, one after the other.)
    let mut last = None;
    for line in BufReader::new(File::open(path).map_err(io)?).lines() {
        let line = line.map_err(io)?;
        let record: RejectRecord = serde_json::from_str(&line).map_err(|e| io(e.into()))?;
        if record.action == "rejected" {
            let place = (record.source.clone(), record.offset);
            if record.line == 0 || last.as_ref() != Some(&place) {
                log.refuse(&record.reason, record.line);
            }
            last = Some(place);
        }
        records.push(record);
        if records.len() == BATCH {
            log.rejects.extend(std::mem::take(&mut records))?;
        }
    }
    Ok(log.rejects.extend(records)?)
}

#[cfg(test)]
pub(super) mod tests {
    use biotide_common::options::{OptionValue, RejectFile};
    use biotide_formats::formats::COMPRESSED;

    use super::*;

    /// A bad row, or a bad value if it has no text.
    pub(in crate::rejects) fn entry(offset: u64, raw: &str) -> RejectRecord {
        let column = raw.is_empty().then(|| "npx".to_owned());
        RejectRecord {
            source: "a.tsv".to_owned(),
            offset,
            column,
            reason: "too_few_fields".to_owned(),
            record: Some(1),
            line: 2,
            length: 3,
            message: "1 field, not \"2\"".to_owned(),
            raw: raw.to_owned(),
            action: "rejected".to_owned(),
        }
    }

    pub(in crate::rejects) fn log_of(entries: Vec<RejectRecord>) -> QueryLog {
        let log = QueryLog::new(std::env::temp_dir(), false, 1);
        log.rejects.extend(entries).unwrap();
        log
    }

    #[test]
    fn text_has_a_header_quotes_and_the_columns_of_json_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bad").display().to_string();
        let text = || std::fs::read_to_string(&path).unwrap();
        let log = log_of(vec![entry(9, ""), entry(7, "a\tb\n")]);
        write_delimited(&path, b',', &log, &[], false).unwrap();
        let expected = [
            "source,offset,column,reason,record,line,length,message,raw,action",
            "a.tsv,7,,too_few_fields,1,2,3,\"1 field, not \"\"2\"\"\",\"a\tb",
            "\",rejected",
            "a.tsv,9,npx,too_few_fields,1,2,3,\"1 field, not \"\"2\"\"\",\"\",rejected",
        ];
        assert_eq!(text().lines().collect::<Vec<_>>(), expected);
        write_delimited(&path, b'\t', &log, &[], false).unwrap();
        assert!(text().starts_with("source\toffset\tcolumn\t"));
        assert!(text().contains("\t\"a\tb\n\"\trejected\n"), "{}", text());

        write_json_lines(&path, &log, &[], false).unwrap();
        let line = text().lines().next().unwrap().to_owned();
        let places = COLUMNS.map(|name| line.find(&format!("\"{name}\":")).unwrap());
        assert!(places.is_sorted(), "{line}");
        let object: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(object.as_object().unwrap().len(), COLUMNS.len());
    }

    #[test]
    fn what_others_hold_is_not_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bad.csv").display().to_string();
        let first = Arc::new(log_of(vec![entry(1, "a"), entry(2, "b")]));
        write_delimited(&path, b',', &first, &[], false).unwrap();
        let second = log_of(vec![entry(2, "b"), entry(3, "c")]);
        write_delimited(&path, b',', &second, &[first], true).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 4, "{text}");
    }

    /// The option has its own list: it knows no formats.
    #[test]
    fn no_compressed_name_is_taken() {
        for ending in COMPRESSED {
            let problem = RejectFile::parse(&format!("bad.csv{ending}")).unwrap_err();
            assert!(problem.contains(ending), "{problem}");
        }
    }
}
