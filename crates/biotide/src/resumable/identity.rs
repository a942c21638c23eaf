//! What a run is: one that was broken off is gone on with only if it is the same.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use biotide_common::options::BiotideOptions;
use datafusion::config::ConfigOptions;

use crate::pipeline::Pipeline;
use crate::pipeline::spec::{Digest, Step};

/// Options that change how the work is done, and how much of a file lies together, but no row.
const OF_THE_WORK: [&str; 6] = [
    "rejects",
    "explain_dialect",
    "max_concurrent_chunks",
    "backpressure_threshold",
    "parquet_zstd_level",
    "parquet_row_group_rows",
];

/// Settings of the engine that rows depend on.
const OF_THE_ENGINE: [&str; 2] = ["datafusion.sql_parser.", "datafusion.execution.time_zone"];

/// How parameters are called among the parts.
pub(super) const PARAMETER: &str = "parameter ";

/// What a run is told.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    /// What errors call it.
    pub(crate) name: String,
    /// Of all that it is told.
    pub(crate) digest: u64,
    /// Of its parts, to name what was changed.
    pub(crate) parts: BTreeMap<String, u64>,
    /// How to begin anew.
    pub(crate) anew: &'static str,
}

impl Identity {
    /// That of a pipeline that runs under some options.
    pub(crate) fn of_pipeline(
        pipeline: &Pipeline,
        options: &BiotideOptions,
        engine: &ConfigOptions,
    ) -> Self {
        let mut parts = options_that_matter(options, engine);
        let steps = pipeline.steps.iter();
        let steps = steps.map(|step| (format!("step {}", step.name), digest(step)));
        let parameters = pipeline.parameters.iter().map(|parameter| {
            let value = Digest::new().with(&parameter.value.to_string());
            (format!("{PARAMETER}{}", parameter.name), value.value())
        });
        parts.extend(pipeline.sections.iter().cloned());
        parts.extend(steps);
        parts.extend(parameters);
        let digest = parts.iter().fold(Digest::new(), |all, (name, value)| {
            all.with(name).with(&value.to_string())
        });
        // (A step reads what is before it: their order counts.)
        let steps = pipeline.steps.iter();
        let digest = steps.fold(digest, |all, step| all.with(&step.name));
        Self {
            name: pipeline.file.clone(),
            digest: digest.value(),
            parts,
            anew: "run without --resume to begin anew",
        }
    }

    /// What it is of, whatever it is told: a file, by its place.
    pub(super) fn of(&self) -> String {
        let place = std::fs::canonicalize(&self.name);
        place.map_or_else(|_| self.name.clone(), |place| place.display().to_string())
    }
}

/// The options that are set and rows depend on, by what errors call them.
pub(crate) fn options_that_matter(
    options: &BiotideOptions,
    engine: &ConfigOptions,
) -> BTreeMap<String, u64> {
    let own = BiotideOptions::INFO.iter().map(|info| info.name);
    let own = own.filter(|name| !OF_THE_WORK.contains(name));
    let own = own.filter_map(|name| Some((name.to_owned(), options.get_text(name)?)));
    let engine = engine.entries().into_iter();
    let engine = engine.filter(|entry| OF_THE_ENGINE.iter().any(|of| entry.key.starts_with(of)));
    let engine = engine.filter_map(|entry| Some((entry.key, entry.value?)));
    own.chain(engine)
        .map(|(name, value)| {
            (
                format!("the option {name}"),
                Digest::new().with(&value).value(),
            )
        })
        .collect()
}

/// The parts that are not as they were.
pub(super) fn changed<'a>(
    before: &'a BTreeMap<String, u64>,
    now: &'a BTreeMap<String, u64>,
) -> Vec<&'a str> {
    let other = now
        .iter()
        .filter(|(name, digest)| before.get(*name) != Some(digest));
    let gone = before.keys().filter(|name| !now.contains_key(*name));
    let names = other.map(|(name, _)| name).chain(gone);
    names.map(String::as_str).collect()
}

/// Of what a step does; what it is for is not of it.
fn digest(step: &Step) -> u64 {
    Digest::new()
        .with(step.action.name)
        .with(&step.runs.to_string())
        .with(&step.is_required.to_string())
        .with(&step.params.given().to_string())
        .value()
}

/// Tells a run from all others.
pub(super) fn new_id(name: &str) -> String {
    let mut hasher = DefaultHasher::new();
    (name, std::process::id(), std::time::SystemTime::now()).hash(&mut hasher);
    format!("biotide-{:016x}", hasher.finish())
}
