//! Files as nobody wants them: with odd names, none at all, files that change or break off.

use std::io::Write;
use std::path::Path;

use biotide::prelude::*;
use futures::StreamExt;

use crate::support::{self, Settings, error, gen_data, value};

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[tokio::test]
async fn names_that_mean_something_elsewhere() {
    let folder = folder();
    let context = support::context();
    let names = [
        "a[1].tsv",
        "b?.tsv",
        "c*.tsv",
        "d e.tsv",
        "50%25 #1.tsv",
        "β & γ.tsv",
        "it's.tsv",
        "x=y.tsv",
    ];
    for (i, name) in names.iter().enumerate() {
        support::write(&folder.path().join(name), format!("x\n{i}\n"));
    }
    // What the globs would match.
    support::write(&folder.path().join("a1.tsv"), "x\n-1\n");
    support::write(&folder.path().join("b1.tsv"), "x\n-1\n");
    support::write(&folder.path().join("c1.tsv"), "x\n-1\n");
    for (i, name) in names.iter().enumerate() {
        let path = folder.path().join(name).display().to_string();
        let sql = format!("SELECT x FROM '{}'", path.replace('\'', "''"));
        assert_eq!(value(&context, &sql).await, i.to_string(), "{name}");
        let output = folder.path().join("out").join(name);
        std::fs::create_dir_all(output.parent().unwrap()).unwrap();
        let request = ConvertRequest {
            inputs: vec![path],
            output: output.display().to_string(),
            ..ConvertRequest::default()
        };
        let report = context.convert(request, |_| {}).await.unwrap();
        assert_eq!(report.rows, 1, "{name}");
        let written = std::fs::read_to_string(&output).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(written, format!("x\n{i}\n"), "{name}");
    }
}

#[tokio::test]
async fn what_is_no_file() {
    let folder = folder();
    let context = support::context();
    let sub = folder.path().join("sub.tsv");
    std::fs::create_dir(&sub).unwrap();
    let message = error(&context, &format!("SELECT * FROM '{}'", sub.display())).await;
    assert!(
        message.contains("sub.tsv: the folder holds no file"),
        "{message}"
    );

    let link = folder.path().join("link.tsv");
    std::os::unix::fs::symlink(folder.path().join("gone.tsv"), &link).unwrap();
    let message = error(&context, &format!("SELECT * FROM '{}'", link.display())).await;
    assert!(
        message.contains("there is no such file") && message.contains("link.tsv"),
        "{message}"
    );
    // A link to a file is that file.
    let target = folder.path().join("target.tsv");
    support::write(&target, "x\n1\n");
    let good = folder.path().join("good.tsv");
    std::os::unix::fs::symlink(&target, &good).unwrap();
    let sql = format!("SELECT x FROM '{}'", good.display());
    assert_eq!(value(&context, &sql).await, "1");
    // Binary data is no table, but nothing breaks.
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    png.extend((0..100_000u32).flat_map(|i| (i.wrapping_mul(2_654_435_761)).to_le_bytes()));
    let image = support::write(&folder.path().join("image.tsv"), png);
    let _ = support::try_query(&context, &format!("SELECT count(*) FROM '{image}'")).await;
    let _ = support::try_query(&context, &format!("SELECT * FROM '{image}'")).await;
}

fn big(path: &Path) -> String {
    let text: String = (0..1_500_000).map(|i| format!("{i}\tvalue\n")).collect();
    support::write(path, format!("id\ttext\n{text}"))
}

/// A file that is no longer what was planned ends the statement: half of it is no answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_change_while_they_are_read() {
    let folder = folder();
    let path = folder.path().join("a.tsv");
    type Change = fn(&Path);
    let shrink: Change = |path| {
        let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
        file.set_len(1 << 20).unwrap();
    };
    let grow: Change = |path| {
        let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
        file.write_all(b"1\tnew\n").unwrap();
    };
    for settings in [Settings::new(1, 8192), Settings::new(3, 1000)] {
        for (change, what) in [(shrink, "shrinks"), (grow, "grows")] {
            let input = big(&path);
            let context = settings.context();
            let sql = format!("SELECT * FROM '{input}'");
            let mut statement = context.sql(&sql).await.unwrap();
            let mut stream = statement.stream().await.unwrap();
            stream.next().await.unwrap().unwrap();
            change(&path);
            let mut failed = None;
            while let Some(batch) = stream.next().await {
                if let Err(error) = batch {
                    failed = Some(biotide::Error::from(error).to_string());
                    break;
                }
            }
            let message = failed.unwrap_or_else(|| panic!("nothing was said: it {what}"));
            assert!(message.contains("changed while it was read"), "{message}");
            assert!(message.contains("a.tsv"), "{message}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gzip_that_breaks_off() {
    let folder = folder();
    let rows = gen_data::hashed_rows(300_000);
    let packed = support::gzip(rows.as_bytes());
    for (name, keep) in [
        ("tail.tsv.gz", packed.len() - 4),
        ("half.tsv.gz", packed.len() / 2),
        ("start.tsv.gz", 5000),
    ] {
        let input = support::write(&folder.path().join(name), &packed[..keep]);
        let context = support::context();
        let sql = format!("SELECT count(*) FROM '{input}'");
        let message = error(&context, &sql).await;
        assert!(message.contains(name), "{message}");
        assert!(
            message.contains("the gzip data is damaged or cut short"),
            "{message}"
        );
        let output = folder.path().join("out.parquet");
        let request = ConvertRequest {
            inputs: vec![input],
            output: output.display().to_string(),
            ..ConvertRequest::default()
        };
        context.convert(request, |_| {}).await.unwrap_err();
        drop(context);
        let left: Vec<_> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .filter(|name| name.to_string_lossy().starts_with("out"))
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }
    // Several members, as concatenated files have them, are read to the last.
    let members = [
        support::gzip(b"id\thash\n1\t2\n"),
        // (Without its header.)
        support::gzip(&rows.as_bytes()["id\thash\n".len()..]),
    ]
    .concat();
    let input = support::write(&folder.path().join("members.tsv.gz"), members);
    let count = format!("SELECT count(*) FROM '{input}'");
    assert_eq!(value(&support::context(), &count).await, "300001");
}
