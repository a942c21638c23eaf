//! Steps of a pipeline, and what they make.

use std::collections::BTreeMap;

use biotide::pipeline::actions::Actions;
use biotide::pipeline::run::PipelineReport;
use biotide::pipeline::{Pipeline, RunOptions};
use biotide::prelude::*;

use super::Settings;

/// Under which rows and their order must be the same.
const SETTINGS: [Settings; 4] = [
    Settings::new(1, 8192),
    Settings::new(2, 8192),
    Settings::new(3, 100),
    Settings::new(7, 1000),
];

/// The lines that a sink writes below some steps, its header first, and the report; or why there are none.
pub(crate) async fn ran(
    context: &BiotideContext,
    steps: &str,
) -> Result<(Vec<String>, PipelineReport), String> {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.csv").display().to_string();
    let yaml = format!("steps:\n{steps}\n- {{type: sink, params: {{to: '{out}'}}}}\n");
    let pipeline = Pipeline::parse("p.yaml", &yaml, &BTreeMap::new(), &Actions::default());
    let pipeline = pipeline.map_err(|error| error.to_string())?;
    let options = RunOptions::default();
    let report = context.run_pipeline(&pipeline, &options, &mut ()).await;
    let report = report.map_err(|error| error.to_string())?;
    let text = std::fs::read_to_string(&out).unwrap();
    Ok((text.lines().map(str::to_owned).collect(), report))
}

/// The lines of steps, the same under any threads and rows of a batch.
pub(crate) async fn lines(steps: &str) -> Vec<String> {
    let mut first: Option<Vec<String>> = None;
    for settings in SETTINGS {
        let (lines, _) = ran(&settings.context(), steps).await.unwrap();
        let expected = first.get_or_insert_with(|| lines.clone());
        let differs = lines.iter().zip(&*expected).position(|(a, b)| a != b);
        assert_eq!(differs, None, "{settings:?} {steps}");
        assert_eq!(lines.len(), expected.len(), "{settings:?} {steps}");
    }
    first.unwrap_or_default()
}

/// Why steps are not run.
pub(crate) async fn refused(steps: &str) -> String {
    match ran(&super::context(), steps).await {
        Ok((lines, _)) => panic!("{steps}\nmakes {} lines", lines.len()),
        Err(error) => error,
    }
}
