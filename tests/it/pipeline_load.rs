//! Pipelines: files become datasets.

use biotide::pipeline::run::Status;

use crate::pipeline::{made, made_file, rows, run, tried};
use crate::support::{self, Settings};

/// The rows of a table, a text each.
fn lines(rows: Vec<Vec<String>>) -> Vec<String> {
    rows.iter().map(|row| row.join(" ")).collect()
}

const MANY: [Settings; 3] = [
    Settings::new(1, 8192),
    Settings::new(7, 3),
    Settings::new(3, 1000),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_row_of_each_identifier_is_kept_in_the_order_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let text: String = (0..5000)
        .map(|i| {
            format!(
                "{}p{}\t{i}\n",
                ["", " ID:", "id:"][i % 3],
                (i * 7919) % 1000
            )
        })
        .collect();
    let file = made_file(
        folder.path(),
        "f.tsv",
        &format!("id\tn\n{text}\t5000\n\t5001\n"),
    );
    let out = folder.path().join("o.jsonl").display().to_string();
    let yaml = format!(
        "- {{type: load_dataset_identifiers, params: {{file_path: '{file}', identifier_column: id, strip_prefix: 'ID:', \
         metadata_columns: [n, id], lowercase_ids: true, unique_only: true, drop_empty_ids: false}}}}
- {{type: sink, params: {{to: '{out}', mode: replace}}}}"
    );
    let mut answers = Vec::new();
    for settings in MANY {
        let context = settings.context();
        run(&context, &yaml).await;
        answers.push(rows(&context, &out).await);
    }
    let found = &answers[0];
    // `p1`, `ID:p1` are one; `id:p1` is another, as prefixes are in their own case. Two rows have none.
    let place = |row: &Vec<String>| row[2].parse::<u64>().unwrap();
    assert!(found.iter().map(place).is_sorted());
    assert_eq!(found.len(), 2000 + 2);
    assert_eq!(found[1][..4], ["ID:p919", "p919", "1", "3"]);
    assert_eq!(found[2001][1], "NULL");
    assert!(answers.iter().all(|answer| answer == found));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_columns_make_an_identifier_and_lists_are_compared_as_they_are_made() {
    let folder = tempfile::tempdir().unwrap();
    let file = made_file(
        folder.path(),
        "f.tsv",
        "a\tb\nA1; A2\tx\nA1;A2\tx\nA1;A2\ty\n;\tz\nA1\t\n A1 \t\n",
    );
    let steps = |both: bool, drops: bool| {
        format!(
            "- type: load_dataset_identifiers
  params:
    file_path: '{file}'
    unique_only: true
    drop_empty_ids: {drops}
    column_mappings:
    - {{column_name: a, is_primary: true, is_composite: true, composite_separator: ';'}}
    - {{column_name: b, is_primary: {both}}}"
        )
    };
    let found = made(&steps(false, true)).await;
    let shown: Vec<String> = found.iter().map(|row| row[..3].join(" ")).collect();
    assert_eq!(shown, ["[A1, A2] x 2", "[A1] NULL 6"]);
    let found = made(&steps(true, false)).await;
    let shown: Vec<String> = found.iter().map(|row| row[..3].join(" ")).collect();
    let expected = ["[A1, A2] x 2", "[A1, A2] y 4", "NULL z 5", "[A1] NULL 6"];
    assert_eq!(shown, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_row_is_lost_unsaid() {
    let folder = tempfile::tempdir().unwrap();
    let file = made_file(
        folder.path(),
        "f.tsv",
        "id\tx\nP12345\t1\n\t2\nnot one\t3\nQ14213\t4\nP12345,zzz\t5\n",
    );
    let [out, bad] = ["o.csv", "bad.jsonl"].map(|name| folder.path().join(name));
    let yaml = |more: &str| {
        format!(
            "streaming: {{error_handling: {{error_output_path: '{}'}}}}
steps:
- type: load_dataset_identifiers
  params:
    file_path: '{file}'
    entity_type: protein
    validate_format: true
    lowercase_ids: true
    column_mappings: [{{column_name: id, identifier_type: uniprot, is_primary: true{more}}}]
- {{type: filter, params: {{condition: x > 3}}}}
- {{type: sink, params: {{to: '{}', mode: replace}}}}",
            bad.display(),
            out.display()
        )
    };
    let context = support::context();
    let report = run(&context, &yaml("")).await;
    assert_eq!((report.rows, report.rejected), (1, 3));
    assert_eq!(report.status, Status::PartialSuccess);
    assert_eq!(report.steps[0].entity_type.as_deref(), Some("protein"));
    let reasons = &report.sinks[0].scan.reasons;
    assert_eq!(
        (reasons["empty_identifier"], reasons["invalid_identifier"]),
        (1, 2)
    );
    let text = std::fs::read_to_string(&out).unwrap();
    assert!(text.contains("q14213,4,5,"), "{text}");
    let entries: Vec<serde_json::Value> = std::fs::read_to_string(&bad)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let shown: Vec<String> = entries
        .iter()
        .map(|entry| format!("{} {} {}", entry["line"], entry["reason"], entry["raw"]))
        .collect();
    let expected = [
        "3 \"empty_identifier\" \"\"",
        "4 \"invalid_identifier\" \"not one\"",
        "6 \"invalid_identifier\" \"P12345,zzz\"",
    ];
    assert_eq!(shown, expected);
    assert_eq!(entries[1]["source"], file);
    assert_eq!(entries[1]["column"], "id");

    // Of several in a value, one that is none is enough; and what is only empty is no fault.
    let report = run(&context, &yaml(", is_composite: true")).await;
    assert_eq!((report.rows, report.rejected), (1, 3));
    let yaml = yaml("").replace("validate_format: true", "validate_format: false");
    let report = run(&context, &yaml).await;
    assert_eq!((report.rows, report.rejected), (2, 1));
    assert_eq!(report.status, Status::Success);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blanks_stay_where_that_is_asked_for_and_go_around_parts() {
    let folder = tempfile::tempdir().unwrap();
    let file = made_file(folder.path(), "f.csv", "id,x\n\" A1 \",\" P1 | P2 |\"\n");
    let steps = |more: &str| {
        format!(
            "- {{type: load_dataset_identifiers, params: {{file_path: '{file}'{more}, column_mappings: [{{column_name: id, \
             is_primary: true}}, {{column_name: x, is_composite: true, composite_separator: '|'}}]}}}}"
        )
    };
    let found = made(&steps("")).await;
    assert_eq!(found[0][..3], ["A1", "[P1, P2]", "2"]);
    let found = made(&steps(", strip_whitespace: false")).await;
    assert_eq!(found[0][..3], [" A1 ", "[ P1 ,  P2 ]", "2"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_row_tells_its_own_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let a = made_file(folder.path(), "a.tsv", "about\n\nid\tx\nA1\t1\n\nA2\t2\n");
    let b = made_file(folder.path(), "b.tsv", "about\n\nid\tx\nA1\t1\nB1\t1\n");
    let pattern = folder.path().join("*.tsv").display().to_string();
    let steps = |path: &str, more: &str| {
        format!(
            "- {{type: load_dataset_identifiers, params: {{file_path: {path}, identifier_column: id, skip_header_rows: 2{more}}}}}"
        )
    };
    let expected = [
        format!("A1 1 4 {a}"),
        format!("A2 2 6 {a}"),
        format!("A1 1 4 {b}"),
        format!("B1 1 5 {b}"),
    ];
    assert_eq!(
        lines(made(&steps(&format!("'{pattern}'"), "")).await),
        expected
    );
    let reversed = made(&steps(&format!("['{b}', '{a}']"), ", unique_only: true")).await;
    let expected = [&expected[2], &expected[3], &expected[1]];
    assert_eq!(lines(reversed), expected.map(String::as_str));
    // The lines of `load` are those of the file too.
    let found = made(&format!(
        "- {{type: load, params: {{file_path: '{a}', skip_rows: 2, metadata_columns: true, columns: [id, _line]}}}}"
    ))
    .await;
    assert_eq!(lines(found), ["A1 4", "A2 6"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parquet_is_read_under_any_name_and_without_what_is_of_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let text = made_file(folder.path(), "f.csv", "id,x\nA1,1\nA2,2\n");
    let context = support::context();
    run(
        &context,
        &format!(
            "- {{type: load, params: {{file_path: '{text}'}}}}\n- {{type: sink, params: {{to: '{}'}}}}",
            path("f.parquet")
        ),
    )
    .await;
    std::fs::copy(path("f.parquet"), path("f.data")).unwrap();
    let load = |name: &str, more: &str| {
        format!(
            "- {{type: load, params: {{file_path: '{}'{more}}}}}",
            path(name)
        )
    };
    let found = made(&load(
        "f.data",
        ", file_format: parquet, columns: [x], max_rows: 1",
    ))
    .await;
    assert_eq!(lines(found), ["1"]);
    let ids =
        "- {type: load_dataset_identifiers, params: {file_path: 'PATH', identifier_column: id}}";
    let found = made(&ids.replace("PATH", &path("f.parquet"))).await;
    assert_eq!(found[1][..3], ["A2", "2", "2"]);
    for (step, part) in [
        (
            load("f.parquet", ", delimiter: ';'"),
            "delimiter: it is for text files",
        ),
        (
            load("f.parquet", ", null_values: [x]"),
            "null_values: it is for text files",
        ),
        (
            load("f.csv", ", file_format: parquet"),
            "f.csv' is no Parquet file",
        ),
        (load("f.parquet", ", file_format: csv"), "f.parquet"),
    ] {
        let yaml = format!(
            "{step}\n- {{type: sink, params: {{to: '{}'}}}}",
            path("o.csv")
        );
        let error = tried(&context, &yaml).await.unwrap_err();
        assert!(
            error.contains(part) && error.contains("p.yaml, line 1"),
            "{error}"
        );
    }
    // What is switched off is as it is.
    assert_eq!(
        made(&load("f.parquet", ", strip_whitespace: false"))
            .await
            .len(),
        2
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_of_delimited_text_is_refused_of_json() {
    let folder = tempfile::tempdir().unwrap();
    let file = made_file(
        folder.path(),
        "f.jsonl",
        "{\"id\": \" A \"}\n{\"id\": \"\"}\n{\"id\": \"B\"}\n{\"id\": \"C\"}\n",
    );
    std::fs::copy(&file, folder.path().join("f.data")).unwrap();
    let data = folder.path().join("f.data").display().to_string();
    let load =
        |file: &str, more: &str| format!("- {{type: load, params: {{file_path: '{file}'{more}}}}}");
    let ids = "- {type: load_dataset_identifiers, params: {file_path: 'FILE', identifier_column: id, MORE}}";
    let ids = |more: &str| ids.replace("FILE", &file).replace("MORE", more);
    let context = support::context();
    for (step, name) in [
        (load(&file, ", skip_rows: 1"), "skip_rows"),
        (load(&file, ", delimiter: ','"), "delimiter"),
        (load(&file, ", quote_char: \"'\""), "quote_char"),
        (load(&file, ", header: true"), "header"),
        (load(&file, ", comment: '#'"), "comment"),
        (
            load(&data, ", file_format: jsonl, skip_rows: 1"),
            "skip_rows",
        ),
        (ids("skip_header_rows: 1"), "skip_header_rows"),
        (ids("delimiter: ','"), "delimiter"),
    ] {
        let out = folder.path().join("o.csv").display().to_string();
        let yaml = format!("{step}\n- {{type: sink, params: {{to: '{out}'}}}}");
        let error = tried(&context, &yaml).await.unwrap_err();
        let problem = format!("{name}: it is for delimited text");
        assert!(
            error.contains(&problem) && error.contains("p.yaml, line 1"),
            "{error}"
        );
    }
    // What its reader knows too, and what is switched off.
    let more = ", header: false, encoding: utf-8, skip_empty: true, key_columns: id, null_values: [C], max_rows: 2, \
                all_text: true";
    assert_eq!(made(&load(&file, more)).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_of_a_database_is_loaded_as_sql_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = made_file(folder.path(), "f.csv", "id,x\nA1,1\nA2,2\nA3,3\n");
    let table = format!("sqlite:{}/src", folder.path().join("q.db").display());
    let context = support::context();
    run(
        &context,
        &format!(
            "- {{type: load, params: {{file_path: '{file}'}}}}\n- {{type: sink, params: {{to: '{table}'}}}}"
        ),
    )
    .await;
    let load = |more: &str| format!("- {{type: load, params: {{file_path: '{table}'{more}}}}}");
    assert_eq!(lines(made(&load("")).await), ["A1 1", "A2 2", "A3 3"]);
    let found = made(&load(", columns: [x], max_rows: 2")).await;
    assert_eq!(lines(found), ["1", "2"]);
    let found = made(&format!(
        "- {{type: load_dataset_identifiers, params: {{file_path: '{table}', identifier_column: id}}}}"
    ))
    .await;
    assert_eq!(found[2][..2], ["A3", "3"]);
    let several = format!("- {{type: load, params: {{file_path: ['{table}', '{file}']}}}}");
    for (step, part) in [
        (load(", delimiter: ';'"), "delimiter: it is for text files"),
        (load(", skip_rows: 1"), "skip_rows: it is for text files"),
        (load(", file_format: csv"), "file_format: it is for files"),
        (several, "file_path: a table of a database"),
        (
            "- {type: load, params: {file_path: 'sqlite:q.db'}}".to_owned(),
            "file_path: ",
        ),
    ] {
        let out = folder.path().join("o.csv").display().to_string();
        let yaml = format!("{step}\n- {{type: sink, params: {{to: '{out}'}}}}");
        let error = tried(&context, &yaml).await.unwrap_err();
        assert!(
            error.contains(part) && error.contains("p.yaml, line 1"),
            "{error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_are_found_by_what_files_are_called() {
    let folder = tempfile::tempdir().unwrap();
    let text = "id!x\nA;1!2\nB;1!2\n";
    made_file(folder.path(), "F.TSV", text);
    made_file(folder.path(), "f.txt", text);
    std::fs::write(
        folder.path().join("f.tsv.gz"),
        support::gzip(text.as_bytes()),
    )
    .unwrap();
    for name in ["F.TSV", "f.txt", "f.tsv.gz"] {
        let found = made_with(
            "file_readers: {tsv: {delimiter: '!'}, csv: {delimiter: ';'}}",
            &folder.path().join(name).display().to_string(),
        )
        .await;
        assert_eq!(lines(found), ["A;1 2", "B;1 2"], "{name}");
    }
}

/// What is read of a file under `streaming`.
async fn made_with(streaming: &str, file: &str) -> Vec<Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("o.parquet").display().to_string();
    let context = support::context();
    let yaml = format!(
        "streaming: {{{streaming}}}
steps:
- {{type: load, params: {{file_path: '{file}'}}}}
- {{type: sink, params: {{to: '{out}'}}}}"
    );
    run(&context, &yaml).await;
    rows(&context, &out).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn key_columns_say_which_rows_are_empty() {
    let folder = tempfile::tempdir().unwrap();
    let file = made_file(folder.path(), "f.tsv", "id\tx\nA\t1\n\t2\n\t\nB\t\n");
    let load = |more: &str| format!("- {{type: load, params: {{file_path: '{file}'{more}}}}}");
    assert_eq!(lines(made(&load("")).await), ["A 1", "NULL 2", "B NULL"]);
    let found = made(&load(", key_columns: id")).await;
    assert_eq!(lines(found), ["A 1", "B NULL"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_file_is_judged_by_a_threshold_that_is_stated() {
    let folder = tempfile::tempdir().unwrap();
    let file = made_file(folder.path(), "f.tsv", "id\tx\nA\t1\nB\t2\t3\nC\t4\n");
    let out = folder.path().join("o.csv").display().to_string();
    let yaml = |more: &str| {
        format!(
            "- {{type: load, params: {{file_path: '{file}'{more}}}}}\n- {{type: sink, params: {{to: '{out}', mode: replace}}}}"
        )
    };
    let context = support::context();
    let report = run(&context, &yaml("")).await;
    assert_eq!((report.rows, report.rejected), (2, 1));
    let report = run(&context, &yaml(", error_threshold: 0.4")).await;
    assert_eq!((report.rows, report.rejected), (2, 1));
    let error = tried(&context, &yaml(", error_threshold: 0.05"))
        .await
        .unwrap_err();
    assert!(
        error.contains("1 of 3") && error.contains("step load"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_parameters_cannot_be_is_told_with_its_place() {
    let context = support::context();
    let data = support::data_file("tissue/hpa_osps.csv");
    for (given, part) in [
        (
            "max_rows: 1.5",
            "max_rows is the number 1.5; it takes a whole number, 1 or more",
        ),
        ("max_rows: abc", "max_rows is the text 'abc'"),
        (
            "max_rows: 99999999999999999999",
            "max_rows is the number 99999999999999999999",
        ),
        ("max_rows: 0", "max_rows is 0, which is out of range"),
        (
            "skip_empty: 'yes'",
            "skip_empty is the text 'yes'; it takes true or false",
        ),
        (
            "error_threshold: 1.5",
            "error_threshold is 1.5, which is out of range",
        ),
        ("columns: [uniport]", "did you mean 'uniprot'?"),
        (
            "key_columns: [uniport]",
            "is not a column of the file; it has gene, uniprot, organ",
        ),
    ] {
        let sink = "- {type: sink, params: {to: x.csv}}";
        let yaml =
            format!("- type: load\n  params:\n    file_path: '{data}'\n    {given}\n{sink}\n");
        let error = tried(&context, &yaml).await.unwrap_err();
        assert!(error.contains(part), "{part} is missing in: {error}");
        assert!(error.starts_with("p.yaml, line "), "{error}");
    }
    let ids = "- {type: load_dataset_identifiers, params: {file_path: 'DATA', column_mappings: [{column_name: gene}], MORE}}\n- {type: sink, params: {to: x.csv}}";
    for (given, part) in [
        ("unique_only: true", "unique_only: it needs a column"),
        ("metadata_columns: [organs]", "did you mean 'organ'?"),
        (
            "filter_column: organ, filter_values: ['(']",
            "filter_values: regex parse error",
        ),
    ] {
        let yaml = ids.replace("DATA", &data).replace("MORE", given);
        let error = tried(&context, &yaml).await.unwrap_err();
        assert!(error.contains(part), "{part} is missing in: {error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_identifier_is_one_however_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let values = [
        "p12345",
        "UniProtKB:p12345",
        "P12345-2",
        "P12345.1",
        "junk",
        "P12345 P29460",
    ];
    let text: String = values.iter().map(|value| format!("{value}\t1\n")).collect();
    let file = made_file(folder.path(), "f.tsv", &format!("id\tx\n{text}"));
    for (more, count) in [
        ("", 4),
        (", is_composite: true", 4),
        (", is_composite: true, composite_separator: ' '", 5),
    ] {
        let rows = made(&format!(
            "- {{type: load_dataset_identifiers, params: {{file_path: '{file}', validate_format: true, column_mappings: \
             [{{column_name: id, identifier_type: uniprot, is_primary: true{more}}}]}}}}"
        ))
        .await;
        assert_eq!(rows.len(), count, "{more} {rows:?}");
    }
    for (params, problem) in [
        (
            "identifier_column: id, validate_format: true",
            "validate_format: it needs",
        ),
        (
            "identifier_column: id, filter_values: a",
            "filter_values: it needs filter_column",
        ),
        (
            "identifier_column: id, filter_mode: exclude",
            "filter_mode: it needs filter_column",
        ),
        (
            "column_mappings: [{column_name: id, composite_separator: ';'}]",
            "composite_separator: it needs is_composite",
        ),
    ] {
        let yaml = format!(
            "- {{type: load_dataset_identifiers, params: {{file_path: '{file}', {params}}}}}\n- {{type: sink, params: {{to: \
             '{}'}}}}",
            folder.path().join("o.csv").display()
        );
        let error = tried(&support::context(), &yaml).await.unwrap_err();
        assert!(
            error.contains(problem) && error.contains("line 1"),
            "{error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stands_for_nothing_is_no_identifier() {
    let folder = tempfile::tempdir().unwrap();
    let text = "id\tItem\nP12345\tNA\nNA\tb\nn/a\tc\n-\td\n\te\nP12345;NA\tf\nID:NA\tg\nnamed\th\n";
    let file = made_file(folder.path(), "f.tsv", text);
    let steps = |more: &str, of_column: &str| {
        format!(
            "- {{type: load_dataset_identifiers, params: {{file_path: '{file}', strip_prefix: 'ID:'{more}, column_mappings: \
             [{{column_name: id, is_primary: true{of_column}}}]}}}}
- {{type: select, params: {{columns: {{id: id, x: '\"Item\"'}}}}}}"
        )
    };
    let found = made(&steps("", "")).await;
    assert_eq!(lines(found), ["P12345 NA", "P12345;NA f", "named h"]);
    let composite = ", is_composite: true, composite_separator: ';'";
    let found = made(&steps("", composite)).await;
    assert_eq!(lines(found), ["[P12345] NA", "[P12345] f", "[named] h"]);
    let found = made(&steps(", drop_empty_ids: false", "")).await;
    assert_eq!(lines(found)[1..4], ["NULL b", "NULL c", "NULL d"]);
    let of_uniprot = format!("{composite}, identifier_type: uniprot");
    let found = made(&steps(", validate_format: true", &of_uniprot)).await;
    assert_eq!(lines(found), ["[P12345] NA", "[P12345] f"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn identifiers_stay_as_they_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = made_file(
        folder.path(),
        "f.tsv",
        "id\tx\np12345\t1\nUniProtKB:P12345\t2\n",
    );
    for more in ["", ", validate_format: true"] {
        let found = made(&format!(
            "- {{type: load_dataset_identifiers, params: {{file_path: '{file}'{more}, column_mappings: [{{column_name: id, \
             identifier_type: uniprot, is_primary: true}}]}}}}"
        ))
        .await;
        let ids: Vec<&str> = found.iter().map(|row| row[0].as_str()).collect();
        assert_eq!(ids, ["p12345", "UniProtKB:P12345"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stands_for_null_is_not_empty() {
    let folder = tempfile::tempdir().unwrap();
    for (text, more, count) in [
        ("v\n1\nNA\n3\n", "", 3),
        ("v\nx\nNA\ny\n", "", 3),
        ("a\tb\n1\t2\nNA\tNA\n3\t4\n", "", 3),
        ("a\tb\n1\t2\n.\t-\n\t \n3\t4\n", "", 3),
        ("a\tb\n1\t2\nNA\t5\n\t6\n3\t4\n", ", key_columns: [a]", 3),
        ("a\tb\n1\t2\nzz\tzz\n3\t4\n", ", null_values: [zz]", 3),
    ] {
        let file = made_file(folder.path(), "f.tsv", text);
        let rows = made(&format!(
            "- {{type: load, params: {{file_path: '{file}'{more}}}}}"
        ))
        .await;
        assert_eq!(rows.len(), count, "{text} {more}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_that_does_not_run_makes_no_dataset() {
    let folder = tempfile::tempdir().unwrap();
    let file = made_file(folder.path(), "f.tsv", "id\n1\n");
    let yaml = format!(
        "- {{type: load, params: {{file_path: '{file}'}}}}
- {{name: z, condition: false, type: filter, params: {{condition: id > 0}}}}
- {{type: filter, params: {{input: z, condition: id > 0}}}}
- {{type: sink, params: {{to: '{}'}}}}",
        folder.path().join("o.csv").display()
    );
    let error = tried(&support::context(), &yaml).await.unwrap_err();
    assert!(
        error.contains("'z' is not made: the condition of its step, on line 2, does not hold"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn columns_are_named_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = made_file(folder.path(), "f.tsv", "id\tv\n1\t2\n");
    let out = folder.path().join("o.csv").display().to_string();
    let load = format!("- {{type: load, params: {{file_path: '{file}'}}}}\n");
    for (steps, problem) in [
        (
            format!(
                "- {{type: load, params: {{file_path: '{file}', columns: [v, V]}}}}\n- {{type: sink, params: {{to: '{out}'}}}}"
            ),
            "columns: it names v twice",
        ),
        (
            format!("{load}- {{type: sink, params: {{to: '{out}', columns: [v, v]}}}}"),
            "columns: it names v twice",
        ),
        (
            format!(
                "{load}- {{type: aggregate, params: {{group_by: v, aggregates: {{v: count(*)}}}}}}\n- {{type: sink, params: {{to: '{out}'}}}}"
            ),
            "aggregates: v is a column of group_by already",
        ),
        (
            format!("{load}- {{type: sink, params: {{to: '{out}.gz', compression: none}}}}"),
            "has a name that says gzip",
        ),
    ] {
        let error = tried(&support::context(), &steps).await.unwrap_err();
        assert!(
            error.contains(problem) && error.contains("p.yaml, line"),
            "{error}"
        );
    }
}
