//! What is large in one place: hubs, lists, prefixes.

use arrow::array::{Array, AsArray, RecordBatch};
use biotide::prelude::*;
use futures::TryStreamExt;

use crate::support::{self, bin};

async fn batches(context: &BiotideContext, sql: &str) -> Vec<RecordBatch> {
    let mut statement = context.sql(sql).await.unwrap();
    let stream = statement.stream().await.unwrap();
    stream.try_collect().await.unwrap()
}

async fn star(context: &BiotideContext, n: usize) {
    let sql = format!(
        "CREATE OR REPLACE MAPPING star FROM (SELECT 'a:1' AS subject_id, 'b:' || value AS object_id \
         FROM generate_series(1, {n}))"
    );
    support::query(context, &sql).await;
}

/// The statements of one identifier are more than one batch, and none of them is lost or comes twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_edges_of_a_hub_come_in_several_batches() {
    let context = support::Settings::new(1, 1000).context();
    star(&context, 20_000).await;
    for (sql, n) in [
        ("SELECT object_id FROM mapping_edges('star')", 20_000),
        (
            "SELECT object_id FROM chain_infer('star', max_hops => 1, asserted => true)",
            40_000,
        ),
    ] {
        let batches = batches(&context, sql).await;
        let most = batches.iter().map(RecordBatch::num_rows).max().unwrap();
        assert!(most < 6000, "{sql}: {most}");
        let mut objects = std::collections::BTreeMap::new();
        for batch in &batches {
            for object in batch.column(0).as_string::<i32>().iter().flatten() {
                *objects.entry(object.to_owned()).or_insert(0) += 1;
            }
        }
        assert_eq!(objects.values().sum::<usize>(), n, "{sql}");
        objects.remove("a:1");
        assert!(objects.len() == 20_000 && objects.values().all(|n| *n == 1));
    }
}

/// A batch ends where its lists are long, however few its rows are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_lists_make_small_batches() {
    let context = support::Settings::new(1, 100).context();
    star(&context, 500).await;
    for options in ["policy => 'list', limit => 500", "limit => 500"] {
        let sql = format!(
            "SELECT x.* FROM (SELECT 'a:1' AS id FROM generate_series(1, 5)) AS t, \
             LATERAL xref(t.id, 'star', {options}) AS x"
        );
        let all = batches(&context, &sql).await;
        let rows: usize = all.iter().map(RecordBatch::num_rows).sum();
        assert_eq!(rows, if options.contains("list") { 5 } else { 2500 });
        for batch in &all {
            let paths = batch.column_by_name("paths").unwrap().as_list::<i32>();
            assert!(paths.values().len() < 8 * 100 + 500, "{options}");
            assert!((0..paths.len()).all(|row| paths.value_length(row) == 500));
        }
    }
}

/// Many prefixes that no mapping has are told of alike, on however many threads they are met.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_prefixes_are_unknown_however_many_there_are() {
    for threads in [1, 3] {
        let context = support::Settings::new(threads, 8192).context();
        star(&context, 1).await;
        let sql = "SELECT DISTINCT x.verdict FROM (SELECT 'q' || value || ':1' AS id FROM generate_series(1, 80000)) \
                   AS t, LATERAL xref(t.id, 'star') AS x";
        let (rows, _) = support::query(&context, sql).await;
        assert_eq!(rows, [["unmapped"]], "{threads} threads");
        let sql = "CREATE MAPPING many FROM (SELECT 'q' || value || ':1' AS subject_id, 'a:1' AS object_id \
                   FROM generate_series(1, 80000))";
        let error = support::try_query(&context, sql).await.unwrap_err();
        let error = error.to_string();
        assert!(error.contains("more than 65536 prefixes"), "{error}");
    }
}

/// A stored mapping may be read by whom other files may.
#[cfg(unix)]
#[tokio::test]
async fn stored_mappings_have_the_rights_of_other_files() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let context = support::context();
    let mode = |name: &str| {
        let metadata = std::fs::metadata(folder.path().join(name)).unwrap();
        metadata.permissions().mode()
    };
    support::write(&folder.path().join("plain"), "");
    let stored = folder.path().join("x.mapping");
    let sql = format!(
        "CREATE MAPPING x FROM (SELECT 'a:1' AS subject_id, 'b:1' AS object_id) STORED AS '{}'",
        stored.display()
    );
    support::query(&context, &sql).await;
    assert_eq!(mode("x.mapping"), mode("plain"));
}

/// The name of a folder does not say what is in its files.
#[tokio::test]
async fn folders_do_not_say_what_files_hold() {
    let folder = tempfile::tempdir().unwrap();
    let within = folder.path().join("selected");
    std::fs::create_dir(&within).unwrap();
    let file = within.join("human.dat");
    let file = support::write(&file, "P31946\tGeneID\t7529\n");
    let context = support::context();
    let sql = format!("CREATE MAPPING x FROM idmapping('{file}')");
    let (rows, _) = support::query(&context, &sql).await;
    assert_eq!(rows[0][..3], ["x", "2", "1"]);
}

/// However many statements each identifier has, an index of them is built in little memory.
#[test]
fn dense_mappings_are_built_in_little_memory() {
    let made = "CREATE MAPPING dense FROM (SELECT 'a:' || (value % 4000) AS subject_id, \
                'b:' || (value / 250) AS object_id FROM generate_series(0, 999999))";
    let counts = "SELECT count(*), count(DISTINCT object_id), min(object_id) FROM mapping_edges('dense') \
                  WHERE subject_id = 'a:17'";
    let of = |limit: &str| {
        let both = format!("{made}; {counts}");
        let run = bin::run(["sql", &both, "--memory-limit", limit, "-q"]);
        run.exits(0).stdout
    };
    let little = of("64MB");
    assert!(little.ends_with("250,250,b:0\n"), "{little}");
    assert_eq!(little, of("1GB"));
}
