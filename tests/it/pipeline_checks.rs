//! `validate`: what is counted, dropped and refused.

use std::path::Path;

use biotide::pipeline::run::Status;

use crate::support::steps::{lines, ran, refused};
use crate::support::{context, write};

fn load(folder: &Path, text: &str) -> String {
    let file = write(&folder.join("t.tsv"), text);
    format!("- {{type: load, params: {{file_path: '{file}'}}}}\n")
}

fn checked(load: &str, check: &str, more: &str) -> String {
    format!("{load}- type: validate\n  params: {{checks: [{check}], {more}}}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_without_a_key_are_like_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let load = load(
        folder.path(),
        "a\tb\tn\nx\t1\t0\nx\t\t1\n\t1\t2\nx\t1\t3\n\t\t4\n\t1\t5\nx\t\t6\ny\t1\t7\n",
    );
    let dropped = lines(&checked(&load, "{unique: [a, b]}", "on_fail: drop")).await;
    assert_eq!(
        dropped,
        [
            "a,b,n", "x,1,0", "x,,1", ",1,2", ",,4", ",1,5", "x,,6", "y,1,7"
        ]
    );
    let (_, report) = ran(
        &context(),
        &checked(&load, "{unique: [a, b]}", "on_fail: drop"),
    )
    .await
    .unwrap();
    assert_eq!(
        (report.checks[0].failed, report.status),
        (1, Status::PartialSuccess)
    );
    let both = lines(&checked(
        &load,
        "{unique: a}, {not_null: b}",
        "on_fail: drop",
    ))
    .await;
    assert_eq!(both, ["a,b,n", "x,1,0", ",1,2", ",1,5", "y,1,7"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_partly_a_success_where_checks_do_not_hold() {
    let folder = tempfile::tempdir().unwrap();
    let load = load(folder.path(), "id\tx\na\t1\nb\t20\n");
    for (check, more, status, rows) in [
        (
            "{column: x, range: [1, 20]}",
            "on_fail: fail",
            Status::Success,
            2,
        ),
        (
            "{column: x, range: [1, 10]}",
            "on_fail: drop",
            Status::PartialSuccess,
            1,
        ),
        (
            "{column: x, range: [1, 10]}",
            "on_fail: keep",
            Status::PartialSuccess,
            2,
        ),
        (
            "{column: x, range: [1, 10], severity: warning}",
            "on_fail: fail",
            Status::PartialSuccess,
            2,
        ),
        (
            "{column: x, range: [1, 10], severity: info}",
            "on_fail: drop",
            Status::Success,
            2,
        ),
        (
            "{row_count: {min: 5}, severity: warning}",
            "on_fail: drop",
            Status::PartialSuccess,
            2,
        ),
    ] {
        let (lines, report) = ran(&context(), &checked(&load, check, more)).await.unwrap();
        assert_eq!(
            (report.status, lines.len() - 1),
            (status, rows),
            "{check} {more}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_are_of_a_set_as_their_column_has_them() {
    let folder = tempfile::tempdir().unwrap();
    let load = load(
        folder.path(),
        "i\tf\tb\td\ts\n1\t1.0\ttrue\t2024-01-05\t1\n2\t2.5\tfalse\t2024-01-06\tq\n\t\t\t\t\n",
    );
    for (check, failed) in [
        ("{column: i, in_set: [1, 2]}", 0),
        ("{column: i, in_set: ['1', '2.0']}", 0),
        ("{column: i, in_set: [1, x]}", 1),
        ("{column: f, in_set: [1, 2.50]}", 0),
        ("{column: f, in_set: [1]}", 1),
        ("{column: b, in_set: [TRUE, False]}", 0),
        ("{column: b, in_set: [true]}", 1),
        ("{column: d, in_set: ['2024-01-05', '2024-01-06']}", 0),
        ("{column: d, in_set: ['2024-01-05']}", 1),
        ("{column: s, in_set: ['1', q]}", 0),
        ("{column: s, in_set: ['1.0', q]}", 1),
        ("{column: i, min: 1, max: 2}", 0),
        ("{column: i, range: [null, 1]}", 1),
        ("{column: i, range: ['-inf', 1.5]}", 1),
        ("{column: i, range: [2, 2], row_count: {min: 3}}", 1),
    ] {
        let (_, report) = ran(&context(), &checked(&load, check, "on_fail: keep"))
            .await
            .unwrap();
        let found: u64 = report.checks.iter().map(|check| check.failed).sum();
        assert_eq!(found, failed, "{check}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ranges_are_exact_beyond_what_a_double_holds() {
    let folder = tempfile::tempdir().unwrap();
    // (What is above all integers of 64 bits is read as text.)
    let load = load(
        folder.path(),
        "n\tu\n9007199254740992\t18446744073709551614\n9007199254740993\t18446744073709551615\n\tx\n",
    );
    for (check, failed) in [
        ("{column: n, range: [9007199254740993, null]}", 1),
        ("{column: n, range: [null, 9007199254740992]}", 1),
        ("{column: n, check: range, max: '9007199254740992'}", 1),
        ("{column: n, range: [9007199254740992.5, null]}", 1),
        ("{column: n, range: [0, 9223372036854775808]}", 0),
        ("{column: n, range: [9223372036854775808, null]}", 2),
        ("{column: n, range: [-1e300, 1e300]}", 0),
        ("{column: u, range: [18446744073709551615, null]}", 2),
        ("{column: u, range: [0, 18446744073709551614]}", 2),
        ("{column: u, range: [18446744073709551614.5, 1e30]}", 2),
    ] {
        let (_, report) = ran(&context(), &checked(&load, check, "on_fail: keep"))
            .await
            .unwrap();
        let found: u64 = report.checks.iter().map(|check| check.failed).sum();
        assert_eq!(found, failed, "{check}");
    }
    let kept = checked(
        &load,
        "{column: n, range: [9007199254740993, null]}",
        "on_fail: drop",
    );
    assert_eq!(
        lines(&kept).await,
        ["n,u", "9007199254740993,18446744073709551615", ",x"]
    );
    let none = checked(
        &load,
        "{column: n, range: [9007199254740993, 9007199254740992]}",
        "on_fail: keep",
    );
    let error = refused(&none).await;
    assert!(
        error.contains("nothing is from 9007199254740993 to 9007199254740992"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn decimals_are_checked_exactly_beside_any_number() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(&folder.path().join("t.tsv"), "n\n0.00\n1.25\n-7.50\n");
    for kind in [
        "Decimal128(10, 2)",
        "Decimal128(38, 20)",
        "Decimal256(76, 10)",
    ] {
        let load = format!(
            "- {{type: load, params: {{file_path: '{file}', output_context_key: t}}}}
- {{type: sql, params: {{sql: \"SELECT arrow_cast(n, '{kind}') AS d FROM t\"}}}}\n"
        );
        for (check, failed) in [
            ("{column: d, range: [0, 1e300]}", 1),
            ("{column: d, range: ['-inf', 1.25]}", 0),
            ("{column: d, range: [null, 1e99]}", 0),
            ("{column: d, range: [1e-30, null]}", 2),
            ("{column: d, range: [1.25001, null]}", 3),
            ("{column: d, range: [1.249999999999, 0xFF]}", 2),
            ("{column: d, range: [-1_000, 1_000]}", 0),
            ("{column: d, in_set: [0, 1.25, 1e99, 1e-30]}", 1),
            ("{column: d, in_set: [0x0, 1.2_5, -7.5]}", 0),
            ("{row_count: {min: 3, max: 1_000_000}}", 0),
        ] {
            let (_, report) = ran(&context(), &checked(&load, check, "on_fail: keep"))
                .await
                .unwrap();
            let found: u64 = report.checks.iter().map(|check| check.failed).sum();
            assert_eq!(found, failed, "{kind} {check}");
            assert!(report.checks.iter().all(|check| check.rows == 3));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_number_is_above_and_below_none() {
    let folder = tempfile::tempdir().unwrap();
    let text = load(
        folder.path(),
        "id\tf\n1\tNaN\n2\tinf\n3\t5\n4\tx\n5\tnan\n6\t-nan\n7\t\n10\t1e3\n",
    );
    let doubles = format!(
        "{text}- {{type: derive, params: {{columns: {{f: try_cast(f AS DOUBLE)}}}}}}
- {{type: filter, params: {{condition: id <> 4}}}}\n"
    );
    let filtered = |load: &str, operator: &str| {
        format!(
            "{load}- {{type: filter_dataset, params: {{conditions: [{{column: f, operator: {operator}, value: 4}}]}}}}
- {{type: select, params: {{columns: {{id: id}}}}}}"
        )
    };
    for load in [&text, &doubles] {
        for operator in ["greater_than", "greater_equal"] {
            let kept = lines(&filtered(load, operator)).await;
            assert_eq!(kept, ["id", "2", "3", "10"]);
        }
        for operator in ["less_than", "less_equal"] {
            assert_eq!(lines(&filtered(load, operator)).await, ["id"]);
        }
        for (range, kept) in [
            ("[4, null]", vec!["id", "2", "3", "7", "10"]),
            ("['4.5', inf]", vec!["id", "2", "3", "7", "10"]),
            ("[null, 1000]", vec!["id", "3", "7", "10"]),
            ("['-inf', null]", vec!["id", "2", "3", "7", "10"]),
        ] {
            let check = format!("{{column: f, range: {range}}}");
            let rows = checked(load, &check, "on_fail: drop");
            let rows = format!("{rows}\n- {{type: select, params: {{columns: {{id: id}}}}}}");
            assert_eq!(lines(&rows).await, kept, "{range}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_condition_that_fails_of_a_row_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let load = load(folder.path(), "n\n1\n10\n");
    let condition = "{condition: '1/(n-10) > 0'}";
    for (check, problem) in [
        (
            condition.to_owned(),
            ", step validate: condition: 1/(n-10) > 0: ",
        ),
        (
            format!("{condition}, {{condition: n > 0}}"),
            ", step validate: condition: 1/(n-10) > 0, or n > 0: ",
        ),
    ] {
        let error = refused(&checked(&load, &check, "on_fail: drop")).await;
        assert!(error.contains(problem), "{error}");
        assert!(error.ends_with("Divide by zero error"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn null_is_no_value_to_compare_with() {
    let folder = tempfile::tempdir().unwrap();
    let load = load(folder.path(), "id\tx\na\t1\n");
    let check = checked(&load, "{column: id, in_set: [a, null]}", "on_fail: keep");
    let filter = format!(
        "{load}- {{type: filter_dataset, params: {{conditions: [{{column: id, operator: in_list, value: [a, null]}}]}}}}"
    );
    for (steps, line, problem) in [
        (
            check,
            4,
            "in_set: null is no value; a cell without one passes, and not_null refuses it",
        ),
        (
            filter,
            3,
            "value: null is no value; is_null and is_not_null are for cells without one",
        ),
    ] {
        let error = refused(&steps).await;
        assert!(
            error.starts_with(&format!("p.yaml, line {line}, ")),
            "{error}"
        );
        assert!(error.contains(problem), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_that_no_cell_can_be_makes_no_other_one_its_neighbour() {
    let folder = tempfile::tempdir().unwrap();
    let load = load(folder.path(), "n\n9007199254740992\n9007199254740993\n");
    for other in ["1e99", "1e-19", "0.5", "9223372036854775808"] {
        let check = format!("{{column: n, in_set: [9007199254740993, {other}]}}");
        let (_, report) = ran(&context(), &checked(&load, &check, "on_fail: keep"))
            .await
            .unwrap();
        assert_eq!(report.checks[0].failed, 1, "{other}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn checks_that_make_no_sense_are_refused_where_they_stand() {
    let folder = tempfile::tempdir().unwrap();
    let load = load(folder.path(), "id\tx\na\t1\nb\t20\n");
    for (check, problem) in [
        (
            "{column: x, range: [10, 1]}",
            "range: nothing is from 10 to 1",
        ),
        ("{column: x, range: [a, 1]}", "range: "),
        ("{column: x, range: [1]}", "range: it has 1"),
        ("{column: x, range: [1, 2, 3]}", "range: it has 3"),
        ("{column: x, range: [null, null]}", "range: it has no bound"),
        ("{column: x, range: [.nan, 1]}", "range: .nan is no number"),
        (
            "{column: x, check: range, min: 3, max: 2}",
            "nothing is from 3 to 2",
        ),
        ("{column: x, regex: '('}", "regex: "),
        ("{column: x, regex: 'a)(b'}", "regex: "),
        ("{column: x, in_set: []}", "in_set"),
        ("{column: x, check: in_set}", "in_set: it names no values"),
        (
            "{row_count: {min: 5, max: 1}}",
            "row_count: nothing is from 5 to 1",
        ),
        ("{row_count: {min: many}}", "row_count: "),
        (
            "{row_count: {mn: 1}}",
            "row_count has no 'mn'; did you mean 'min'?",
        ),
        ("{row_count: {}}", "row_count: it has no bound"),
        ("{check: condition}", "condition: "),
        ("{column: x, not_null: id}", "column: nothing here is of it"),
        (
            "{column: x, check: not_null, not_null: id}",
            "not_null: check: not_null is of column",
        ),
    ] {
        for on_fail in ["fail", "keep", "drop"] {
            let error = refused(&checked(&load, check, &format!("on_fail: {on_fail}"))).await;
            assert!(error.contains("p.yaml, line 4"), "{check} {error}");
            assert!(error.contains(problem), "{check} {error}");
        }
    }
    // No row can be dropped for that there are too few.
    let error = refused(&checked(&load, "{row_count: {min: 3}}", "on_fail: drop")).await;
    assert!(
        error.contains("p.yaml, line ") && error.contains("row count is from 3 to … (there are 2)"),
        "{error}"
    );
}
