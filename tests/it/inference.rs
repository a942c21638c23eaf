//! Types over files that are larger than what is looked at to find them.

use std::fmt::Write;

use crate::support::{self, Settings, assert_closes, query, value};

/// Integers, then far down, where no sample looks, something else.
fn late(rows: usize, odd: &str) -> String {
    let mut text = String::from("id\tcode\n");
    for i in 0..rows {
        // Samples lie at the start, at the quarters and at the end.
        let code = if i == rows * 5 / 8 { odd } else { "12345" };
        writeln!(text, "{i}\t{code}").unwrap();
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_the_sample_did_not_show_is_logged_and_a_full_look_finds_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("late.tsv");
    // `007` is an integer to most readers; here the column is either text, or the value is said to be bad.
    for (odd, reason) in [
        ("007", "bad_value"),
        ("A1", "bad_value"),
        ("99999999999999999999", "out_of_range"),
    ] {
        let rows = 400_000;
        let input = support::write(&path, late(rows, odd));
        let context = Settings::new(4, 8192).context();
        let sql = format!("SELECT count(*), count(code), arrow_typeof(max(code)) FROM '{input}'");
        let (answer, scan) = query(&context, &sql).await;
        assert_closes(&scan);
        let n = rows.to_string();
        assert_eq!(
            answer,
            [[n.clone(), (rows - 1).to_string(), "Int64".into()]]
        );
        let log = support::rejects(&context).await;
        assert_eq!(log.len(), 1);
        assert_eq!(log[0][1], (rows * 5 / 8 + 1).to_string());
        assert_eq!((log[0][6].as_str(), log[0][8].as_str()), (reason, odd));

        let file = format!("read_tsv('{input}', infer => 'full')");
        let sql = format!("SELECT count(*), count(code), arrow_typeof(max(code)) FROM {file}");
        let (answer, scan) = query(&context, &sql).await;
        assert_eq!(answer, [[n.clone(), n, "Utf8".into()]]);
        assert_eq!(scan.nulled, 0);
        let sql = format!("SELECT code FROM {file} WHERE id = {}", rows * 5 / 8);
        assert_eq!(value(&context, &sql).await, odd);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_full_look_sees_all_of_a_gzipped_file_and_of_all_files() {
    let folder = tempfile::tempdir().unwrap();
    let packed = support::gzip(late(200_000, "1e5").as_bytes());
    support::write(&folder.path().join("1.tsv.gz"), packed);
    support::write(&folder.path().join("2.tsv"), "id\tcode\n1\t7\nx1\t8\n");
    let context = support::context();
    let glob = folder.path().join("*.tsv*");
    let types = async |infer: &str| {
        let sql = format!(
            "SELECT arrow_typeof(id), arrow_typeof(code) \
             FROM read_tsv('{}', infer => '{infer}') LIMIT 1",
            glob.display()
        );
        query(&context, &sql).await.0.concat()
    };
    assert_eq!(types("sample").await, ["Utf8", "Int64"]);
    assert_eq!(types("full").await, ["Utf8", "Utf8"]);
}

/// A sample that a query with another projection would not see decides nothing else: the types are
/// those of the file, not of the query.
#[tokio::test]
async fn a_sample_that_starts_inside_a_quoted_text_harms_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::from("id,note\n");
    for i in 0..60_000 {
        write!(text, "{i},\"{i}\n,x,y\n{i},z\n\"\n").unwrap();
    }
    let input = support::write(&folder.path().join("notes.csv"), &text);
    let context = Settings::new(3, 1000).context();
    let sql = format!(
        "SELECT count(*), count(id), sum(id), arrow_typeof(max(id)), arrow_typeof(max(note)) \
         FROM '{input}'"
    );
    let (answer, scan) = query(&context, &sql).await;
    assert_closes(&scan);
    let expected = ["60000", "60000", "1799970000", "Int64", "Utf8"];
    assert_eq!(answer, [expected]);
    assert_eq!((scan.rejected, scan.nulled), (0, 0));
}
