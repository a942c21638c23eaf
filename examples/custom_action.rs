// Actions of your own in pipelines: one by DataFusion's DataFrame, one by a processor that is given rows chunk by chunk.
// cargo run -p biotide-examples --example custom_action

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};
use async_trait::async_trait;
use biotide::pipeline::actions::{Action, INPUT, Kind, OUTPUT, Param};
use biotide::pipeline::run::Status;
use biotide::pipeline::{ActionStep, Pipeline, PipelineAction, ProcessorAction, RunOptions};
use biotide::prelude::*;
use biotide::stream::{Chunk, ErrorKind, Processor, ProcessorError};
use datafusion::dataframe::DataFrame;
use datafusion::logical_expr::{LogicalPlan, ident, lit};

/// `of_panel`: the rows of one panel. A plan, like any other: the condition is pushed into the file.
#[derive(Debug)]
struct OfPanel;

#[async_trait]
impl PipelineAction for OfPanel {
    fn action(&self) -> Action {
        const PARAMS: &[Param] = &[
            INPUT,
            Param::new("panel", Kind::Text, "The panel.").needed(),
            OUTPUT,
        ];
        Action::new("of_panel", "Keeps the rows of a panel.", PARAMS)
    }

    async fn plan(&self, step: &ActionStep<'_>) -> biotide::Result<LogicalPlan> {
        let panel = step.params().needed("panel")?;
        let rows = DataFrame::new(step.session(), step.input()?);
        let rows = rows.filter(ident("Panel").eq(lit(panel)))?;
        Ok(rows.into_unoptimized_plan())
    }
}

/// `accession_length`: a column with the length of the accession. Isoforms it refuses, one row at a time.
#[derive(Debug)]
struct AccessionLength;

#[async_trait]
impl Processor for AccessionLength {
    fn name(&self) -> &str {
        "accession_length"
    }

    fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, ProcessorError> {
        let mut fields = input.fields().to_vec();
        fields.push(Arc::new(Field::new("length", DataType::Int64, true)));
        Ok(Arc::new(Schema::new(fields)))
    }

    async fn process_chunk(&self, chunk: Chunk) -> Result<Chunk, ProcessorError> {
        let batch = chunk.batch();
        let accessions = batch.column(batch.schema().index_of("UniProt")?);
        let accessions = accessions.as_string::<i32>();
        if let Some(isoform) = accessions.iter().flatten().find(|one| one.contains('-')) {
            let problem = format!("'{isoform}' is an isoform");
            return Err(ProcessorError::new(ErrorKind::Validation, problem));
        }
        let lengths: Int64Array = accessions
            .iter()
            .map(|one| one.map(|one| one.len() as i64))
            .collect();
        let mut columns = batch.columns().to_vec();
        columns.push(Arc::new(lengths) as ArrayRef);
        let schema = self.output_schema(&batch.schema())?;
        let batch = RecordBatch::try_new(schema, columns)?;
        Ok(chunk.with_batch(batch))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let length = ProcessorAction::new(
        "accession_length",
        "Adds the length of the accession.",
        &[],
        |_| Ok(Arc::new(AccessionLength)),
    );
    let biotide = BiotideContext::builder()
        .pipeline_action(Arc::new(OfPanel))
        .pipeline_action(Arc::new(length))
        .build()?;

    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/data/olink/olink_protein_metadata.tsv"
    );
    let out = std::env::temp_dir().join(format!("biotide-example-{}.csv", std::process::id()));
    let yaml = format!(
        "steps:
- {{type: load, params: {{file_path: '{file}'}}}}
- {{type: of_panel, params: {{panel: Inflammation}}}}
- {{type: accession_length, params: {{chunk_size: 100}}}}
- {{type: sink, params: {{to: '{}', mode: replace}}}}",
        out.display()
    );
    let pipeline = Pipeline::parse("in the program", &yaml, &BTreeMap::new(), biotide.actions())?;
    let options = RunOptions::default();
    let report = biotide.run_pipeline(&pipeline, &options, &mut ()).await?;
    std::fs::remove_file(&out)?;

    // One is an isoform. It was left out, and not unsaid.
    let run = &report.processors[0];
    assert_eq!(run.step, "accession_length");
    assert_eq!(run.summary.errors.total_errors, 1);
    assert_eq!(run.summary.rows + 1, run.summary.rows_read);
    assert_eq!(run.summary.rows, report.rows);
    assert_eq!(report.status, Status::PartialSuccess);
    for step in &report.sinks[0].steps {
        println!(
            "{}: {} rows, {:.1} ms",
            step.step,
            step.rows,
            step.seconds * 1e3
        );
    }
    Ok(())
}
