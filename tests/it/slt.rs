//! Runs every `slt/**/*.slt` under several settings: rows, reject logs, counts and errors are the same
//! at any parallelism and batch size.
//!
//! `BIOTIDE_SLT=names` runs the files whose path contains that; `BIOTIDE_BLESS=1` writes the results as
//! they are into the files (look at the difference before you believe it).
//!
//! Beside SQL, a record may be:
//!
//! | record | does |
//! |---|---|
//! | `-- file NAME` and lines | writes the lines to `${TMP}/NAME`; gzipped if the name ends in `.gz` |
//! | `-- cat NAME` | the lines of the file |
//! | `-- report` | the counts of the last statement's scans |
//! | `-- rejects` | the reject log of the last statement |

use std::io::Read;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use biotide::ScanReport;
use biotide::prelude::*;
use flate2::read::MultiGzDecoder;
use sqllogictest::{AsyncDB, ColumnType, DBOutput, Normalizer, Runner, default_validator};

use crate::support::{self, SETTINGS, Settings, values};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slt_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("slt");
    let wanted = std::env::var("BIOTIDE_SLT").unwrap_or_default();
    let mut files = Vec::new();
    find(&root, &mut files);
    files.retain(|file| file.to_string_lossy().contains(&wanted));
    assert!(!files.is_empty(), "no file matches {wanted}");
    let mut failures = Vec::new();
    for file in &files {
        if std::env::var_os("BIOTIDE_BLESS").is_some() {
            bless(file).await;
        }
        for settings in SETTINGS {
            let failed = run(file, settings).await;
            if !failed.is_empty() {
                let name = file.strip_prefix(&root).unwrap().display();
                failures.push(format!("=== {name}, {settings:?}\n{}", failed.join("\n")));
                // The others would most likely say the same.
                break;
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            find(&path, files);
        } else if path.extension().is_some_and(|end| end == "slt") {
            files.push(path);
        }
    }
}

/// Runs all records of a file; what failed.
async fn run(file: &Path, settings: Settings) -> Vec<String> {
    let mut runner = runner(settings);
    let mut failed = Vec::new();
    for record in sqllogictest::parse_file::<Kind>(file).unwrap() {
        if let Err(error) = runner.run_async(record).await {
            failed.push(error.display(false).to_string());
        }
    }
    failed
}

async fn bless(file: &Path) {
    let updated = runner(SETTINGS[0])
        .update_test_file(file, " ", same_rows, trimmed, same_kinds)
        .await;
    updated.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
}

fn runner(settings: Settings) -> Runner<Db, impl sqllogictest::MakeConnection<Conn = Db>> {
    let mut runner = Runner::new(move || async move { Ok(Db::new(settings)) });
    runner.with_validator(same_rows);
    runner.with_column_validator(same_kinds);
    runner
}

#[expect(clippy::ptr_arg, reason = "the signature that the runner wants")]
fn trimmed(text: &String) -> String {
    text.trim_end().to_owned()
}

/// Rows are compared as they stand, but for blanks at the end of a line.
fn same_rows(normalizer: Normalizer, actual: &[Vec<String>], expected: &[String]) -> bool {
    if expected.iter().any(|line| line.contains("<slt:ignore>")) {
        return default_validator(normalizer, actual, expected);
    }
    let lines = actual.iter().map(|row| trimmed(&row.join(" ")));
    lines.eq(expected.iter().map(trimmed))
}

fn same_kinds(actual: &Vec<Kind>, expected: &Vec<Kind>) -> bool {
    actual == expected
}

/// The letter of a column's type.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kind(char);

impl ColumnType for Kind {
    fn from_char(letter: char) -> Option<Self> {
        Some(Self(letter))
    }

    fn to_char(&self) -> char {
        self.0
    }
}

#[derive(Debug)]
struct Error(String);

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

struct Db {
    context: BiotideContext,
    tmp: tempfile::TempDir,
    last: ScanReport,
}

type Answer = DBOutput<Kind>;

#[async_trait]
impl AsyncDB for Db {
    type Error = Error;
    type ColumnType = Kind;

    async fn run(&mut self, sql: &str) -> Result<Answer, Error> {
        let sql = sql
            .replace("${DATA}", &support::data().display().to_string())
            .replace("${TMP}", &self.tmp.path().display().to_string());
        let (first, rest) = sql.split_once('\n').unwrap_or((&sql, ""));
        let answer = match first.split_whitespace().collect::<Vec<_>>()[..] {
            ["--", "file", name] => self.make_file(name, rest),
            ["--", "cat", name] => self.cat(name),
            ["--", "report"] => Ok(self.report()),
            ["--", "rejects"] => {
                let rows = support::rejects(&self.context).await;
                let kinds = "TIIIITTTTT".chars().map(Kind).collect();
                Ok(DBOutput::Rows { types: kinds, rows })
            }
            _ => self.sql(&sql).await,
        };
        match answer {
            Ok(DBOutput::Rows { types, mut rows }) => {
                if first.starts_with("EXPLAIN") {
                    // What it says of memory depends on the machine.
                    rows.retain(|row| row.first().is_none_or(|kind| kind != "memory"));
                }
                for value in rows.iter_mut().flatten() {
                    *value = self.portable(value);
                }
                Ok(DBOutput::Rows { types, rows })
            }
            Ok(done) => Ok(done),
            Err(error) => Err(Error(self.portable(&error.0))),
        }
    }

    async fn shutdown(&mut self) {}

    fn engine_name(&self) -> &str {
        "biotide"
    }
}

impl Db {
    fn new(settings: Settings) -> Self {
        Self {
            context: settings.context(),
            tmp: tempfile::tempdir().unwrap(),
            last: ScanReport::default(),
        }
    }

    /// Without the paths of this machine.
    fn portable(&self, text: &str) -> String {
        let data = support::data();
        [(data.as_path(), "DATA"), (self.tmp.path(), "TMP")]
            .iter()
            .fold(text.to_owned(), |text, (path, name)| {
                let path = path.display().to_string();
                // A plan shows paths without the slash at their start.
                text.replace(&path, name).replace(&path[1..], name)
            })
    }

    async fn sql(&mut self, sql: &str) -> Result<Answer, Error> {
        let say = |error: biotide::Error| Error(error.to_string());
        let mut statement = self.context.sql(sql).await.map_err(say)?;
        let schema = statement.schema();
        let batches = statement.collect().await;
        self.last = statement.finish().map_err(say)?;
        let batches = batches.map_err(say)?;
        if schema.fields().is_empty() {
            return Ok(DBOutput::StatementComplete(0));
        }
        let types = schema.fields().iter();
        let types = types
            .map(|field| Kind(values::letter(field.data_type())))
            .collect();
        let mut rows = support::text_rows(&batches);
        if schema.field(0).name() == "plan_type" {
            rows = plan_lines(&rows);
        }
        Ok(DBOutput::Rows { types, rows })
    }

    fn make_file(&self, name: &str, lines: &str) -> Result<Answer, Error> {
        let path = self.tmp.path().join(name);
        let mut bytes = unescape(lines)?;
        if name.ends_with(".gz") {
            bytes = support::gzip(&bytes);
        }
        let io = |error: std::io::Error| Error(error.to_string());
        std::fs::create_dir_all(path.parent().unwrap()).map_err(io)?;
        std::fs::write(path, bytes).map_err(io)?;
        Ok(DBOutput::StatementComplete(0))
    }

    fn cat(&self, name: &str) -> Result<Answer, Error> {
        let io = |error: std::io::Error| Error(error.to_string());
        let mut bytes = std::fs::read(self.tmp.path().join(name)).map_err(io)?;
        if name.ends_with(".gz") {
            let packed = std::mem::take(&mut bytes);
            MultiGzDecoder::new(&packed[..])
                .read_to_end(&mut bytes)
                .map_err(io)?;
        }
        let text = String::from_utf8_lossy(&bytes);
        let line = |line: &str| vec![values::escape_controls(line)];
        Ok(DBOutput::Rows {
            types: vec![Kind('T')],
            rows: text.split_terminator('\n').map(line).collect(),
        })
    }

    fn report(&self) -> Answer {
        let report = &self.last;
        let counts = [
            report.records,
            report.delivered,
            report.rejected,
            report.blank,
            report.skipped,
            report.nulled,
            report.repaired,
        ];
        let mut row: Vec<String> = counts.iter().map(u64::to_string).collect();
        row.push(report.complete.to_string());
        DBOutput::Rows {
            types: "IIIIIIIB".chars().map(Kind).collect(),
            rows: vec![row],
        }
    }
}

/// A plan is shown line by line.
fn plan_lines(rows: &[Vec<String>]) -> Vec<Vec<String>> {
    let lines = rows.iter().flat_map(|row| {
        let lines = row[1].split("\\n").filter(|line| !line.is_empty());
        lines.map(|line| vec![row[0].clone(), line.to_owned()])
    });
    lines.collect()
}

/// The bytes of lines: `\t` `\r` `\n` `\0` `\\` `\xHH` stand for what they say, `\c` at the end of a line
/// keeps the line end away.
fn unescape(text: &str) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    for line in text.lines() {
        let (line, end) = match line.strip_suffix("\\c") {
            Some(line) => (line, &b""[..]),
            None => (line, &b"\n"[..]),
        };
        let mut parts = line.split('\\');
        out.extend_from_slice(parts.next().unwrap_or_default().as_bytes());
        while let Some(part) = parts.next() {
            let mut chars = part.chars();
            match chars.next() {
                Some('t') => out.push(b'\t'),
                Some('r') => out.push(b'\r'),
                Some('n') => out.push(b'\n'),
                Some('0') => out.push(0),
                Some('x') => {
                    let digits: String = chars.by_ref().take(2).collect();
                    let byte = u8::from_str_radix(&digits, 16);
                    out.push(byte.map_err(|e| Error(format!("{part}: {e}")))?);
                }
                None => {
                    out.push(b'\\');
                    chars = parts.next().unwrap_or_default().chars();
                }
                Some(other) => return Err(Error(format!("there is no escape \\{other}"))),
            }
            out.extend_from_slice(chars.as_str().as_bytes());
        }
        out.extend_from_slice(end);
    }
    Ok(out)
}
