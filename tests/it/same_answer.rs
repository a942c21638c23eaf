//! Made-up questions over made-up messy files: under any threads, rows of a batch, memory limit and cuts of the
//! file, the rows, the rejected records and their number are those of one thread with all the memory it wants.
//!
//! `BIOTIDE_CASES=1000 scripts/test --test it -- same_answer` asks more of them, `BIOTIDE_SEED=7` others.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use biotide::MemoryGauge;
use biotide::prelude::*;

use crate::support::gen_data::{Recipe, Rng, SCHEMA};
use crate::support::{self, assert_closes};

/// Questions of one run.
const CASES: u64 = 30;

/// The least limit here: the tests' own process is in it.
const LEAST: usize = 100_000_000;

fn number(name: &str, default: u64) -> u64 {
    let given = std::env::var(name).ok();
    given.map_or(default, |text| text.parse().unwrap())
}

/// What a question is asked under.
#[derive(Debug, Clone, Copy)]
struct Way {
    threads: usize,
    batch_size: usize,
    memory_limit: usize,
    /// Memory is short at times: units are cut elsewhere.
    short_at_times: bool,
}

impl Way {
    const PLAIN: Self = Self {
        threads: 1,
        batch_size: 8192,
        memory_limit: 8_000_000_000,
        short_at_times: false,
    };

    fn any(rng: &mut Rng) -> Self {
        let pick = |rng: &mut Rng, of: &[usize]| of[rng.below(of.len() as u64) as usize];
        Self {
            threads: pick(rng, &[1, 2, 3, 7]),
            batch_size: pick(rng, &[17, 500, 1024, 8192]),
            memory_limit: pick(rng, &[LEAST, 130_000_000, 300_000_000, 8_000_000_000]),
            short_at_times: rng.below(2) == 0,
        }
    }

    fn context(self, recipe: Recipe, temp_dir: &std::path::Path) -> BiotideContext {
        let mut builder = BiotideContext::builder()
            .threads(self.threads)
            .batch_size(self.batch_size)
            .memory_limit(self.memory_limit)
            .temp_dir(temp_dir)
            .option("error_threshold", "1")
            .option("schema", SCHEMA);
        if let Some(max) = recipe.max_record {
            builder = builder.option("max_record_bytes", max.to_string());
        }
        let context = builder.build().unwrap();
        if self.short_at_times {
            let (asked, seed) = (AtomicU64::new(0), recipe.seed);
            let gauge = MemoryGauge::new(move || {
                let asked = asked.fetch_add(1, Ordering::Relaxed);
                Rng::new(seed ^ (asked / 5)).below(3) == 0
            });
            let session = context.session().state_ref();
            session.write().config_mut().set_extension(Arc::new(gauge));
        }
        context
    }
}

fn recipe(rng: &mut Rng) -> Recipe {
    Recipe {
        seed: rng.next(),
        delimiter: [b',', b'\t', b';'][rng.below(3) as usize],
        quotes: rng.below(2) == 0,
        bytes: (200 << 10) + rng.below(5 << 20) as usize,
        max_record: (rng.below(4) == 0).then_some(100 << 10),
        bad: rng.below(60),
    }
}

/// A question whose answer is the same set of rows however it is computed: no sums of floats, and an
/// order wherever rows are counted off.
fn question(rng: &mut Rng, file: &str) -> String {
    let condition = match rng.below(6) {
        0 => "value > 0".to_owned(),
        1 => format!("id % {} = 0", 1 + rng.below(5)),
        2 => "text LIKE '%a%'".to_owned(),
        3 => "value IS NOT NULL AND length(text) > 3".to_owned(),
        4 => format!("id IN (SELECT value FROM '{file}')"),
        _ => "true".to_owned(),
    };
    let rows = format!("(SELECT * FROM '{file}' WHERE {condition}) AS rows");
    match rng.below(15) {
        0 => format!("SELECT id, text, value FROM {rows}"),
        1 => format!("SELECT count(*), sum(value), min(text), max(id), count(value) FROM {rows}"),
        2 => format!("SELECT text, count(*), sum(value), max(id) FROM {rows} GROUP BY text"),
        3 => format!(
            "SELECT id / {}, count(*), min(value) FROM {rows} GROUP BY 1",
            1 + rng.below(9)
        ),
        4 => format!(
            "SELECT * FROM {rows} ORDER BY value, text DESC, id LIMIT {}",
            1 + rng.below(5000)
        ),
        5 => format!("SELECT row_number() OVER (ORDER BY text, value, id), * FROM {rows}"),
        6 => format!("SELECT DISTINCT text, value % 1000 FROM {rows}"),
        7 => format!(
            "SELECT count(DISTINCT id), count(DISTINCT text), sum(DISTINCT value % 50), count(*) FROM {rows}"
        ),
        8 => format!(
            "SELECT id % 7, count(DISTINCT text) FILTER (WHERE value > 0), count(DISTINCT value), max(text) \
             FROM {rows} GROUP BY 1"
        ),
        9 => format!(
            "SELECT a.id, a.text, b.value FROM {rows} JOIN '{file}' AS a ON a.id = rows.id \
             {} JOIN '{file}' AS b ON b.id = a.value",
            ["LEFT", "", "RIGHT", "FULL"][rng.below(4) as usize]
        ),
        10 => format!(
            "SELECT text, value, rank() OVER (PARTITION BY text ORDER BY value, id), \
             sum(value % 1000) OVER (PARTITION BY text) FROM {rows}"
        ),
        11 => format!(
            "SELECT id, count(*) OVER (PARTITION BY value % {}), \
             ntile(3) OVER (PARTITION BY text ORDER BY value, id), \
             last_value(id) OVER (PARTITION BY text ORDER BY value, id \
             ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) FROM {rows}",
            1 + rng.below(999)
        ),
        12 => format!("SELECT id, max(value) OVER (), min(text) OVER () FROM {rows}"),
        13 => format!("SELECT id, unnest(string_to_array(text, 'a')) FROM {rows}"),
        _ => format!(
            "SELECT id, text FROM {rows} WHERE NOT EXISTS \
             (SELECT 1 FROM '{file}' AS o WHERE o.id = rows.id + 1 AND o.value <> rows.value)"
        ),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_has_one_answer() {
    let folder = tempfile::tempdir().unwrap();
    let mut spilled = 0;
    let mut refused = 0;
    let mut shrunk = 0;
    for case in 0..number("BIOTIDE_CASES", CASES) {
        let mut rng = Rng::new(number("BIOTIDE_SEED", 1).wrapping_add(case * 7919));
        rng.next();
        let recipe = recipe(&mut rng);
        let made = recipe.make();
        let bytes = match rng.below(4) {
            0 => support::gzip(&made.bytes),
            1 => support::bgzf(&made.bytes, 30_000),
            _ => made.bytes,
        };
        let packed = bytes.starts_with(&[31, 139]);
        let ending = if recipe.delimiter == b'\t' {
            "tsv"
        } else {
            "csv"
        };
        let ending = format!("{ending}{}", if packed { ".gz" } else { "" });
        let file = support::write(&folder.path().join(format!("{case}.{ending}")), bytes);
        let sql = question(&mut rng, &file);
        let mut expected = None;
        for way in [Way::PLAIN, Way::any(&mut rng), Way::any(&mut rng)] {
            let what = format!("case {case}, {way:?}, {recipe:?}\n{sql}");
            let context = way.context(recipe, folder.path());
            let mut statement = context.sql(&sql).await.unwrap();
            let batches = statement.collect().await;
            spilled += statement.memory().spilled_files;
            shrunk += statement.memory().reading.shrunk;
            let report = statement.finish().unwrap();
            let batches = match batches {
                Ok(batches) => batches,
                // It may be too little, and then says so. (A limit that is none is never.)
                Err(error) if way.memory_limit == LEAST => {
                    let text = error.to_string();
                    assert!(text.contains("memory limit"), "{what}\n{text}");
                    refused += 1;
                    continue;
                }
                Err(error) => panic!("{what}\n{error}"),
            };
            let mut rows = support::text_rows(&batches);
            rows.sort();
            assert_closes(&report);
            // (Of values only those are looked at that are needed, which depends on how joins go about it.)
            let mut rejects = support::rejects(&context).await;
            rejects.retain(|entry| entry[9] != "nulled");
            // However often the question reads the file.
            let offsets = rejects.iter().map(|entry| entry[3].as_str());
            let bad = offsets.collect::<BTreeSet<_>>().len();
            assert_eq!(report.rejected, bad as u64, "{what}");
            let answer = (rows, rejects, report.rejected);
            match &expected {
                None => expected = Some(answer),
                Some(expected) => {
                    assert_eq!(answer.0.len(), expected.0.len(), "rows of {what}");
                    let other = answer.0.iter().zip(&expected.0).find(|(a, e)| a != e);
                    assert_eq!(other, None, "{what}");
                    assert_eq!(answer.1, expected.1, "rejects of {what}");
                    assert_eq!(answer.2, expected.2, "{what}");
                }
            }
        }
        std::fs::remove_file(&file).unwrap();
    }
    println!("{spilled} files spilled, {refused} refused");
    assert!(spilled > 0, "nothing was ever spilled");
    assert!(shrunk > 0, "no unit was ever smaller");
}
