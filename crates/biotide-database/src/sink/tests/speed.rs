//! How long it takes: not a test of anything, and run by hand.

use std::sync::Arc;
use std::time::Instant;

use arrow::array::{
    Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array, StringViewArray,
};

use super::options;
use crate::WriteMode;
use crate::testing::{Database, batch, open, run};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures; see BIOTIDE_TEST_POSTGRES"]
async fn rows_a_second() {
    for database in Database::all() {
        let rows = 8192;
        let texts: Vec<_> = (0..rows)
            .map(|i| format!("ENSG{i:011} some gene of {}", i % 97))
            .collect();
        let ids = Int64Array::from_iter_values(0..i64::from(rows));
        let small = Int32Array::from_iter_values((0..rows).map(|i| i % 24));
        let x = Float64Array::from_iter_values((0..rows).map(|i| f64::from(i) / 7.0));
        let d = Decimal128Array::from_iter_values((0..i128::from(rows)).map(|i| i * 1001))
            .with_precision_and_scale(18, 4)
            .unwrap();
        let date = Date32Array::from_iter_values((0..rows).map(|i| i % 20_000));
        let columns = batch(vec![
            ("id", Arc::new(ids)),
            ("chromosome", Arc::new(small)),
            ("x", Arc::new(x)),
            ("d", Arc::new(d)),
            ("name", Arc::new(StringViewArray::from_iter_values(&texts))),
            ("date", Arc::new(date)),
        ]);
        let target = database.named("speed");
        if database.is_postgres() {
            run(&target, "DROP TABLE IF EXISTS speed").await;
        }
        let started = Instant::now();
        let (mut sink, _) = open(&target, &columns.schema(), &options(WriteMode::Append))
            .await
            .unwrap();
        for _ in 0..366 {
            sink.write(&columns).await.unwrap();
        }
        let summary = sink.finish().await.unwrap();
        println!("SPEED {summary:?} {:?}", started.elapsed());
    }
}
