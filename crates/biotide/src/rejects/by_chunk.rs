//! Which chunk of a sink's rows a bad record belongs to.

use std::any::Any;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::slice;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use biotide_common::reject::RejectRecord;
use biotide_common::session::QueryLog;
use biotide_formats::text::TextSource;
use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::ExecutionPlan;

use super::set_aside::SetAside;
use crate::error::Result;

/// The bad records that were set aside until now, by chunks of so many of the `rows` of a sink. Each is in one chunk,
/// however often it was read: in that of the good record which it stands behind.
///
/// Rows are not followed through a plan. Where each good record became one row, of one file or of several one after the
/// other, that is the chunk (what a step refuses is counted by lines: of records of several it may be a later one). Else a
/// record is where it would be if the good ones of its file had become all rows evenly.
/// The last chunk has what stands in no file.
pub(crate) fn errors_by_chunk(
    log: &Arc<QueryLog>,
    plan: Option<&Arc<dyn ExecutionPlan>>,
    rows: u64,
    chunk_rows: u64,
) -> Result<BTreeMap<u64, u64>> {
    let chunk_rows = chunk_rows.max(1);
    let last = rows.saturating_sub(1) / chunk_rows;
    let spans = spans_of(log, plan, rows)?;
    let mut errors: BTreeMap<u64, u64> = BTreeMap::new();
    // (Those of a file come one after the other, in its order.)
    let (mut file, mut bad) = (String::new(), 0_u64);
    let mut placed = 0_u64;
    let aside = SetAside::of(slice::from_ref(log), |record, is_note| {
        if record.source != file {
            file.clone_from(&record.source);
            bad = 0;
        }
        let span = spans.get(&file);
        let good = before(record, span).saturating_sub(bad);
        bad += 1;
        placed += 1;
        if !is_note {
            let row = span.map(|span| span.row_before(good));
            let chunk = row.map_or(last, |row| last.min(row / chunk_rows));
            *errors.entry(chunk).or_default() += 1;
        }
    })?;
    let elsewhere = aside.rejected.saturating_sub(placed);
    if elsewhere > 0 {
        *errors.entry(last).or_default() += elsewhere;
    }
    Ok(errors)
}

/// How many records of its file stand before one.
fn before(record: &RejectRecord, span: Option<&Span>) -> u64 {
    match record.record {
        // (Of a row that a step has refused there is the line alone.)
        None => {
            let before = span.map_or(0, |span| span.lines_before);
            record.line.saturating_sub(before + 1)
        }
        Some(number) => number.saturating_sub(1),
    }
}

/// The rows of a sink that a file gave.
#[derive(Debug, Default)]
struct Span {
    /// Lines of the file before its first record.
    lines_before: u64,
    /// Records of the file that nobody has set aside: of one that is read several times, those of one time.
    good: u64,
    /// What they became: so many rows, from this one on.
    rows: u64,
    first: u64,
}

impl Span {
    /// The row that the last one of so many good records became; of none, the first row.
    fn row_before(&self, good: u64) -> u64 {
        let place = u128::from(good.saturating_sub(1));
        let row = place * u128::from(self.rows) / u128::from(self.good.max(1));
        let row = u64::try_from(row).unwrap_or(u64::MAX);
        self.first.saturating_add(row)
    }
}

/// What each file gave.
fn spans_of(
    log: &Arc<QueryLog>,
    plan: Option<&Arc<dyn ExecutionPlan>>,
    rows: u64,
) -> Result<HashMap<String, Span>> {
    let mut spans: HashMap<String, Span> = HashMap::new();
    let mut by_readers = 0;
    for scan in log.scans() {
        let counts = scan.report();
        by_readers += counts.rejected;
        let span = spans.entry(scan.file.clone()).or_default();
        let good = counts.records.saturating_sub(counts.rejected);
        span.good = good.max(span.good);
        span.lines_before = scan.lines_before.load(Ordering::Relaxed);
    }
    // (Readers do not know what steps have refused, and steps do not know the number of a record.)
    if log.report().rejected > by_readers {
        SetAside::of(slice::from_ref(log), |record, _| {
            if record.record.is_none()
                && let Some(span) = spans.get_mut(&record.source)
            {
                span.good = span.good.saturating_sub(1);
            }
        })?;
    }
    let mut files = Vec::new();
    if let Some(plan) = plan {
        files_of(plan, &mut files);
    }
    let mut firsts: HashMap<String, u64> = HashMap::new();
    let mut all = 0;
    for file in files {
        if let Some(span) = spans.get(&file)
            && let Entry::Vacant(first) = firsts.entry(file)
        {
            first.insert(all);
            all += span.good;
        }
    }
    let good: u64 = spans.values().map(|span| span.good).sum();
    let is_row_by_row = all == rows && good == rows;
    for (file, span) in &mut spans {
        (span.first, span.rows) = match firsts.get(file) {
            Some(&first) if is_row_by_row => (first, span.good),
            _ => (0, rows),
        };
    }
    Ok(spans)
}

/// The files of text that a plan reads, in the order in which it does.
fn files_of(plan: &Arc<dyn ExecutionPlan>, files: &mut Vec<String>) {
    let config = plan
        .downcast_ref::<DataSourceExec>()
        .and_then(|exec| exec.data_source().downcast_ref::<FileScanConfig>());
    if let Some(config) = config {
        let source: &dyn Any = &**config.file_source();
        if let Some(source) = source.downcast_ref::<TextSource>() {
            let groups = config.file_groups.iter();
            let own = groups.flat_map(|group| group.iter());
            files.extend(own.map(|file| source.name_of(file)));
        }
    }
    for child in plan.children() {
        files_of(child, files);
    }
}

#[cfg(test)]
mod tests {
    use biotide_common::scan::ScanStats;

    use super::*;

    /// A log of a file with ten good rows before each bad one, which a reader or a step has set aside.
    fn log_of(bad: u64, by_step: bool) -> Arc<QueryLog> {
        let log = QueryLog::new(std::env::temp_dir(), true, 1);
        let scan = ScanStats::new("a.csv", 10);
        let (delivered, rejected) = match by_step {
            true => (11 * bad, 0),
            false => (10 * bad, bad),
        };
        scan.lines_before.store(1, Ordering::Relaxed);
        scan.records.store(11 * bad, Ordering::Relaxed);
        scan.delivered.store(delivered, Ordering::Relaxed);
        scan.rejected.store(rejected, Ordering::Relaxed);
        log.add_scan(Arc::new(scan));
        let entry = |n: u64| RejectRecord {
            source: "a.csv".to_owned(),
            offset: 100 * n,
            column: None,
            reason: "too_few_fields".to_owned(),
            record: (!by_step).then_some(11 * n),
            line: 11 * n + 1,
            length: 1,
            message: String::new(),
            raw: String::new(),
            action: "rejected".to_owned(),
        };
        for n in 1..=bad {
            if by_step {
                log.refuse("too_few_fields", 11 * n + 1);
            }
            log.rejects.extend(vec![entry(n)]).unwrap();
        }
        Arc::new(log)
    }

    #[test]
    fn a_record_is_in_the_chunk_of_the_row_before_it() {
        for by_step in [false, true] {
            let log = log_of(500, by_step);
            let of = |rows| errors_by_chunk(&log, None, rows, 1000).unwrap();
            let counts: Vec<u64> = of(5000).into_values().collect();
            assert_eq!(counts, [100; 5], "{by_step}");
            // Of a plan that drops half of the rows, or makes two of each.
            let counts: Vec<u64> = of(2500).into_values().collect();
            assert_eq!(counts, [200, 200, 100], "{by_step}");
            let counts: Vec<u64> = of(10_000).into_values().collect();
            assert_eq!(counts, [50; 10], "{by_step}");
        }
    }
}
