//! Runs that end anywhere, by chance.

use super::*;

/// Numbers by chance, the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) % end
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_that_end_by_chance() {
    const ROWS: i64 = 3000;
    for (format, gzip) in FORMATS {
        let expected = whole(&[batch(0, ROWS)], format, gzip).await;
        for seed in 0..12 {
            let mut chance = Chance(seed);
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("out");
            let options = FileSinkOptions {
                row_group_rows: 1 + chance.below(500) as usize,
                threads: 1 + chance.below(4) as usize,
                ..options(format, gzip)
            };
            let mut durable: Option<Durable> = None;
            let mut sink = open(&path, schema(), options.clone(), None).await.unwrap();
            let mut at = 0;
            let mut ends = 0;
            while at < ROWS {
                let rows = (chance.below(120) as i64).min(ROWS - at);
                sink.write(&batch(at, rows)).await.unwrap();
                at += rows;
                if chance.below(4) == 0 {
                    durable = Some(sink.commit().await.unwrap());
                    assert_eq!(durable.as_ref().unwrap().rows() as i64, at);
                }
                if chance.below(6) == 0 {
                    ends += 1;
                    match chance.below(3) {
                        // Killed, and the working files torn.
                        0 => {
                            sink.suspend().await.unwrap();
                            tear(dir.path(), "part");
                            tear(dir.path(), "footer");
                        }
                        // A commit that nobody noted.
                        1 => {
                            sink.commit().await.unwrap();
                            sink.suspend().await.unwrap();
                        }
                        _ => sink.suspend().await.unwrap(),
                    }
                    sink = open(&path, schema(), options.clone(), durable.as_ref())
                        .await
                        .unwrap();
                    at = durable.as_ref().map_or(0, Durable::rows) as i64;
                }
            }
            assert!(ends > 0);
            assert_eq!(sink.finish().await.unwrap().rows as i64, ROWS);
            assert_eq!(names(dir.path()), ["out"]);
            let rows = content(&path, format, gzip);
            // NULL buffers and dictionaries may be cut otherwise, the rows are the same.
            assert!(rows == expected, "{format} {gzip} {seed}");
        }
    }
}
