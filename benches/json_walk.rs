//! Three ways from JSON Lines to columns, on objects held in memory: our walk, which writes down where wanted
//! values stand; the tape of `arrow-json`; and the tape of `simd-json`, without any column built from it.
#![allow(
    clippy::expect_used,
    missing_docs,
    reason = "a bench stops at the first surprise"
)]

use std::fmt::Write;
use std::hint::black_box;
use std::sync::Arc;

use arrow_json::ReaderBuilder;
use arrow_schema::{DataType, Field, Schema};
use biotide_text::Buffer;
use biotide_text::chunk::{ChunkDecoder, Place};
use biotide_text::delimited::{Column, ColumnType, Dialect, Layout};
use biotide_text::json_lines::{Framing, Json};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const BYTES: usize = 1 << 20;
const ROWS: usize = 1 << 20;

const COLUMNS: [(&str, ColumnType); 8] = [
    ("sample_id", ColumnType::Text),
    ("uniprot", ColumnType::Text),
    ("gene", ColumnType::Text),
    ("panel", ColumnType::Text),
    ("plate", ColumnType::Int64),
    ("npx", ColumnType::Float64),
    ("run_date", ColumnType::Text),
    ("qc", ColumnType::Text),
];

fn lines() -> String {
    let mut out = String::new();
    let mut n = 0u64;
    while out.len() < BYTES {
        n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let x = n >> 33;
        writeln!(
            out,
            "{{\"sample_id\":\"S{:06}\",\"uniprot\":\"P{:05}\",\"gene\":\"TP53\",\"panel\":\"Inflammation\",\
             \"plate\":{},\"npx\":{:.4},\"run_date\":\"2024-01-{:02}\",\"qc\":\"PASS\"}}",
            x % 50_000,
            x % 99_999,
            x % 200,
            (x % 200_000) as f64 / 1e4 - 5.0,
            1 + x % 28
        )
        .expect("writes to a string");
    }
    out
}

fn layout() -> Arc<Layout> {
    let columns = COLUMNS.map(|(name, ty)| Column::new(name, ty)).to_vec();
    let path = |(i, (name, _)): (usize, &(&str, ColumnType))| (vec![(*name).to_owned()], i);
    let mut layout = Layout::new(Dialect::tsv(), columns);
    layout.json = Some(Arc::new(Json {
        framing: Framing::Lines,
        paths: COLUMNS.iter().enumerate().map(path).collect(),
        nested: Vec::new(),
    }));
    Arc::new(layout)
}

fn walk(criterion: &mut Criterion) {
    let text = lines();
    let chunk = Buffer::from(text.as_bytes());
    let mut group = criterion.benchmark_group("json");
    group.throughput(Throughput::Bytes(text.len() as u64));
    for (name, projection) in [
        ("two columns", vec![3, 5]),
        ("all columns", (0..COLUMNS.len()).collect::<Vec<_>>()),
    ] {
        let mut decoder = ChunkDecoder::new(layout(), Some(projection.clone())).expect("a layout");
        group.bench_function(format!("{name}, walk"), |bencher| {
            bencher.iter(|| {
                decoder
                    .index(&chunk, 0, chunk.len(), true, false)
                    .expect("rows");
                black_box(decoder.decode(&chunk, Place::default(), None, ROWS)).expect("rows")
            });
        });
        let fields: Vec<Field> = projection
            .iter()
            .map(|&i| {
                let (name, ty) = COLUMNS[i];
                let ty = match ty {
                    ColumnType::Int64 => DataType::Int64,
                    ColumnType::Float64 => DataType::Float64,
                    _ => DataType::Utf8,
                };
                Field::new(name, ty, true)
            })
            .collect();
        let schema = Arc::new(Schema::new(fields));
        group.bench_function(format!("{name}, tape of arrow-json"), |bencher| {
            bencher.iter(|| {
                let reader = ReaderBuilder::new(Arc::clone(&schema)).with_batch_size(ROWS);
                let mut decoder = reader.build_decoder().expect("a schema");
                decoder.decode(text.as_bytes()).expect("rows");
                black_box(decoder.flush()).expect("rows")
            });
        });
    }
    group.bench_function("no column, tape of simd-json", |bencher| {
        let mut buffers = simd_json::Buffers::new(1024);
        let mut line = Vec::new();
        bencher.iter(|| {
            let mut nodes = 0;
            for text in text.lines() {
                // It unescapes in place.
                line.clear();
                line.extend_from_slice(text.as_bytes());
                let tape = simd_json::to_tape_with_buffers(&mut line, &mut buffers);
                nodes += tape.expect("an object").0.len();
            }
            black_box(nodes)
        });
    });
    group.finish();
}

criterion_group!(benches, walk);
criterion_main!(benches);
