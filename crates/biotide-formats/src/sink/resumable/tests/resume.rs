//! Every format, interrupted everywhere.

use super::*;

fn batches() -> Vec<RecordBatch> {
    (0..5).map(|i| batch(i * 40, 40)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn uninterrupted_files_hold_the_rows() {
    for (format, gzip) in FORMATS {
        let all = concat_batches(&schema(), &batches()).unwrap();
        match whole(&batches(), format, gzip).await {
            Content::Rows(rows) if format == "parquet" => assert_eq!(rows, all),
            Content::Rows(rows) => {
                // Arrow has no dictionaries.
                let species = all.column(3);
                let plain = arrow::compute::cast(species, rows.column(3).data_type()).unwrap();
                assert_eq!(rows.column(3), &plain);
                assert_eq!(rows.columns()[..3], all.columns()[..3]);
                assert_eq!(rows.column(4), all.column(4));
            }
            Content::Text(text) => {
                assert!(text.contains("GENE199"), "{format} {text}");
                assert_eq!(
                    text.matches("species,").count(),
                    usize::from(format == "csv")
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn suspended_after_each_commit() {
    let batches = batches();
    for (format, gzip) in FORMATS {
        let expected = whole(&batches, format, gzip).await;
        for k in 0..=batches.len() {
            for damage in ["", "part", "footer", "both", "lost"] {
                let dir = tempfile::tempdir().unwrap();
                let path = dir.path().join("out");
                let mut sink = start(&path, format, gzip).await;
                for batch in &batches[..k] {
                    sink.write(batch).await.unwrap();
                    sink.commit().await.unwrap();
                }
                let durable = sink.commit().await.unwrap();
                assert_eq!(durable.rows(), k as u64 * 40);
                if damage == "lost" {
                    // Written after the commit, and once more committed, but nobody has noted it.
                    sink.write(&batch(7000, 300)).await.unwrap();
                    sink.commit().await.unwrap();
                    sink.write(&batch(8000, 30)).await.unwrap();
                }
                sink.suspend().await.unwrap();
                assert!(!path.exists());
                for kind in ["part", "footer"] {
                    if [kind, "both"].contains(&damage) {
                        tear(dir.path(), kind);
                    }
                }
                let mut sink = resume(&path, format, gzip, &durable).await;
                for batch in &batches[k..] {
                    sink.write(batch).await.unwrap();
                }
                let summary = sink.finish().await.unwrap();
                assert_eq!(summary.rows, 200);
                assert_eq!(names(dir.path()), ["out"]);
                assert!(
                    content(&path, format, gzip) == expected,
                    "{format} {gzip} {k} {damage}"
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_state_can_be_resumed_too() {
    let batches = batches();
    for (format, gzip) in FORMATS {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        let mut sink = start(&path, format, gzip).await;
        let mut states = vec![sink.commit().await.unwrap()];
        for batch in &batches {
            sink.write(batch).await.unwrap();
            states.push(sink.commit().await.unwrap());
        }
        sink.suspend().await.unwrap();
        for (k, state) in states.iter().enumerate().rev() {
            resume(&path, format, gzip, state)
                .await
                .suspend()
                .await
                .unwrap();
            assert_eq!(state.rows(), k as u64 * 40);
        }
        let mut sink = resume(&path, format, gzip, &states[0]).await;
        for batch in &batches {
            sink.write(batch).await.unwrap();
        }
        sink.finish().await.unwrap();
        assert_eq!(
            content(&path, format, gzip),
            whole(&batches, format, gzip).await
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_rows_make_a_file_that_can_be_read() {
    for (format, gzip) in FORMATS {
        match whole(&[], format, gzip).await {
            Content::Rows(rows) => assert_eq!((rows.num_rows(), rows.num_columns()), (0, 5)),
            Content::Text(text) => assert_eq!(text.lines().count(), usize::from(format != "jsonl")),
        }
    }
}

#[tokio::test]
async fn one_thread_will_do() {
    let batches = batches();
    for (format, gzip) in FORMATS {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        let options = FileSinkOptions {
            threads: 0,
            ..options(format, gzip)
        };
        let mut sink = open(&path, schema(), options, None).await.unwrap();
        for batch in &batches {
            sink.write(batch).await.unwrap();
        }
        sink.finish().await.unwrap();
        assert_eq!(
            content(&path, format, gzip),
            whole(&batches, format, gzip).await
        );
    }
}
