//! JSON Lines: the same rows and rejects however they are read, and those that `serde_json` finds.

use serde_json::Value;

use crate::support::{self, SETTINGS, Settings, assert_closes, query, rejects};

/// Lines of every kind, and some that are none.
fn lines(n: usize, seed: u64) -> Vec<String> {
    let mut state = seed;
    let mut next = move |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let texts = [
        "TP53",
        "",
        "a\\\"b",
        "\\u00e9",
        "β-Catenin",
        "{not, [an object",
        "x\\\\",
    ];
    let line = move |i: usize| {
        let text = texts[next(7) as usize];
        let npx = next(10_000) as f64 / 1000.0 - 5.0;
        let more = match next(6) {
            0 => ", \"more\": {\"list\": [1, 2.5], \"deep\": {\"x\": \"}\"}}".to_owned(),
            1 => ",\"more\":null".to_owned(),
            2 => format!(",\"more\" : {{\"list\":[], \"n\": {}}}", next(100)),
            _ => String::new(),
        };
        match next(200) {
            0 => format!("{{\"id\": {i}, \"gene\": \"{text}\""),
            1 => format!("{{\"id\": {i} \"gene\": \"{text}\"}}"),
            2 => "[1, 2]".to_owned(),
            3 => String::new(),
            4 => format!("{{\"id\": {i}, \"npx\": 01}}"),
            5 => format!("{{\"gene\": \"{text}\", \"id\": {i}}} {{}}"),
            6 => "\"a string\"".to_owned(),
            7..50 => format!("{{\"npx\": {npx:.3}, \"gene\":\"{text}\",\"id\":{i}{more}}}\r"),
            _ => format!("{{\"id\": {i}, \"gene\": \"{text}\", \"npx\": {npx:.3}{more}}}"),
        }
    };
    (0..n).map(line).collect()
}

/// id, gene and npx of the lines that hold an object, as `serde_json` reads them; and the other lines.
fn oracle(lines: &[String]) -> (Vec<Vec<String>>, Vec<usize>) {
    let (mut rows, mut bad) = (Vec::new(), Vec::new());
    for (i, line) in lines.iter().enumerate() {
        match serde_json::from_str::<Value>(line) {
            Ok(Value::Object(object)) => {
                let text = |key: &str| match object.get(key) {
                    None | Some(Value::Null) => "NULL".to_owned(),
                    Some(Value::String(text)) => text.clone(),
                    Some(other) => other.to_string(),
                };
                rows.push(vec![text("id"), text("gene"), text("npx")]);
            }
            _ if line.trim().is_empty() => {}
            _ => bad.push(i + 1),
        }
    }
    (rows, bad)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_are_those_of_another_parser() {
    let folder = tempfile::tempdir().unwrap();
    let lines = lines(30_000, 7);
    let (rows, bad) = oracle(&lines);
    assert!(bad.len() > 500 && rows.len() > 25_000, "{} bad", bad.len());
    let text = lines.join("\n");
    let plain = support::write(&folder.path().join("a.jsonl"), &text);
    let packed = support::write(
        &folder.path().join("b.jsonl.gz"),
        support::gzip(text.as_bytes()),
    );
    for settings in SETTINGS {
        let context = settings.context();
        for path in [&plain, &packed] {
            let sql = format!("SELECT id, gene, npx FROM '{path}' ORDER BY id");
            let (found, report) = query(&context, &sql).await;
            let unquoted = |row: &Vec<String>| -> Vec<String> {
                row.iter()
                    .map(|value| value.replace("(empty)", ""))
                    .collect()
            };
            let found: Vec<Vec<String>> = found.iter().map(unquoted).collect();
            let mut expected = rows.clone();
            expected.sort_by_key(|row| row[0].parse::<u64>().unwrap());
            assert_eq!(found.len(), expected.len(), "{path}");
            for (found, expected) in found.iter().zip(&expected) {
                let number = |text: &str| text.parse::<f64>().ok();
                assert_eq!(found[..2], expected[..2], "{path}");
                assert_eq!(number(&found[2]), number(&expected[2]), "{path}");
            }
            assert_closes(&report);
            assert_eq!(report.rejected as usize, bad.len());
            let log = rejects(&context).await;
            let lines: Vec<usize> = log.iter().map(|row| row[2].parse().unwrap()).collect();
            assert_eq!(lines, bad, "{path}");
            let count = format!("SELECT count(*) FROM '{path}'");
            assert_eq!(query(&context, &count).await.0, [[rows.len().to_string()]]);
        }
    }
}

/// A filter, nested columns, and the order of a list, at any setting.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_setting_has_one_answer() {
    let folder = tempfile::tempdir().unwrap();
    let lines = lines(20_000, 11);
    let whole = |line: &&String| serde_json::from_str::<Value>(line).is_ok_and(|v| v.is_object());
    let objects: Vec<&str> = lines.iter().filter(whole).map(|line| line.trim()).collect();
    let list = format!("[\n  {}\n]\n", objects.join(",\n  "));
    let list = support::write(&folder.path().join("list.json"), list);
    let plain = support::write(&folder.path().join("lines.jsonl"), lines.join("\n"));
    let mut known = None;
    for settings in SETTINGS {
        let context = settings.context();
        for path in [&plain, &list] {
            let sql = format!(
                "SELECT count(*), sum(npx), count(more['n']), sum(array_length(more['list'])), \
                 count(DISTINCT gene) FROM '{path}' WHERE npx > 0 AND gene <> 'TP53'"
            );
            let (mut rows, _) = query(&context, &sql).await;
            let sum: f64 = rows[0][1].parse().unwrap();
            rows[0][1] = format!("{sum:.6}");
            assert_eq!(*known.get_or_insert_with(|| rows.clone()), rows, "{path}");
            let first = format!("SELECT id FROM '{path}' LIMIT 50");
            let ids: Vec<u64> = query(&context, &first)
                .await
                .0
                .iter()
                .map(|row| row[0].parse().unwrap())
                .collect();
            assert!(ids.is_sorted(), "{path}: {ids:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_later_is_counted_or_found() {
    let folder = tempfile::tempdir().unwrap();
    let mut text: String = (0..60_000)
        .map(|i| format!("{{\"id\":{i},\"pad\":\"{:0>40}\"}}\n", i))
        .collect();
    text.push('\n');
    let late = "{\"id\":1.5,\"pad\":\"x\",\"late\":true}\n";
    // Where no piece of the sample is.
    let at = text[..text.len() * 2 / 5].rfind('\n').unwrap() + 1;
    text.insert_str(at, late);
    let path = support::write(&folder.path().join("late.jsonl"), text);
    let context = Settings::new(2, 8192).context();
    let sql = format!("SELECT count(*), count(id) FROM '{path}'");
    let (rows, report) = query(&context, &sql).await;
    assert_eq!(rows, [["60001", "60000"]]);
    assert_eq!((report.unknown, report.nulled, report.blank), (1, 1, 1));
    let sql = format!("SELECT id FROM read_jsonl('{path}', infer => 'full') WHERE late");
    assert_eq!(query(&context, &sql).await.0, [["1.5"]]);
    // What is not looked at is not logged.
    let (_, report) = query(&context, &format!("SELECT count(*) FROM '{path}'")).await;
    assert_eq!(report.nulled, 0);
}

/// What comes without a name is known by its start.
#[test]
fn standard_input_may_be_json() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows");
    std::fs::write(&path, "{\"a\":1}\n{\"a\":2}\n").unwrap();
    let mut command = support::bin::command(["sql", "SELECT sum(a) AS n FROM '-'"]);
    let output = command.stdin(std::fs::File::open(path).unwrap()).output();
    let run = support::bin::Run::from(output.unwrap()).exits(0);
    assert_eq!(run.stdout, "n\n3\n");
}
