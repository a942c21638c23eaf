//! The worked questions of `sql/queries`, each against its answer in `data/expected/queries`.

use biotide::{DelimitedEncoder, TextEncoder};

use crate::docs::{root, same_as_file};
use crate::support;

/// Runs a question from the repository's root, as its comment says; the answer as CSV.
async fn answer(sql: &str) -> String {
    let data = format!("'{}/tests/data/", root().display());
    let sql = sql.replace("'tests/data/", &data);
    let mut statement = support::context().sql(&sql).await.unwrap();
    let batches = statement.collect().await.unwrap();
    let report = statement.finish().unwrap();
    assert!(report.complete && report.reasons.is_empty(), "{report:?}");

    let encoder = DelimitedEncoder::new(b',', true);
    let mut csv = encoder.header(&batches[0].schema());
    for batch in &batches {
        csv.extend(encoder.encode(batch).unwrap());
    }
    String::from_utf8(csv).unwrap()
}

#[tokio::test]
async fn every_question_has_its_answer() {
    let mut questions: Vec<_> = std::fs::read_dir(root().join("sql/queries"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    questions.sort();
    assert!(questions.len() >= 5);
    for path in questions {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let sql = std::fs::read_to_string(&path).unwrap();
        let how = format!("biotide sql -f sql/queries/{name}.sql");
        assert!(
            sql.starts_with("-- ") && sql.contains(&how),
            "{name}: says what and how"
        );
        let file = format!("tests/data/expected/queries/{name}.csv");
        same_as_file(&file, &answer(&sql).await);
    }
}
