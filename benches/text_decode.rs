//! The stages of the text reader, one by one, on a protein table held in memory. Every figure is per
//! byte of the table, whatever the stage touches of it.
#![allow(
    clippy::expect_used,
    missing_docs,
    reason = "a bench stops at the first surprise"
)]

use std::fmt::Write;
use std::hint::black_box;
use std::sync::Arc;

use biotide_text::Buffer;
use biotide_text::chunk::{ChunkDecoder, Place};
use biotide_text::delimited::{Column, ColumnType, Decoder, Dialect, Layout, TextArray};
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};

const TABLE_BYTES: usize = 8 << 20;
const CHUNK_BYTES: usize = 1 << 20;
/// One batch a chunk: text columns point into it.
const BATCH_ROWS: usize = 1 << 20;

const COLUMNS: [(&str, ColumnType); 12] = [
    ("sample_id", ColumnType::Text),
    ("uniprot", ColumnType::Text),
    ("gene", ColumnType::Text),
    ("assay", ColumnType::Text),
    ("panel", ColumnType::Text),
    ("plate", ColumnType::Int64),
    ("well", ColumnType::Text),
    ("count", ColumnType::Int64),
    ("npx", ColumnType::Float64),
    ("lod", ColumnType::Float64),
    ("run_date", ColumnType::Date),
    ("qc", ColumnType::Text),
];
const GENE: usize = 2;
const ASSAY: usize = 3;
const COUNT: usize = 7;
const NPX: usize = 8;
const DATE: usize = 10;

/// The table: `delimiter` between fields, `quote` around them.
fn table(delimiter: char, quote: &str) -> String {
    let genes = [
        "TP53", "BRCA1", "IL6", "APOE", "EGFR", "TNF", "PCSK9", "CXCL10",
    ];
    let panels = ["Cardiometabolic", "Inflammation", "Neurology", "Oncology"];
    let mut state = 42u64;
    let mut below = |n: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % n
    };
    let mut out = String::with_capacity(TABLE_BYTES + 1024);
    while out.len() < TABLE_BYTES {
        let gene = genes[below(8) as usize];
        let fields = [
            format!("S{:06}", below(50_000)),
            format!("P{:05}", below(100_000)),
            gene.to_owned(),
            format!("{gene} (proximity extension, {})", below(3000)),
            panels[below(4) as usize].to_owned(),
            below(200).to_string(),
            format!("{}{}", char::from(b'A' + below(8) as u8), 1 + below(12)),
            below(100_000).to_string(),
            match below(40) {
                0 => "NA".to_owned(),
                _ => format!("{:.4}", below(200_000) as f64 / 1e4 - 5.0),
            },
            format!("{:.2}", below(300) as f64 / 100.0 - 1.0),
            format!("2024-{:02}-{:02}", 1 + below(12), 1 + below(28)),
            ["PASS", "PASS", "PASS", "WARN"][below(4) as usize].to_owned(),
        ];
        for (i, field) in fields.iter().enumerate() {
            if i > 0 {
                out.push(delimiter);
            }
            let quote = if field == "NA" { "" } else { quote };
            write!(out, "{quote}{field}{quote}").expect("writes to a string");
        }
        out.push('\n');
    }
    out
}

/// The table in chunks of whole lines.
fn chunks(table: &str) -> Vec<Buffer> {
    let mut rest = table;
    let mut out = Vec::new();
    while !rest.is_empty() {
        let most = &rest[..rest.len().min(CHUNK_BYTES)];
        let end = most.rfind('\n').map_or(rest.len(), |i| i + 1);
        out.push(Buffer::from(&rest.as_bytes()[..end]));
        rest = &rest[end..];
    }
    out
}

fn layout(dialect: Dialect, text: TextArray) -> Arc<Layout> {
    let column = |&(name, ty): &(&str, ColumnType)| Column::new(name, ty);
    let mut layout = Layout::new(dialect, COLUMNS.iter().map(column).collect());
    layout.text = text;
    Arc::new(layout)
}

fn decoder(layout: &Arc<Layout>, projection: &[usize]) -> ChunkDecoder {
    ChunkDecoder::new(Arc::clone(layout), Some(projection.to_vec())).expect("a layout")
}

fn index(decoder: &mut ChunkDecoder, chunk: &Buffer) {
    decoder
        .index(chunk, 0, chunk.len(), true, false)
        .expect("rows");
}

fn decode(decoder: &ChunkDecoder, chunk: &Buffer) {
    let chunk = decoder.decode(chunk, Place::default(), None, BATCH_ROWS);
    black_box(chunk.expect("rows"));
}

type Group<'a> = BenchmarkGroup<'a, criterion::measurement::WallTime>;

/// Index and columns.
fn whole(
    group: &mut Group<'_>,
    name: &str,
    layout: &Arc<Layout>,
    columns: &[usize],
    on: &[Buffer],
) {
    let mut decoder = decoder(layout, columns);
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            for chunk in on {
                index(&mut decoder, chunk);
                decode(&decoder, chunk);
            }
        });
    });
}

/// One column alone: the chunks are indexed before.
fn column(group: &mut Group<'_>, name: &str, layout: &Arc<Layout>, column: usize, on: &[Buffer]) {
    let indexed = |chunk| {
        let mut decoder = decoder(layout, &[column]);
        index(&mut decoder, chunk);
        decoder
    };
    let decoders: Vec<ChunkDecoder> = on.iter().map(indexed).collect();
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            for (decoder, chunk) in decoders.iter().zip(on) {
                decode(decoder, chunk);
            }
        });
    });
}

fn text_decode(criterion: &mut Criterion) {
    let tsv = table('\t', "");
    let plain = chunks(&tsv);
    let views = layout(Dialect::tsv(), TextArray::View);
    let copies = layout(Dialect::tsv(), TextArray::Utf8);

    let mut group = criterion.benchmark_group("tsv");
    group
        .throughput(Throughput::Bytes(tsv.len() as u64))
        .sample_size(30);
    let mut indexer = decoder(&views, &[NPX]);
    group.bench_function("index", |bencher| {
        bencher.iter(|| plain.iter().for_each(|chunk| index(&mut indexer, chunk)));
    });
    whole(&mut group, "count", &views, &[], &plain);
    column(&mut group, "short text column, views", &views, GENE, &plain);
    column(&mut group, "long text column, views", &views, ASSAY, &plain);
    column(&mut group, "short text column, utf8", &copies, GENE, &plain);
    column(&mut group, "long text column, utf8", &copies, ASSAY, &plain);
    column(&mut group, "float column", &views, NPX, &plain);
    column(&mut group, "int column", &views, COUNT, &plain);
    column(&mut group, "date column", &views, DATE, &plain);
    whole(
        &mut group,
        "index, text and float column",
        &views,
        &[GENE, NPX],
        &plain,
    );
    let all: Vec<usize> = (0..COLUMNS.len()).collect();
    whole(&mut group, "index, all columns", &views, &all, &plain);
    group.bench_function("push decoder, text and float column", |bencher| {
        bencher.iter(|| push(&views, tsv.as_bytes()));
    });
    group.finish();

    let csv = table(',', "\"");
    let quoted = chunks(&csv);
    let views = layout(Dialect::csv(), TextArray::View);
    let mut group = criterion.benchmark_group("quoted csv");
    group
        .throughput(Throughput::Bytes(csv.len() as u64))
        .sample_size(30);
    let mut indexer = decoder(&views, &[NPX]);
    group.bench_function("index", |bencher| {
        bencher.iter(|| quoted.iter().for_each(|chunk| index(&mut indexer, chunk)));
    });
    whole(&mut group, "count", &views, &[], &quoted);
    column(
        &mut group,
        "short text column, views",
        &views,
        GENE,
        &quoted,
    );
    column(
        &mut group,
        "long text column, views",
        &views,
        ASSAY,
        &quoted,
    );
    column(&mut group, "float column", &views, NPX, &quoted);
    whole(
        &mut group,
        "index, text and float column",
        &views,
        &[GENE, NPX],
        &quoted,
    );
    group.finish();
}

fn push(layout: &Arc<Layout>, mut text: &[u8]) {
    let projection = Some(vec![GENE, NPX]);
    let mut decoder =
        Decoder::new(layout.as_ref().clone(), projection, BATCH_ROWS).expect("a layout");
    while !text.is_empty() {
        text = &text[decoder.decode(text)..];
        if text.is_empty() {
            decoder.finish();
        }
        while let Some(batch) = decoder.flush().expect("rows") {
            black_box(batch);
        }
    }
}

criterion_group!(benches, text_decode);
criterion_main!(benches);
