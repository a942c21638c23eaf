//! The pipelines of `examples`, run as they are.

use std::path::Path;

use biotide::pipeline::run::Status;

use crate::docs::root;
use crate::pipeline::run;
use crate::support;
use crate::support::bin::command;

/// A copy of an example, as a run notes beside its pipeline how far it is.
fn example(folder: &Path, name: &str) -> String {
    let text = std::fs::read(root().join("examples/pipelines").join(name)).unwrap();
    support::write(&folder.join(name), text)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_seeds_metabolomics_example_runs_as_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let yaml =
        std::fs::read_to_string(root().join("examples/pipelines/metabolomics.yaml")).unwrap();
    let out = folder.path().join("ids.csv").display().to_string();
    let data = format!("{}/tests/data/", root().display());
    let yaml = yaml
        .replace("tests/data/", &data)
        .replace("\"metabolite_ids.csv\"", &format!("\"{out}\""));
    let report = run(&support::context(), &yaml).await;
    let text = std::fs::read_to_string(&out).unwrap();
    assert!(text.starts_with("name,hmdb_id,kegg_id\n"), "{text}");
    let source = root().join("tests/data/arivale/metabolomics_metadata_13line.tsv");
    let lines = std::fs::read_to_string(source).unwrap().lines().count() as u64;
    // 13 lines of titles, and the header.
    assert_eq!(report.rows + report.rejected, lines - 14);
    assert_eq!((report.status, report.sinks.len()), (Status::Success, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_olink_file_becomes_a_table_of_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("olink.db").display().to_string();
    let yaml = example(folder.path(), "olink.yaml");
    let run = || {
        let output = command(["run", &yaml, "--report", "json"])
            .current_dir(root())
            .arg(format!("--set=database=sqlite:{database}"))
            .output()
            .unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{text}");
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let first = run();
    assert_eq!(first["sinks"][0]["format"], "sqlite");
    let rows = first["sinks"][0]["rows"].as_u64().unwrap();
    assert!(rows > 2900, "{first}");
    // A run takes the place of the one before.
    assert_eq!(run()["sinks"][0]["rows"].as_u64(), Some(rows));
    let checks = first["checks"].as_array().unwrap();
    assert_eq!(checks.len(), 2, "{checks:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_shows_columns_and_plans_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("olink.db");
    let yaml = example(folder.path(), "olink.yaml");
    let output = command(["run", &yaml, "--dry-run"])
        .current_dir(root())
        .arg(format!("--set=database=sqlite:{}", database.display()))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    for part in [
        "assays (load)",
        "    target: Utf8",
        "XrefExec",
        "table (sink)",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    assert!(!database.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_other_form_goes_to_postgres() {
    let Ok(server) = std::env::var("BIOTIDE_TEST_POSTGRES") else {
        println!("no PostgreSQL: BIOTIDE_TEST_POSTGRES is not set");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let yaml = example(folder.path(), "postgres.yaml");
    let output = command(["run", &yaml, "--report", "json"])
        .current_dir(root())
        .arg(format!("--set=server={server}"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["sinks"][0]["format"], "postgres");
    assert!(report["rows"].as_u64().unwrap() > 2900, "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_rows_go_to_postgres_by_another_database() {
    let Ok(server) = std::env::var("BIOTIDE_TEST_POSTGRES") else {
        println!("no PostgreSQL: BIOTIDE_TEST_POSTGRES is not set");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    // (Another test has a table called proteins.)
    let yaml = example(folder.path(), "olink.yaml");
    let text = std::fs::read_to_string(&yaml).unwrap();
    std::fs::write(&yaml, text.replace("/proteins\n", "/olink_example\n")).unwrap();
    let sqlite = format!("sqlite:{}", folder.path().join("o.db").display());
    for database in [&sqlite, &server] {
        let output = command(["run", &yaml, "--quiet"])
            .current_dir(root())
            .arg(format!("--set=database={database}"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    // (SQLite has lists as text.)
    let counted = |database: &str| {
        format!(
            "SELECT assay, uniprot, target, predicate, verdict, count(*) AS n FROM '{database}/olink_example' \
             GROUP BY assay, uniprot, target, predicate, verdict"
        )
    };
    let difference = format!("{} EXCEPT {}", counted(&sqlite), counted(&server));
    let all = format!("SELECT count(*) FROM '{server}/olink_example'");
    let context = crate::support::context();
    assert!(
        crate::support::query(&context, &difference)
            .await
            .0
            .is_empty()
    );
    assert_eq!(crate::support::query(&context, &all).await.0, [["8810"]]);
}
