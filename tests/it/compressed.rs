//! Compressed files: told by their first bytes, read to the true end, and where they break off, read to
//! there.

use biotide::prelude::*;
use futures::StreamExt;

use crate::support::{self, SETTINGS, assert_closes, error, gen_data, query, value};

const ENDINGS: [&str; 4] = ["zst", "bz2", "xz", "lz4"];

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn packed(ending: &str) -> String {
    support::data_file(&format!("compressed/two_members.tsv.{ending}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_codec_is_read_to_its_end() {
    let folder = folder();
    for settings in SETTINGS {
        let context = settings.context();
        for ending in ENDINGS {
            // Whatever it is called.
            let misnamed = folder.path().join(format!("misnamed-{ending}.tsv"));
            let bytes = std::fs::read(packed(ending)).unwrap();
            let misnamed = support::write(&misnamed, bytes);
            for path in [packed(ending), misnamed] {
                let sql = format!("SELECT count(*), sum(id), sum(npx), max(gene) FROM '{path}'");
                let (rows, report) = query(&context, &sql).await;
                assert_eq!(rows, [["3000", "4501500", "145275", "GENE999"]], "{path}");
                assert_closes(&report);
                let size = std::fs::metadata(&path).unwrap().len();
                assert_eq!((report.records, report.bytes), (3000, size), "{path}");
            }
            let sql = format!("SELECT id FROM '{}' LIMIT 3", packed(ending));
            assert_eq!(query(&context, &sql).await.0, [["1"], ["2"], ["3"]]);
        }
    }
}

/// What comes before the damage is delivered, in order; then the error tells where.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_comes_after_the_rows_before_it() {
    let folder = folder();
    let packed = support::gzip(gen_data::hashed_rows(200_000).as_bytes());
    let mut flipped = packed.clone();
    let at = packed.len() / 2;
    flipped[at..at + 64].fill(0xA5);
    for (name, bytes) in [
        ("cut.tsv.gz", &packed[..packed.len() / 2]),
        ("flipped.tsv.gz", &flipped[..]),
    ] {
        let input = support::write(&folder.path().join(name), bytes);
        let context = support::context();
        let mut statement = context
            .sql(&format!("SELECT id FROM '{input}'"))
            .await
            .unwrap();
        let mut stream = statement.stream().await.unwrap();
        let (mut ids, mut failed) = (Vec::new(), None);
        while let Some(batch) = stream.next().await {
            match batch {
                Ok(batch) => ids.extend(support::text_rows(&[batch])),
                Err(error) => failed = Some(error.to_string()),
            }
        }
        drop(stream);
        let message = failed.unwrap_or_else(|| panic!("{name}: nothing was said"));
        assert!(
            message.contains(name) && message.contains("damaged or cut short"),
            "{message}"
        );
        // Damage inside may be decompressed to nonsense before it is noticed.
        let right = ids
            .iter()
            .zip(0..)
            .take_while(|(row, i)| row[0] == i.to_string());
        let right = right.count();
        assert!(right > 50_000, "{name}: {right} of {} rows", ids.len());
        assert!(right == ids.len() || name.starts_with("flipped"), "{name}");
        let report = statement.finish().unwrap();
        assert!(!report.complete);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_cut_short_is_an_error_in_every_codec() {
    let folder = folder();
    let context = support::context();
    for ending in ENDINGS {
        let bytes = std::fs::read(packed(ending)).unwrap();
        for keep in [bytes.len() - 3, bytes.len() / 2, 40] {
            let input = folder.path().join(format!("cut-{keep}.tsv.{ending}"));
            let input = support::write(&input, &bytes[..keep]);
            let message = error(&context, &format!("SELECT count(*) FROM '{input}'")).await;
            assert!(
                message.contains("damaged or cut short"),
                "{ending} {keep}: {message}"
            );
        }
    }
    // `compression = 'none'` reads the bytes as they are.
    let input = packed("zst");
    let sql = format!("SELECT count(*) FROM read_tsv('{input}', compression => 'none')");
    let read = support::try_query(&context, &sql).await;
    assert!(!read.is_ok_and(|(rows, _)| rows == [["3000"]]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn types_are_found_in_the_whole_of_a_compressed_file() {
    let folder = folder();
    let context = support::context();
    let rows: String = (0..200_000).map(|i| format!("{i}\n")).collect();
    let text = format!("x\n{rows}0.5\n");
    let input = folder.path().join("late.tsv.gz");
    let input = support::write(&input, support::gzip(text.as_bytes()));
    let sql = format!("SELECT max(x) FROM read_tsv('{input}', infer => 'full')");
    assert_eq!(value(&context, &sql).await, "199999");
}

/// Converting back and forth keeps every row.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_codec_is_looked_through_by_convert() {
    let folder = folder();
    let context = support::context();
    let output = format!("{}/", folder.path().display());
    let request = ConvertRequest {
        inputs: vec![packed("zst")],
        output,
        ..ConvertRequest::default()
    };
    let report = context.convert(request, |_| {}).await.unwrap();
    assert_eq!(report.rows, 3000);
    assert!(
        report.files[0].ends_with("two_members.parquet"),
        "{:?}",
        report.files
    );
}
