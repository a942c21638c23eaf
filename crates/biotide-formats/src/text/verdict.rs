//! What comes of the bad rows of a file: entries in the log, counts, and in the end a verdict.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use biotide_common::BiotideError;
use biotide_common::options::BiotideOptions;
use biotide_common::reject::RejectRecord;
use biotide_common::scan::ScanStats;
use biotide_common::session::QueryLog;
use biotide_text::chunk::DecodedChunk;
use biotide_text::problem::{Action, Problem, Reason};
use parking_lot::Mutex;

/// Below this many records a default threshold is not judged.
const LEAST_RECORDS: u64 = 1000;

/// Records of a chunk, where nothing says otherwise.
const CHUNK_ROWS: usize = 1000;

/// The bookkeeping of one file of one scan.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) stats: Arc<ScanStats>,
    log: Arc<QueryLog>,
    threshold: f64,
    /// Whether the user set the threshold: then few records are judged too.
    asked: bool,
    min_record_bytes: u64,
    /// Records of a chunk, and how many of them may have a problem.
    chunk_rows: u64,
    most_in_chunk: Option<u64>,
    /// The first problem of the file so far: offset and words.
    first: Mutex<Option<(u64, String)>>,
    /// Whether units are decoded before their turn.
    ahead: bool,
    /// Of those, the first bad row that ends the read.
    fatal: Mutex<Option<Problem>>,
    /// The file that bad rows are written to.
    rejects: Option<String>,
}

impl Verdict {
    pub(super) fn new(
        stats: Arc<ScanStats>,
        log: Arc<QueryLog>,
        options: &BiotideOptions,
        min_record_bytes: u64,
    ) -> Self {
        let threshold = options.error_threshold.map(|share| share.0);
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        Self {
            stats,
            log,
            threshold: threshold.unwrap_or(0.1),
            asked: threshold.is_some(),
            min_record_bytes: min_record_bytes.max(1),
            chunk_rows: count(options.chunk_rows.unwrap_or(CHUNK_ROWS)).max(1),
            most_in_chunk: options.max_errors_per_chunk.map(count),
            first: Mutex::new(None),
            ahead: false,
            fatal: Mutex::new(None),
            rejects: options.rejects.as_ref().map(|file| file.path().to_owned()),
        }
    }

    /// Says whether units are decoded before their turn. Then a bad row that ends the read may not be the first of the
    /// file, and is logged when it is its unit's turn: by [`Self::log_fatal_before`].
    pub(super) fn ahead(self, ahead: bool) -> Self {
        Self { ahead, ..self }
    }

    /// Counts what a chunk held; `bytes` were read for it.
    pub(super) fn count(&self, chunk: &DecodedChunk, bytes: u64) {
        let stats = &self.stats;
        let records = chunk.delivered + chunk.rejected + chunk.blank + chunk.skipped;
        for (total, n) in [
            (&stats.bytes, bytes),
            (&stats.records, records),
            (&stats.delivered, chunk.delivered),
            (&stats.rejected, chunk.rejected),
            (&stats.blank, chunk.blank),
            (&stats.skipped, chunk.skipped),
            (&stats.problem_records, chunk.problem_records),
            (&stats.unknown, chunk.unknown),
        ] {
            if n > 0 {
                total.fetch_add(n, Ordering::Relaxed);
            }
        }
        if chunk.flaws.is_empty() {
            return;
        }
        let mut reasons = stats.reasons.lock();
        for flaw in &chunk.flaws {
            *reasons.entry(flaw.reason.code()).or_default() += 1;
        }
        drop(reasons);
        let mut actions = stats.actions.lock();
        for flaw in &chunk.flaws {
            *actions.entry(flaw.action.code()).or_default() += 1;
        }
    }

    /// Takes down problems of a unit, in order. `last`: the last record that had one.
    pub(super) fn log(
        &self,
        problems: Vec<Problem>,
        last: &mut Option<u64>,
    ) -> Result<(), BiotideError> {
        let crowded = self.count_by_chunk(&problems, last);
        if let Some(problem) = problems.first() {
            let mut first = self.first.lock();
            if first
                .as_ref()
                .is_none_or(|(offset, _)| problem.offset < *offset)
            {
                *first = Some((problem.offset, problem.to_string()));
            }
        }
        self.log
            .rejects
            .extend(problems.into_iter().map(|p| self.record(p)).collect())?;
        crowded.map_or(Ok(()), Err)
    }

    /// Counts records with a problem by chunk. An error if a chunk has more than it may have.
    fn count_by_chunk(&self, problems: &[Problem], last: &mut Option<u64>) -> Option<BiotideError> {
        let mut errors = self.stats.chunk_errors.lock();
        let mut crowded = None;
        for problem in problems {
            if last.replace(problem.record) == Some(problem.record)
                || problem.reason == Reason::Footnote
            {
                continue;
            }
            let chunk = problem.record.saturating_sub(1) / self.chunk_rows;
            let count = errors.entry(chunk).or_default();
            *count += 1;
            if self.most_in_chunk.is_some_and(|most| *count > most) {
                crowded.get_or_insert((chunk, *count, problem));
            }
        }
        drop(errors);
        crowded.map(|(chunk, count, problem)| BiotideError::BadRows {
            file: self.stats.file.clone(),
            problem: format!(
                "{count} of the records {} to {} have a problem, more than max_errors_per_chunk allows; the last: \
                 {problem}",
                chunk * self.chunk_rows + 1,
                (chunk + 1) * self.chunk_rows
            ),
            advice: format!(
                "{}; if the file is that bad, raise max_errors_per_chunk.",
                self.where_to_look()
            ),
        })
    }

    /// How to see the bad rows.
    fn where_to_look(&self) -> String {
        match &self.rejects {
            Some(file) => format!("See them in {file}, or with SELECT * FROM system.rejects"),
            None => "See them with --rejects FILE or SELECT * FROM system.rejects".to_owned(),
        }
    }

    fn record(&self, problem: Problem) -> RejectRecord {
        RejectRecord {
            source: self.stats.file.clone(),
            offset: problem.offset,
            column: problem.column_name,
            reason: problem.reason.code().to_owned(),
            record: Some(problem.record),
            line: problem.line,
            length: problem.length,
            message: problem.message,
            raw: String::from_utf8_lossy(&problem.raw).into_owned(),
            action: problem.action.code().to_owned(),
        }
    }

    /// Takes down the row that ends the read, and counts it as one that was set aside.
    fn log_fatal(&self, problem: Problem) -> Result<(), BiotideError> {
        let stats = &self.stats;
        for count in [&stats.records, &stats.rejected, &stats.problem_records] {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let action = Action::Rejected.code();
        *stats
            .reasons
            .lock()
            .entry(problem.reason.code())
            .or_default() += 1;
        *stats.actions.lock().entry(action).or_default() += 1;
        let record = RejectRecord {
            action: action.to_owned(),
            ..self.record(problem)
        };
        self.log.rejects.extend(vec![record])
    }

    /// Takes down the row that ends the read, if it stands before the end of the unit whose turn it is. (Where that has
    /// failed for another reason, there may be one further on.)
    pub(super) fn log_fatal_before(&self, end: u64) -> Result<(), BiotideError> {
        let fatal = self.fatal.lock().take_if(|fatal| fatal.offset < end);
        fatal.map_or(Ok(()), |fatal| self.log_fatal(fatal))
    }

    /// The error of the first bad row of a unit, under `fail`.
    pub(super) fn first_bad(&self, problem: &Problem) -> BiotideError {
        if self.ahead {
            let mut fatal = self.fatal.lock();
            let is_first = |known: &Problem| problem.offset < known.offset;
            if fatal.as_ref().is_none_or(is_first) {
                *fatal = Some(problem.clone());
            }
        } else if let Err(error) = self.log_fatal(problem.clone()) {
            return error;
        }
        let raw = String::from_utf8_lossy(&problem.raw);
        let shown: String = raw.chars().take(200).collect();
        BiotideError::BadRows {
            file: self.stats.file.clone(),
            problem: format!("{problem}\n  {}", shown.escape_debug()),
            advice:
                "To go on past bad rows, set on_error = 'reject' (they go to the reject log) or \
                     'lenient', and on_bad_value = 'null'. A step of a pipeline has continue_on_error: true."
                    .to_owned(),
        }
    }

    /// An error where the share of bad records (of those that are not blank) is above the threshold: at
    /// the end of the file, or as soon as the bytes that remain cannot bring it back.
    pub(super) fn judge(&self, remaining: u64) -> Result<(), BiotideError> {
        let bad = self.stats.problem_records.load(Ordering::Relaxed);
        if bad == 0 {
            return Ok(());
        }
        // A blank line is no evidence of a good file.
        let blank = self.stats.blank.load(Ordering::Relaxed);
        let records = self.stats.records.load(Ordering::Relaxed);
        let records = records.saturating_sub(blank);
        let at_most = records + remaining / self.min_record_bytes;
        if at_most < LEAST_RECORDS && !self.asked {
            return Ok(());
        }
        if bad as f64 <= self.threshold * at_most as f64 {
            return Ok(());
        }
        let report = self.stats.report();
        let share = 100.0 * bad as f64 / records.max(1) as f64;
        let first = self.first.lock().take();
        let first = first.map_or(String::new(), |(_, first)| format!("; the first: {first}"));
        Err(BiotideError::BadRows {
            file: self.stats.file.clone(),
            problem: format!(
                "{bad} of {records} records ({share:.1} %) have a problem, more than error_threshold \
                 ({}) allows: {}{first}",
                self.threshold,
                report.summary()
            ),
            advice: format!(
                "{}. If the file is read with the wrong options (delimiter, quote, header, schema), correct those; if \
                 it is that bad, raise error_threshold.",
                self.where_to_look()
            ),
        })
    }
}
