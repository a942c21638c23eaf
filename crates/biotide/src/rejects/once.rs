//! What a statement has read, where it has read a file several times.

use std::collections::BTreeMap;
use std::slice;
use std::sync::Arc;

use biotide_common::scan::ScanReport;
use biotide_common::session::QueryLog;

use super::files::BATCH;
use super::set_aside::SetAside;
use crate::error::Result;
use crate::pipeline::sift::INVALID;

/// The counts of a statement that is done. A file or dataset that is used twice is read twice, and a row that was read can
/// be refused for several reasons: of each file records are counted once, and so is what was wrong with them. `files` and
/// `bytes` are what was read all the same.
pub(crate) fn counted_once(log: &Arc<QueryLog>) -> Result<ScanReport> {
    let report = log.report();
    let scans = log.scans();
    // Of those of a file the one that went farthest. (Tables of one file have no record in common.)
    let mut files: BTreeMap<(&str, Option<usize>), ScanReport> = BTreeMap::new();
    // What is counted once: that of readers, and what stands nowhere. The rest are rows that were read and refused.
    let mut once = log.unplaced();
    for scan in &scans {
        let (counts, table) = (scan.report(), (scan.file.as_str(), scan.table));
        once += counts.rejected;
        let most = files.entry(table).or_default();
        if counts.records >= most.records {
            *most = counts;
        }
    }
    if files.len() == scans.len() && report.rejected == once {
        return Ok(report);
    }
    let read = ScanReport::sum(files.into_values());
    let rejected = SetAside::of(slice::from_ref(log), |_, _| {})?.rejected;
    let found = Found::of(log, &report)?;
    // (Rows are refused that are of no file.)
    let not_delivered = rejected + read.blank + read.skipped;
    let records = read.records.max(not_delivered);
    Ok(ScanReport {
        files: report.files,
        bytes: report.bytes,
        complete: report.complete,
        records,
        delivered: records - not_delivered,
        rejected,
        nulled: found.nulled,
        repaired: found.repaired,
        reasons: found.reasons,
        ..read
    })
}

/// The entries of a log.
#[derive(Debug, Default)]
struct Found {
    nulled: u64,
    repaired: u64,
    reasons: BTreeMap<String, u64>,
}

impl Found {
    fn of(log: &QueryLog, report: &ScanReport) -> Result<Self> {
        let mut found = Self::default();
        let mut entries = log.rejects.read()?;
        loop {
            let some = entries.take_batch(BATCH)?;
            if some.is_empty() {
                return Ok(found);
            }
            for entry in some {
                found.nulled += u64::from(entry.action == "nulled");
                found.repaired += u64::from(entry.action == "repaired");
                // (Of an identifier the log says in more words what is wrong with it.)
                let reason = match report.reasons.contains_key(&entry.reason) {
                    true => entry.reason,
                    false => INVALID.to_owned(),
                };
                *found.reasons.entry(reason).or_default() += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use biotide_common::reject::RejectRecord;
    use biotide_common::scan::ScanStats;

    use super::*;

    fn entry(offset: u64, reason: &str, action: &str) -> RejectRecord {
        RejectRecord {
            source: "a.csv".to_owned(),
            offset,
            column: None,
            reason: reason.to_owned(),
            record: Some(offset),
            line: offset + 1,
            length: 1,
            message: String::new(),
            raw: String::new(),
            action: action.to_owned(),
        }
    }

    /// A log of a file with a bad row, a blank one and a value that became NULL, which was read so often.
    fn read(times: usize) -> Arc<QueryLog> {
        let log = QueryLog::new(std::env::temp_dir(), false, 1);
        for _ in 0..times {
            let scan = ScanStats::new("a.csv", 10);
            scan.bytes.store(10, Ordering::Relaxed);
            scan.records.store(5, Ordering::Relaxed);
            scan.delivered.store(3, Ordering::Relaxed);
            scan.rejected.store(1, Ordering::Relaxed);
            scan.blank.store(1, Ordering::Relaxed);
            *scan.reasons.lock() = BTreeMap::from([("too_few_fields", 1), ("bad_value", 1)]);
            *scan.actions.lock() = BTreeMap::from([("rejected", 1), ("nulled", 1)]);
            log.add_scan(Arc::new(scan));
            let entries = vec![
                entry(2, "too_few_fields", "rejected"),
                entry(4, "bad_value", "nulled"),
            ];
            log.rejects.extend(entries).unwrap();
        }
        Arc::new(log)
    }

    #[test]
    fn a_file_that_is_read_again_is_told_once() {
        let once = counted_once(&read(1)).unwrap();
        assert_eq!(once, read(1).report());
        let again = read(3);
        assert_eq!(again.report().rejected, 3);
        let counted = counted_once(&again).unwrap();
        assert_eq!((counted.files, counted.bytes), (3, 30));
        let told = ScanReport {
            files: 1,
            bytes: 10,
            ..counted
        };
        assert_eq!(told, once);
        // What a step has refused of it too.
        again.refuse("out_of_range", 6);
        again.refuse("out_of_range", 6);
        let entry = entry(5, "out_of_range", "rejected");
        again.rejects.extend(vec![entry.clone(), entry]).unwrap();
        let counted = counted_once(&again).unwrap();
        assert_eq!(
            (counted.records, counted.delivered, counted.rejected),
            (5, 2, 2)
        );
        assert_eq!(counted.reasons["out_of_range"], 1);
    }

    #[test]
    fn a_record_with_several_flaws_is_one() {
        let log = read(1);
        let mut flaws = vec![entry(5, "out_of_range", "rejected")];
        flaws.push(RejectRecord {
            raw: "2.5".to_owned(),
            ..flaws[0].clone()
        });
        for flaw in &flaws {
            log.refuse(&flaw.reason, flaw.line);
        }
        log.rejects.extend(flaws).unwrap();
        assert_eq!(log.report().rejected, 3);
        let counted = counted_once(&log).unwrap();
        assert_eq!(
            (counted.records, counted.delivered, counted.rejected),
            (5, 2, 2)
        );
        assert_eq!(counted.reasons["out_of_range"], 2);
        // (Those that stand nowhere are rows of their own.)
        log.refuse("out_of_range", 0);
        assert_eq!(counted_once(&log).unwrap().rejected, 3);
    }
}
