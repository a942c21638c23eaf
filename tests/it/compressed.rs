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

/// Members of zip archives: by name, or the only one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_of_archives() {
    use std::io::Write;
    use zip::write::{SimpleFileOptions, ZipWriter};
    let folder = folder();
    let archive = |name: &str, members: &[(&str, &[u8])]| {
        let path = folder.path().join(name);
        let mut zip = ZipWriter::new(std::fs::File::create(&path).unwrap());
        for (i, (member, bytes)) in members.iter().enumerate() {
            // Packed and stored, and with the wide sizes of zip64.
            let options = SimpleFileOptions::default()
                .compression_method(
                    [
                        zip::CompressionMethod::Deflated,
                        zip::CompressionMethod::Stored,
                    ][i % 2],
                )
                .large_file(i % 2 == 1);
            zip.start_file(*member, options).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap();
        path.display().to_string()
    };
    let rows = gen_data::hashed_rows(50_000);
    let latin = b"name;value\ncaf\xE9;1\nni\xF1o;2\n";
    let one = archive(
        "one.csv.zip",
        &[("__MACOSX/x", b"junk"), ("inner/rows.tsv", rows.as_bytes())],
    );
    let two = archive("two.zip", &[("a.tsv", rows.as_bytes()), ("b.csv", latin)]);
    for settings in SETTINGS {
        let context = settings.context();
        let count = |path: &str| format!("SELECT count(*), sum(id) FROM '{path}'");
        let (found, report) = query(&context, &count(&one)).await;
        assert_eq!(found, [["50000", "1249975000"]]);
        assert_closes(&report);
        let (found, _) = query(&context, &count(&format!("{two}!/a.tsv"))).await;
        assert_eq!(found, [["50000", "1249975000"]]);
        let sql = format!("SELECT name, value FROM '{two}!/b.csv'");
        assert_eq!(
            query(&context, &sql).await.0,
            [["café", "1"], ["niño", "2"]]
        );
        // Two members of one archive in one statement.
        let sql =
            format!("SELECT count(*) FROM '{two}!/a.tsv' a, '{two}!/b.csv' b WHERE a.id = b.value");
        assert_eq!(value(&context, &sql).await, "2");
    }
    let context = support::context();
    // Packed before it was put into the archive.
    let gz = support::gzip(rows.as_bytes());
    let twice = archive("twice.zip", &[("a.tsv.gz", &gz)]);
    let sql = format!("SELECT count(*), sum(id) FROM '{twice}'");
    assert_eq!(query(&context, &sql).await.0, [["50000", "1249975000"]]);
    let inner = std::fs::read(&twice).unwrap();
    let thrice = archive("thrice.zip", &[("a.zip", &inner)]);
    let message = error(&context, &format!("SELECT * FROM '{thrice}'")).await;
    assert!(message.contains("is an archive itself"), "{message}");
    // Its member's name tells the format.
    let lines = archive("lines.zip", &[("a.jsonl", b"{\"x\":1}\n{\"x\":2}\n")]);
    assert_eq!(
        value(&context, &format!("SELECT sum(x) FROM '{lines}'")).await,
        "3"
    );
    let message = error(&context, &format!("SELECT * FROM '{two}'")).await;
    assert!(
        message.contains("several files: there are a.tsv, b.csv; name one, as 'two.zip!/a.tsv'"),
        "{message}"
    );
    let message = error(&context, &format!("SELECT * FROM '{two}!/c.csv'")).await;
    assert!(
        message.contains("no such member: there are a.tsv, b.csv"),
        "{message}"
    );
    let book = archive(
        "book.xlsx",
        &[("[Content_Types].xml", b"<x/>"), ("xl/a.xml", b"<x/>")],
    );
    let message = error(&context, &format!("SELECT * FROM '{book}'")).await;
    assert!(
        message.contains("a workbook or document of Office"),
        "{message}"
    );
    // Cut short: the directory at its end is gone.
    let bytes = std::fs::read(&one).unwrap();
    let cut = support::write(
        &folder.path().join("cut.tsv.zip"),
        &bytes[..bytes.len() / 2],
    );
    let message = error(&context, &format!("SELECT count(*) FROM '{cut}'")).await;
    assert!(
        message.contains("cut.tsv.zip") && message.contains("damaged or cut short"),
        "{message}"
    );
    // A bit that has flipped in the middle is found by the checksum.
    let mut bad = bytes.clone();
    bad[bytes.len() / 2] ^= 0x40;
    let bad = support::write(&folder.path().join("bad.tsv.zip"), bad);
    error(&context, &format!("SELECT count(*) FROM '{bad}'")).await;
}

/// BGZF is read anywhere, in parallel: the rows, rejects and places are those of the plain text.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocks_are_read_in_parallel() {
    let folder = folder();
    let mut text = gen_data::hashed_rows(120_000);
    for (i, at) in [(1, text.len() / 3), (2, text.len() / 2)] {
        let line = text[..at].rfind('\n').unwrap() + 1;
        text.insert_str(line, &format!("broken {i}\n"));
    }
    let plain = support::write(&folder.path().join("a.tsv"), &text);
    let packed = support::bgzf(text.as_bytes(), 50_000);
    let (mut rows, mut log) = (None, None);
    let frames = support::seekable_zstd(text.as_bytes(), 300_000);
    let index = folder.path().join("indexed.tsv.gz.gzi");
    for (name, packed) in [
        ("b.tsv.gz", &packed),
        ("b.tsv.bgz", &packed),
        ("misnamed.tsv", &packed),
        ("indexed.tsv.gz", &packed),
        ("frames.tsv.zst", &frames),
    ] {
        let path = support::write(&folder.path().join(name), packed);
        if name.starts_with("indexed") {
            support::write(&index, support::gzi(packed));
        }
        for settings in SETTINGS {
            let context = settings.context();
            for path in [&plain, &path] {
                let sql = format!(
                    "SELECT count(*), sum(id), sum(hash % 1000), max(_line), sum(_offset) \
                     FROM read_tsv('{path}', metadata_columns => true) WHERE hash % 3 = 0"
                );
                let (found, report) = query(&context, &sql).await;
                assert_eq!(rows.get_or_insert_with(|| found.clone()), &found, "{path}");
                assert_closes(&report);
                assert_eq!(
                    report.bytes,
                    std::fs::metadata(path).unwrap().len(),
                    "{path}"
                );
                let found: Vec<_> = support::rejects(&context).await;
                let found: Vec<Vec<String>> = found.iter().map(|row| row[1..].to_vec()).collect();
                assert_eq!(found.len(), 2);
                assert_eq!(log.get_or_insert_with(|| found.clone()), &found, "{path}");
                let first = format!("SELECT id FROM '{path}' LIMIT 3");
                assert_eq!(query(&context, &first).await.0, [["0"], ["1"], ["2"]]);
            }
        }
    }
    let context = support::context();
    // Indexes are no tables.
    let both = format!(
        "SELECT count(*) FROM '{}/indexed*'",
        folder.path().display()
    );
    assert_eq!(value(&context, &both).await, "120000");
    // An index of another file does no harm: no block fits it. An older one is not looked at.
    let other = support::bgzf(&text.as_bytes()[..400_000], 40_000);
    support::write(&index, support::gzi(&other));
    let indexed = folder.path().join("indexed.tsv.gz").display().to_string();
    let sql = format!("SELECT count(*) FROM '{indexed}'");
    assert_eq!(value(&context, &sql).await, "120000");
    let long_ago = std::time::SystemTime::UNIX_EPOCH;
    let file = std::fs::File::options().write(true).open(&index).unwrap();
    file.set_modified(long_ago).unwrap();
    assert_eq!(value(&context, &sql).await, "120000");
    // A frame that is damaged is named.
    let mut bad = frames.clone();
    bad[frames.len() / 2] ^= 0x20;
    let bad = support::write(&folder.path().join("bad.tsv.zst"), bad);
    let message = error(&context, &format!("SELECT sum(hash) FROM '{bad}'")).await;
    assert!(
        message.contains("bad.tsv.zst") && message.contains("is damaged"),
        "{message}"
    );
    // A block that is damaged is named; a file that is cut within one is read to there.
    let mut bad = packed.clone();
    bad[packed.len() / 2] ^= 0x20;
    let bad = support::write(&folder.path().join("bad.tsv.gz"), bad);
    let message = error(&context, &format!("SELECT count(*) FROM '{bad}'")).await;
    assert!(
        message.contains("bad.tsv.gz") && message.contains("damaged"),
        "{message}"
    );
    let cut = support::write(
        &folder.path().join("cut.tsv.gz"),
        &packed[..packed.len() / 2],
    );
    let message = error(&context, &format!("SELECT count(*) FROM '{cut}'")).await;
    assert!(
        message.contains("cut.tsv.gz") && message.contains("cut short"),
        "{message}"
    );
}
