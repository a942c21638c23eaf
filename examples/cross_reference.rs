// Identifiers mapped to those of other databases, and what is the same thing.
// cargo run -p biotide-examples --example cross_reference

use arrow::array::AsArray;
use arrow::datatypes::Float64Type;
use biotide::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let biotide = BiotideContext::builder().build()?;
    let folder = tempfile();
    let file = folder.join("statements.tsv");
    std::fs::write(
        &file,
        "subject_id\tpredicate_id\tobject_id\tconfidence\n\
         hmdb:HMDB0000122\tskos:exactMatch\tchebi:4167\t0.9\n\
         chebi:4167\tskos:exactMatch\tkegg.compound:C00031\t0.8\n\
         hmdb:HMDB0000122\tskos:exactMatch\tkegg.compound:C00031\t0.5\n",
    )
    .expect("a folder for temporary files");

    let mut made = biotide
        .sql(&format!("CREATE MAPPING kb FROM '{}'", file.display()))
        .await?;
    made.collect().await?;

    // The two ways from glucose to KEGG share no statement: together they are surer than each.
    let sql = "SELECT x.target, x.confidence FROM (VALUES ('HMDB00122')) AS t(hmdb),
        LATERAL xref(t.hmdb, 'kb', targets => ['kegg.compound']) AS x";
    let mut query = biotide.sql(sql).await?;
    for batch in query.collect().await? {
        let target = batch.column(0).as_string::<i32>().value(0);
        let confidence = batch.column(1).as_primitive::<Float64Type>().value(0);
        assert_eq!(target, "kegg.compound:C00031");
        assert!((confidence - (1.0 - (1.0 - 0.9 * 0.8) * (1.0 - 0.5))).abs() < 1e-12);
    }

    // One identifier that stands for all three.
    let sql = "SELECT DISTINCT clique FROM clique_assign('kb', priority => ['chebi'])";
    let mut query = biotide.sql(sql).await?;
    for batch in query.collect().await? {
        assert_eq!(batch.column(0).as_string::<i32>().value(0), "chebi:4167");
    }
    std::fs::remove_dir_all(folder).expect("our own folder");
    Ok(())
}

/// A folder of our own.
fn tempfile() -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("biotide-example-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for temporary files");
    folder
}
