//! Values keep their spelling, and become what a parameter takes.

use super::{load, read};
use crate::pipeline::spec::{Node, Tree, Value};

#[test]
fn scalars_keep_how_they_were_written() {
    let text = "metadata: {a: 1.10, b: y, c: 'true', d: true, e: 007, f: ~, g: 0x10, h: &x 1_000, i: *x, j: !!str 5, k: 1e3}\nsteps: [type: cache]\n";
    let metadata = read(text).metadata;
    let scalar = |key: &str| {
        let scalar = metadata.get(key).and_then(Tree::as_scalar).unwrap();
        (scalar.text.clone(), scalar.value)
    };
    assert_eq!(scalar("a"), ("1.10".into(), Value::Number(1.1)));
    assert_eq!(scalar("b"), ("y".into(), Value::Boolean(true)));
    assert_eq!(scalar("c"), ("true".into(), Value::Text));
    assert_eq!(scalar("d"), ("true".into(), Value::Boolean(true)));
    assert_eq!(scalar("e"), ("007".into(), Value::Text));
    assert_eq!(metadata.get("f").unwrap().node, Node::Null);
    assert_eq!(scalar("g"), ("0x10".into(), Value::Integer(16)));
    assert_eq!(scalar("h"), ("1_000".into(), Value::Integer(1000)));
    assert_eq!(scalar("i"), ("1_000".into(), Value::Integer(1000)));
    assert_eq!(scalar("j"), ("5".into(), Value::Text));
    assert_eq!(scalar("k"), ("1e3".into(), Value::Number(1000.0)));
    let shown = "{\"a\": 1.10, \"b\": y, \"c\": \"true\"";
    assert!(metadata.to_string().starts_with(shown), "{metadata}");
    assert_eq!(metadata.to_json()["g"], 16);
}

#[test]
fn keys_are_text_whatever_they_look_like() {
    let text = "[{type: join, params: {right: b, on: [n, y], how: LEFT}}]";
    let params = &read(text).steps[0].params;
    assert_eq!(params.texts("on"), ["n", "y"]);
    assert_eq!(params.text("how"), Some("left"));
}

#[test]
fn defaults_hold_where_nothing_is_said() {
    let params = read(&load("max_rows:")).steps[0].params.clone();
    assert_eq!(params.integer("chunk_size"), Some(1000));
    assert_eq!(params.size("memory_limit_mb"), Some(500));
    assert_eq!(params.boolean("skip_empty"), Some(true));
    assert_eq!(params.number("error_threshold"), Some(0.1));
    assert_eq!(params.text("file_format"), Some("auto"));
    assert_eq!(params.integer("max_rows"), None);
    assert_eq!(params.text("encoding"), None);
    assert!(params.texts("columns").is_empty() && params.list("columns").is_empty());
    assert!(!params.is_given("chunk_size") && params.is_given("file_path"));
    assert_eq!(params.place("chunk_size").line, 2);
    assert_eq!(params.place("file_path").line, 5);
    assert_eq!(params.needed("file_path").unwrap(), "a.tsv");
    assert!(params.needed("encoding").is_err());
}

#[test]
fn values_become_what_a_parameter_takes() {
    let text = load(
        "chunk_size: '5000'\nmax_rows: 1e3\nskip_empty: \"false\"\nfile_format: TSV\nerror_threshold: 1\ncolumns: [1, true, x]\nkey_columns: n",
    );
    let params = &read(&text).steps[0].params;
    assert_eq!(params.integer("chunk_size"), Some(5000));
    assert_eq!(params.unsigned("max_rows"), Some(1000));
    assert_eq!(params.boolean("skip_empty"), Some(false));
    assert_eq!(params.text("file_format"), Some("tsv"));
    assert_eq!(params.number("error_threshold"), Some(1.0));
    assert_eq!(params.texts("columns"), ["1", "true", "x"]);
    assert_eq!(params.texts("key_columns"), ["n"]);
    let places: Vec<_> = params.placed_texts("columns").into_iter().collect();
    assert_eq!((places[2].place.line, places[2].place.column), (11, 26));
}

#[test]
fn lists_of_maps_have_tables_of_their_own() {
    let text = "\
- type: FILTER_DATASET
  params:
    filter_conditions:
    - {column: a, operator: GREATER_THAN, value: 1}
    - {column: b, operator: in_list, value: [x, y], case_sensitive: false}
    logic_operator: or
- type: validate
  params:
    checks:
    - {not_null: [a, b]}
    - {row_count: {min: 1}, severity: warning}
    - {check: range, column: c, range: [0, null]}
";
    let pipeline = read(text);
    let filter = &pipeline.steps[0].params;
    let conditions = filter.items("conditions");
    assert_eq!(conditions[0].text("operator"), Some("greater_than"));
    assert_eq!(conditions[1].texts("value"), ["x", "y"]);
    assert_eq!(conditions[1].boolean("case_sensitive"), Some(false));
    assert_eq!(
        (filter.text("logic"), filter.text("mode")),
        (Some("OR"), Some("keep"))
    );
    let checks = pipeline.steps[1].params.items("checks");
    assert_eq!(checks[0].texts("not_null"), ["a", "b"]);
    assert_eq!(checks[0].text("severity"), Some("error"));
    assert_eq!(checks[1].map("row_count")[0].key.value, "min");
    assert!(checks[2].list("range")[1].is_null());
}
