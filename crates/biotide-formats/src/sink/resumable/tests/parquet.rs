//! Row groups and page indexes of a file written in pieces.

use super::*;

use ::parquet::arrow::arrow_reader::{ArrowReaderOptions, RowSelection, RowSelector};
use ::parquet::arrow::{ArrowWriter, ProjectionMask};
use ::parquet::basic::{Compression, ZstdLevel};
use ::parquet::file::metadata::{PageIndexPolicy, ParquetMetaData};
use ::parquet::file::properties::WriterProperties;
use arrow::array::StringArray;

fn small(rows: usize) -> FileSinkOptions {
    FileSinkOptions {
        row_group_rows: rows,
        ..options("parquet", false)
    }
}

fn reader(path: &Path) -> ParquetRecordBatchReaderBuilder<File> {
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Required);
    ParquetRecordBatchReaderBuilder::try_new_with_options(File::open(path).unwrap(), options)
        .unwrap()
}

fn group_rows(metadata: &ParquetMetaData) -> Vec<i64> {
    let groups = metadata.row_groups().iter();
    groups
        .map(::parquet::file::metadata::RowGroupMetaData::num_rows)
        .collect()
}

/// Writes the same with and without us; after five of ten batches there is a commit, or an end.
async fn beside_the_plain_writer(suspended: bool) {
    let dir = tempfile::tempdir().unwrap();
    let (path, plain) = (dir.path().join("out"), dir.path().join("plain"));
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3).unwrap()))
        .set_max_row_group_row_count(Some(30_000));
    let file = File::create(&plain).unwrap();
    let mut writer = ArrowWriter::try_new(file, schema(), Some(properties.build())).unwrap();
    let mut sink = open(&path, schema(), small(30_000), None).await.unwrap();
    for i in 0..10 {
        writer.write(&batch(i * 8000, 8000)).unwrap();
        sink.write(&batch(i * 8000, 8000)).await.unwrap();
        if i == 4 {
            writer.flush().unwrap();
            let durable = sink.commit().await.unwrap();
            // There is no row group to end where one has just ended.
            assert_eq!(sink.commit().await.unwrap(), durable);
            if suspended {
                sink.suspend().await.unwrap();
                let options = small(30_000);
                sink = open(&path, schema(), options, Some(&durable))
                    .await
                    .unwrap();
            }
        }
    }
    writer.close().unwrap();
    sink.finish().await.unwrap();
    let (ours, theirs) = (reader(&path), reader(&plain));
    assert_eq!(
        group_rows(ours.metadata()),
        [30_000, 10_000, 30_000, 10_000]
    );
    assert!(ours.metadata() == theirs.metadata());
    let column = theirs.metadata().row_group(0).column(0);
    let footer = column.column_index_offset().unwrap() as usize;
    let (mut ours, mut theirs) = (
        std::fs::read(&path).unwrap(),
        std::fs::read(&plain).unwrap(),
    );
    if suspended {
        // A footer that was read has lost the bounds that Parquet has deprecated.
        assert!(ours.len() < theirs.len());
        ours.truncate(footer);
        theirs.truncate(footer);
    }
    assert!(ours == theirs);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_is_what_the_plain_writer_makes() {
    beside_the_plain_writer(false).await;
    beside_the_plain_writer(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn page_indexes_lead_to_the_rows() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out");
    let mut sink = start(&path, "parquet", false).await;
    for i in 0..3 {
        sink.write(&batch(i * 50_000, 50_000)).await.unwrap();
        let durable = sink.commit().await.unwrap();
        sink.suspend().await.unwrap();
        sink = resume(&path, "parquet", false, &durable).await;
    }
    sink.finish().await.unwrap();
    let reader = reader(&path);
    assert_eq!(group_rows(reader.metadata()), [50_000; 3]);
    let ordinals: Vec<_> = reader
        .metadata()
        .row_groups()
        .iter()
        .map(|group| group.ordinal())
        .collect();
    assert_eq!(ordinals, [Some(0), Some(1), Some(2)]);
    assert!(
        reader.metadata().offset_index().unwrap()[2][0]
            .page_locations
            .len()
            > 1
    );
    let wanted = RowSelection::from(vec![RowSelector::skip(149_990), RowSelector::select(10)]);
    let mask = ProjectionMask::all();
    let rows: Vec<_> = reader
        .with_row_selection(wanted)
        .with_projection(mask)
        .build()
        .unwrap()
        .collect();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].as_ref().unwrap(), &batch(149_990, 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_group_ends_by_its_bytes_too() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out");
    let options = FileSinkOptions {
        row_group_bytes: 200_000,
        ..options("parquet", false)
    };
    let mut sink = open(&path, schema(), options, None).await.unwrap();
    for i in 0..40 {
        sink.write(&batch(i * 5000, 5000)).await.unwrap();
    }
    sink.finish().await.unwrap();
    let groups = reader(&path).metadata().num_row_groups();
    assert!((3..30).contains(&groups), "{groups}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_compression() {
    let mut sizes = Vec::new();
    for compression in ["none", "snappy", "lz4", "gzip", "zstd", "ZSTD(9)"] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        let options = FileSinkOptions {
            compression: Some(compression.to_owned()),
            ..options("parquet", false)
        };
        let mut sink = open(&path, schema(), options, None).await.unwrap();
        sink.write(&batch(0, 5000)).await.unwrap();
        sizes.push(sink.finish().await.unwrap().bytes);
        assert_eq!(
            content(&path, "parquet", false),
            Content::Rows(batch(0, 5000))
        );
    }
    assert!(sizes[1..].iter().all(|size| size < &sizes[0]), "{sizes:?}");
}

/// A dictionary that has become too large is given up in the middle of a column, and stands before the pages that were
/// full until then.
#[tokio::test]
async fn pages_are_found_behind_a_dictionary_that_was_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out");
    let texts = |from: usize| {
        let texts: StringArray = (from..from + 10_000)
            .map(|n| Some(format!("{n:040}")))
            .collect();
        RecordBatch::try_from_iter([("text", Arc::new(texts) as ArrayRef)]).unwrap()
    };
    let schema = texts(0).schema();
    let mut sink = open(&path, Arc::clone(&schema), small(1 << 20), None)
        .await
        .unwrap();
    for n in 0..12 {
        sink.write(&texts(n * 10_000)).await.unwrap();
    }
    sink.finish().await.unwrap();
    let metadata = Arc::clone(reader(&path).metadata());
    let column = metadata.row_group(0).column(0);
    let start = column.dictionary_page_offset().unwrap();
    assert!(column.data_page_offset() > start, "there is a dictionary");
    for at in [0, 15_000, 19_999, 20_000, 45_000, 119_990] {
        let selection = vec![RowSelector::skip(at), RowSelector::select(10)];
        let rows = reader(&path).with_row_selection(RowSelection::from(selection));
        let batch = rows.build().unwrap().next().unwrap().unwrap();
        let text = batch.column(0).as_any().downcast_ref::<StringArray>();
        assert_eq!(text.unwrap().value(9), format!("{:040}", at + 9));
    }
}
