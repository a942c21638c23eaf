// A function of your own, over rows that stream: Biotide's session is DataFusion's.
// cargo run -p biotide-examples --example custom_function

use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray};
use arrow::datatypes::DataType;
use biotide::prelude::*;
use datafusion::logical_expr::{ColumnarValue, Volatility, create_udf};
use futures::StreamExt;

/// `is_isoform('O43521-2')`: an accession with a number behind a hyphen.
fn is_isoform(args: &[ColumnarValue]) -> datafusion::error::Result<ColumnarValue> {
    let accessions = ColumnarValue::values_to_arrays(args)?.remove(0);
    let isoform = |accession: &str| {
        let number = accession.split_once('-').map(|(_, number)| number);
        number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    };
    let accessions = accessions.as_string::<i32>().iter();
    let answers: BooleanArray = accessions.map(|a| a.map(isoform)).collect();
    Ok(ColumnarValue::Array(Arc::new(answers)))
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let biotide = BiotideContext::builder().build()?;
    let arguments = vec![DataType::Utf8];
    biotide.session().register_udf(create_udf(
        "is_isoform",
        arguments,
        DataType::Boolean,
        Volatility::Immutable,
        Arc::new(is_isoform),
    ));

    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/data/olink/olink_protein_metadata.tsv"
    );
    let sql = format!("SELECT assay, uniprot, panel FROM '{file}' WHERE is_isoform(uniprot)");
    let mut query = biotide.sql(&sql).await?;
    // Batches come as they are read: nothing but one of them is held here.
    let mut rows = query.stream().await?;
    while let Some(batch) = rows.next().await {
        let batch = batch?;
        for row in 0..batch.num_rows() {
            let value = |column: usize| {
                batch
                    .column(column)
                    .as_string::<i32>()
                    .value(row)
                    .to_owned()
            };
            println!("{}  {}  {}", value(0), value(1), value(2));
        }
    }
    Ok(())
}
