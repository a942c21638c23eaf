//! `filter_dataset`: every operator, against rows counted here.

use crate::support::steps::{lines, ran, refused};
use crate::support::{context, write};

/// A row: of a text, a whole number, one with a fraction, a truth, a day, each missing now and then.
struct Row {
    id: usize,
    text: Option<&'static str>,
    whole: Option<i64>,
    part: Option<f64>,
    truth: Option<bool>,
    day: Option<String>,
}

fn rows() -> Vec<Row> {
    let texts = [
        "Alpha",
        "alpha",
        "beta",
        "Be_ta",
        "10",
        "1e5",
        "gamma ray",
        "007",
    ];
    (0..240)
        .map(|id| Row {
            id,
            text: (id % 9 != 8).then(|| texts[id % 9]),
            whole: (id % 7 != 3).then_some(id as i64 % 6 - 1),
            part: (id % 5 != 2).then_some((id % 4) as f64 / 2.0),
            truth: (id % 11 != 4).then_some(id % 3 == 0),
            day: (id % 13 != 1).then(|| format!("2024-01-{:02}", id % 10 + 1)),
        })
        .collect()
}

fn table(folder: &std::path::Path) -> String {
    fn shown<T: ToString>(value: &Option<T>) -> String {
        value.as_ref().map_or(String::new(), T::to_string)
    }
    let mut text = String::from("id\ttext\twhole\tpart\ttruth\tday\n");
    for row in rows() {
        let part = row.part.map(|part| format!("{part:?}"));
        text.push_str(&format!(
            "{}\t{}\t{}\t{}\t{}\t{}\n",
            row.id,
            shown(&row.text),
            shown(&row.whole),
            shown(&part),
            shown(&row.truth),
            shown(&row.day)
        ));
    }
    let file = write(&folder.join("t.tsv"), text);
    format!("- {{type: load, params: {{file_path: '{file}'}}}}\n")
}

/// What a condition is of a row: nothing of one that lacks the value.
type Holds = Box<dyn Fn(&Row) -> Option<bool>>;

/// A condition in YAML, and what it is.
type Condition = (String, Holds);

fn conditions() -> Vec<Condition> {
    let mut all: Vec<Condition> = Vec::new();
    let mut add = |text: &str, holds: Holds| {
        all.push((format!("{{{text}}}"), holds));
    };
    for exact in [true, false] {
        let fold = move |text: &str| {
            if exact {
                text.to_owned()
            } else {
                text.to_lowercase()
            }
        };
        let case = format!("case_sensitive: {exact}");
        let mut text = |operator: &str, value: &str, holds: fn(&str, &[String]) -> bool| {
            let values: Vec<String> = value
                .trim_matches(['[', ']'])
                .split(", ")
                .map(fold)
                .collect();
            let condition = format!("column: text, operator: {operator}, value: {value}, {case}");
            add(
                &condition,
                Box::new(move |row| Some(holds(&fold(row.text?), &values))),
            );
        };
        text("equals", "alpha", |cell, values| cell == values[0]);
        text("not_equals", "ALPHA", |cell, values| cell != values[0]);
        text("in_list", "[Alpha, beta, zeta]", |cell, values| {
            values.iter().any(|v| v == cell)
        });
        text("not_in_list", "[Alpha, beta, zeta]", |cell, values| {
            values.iter().all(|v| v != cell)
        });
        text("contains", "ET", |cell, values| cell.contains(&values[0]));
        text("contains", "e_t", |cell, values| cell.contains(&values[0]));
        text("not_contains", "A", |cell, values| {
            !cell.contains(&values[0])
        });
        text("greater_than", "beta", |cell, values| *cell > *values[0]);
        text("less_than", "beta", |cell, values| *cell < *values[0]);
        text("greater_equal", "Beta", |cell, values| *cell >= *values[0]);
        text("less_equal", "Beta", |cell, values| *cell <= *values[0]);
        text("equals", "10", |cell, values| cell == values[0]);
        add(
            &format!("column: text, operator: regex, value: '^ALPH|a$', {case}"),
            Box::new(move |row| {
                let cell = fold(row.text?);
                Some(cell.starts_with(&fold("ALPH")) || cell.ends_with('a'))
            }),
        );
    }
    // (Below a number are texts that are numbers; below the same in quotes is a text.)
    add(
        "column: text, operator: less_than, value: 100",
        Box::new(|row| Some(row.text?.parse::<f64>().ok()? < 100.0)),
    );
    add(
        "column: text, operator: less_than, value: '1e5'",
        Box::new(|row| Some(row.text? < "1e5")),
    );
    add(
        "column: text, operator: less_than, value: inf",
        Box::new(|row| Some(row.text? < "inf")),
    );
    type Sign = (&'static str, fn(f64, f64) -> bool);
    let signs: [Sign; 6] = [
        ("equals", |a, b| a == b),
        ("not_equals", |a, b| a != b),
        ("greater_than", |a, b| a > b),
        ("less_than", |a, b| a < b),
        ("greater_equal", |a, b| a >= b),
        ("less_equal", |a, b| a <= b),
    ];
    for (name, sign) in signs {
        for (value, number) in [
            ("1", 1.0),
            ("'1'", 1.0),
            ("1.0", 1.0),
            ("0.5", 0.5),
            ("1e0", 1.0),
            ("inf", f64::INFINITY),
        ] {
            add(
                &format!("column: whole, operator: {name}, value: {value}"),
                Box::new(move |row| Some(sign(row.whole? as f64, number))),
            );
            add(
                &format!("column: part, operator: {name}, value: {value}"),
                Box::new(move |row| Some(sign(row.part?, number))),
            );
        }
        add(
            &format!("column: day, operator: {name}, value: '2024-01-05'"),
            Box::new(move |row| {
                let day: f64 = row.day.as_ref()?[8..].parse().unwrap();
                Some(sign(day, 5.0))
            }),
        );
        add(
            &format!("column: truth, operator: {name}, value: 'TRUE'"),
            Box::new(move |row| Some(sign(f64::from(row.truth?), 1.0))),
        );
    }
    add(
        "column: whole, operator: in_list, value: [1, 2.0, x]",
        Box::new(|row| Some([1, 2].contains(&row.whole?))),
    );
    add(
        "column: part, operator: in_list, value: [1, 0.5]",
        Box::new(|row| Some([1.0, 0.5].contains(&row.part?))),
    );
    add(
        "column: part, operator: not_in_list, value: [1, x]",
        Box::new(|row| Some(row.part? != 1.0)),
    );
    add(
        "column: whole, operator: equals, value: x",
        Box::new(|row| row.whole.map(|_| false)),
    );
    add(
        "column: truth, operator: in_list, value: [false]",
        Box::new(|row| Some(!row.truth?)),
    );
    add(
        "column: day, operator: contains, value: '-1'",
        Box::new(|row| Some(row.day.as_ref()?.contains("-1"))),
    );
    add(
        "column: text, operator: is_null",
        Box::new(|row| Some(row.text.is_none())),
    );
    add(
        "column: whole, operator: is_not_null",
        Box::new(|row| Some(row.whole.is_some())),
    );
    all
}

fn expected(holds: impl Fn(&Row) -> bool) -> Vec<String> {
    let rows = rows().into_iter().filter(|row| holds(row));
    rows.map(|row| row.id.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_are_what_they_say_with_values_and_without() {
    let folder = tempfile::tempdir().unwrap();
    let load = table(folder.path());
    let context = context();
    let conditions = conditions();
    let kept = async |conditions: &str, more: &str| -> Vec<String> {
        let steps = format!(
            "{load}- {{type: FILTER_DATASET, params: {{conditions: [{conditions}], {more}}}}}
- {{type: select, params: {{columns: {{id: id}}}}}}"
        );
        let (lines, _) = ran(&context, &steps)
            .await
            .unwrap_or_else(|error| panic!("{steps}\n{error}"));
        lines[1..].to_vec()
    };
    for (n, (text, holds)) in conditions.iter().enumerate() {
        let is = |row: &Row| holds(row) == Some(true);
        assert_eq!(kept(text, "mode: keep").await, expected(is), "{text}");
        assert_eq!(
            kept(text, "mode: remove").await,
            expected(|row| !is(row)),
            "{text}"
        );
        let (other_text, other) = &conditions[(n * 5 + 11) % conditions.len()];
        let other = |row: &Row| other(row) == Some(true);
        let both = format!("{text}, {other_text}");
        let (and, or) = (
            |row: &Row| is(row) && other(row),
            |row: &Row| is(row) || other(row),
        );
        assert_eq!(kept(&both, "logic: AND").await, expected(and), "AND {both}");
        assert_eq!(
            kept(&both, "logic: OR, mode: remove").await,
            expected(|row| !or(row)),
            "OR {both}"
        );
        assert_eq!(kept(&both, "logic: OR").await, expected(or), "OR {both}");
        assert_eq!(
            kept(&both, "logic: AND, mode: remove").await,
            expected(|row| !and(row)),
            "AND {both}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_column_cannot_have_is_refused_where_it_has_no_place() {
    let folder = tempfile::tempdir().unwrap();
    let load = table(folder.path());
    for (condition, problem) in [
        (
            "column: whole, operator: greater_than, value: many",
            "whole is Int64, and 'many' is no value of that",
        ),
        (
            "column: day, operator: less_than, value: yesterday",
            "'yesterday' is no value",
        ),
        ("column: text, operator: regex, value: '('", "regex"),
        (
            "column: text, operator: equals, value: [a, b]",
            "equals needs one value",
        ),
        ("column: text, operator: in_list", "in_list needs values"),
        ("column: texd, operator: is_null", "did you mean 'text'?"),
    ] {
        let error = refused(&format!(
            "{load}- type: filter_dataset\n  params: {{conditions: [{{{condition}}}]}}"
        ))
        .await;
        assert!(
            error.contains("p.yaml, line 4") && error.contains(problem),
            "{error}"
        );
    }
    // Nothing above is NaN, which is above all numbers.
    let nan = format!(
        "{load}- {{type: filter_dataset, params: {{conditions: [{{column: part, operator: less_than, value: 'NaN'}}]}}}}"
    );
    assert_eq!(
        lines(&nan).await.len() - 1,
        rows().iter().filter(|row| row.part.is_some()).count()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_are_compared_as_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(
        &folder.path().join("t.tsv"),
        "id\td\tn\n1\t2024-01-04\t9007199254740992\n2\t2024-01-05\t9007199254740993\n3\t2024-01-06\t9223372036854775807\n",
    );
    let noon = "2024-01-05T12:00:00";
    for (condition, ids) in [
        (format!("d, operator: greater_equal, value: '{noon}'"), "3"),
        (format!("d, operator: less_than, value: '{noon}'"), "1 2"),
        (format!("d, operator: equals, value: '{noon}'"), ""),
        (format!("d, operator: not_equals, value: '{noon}'"), "1 2 3"),
        (
            "d, operator: equals, value: '2024-01-05T00:00:00'".into(),
            "2",
        ),
        ("n, operator: equals, value: 9007199254740993.0".into(), "2"),
        ("n, operator: equals, value: 9007199254740992.5".into(), ""),
        (
            "n, operator: greater_than, value: 9007199254740992.5".into(),
            "2 3",
        ),
        ("n, operator: equals, value: 9223372036854775808".into(), ""),
        (
            "n, operator: less_than, value: 9223372036854775808".into(),
            "1 2 3",
        ),
        (
            "n, operator: in_list, value: [9.007199254740993e15, x]".into(),
            "2",
        ),
    ] {
        let steps = format!(
            "- {{type: load, params: {{file_path: '{file}'}}}}
- {{type: filter_dataset, params: {{conditions: [{{column: {condition}}}]}}}}
- {{type: select, params: {{columns: {{id: id}}}}}}"
        );
        assert_eq!(lines(&steps).await[1..].join(" "), ids, "{condition}");
    }
    let idle = format!(
        "- {{type: load, params: {{file_path: '{file}'}}}}
- {{type: filter_dataset, params: {{conditions: [{{column: d, operator: is_null, value: 1}}]}}}}"
    );
    let error = refused(&idle).await;
    assert!(
        error.contains("value: is_null is of the cell alone"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_that_are_whole_numbers_are_compared_exactly() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(
        &folder.path().join("t.tsv"),
        "id\tx\n1\tabc\n2\t9007199254740993\n3\t9007199254740992\n4\t18446744073709551615\n\
         5\t18446744073709551614\n6\t0.5\n7\t1e30\n8\t-3\n",
    );
    for (condition, ids) in [
        ("greater_than, value: 18446744073709551614", "4 7"),
        ("greater_equal, value: 18446744073709551615", "4 7"),
        ("greater_than, value: 9007199254740992", "2 4 5 7"),
        ("less_than, value: 9007199254740993", "3 6 8"),
        ("less_than, value: 9.007199254740993e15", "3 6 8"),
        ("less_equal, value: 9007199254740992.5", "3 6 8"),
        ("less_than, value: 0.5", "8"),
        ("greater_equal, value: 1e30", "7"),
        ("less_than, value: 1e99", "2 3 4 5 6 7 8"),
    ] {
        let steps = format!(
            "- {{type: load, params: {{file_path: '{file}'}}}}
- {{type: filter_dataset, params: {{conditions: [{{column: x, operator: {condition}}}]}}}}
- {{type: select, params: {{columns: {{id: id}}}}}}"
        );
        assert_eq!(lines(&steps).await[1..].join(" "), ids, "{condition}");
    }
}

/// Wherever a condition is looked at: what fails is of the step that it is written in, and only of rows that come there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_condition_that_may_fail_is_of_its_own_step() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::from("id\tx\tv\n");
    for id in 0..30_000 {
        let x = if id % 1000 == 999 {
            "n/q".to_owned()
        } else {
            id.to_string()
        };
        text.push_str(&format!("P{id}\t{x}\t{}\n", id * 2));
    }
    let file = write(&folder.path().join("t.tsv"), text);
    let load = format!("- {{type: load, params: {{file_path: '{file}'}}}}\n");
    let filter =
        |condition: &str| format!("- {{type: filter, params: {{where: \"{condition}\"}}}}\n");
    let derive = "- {type: derive, params: {columns: {y: 'cast(x as bigint)'}}}\n";
    let select = "- {type: select, params: {columns: {z: x, v: v}}}\n";
    let cast = filter("cast(x as bigint) > 3");
    for (steps, line) in [
        (cast.clone(), 3),
        (filter("v > 7") + &cast, 4),
        (derive.to_owned(), 3),
        (format!("{derive}{}", filter("y > 7 and v > 3")), 3),
        (format!("{select}{}", filter("cast(z as double) > 7")), 4),
        (filter("v / (v - 2000) > 3"), 3),
    ] {
        let error = refused(&format!("{load}{steps}")).await;
        assert!(
            error.contains(&format!("p.yaml, line {line}, column 3, step ")),
            "{steps}{error}"
        );
    }
    let numbers = filter("x ~ '^[0-9]+$'");
    for steps in [
        numbers.clone() + &cast,
        format!("{numbers}{derive}{}", filter("y > 3")),
        filter("x <> 'n/q'") + select + &filter("cast(z as double) > 3"),
    ] {
        let steps = format!("{load}{steps}");
        assert_eq!(lines(&steps).await.len(), 1 + 30_000 - 30 - 4, "{steps}");
    }
}
