//! Pipelines, as they are written in YAML.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use biotide::pipeline::actions::Actions;
use biotide::pipeline::run::{PipelineReport, Status};
use biotide::pipeline::{Pipeline, RunOptions};
use biotide::prelude::*;

use crate::support::{self, Settings, text_rows};

fn parsed(yaml: &str) -> Pipeline {
    Pipeline::parse("p.yaml", yaml, &BTreeMap::new(), &Actions::default()).unwrap()
}

pub(crate) async fn tried(context: &BiotideContext, yaml: &str) -> Result<PipelineReport, String> {
    let pipeline = Pipeline::parse("p.yaml", yaml, &BTreeMap::new(), &Actions::default());
    let pipeline = pipeline.map_err(|error| error.to_string())?;
    let options = RunOptions::default();
    let ran = context.run_pipeline(&pipeline, &options, &mut ()).await;
    ran.map_err(|error| error.to_string())
}

pub(crate) async fn run(context: &BiotideContext, yaml: &str) -> PipelineReport {
    tried(context, yaml).await.unwrap()
}

/// The rows of a file, as text.
pub(crate) async fn rows(context: &BiotideContext, file: &str) -> Vec<Vec<String>> {
    let mut query = context
        .sql(&format!("SELECT * FROM '{file}'"))
        .await
        .unwrap();
    text_rows(&query.collect().await.unwrap())
}

/// Steps, and a sink at the end: what it wrote.
pub(crate) async fn made(steps: &str) -> Vec<Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.parquet").display().to_string();
    let context = support::context();
    let yaml = format!("steps:\n{steps}\n- {{type: sink, params: {{to: '{out}'}}}}\n");
    run(&context, &yaml).await;
    rows(&context, &out).await
}

pub(crate) fn made_file(folder: &Path, name: &str, text: &str) -> String {
    support::write(&folder.join(name), text)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quotes_order_and_bad_rows_are_as_the_reader_has_them() {
    let data = support::data_file("tissue/hpa_osps.csv");
    let rows = made(&format!(
        "- {{type: STREAMING_DATA_PROCESSOR, params: {{file_path: '{data}', output_context_key: p}}}}"
    ))
    .await;
    // (Cut at commas this row would be another one.)
    let row = rows.iter().find(|row| row[0] == "NRXN2").unwrap();
    assert_eq!(row[1..], ["P58401, Q9P2S2", "brain"]);

    let folder = tempfile::tempdir().unwrap();
    let lines: String = (0..10_000)
        .map(|i| format!("ID{i},Name{i},{}\n", i * 10))
        .collect();
    let file = made_file(folder.path(), "f.csv", &format!("id,name,value\n{lines}"));
    let all = made(&format!(
        "- {{type: load, params: {{file_path: '{file}', chunk_size: 1000}}}}"
    ))
    .await;
    assert_eq!(all.len(), 10_000);
    assert!(
        all.iter()
            .enumerate()
            .all(|(i, row)| row[0] == format!("ID{i}"))
    );
    let some = made(&format!(
        "- {{type: load, params: {{file_path: '{file}', max_rows: 4321}}}}"
    ))
    .await;
    assert_eq!(some, all[..4321]);
    let chosen = made(&format!(
        "- {{type: load, params: {{file_path: '{file}'}}}}
- {{type: derive, params: {{columns: {{value: value + 100}}}}}}
- {{type: filter, params: {{condition: 'value >= 200'}}}}
- {{type: derive, params: {{columns: {{value: value / 10}}}}}}
- {{type: filter, params: {{condition: 'value % 2 = 0'}}}}"
    ))
    .await;
    // In the order in which they are written: first derived, then chosen.
    assert_eq!(chosen.len(), 4995);
    assert_eq!(chosen[0], ["ID10", "Name10", "20"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_lines_are_counted_and_end_the_run_where_they_are_too_many() {
    let folder = tempfile::tempdir().unwrap();
    let lines: String = (0..2000)
        .map(|i| match i % 8 {
            3 => "{\"id\": \n".to_owned(),
            _ => format!("{{\"id\": {i}}}\n"),
        })
        .collect();
    let file = made_file(folder.path(), "f.jsonl", &lines);
    let out = folder.path().join("o.jsonl").display().to_string();
    let yaml = |threshold: f64| {
        format!(
            "- action: {{type: load, params: {{file_path: '{file}', error_threshold: {threshold}}}}}
- action: {{type: sink, params: {{to: '{out}', mode: replace}}}}"
        )
    };
    let context = support::context();
    let report = run(&context, &yaml(0.2)).await;
    assert_eq!((report.rows, report.rejected), (1750, 250));
    let error = tried(&context, &yaml(0.05)).await.unwrap_err();
    assert!(error.contains("f.jsonl"), "{error}");
    // What was there is there still, whole.
    assert_eq!(rows(&context, &out).await.len(), 1750);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn composite_identifiers_become_rows_with_their_weight() {
    let folder = tempfile::tempdir().unwrap();
    let file = made_file(
        folder.path(),
        "f.tsv",
        "id\tn\nP29459,P29460\t1\nQ8NEV9_Q14213\t2\nP12345\t3\n\t4\nA;A;B\t5\n",
    );
    let load = format!("- {{type: load, params: {{file_path: '{file}', output_key: raw}}}}");
    let parse = |more: &str| {
        format!(
            "{load}\n- {{type: PARSE_COMPOSITE_IDENTIFIERS, params: {{input_key: raw, column: id{more}}}}}"
        )
    };
    let found = made(&parse("")).await;
    let shown: Vec<String> = found.iter().map(|row| row.join(" ")).collect();
    assert_eq!(
        shown,
        [
            "P29459 1 P29459,P29460 2 0 composite_0 0.5 true",
            "P29460 1 P29459,P29460 2 0 composite_0 0.5 true",
            "Q8NEV9 2 Q8NEV9_Q14213 2 1 composite_1 0.5 true",
            "Q14213 2 Q8NEV9_Q14213 2 1 composite_1 0.5 true",
            "P12345 3 P12345 1 2 NULL 1 false",
            "NULL 4 NULL 0 3 NULL 1 false",
            "A 5 A;A;B 3 4 composite_4 0.3333333333333333 true",
            "A 5 A;A;B 3 4 composite_4 0.3333333333333333 true",
            "B 5 A;A;B 3 4 composite_4 0.3333333333333333 true",
        ]
    );
    assert_eq!(
        made(&parse(", unique_only: true, output_format: flat"))
            .await
            .len(),
        7
    );
    let mapped = made(&parse(", separators: [','], output_format: mapped")).await;
    assert_eq!(mapped.len(), 4);
    let kept = made(&parse(", preserve_original: true")).await;
    assert_eq!(kept.len(), 9 + 3);
}

/// The accessions of a table, composites taken apart, without any of Biotide.
fn accessions(file: &str, column: usize, delimiter: char) -> BTreeSet<String> {
    let text = std::fs::read_to_string(file).unwrap();
    let mut found = BTreeSet::new();
    for line in text.lines().skip(1) {
        let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
        for c in line.trim_end_matches('\r').chars() {
            match c {
                '"' => quoted = !quoted,
                c if c == delimiter && !quoted => cells.push(std::mem::take(&mut cell)),
                c => cell.push(c),
            }
        }
        cells.push(cell);
        let parts = cells[column].split([',', ';', '|', '_']);
        found.extend(
            parts
                .map(|part| part.trim().to_owned())
                .filter(|part| !part.is_empty()),
        );
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_tables_overlap_as_an_independent_count_says() {
    let files = [
        (
            "olink",
            support::data_file("olink/olink_protein_metadata.tsv"),
            "UniProt",
            1,
            '\t',
        ),
        (
            "hpa",
            support::data_file("tissue/hpa_osps.csv"),
            "uniprot",
            1,
            ',',
        ),
        (
            "qin",
            support::data_file("tissue/qin_osps.csv"),
            "uniprot",
            1,
            ',',
        ),
    ];
    let mut steps = String::new();
    for (name, file, column, ..) in &files {
        steps.push_str(&format!(
            "- {{type: load, params: {{file_path: '{file}', output: {name}_raw}}}}\n\
             - {{type: parse_composite_identifiers, params: {{input: {name}_raw, column: {column}, output: {name}}}}}\n"
        ));
    }
    steps.push_str("- {type: CALCULATE_SET_OVERLAP, params: {inputs: [olink, hpa, qin], columns: [UniProt, uniprot, uniprot]}}");
    let found = made(&steps).await;
    let sets: Vec<(&str, BTreeSet<String>)> = files
        .iter()
        .map(|(name, file, _, column, delimiter)| (*name, accessions(file, *column, *delimiter)))
        .collect();
    assert!(sets.iter().all(|(_, set)| set.len() > 50));
    let of = |kind: &str, names: &str| -> &Vec<String> {
        let one = found.iter().find(|row| row[0] == kind && row[1] == names);
        one.unwrap_or_else(|| panic!("no {kind} of {names} in {found:?}"))
    };
    for (name, set) in &sets {
        assert_eq!(of("set", &format!("[{name}]"))[2], set.len().to_string());
    }
    for (a, b) in [(0, 1), (0, 2), (1, 2)] {
        let both = sets[a].1.intersection(&sets[b].1).count();
        let any = sets[a].1.union(&sets[b].1).count();
        let row = of("pair", &format!("[{}, {}]", sets[a].0, sets[b].0));
        assert_eq!(row[2], both.to_string());
        let jaccard: f64 = row[3].parse().unwrap();
        assert!((jaccard - both as f64 / any as f64).abs() < 1e-12);
        let coverage: f64 = row[4].parse().unwrap();
        assert!((coverage - both as f64 / sets[a].1.len() as f64).abs() < 1e-12);
    }
    let mut regions: BTreeMap<Vec<&str>, usize> = BTreeMap::new();
    let all: BTreeSet<&String> = sets.iter().flat_map(|(_, set)| set).collect();
    for one in all {
        let within = sets.iter().filter(|(_, set)| set.contains(one));
        *regions
            .entry(within.map(|(name, _)| *name).collect())
            .or_default() += 1;
    }
    assert_eq!(
        found.iter().filter(|row| row[0] == "region").count(),
        regions.len()
    );
    for (names, n) in regions {
        assert_eq!(
            of("region", &format!("[{}]", names.join(", ")))[2],
            n.to_string()
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn columns_survive_from_parsing_to_cross_referencing() {
    let folder = tempfile::tempdir().unwrap();
    let file = made_file(
        folder.path(),
        "f.tsv",
        "UniProt\tPanel\n p04217 \tX\nP12345\tY\n",
    );
    let map = made_file(
        folder.path(),
        "m.tsv",
        "subject_id\tobject_id\nuniprot:P04217\thgnc:1\nuniprot:P04217\thgnc:2\n",
    );
    let found = made(&format!(
        "- {{type: load, params: {{file_path: '{file}'}}}}
- {{type: normalize, params: {{rules: {{field_rules: [{{source_field: Panel, transformations: [{{type: lowercase}}]}}]}}}}}}
- {{type: derive, params: {{columns: {{UniProt: upper(UniProt)}}}}}}
- {{type: CROSS_REFERENCE, params: {{identifier_fields: [UniProt], mapping: '{map}', targets: [hgnc]}}}}
- {{type: select, params: {{columns: {{UniProt: '\"UniProt\"', Panel: '\"Panel\"', target: target, verdict: verdict}}}}}}"
    ))
    .await;
    let shown: Vec<String> = found.iter().map(|row| row.join(" ")).collect();
    assert_eq!(
        shown,
        [
            "P04217 x hgnc:1 ambiguous",
            "P04217 x hgnc:2 ambiguous",
            "P12345 y NULL unmapped"
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn checks_are_counted_and_do_what_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let file = made_file(
        folder.path(),
        "f.tsv",
        "id\tx\nA1\t1\nA2\t20\n\t3\nA1\t4\nb\t5\n",
    );
    let out = folder.path().join("o.csv").display().to_string();
    let report_path = folder.path().join("q.json").display().to_string();
    let yaml = |on_fail: &str| {
        format!(
            "- {{type: load, params: {{file_path: '{file}'}}}}
- type: validate
  params:
    on_fail: {on_fail}
    report_path: '{report_path}'
    checks:
    - {{not_null: id}}
    - {{column: id, regex: '[A-Z][0-9]', severity: warning}}
    - {{column: x, range: [1, 10]}}
    - {{unique: id}}
    - {{row_count: {{min: 1, max: 5}}}}
    - {{column: id, in_set: [A1, A2, b]}}
- {{type: sink, params: {{to: '{out}', mode: replace}}}}"
        )
    };
    let context = support::context();
    let error = tried(&context, &yaml("fail")).await.unwrap_err();
    assert!(
        error.contains("p.yaml, line 2") && error.contains("id is not null (1 of 5 rows are not)"),
        "{error}"
    );
    assert!(!Path::new(&out).exists());
    let report = run(&context, &yaml("keep")).await;
    let failed: Vec<u64> = report.checks.iter().map(|check| check.failed).collect();
    assert_eq!(failed, [1, 1, 1, 1, 0, 0]);
    assert_eq!(report.rows, 5);
    let text = std::fs::read_to_string(&report_path).unwrap();
    let written: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(written.as_array().unwrap().len(), 6);
    run(&context, &yaml("drop")).await;
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "id,x\nA1,1\nb,5\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn datasets_are_joined_merged_and_made_distinct() {
    let folder = tempfile::tempdir().unwrap();
    let a = made_file(folder.path(), "a.tsv", "id\tx\n1\ta\n2\tb\n2\tc\n");
    let b = made_file(folder.path(), "b.tsv", "id\ty\n2\tB\n3\tC\n2\tD\n");
    let load = format!(
        "- {{type: load, params: {{file_path: '{a}', output: a}}}}
- {{type: load, params: {{file_path: '{b}', output: b}}}}"
    );
    let of = async |step: &str| -> Vec<String> {
        let mut rows: Vec<String> = made(&format!("{load}\n- {step}"))
            .await
            .iter()
            .map(|row| row.join(" "))
            .collect();
        rows.sort();
        rows
    };
    let join = of("{type: join, params: {left: a, right: b, how: outer, on: id}}").await;
    assert_eq!(
        join,
        ["1 a NULL", "2 b B", "2 b D", "2 c B", "2 c D", "3 NULL C"]
    );
    let first = of("{type: MERGE_DATASETS, params: {inputs: [a, b], merge_strategy: join, how: left, on: id, one_to_many: first}}").await;
    assert_eq!(first, ["1 a NULL", "2 b B", "2 c B"]);
    let concat = of("{type: MERGE_DATASETS, params: {inputs: [a, b]}}").await;
    assert_eq!(concat.len(), 6);
    let distinct = of("{type: deduplicate, params: {input: a, columns: id, keep: last}}").await;
    assert_eq!(distinct, ["1 a", "2 c"]);
    let sums = of(
        "{type: aggregate, params: {input: b, group_by: id, aggregates: {n: count(*), y: max(y)}}}",
    )
    .await;
    assert_eq!(sums.len(), 2);
    let filtered = of("{type: FILTER_DATASET, params: {input: a, logic: OR, conditions: [{column: x, operator: equals, value: a}, {column: id, operator: greater_than, value: 1}], mode: remove}}").await;
    assert!(filtered.is_empty(), "{filtered:?}");
    let query = of("{type: sql, params: {query: 'SELECT a.id, count(*) AS n FROM a JOIN b ON a.id = b.id GROUP BY a.id'}}").await;
    assert_eq!(query, ["2 4"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cached_dataset_is_made_once_and_anew_when_its_file_changes() {
    let folder = tempfile::tempdir().unwrap();
    let file = made_file(folder.path(), "f.tsv", "id\n1\n2\n");
    let (kept, out) = (
        folder.path().join("kept.parquet"),
        folder.path().join("o.csv"),
    );
    let yaml = format!(
        "- {{type: load, params: {{file_path: '{file}'}}}}
- {{type: cache, params: {{path: '{}'}}}}
- {{type: sink, params: {{to: '{}', mode: replace}}}}",
        kept.display(),
        out.display()
    );
    let context = support::context();
    run(&context, &yaml).await;
    let made = std::fs::metadata(&kept).unwrap().modified().unwrap();
    run(&context, &yaml).await;
    assert_eq!(std::fs::metadata(&kept).unwrap().modified().unwrap(), made);
    made_file(folder.path(), "f.tsv", "id\n1\n2\n3\n");
    run(&context, &yaml).await;
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "id\n1\n2\n3\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_told_with_its_place() {
    let context = support::context();
    let data = support::data_file("tissue/hpa_osps.csv");
    let load = format!("- {{type: load, params: {{file_path: '{data}'}}}}");
    let sink = "- {type: sink, params: {to: x.csv}}";
    for (yaml, parts) in [
        (format!("{load}\n"), &["no sink"][..]),
        (
            format!(
                "{load}\n- {{type: filter, params: {{condition: 'nope > 1'}}}}\n- {{type: sink, params: {{to: x.csv}}}}"
            ),
            &["p.yaml, line 2", "step filter", "nope"],
        ),
        (
            format!("{load}\n- {{type: parse, params: {{column: unprot}}}}\n{sink}"),
            &[
                "p.yaml, line 2",
                "no column 'unprot'; did you mean 'uniprot'?",
            ],
        ),
        (
            format!("- {{type: load, params: {{file_path: /nowhere/f.tsv}}}}\n{sink}"),
            &["/nowhere/f.tsv"],
        ),
        (
            format!("{load}\n- {{type: sink, params: {{to: '/tmp/x.csv', mode: append}}}}"),
            &["p.yaml, line 2", "append is for tables of databases"],
        ),
        (
            format!("{load}\n- {{type: join, params: {{right: other, on: gene}}}}\n{sink}"),
            &["p.yaml, line 2", "'other' is no dataset; there are load"],
        ),
    ] {
        let error = tried(&context, &yaml).await.unwrap_err();
        for part in parts {
            assert!(error.contains(part), "{part} is missing in: {error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_that_is_not_required_may_fail_and_a_condition_may_not_hold() {
    let folder = tempfile::tempdir().unwrap();
    let file = made_file(folder.path(), "f.tsv", "id\n1\n2\n");
    let out = folder.path().join("o.csv").display().to_string();
    let yaml = format!(
        "parameters: {{stages: [1]}}
steps:
- {{name: a, action: {{type: load, params: {{file_path: '{file}'}}}}}}
- {{name: b, is_required: false, action: {{type: filter, params: {{condition: nope}}}}}}
- {{name: c, condition: '2 in ${{parameters.stages}}', action: {{type: filter, params: {{condition: id > 1}}}}}}
- {{name: d, action: {{type: sink, params: {{to: '{out}'}}}}}}"
    );
    let report = run(&support::context(), &yaml).await;
    assert_eq!(report.status, Status::PartialSuccess);
    assert!(report.steps[1].failed.as_ref().unwrap().contains("nope"));
    assert!(!report.steps[2].ran);
    assert_eq!(report.rows, 2);
    assert_eq!(parsed(&yaml).steps.len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_do_not_depend_on_threads_or_batches() {
    let folder = tempfile::tempdir().unwrap();
    let data = support::data_file("olink/olink_protein_metadata.tsv");
    let mut answers = Vec::new();
    for settings in [
        Settings::new(1, 8192),
        Settings::new(7, 3),
        Settings::new(2, 1000),
    ] {
        let out = folder.path().join("o.jsonl").display().to_string();
        let context = settings.context();
        run(
            &context,
            &format!(
                "- {{type: load, params: {{file_path: '{data}'}}}}
- {{type: normalize, params: {{rules: olink}}}}
- {{type: parse_composite_identifiers, params: {{column: uniprot, separators: ['|']}}}}
- {{type: sink, params: {{to: '{out}', mode: replace}}}}"
            ),
        )
        .await;
        answers.push(std::fs::read_to_string(&out).unwrap());
    }
    assert!(answers[0].lines().count() > 2900);
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
}

/// A table of PostgreSQL, of the server that `scripts/test` starts.
fn postgres(table: &str) -> Option<String> {
    let server = std::env::var("BIOTIDE_TEST_POSTGRES").ok()?;
    Some(format!("{server}/{table}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_rows_go_to_postgres_and_come_back() {
    let Some(to) = postgres("pipeline_rows") else {
        println!("no PostgreSQL: BIOTIDE_TEST_POSTGRES is not set");
        return;
    };
    let context = support::context();
    let data = support::data_file("olink/olink_protein_metadata.tsv");
    let yaml = |mode: &str| {
        format!(
            "- {{type: load, params: {{file_path: '{data}'}}}}
- {{type: sink, params: {{to: '{to}', mode: {mode}}}}}"
        )
    };
    let once = run(&context, &yaml("replace")).await.rows;
    assert!(once > 2900);
    assert_eq!(run(&context, &yaml("append")).await.rows, once);
    let error = tried(&context, &yaml("error")).await.unwrap_err();
    assert!(error.contains("is there already"), "{error}");
    let target = biotide::database::DatabaseTarget::parse(&to).unwrap();
    let table = biotide::database::DatabaseTable::open(&target)
        .await
        .unwrap();
    let frame = context
        .session()
        .read_table(std::sync::Arc::new(table))
        .unwrap();
    assert_eq!(frame.count().await.unwrap() as u64, 2 * once);
}
