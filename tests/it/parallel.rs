//! A file with everything wrong in it, read in many ways: rows in order, reject log and counts are those
//! that the file was made for, at any parallelism and batch size, plain and gzipped.

use std::path::Path;

use biotide::prelude::*;

use crate::support::gen_data::{Bad, Made, Recipe, SCHEMA};
use crate::support::{self, Settings};

const QUOTED: Recipe = Recipe {
    seed: 1,
    delimiter: b',',
    quotes: true,
    bytes: 20 << 20,
    max_record: None,
    bad: 20,
};
const PLAIN: Recipe = Recipe {
    seed: 2,
    delimiter: b'\t',
    quotes: false,
    bytes: 12 << 20,
    max_record: None,
    bad: 20,
};
/// Records longer than a unit, and quotes that never close.
const LONG: Recipe = Recipe {
    seed: 3,
    delimiter: b',',
    quotes: true,
    bytes: 12 << 20,
    max_record: Some(150 << 10),
    bad: 5,
};
const SMALL: Recipe = Recipe {
    bytes: 900 << 10,
    ..QUOTED
};

fn context(recipe: Recipe, settings: Settings) -> BiotideContext {
    // Both kinds of text arrays have their turn.
    let text = if settings.threads > 2 { "view" } else { "utf8" };
    let builder = settings.builder().option("schema", SCHEMA);
    let mut builder = builder.option("text_type", text);
    if let Some(max) = recipe.max_record {
        builder = builder.option("max_record_bytes", max.to_string());
    }
    builder.build().unwrap()
}

/// The reject log of the last statement as the generator tells it.
async fn log(context: &BiotideContext) -> Vec<Bad> {
    const REASONS: [&str; 8] = [
        "too_few_fields",
        "too_many_fields",
        "unterminated_quote",
        "text_after_quote",
        "invalid_utf8",
        "record_too_long",
        "bad_value",
        "out_of_range",
    ];
    let entry = |row: &Vec<String>| Bad {
        record: row[1].parse().unwrap(),
        line: row[2].parse().unwrap(),
        offset: row[3].parse().unwrap(),
        length: row[4].parse().unwrap(),
        reason: REASONS.iter().find(|reason| **reason == row[6]).unwrap(),
        action: if row[9] == "nulled" {
            "nulled"
        } else {
            "rejected"
        },
    };
    support::rejects(context).await.iter().map(entry).collect()
}

#[track_caller]
fn assert_log(actual: &[Bad], expected: &[&Bad], what: &str) {
    let different = actual.iter().zip(expected).find(|(a, e)| a != *e);
    assert_eq!(different, None, "{what}: actual, expected");
    assert_eq!(actual.len(), expected.len(), "{what}");
}

#[track_caller]
fn assert_counts(scan: &ScanReport, made: &Made, what: &str) {
    support::assert_closes(scan);
    assert_eq!(
        (scan.records, scan.delivered, scan.rejected, scan.blank),
        (made.records, made.delivered, made.rejected, made.blank),
        "{what}"
    );
}

/// Converts the file, and compares rows, log and counts with what must come of it.
async fn convert(recipe: Recipe, made: &Made, input: &str, settings: Settings) {
    let what = format!("{input} under {settings:?}");
    let context = context(recipe, settings);
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out.csv");
    let request = ConvertRequest {
        inputs: vec![input.to_owned()],
        output: output.display().to_string(),
        ..ConvertRequest::default()
    };
    let report = context.convert(request, |_| {}).await.unwrap();
    assert_eq!(report.rows, made.delivered, "{what}");
    assert_counts(&report.scan, made, &what);
    assert_eq!(report.scan.reasons, made.reasons(), "{what}");
    assert_same_text(&output, &made.csv, &what);
    let all: Vec<&Bad> = made.bad.iter().collect();
    assert_log(&log(&context).await, &all, &what);
}

#[track_caller]
fn assert_same_text(path: &Path, expected: &[u8], what: &str) {
    let actual = std::fs::read(path).unwrap();
    if actual == expected {
        return;
    }
    let at = actual
        .iter()
        .zip(expected)
        .take_while(|(a, e)| a == e)
        .count();
    let show = |text: &[u8]| {
        let from = at.saturating_sub(60);
        String::from_utf8_lossy(&text[from..text.len().min(at + 60)]).into_owned()
    };
    panic!(
        "{what}: {} bytes instead of {}, other ones from byte {at} on\nactual: …{}\nexpected: …{}",
        actual.len(),
        expected.len(),
        show(&actual),
        show(expected)
    );
}

/// Questions whose plan mixes the units: the log and the counts are the same.
async fn ask(recipe: Recipe, made: &Made, input: &str, settings: Settings) {
    let what = format!("{input} under {settings:?}");
    let context = context(recipe, settings);
    let shapes: Vec<&Bad> = made.bad.iter().filter(|b| b.action == "rejected").collect();
    let all: Vec<&Bad> = made.bad.iter().collect();

    let (rows, scan) = support::query(&context, &format!("SELECT count(*) FROM '{input}'")).await;
    assert_eq!(rows, [[made.delivered.to_string()]], "{what}");
    assert_counts(&scan, made, &what);
    assert_log(&log(&context).await, &shapes, &what);

    let sql = format!("SELECT text, count(*), sum(value) FROM '{input}' GROUP BY text");
    let (rows, scan) = support::query(&context, &sql).await;
    let n: u64 = rows.iter().map(|row| row[1].parse::<u64>().unwrap()).sum();
    assert_eq!(n, made.delivered, "{what}");
    assert_counts(&scan, made, &what);
    assert_log(&log(&context).await, &all, &what);

    let sql = format!("SELECT count(*), max(id) FROM '{input}' WHERE text = 'plain' AND id > 5");
    let (_, scan) = support::query(&context, &sql).await;
    assert_counts(&scan, made, &what);
    assert_log(&log(&context).await, &shapes, &what);
}

async fn check(recipe: Recipe, name: &str, conversions: &[Settings], questions: &[Settings]) {
    let made = recipe.make();
    assert!(
        made.bad.len() > 50 && made.reasons().len() >= 5,
        "{:?}",
        made.reasons()
    );
    let folder = tempfile::tempdir().unwrap();
    let input = support::write(&folder.path().join(name), &made.bytes);
    for &settings in conversions {
        convert(recipe, &made, &input, settings).await;
    }
    for &settings in questions {
        ask(recipe, &made, &input, settings).await;
    }
    let packed = folder.path().join(format!("{name}.gz"));
    let packed = support::write(&packed, support::gzip(&made.bytes));
    let (first, last) = (conversions[0], conversions[conversions.len() - 1]);
    for settings in [first, last] {
        convert(recipe, &made, &packed, settings).await;
    }
    ask(recipe, &made, &packed, last).await;
}

const WIDE: [Settings; 3] = [
    Settings::new(1, 8192),
    Settings::new(2, 8192),
    Settings::new(7, 8192),
];
const NARROW: [Settings; 3] = [
    Settings::new(1, 13),
    Settings::new(2, 13),
    Settings::new(7, 13),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn quoted() {
    check(QUOTED, "quoted.csv", &WIDE, &WIDE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn quoted_in_small_batches() {
    let recipe = Recipe {
        bytes: 5 << 20,
        seed: 4,
        ..QUOTED
    };
    check(recipe, "small.csv", &NARROW, &NARROW).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_quotes() {
    let settings = [WIDE[0], WIDE[2], NARROW[1]];
    check(PLAIN, "plain.tsv", &settings, &settings).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn long_records_and_open_quotes() {
    let settings = [WIDE[0], NARROW[2], WIDE[1]];
    check(LONG, "long.csv", &settings, &settings).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn row_by_row() {
    let settings = [Settings::new(1, 1), Settings::new(7, 1)];
    check(SMALL, "tiny.csv", &settings, &settings).await;
    check(
        Recipe {
            bytes: 900 << 10,
            ..PLAIN
        },
        "tiny.tsv",
        &settings,
        &settings,
    )
    .await;
}

/// Other ways to deal with bad rows: one answer each, whatever the settings.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_mode_has_one_answer() {
    let recipe = Recipe {
        bytes: 3 << 20,
        bad: 60,
        ..LONG
    };
    let made = recipe.make();
    let folder = tempfile::tempdir().unwrap();
    let input = support::write(&folder.path().join("a.csv"), &made.bytes);
    let modes: [&[(&str, &str)]; 6] = [
        &[("on_error", "lenient")],
        &[("on_bad_value", "reject")],
        &[("on_error", "lenient"), ("on_bad_value", "reject")],
        &[("skip_empty", "true"), ("key_columns", "text")],
        &[("max_rows", "5003")],
        &[("quote", "none"), ("error_threshold", "1")],
    ];
    for mode in modes {
        let mut first: Option<(Vec<u8>, Vec<Vec<String>>)> = None;
        for settings in [WIDE[0], WIDE[2], NARROW[1], Settings::new(3, 1000)] {
            let mut builder = settings.builder().option("schema", SCHEMA);
            let max = recipe.max_record.unwrap_or_default().to_string();
            builder = builder.option("max_record_bytes", max);
            for (key, value) in mode {
                builder = builder.option(*key, *value);
            }
            let context = builder.build().unwrap();
            let output = folder.path().join("out.csv");
            let request = ConvertRequest {
                inputs: vec![input.clone()],
                output: output.display().to_string(),
                force: true,
                ..ConvertRequest::default()
            };
            let scan = context.convert(request, |_| {}).await.unwrap().scan;
            let what = format!("{mode:?} under {settings:?}");
            assert_eq!(
                scan.delivered + scan.rejected + scan.blank + scan.skipped,
                scan.records,
                "{what}"
            );
            assert_eq!(scan.complete, mode[0].0 != "max_rows", "{what}");
            let rows = std::fs::read(&output).unwrap();
            let log = support::rejects(&context).await;
            assert!(!log.is_empty());
            match &first {
                None => first = Some((rows, log)),
                Some((first_rows, first_log)) => {
                    assert_same_text(&output, first_rows, &what);
                    assert_eq!(log.len(), first_log.len(), "{what}");
                    assert!(log == *first_log, "{what}");
                }
            }
        }
    }
}

/// The same statement a second time, and two at a time over the same file.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn again_and_at_once() {
    let made = SMALL.make();
    let folder = tempfile::tempdir().unwrap();
    let input = support::write(&folder.path().join("a.csv"), &made.bytes);
    let context = context(SMALL, Settings::new(3, 100));
    let sql = format!("SELECT text, count(*) AS n FROM '{input}' GROUP BY text ORDER BY text");
    let mut statement = context.sql(&sql).await.unwrap();
    let first = support::text_rows(&statement.collect().await.unwrap());
    let second = support::text_rows(&statement.collect().await.unwrap());
    assert_eq!(first, second);
    let scan = statement.finish().unwrap();
    assert_counts(&scan, &made, "the second run alone");
    let (a, b) = tokio::join!(
        support::query(&context, &sql),
        support::query(&context, &sql)
    );
    assert_eq!((&a.0, &b.0), (&first, &first));
    assert_counts(&a.1, &made, "one of two at a time");
    assert_counts(&b.1, &made, "the other");
}

/// Rows in any order, where that was asked for: the same rows, the same log.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn unordered() {
    let made = PLAIN.make();
    let folder = tempfile::tempdir().unwrap();
    let input = support::write(&folder.path().join("a.tsv"), &made.bytes);
    let context = context(PLAIN, WIDE[2]);
    let output = folder.path().join("out.csv");
    let request = ConvertRequest {
        inputs: vec![input],
        output: output.display().to_string(),
        unordered: true,
        ..ConvertRequest::default()
    };
    let report = context.convert(request, |_| {}).await.unwrap();
    assert_counts(&report.scan, &made, "unordered");
    let text = std::fs::read_to_string(&output).unwrap();
    let expected = std::str::from_utf8(&made.csv).unwrap();
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort_unstable();
        lines
    };
    assert!(sorted(&text) == sorted(expected));
    let all: Vec<&Bad> = made.bad.iter().collect();
    assert_log(&log(&context).await, &all, "unordered");
}

/// Above 1,000 records the default threshold is judged, at any parallelism, and the log is kept.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_threshold_is_judged_at_the_end_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    for (records, bad, fails) in [(2000, 200, false), (2000, 201, true), (900, 800, false)] {
        let row = |i: usize| match i < bad {
            true => format!("{i}\n"),
            false => format!("{i},x\n"),
        };
        let text: String = (0..records).map(row).collect();
        let input = support::write(&folder.path().join("t.csv"), format!("a,b\n{text}"));
        for settings in support::SETTINGS {
            let context = settings.context();
            let sql = format!("SELECT count(*) FROM '{input}'");
            if !fails {
                let (rows, scan) = support::query(&context, &sql).await;
                assert_eq!(rows, [[(records - bad).to_string()]]);
                support::assert_closes(&scan);
                continue;
            }
            let error = support::error(&context, &sql).await;
            assert!(
                error.contains("201 of 2000 records (10.1 %) have a problem"),
                "{error}"
            );
            assert!(
                error.contains("201 too_few_fields; the first: line 2"),
                "{error}"
            );
            assert_eq!(support::rejects(&context).await.len(), 201);
        }
    }
}

/// Units that guess and are told in any order: no run loses one.
#[tokio::test(flavor = "multi_thread", worker_threads = 16)]
async fn many_threads_never_lose_a_unit() {
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (0..100_000)
        .map(|i| format!("{i},\"n,7\",\"q\"\"x\"\n"))
        .collect();
    let input = folder.path().join("q.csv");
    let input = support::write(&input, format!("a,b,c\n{rows}"));
    let context = Settings::new(16, 8192).context();
    for run in 0..60 {
        let sql = format!("SELECT count(*), sum(a) FROM '{input}'");
        let (rows, report) = support::query(&context, &sql).await;
        assert_eq!(rows, [["100000", "4999950000"]], "run {run}");
        support::assert_closes(&report);
    }
}

/// A unit that starts inside a quoted field is first read wrongly: what a filter makes of rows that are
/// none is nobody's business.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_filter_does_not_fail_on_rows_that_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let quoted = "0,0\n".repeat(200_000);
    let rows: String = (1..=20_000)
        .map(|i| format!("{i},{}\n", i % 9 + 1))
        .collect();
    let text: String = (0..4).map(|_| format!("\"{quoted}\",1\n{rows}")).collect();
    let input = folder.path().join("q.csv");
    let input = support::write(&input, format!("a,b\n{text}"));
    for settings in support::SETTINGS
        .into_iter()
        .filter(|s| s.batch_size > 1000)
    {
        let context = settings.context();
        let sql = format!("SELECT count(*) FROM '{input}' WHERE 100 / b > 1");
        assert_eq!(
            support::value(&context, &sql).await,
            "80004",
            "{settings:?}"
        );
    }
}

/// A worker that panics takes its rows along: that is an error, not an end.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_panic_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let input = support::write(&folder.path().join("p.csv"), "a,b,n\n1,x,0\n2,y,0\n");
    for settings in [Settings::new(1, 8192), Settings::new(4, 8192)] {
        let context = settings.context();
        // (The engine's lpad asks for more memory than there is.)
        let sql =
            format!("SELECT a FROM '{input}' WHERE length(lpad(b, 9000000000000000000 + n)) > 0");
        for _ in 0..10 {
            let message = support::error(&context, &sql).await;
            assert!(message.contains("panic"), "{message}");
        }
    }
}
