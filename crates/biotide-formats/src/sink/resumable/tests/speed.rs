//! How fast Parquet is written, by hand: `cargo test --release … -- --ignored --nocapture speed_of_parquet`.

use std::time::Instant;

use super::*;

use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::{Compression, ZstdLevel};
use ::parquet::file::properties::WriterProperties;

const BATCHES: i64 = 400;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn speed_of_parquet() {
    let batches: Vec<_> = (0..BATCHES).map(|i| batch(i * 8192, 8192)).collect();
    let dir = tempfile::tempdir().unwrap();
    for round in 0..3 {
        let start = Instant::now();
        let level = ZstdLevel::try_new(3).unwrap();
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(level))
            .build();
        let file = File::create(dir.path().join("plain")).unwrap();
        let mut writer = ArrowWriter::try_new(file, schema(), Some(properties)).unwrap();
        for batch in &batches {
            writer.write(batch).unwrap();
        }
        writer.close().unwrap();
        let plain = start.elapsed();
        for commits in [0, 4] {
            let start = Instant::now();
            let path = dir.path().join(format!("out{round}-{commits}"));
            let mut sink = super::start(&path, "parquet", false).await;
            for (i, batch) in batches.iter().enumerate() {
                sink.write(batch).await.unwrap();
                if commits > 0 && i as i64 % (BATCHES / commits) == 0 {
                    sink.commit().await.unwrap();
                }
            }
            let summary = sink.finish().await.unwrap();
            let took = start.elapsed();
            println!(
                "plain {plain:?}, {commits} commits {took:?}, {} rows, {} bytes",
                summary.rows, summary.bytes
            );
        }
    }
}
