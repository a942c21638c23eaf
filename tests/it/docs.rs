//! The documentation says what is so: generated pages, the commands it shows, links, examples.
//!
//! `BIOTIDE_BLESS=1` writes generated files anew instead of comparing them.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, SchemaRef};
use biotide_text::problem::{Action, Reason};

use crate::support;

const GENERATED: &str = "<!-- Generated: BIOTIDE_BLESS=1 scripts/test --test it -- docs -->\n\n";

/// The repository.
pub(crate) fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap().to_owned()
}

/// Asserts that a file of the repository holds this text, or writes it where that was asked for.
#[track_caller]
pub(crate) fn same_as_file(file: &str, text: &str) {
    let path = root().join(file);
    if std::env::var_os("BIOTIDE_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        return;
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = written.lines().zip(text.lines()).position(|(a, b)| a != b);
    let line = differs.unwrap_or_else(|| written.lines().count().min(text.lines().count()));
    assert!(
        written == text,
        "{file} differs from line {} on; is now: {:?}\nIf that is meant, run with BIOTIDE_BLESS=1.",
        line + 1,
        text.lines().nth(line),
    );
}

/// A cell of a Markdown table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[test]
fn options_reference() {
    let mut page = String::from(GENERATED);
    page.push_str(
        "# Options\n\n\
         One name everywhere. For `on_error`, say:\n\n\
         | where | how |\n|---|---|\n\
         | command line | `--on-error lenient`; a boolean needs no value: `--skip-empty`, and `header` has `--no-header` |\n\
         | command line, any key | `--set on_error=lenient`, or a line `on_error = lenient` in the file of `--config` |\n\
         | session | `SET biotide.on_error = 'lenient'`, `RESET biotide.on_error` |\n\
         | one file | `FROM read_tsv('a.tsv', on_error => 'lenient')`; lists as `['a', 'b']` or `'a,b'` |\n\
         | table | `CREATE EXTERNAL TABLE … OPTIONS ('on_error' 'lenient')` |\n\
         | Rust | `BiotideContext::builder().option(\"on_error\", \"lenient\")` |\n\n\
         What is said closer to the file wins: argument or table option, then session, then default.\n\
         `SELECT * FROM system.options` shows what is set.\n\n\
         | option | takes | default | |\n|---|---|---|---|\n",
    );
    for option in biotide::options() {
        let (kind, default, doc) = (cell(option.kind), cell(option.default), cell(option.doc));
        writeln!(page, "| `{}` | {kind} | {default} | {doc} |", option.name).unwrap();
    }
    same_as_file("sql/reference/options.md", &page);
}

fn sql_type(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Int64 => "integer",
        DataType::Utf8 | DataType::Utf8View => "text",
        other => panic!("{other} has no name in the reference"),
    }
}

/// What a column of a system table holds.
fn column_doc(table: &str, column: &str) -> &'static str {
    match (table, column) {
        ("rejects", "query_id") => "number of the statement in this process",
        ("rejects", "source") => "path or URL of the file",
        ("rejects", "record") => {
            "number of the record, from 1; the header is not counted; NULL: not known, as a mapping or a step \
             of a pipeline has refused the row after it was read"
        }
        ("rejects", "line") => "physical line on which the record starts, from 1; 0: not known",
        ("rejects", "offset") => "byte offset of the record, in the decompressed text",
        ("rejects", "length") => "bytes of the record, its line end not counted",
        ("rejects", "column") => "for a value, its column",
        ("rejects", "reason") => "a code, see below",
        ("rejects", "message") => "a sentence for a person",
        ("rejects", "raw") => "text of the record, or of the value; at most 1024 bytes of it",
        ("rejects", "action") => "what was done, see below",
        ("options", "name") => "name",
        ("options", "value") => "what it is set to; NULL if it is not set",
        ("options", "default") => "what holds then",
        ("options", "kind") => "what it takes",
        ("functions", "name") => "name",
        ("functions", "kind") => "scalar, aggregate, window or table",
        ("functions", "syntax") => "how to call it",
        ("prefixes", "prefix") => "the canonical form",
        ("prefixes", "preferred") => "as its owners write it, if that differs",
        ("prefixes", "name") => "what it stands for",
        ("prefixes", "synonyms") => "other spellings, between bars",
        ("prefixes", "pattern") => "the regular expression of its local identifiers",
        ("prefixes", "iri_prefix") => "its IRIs are this and a local identifier",
        ("prefixes", "release") => "the release of the registry",
        ("parsers", "name") => "by which results tell which parser made them",
        ("parsers", "priority") => {
            "of parsers that are as sure, that of the higher one comes first"
        }
        ("parsers", "types") => "what it supports, between bars",
        ("options" | "functions", "description") => "what it does",
        _ => panic!("system.{table} has a column {column}: say here what it holds"),
    }
}

fn reason_doc(reason: Reason) -> &'static str {
    match reason {
        Reason::TooFewFields => "fewer fields than columns",
        Reason::TooManyFields => "more fields than columns",
        Reason::UnterminatedQuote => "a quoted field that is never closed",
        Reason::TextAfterQuote => "text between a closing quote and the delimiter",
        Reason::InvalidUtf8 => "bytes that are not UTF-8",
        Reason::RecordTooLong => "a record longer than `max_record_bytes`",
        Reason::Footnote => "a line below the table; it counts as no error",
        Reason::BadValue => "a value that is not of its column's type",
        Reason::InvalidJson => "a line, or a value of a list, that is not JSON",
        Reason::NotAnObject => "JSON that is not an object",
        Reason::OutOfRange => {
            "a number too large, or too close to zero, for its column's type; or beyond the bounds of its column"
        }
        Reason::UndeclaredPrefix => "an identifier whose prefix the file does not declare (SSSOM)",
        Reason::MissingValue => "no value where every row must have one (SSSOM)",
        Reason::NoIdentifier => "not an identifier with a prefix, in a row of a mapping",
        Reason::UnknownValue => {
            "a value that is none of those that its column may have (SSSOM, mappings)"
        }
    }
}

fn action_doc(action: Action) -> &'static str {
    match action {
        Action::Rejected => "the row was set aside",
        Action::Repaired => "the row was kept, changed (`on_error = 'lenient'`)",
        Action::Nulled => "the row was kept, the value became NULL (`on_bad_value = 'null'`)",
    }
}

async fn schema(table: &str) -> SchemaRef {
    let sql = format!("SELECT * FROM system.{table}");
    support::context().sql(&sql).await.unwrap().schema()
}

#[tokio::test]
async fn tables_reference() {
    let mut page = String::from(GENERATED);
    page.push_str("# System tables\n");
    for (table, what) in [
        (
            "rejects",
            "Bad rows and values of the last 16 finished statements that read files: each once, however \
             often its file was read. `--rejects FILE` (or the option `rejects`) writes \
             them to a file, those of all statements of a run: JSON Lines, CSV or TSV (without \
             `query_id`), or Parquet.",
        ),
        ("options", "Every option, see [options](options.md)."),
        (
            "functions",
            "Every function of this session, see [functions](functions.md).",
        ),
        (
            "prefixes",
            "The prefixes of the [Bioregistry](https://bioregistry.io) (CC0) that the identifier functions know, \
             or those of the file that `identifiers.registry` names.",
        ),
        (
            "parsers",
            "The parsers that `parse_identifier` and `id_kind` ask, in the order in which they are tried: built in, \
             of the program, and of the file that `identifiers.parsers` names.",
        ),
    ] {
        write!(page, "\n## system.{table}\n\n{what}\n\n").unwrap();
        page.push_str("| column | type | |\n|---|---|---|\n");
        for field in schema(table).await.fields() {
            let (name, ty) = (field.name(), sql_type(field.data_type()));
            writeln!(page, "| `{name}` | {ty} | {} |", column_doc(table, name)).unwrap();
        }
        if table == "rejects" {
            page.push_str("\n| reason | |\n|---|---|\n");
            for reason in Reason::ALL {
                writeln!(page, "| `{reason}` | {} |", reason_doc(reason)).unwrap();
            }
            // (Of pipelines, which no reader knows.)
            page.push_str(
                "| `empty_identifier` | a row without the identifier it must have (`load_dataset_identifiers`); it counts as \
                 no error |\n\
                 | `invalid_identifier` | an identifier that is none of its type (`load_dataset_identifiers`) |\n",
            );
            page.push_str("\n| action | |\n|---|---|\n");
            for action in [Action::Rejected, Action::Repaired, Action::Nulled] {
                writeln!(page, "| `{}` | {} |", action.code(), action_doc(action)).unwrap();
            }
        }
    }
    same_as_file("sql/reference/tables.md", &page);
}

#[tokio::test]
async fn functions_reference() {
    let sql = "SELECT kind, name, syntax, description FROM system.functions ORDER BY kind, name";
    let mut statement = support::context().sql(sql).await.unwrap();
    let mut page = String::from(GENERATED);
    page.push_str("# Functions\n");
    let (mut tables, mut others) = (String::new(), String::new());
    let mut last = String::new();
    for batch in statement.collect().await.unwrap() {
        let column = |i: usize| batch.column(i).as_string::<i32>().clone();
        let (kinds, names, syntax, docs) = (column(0), column(1), column(2), column(3));
        for row in 0..batch.num_rows() {
            let (kind, name) = (kinds.value(row), names.value(row));
            if kind == "table" {
                assert!(!syntax.is_null(row) && !docs.is_null(row), "{name}");
                let (syntax, doc) = (cell(syntax.value(row)), cell(docs.value(row)));
                writeln!(tables, "| `{syntax}` | {doc} |").unwrap();
                continue;
            }
            if kind != last {
                let end = if last.is_empty() { "" } else { ".\n" };
                write!(others, "{end}\n## {}\n\n`{name}`", title(kind)).unwrap();
                kind.clone_into(&mut last);
            } else {
                write!(others, ",\n`{name}`").unwrap();
            }
        }
    }
    page.push_str("\n## Table functions\n\n| call | |\n|---|---|\n");
    page.push_str(&tables);
    let mut own = String::from("\n## Identifier functions\n");
    for function in biotide::functions() {
        let doc = function.documentation().unwrap();
        write!(
            own,
            "\n### {}\n\n`{}`\n\n{}\n\n",
            function.name(),
            doc.syntax_example,
            doc.description
        )
        .unwrap();
        for (name, what) in doc.arguments.iter().flatten() {
            writeln!(own, "- `{name}`: {what}").unwrap();
        }
        let (call, answer) = doc
            .sql_example
            .as_deref()
            .unwrap()
            .split_once(" -- ")
            .unwrap();
        writeln!(own, "\n`{call}` → `{answer}`").unwrap();
        let answered = support::value(&support::context(), call).await;
        assert_eq!(answered, answer, "{call}");
    }
    page.push_str(
        "\nThe options are those of [options](options.md). Several files: `['a.tsv', 'b.tsv']`, or a glob.\n\
         \nThose on [identifiers](#identifier-functions) are Biotide's. All others are DataFusion's: `SELECT syntax, description FROM system.functions WHERE name = \
         'split_part'` tells what one does.\n",
    );
    page.push_str(&others);
    page.push_str(".\n");
    page.push_str(&own);
    same_as_file("sql/reference/functions.md", &page);
}

fn title(kind: &str) -> String {
    let (first, rest) = kind.split_at(1);
    format!("{}{rest} functions", first.to_uppercase())
}

/// Every page of the repository that is written by hand or made here.
fn pages() -> Vec<PathBuf> {
    let folders = ["", "benches", "sql", "sql/reference", "tests"];
    let mut pages = Vec::new();
    for folder in folders {
        let entries = std::fs::read_dir(root().join(folder)).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        pages.extend(paths.filter(|path| path.extension().is_some_and(|e| e == "md")));
    }
    assert!(pages.len() > 5);
    pages
}

#[test]
fn links_lead_somewhere() {
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1) {
            let target = link.split([')', '#']).next().unwrap();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            let path = page.with_file_name("").join(target);
            assert!(path.exists(), "{}: {target} does not exist", page.display());
        }
    }
}

/// What is shown after `$ ` in a block of `console`, and what it answers.
#[derive(Debug, Default)]
struct Shown {
    command: String,
    answer: Vec<String>,
}

fn shown(page: &str) -> Vec<Shown> {
    let mut all = Vec::new();
    for block in page.split("```console\n").skip(1) {
        let block = block.split("```").next().unwrap();
        for command in block.split("$ ").skip(1) {
            let mut shown = Shown::default();
            let mut lines = command.lines();
            for line in lines.by_ref() {
                writeln!(shown.command, "{line}").unwrap();
                let quotes = shown.command.matches('"').count();
                if quotes.is_multiple_of(2) && !line.ends_with('\\') {
                    break;
                }
            }
            shown.answer = lines.map(stable).collect();
            all.push(shown);
        }
    }
    all
}

/// A line without what is another in every run: `8 rows in 2 ms`, `9 rows, 1 kB read, …`.
fn stable(line: &str) -> String {
    let mut words = line.split_inclusive(' ');
    let count: String = words.by_ref().take(2).collect();
    let is_count = ["row ", "rows ", "rows, "]
        .iter()
        .any(|end| count.ends_with(end));
    match is_count && count.starts_with(|c: char| c.is_ascii_digit()) {
        true => count.trim_end().to_owned(),
        false => line.trim_end().to_owned(),
    }
}

/// The command as a terminal would have it: with results as tables.
#[cfg(unix)]
fn on_a_terminal(command: &str) -> String {
    let elsewhere = [" -o ", "--output-format", "|", " >"];
    match elsewhere.iter().any(|part| command.contains(part)) {
        true => command.to_owned(),
        false => command.replacen("biotide sql", "biotide sql --output-format table", 1),
    }
}

/// Runs the commands of a page in a folder that looks like the repository, one after the other.
#[cfg(unix)]
fn run_shown(page: &str) {
    use std::os::unix::fs::symlink;
    use std::process::{Command, Stdio};

    let folder = tempfile::tempdir().unwrap();
    for part in ["tests", "sql"] {
        symlink(root().join(part), folder.path().join(part)).unwrap();
    }
    // (A run notes beside its pipeline how far it is.)
    let pipelines = folder.path().join("examples/pipelines");
    std::fs::create_dir_all(&pipelines).unwrap();
    for name in ["olink.yaml", "postgres.yaml"] {
        let from = root().join("examples/pipelines").join(name);
        std::fs::copy(from, pipelines.join(name)).unwrap();
    }
    let here = format!("{}/", folder.path().canonicalize().unwrap().display());
    let commands = shown(&std::fs::read_to_string(root().join(page)).unwrap());
    assert!(!commands.is_empty(), "{page} shows no command");
    for shown in commands {
        let command = on_a_terminal(&shown.command);
        let script = format!("biotide() {{ \"$BIOTIDE\" \"$@\"; }}; exec 2>&1; {command}");
        let output = Command::new("sh")
            .args(["-c", &script])
            .env("BIOTIDE", support::bin::path())
            .current_dir(&folder)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap().replace(&here, "");
        let said: Vec<String> = said.lines().map(stable).collect();
        assert_eq!(said, shown.answer, "{page}, the answer to: {command}");
    }
}

#[cfg(unix)]
#[test]
fn the_readme_shows_what_happens() {
    run_shown("README.md");
}

#[cfg(unix)]
#[test]
fn the_sql_guide_shows_what_happens() {
    run_shown("sql/README.md");
}

/// The examples, run as they are.
mod examples {
    mod quickstart {
        include!("../../examples/quickstart.rs");

        #[test]
        fn runs() {
            main().unwrap();
        }
    }

    mod convert {
        include!("../../examples/convert.rs");

        #[test]
        fn runs() {
            main().unwrap();
        }
    }

    mod custom_action {
        include!("../../examples/custom_action.rs");

        #[test]
        fn runs() {
            main().unwrap();
        }
    }

    mod custom_parser {
        include!("../../examples/custom_parser.rs");

        #[test]
        fn runs() {
            main().unwrap();
        }
    }

    mod custom_function {
        include!("../../examples/custom_function.rs");

        #[test]
        fn runs() {
            main().unwrap();
        }
    }
}
