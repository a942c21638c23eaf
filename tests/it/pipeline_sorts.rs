//! Sorts stay where steps have them: the engine moves them, and leaves out those that it takes to be of no use.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::datatypes::Int64Type;
use async_trait::async_trait;
use biotide::pipeline::{Pipeline, ProcessorAction, RunOptions};
use biotide::prelude::*;
use biotide::stream::{Chunk, Processor, ProcessorError};

use crate::support::steps::lines;
use crate::support::write;

/// The steps that load `a` and `b`.
fn loaded(folder: &Path) -> String {
    let a = write(&folder.join("a.tsv"), "key\tid\nz\t1\na\t2\n");
    let b = write(&folder.join("b.tsv"), "key\tid\ny\t3\nb\t4\n");
    format!(
        "- {{type: load, params: {{file_path: '{a}', output: a}}}}\n\
         - {{type: load, params: {{file_path: '{b}', output: b}}}}\n"
    )
}

fn sql(query: &str, output: &str) -> String {
    format!("- {{type: sql, params: {{query: '{query}', output: {output}}}}}\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_one_below_the_other_are_sorted_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let load = loaded(folder.path());
    let merged =
        format!("{load}- {{type: merge_datasets, params: {{inputs: [a, b], output: m}}}}\n");
    let sorted = sql("SELECT key, id FROM m ORDER BY key", "s");
    let expected = ["key,id", "a,2", "b,4", "y,3", "z,1"];
    assert_eq!(lines(&format!("{merged}{sorted}")).await, expected);
    let hidden = sql("SELECT id FROM m ORDER BY key DESC", "s");
    let expected = ["id", "1", "3", "4", "2"];
    assert_eq!(lines(&format!("{merged}{hidden}")).await, expected);
    let numbered = sql(
        "SELECT id, row_number() OVER (ORDER BY key) AS n FROM m ORDER BY id",
        "s",
    );
    let expected = ["id,n", "1,4", "2,1", "3,3", "4,2"];
    assert_eq!(lines(&format!("{merged}{numbered}")).await, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_sorted_stays_so_one_below_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let load = loaded(folder.path());
    let merge = "- {type: merge_datasets, params: {inputs: [s, u], output: m}}\n";
    for (columns, expected) in [
        ("key, id", ["key,id", "a,2", "z,1", "y,3", "b,4"]),
        // (That by which it is sorted may not be there any more.)
        ("id", ["id", "2", "1", "3", "4"]),
    ] {
        let sorted = sql(&format!("SELECT {columns} FROM a ORDER BY key"), "s");
        let other = sql(&format!("SELECT {columns} FROM b"), "u");
        let steps = format!("{load}{sorted}{other}{merge}");
        assert_eq!(lines(&steps).await, expected);
        let numbered = "- {type: deduplicate, params: {columns: id}}\n";
        assert_eq!(lines(&format!("{steps}{numbered}")).await, expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_sorted_stays_so_where_lists_become_rows() {
    let folder = tempfile::tempdir().unwrap();
    let rows = "key\tl\nz\tP04217|P04218\na\tP29459|P29460\n";
    let table = write(&folder.path().join("l.tsv"), rows);
    let load = format!("- {{type: load, params: {{file_path: '{table}', output: a}}}}\n");
    let sorted = sql("SELECT l FROM a ORDER BY key", "s");
    let parse =
        "- {type: parse, params: {column: l, identifier_type: uniprot, output_format: rows}}\n";
    let select = "- {type: select, params: {columns: {id: l_id}}}\n";
    let expected = ["id", "P29459", "P29460", "P04217", "P04218"];
    assert_eq!(
        lines(&format!("{load}{sorted}{parse}{select}")).await,
        expected
    );
}

/// Makes of the last numbers the first.
#[derive(Debug)]
struct Negated;

#[async_trait]
impl Processor for Negated {
    fn name(&self) -> &str {
        "negated"
    }

    async fn process_chunk(&self, chunk: Chunk) -> Result<Chunk, ProcessorError> {
        let column = chunk.batch().column(0).as_primitive::<Int64Type>();
        let negated: Int64Array = column.values().iter().map(|n| -n).collect();
        let batch = RecordBatch::try_new(chunk.schema(), vec![Arc::new(negated) as ArrayRef])?;
        Ok(chunk.with_batch(batch))
    }
}

/// The numbers that steps make, of which `negated` is one.
async fn numbers(steps: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("o.csv");
    let negated = ProcessorAction::new("negated", "Negates.", &[], |_| {
        Ok(Arc::new(Negated) as Arc<dyn Processor>)
    });
    let builder = BiotideContext::builder().threads(2);
    let context = builder.pipeline_action(Arc::new(negated)).build().unwrap();
    let yaml = format!(
        "{steps}- {{type: sink, params: {{to: '{}'}}}}\n",
        out.display()
    );
    let pipeline = Pipeline::parse("p.yaml", &yaml, &BTreeMap::new(), context.actions()).unwrap();
    let options = RunOptions::default();
    let ran = context.run_pipeline(&pipeline, &options, &mut ()).await;
    ran.unwrap();
    let text = std::fs::read_to_string(out).unwrap();
    text.lines().skip(1).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_processors_make_is_sorted_behind_them() {
    let folder = tempfile::tempdir().unwrap();
    let table = write(&folder.path().join("n.csv"), "n,m\n1,2\n3,3\n2,1\n");
    let load = format!("- {{type: load, params: {{file_path: '{table}', output: t}}}}\n");
    let negate = "- {type: negated, params: {output: o}}\n";
    let all = sql("SELECT n FROM t", "s");
    let sorted = sql("SELECT n FROM o ORDER BY n", "p");
    let steps = format!("{load}{all}{negate}{sorted}");
    assert_eq!(numbers(&steps).await, ["-3", "-2", "-1"]);
    // What they are given is sorted before.
    for (by, expected) in [("n DESC", ["-3", "-2", "-1"]), ("m", ["-2", "-1", "-3"])] {
        let sorted = sql(&format!("SELECT n FROM t ORDER BY {by}"), "s");
        assert_eq!(numbers(&format!("{load}{sorted}{negate}")).await, expected);
    }
}
