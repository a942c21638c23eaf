//! Real files, end to end: their counts, and Parquet and back with the same rows in the same order.

use biotide::prelude::*;

use crate::support::{self, SETTINGS, query, value};

const OLINK: &str = "olink/olink_protein_metadata.tsv";
const HPA: &str = "tissue/hpa_osps.csv";
const QIN: &str = "tissue/qin_osps.csv";
const HGNC: &str = "hgnc/hgnc_complete_set.tsv.gz";
const BIOMAPPINGS: &str = "biomappings/positive.sssom.tsv.gz";
const METABOLITES: &str = "metabolites/metabolites_synthetic.tsv";
/// File, rows, columns.
const FILES: [(&str, u64, usize); 6] = [
    (OLINK, 2_923, 3),
    (HPA, 3_018, 3),
    (QIN, 2_771, 3),
    (HGNC, 44_997, 11),
    (BIOMAPPINGS, 12_441, 13),
    (METABOLITES, 30, 6),
];

fn context(settings: support::Settings) -> BiotideContext {
    settings.builder().option("comment", "#").build().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_row_is_there_and_none_is_bad() {
    for settings in SETTINGS {
        let context = context(settings);
        for (file, rows, columns) in FILES {
            let path = support::data_file(file);
            let mut statement = context
                .sql(&format!("SELECT * FROM '{path}'"))
                .await
                .unwrap();
            assert_eq!(statement.schema().fields().len(), columns, "{file}");
            let batches = statement.collect().await.unwrap();
            let n: usize = batches.iter().map(RecordBatch::num_rows).sum();
            let scan = statement.finish().unwrap();
            support::assert_closes(&scan);
            assert_eq!(
                (n as u64, scan.records),
                (rows, rows),
                "{file}, {settings:?}"
            );
            assert_eq!(
                (scan.rejected, scan.nulled, scan.repaired),
                (0, 0, 0),
                "{file}"
            );
            let count = value(&context, &format!("SELECT count(*) FROM '{path}'")).await;
            assert_eq!(count, rows.to_string(), "{file}, {settings:?}");
        }
    }
}

/// A reader that keeps the CR of the line ends sees nine panels, the last line having none.
#[tokio::test]
async fn olink_has_eight_panels() {
    let context = support::context();
    let path = support::data_file(OLINK);
    let sql = format!("SELECT panel FROM '{path}' GROUP BY panel ORDER BY panel");
    let (panels, _) = query(&context, &sql).await;
    let expected = [
        "Cardiometabolic",
        "Cardiometabolic II",
        "Inflammation",
        "Inflammation II",
        "Neurology",
        "Neurology II",
        "Oncology",
        "Oncology II",
    ];
    assert_eq!(panels.concat(), expected);
    let count = |filter: &str| format!("SELECT count(*) FROM '{path}' WHERE {filter}");
    let composites = count("strpos(UniProt, '_') > 0");
    assert_eq!(value(&context, &composites).await, "5");
    let isoforms = count("strpos(UniProt, '-') > 0");
    assert_eq!(value(&context, &isoforms).await, "4");
    let none = count("UniProt = 'NTproBNP'");
    assert_eq!(value(&context, &none).await, "1");
}

/// `"P58401, Q9P2S2"` is one value: a split at commas would make two of it, and a fourth field.
#[tokio::test]
async fn quoted_composites_stay_whole() {
    let context = support::context();
    let composites = [
        (HPA, "gene = 'NRXN2'", "uniprot", "P58401, Q9P2S2"),
        (
            QIN,
            "gene = 'ESR1'",
            "organ",
            "breast, cervix, uterine, endometrium, fallopian",
        ),
    ];
    for (file, filter, column, composite) in composites {
        let path = support::data_file(file);
        let sql = format!("SELECT {column} FROM '{path}' WHERE {filter}");
        assert_eq!(value(&context, &sql).await, composite, "{file}");
    }
}

/// The types are those that lose nothing: HGNC's entrez ids are integers, its symbols text.
#[tokio::test]
async fn types_lose_nothing() {
    let context = context(support::Settings::new(2, 8192));
    let path = support::data_file(HGNC);
    let sql = format!(
        "SELECT arrow_typeof(entrez_id), arrow_typeof(symbol), arrow_typeof(uniprot_ids) \
         FROM '{path}' LIMIT 1"
    );
    let (types, _) = query(&context, &sql).await;
    assert_eq!(types, [["Int64", "Utf8", "Utf8"]]);
    // MARCHF1 and SEPTIN1 were renamed because of what spreadsheets made of MARCH1 and SEPT1.
    let sql = format!(
        "SELECT symbol, prev_symbol FROM '{path}' \
         WHERE prev_symbol IN ('MARCH1', 'DIFF6|SEPT1') ORDER BY symbol"
    );
    let (symbols, _) = query(&context, &sql).await;
    assert_eq!(symbols, [["MARCHF1", "MARCH1"], ["SEPTIN1", "DIFF6|SEPT1"]]);
    let mappings = support::data_file(BIOMAPPINGS);
    let sql = format!("SELECT subject_id, object_label FROM '{mappings}' LIMIT 1");
    let (first, _) = query(&context, &sql).await;
    assert_eq!(first, [["adcad:00003", "archaeology"]]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn to_parquet_and_back() {
    let folder = tempfile::tempdir().unwrap();
    for (i, (file, rows, _)) in FILES.into_iter().enumerate() {
        let settings = SETTINGS[i % SETTINGS.len()];
        let context = context(settings);
        let input = support::data_file(file);
        let (expected, _) = query(&context, &format!("SELECT * FROM '{input}'")).await;
        assert_eq!(expected.len() as u64, rows);
        let mut path = input.clone();
        for ending in ["parquet", "tsv.gz", "csv", "arrow", "tsv"] {
            let output = folder.path().join(format!("{i}.{ending}"));
            let output = output.display().to_string();
            let request = ConvertRequest {
                inputs: vec![path],
                output: output.clone(),
                ..ConvertRequest::default()
            };
            let report = context.convert(request, |_| {}).await.unwrap();
            assert_eq!((report.rows, report.rejected), (rows, 0), "{output}");
            assert_eq!(report.files, std::slice::from_ref(&output));
            let size = std::fs::metadata(&output).unwrap().len();
            assert_eq!(report.bytes_out, size, "{output}");
            // Of a binary file the order shows in what is made of it next.
            let binary = matches!(ending, "parquet" | "arrow");
            let (mut actual, _) = query(&context, &format!("SELECT * FROM '{output}'")).await;
            let mut expected = expected.clone();
            if binary {
                actual.sort();
                expected.sort();
            }
            let different = actual.iter().zip(&expected).find(|(a, e)| a != e);
            assert_eq!(different, None, "{output}");
            assert_eq!(actual.len(), expected.len(), "{output}");
            path = output;
        }
    }
}

/// Parquet of many row groups, which several threads would read at a time.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parquet_to_text_keeps_the_order() {
    let folder = tempfile::tempdir().unwrap();
    let text: String = (0..300_000u64)
        .map(|i| format!("{i}\t{}\n", i.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
        .collect();
    let text = format!("id\thash\n{text}");
    let mut path = support::write(&folder.path().join("in.tsv"), &text);
    let context = support::Settings::new(7, 1000)
        .builder()
        .option("parquet_row_group_rows", "10000")
        .build()
        .unwrap();
    for name in ["a.parquet", "b.arrow", "c.parquet", "d.tsv"] {
        let output = folder.path().join(name).display().to_string();
        let request = ConvertRequest {
            inputs: vec![path],
            output: output.clone(),
            ..ConvertRequest::default()
        };
        context.convert(request, |_| {}).await.unwrap();
        path = output;
    }
    let back = std::fs::read_to_string(&path).unwrap();
    let different = back.lines().zip(text.lines()).find(|(b, t)| b != t);
    assert_eq!(different, None);
    assert_eq!(back.len(), text.len());
}

/// Broken files of all kinds are answered, or refused by name; nothing panics, nothing is lost unsaid.
#[tokio::test]
async fn messy_files_are_answered() {
    let context = support::context();
    let read = async |file: &str, options: &str| {
        let path = support::data_file(&format!("messy/{file}"));
        query(
            &context,
            &format!("SELECT * FROM read_csv('{path}'{options})"),
        )
        .await
    };
    let (rows, scan) = read("latin1_encoded.csv", "").await;
    assert_eq!((rows.len(), scan.rejected), (3, 0));
    assert_eq!(rows[0], ["1", "Café", "Français"]);
    let (rows, scan) = read("latin1_encoded.csv", ", encoding => 'utf-8'").await;
    assert_eq!((rows.len(), scan.rejected), (0, 3));
    let lenient = ", encoding => 'utf-8', on_error => 'lenient'";
    let (rows, scan) = read("latin1_encoded.csv", lenient).await;
    assert_eq!((rows.len(), scan.repaired), (3, 3));
    assert_eq!(rows[0], ["1", "Caf\u{FFFD}", "Fran\u{FFFD}ais"]);

    let (rows, scan) = read("messy_mixed_types.csv", "").await;
    // `"User "Special""` has text after its closing quote; `Line` and `Break` are cut in two.
    assert_eq!((rows.len(), scan.rejected), (6, 3), "{rows:?}");
    assert_eq!(rows[1][..3], ["2", "María García", "456abc"]);
    assert_eq!(rows[4][1..3], ["Final,Entry", "123,456.78"]);
    let (rows, scan) = read("messy_mixed_types.csv", ", skip_empty => true").await;
    assert_eq!((rows.len(), scan.skipped), (5, 1));

    let (rows, scan) = read("truncated.csv", "").await;
    assert_eq!(rows, [["1", "Alice", "123"], ["2", "Bob", "NULL"]]);
    assert_eq!(scan.rejected, 0);

    let options = ", header => false, column_names => 'id,name,price,kind'";
    let (rows, _) = read("no_header.csv", options).await;
    assert_eq!(rows.len(), 4);
    assert_eq!(rows[2], ["3", "Product C", "invalid_price", "Clothing"]);

    let (rows, scan) = read("mixed_tabs.tsv", ", delimiter => 'tab'").await;
    assert_eq!((rows.len(), scan.rejected), (3, 2), "{rows:?}");
    assert_eq!(rows[2], ["4", "Quoted Name", "Description", "-123.45"]);

    let (rows, _) = read("test_data.csv", "").await;
    assert_eq!(rows.len(), 5);
    assert_eq!(
        rows[4],
        ["Eve Davis", "26", "HR", "55000", "2022-02-28", "true"]
    );

    let path = support::data_file("messy/empty.csv");
    let error = support::error(&context, &format!("SELECT * FROM '{path}'")).await;
    assert!(error.contains("empty.csv: the file is empty"), "{error}");
}
