//! Datasets put together by pipelines: which columns and rows there are, and in which order.

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::steps::{lines, refused};
use crate::support::write;

/// Loads tables under their names.
fn load(folder: &Path, tables: &[(&str, &str)]) -> String {
    let load = |(name, text): &(&str, &str)| {
        let file = write(&folder.join(format!("{name}.tsv")), text);
        format!("- {{type: load, params: {{file_path: '{file}', output: {name}}}}}\n")
    };
    tables.iter().map(load).collect()
}

/// A table of ids in no order, some of which come more than once, and of what row each is.
fn scattered(name: &str, rows: u64, ids: u64, factor: u64) -> (String, Vec<(u64, String)>) {
    let made: Vec<(u64, String)> = (0..rows)
        .map(|row| ((row * factor) % ids, format!("{name}{row}")))
        .collect();
    let mut text = format!("id\t{name}\n");
    for (id, value) in &made {
        text.push_str(&format!("{id}\t{value}\n"));
    }
    (text, made)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_a_join_come_in_the_order_of_the_left_then_of_the_right() {
    let folder = tempfile::tempdir().unwrap();
    let (a, left) = scattered("a", 20_000, 15_000, 7919);
    let (b, right) = scattered("b", 20_000, 30_000, 7907);
    let load = load(folder.path(), &[("l", &a), ("r", &b)]);
    let mut partners: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
    for (id, value) in &right {
        partners.entry(*id).or_default().push(value);
    }
    for how in ["inner", "left", "right", "outer"] {
        let mut expected = vec![String::from("id,a,b")];
        for (id, a) in &left {
            match partners.get(id) {
                Some(found) => expected.extend(found.iter().map(|b| format!("{id},{a},{b}"))),
                None if matches!(how, "left" | "outer") => expected.push(format!("{id},{a},")),
                None => {}
            }
        }
        if matches!(how, "right" | "outer") {
            let ids: std::collections::BTreeSet<u64> = left.iter().map(|(id, _)| *id).collect();
            let alone = right.iter().filter(|(id, _)| !ids.contains(id));
            expected.extend(alone.map(|(id, b)| format!("{id},,{b}")));
        }
        let join =
            format!("{load}- {{type: join, params: {{left: l, right: r, how: {how}, on: id}}}}");
        assert!(lines(&join).await == expected, "{how}");
        let merge = format!(
            "{load}- {{type: merge_datasets, params: {{inputs: [l, r], strategy: join, how: {how}, on: id}}}}"
        );
        assert!(lines(&merge).await == expected, "{how}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_join_of_many_has_the_columns_of_all() {
    let folder = tempfile::tempdir().unwrap();
    let load = load(
        folder.path(),
        &[
            ("a", "id\tx\n1\ta1\n2\ta2\n"),
            ("b", "id\tx\ty\n2\tb2\tB\n3\tb3\tC\n"),
            ("c", "id\tx\tz\n3\tc3\tY\n4\tc4\tZ\n2\tc2\tX\n"),
            ("d", "id\ty\n4\td4\n"),
        ],
    );
    let merge = |how: &str| {
        format!(
            "{load}- {{type: merge_datasets, params: {{inputs: [a, b, c, d], strategy: join, how: {how}, on: id}}}}"
        )
    };
    let header = "id,x,x_2,y,x_3,z,y_4";
    assert_eq!(
        lines(&merge("outer")).await,
        [
            header,
            "1,a1,,,,,",
            "2,a2,b2,B,c2,X,",
            "3,,b3,C,c3,Y,",
            "4,,,,c4,Z,d4",
        ]
    );
    assert_eq!(
        lines(&merge("left")).await,
        [header, "1,a1,,,,,", "2,a2,b2,B,c2,X,"]
    );
    assert_eq!(lines(&merge("right")).await, [header, "4,,,,c4,Z,d4"]);
    assert_eq!(lines(&merge("inner")).await, [header]);
    // Names that are there already are not made twice, whatever they are.
    let odd = self::load(
        folder.path(),
        &[
            ("e", "id\tx\tx_right\t__row\n1\ta\tb\tc\n"),
            ("f", "key\tid\tx\t__row\tl\n1\t7\td\te\tff\n"),
        ],
    );
    assert_eq!(
        lines(&format!(
            "{odd}- {{type: join, params: {{left: e, right: f, left_on: id, right_on: key}}}}"
        ))
        .await,
        [
            "id,x,x_right,__row,key,id_right,x_right_right,__row_right,l",
            "1,a,b,c,1,7,d,e,ff"
        ]
    );
    let error = refused(&format!(
        "{load}- {{type: join, params: {{left: a, right: b, on: id, suffix: ''}}}}"
    ))
    .await;
    assert!(error.contains("suffix"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_that_are_numbers_here_and_texts_there_are_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let load = load(
        folder.path(),
        &[
            ("n", "id\tx\n1\ta\n22\tb\n3\tc\n"),
            ("t", "id\ty\n22\tB\n1\tA\nQ9\tQ\n03\tC\n"),
            ("f", "id\tw\n1.0\tu\n2.5\tv\n22\tw\n"),
        ],
    );
    let join = |left: &str, right: &str, how: &str| {
        format!(
            "{load}- {{type: join, params: {{left: {left}, right: {right}, how: {how}, on: id}}}}"
        )
    };
    assert_eq!(
        lines(&join("n", "t", "inner")).await,
        ["id,x,y", "1,a,A", "22,b,B"]
    );
    assert_eq!(
        lines(&join("t", "n", "left")).await,
        ["id,y,x", "22,B,b", "1,A,a", "Q9,Q,", "03,C,"]
    );
    assert_eq!(
        lines(&join("n", "t", "outer")).await,
        ["id,x,y", "1,a,A", "22,b,B", "3,c,", "Q9,,Q", "03,,C"]
    );
    assert_eq!(lines(&join("n", "f", "inner")).await.len(), 3);
    assert_eq!(
        lines(&join("t", "f", "inner")).await,
        ["id,y,w", "22,B,w", "1,A,u"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_partners_become_the_first_or_lists_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let (b, right) = scattered("b", 30_000, 5_000, 7919);
    let ids: String = (0..6_000).rev().map(|id| format!("{id}\n")).collect();
    let load = load(folder.path(), &[("l", &format!("id\n{ids}")), ("r", &b)]);
    let mut partners: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
    for (id, value) in &right {
        partners.entry(*id).or_default().push(value);
    }
    let merge = |many: &str| {
        format!(
            "{load}- {{type: merge_datasets, params: {{inputs: [l, r], strategy: join, how: left, on: id, one_to_many: {many}}}}}"
        )
    };
    let expected = |shown: fn(&[&str]) -> String| -> Vec<String> {
        let row = |id: u64| {
            format!(
                "{id},{}",
                partners.get(&id).map_or(String::new(), |all| shown(all))
            )
        };
        std::iter::once(String::from("id,b"))
            .chain((0..6_000).rev().map(row))
            .collect()
    };
    assert!(lines(&merge("first")).await == expected(|all| all[0].to_owned()));
    let listed = format!(
        "{}\n- {{type: derive, params: {{columns: {{b: \"array_to_string(b, '+')\"}}}}}}",
        merge("aggregate")
    );
    assert!(lines(&listed).await == expected(|all| all.join("+")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_below_the_other_stays_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let (a, first) = scattered("a", 30_000, 9_000, 7919);
    let (b, second) = scattered("a", 20_000, 20_000, 7907);
    let b = b
        .replace("id\ta\n", "id\ta\tmore\n")
        .replace('\n', "\tm\n")
        .replacen("more\tm", "more", 1);
    let load = load(folder.path(), &[("one", &a), ("two", &b)]);
    let all: Vec<(u64, String)> = first
        .iter()
        .map(|(id, a)| (*id, format!("{id},{a},")))
        .chain(second.iter().map(|(id, a)| (*id, format!("{id},{a},m"))))
        .collect();
    let header = || std::iter::once(String::from("id,a,more"));
    let merge = |more: &str| {
        format!("{load}- {{type: merge_datasets, params: {{inputs: [one, two]{more}}}}}")
    };
    let expected: Vec<String> = header()
        .chain(all.iter().map(|(_, row)| row.clone()))
        .collect();
    assert!(lines(&merge("")).await == expected);
    let some = format!(
        "{}\n- {{type: filter, params: {{condition: 'id % 2 = 0'}}}}",
        merge("")
    );
    let even = all
        .iter()
        .filter(|(id, _)| id % 2 == 0)
        .map(|(_, row)| row.clone());
    assert!(lines(&some).await == header().chain(even).collect::<Vec<_>>());
    for keep in ["first", "last"] {
        let mut kept: BTreeMap<u64, usize> = BTreeMap::new();
        for (n, (id, _)) in all.iter().enumerate() {
            match keep {
                "first" => {
                    kept.entry(*id).or_insert(n);
                }
                _ => {
                    kept.insert(*id, n);
                }
            }
        }
        let mut rows: Vec<usize> = kept.into_values().collect();
        rows.sort_unstable();
        let expected: Vec<String> = header()
            .chain(rows.iter().map(|n| all[*n].1.clone()))
            .collect();
        assert!(
            lines(&merge(&format!(", deduplicate: id, dedup: {keep}"))).await == expected,
            "{keep}"
        );
    }
    // Of what is sorted, or put together, before.
    let twice = format!(
        "{load}- {{type: deduplicate, params: {{input: one, columns: id, output: d}}}}
- {{type: merge_datasets, params: {{inputs: [d, two, d]}}}}
- {{type: deduplicate, params: {{columns: id, keep: last}}}}"
    );
    let found = lines(&twice).await;
    assert_eq!(found.len(), 20_001);
    assert!(
        found[1].ends_with(",m") && found[20_000].ends_with(','),
        "{found:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kinds_of_columns_are_made_alike_one_below_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let load = load(
        folder.path(),
        &[
            ("a", "id\tx\n1\t20\n"),
            ("b", "x\tid\n2.5\tQ\n"),
            ("c", "id\n7\n"),
        ],
    );
    let merged = lines(&format!(
        "{load}- {{type: merge_datasets, params: {{inputs: [a, b, c]}}}}"
    ))
    .await;
    assert_eq!(merged, ["id,x", "1,20", "Q,2.5", "7,"]);
    let error = refused(&format!(
        "{load}- {{type: merge_datasets, params: {{inputs: [a, bb]}}}}"
    ))
    .await;
    assert!(
        error.contains("p.yaml, line 5") && error.contains("'bb' is no dataset"),
        "{error}"
    );
    let error = refused(&format!(
        "{load}- {{type: join, params: {{left: a, right: b, on: idd}}}}"
    ))
    .await;
    assert!(
        error.contains("no column 'idd'; did you mean 'id'?"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_sets_have_in_common_comes_in_one_order() {
    let folder = tempfile::tempdir().unwrap();
    let of = |step: u32| -> String {
        (0..3000)
            .step_by(step as usize)
            .map(|id| format!("{id}\n"))
            .collect()
    };
    let tables =
        [("a", of(2)), ("b", of(3)), ("c", of(5))].map(|(name, ids)| (name, format!("id\n{ids}")));
    let tables: Vec<(&str, &str)> = tables
        .iter()
        .map(|(name, text)| (*name, text.as_str()))
        .collect();
    let load = load(folder.path(), &tables);
    let steps = format!(
        "{load}- {{type: calculate_set_overlap, params: {{inputs: [a, b, c], columns: id}}}}
- {{type: select, params: {{columns: {{kind: kind, sets: \"array_to_string(sets, '+')\", n: n}}}}}}"
    );
    assert_eq!(
        lines(&steps).await,
        [
            "kind,sets,n",
            "set,a,1500",
            "set,b,1000",
            "set,c,600",
            "pair,a+b,500",
            "pair,a+c,300",
            "pair,b+c,200",
            "region,a,800",
            "region,b,400",
            "region,a+b,400",
            "region,c,200",
            "region,a+c,200",
            "region,b+c,100",
            "region,a+b+c,100",
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_value_becomes_another_one_below_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let cases: &[(&str, &str, &[&str])] = &[
        ("2024-01-05", "20240106", &["2024-01-05", "20240106"]),
        ("9007199254740993", "3.5", &["9007199254740993", "3.5"]),
        ("1\n2", "1.5", &["1", "2", "1.5"]),
        ("2024-01-05", "unknown", &["2024-01-05", "unknown"]),
        ("2024-01-05", "05.01.2024", &["2024-01-05", "05.01.2024"]),
        ("true", "maybe", &["true", "maybe"]),
        ("true", "7", &["true", "7"]),
        ("2.5\n3", "3", &["2.5", "3", "3"]),
    ];
    for (a, b, values) in cases {
        let load = load(
            folder.path(),
            &[("a", &format!("v\n{a}\n")), ("b", &format!("v\n{b}\n"))],
        );
        let merge = |more: &str| {
            format!("{load}- {{type: merge_datasets, params: {{inputs: [a, b]{more}}}}}")
        };
        let found = lines(&merge("")).await;
        assert_eq!(found[0], "v");
        assert_eq!(found[1..], **values, "{a} {b}");
        // (Equal numbers are one, whichever way their columns are read.)
        let mut once = values.to_vec();
        once.dedup();
        let found = lines(&merge(", deduplicate: v")).await;
        assert_eq!(found[1..], *once, "{a} {b}");
    }
    let load = load(folder.path(), &[("a", "v\n1\n"), ("b", "w\n2\n")]);
    for (more, problem) in [
        ("on: v", "on: it is of merge_strategy: join"),
        ("how: left", "how: it is of merge_strategy: join"),
        (
            "one_to_many: first",
            "one_to_many: it is of merge_strategy: join",
        ),
        ("dedup: last", "dedup: it needs deduplicate"),
        ("strategy: join, on: v, left_on: v", "left_on: on says"),
    ] {
        let error = refused(&format!(
            "{load}- {{type: merge_datasets, params: {{inputs: [a, b], {more}}}}}"
        ))
        .await;
        assert!(
            error.contains(problem) && error.contains("line 4"),
            "{error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn joins_and_overlaps_compare_by_one_rule() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        ("1\n2", "1.5\n2.0", "2"),
        ("9007199254740993\n4", "9007199254740992.0\n4\n0.5", "4"),
        ("1\n22", "22\n1\nQ9\n03", "1 22"),
        ("1.0\n2.5\n22", "22\n1\nQ9\n03", "1 22"),
        ("2024-01-05", "2024-01-05\nnodate", "2024-01-05"),
        ("true\nfalse", "true\nx", "true"),
        ("9007199254740992.0\n0.5", "9007199254740993\nx", ""),
    ];
    for (a, b, same) in cases {
        let load = load(
            folder.path(),
            &[("a", &format!("k\n{a}\n")), ("b", &format!("k\n{b}\n"))],
        );
        let joined = lines(&format!(
            "{load}- {{type: join, params: {{left: a, right: b, on: k}}}}"
        ))
        .await;
        let joined: Vec<&str> = joined[1..]
            .iter()
            .map(|row| row.trim_end_matches(".0"))
            .collect();
        assert_eq!(joined.join(" "), same, "{a} {b}");
        let overlap = lines(&format!(
            "{load}- {{type: calculate_set_overlap, params: {{inputs: [a, b], column: k}}}}
- {{type: filter, params: {{condition: \"kind = 'pair'\"}}}}
- {{type: select, params: {{columns: {{n: n}}}}}}"
        ))
        .await;
        assert_eq!(overlap[1], joined.len().to_string(), "{a} {b}");
    }
    // Of a key that only one side has, the text.
    let load = load(
        folder.path(),
        &[("a", "k\n9007199254740993\n1\n"), ("b", "k\n0.5\n1\n")],
    );
    let outer = format!("{load}- {{type: join, params: {{left: a, right: b, on: k, how: outer}}}}");
    assert_eq!(lines(&outer).await, ["k", "9007199254740993", "1", "0.5"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_sets_are_counted_in_one_pass() {
    const SETS: usize = 20;
    let folder = tempfile::tempdir().unwrap();
    let tables: Vec<(String, String)> = (0..SETS)
        .map(|set| {
            let ids = (0..600).filter(|id| id % (set + 1) == 0);
            let ids: String = ids.map(|id| format!("P{id}\n")).collect();
            (format!("s{set}"), format!("id\n{ids}"))
        })
        .collect();
    let tables: Vec<(&str, &str)> = tables.iter().map(|(a, b)| (&**a, &**b)).collect();
    let names: Vec<&str> = tables.iter().map(|(name, _)| *name).collect();
    let steps = format!(
        "{}- {{type: calculate_set_overlap, params: {{inputs: [{}], columns: id}}}}
- {{type: select, params: {{columns: {{kind: kind, sets: \"array_to_string(sets, '+')\", n: n, jaccard: jaccard}}}}}}",
        load(folder.path(), &tables),
        names.join(", ")
    );
    let found = lines(&steps).await;
    let within =
        |id: usize| -> Vec<usize> { (0..SETS).filter(|set| id.is_multiple_of(set + 1)).collect() };
    let count = |is: &dyn Fn(&[usize]) -> bool| (0..600).filter(|id| is(&within(*id))).count();
    let mut expected = vec!["kind,sets,n,jaccard".to_owned()];
    expected.extend((0..SETS).map(|a| format!("set,s{a},{},", count(&|sets| sets.contains(&a)))));
    for a in 0..SETS {
        for b in a + 1..SETS {
            let both = count(&|sets| sets.contains(&a) && sets.contains(&b));
            let any = count(&|sets| sets.contains(&a) || sets.contains(&b));
            let jaccard = both as f64 / any as f64;
            expected.push(format!("pair,s{a}+s{b},{both},{jaccard:?}"));
        }
    }
    let places = expected.len();
    assert_eq!(found[..places], expected);
    let mut regions: BTreeMap<usize, (String, usize)> = BTreeMap::new();
    for id in 0..600 {
        let sets = within(id);
        let mask = sets.iter().map(|set| 1 << set).sum();
        let names: Vec<String> = sets.iter().map(|set| format!("s{set}")).collect();
        regions.entry(mask).or_insert((names.join("+"), 0)).1 += 1;
    }
    let regions = regions
        .into_values()
        .map(|(names, n)| format!("region,{names},{n},"));
    assert_eq!(found[places..], regions.collect::<Vec<_>>());
    // Of sets without members too.
    let load = load(folder.path(), &[("a", "id\n"), ("b", "id\n")]);
    let none = lines(&format!(
        "{load}- {{type: calculate_set_overlap, params: {{inputs: [a, b], columns: id}}}}
- {{type: select, params: {{columns: {{kind: kind, n: n, jaccard: jaccard}}}}}}"
    ))
    .await;
    assert_eq!(none, ["kind,n,jaccard", "set,0,", "set,0,", "pair,0,"]);
}
