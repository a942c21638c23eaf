//! What a run that was interrupted leaves, and what comes of it.

mod crash;
mod names;
mod parquet;
mod random;
mod resume;

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use arrow::array::{
    ArrayRef, DictionaryArray, Float64Array, Int64Array, ListArray, RecordBatch, StringViewArray,
};
use arrow::compute::concat_batches;
use arrow::datatypes::{Int32Type, SchemaRef};

use super::{Durable, FileSink, FileSinkOptions, open};

/// Every format, and gzipped text.
const FORMATS: [(&str, bool); 7] = [
    ("csv", false),
    ("tsv", false),
    ("jsonl", false),
    ("csv", true),
    ("jsonl", true),
    ("parquet", false),
    ("arrow", false),
];

fn options(format: &str, gzip: bool) -> FileSinkOptions {
    FileSinkOptions {
        format: format.to_owned(),
        gzip,
        threads: 2,
        ..FileSinkOptions::default()
    }
}

/// Rows that are told apart, of several types, with NULLs.
fn batch(start: i64, rows: i64) -> RecordBatch {
    let ids = start..start + rows;
    let name = |i: i64| match i % 5 {
        0 => None,
        1 => Some(String::new()),
        2 => Some(format!("gene \"{i}\", a\nline and some more text")),
        _ => Some(format!("GENE{i}")),
    };
    let names: StringViewArray = ids.clone().map(name).collect();
    let values: Float64Array = ids
        .clone()
        .map(|i| (i % 7 != 0).then_some(i as f64 / 3.0))
        .collect();
    let species = ids
        .clone()
        .map(|i| ["mouse", "human", "fly"][i as usize % 3]);
    let species: DictionaryArray<Int32Type> = species.collect();
    let list = |i: i64| (i % 4 != 0).then(|| (0..i % 4).map(Some).collect::<Vec<_>>());
    let lists =
        ListArray::from_iter_primitive::<arrow::datatypes::Int64Type, _, _>(ids.clone().map(list));
    let ids: Int64Array = ids.collect();
    let columns: [(&str, ArrayRef, bool); 5] = [
        ("id", Arc::new(ids), true),
        ("name", Arc::new(names), true),
        ("value", Arc::new(values), true),
        ("species", Arc::new(species), true),
        ("list", Arc::new(lists), true),
    ];
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

fn schema() -> SchemaRef {
    batch(0, 1).schema()
}

/// The rows of a file: text as it is, without compression; else as one batch.
#[derive(Debug, PartialEq)]
enum Content {
    Text(String),
    Rows(RecordBatch),
}

fn content(path: &Path, format: &str, gzip: bool) -> Content {
    let mut file = File::open(path).unwrap();
    let mut text = String::new();
    let (schema, batches): (_, Vec<_>) = match format {
        "parquet" => {
            let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
            (
                Arc::clone(reader.schema()),
                reader.build().unwrap().collect(),
            )
        }
        "arrow" => {
            let reader = arrow::ipc::reader::FileReader::try_new(file, None).unwrap();
            (reader.schema(), reader.collect())
        }
        _ if gzip => {
            flate2::read::MultiGzDecoder::new(file)
                .read_to_string(&mut text)
                .unwrap();
            return Content::Text(text);
        }
        _ => {
            file.read_to_string(&mut text).unwrap();
            return Content::Text(text);
        }
    };
    let batches: Vec<RecordBatch> = batches.into_iter().map(Result::unwrap).collect();
    Content::Rows(concat_batches(&schema, &batches).unwrap())
}

async fn start(path: &Path, format: &str, gzip: bool) -> Box<dyn FileSink> {
    open(path, schema(), options(format, gzip), None)
        .await
        .unwrap()
}

/// Goes on from a state, which a file has kept meanwhile.
async fn resume(path: &Path, format: &str, gzip: bool, durable: &Durable) -> Box<dyn FileSink> {
    let json = serde_json::to_string(durable).unwrap();
    let durable: Durable = serde_json::from_str(&json).unwrap();
    open(path, schema(), options(format, gzip), Some(&durable))
        .await
        .unwrap()
}

/// What a run that nothing interrupts writes of these batches.
async fn whole(batches: &[RecordBatch], format: &str, gzip: bool) -> Content {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("whole");
    let mut sink = start(&path, format, gzip).await;
    for batch in batches {
        sink.write(batch).await.unwrap();
    }
    let summary = sink.finish().await.unwrap();
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    assert_eq!((summary.rows, summary.files), (rows as u64, 1));
    assert_eq!(summary.bytes, path.metadata().unwrap().len());
    assert_eq!(names(dir.path()), ["whole"]);
    content(&path, format, gzip)
}

fn names(dir: &Path) -> Vec<String> {
    let files = std::fs::read_dir(dir).unwrap();
    let mut names: Vec<String> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Appends to a working file, as a torn write does.
fn tear(dir: &Path, kind: &str) {
    use std::io::Write;
    let path = dir.join(format!(".out.biotide-{kind}"));
    if let Ok(mut file) = File::options().append(true).open(path) {
        file.write_all(&[b'\x17'; 5000]).unwrap();
    }
}
