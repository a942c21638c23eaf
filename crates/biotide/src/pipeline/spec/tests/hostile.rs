//! Files that are made to do harm.

use std::time::{Duration, Instant};

use super::{error, read};

/// An error within a time that no one notices.
#[track_caller]
fn refused(text: &str) -> String {
    let start = Instant::now();
    let error = error(text);
    assert!(start.elapsed() < Duration::from_secs(10), "{error}");
    assert!(error.len() < 2000, "{}", error.len());
    error
}

#[test]
fn keys_that_are_there_twice() {
    let twice = refused("steps:\n- type: load\n  params:\n    file_path: a\n    file_path: b\n");
    assert!(twice.starts_with("p.yaml, line 5, column 5: "), "{twice}");
    assert!(twice.contains("file_path"), "{twice}");
}

#[test]
fn what_is_no_yaml() {
    for text in [
        "a: [1\n",
        "a: b: c\n",
        "\t- x\n",
        "a: &x [*x]\n",
        "a: *x\n",
        "'",
        "- {",
        "a: \"\\q\"\n",
    ] {
        let error = refused(text);
        assert!(error.starts_with("p.yaml, line "), "{text:?}: {error}");
    }
    refused("a: \0\n");
}

#[test]
fn deep_nesting() {
    for text in [
        format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)),
        "[".repeat(1000),
        "- ".repeat(50_000),
        "{a: ".repeat(1000),
        (0..2000)
            .map(|n| format!("{}a:\n", " ".repeat(n)))
            .collect(),
    ] {
        refused(&text);
    }
    // Aliases, whose depths add up.
    let list = |inner: &str| format!("{}{inner}{}", "[".repeat(20), "]".repeat(20));
    let text = format!(
        "metadata:\n  a: &a {}\n  b: &b {}\n  c: &c {}\n  d: {}\nsteps: [{{type: cache}}]\n",
        list("x"),
        list("*a"),
        list("*b"),
        list("*c"),
    );
    let deep = refused(&text);
    assert!(deep.contains("nested more than 64 deep"), "{deep}");
}

#[test]
fn laughter() {
    let mut text = String::from("metadata:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for n in 1..10 {
        let alias = format!("*a{}", n - 1);
        let aliases = vec![alias; 10].join(", ");
        text += &format!("  a{n}: &a{n} [{aliases}]\n");
    }
    refused(&format!("{text}steps: [{{type: cache}}]\n"));

    // The same with placeholders.
    let mut text = String::from("parameters:\n  a0: [x, x, x, x, x, x, x, x, x, x]\n");
    for n in 1..10 {
        let name = format!("'${{parameters.a{}}}'", n - 1);
        text += &format!("  a{n}: [{}]\n", vec![name; 10].join(", "));
    }
    let grown = refused(&format!("{text}steps: [{{type: cache}}]\n"));
    assert!(
        grown.contains("placeholders grow to more than 32 MiB"),
        "{grown}"
    );

    let mut text = format!("parameters:\n  a0: {}\n", "x".repeat(1000));
    for n in 1..10 {
        text += &format!(
            "  a{n}: {}\n",
            format!("${{parameters.a{}}}", n - 1).repeat(50)
        );
    }
    let grown = refused(&format!("{text}steps: [{{type: cache}}]\n"));
    assert!(
        grown.contains("placeholders grow to more than 32 MiB"),
        "{grown}"
    );
}

#[test]
fn long_files() {
    let long = refused(&format!("name: {}\n", "x".repeat(5 << 20)));
    assert_eq!(long, "p.yaml: is longer than 4 MiB: this is no pipeline");
    let many = refused(&format!(
        "metadata: [{}]\nsteps: [{{type: cache}}]\n",
        "1,".repeat(200_000)
    ));
    assert!(many.contains("more than 100000 values"), "{many}");
}

#[test]
fn placeholders_inside_one_another() {
    let nested = format!("{}x{}", "${".repeat(100_000), "}".repeat(100_000));
    let error = refused(&format!("name: '{nested}'\nsteps: [{{type: cache}}]\n"));
    assert!(error.contains("more than 10 deep"), "{error}");
    // None of these is one.
    let open = "${".repeat(100_000);
    read(&format!("name: '{open}'\nsteps: [{{type: cache}}]\n"));
}

#[test]
fn anchors_and_merged_keys_do_no_harm() {
    let text = "\
metadata:
  defaults: &defaults {chunk_size: 5, file_format: csv}
steps:
- type: load
  params:
    <<: *defaults
    file_path: a
    file_format: tsv
";
    let params = &read(text).steps[0].params;
    assert_eq!(params.integer("chunk_size"), Some(5));
    assert_eq!(params.text("file_format"), Some("tsv"));
}

#[test]
fn long_names() {
    let long = "x".repeat(1 << 20);
    refused(&format!("- type: {long}\n"));
    refused(&format!(
        "name: '${{parameters.{long}}}'\nsteps: [{{type: cache}}]\n"
    ));
    refused(&format!(
        "- {{type: load, params: {{path: a, file_format: {long}}}}}\n"
    ));
    refused(&format!(
        "- {{type: load, params: {{path: a, chunk_size: {long}}}}}\n"
    ));
}
