//! `inspect`: what it finds, and in what form it says so.

use std::path::Path;

use biotide::prelude::*;
use serde_json::Value;

use crate::support::{self, bin, data_file, query};

async fn inspect(inputs: &[&str], full: bool) -> Inspection {
    let request = InspectRequest {
        inputs: inputs.iter().map(|input| (*input).to_owned()).collect(),
        full,
        ..InspectRequest::default()
    };
    support::context().inspect(request).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_messy_export_is_understood() {
    let path = data_file("made/metabolomics.tsv");
    let found = inspect(&[&path], false).await;
    assert_eq!((found.rows, found.rows_exact), (Some(200), true));
    assert_eq!(found.files[0].encoding, "windows-1252");
    let warned = |what: &str| found.warnings.iter().any(|warning| warning.contains(what));
    assert!(warned("starts on line 14"), "{:?}", found.warnings);
    assert!(warned("gene symbols that a spreadsheet has made dates"));
    assert!(warned("1 line below the table is taken for a note"));
    assert_eq!((found.rejects.len(), found.rejects[0].line), (1, 215));
    let column = |name: &str| {
        found
            .columns
            .iter()
            .find(|column| column.name == name)
            .unwrap()
    };
    let concentration = column("Concentration (µmol/l)");
    assert_eq!(concentration.data_type, "float64");
    assert_eq!(concentration.profile.values, 188);
    assert!((concentration.profile.null_share - 0.06).abs() < 1e-9);
    assert_eq!(concentration.evidence, "188 floats, 12 NULLs");
    let binned: u64 = concentration
        .profile
        .histogram
        .iter()
        .map(|bin| bin.count)
        .sum();
    assert_eq!(binned, 188);
    let metabolite = &column("Metabolite").profile;
    assert_eq!(
        (metabolite.distinct, metabolite.min.as_deref()),
        (4, Some("Alanine"))
    );
    assert_eq!(metabolite.frequent[0].count, 50);
    assert_eq!(column("Date").profile.max.as_deref(), Some("2023-09-19"));

    // What is written down reads it the same way.
    let call = found.read_as(&[path]);
    let sql = format!("SELECT count(*), sum(\"Concentration (µmol/l)\") > 0 FROM {call}");
    let (rows, report) = query(&support::context(), &sql).await;
    assert_eq!(rows, [["200", "true"]]);
    assert_eq!(report.rejected, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_is_enough_unless_all_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let text: String = std::iter::once("id\tx\n".to_owned())
        .chain((0..150_000).map(|i| format!("{i}\t{}\n", i % 10)))
        .collect();
    let path = support::write(&folder.path().join("a.tsv"), text);
    let part = inspect(&[&path], false).await;
    assert_eq!((part.rows_read, part.rows_exact), (100_000, false));
    let guess = part.rows.unwrap();
    assert!((140_000..160_000).contains(&guess), "{guess}");
    let all = inspect(&[&path], true).await;
    assert_eq!(
        (all.rows, all.rows_read, all.rows_exact),
        (Some(150_000), 150_000, true)
    );
    assert_eq!(all.columns[0].profile.max.as_deref(), Some("149999"));
    let distinct = all.columns[0].profile.distinct as f64;
    assert!((distinct / 150_000.0 - 1.0).abs() < 0.08, "{distinct}");
    assert_eq!(all.columns[1].profile.histogram.len(), 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_differ_are_named() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("a.csv", "id,x\n1,2\n"),
        ("b.csv", "id,x\n3,4\n"),
        ("c.csv", "x,id,new\n1,2,3\n"),
    ] {
        support::write(&folder.path().join(name), text);
    }
    let found = inspect(&[&format!("{}/*.csv", folder.path().display())], false).await;
    assert_eq!(found.files.len(), 3);
    assert_eq!(found.different.len(), 1);
    assert!(found.different[0].file.ends_with("c.csv"));
    assert_eq!(
        found.different[0].difference,
        "it has a column \"new\" more"
    );
}

#[test]
fn people_programs_and_pages_are_served() {
    let path = data_file("made/metabolomics.tsv");
    let people = bin::run(["inspect", &path]).exits(0);
    for expected in [
        "windows-1252 · 200 rows",
        "header on line 14",
        "read as read_tsv('",
        " Concentration (µmol/l) │ float64 │ 6.0 % ",
        "line 215: it stands below the table, and is no row of it",
    ] {
        assert!(
            people.stdout.contains(expected),
            "{expected}\n{}",
            people.stdout
        );
    }
    let json = bin::run(["inspect", &path, "--json"]).exits(0);
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["columns"][2]["type"], "float64");
    assert_eq!(json["columns"][2]["values"], 188);
    assert_eq!(json["files"][0]["encoding"], "windows-1252");
    assert_eq!(json["scan"]["rejected"], 1);
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    bin::run(["inspect", &path, "--html", &page.display().to_string()])
        .exits(0)
        .says("5 columns");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.trim_end().ends_with("</html>"));
    assert!(page.contains("µmol/l") && page.contains("<svg") && !page.contains("http"));
    bin::run(["inspect", "/nowhere.tsv"])
        .exits(1)
        .says("there is no such file");
    bin::run(["inspect"]).exits(2);
}

#[test]
fn parquet_is_looked_at_too() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("p.parquet").display().to_string();
    bin::convert(&[&data_file("made/metabolomics.tsv"), &out]);
    let json = bin::run(["inspect", &out, "--json"]).exits(0);
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(
        (&json["rows"], &json["columns"][2]["values"]),
        (&200.into(), &188.into())
    );
    assert_eq!(json["columns"][4]["evidence"], "declared");
    bin::run(["inspect", &out]).exits(0);
}

/// Markup in names and values stays text.
#[test]
fn a_page_shows_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let table = support::write(
        &folder.path().join("x.csv"),
        "<script>alert(1)</script>,b\n<img src=x onerror=alert(2)>,1\n\"&\"\"<\",2\n",
    );
    let page = folder.path().join("p.html");
    bin::run(["inspect", &table, "--html", &page.display().to_string()]).exits(0);
    let page = std::fs::read_to_string(Path::new(&page)).unwrap();
    assert!(
        !page.contains("<script>") && !page.contains("<img"),
        "{page}"
    );
    assert!(page.contains("&lt;script&gt;") && page.contains("&amp;&quot;&lt;"));
}
