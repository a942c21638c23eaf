//! What a run that was broken off depends on: it is gone on with only if all of that is as it was.

use std::fmt::Write;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use crate::pipeline::made_file;
use crate::support::bin::{self, Run, command};
use crate::support::{self, text_rows};

const ROWS: usize = 60_000;

fn table(rows: usize, name: &str) -> String {
    let mut text = "id\tname\n".to_owned();
    for i in 0..rows {
        writeln!(text, "A{i:05}\t{name} {i}").unwrap();
    }
    text
}

/// Kills a process when a note of it says that rows are durable. Whether it was in time.
fn kill(mut child: Child, note: &Path) -> bool {
    let durable = || {
        let text = std::fs::read_to_string(note).unwrap_or_default();
        text.contains("\"rows\":") && !text.contains("\"rows\":0,")
    };
    let begin = Instant::now();
    while !durable() && begin.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_micros(200));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    durable()
        && !std::fs::read_to_string(note)
            .unwrap()
            .contains("\"done\":true")
}

fn run_resumed(yaml: &str, more: &[&str]) -> Child {
    let args = ["run", yaml, "--checkpoint-rows", "1000", "--quiet"];
    command(args.iter().chain(more)).spawn().unwrap()
}

fn ended(child: Child) -> Run {
    child.wait_with_output().unwrap().into()
}

/// A pipeline over Parquet, with rules and a mapping, each in a file of its own.
fn pipeline(folder: &Path) -> String {
    let text = support::write(&folder.join("in.tsv"), table(ROWS, "name"));
    let input = folder.join("my in.parquet").display().to_string();
    bin::convert(&[&text, &input]);
    let rules = "field_rules:\n- {source_field: name, transformations: [uppercase]}\n";
    let rules = support::write(&folder.join("rules.yaml"), rules);
    let mut map = "a\tb\n".to_owned();
    for i in 0..ROWS {
        writeln!(map, "A{i:05}\tB{i:05}").unwrap();
    }
    let map = support::write(&folder.join("map.tsv"), map);
    let out = folder.join("out.csv").display().to_string();
    let yaml = format!(
        "mappings:
  kb: pairs('{map}', subject => 'a=hgnc', object => 'b=ensembl')
steps:
- {{type: load, params: {{file_path: '{input}'}}}}
- {{type: normalize, params: {{rules: '{rules}'}}}}
- {{type: cross_reference, params: {{column: id, mapping: kb, namespace: hgnc}}}}
- {{name: out, type: sink, params: {{to: '{out}'}}}}
"
    );
    support::write(&folder.join("p.yaml"), yaml)
}

#[test]
fn each_file_that_rows_are_made_of_is_noticed() {
    for changed in ["my in.parquet", "rules.yaml", "map.tsv"] {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let yaml = pipeline(folder);
        let note = folder.join(".p.yaml.biotide-run");
        assert!(kill(run_resumed(&yaml, &[]), &note), "it was done too soon");
        let file = folder.join(changed);
        if changed.ends_with(".parquet") {
            let other = support::write(&folder.join("other.tsv"), table(ROWS, "other"));
            bin::convert(&[other.as_str(), &file.display().to_string(), "--force"]);
        } else {
            let text = std::fs::read_to_string(&file).unwrap();
            let text = text.replace("B0", "C0").replace("uppercase", "lowercase");
            std::fs::write(&file, text).unwrap();
        }
        let name = changed.replace(' ', "%20");
        let refused = ended(run_resumed(&yaml, &["--resume"])).exits(1);
        assert!(refused.stderr.contains(&name) || refused.stderr.contains(changed));
        refused.says("the run was broken off");
        // Anew it runs.
        ended(run_resumed(&yaml, &[])).exits(0);
    }
}

/// Writes a file again, of text with another word of the same length, and sets its time back.
#[cfg(unix)]
fn write_unseen(file: &Path) {
    let modified = std::fs::metadata(file).unwrap().modified().unwrap();
    let bytes = match String::from_utf8(std::fs::read(file).unwrap()) {
        Ok(text) => text.replace("name", "else").into_bytes(),
        Err(error) => error.into_bytes(),
    };
    std::fs::write(file, bytes).unwrap();
    let file = std::fs::File::options().write(true).open(file).unwrap();
    file.set_modified(modified).unwrap();
}

#[cfg(unix)]
#[test]
fn a_file_whose_time_was_set_back_is_noticed() {
    for name in ["a.tsv", "a.parquet"] {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let at = |name: &str| folder.join(name).display().to_string();
        let text = support::write(&folder.join("a.tsv"), table(100, "name"));
        if name != "a.tsv" {
            bin::convert(&[&text, &at(name)]);
        }
        let yaml = format!(
            "steps:
- {{type: load, params: {{file_path: '{}'}}}}
- {{name: one, type: sink, params: {{to: '{}', mode: replace}}}}
- {{name: b, type: load, params: {{file_path: '{}'}}}}
- {{name: two, type: sink, params: {{to: '{}', mode: replace}}}}
",
            at(name),
            at("one.csv"),
            at("b.tsv"),
            at("two.csv")
        );
        let yaml = support::write(&folder.join("p.yaml"), yaml);
        bin::run(["run", &yaml]).exits(1).says("b.tsv");
        support::write(&folder.join("b.tsv"), table(1, "name"));
        write_unseen(&folder.join(name));
        bin::run(["run", &yaml, "--resume"])
            .exits(1)
            .says(name)
            .says("it was changed or replaced since the run was broken off: its times differ");
        bin::run(["run", &yaml]).exits(0);
        bin::run(["run", &yaml, "--resume"]).exits(0);
    }
}

#[cfg(unix)]
#[test]
fn a_cache_is_made_anew_where_a_time_was_set_back() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let at = |name: &str| folder.join(name).display().to_string();
    support::write(&folder.join("a.tsv"), table(100, "name"));
    let yaml = format!(
        "steps:
- {{type: load, params: {{file_path: '{}'}}}}
- {{type: cache, params: {{path: '{}'}}}}
- {{type: sink, params: {{to: '{}', mode: replace}}}}
",
        at("a.tsv"),
        at("k.parquet"),
        at("o.csv")
    );
    let yaml = support::write(&folder.join("p.yaml"), yaml);
    let is_kept = || {
        let run = bin::run(["run", &yaml, "--report", "json"]).exits(0);
        run.report()["steps"][1]["kept"] == true
    };
    assert!(!is_kept());
    assert!(is_kept());
    // Of what it is made, and itself.
    for file in ["a.tsv", "k.parquet"] {
        write_unseen(&folder.join(file));
        assert!(!is_kept(), "{file}");
        assert!(is_kept(), "{file}");
    }
    let written = std::fs::read_to_string(at("o.csv")).unwrap();
    assert!(written.contains("else 7"), "{written}");
}

/// Unchanged it goes on.
#[tokio::test]
async fn the_same_files_are_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let yaml = pipeline(folder);
    let note = folder.join(".p.yaml.biotide-run");
    assert!(kill(run_resumed(&yaml, &[]), &note), "it was done too soon");
    ended(run_resumed(&yaml, &["--resume"])).exits(0);
    let out = folder.join("out.csv").display().to_string();
    let sql = format!("SELECT count(*), count(DISTINCT id), count(DISTINCT name) FROM '{out}'");
    let mut counts = support::context().sql(&sql).await.unwrap();
    let counts = text_rows(&counts.collect().await.unwrap());
    let all = ROWS.to_string();
    assert_eq!(counts, [[all.as_str(), &all, &all]]);
}

/// Which rows there are is chance: rows of two runs do not belong together.
#[tokio::test]
async fn random_rows_begin_anew() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let input = support::write(&folder.join("in.tsv"), table(ROWS, "name"));
    let out = folder.join("out.csv").display().to_string();
    for condition in ["random() < 0.5", "now() > TIMESTAMP '2020-01-01'"] {
        let yaml = format!(
            "steps:
- {{type: load, params: {{file_path: '{input}'}}}}
- {{type: filter, params: {{condition: \"{condition}\"}}}}
- {{name: out, type: sink, params: {{to: '{out}', mode: replace}}}}
"
        );
        let yaml = support::write(&folder.join("p.yaml"), yaml);
        let mut child = run_resumed(&yaml, &[]);
        std::thread::sleep(Duration::from_millis(120));
        child.kill().unwrap();
        child.wait().unwrap();
        ended(run_resumed(&yaml, &["--resume"])).exits(0);
        let sql = format!("SELECT count(*), count(DISTINCT id) FROM '{out}'");
        let mut counts = support::context().sql(&sql).await.unwrap();
        let counts = text_rows(&counts.collect().await.unwrap());
        assert_eq!(counts[0][0], counts[0][1], "{condition}");
        let note = std::fs::read_to_string(folder.join(".p.yaml.biotide-run")).unwrap();
        assert!(!note.contains("\"durable\":{"), "{note}");
    }
}

#[test]
fn a_conversion_that_cannot_be_gone_on_with_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let text = support::write(&folder.join("in.tsv"), table(1000, "name"));
    let path = |name: &str| folder.join(name).display().to_string();
    let table = format!("sqlite:{}/t", path("own.db"));
    bin::convert(&[&text, &table]);
    let refused = |from: &str, to: &str, more: &[&str], problem: &str| {
        let args = [&["convert", from, to, "--quiet"], more].concat();
        bin::run(args).exits(1).says(problem);
    };
    let other = format!("sqlite:{}/t", path("other.db"));
    refused(&table, &other, &["--resume"], "its input has no order");
    refused(&text, "-", &["--resume"], "standard output");
    let beside = format!("sqlite:{}/u", path("own.db"));
    refused(&table, &beside, &[], "the same SQLite file");
    refused(&table, &table, &["--force"], "the same");
    bin::convert(&[&table, &other]);
}

/// A file that was replaced since is not what the run wrote, and who begins anew leaves nothing behind.
#[test]
fn what_was_written_over_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let one = support::write(&folder.join("one.tsv"), table(1000, "one"));
    let two = support::write(&folder.join("two.tsv"), table(10, "two"));
    let out = folder.join("out.csv").display().to_string();
    bin::run(["convert", &one, &out, "--resume"]).exits(0);
    bin::run(["convert", &one, &out, "--resume"]).exits(0);
    std::fs::copy(&two, &out).unwrap();
    bin::run(["convert", &one, &out, "--resume"])
        .exits(1)
        .says("something else was written there");
    bin::run(["convert", &two, &out, "--force"]).exits(0);
    assert!(!folder.join(".out.csv.biotide-convert").exists());

    // Broken off, and another one begun without --resume.
    let large = support::write(&folder.join("large.tsv"), table(ROWS, "large"));
    std::fs::remove_file(&out).unwrap();
    let args = [
        "convert",
        &large,
        &out,
        "--resume",
        "--checkpoint-rows",
        "1000",
    ];
    let child = command(args).spawn().unwrap();
    assert!(kill(child, &folder.join(".out.csv.biotide-convert")));
    bin::run(["convert", &two, &out, "--resume"])
        .exits(1)
        .says("without --resume to begin anew");
    bin::run(["convert", &two, &out]).exits(0);
    let left: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with('.'))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    std::fs::remove_file(&out).unwrap();
    bin::run(["convert", &one, &out, "--resume"]).exits(0);
}

/// Two runs at once never read what the other one has made of something else.
#[test]
fn runs_that_share_the_file_of_a_cache_have_their_own_rows() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let file = made_file(folder.path(), "in.csv", "i,k\n1,7\n");
    let yaml = |name: &str, times: u32| {
        let text = format!(
            "steps:
- {{type: load, params: {{file_path: '{file}'}}}}
- {{type: derive, params: {{columns: {{z: k * {times}}}}}}}
- {{type: cache, params: {{path: '{}'}}}}
- {{type: sink, params: {{to: '{}', mode: replace}}}}",
            at("c.parquet"),
            at(&format!("{name}.csv"))
        );
        made_file(folder.path(), &format!("{name}.yaml"), &text)
    };
    let [twice, thrice, again] = [("a", 2), ("b", 3), ("c", 2)].map(|(name, n)| yaml(name, n));
    for _ in 0..4 {
        let runs = [(&twice, "a", 14), (&thrice, "b", 21), (&again, "c", 14)];
        let begun = runs.map(|(yaml, name, z)| {
            let child = bin::command(["run", yaml, "-q"]).spawn().unwrap();
            (child, name, z)
        });
        let mut ended = 0;
        for (child, name, z) in begun {
            let run = Run::from(child.wait_with_output().unwrap());
            match run.code {
                Some(0) => {
                    let rows = std::fs::read_to_string(at(&format!("{name}.csv"))).unwrap();
                    assert_eq!(rows, format!("i,k,z\n1,7,{z}\n"));
                    ended += 1;
                }
                // (The others have not ended for long.)
                _ => drop(
                    run.exits(1)
                        .says("another run has made it of other steps or files"),
                ),
            }
        }
        assert!(ended > 0);
    }
}
