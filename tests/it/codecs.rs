//! How the files of pipelines are compressed.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use datafusion::parquet::file::reader::{FileReader, SerializedFileReader};
use flate2::read::MultiGzDecoder;

use crate::support;
use crate::support::bin::{Run, run};

const ROWS: usize = 1000;

fn sink(folder: &Path, to: &str, compression: &str, resumable: bool) -> Run {
    let mut text = "id\tname\n".to_owned();
    for i in 0..ROWS {
        text.push_str(&format!("{i}\tname {}\n", i % 10));
    }
    let input = support::write(&folder.join("in.tsv"), text);
    // (What has to see all rows first is written by another writer.)
    let step = match resumable {
        true => "{type: filter, params: {condition: id >= 0}}",
        false => "{type: sql, params: {query: 'SELECT DISTINCT id, name FROM load'}}",
    };
    let yaml = format!(
        "steps:
- {{type: load, params: {{file_path: '{input}'}}}}
- {step}
- {{name: out, type: sink, params: {{to: '{to}', mode: replace, compression: {compression}}}}}
"
    );
    run(["run", &support::write(&folder.join("p.yaml"), yaml)])
}

#[test]
fn parquet_has_the_codec_that_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("out.parquet").display().to_string();
    for resumable in [true, false] {
        for (asked, codec) in [
            ("none", "UNCOMPRESSED"),
            ("snappy", "SNAPPY"),
            ("zstd", "ZSTD"),
            ("lz4", "LZ4_RAW"),
            ("gzip", "GZIP"),
            ("auto", "ZSTD"),
        ] {
            sink(folder.path(), &to, asked, resumable).exits(0);
            let reader = SerializedFileReader::new(File::open(&to).unwrap()).unwrap();
            let metadata = reader.metadata();
            assert_eq!(metadata.file_metadata().num_rows(), ROWS as i64);
            let columns = metadata.row_groups().iter().flat_map(|g| g.columns());
            for column in columns {
                let found = format!("{:?}", column.compression());
                assert!(found.starts_with(codec), "{asked}: {found}");
            }
            // The pages can be read, too.
            let rows = reader.get_row_iter(None).unwrap();
            assert_eq!(rows.filter(Result::is_ok).count(), ROWS, "{asked}");
        }
    }
}

#[test]
fn text_is_packed_if_asked_or_named_so() {
    let folder = tempfile::tempdir().unwrap();
    for resumable in [true, false] {
        for (name, asked, packed) in [
            ("a.csv", "gzip", true),
            ("b.csv.gz", "gzip", true),
            ("c.csv.gz", "auto", true),
            ("d.csv", "none", false),
            ("e.csv", "auto", false),
            ("f.jsonl", "gzip", true),
        ] {
            let path = folder.path().join(name);
            sink(folder.path(), &path.display().to_string(), asked, resumable).exits(0);
            let bytes = std::fs::read(&path).unwrap();
            assert_eq!(bytes.starts_with(&[0x1f, 0x8b]), packed, "{name}");
            let mut text = String::new();
            match packed {
                true => MultiGzDecoder::new(&bytes[..]).read_to_string(&mut text),
                false => (&bytes[..]).read_to_string(&mut text),
            }
            .unwrap();
            let header = usize::from(!name.contains("jsonl"));
            assert_eq!(text.lines().count(), ROWS + header, "{name} {asked}");
        }
    }
}

#[test]
fn what_does_not_go_together_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    for (name, asked, problem) in [
        ("a.csv", "zstd", "zstd is not how this format is compressed"),
        ("a.csv.gz", "none", "has a name that says gzip"),
        ("a.jsonl", "snappy", "snappy is not how"),
        ("a.arrow", "gzip", "compress"),
        ("a.parquet", "brotli", "brotli"),
    ] {
        for resumable in [true, false] {
            let path = folder.path().join(name);
            let refused = sink(folder.path(), &path.display().to_string(), asked, resumable);
            refused.exits(1).says(problem);
            assert!(!path.exists(), "{name} {asked}");
        }
    }
}
