//! Pipelines: several identifiers in one value.

use crate::pipeline::{made, made_file, rows, run, tried};
use crate::support::{self, Settings};

/// A step over a table of a column `id`, and what it makes.
async fn parsed(table: &str, more: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let file = made_file(folder.path(), "f.tsv", table);
    let steps = format!(
        "- {{type: load, params: {{file_path: '{file}', all_text: true, delimiter: \"\\t\"}}}}
- {{type: parse_composite_identifiers, params: {{column: id{more}}}}}"
    );
    let rows = made(&steps).await;
    rows.iter().map(|row| row.join(" ")).collect()
}

const TABLE: &str = "id\tn\nB;A\t1\nA\t2\nC, B\t3\nA\t4\n\t5\nB;A\t6\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_come_in_the_order_in_which_they_are_first_seen() {
    let flat = parsed(TABLE, ", output_format: flat").await;
    assert_eq!(flat, ["B", "A", "A", "C", "B", "A", "B", "A"]);
    let flat = parsed(TABLE, ", output_format: flat, unique_only: true").await;
    assert_eq!(flat, ["B", "A", "C"]);
    let mapped = parsed(TABLE, ", output_format: mapped").await;
    assert_eq!(mapped, ["B;A [B, A]", "A [A]", "C, B [C, B]"]);
    let detailed = parsed(TABLE, ", output_format: detailed").await;
    let expected = [
        "B;A [B, A] 2 true 2 [;]",
        "A [A] 1 false 2 []",
        "C, B [C, B] 2 true 1 [,]",
    ];
    assert_eq!(detailed, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn that_order_does_not_depend_on_threads() {
    let folder = tempfile::tempdir().unwrap();
    let text: String = (0..20_000)
        .map(|i| format!("p{};q{}\n", (i * 7919) % 3001, i % 17))
        .collect();
    let file = made_file(folder.path(), "f.tsv", &format!("id\n{text}"));
    let out = folder.path().join("o.jsonl").display().to_string();
    for format in ["flat, unique_only: true", "mapped", "detailed"] {
        let mut answers = Vec::new();
        for settings in [
            Settings::new(1, 8192),
            Settings::new(7, 100),
            Settings::new(3, 1000),
        ] {
            let context = settings.context();
            let yaml = format!(
                "- {{type: load, params: {{file_path: '{file}', delimiter: \"\\t\"}}}}
- {{type: parse_composite_identifiers, params: {{column: id, output_format: {format}}}}}
- {{type: sink, params: {{to: '{out}', mode: replace}}}}"
            );
            run(&context, &yaml).await;
            answers.push(rows(&context, &out).await);
        }
        assert!(answers[0][0][0].starts_with("p0"), "{:?}", answers[0][0]);
        assert!(answers[0].len() > 3000);
        assert!(
            answers.iter().all(|answer| *answer == answers[0]),
            "{format}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_value_itself_does_not_count_as_a_part_of_it() {
    let table = "id\nA,B\nA,B,C\n";
    let more = ", output_format: mapped, max_components: 2, preserve_original: true";
    let expected = ["A,B [A,B, A, B]", "A,B,C [A,B,C]"];
    assert_eq!(parsed(table, more).await, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn letters_are_folded_when_the_parts_are_apart() {
    let more = ", output_format: mapped, separators: [X, ' AND '], lowercase: true";
    let found = parsed("id\nAaXBb AND Cc\n", more).await;
    assert_eq!(found, ["AaXBb AND Cc [aa, bb, cc]"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_pattern_says_what_becomes_of_its_parts() {
    let more = ", output_format: detailed, patterns: [{separator: ';'}, {separator: '/+', is_regex: true, \
                remove_empty: false, trim_whitespace: false}]";
    let found = parsed("id\n;A; ;B//C /;\n", more).await;
    assert_eq!(found, [";A; ;B//C /; [A, B, C , ] 4 true 1 [;, /+]"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_that_are_none_of_the_type_are_left_out_and_the_type_must_be_said() {
    let more = ", output_format: mapped, validate: true, identifier_type: uniprot";
    let found = parsed("id\nP29460,nothing\nnothing\n", more).await;
    assert_eq!(found, ["P29460,nothing [P29460]", "nothing []"]);
    let data = support::data_file("tissue/hpa_osps.csv");
    let yaml = format!(
        "- {{type: load, params: {{file_path: '{data}'}}}}
- {{type: parse_composite_identifiers, params: {{column: uniprot, validate: true}}}}
- {{type: sink, params: {{to: x.csv}}}}"
    );
    let error = tried(&support::context(), &yaml).await.unwrap_err();
    assert!(
        error.contains("p.yaml, line 2") && error.contains("validate: it needs identifier_type"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_are_treated_as_values_are() {
    let folder = tempfile::tempdir().unwrap();
    let file = made_file(
        folder.path(),
        "f.tsv",
        "id\nPR:1|UniProtKB:P29460|UniProtKB:Q14213-2\n",
    );
    let steps = |more: &str| {
        format!(
            "- {{type: load, params: {{file_path: '{file}'}}}}
- {{type: sql, params: {{query: \"SELECT ['B', ' A', '', 'a', NULL, 'B/C'] AS id FROM load\"}}}}
- {{type: parse_composite_identifiers, params: {{column: id, output_format: flat{more}}}}}"
        )
    };
    let flat = async |more: &str| -> Vec<String> {
        made(&steps(more)).await.into_iter().flatten().collect()
    };
    assert_eq!(flat("").await, ["B", "A", "a", "B/C"]);
    let found = flat(", lowercase: true, unique_only: true, separators: '/'").await;
    assert_eq!(found, ["b", "a", "c"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn columns_may_be_called_as_they_like_and_taken_apart_one_after_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let names = "part\tids\tplace\twhole\tn\tcomposite\tfirst\tcut\t__n\n";
    let file = made_file(
        folder.path(),
        "f.tsv",
        &format!("{names}A,B\tx;y\t2\t3\t4\t5\t6\t7\t8\n"),
    );
    let found = made(&format!(
        "- {{type: load, params: {{file_path: '{file}'}}}}
- {{type: parse_composite_identifiers, params: {{column: part}}}}
- {{type: parse_composite_identifiers, params: {{column: ids}}}}
- {{type: select, params: {{columns: {{part: part, ids: ids, whole: whole, n: _expansion_count, m: ids_expansion_count}}}}}}"
    ))
    .await;
    let shown: Vec<String> = found.iter().map(|row| row.join(" ")).collect();
    assert_eq!(shown, ["A x 3 2 2", "A y 3 2 2", "B x 3 2 2", "B y 3 2 2"]);
    for format in ["flat", "mapped", "detailed"] {
        let found = made(&format!(
            "- {{type: load, params: {{file_path: '{file}'}}}}
- {{type: parse_composite_identifiers, params: {{column: part, output_format: {format}, unique_only: true}}}}"
        ))
        .await;
        assert_eq!(found.len(), if format == "flat" { 2 } else { 1 });
    }
}
