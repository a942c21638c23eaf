//! Contents as nobody wants them: none, huge fields and lines, odd bytes, thousands of columns.

use std::io::Write;

use biotide::prelude::*;

use crate::support::{self, SETTINGS, Settings, assert_closes, bin, error, query, value};

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[tokio::test]
async fn nothing_or_only_a_header() {
    let folder = folder();
    let context = support::context();
    let empty = support::write(&folder.path().join("empty.tsv"), "");
    let message = error(&context, &format!("SELECT * FROM '{empty}'")).await;
    assert!(
        message.contains("empty.tsv: the file is empty"),
        "{message}"
    );
    for (name, text) in [
        ("header.tsv", "a\tb\n"),
        ("bare.tsv", "a\tb"),
        ("blank.tsv", "\n\n"),
    ] {
        let input = support::write(&folder.path().join(name), text);
        if name == "blank.tsv" {
            let message = error(&context, &format!("SELECT * FROM '{input}'")).await;
            assert!(
                message.contains("blank.tsv: the file is empty"),
                "{message}"
            );
            continue;
        }
        for output in ["out.parquet", "out.csv", "out.arrow"] {
            let output = folder.path().join(output).display().to_string();
            let request = ConvertRequest {
                inputs: vec![input.clone()],
                output: output.clone(),
                force: true,
                ..ConvertRequest::default()
            };
            let report = context.convert(request, |_| {}).await.unwrap();
            assert_eq!(report.rows, 0);
            assert_closes(&report.scan);
            let sql = format!("SELECT a, b FROM '{output}'");
            assert_eq!(query(&context, &sql).await.0.len(), 0, "{name} as {output}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_enormous_field() {
    let folder = folder();
    let size = 10 << 20;
    let rows: String = (0..50_000).map(|i| format!("{i},y\n")).collect();
    for (name, open, fill) in [("plain.csv", "", "x"), ("quoted.csv", "\"", "\n,\"\"x")] {
        let big = fill.repeat(size / fill.len());
        let text = format!("id,text\n{rows}-1,{open}{big}{open}\n{rows}");
        let input = support::write(&folder.path().join(name), text);
        for settings in SETTINGS.into_iter().filter(|s| s.batch_size > 1) {
            let context = settings.context();
            let sql = format!("SELECT count(*), max(length(text)) FROM '{input}'");
            let (rows, scan) = query(&context, &sql).await;
            assert_closes(&scan);
            let length = big.replace("\"\"", "\"").len();
            assert_eq!(
                rows,
                [["100001".to_owned(), length.to_string()]],
                "{name} {settings:?}"
            );
            assert_eq!(scan.rejected, 0);
            let sql = format!("SELECT length(text) FROM '{input}' WHERE id < 0");
            assert_eq!(value(&context, &sql).await, length.to_string());
        }
    }
}

#[tokio::test]
async fn nul_bytes_are_text() {
    let folder = folder();
    let input = support::write(&folder.path().join("a.tsv"), b"a\tb\n\0\tx\0y\n\0\0\t\0\n");
    for settings in SETTINGS {
        let context = settings.context();
        let sql = format!("SELECT length(a), length(b), a FROM '{input}'");
        let (rows, scan) = query(&context, &sql).await;
        assert_eq!(rows, [["1", "3", "\\u{0}"], ["2", "1", "\\u{0}\\u{0}"]]);
        assert_eq!(scan.rejected, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_thousand_columns() {
    let folder = folder();
    let columns = 10_000;
    let names: Vec<String> = (0..columns).map(|c| format!("Gene{c}")).collect();
    let mut text = names.join("\t");
    for row in 0..100 {
        text.push('\n');
        let values: Vec<String> = (0..columns).map(|c| format!("{row}.{}", c % 7)).collect();
        text.push_str(&values.join("\t"));
    }
    let input = support::write(&folder.path().join("wide.tsv"), &text);
    for settings in [Settings::new(1, 8192), Settings::new(7, 13)] {
        let context = settings.context();
        let sql = format!("SELECT count(*), sum(gene9999), max(gene5) FROM '{input}'");
        let (rows, scan) = query(&context, &sql).await;
        assert_closes(&scan);
        assert_eq!(rows[0][0], "100");
        assert_eq!(rows[0][2], "99.5");
        let sql = format!("SELECT * FROM '{input}' WHERE gene3 > 50 ORDER BY gene5 DESC LIMIT 2");
        let (rows, _) = query(&context, &sql).await;
        assert_eq!((rows.len(), rows[0].len()), (2, columns));
        assert_eq!((rows[0][0].as_str(), rows[1][1].as_str()), ("99", "98.1"));
        let mut statement = context
            .sql(&format!("SELECT * FROM '{input}'"))
            .await
            .unwrap();
        let batches = statement.collect().await.unwrap();
        assert!(batches.iter().all(|batch| batch.num_columns() == columns));
        let n: usize = batches.iter().map(RecordBatch::num_rows).sum();
        assert_eq!(n, 100);
    }
}

/// A file cut inside a character, and one with characters across all boundaries.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn characters_that_are_cut() {
    let folder = folder();
    let mut text = "gene\tname\n1\tβ-Catenin\n2\tβ".as_bytes().to_vec();
    text.pop();
    let input = support::write(&folder.path().join("cut.tsv"), &text);
    let context = support::context();
    let (rows, scan) = query(&context, &format!("SELECT * FROM '{input}'")).await;
    assert_eq!(rows, [["1", "β-Catenin"]]);
    assert_eq!((scan.records, scan.rejected), (2, 1));
    assert_eq!(support::rejects(&context).await[0][6], "invalid_utf8");

    let wide = "𝛃".repeat(500_000);
    let text: String = wide
        .as_bytes()
        .chunks(404)
        .map(|chunk| format!("{}\t1\n", std::str::from_utf8(chunk).unwrap()))
        .collect();
    let input = support::write(&folder.path().join("wide.tsv"), format!("a\tb\n{text}"));
    for settings in SETTINGS {
        let sql = format!("SELECT sum(length(a)), sum(b) FROM '{input}'");
        let (rows, scan) = query(&settings.context(), &sql).await;
        let lines = text.lines().count().to_string();
        assert_eq!(rows, [["500000".to_owned(), lines]]);
        assert_eq!(scan.rejected, 0);
    }
}

/// A line of 200 MB is set aside, in bounded memory; the rows around it are there.
#[test]
fn a_line_of_two_hundred_megabytes() {
    let folder = folder();
    let plain = folder.path().join("plain.tsv");
    {
        let mut file = std::fs::File::create(&plain).unwrap();
        file.write_all(b"id\ttext\n1\tbefore\n2\t").unwrap();
        let block = vec![b'x'; 1 << 20];
        (0..200).for_each(|_| file.write_all(&block).unwrap());
        file.write_all(b"\n3\tafter\n").unwrap();
    }
    let packed = folder.path().join("packed.tsv.gz");
    {
        let input = std::fs::read(&plain).unwrap();
        std::fs::write(&packed, support::gzip(&input)).unwrap();
    }
    let quoted = folder.path().join("quoted.tsv");
    std::fs::copy(&plain, &quoted).unwrap();
    {
        use std::os::unix::fs::FileExt;
        let file = std::fs::OpenOptions::new()
            .write(true)
            .open(&quoted)
            .unwrap();
        file.write_all_at(b"\"", "id\ttext\n1\tbefore\n2\t".len() as u64)
            .unwrap();
    }
    for (input, reason) in [
        (&plain, "record_too_long"),
        (&packed, "record_too_long"),
        (&quoted, "record_too_long"),
    ] {
        let input = input.display().to_string();
        let output = folder.path().join("out.csv").display().to_string();
        let rejects = folder.path().join("bad.jsonl").display().to_string();
        let args = [
            input.as_str(),
            &output,
            "--force",
            "--rejects",
            &rejects,
            "--threads",
            "2",
        ];
        let report = bin::convert(&args);
        assert_eq!(bin::number(&report, "rows"), 2, "{report}");
        assert_eq!(bin::number(&report, "rejected"), 1, "{report}");
        let written = std::fs::read_to_string(&output).unwrap();
        assert_eq!(written, "id,text\n1,before\n3,after\n");
        let log = std::fs::read_to_string(&rejects).unwrap();
        let bad: serde_json::Value = serde_json::from_str(log.trim_end()).unwrap();
        assert_eq!(bad["reason"], reason, "{input}");
        assert_eq!(bad["line"], 3);
        assert_eq!(bad["length"], 2 + (200 << 20), "{input}");
        let peak = bin::number(&report, "peak_rss");
        assert!(peak < 256 << 20, "{input}: {} MiB", peak >> 20);
    }
}

/// Headers that are longer than what is looked at first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_longer_than_a_sample() {
    let folder = folder();
    let wide = |columns: usize, row: usize| {
        let names: Vec<String> = (0..columns).map(|c| format!("column{c}")).collect();
        let values: Vec<String> = (0..columns).map(|c| format!("{}", c + row)).collect();
        format!("{}\n{}\n", names.join("\t"), values.join("\t"))
    };
    for i in 0..2 {
        support::write(&folder.path().join(format!("w{i}.tsv")), wide(20_000, i));
    }
    let context = support::context();
    let all = folder.path().join("w*.tsv");
    let sql = format!("SELECT count(*), sum(column19999) FROM '{}'", all.display());
    assert_eq!(query(&context, &sql).await.0, [["2", "39999"]]);
    let one = support::write(&folder.path().join("one.tsv"), wide(130_000, 0));
    let sql = format!("SELECT column129999 FROM '{one}'");
    assert_eq!(value(&context, &sql).await, "129999");
    // R's form, one name less than there are fields.
    let names: Vec<String> = (0..9000).map(|c| format!("sample{c}")).collect();
    let values = vec!["1"; 9000].join("\t");
    let text = format!("{}\nTP53\t{values}\n", names.join("\t"));
    for name in ["r.tsv", "r.tsv.gz"] {
        let bytes = match name.ends_with("gz") {
            true => support::gzip(text.as_bytes()),
            false => text.clone().into_bytes(),
        };
        let input = support::write(&folder.path().join(name), bytes);
        let sql = format!("SELECT row_names, sample8999 FROM '{input}'");
        assert_eq!(query(&context, &sql).await.0, [["TP53", "1"]], "{name}");
    }
}

/// Headers and rows longer than what is looked at first, under titles, with a delimiter that no name tells.
#[tokio::test]
async fn very_wide_tables_are_found_too() {
    let folder = folder();
    let context = support::context();
    for columns in [900, 3000, 9000] {
        let names: Vec<String> = (0..columns)
            .map(|i| format!("a long name, number {i}"))
            .collect();
        let row: Vec<String> = (0..columns).map(|i| (i % 7).to_string()).collect();
        for title in ["", "A title\n\n# and a comment\n"] {
            let row = row.join(";");
            let text = format!("{title}{}\n{row}\n{row}\n{row}\n", names.join(";"));
            for name in ["wide.dat", "wide.csv", "wide.tsv"] {
                let input = support::write(&folder.path().join(name), &text);
                let last = columns - 1;
                let sql =
                    format!("SELECT count(*), sum(\"a long name, number {last}\") FROM '{input}'");
                let sum = (last % 7 * 3).to_string();
                let (rows, report) = query(&context, &sql).await;
                assert_eq!(rows, [["3".to_owned(), sum]], "{name} {columns} {title}");
                assert_closes(&report);
            }
        }
    }
}
