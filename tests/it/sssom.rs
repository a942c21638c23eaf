//! Mapping sets, real ones and SSSOM's own examples: all are read, and what is not good in them is told.

use biotide::prelude::*;

use crate::support::{self, SETTINGS, query, value};

/// SSSOM's examples with their rows.
const EXAMPLES: [(&str, u64); 31] = [
    ("embedded/foodie-inc-2022-05-01", 5),
    ("embedded/mp-hp-exact-0.0.1", 42),
    ("external/example1", 5),
    ("external/mp-hp-exact-0.0.1", 42),
    ("schema/cardinality", 9),
    ("schema/cardinality-scope-empty", 6),
    ("schema/cardinality-scope-predicate", 6),
    ("schema/cardinality-scope-predicate+object_source", 6),
    ("schema/cardinality-with-unmapped-entities", 4),
    ("schema/composite-entities", 3),
    ("schema/curation_rule", 3),
    ("schema/curation_rule-propagated", 3),
    ("schema/curation_rule_text", 3),
    ("schema/curation_rule_text-propagated", 3),
    ("schema/curation_rule_text2", 8),
    ("schema/curie_map", 3),
    ("schema/cxsmiles_pipe", 1),
    ("schema/extension-slots", 4),
    ("schema/issue_tracker", 3),
    ("schema/issue_tracker_item", 3),
    ("schema/literals", 4),
    ("schema/mapping_set_confidence", 2),
    ("schema/mapping_tool_id", 2),
    ("schema/no_term_found", 2),
    ("schema/pipe-escaping", 2),
    ("schema/predicate-types", 4),
    ("schema/record-ids", 3),
    ("schema/review_date", 1),
    ("schema/reviewer_agreement", 3),
    ("schema/similarity_score", 3),
    ("schema/version", 2),
];

/// Biomappings with its rows.
const BIOMAPPINGS: [(&str, u64); 4] = [
    ("positive", 12_441),
    ("negative", 1_887),
    ("unsure", 110),
    ("predictions", 85_053),
];

fn example(name: &str) -> String {
    support::data_file(&format!("sssom/{name}.sssom.tsv"))
}

fn biomappings(name: &str) -> String {
    support::data_file(&format!("biomappings/{name}.sssom.tsv.gz"))
}

#[tokio::test]
async fn every_example_is_read() {
    // (The rows of one are a field short.)
    let context = support::Settings::new(2, 8192);
    let context = context.builder().option("on_error", "lenient");
    let context = context.build().unwrap();
    let mut all = 0;
    for (name, rows) in EXAMPLES {
        let mut statement = context
            .sql(&format!("SELECT * FROM '{}'", example(name)))
            .await
            .unwrap();
        let batches = statement.collect().await.unwrap();
        let n: usize = batches.iter().map(RecordBatch::num_rows).sum();
        let scan = statement.finish().unwrap();
        let short = if name.ends_with("text2") { 5 } else { 0 };
        assert_eq!(
            (n as u64, scan.rejected, scan.nulled, scan.repaired),
            (rows, 0, 0, short),
            "{name}"
        );
        all += 1;
    }
    for folder in ["embedded", "external", "schema"] {
        let files = std::fs::read_dir(support::data_file(&format!("sssom/{folder}"))).unwrap();
        let is_table = |name: &str| name.ends_with(".tsv");
        all -= files
            .filter(|file| is_table(&file.as_ref().unwrap().path().display().to_string()))
            .count();
    }
    assert_eq!(all, 0, "an example is not in the list");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn biomappings_is_read_whole_at_any_parallelism() {
    let folder = tempfile::tempdir().unwrap();
    for (name, rows) in BIOMAPPINGS {
        let packed = biomappings(name);
        // Unpacked it is cut into pieces, of which only the first has the metadata.
        let mut text = Vec::new();
        let mut gzip = flate2::read::MultiGzDecoder::new(std::fs::File::open(&packed).unwrap());
        std::io::Read::read_to_end(&mut gzip, &mut text).unwrap();
        let plain = folder.path().join(format!("{name}.sssom.tsv"));
        std::fs::write(&plain, text).unwrap();
        let sums = |path: &str| {
            format!(
                "SELECT count(*), count(confidence), sum(length(subject_id)), max(array_to_string(author, '|')) FROM \
                 (SELECT *, {} AS author FROM read_sssom('{path}', metadata_columns => true)) WHERE _line > 0",
                if name == "positive" || name == "negative" {
                    "author_id"
                } else {
                    "make_array(object_id)"
                }
            )
        };
        let mut expected: Option<Vec<Vec<String>>> = None;
        for settings in SETTINGS {
            let context = settings.builder().build().unwrap();
            for path in [packed.clone(), plain.display().to_string()] {
                let (answer, scan) = query(&context, &sums(&path)).await;
                assert_eq!(answer[0][0], rows.to_string(), "{name}, {settings:?}");
                assert_eq!((scan.rejected, scan.nulled), (0, 0), "{name}");
                assert_eq!(
                    *expected.get_or_insert(answer.clone()),
                    answer,
                    "{name}, {settings:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn what_is_no_mapping_says_so() {
    let context = support::context();
    let count = |name: &str, filter: &str| {
        format!(
            "SELECT count(*) FROM '{}' WHERE {filter}",
            biomappings(name)
        )
    };
    assert_eq!(
        value(&context, &count("negative", "predicate_modifier = 'Not'")).await,
        "1887"
    );
    assert_eq!(
        value(&context, &count("positive", "predicate_modifier IS NULL")).await,
        "12441"
    );
    assert_eq!(
        value(&context, &count("unsure", "reviewer_agreement = 0")).await,
        "110"
    );
    let mesh = "subject_id LIKE 'mesh:%'";
    let as_text = format!(
        "SELECT count(*) FROM read_tsv('{}', comment => '#') WHERE {mesh}",
        biomappings("predictions")
    );
    let (mapped, plain) = (count("predictions", mesh), value(&context, &as_text).await);
    assert_eq!(value(&context, &mapped).await, plain);
    assert_ne!(plain, "0");
}

/// The specification's words on what its examples hold.
#[tokio::test]
async fn examples_hold_what_they_say() {
    let context = support::context();
    let pipes = format!(
        "SELECT author_label FROM '{}'",
        example("schema/pipe-escaping")
    );
    let (pipes, _) = query(&context, &pipes).await;
    assert_eq!(
        pipes,
        [
            [r"[Alice|Bob, Charlie]"],
            [r"[Alice\Bob, Charlie\, David\|Eve\]"]
        ]
    );
    let smiles = format!(
        "SELECT cardinality(match_string) FROM '{}'",
        example("schema/cxsmiles_pipe")
    );
    assert_eq!(value(&context, &smiles).await, "1");
    let literals = format!(
        "SELECT count(*) FROM '{}' WHERE subject_id IS NULL AND subject_label IS NOT NULL",
        example("schema/literals")
    );
    assert_eq!(value(&context, &literals).await, "4");
    let external = format!(
        "SELECT DISTINCT object_source, subject_source FROM '{}'",
        example("external/example1")
    );
    let (external, _) = query(&context, &external).await;
    assert_eq!(external, [["wikidata:Q55118395", "KF_FOOD:DB"]]);
}

/// Writes a set with `COPY`.
async fn write(context: &BiotideContext, from: &str, to: &str) -> Result<(), Error> {
    let mut statement = context
        .sql(&format!("COPY (SELECT * FROM '{from}') TO '{to}'"))
        .await?;
    statement.collect().await?;
    statement.finish()?;
    Ok(())
}

/// The columns of a set that have a value somewhere, and its rows.
async fn rows(context: &BiotideContext, path: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let all = format!("SELECT * FROM '{path}'");
    let schema = context.sql(&all).await.unwrap().schema();
    // (Numbers are written with three decimals.)
    let names = schema.fields().iter().map(|field| match field.data_type() {
        arrow::datatypes::DataType::Float64 => format!("round(\"{}\", 3)", field.name()),
        _ => format!("\"{}\"", field.name()),
    });
    let mut names: Vec<String> = names.collect();
    names.sort();
    let counts: Vec<String> = names.iter().map(|name| format!("count({name})")).collect();
    let counts = format!("SELECT {} FROM '{path}'", counts.join(", "));
    let (counts, _) = query(context, &counts).await;
    let mut counts = counts.concat().into_iter();
    names.retain(|_| counts.next().unwrap() != "0");
    let sql = format!("SELECT {} FROM '{path}'", names.join(", "));
    let (mut rows, _) = query(context, &sql).await;
    rows.sort();
    (names, rows)
}

#[tokio::test]
async fn what_is_written_is_read_back_and_written_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let settings = support::Settings::new(2, 8192);
    let context = settings
        .builder()
        .option("on_error", "lenient")
        .build()
        .unwrap();
    let examples = EXAMPLES.iter().map(|(name, _)| example(name));
    let sets = examples.chain([biomappings("unsure"), biomappings("negative")]);
    for (i, set) in sets.enumerate() {
        let path = |name: &str| {
            folder
                .path()
                .join(format!("{i}{name}"))
                .display()
                .to_string()
        };
        let (first, second) = (path("a.sssom.tsv"), path("b.sssom.tsv"));
        write(&context, &set, &first)
            .await
            .unwrap_or_else(|error| panic!("{set}: {error}"));
        let text = std::fs::read_to_string(&first).unwrap();
        assert_eq!(
            rows(&context, &set).await,
            rows(&context, &first).await,
            "{set}\n{text}"
        );
        write(&context, &first, &second).await.unwrap();
        assert_eq!(text, std::fs::read_to_string(&second).unwrap(), "{set}");
        let request = ConvertRequest {
            inputs: vec![first],
            output: path("c.sssom.tsv.gz"),
            ..ConvertRequest::default()
        };
        context.convert(request, |_| {}).await.unwrap();
        let packed = std::fs::File::open(path("c.sssom.tsv.gz")).unwrap();
        let mut converted = String::new();
        std::io::Read::read_to_string(
            &mut flate2::read::MultiGzDecoder::new(packed),
            &mut converted,
        )
        .unwrap();
        assert_eq!(text, converted, "{set}");
    }
}
