//! The numbers of a running statement: there at any time, never going back, right in the end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use biotide::prelude::*;

use crate::support::gen_data::{Recipe, SCHEMA};
use crate::support::{self, Settings};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn counts_may_be_asked_for_while_rows_are_rejected() {
    let recipe = Recipe {
        seed: 9,
        delimiter: b',',
        quotes: true,
        bytes: 6 << 20,
        max_record: None,
        bad: 300,
    };
    let made = recipe.make();
    let folder = tempfile::tempdir().unwrap();
    let input = support::write(&folder.path().join("a.csv"), &made.bytes);
    let builder = Settings::new(4, 100).builder().option("schema", SCHEMA);
    let context = builder.option("error_threshold", "1").build().unwrap();
    let sql = format!("SELECT text, count(*), sum(value) FROM '{input}' GROUP BY text");
    let mut statement = context.sql(&sql).await.unwrap();
    let monitor = statement.monitor();
    let done = AtomicBool::new(false);
    let (asked, result) = std::thread::scope(|scope| {
        let asker = scope.spawn(|| {
            let (mut asked, mut last) = (0u64, (0, 0, 0));
            while !done.load(Ordering::Relaxed) {
                let now = (monitor.records(), monitor.rejected(), monitor.bytes_done());
                assert!(now.0 >= last.0 && now.1 >= last.1 && now.2 >= last.2);
                last = now;
                asked += 1;
            }
            asked
        });
        let ran = tokio::task::block_in_place(|| {
            let run = tokio::time::timeout(Duration::from_secs(60), statement.collect());
            tokio::runtime::Handle::current().block_on(run)
        });
        done.store(true, Ordering::Relaxed);
        (asker.join().unwrap(), ran)
    });
    let batches = result.expect("it hangs").unwrap();
    assert!(asked > 10);
    assert!(batches.iter().map(RecordBatch::num_rows).sum::<usize>() > 5);
    assert_eq!(monitor.records(), made.records);
    assert_eq!(monitor.rejected(), made.rejected);
    assert_eq!(monitor.bytes_total(), made.bytes.len() as u64);
    assert_eq!(monitor.bytes_done(), monitor.bytes_total());
    support::assert_closes(&statement.finish().unwrap());
}
