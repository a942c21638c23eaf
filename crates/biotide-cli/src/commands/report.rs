//! What is said when work is done: a summary and a line on bad rows on standard error, a report as JSON
//! where it was asked for, and the verdict on rejects.

use std::cell::RefCell;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use biotide::format_size;
use biotide::prelude::{BiotideContext, ConvertReport, ScanReport};
use serde::Serialize;

use crate::args::{Ending, ReportTo};
use crate::error::{Context, Failure};
use crate::progress::{Event, format_seconds};
use crate::settings::Settings;
use crate::stderr;

/// Gathers the reports of a run.
#[derive(Debug)]
pub(super) struct Ender<'a> {
    ending: Ending,
    settings: &'a Settings,
    /// Whether standard output is free for a report, or holds results.
    stdout_free: bool,
    file: Option<File>,
    rejected: u64,
    counts: bool,
    /// Where bad rows are written to.
    rejects: Option<String>,
    /// What is to be said later, if it is.
    held: Option<RefCell<Vec<String>>>,
}

impl<'a> Ender<'a> {
    pub(super) fn new(ending: Ending, settings: &'a Settings, stdout_free: bool) -> Self {
        Self {
            ending,
            settings,
            stdout_free,
            file: None,
            rejected: 0,
            counts: false,
            rejects: settings.rejects_file().map(str::to_owned),
            held: None,
        }
    }

    /// One that keeps what it has to say, until it is asked.
    pub(super) fn holding(settings: &'a Settings) -> Self {
        Self {
            held: Some(RefCell::default()),
            ..Self::new(Ending::default(), settings, false)
        }
    }

    /// What was kept.
    pub(super) fn held(self) -> Option<String> {
        let held = self.held.map(RefCell::into_inner).unwrap_or_default();
        (!held.is_empty()).then(|| held.join("\n"))
    }

    /// Refuses files of bad rows and of reports that could not be written when the work is done.
    pub(super) fn check(&self, context: &BiotideContext) -> Result<(), Failure> {
        let report = match &self.ending.report {
            Some(ReportTo::File(path)) => Some(path.as_path()),
            Some(ReportTo::Stdout) | None => None,
        };
        Ok(context.check_logs(report)?)
    }

    /// Says something that is not an error.
    pub(super) fn say(&self, text: impl FnOnce() -> String) {
        if self.settings.quiet {
            return;
        }
        match &self.held {
            Some(held) => held.borrow_mut().push(text()),
            None => stderr::say(text()),
        }
    }

    /// What becomes of identifiers is told in any case.
    pub(super) fn counting(mut self) -> Self {
        self.counts = true;
        self
    }

    /// Whether it is told what becomes of identifiers.
    pub(super) fn counts_identifiers(&self) -> bool {
        self.counts || self.ending.report.is_some()
    }

    /// Takes the report of a statement: speaks of its bad rows, and writes it down.
    pub(super) fn add(&mut self, report: &ConvertReport) -> Result<(), Failure> {
        self.take(&report.scan, report.rejected);
        self.write(report)
    }

    /// Takes the counts of a read: speaks of its bad rows.
    pub(super) fn take(&mut self, scan: &ScanReport, rejected: u64) {
        // Notes below a table are no fault of it, nor are rows without an identifier.
        let harmless = ["footnote", "empty_identifier"].into_iter();
        let notes: u64 = harmless.filter_map(|reason| scan.reasons.get(reason)).sum();
        self.reject(rejected.saturating_sub(notes));
        if let Some(line) = bad_rows(scan, self.rejects_file()) {
            self.say(|| line);
        }
    }

    /// Bad rows are written to this file, if no setting names another one.
    pub(super) fn rejects_to(mut self, file: Option<&str>) -> Self {
        self.rejects = self.rejects.or_else(|| file.map(str::to_owned));
        self
    }

    /// Where bad rows are written to.
    pub(super) fn rejects_file(&self) -> Option<&str> {
        self.rejects.as_deref()
    }

    /// Counts rejected records for the verdict.
    pub(super) fn reject(&mut self, records: u64) {
        self.rejected += records;
    }

    /// Writes a report down, where it is asked for.
    pub(super) fn write(&mut self, report: &impl Serialize) -> Result<(), Failure> {
        match &self.ending.report {
            None => {}
            Some(ReportTo::Stdout) => {
                if !self.stdout_free && stderr::are_events() {
                    let report = serde_json::to_value(report).context("writing the report")?;
                    stderr::tell(&Event::Report { report });
                    return Ok(());
                }
                let line = serde_json::to_string(report).context("writing the report")?;
                if self.stdout_free {
                    let mut out = std::io::stdout().lock();
                    writeln!(out, "{line}")
                        .and_then(|()| out.flush())
                        .context("writing the report")?;
                } else {
                    stderr::say(line);
                }
            }
            Some(ReportTo::File(path)) => {
                let what = || format!("writing the report to {}", path.display());
                let mut line = serde_json::to_vec(report).with_context(what)?;
                line.push(b'\n');
                let file = match &mut self.file {
                    Some(file) => file,
                    None => self.file.insert(create(path).with_context(what)?),
                };
                file.write_all(&line).with_context(what)?;
            }
        }
        Ok(())
    }

    /// The verdict.
    pub(super) fn end(self) -> Result<(), Failure> {
        match self.ending.fail_on_rejects {
            Some(allowed) if self.rejected > allowed => Err(Failure::TooManyRejects {
                rejected: self.rejected,
                allowed,
            }),
            _ => Ok(()),
        }
    }
}

/// Makes a file, and its folder.
pub(super) fn create(path: &Path) -> std::io::Result<File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    File::create(path)
}

/// `1000 rows, 932 MB read, 210 MB written to out.parquet in 4.2 s (222 MB/s), peak memory 210 MB, 31 MB
/// spilled`.
pub(super) fn written(report: &ConvertReport, output: &str) -> String {
    let place = match (report.files.len(), output) {
        (_, "-") => "standard output".to_owned(),
        (0 | 1, file) => file.to_owned(),
        (n, folder) => format!("{n} files in {folder}"),
    };
    let (mut read, mut rate) = (String::new(), String::new());
    if report.bytes_in > 0 {
        let bytes_a_second = report.bytes_in as f64 / report.seconds.max(0.001);
        read = format!("{} read, ", format_size(report.bytes_in));
        rate = format!(" ({}/s)", format_size(bytes_a_second as u64));
    }
    let spilled = match report.memory.spilled_bytes {
        0 => String::new(),
        bytes => format!(", {} spilled", format_size(bytes)),
    };
    format!(
        "{}, {read}{} written to {place} in {}{rate}, peak memory {}{spilled}",
        count_of(report.rows),
        format_size(report.bytes_out),
        format_seconds(report.seconds),
        format_size(report.peak_rss),
    )
}

/// `1 row`, `2 rows`.
pub(super) fn count_of(n: u64) -> String {
    match n {
        1 => "1 row".to_owned(),
        n => format!("{n} rows"),
    }
}

/// `3 of 1000 records rejected (2 too_few_fields, 1 invalid_utf8), 4 values nulled; see --rejects FILE`.
fn bad_rows(scan: &ScanReport, file: Option<&str>) -> Option<String> {
    let of = if scan.complete { "" } else { " read" };
    let mut records = Vec::new();
    if scan.rejected > 0 {
        records.push(format!(
            "{} of {} records{of} rejected",
            scan.rejected, scan.records
        ));
    }
    if scan.repaired > 0 {
        records.push(match records.is_empty() {
            true => format!("{} of {} records{of} repaired", scan.repaired, scan.records),
            false => format!("{} repaired", scan.repaired),
        });
    }
    // The reasons are those of rows; a value that became NULL has only the reasons below, and says so
    // by being called a value.
    let mut nulled = scan.nulled;
    let mut reasons = Vec::new();
    for (reason, &n) in &scan.reasons {
        let of_values = match reason.as_str() {
            "bad_value" | "out_of_range" => n.min(nulled),
            _ => 0,
        };
        nulled -= of_values;
        // (A row may have it twice.)
        let of_rows = (n - of_values).min(scan.rejected + scan.repaired);
        if of_rows > 0 {
            reasons.push(format!("{of_rows} {reason}"));
        }
    }
    let mut line = records.join(", ");
    if !records.is_empty() && !reasons.is_empty() {
        line.push_str(&format!(" ({})", reasons.join(", ")));
    }
    if scan.nulled > 0 {
        let values = if scan.nulled == 1 { "value" } else { "values" };
        line.push_str(if line.is_empty() { "" } else { ", " });
        line.push_str(&format!("{} {values} nulled", scan.nulled));
    }
    if scan.unknown > 0 {
        line.push_str(if line.is_empty() { "" } else { ", " });
        line.push_str(&format!(
            "{} values stand under keys that the sample did not show (--infer full finds them)",
            scan.unknown
        ));
    }
    if line.is_empty() {
        return None;
    }
    if scan.rejected + scan.repaired + scan.nulled == 0 {
        return Some(line);
    }
    Some(match file {
        Some(file) => format!("{line}; see {file}"),
        None => format!("{line}; see --rejects FILE"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(reasons: &[(&str, u64)]) -> ScanReport {
        ScanReport {
            records: 1000,
            complete: true,
            reasons: reasons
                .iter()
                .map(|(reason, n)| ((*reason).to_owned(), *n))
                .collect(),
            ..ScanReport::default()
        }
    }

    #[test]
    fn bad_rows_are_one_line() {
        assert_eq!(bad_rows(&scan(&[]), None), None);
        let mixed = ScanReport {
            rejected: 3,
            nulled: 4,
            ..scan(&[("too_few_fields", 2), ("invalid_utf8", 1), ("bad_value", 4)])
        };
        assert_eq!(
            bad_rows(&mixed, None).unwrap(),
            "3 of 1000 records rejected (1 invalid_utf8, 2 too_few_fields), 4 values nulled; see --rejects FILE"
        );
        let repaired = ScanReport {
            repaired: 2,
            complete: false,
            ..scan(&[("too_many_fields", 2)])
        };
        assert_eq!(
            bad_rows(&repaired, Some("bad.jsonl")).unwrap(),
            "2 of 1000 records read repaired (2 too_many_fields); see bad.jsonl"
        );
        let nulled = ScanReport {
            nulled: 1,
            ..scan(&[("out_of_range", 1)])
        };
        assert_eq!(
            bad_rows(&nulled, None).unwrap(),
            "1 value nulled; see --rejects FILE"
        );
        let by_value = ScanReport {
            rejected: 5,
            ..scan(&[("bad_value", 5)])
        };
        assert_eq!(
            bad_rows(&by_value, None).unwrap(),
            "5 of 1000 records rejected (5 bad_value); see --rejects FILE"
        );
    }
}
