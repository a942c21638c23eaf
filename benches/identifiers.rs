//! Functions on identifiers over columns in memory, one core. Figures are per identifier or cell.
#![allow(
    clippy::expect_used,
    missing_docs,
    reason = "a bench stops at the first surprise"
)]

use std::hint::black_box;
use std::sync::Arc;

use arrow_array::{ArrayRef, StringArray};
use arrow_schema::Field;
use biotide::BiotideOptions;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use datafusion_common::config::ConfigOptions;
use datafusion_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs};

const ROWS: usize = 8192;

/// A small generator (xorshift64).
struct Rng(u64);

impl Rng {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % n
    }

    fn accession(&mut self) -> String {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        let middle: String = (0..3)
            .map(|_| char::from(LETTERS[self.below(36)]))
            .collect();
        let (first, second, last) = (
            ["O", "P", "Q"][self.below(3)],
            self.below(10),
            self.below(10),
        );
        format!("{first}{second}{middle}{last}")
    }
}

fn column(mut make: impl FnMut() -> String) -> ColumnarValue {
    let texts: StringArray = (0..ROWS).map(|_| Some(make())).collect();
    ColumnarValue::Array(Arc::new(texts) as ArrayRef)
}

fn constant(text: &str) -> ColumnarValue {
    ColumnarValue::Scalar(text.into())
}

fn identifiers(criterion: &mut Criterion) {
    let mut rng = Rng(7);
    const PREFIXES: [&str; 10] = [
        "CHEBI",
        "GO",
        "HGNC",
        "UniProtKB",
        "Entrez Gene",
        "PMID",
        "mesh",
        "doid",
        "CHEBI:CHEBI",
        "nope",
    ];
    const SYMBOLS: [&str; 10] = [
        "TP53",
        "p53",
        "BRCA1",
        "QARS",
        "EPRS1",
        "ACAT1",
        "IL6",
        "GTF2H2C_2",
        "HLA-A",
        "nothing",
    ];
    let curies = column(|| format!("{}:{:07}", PREFIXES[rng.below(10)], rng.below(10_000_000)));
    let accessions = column(|| {
        let mut one = rng.accession();
        one.truncate(if rng.below(10) == 0 { 5 } else { 6 });
        one
    });
    let cells = column(|| {
        let parts = [1, 1, 2, 3][rng.below(4)];
        (0..parts)
            .map(|_| rng.accession())
            .collect::<Vec<_>>()
            .join(";")
    });
    let symbols = column(|| SYMBOLS[rng.below(10)].to_owned());
    let hmdb = column(|| format!("HMDB{:05}", rng.below(100_000)));
    let functions = biotide::functions();
    let mut options = ConfigOptions::default();
    options.extensions.insert(BiotideOptions::default());
    let options = Arc::new(options);
    let mut group = criterion.benchmark_group("identifiers");
    group.throughput(Throughput::Elements(ROWS as u64));
    for (name, args) in [
        ("curie_normalize", vec![curies.clone()]),
        ("curie_is_valid", vec![curies]),
        ("id_is_valid", vec![constant("uniprot"), accessions.clone()]),
        ("uniprot_parse", vec![accessions]),
        ("id_split", vec![cells.clone(), constant("uniprot")]),
        ("id_list", vec![cells, constant("uniprot")]),
        ("symbol_resolve", vec![symbols]),
        ("hmdb_normalize", vec![hmdb]),
    ] {
        let function = functions
            .iter()
            .find(|function| function.name() == name)
            .expect(name);
        let fields: Vec<_> = args
            .iter()
            .map(|arg| Arc::new(Field::new("a", arg.data_type(), true)))
            .collect();
        let scalars = vec![None; args.len()];
        let returned = function
            .return_field_from_args(ReturnFieldArgs {
                arg_fields: &fields,
                scalar_arguments: &scalars,
            })
            .expect("a field");
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let args = ScalarFunctionArgs {
                    args: args.clone(),
                    arg_fields: fields.clone(),
                    number_rows: ROWS,
                    return_field: Arc::clone(&returned),
                    config_options: Arc::clone(&options),
                };
                black_box(function.invoke_with_args(args).expect("answers"))
            });
        });
    }
    group.finish();
}

criterion_group!(benches, identifiers);
criterion_main!(benches);
