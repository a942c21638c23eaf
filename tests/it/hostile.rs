//! Files that are damaged, or never were what they seem: read rightly, or refused; never a panic, a hang or
//! another row.

use std::io::Write;

use crate::support::gen_data::{Rng, hashed_rows};
use crate::support::{self, SETTINGS};

/// Text, packed by every codec whose checksum finds any damage. (What `xz` makes lies in `compressed/`.)
fn packings(text: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut zstd = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
    zstd.include_checksum(true).unwrap();
    zstd.write_all(text).unwrap();
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    zip.start_file("a.tsv", options).unwrap();
    zip.write_all(text).unwrap();
    vec![
        ("gzip", support::gzip(text)),
        ("gzip", support::bgzf(text, 3000)),
        ("zstd", zstd.finish().unwrap()),
        ("zip", zip.finish().unwrap().into_inner()),
    ]
}

/// One or a few bytes changed, cut out or put in, or the end cut off.
fn damage(rng: &mut Rng, bytes: &mut Vec<u8>) {
    for _ in 0..=rng.below(3) {
        let at = rng.below(bytes.len().max(1) as u64) as usize;
        match rng.below(6) {
            0 => bytes.truncate(at),
            1 => {
                let end = (at + rng.below(100) as usize).min(bytes.len());
                bytes.drain(at..end);
            }
            2 => bytes.insert(at, rng.next() as u8),
            3 => {
                let end = (at + 64).min(bytes.len());
                let copy = bytes[at..end].to_vec();
                bytes.extend(copy);
            }
            _ if bytes.is_empty() => {}
            _ => bytes[at] ^= 1 << rng.below(8),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damaged_archives_give_the_rows_or_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let text = hashed_rows(2000);
    let context = support::context();
    let mut rng = Rng::new(20);
    for (codec, packed) in packings(text.as_bytes()) {
        let ask = async |bytes: &[u8]| {
            let path = support::write(&folder.path().join("a.tsv"), bytes);
            let sql = format!(
                "SELECT count(*), sum(id), sum(hash % 1000) FROM read_tsv('{path}', compression => \
                 '{codec}', schema => 'id:int64,hash:int64', on_error => 'fail', on_bad_value => 'fail')"
            );
            support::try_query(&context, &sql).await
        };
        let (right, _) = ask(&packed).await.unwrap();
        assert_eq!(right[0][0], "2000");
        let (mut read, mut refused) = (0, 0);
        for _ in 0..100 {
            let mut bytes = packed.clone();
            damage(&mut rng, &mut bytes);
            match ask(&bytes).await {
                // What was hit means nothing: a name or a time.
                Ok((found, _)) => {
                    assert_eq!(found, right, "{codec}");
                    read += 1;
                }
                Err(error) => {
                    let message = error.to_string();
                    // (A header that is damaged is not that of the schema.)
                    let told = message.contains("a.tsv") || message.contains("option schema");
                    assert!(told, "{message}");
                    assert!(!message.contains("panic"), "{message}");
                    refused += 1;
                }
            }
        }
        assert!(refused > 50, "{codec}: {read} of 100 were read");
    }
}

/// Codecs without a checksum may give other bytes: those are rows, or rejected.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_of_every_codec_ends() {
    let folder = tempfile::tempdir().unwrap();
    let context = support::context();
    let mut rng = Rng::new(21);
    for ending in ["zst", "bz2", "xz", "lz4"] {
        let file = support::data_file(&format!("compressed/two_members.tsv.{ending}"));
        let packed = std::fs::read(file).unwrap();
        for _ in 0..60 {
            let mut bytes = packed.clone();
            damage(&mut rng, &mut bytes);
            let path = support::write(&folder.path().join(format!("a.tsv.{ending}")), &bytes);
            let sql = format!("SELECT count(*) FROM read_tsv('{path}', error_threshold => 1)");
            match support::try_query(&context, &sql).await {
                Ok((_, report)) => support::assert_closes(&report),
                Err(error) => assert!(!error.to_string().contains("panic"), "{error}"),
            }
        }
    }
}

/// Any bytes in any encoding: the same rows and rejects, however they are cut.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_bytes_in_any_encoding() {
    let folder = tempfile::tempdir().unwrap();
    let mut rng = Rng::new(22);
    for encoding in [
        "utf-8",
        "utf-16le",
        "utf-16be",
        "latin1",
        "windows-1251",
        "macintosh",
        "shift_jis",
        "gbk",
        "gb18030",
        "big5",
        "euc-jp",
        "euc-kr",
        "iso-2022-jp",
    ] {
        for _ in 0..4 {
            let noise = |rng: &mut Rng| match rng.below(8) {
                0 => b'\t',
                1 => b'\n',
                2 => 0,
                3 => b'"',
                4..6 => b'a' + rng.below(26) as u8,
                _ => rng.next() as u8,
            };
            let bytes: Vec<u8> = (0..20_000).map(|_| noise(&mut rng)).collect();
            let path = support::write(&folder.path().join("a.tsv"), &bytes);
            let mut answers = None;
            for settings in SETTINGS {
                let context = settings.context();
                let sql = format!(
                    "SELECT * FROM read_tsv('{path}', encoding => '{encoding}', delimiter => '\\t', header => \
                     false, skip_rows => 0, error_threshold => 1)"
                );
                let (rows, report) = support::query(&context, &sql).await;
                support::assert_closes(&report);
                let answer = (rows, support::rejects(&context).await);
                let known = answers.get_or_insert_with(|| answer.clone());
                assert!(known.0 == answer.0 && known.1 == answer.1, "{encoding}");
            }
        }
    }
}

/// Tables below each other, and notes below them: the same in a plain file and in a compressed one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_and_notes_do_not_depend_on_packing() {
    let folder = tempfile::tempdir().unwrap();
    let rows = |n: u32| -> String { (0..n).map(|i| format!("S{i}\t{i}\tx\n")).collect() };
    let small = "id\tage\nS1\t30\nS2\t40\n";
    let notes = "* see, below\n\nSource: the lab\ta\tb\tc\td\nthe university\n";
    // Records that are longer than what is held back.
    let wide: String = (0..12)
        .map(|i| format!("{i}\t{}\t2\n", "x".repeat(90_000)))
        .collect();
    // Rows whose last cells are empty are rows, whatever else is irregular.
    let sparse = "Danio rerio\t\t\nBos taurus mutus alba\t\t\n";
    let large = format!("id\tn\tlabel\n{}", rows(150_000));
    for (name, text) in [
        ("below", format!("{small}\n{large}{notes}")),
        (
            "above",
            format!("id\tn\tlabel\n{}\n{small}\n", rows(40_000)),
        ),
        ("alone", format!("{large}{notes}")),
        ("tiny", format!("{small}{notes}")),
        ("wide", format!("id\tv\tn\n{wide}{notes}")),
        (
            "sparse",
            format!("id\tn\tlabel\n{}\"G q\"\t1\t2\n{sparse}", rows(80_000)),
        ),
    ] {
        let bytes = text.as_bytes();
        let mut answers = None;
        for (ending, packed) in [
            ("tsv", bytes.to_vec()),
            ("tsv.gz", support::gzip(bytes)),
            ("tsv.bgz", support::bgzf(bytes, 60_000)),
            ("tsv.zst", support::seekable_zstd(bytes, 100_000)),
        ] {
            let path = support::write(&folder.path().join(format!("{name}.{ending}")), &packed);
            for (settings, on_error) in SETTINGS
                .into_iter()
                .zip(["reject", "lenient", "fail", "reject"])
            {
                let context = settings.context();
                let sql = format!(
                    "SELECT count(*), count(DISTINCT id), min(_line), max(_line), max(_offset) FROM \
                     read_tsv('{path}', metadata_columns => true, on_error => '{on_error}')"
                );
                let (rows, report) = support::query(&context, &sql).await;
                support::assert_closes(&report);
                let log = support::rejects(&context).await;
                let log: Vec<Vec<String>> = log.iter().map(|row| row[1..].to_vec()).collect();
                let known = answers.get_or_insert_with(|| (rows.clone(), log.clone()));
                assert_eq!(known, &(rows, log), "{path} {settings:?}");
            }
        }
        let (rows, log) = answers.unwrap();
        let expected = match name {
            "tiny" => "2",
            "wide" => "12",
            "sparse" => "80003",
            "above" => "40000",
            _ => "150000",
        };
        assert_eq!(rows[0][0], expected, "{name}");
        let reasons: Vec<&str> = log.iter().map(|row| &row[5][..]).collect();
        let footnotes = match name {
            "above" | "sparse" => 0,
            _ => 3,
        };
        assert_eq!(reasons, vec!["footnote"; footnotes], "{name}");
    }
}
