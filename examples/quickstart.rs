// SQL over a file where it lies, and what became of its bad rows:
// cargo run -p biotide-examples --example quickstart

use arrow::util::pretty::print_batches;
use biotide::prelude::*;

const FILE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../tests/data/messy/messy_mixed_types.csv"
);

#[tokio::main]
async fn main() -> Result<(), Error> {
    let biotide = BiotideContext::builder().threads(2).build()?;
    let mut query = biotide
        .sql(&format!("SELECT id, name FROM '{FILE}'"))
        .await?;
    print_batches(&query.collect().await?)?;

    let report = query.finish()?;
    println!("{} of {} records rejected", report.rejected, report.records);

    let mut rejects = biotide
        .sql("SELECT line, reason, raw FROM system.rejects")
        .await?;
    print_batches(&rejects.collect().await?)?;
    Ok(())
}
