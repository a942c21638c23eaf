//! What a run has made durable, so that it can go on where it was broken off.
//!
//! The state stays when the run is done: who resumes it once more writes nothing twice.

use std::collections::BTreeMap;
use std::fs::File;
use std::hash::{Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};

use biotide_common::{BiotideError, sync_folder};
use biotide_formats::sink::resumable::{Durable, Finished};
use serde::{Deserialize, Serialize};

use super::inputs::Input;
use crate::error::Result;
use crate::pipeline::Pipeline;
use crate::pipeline::spec::Step;

/// How the file is written.
const VERSION: u32 = 1;

/// How far a sink is.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct SinkState {
    to: String,
    inputs: Vec<Input>,
    /// Rows that are durable.
    pub(crate) rows: u64,
    /// All rows are, and the sink was told to complete.
    pub(crate) finishing: bool,
    /// It is complete.
    pub(crate) done: bool,
    /// What a file holds.
    pub(crate) durable: Option<Durable>,
    /// What the file was like when it was complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) finished: Option<Finished>,
}

/// How far a run is.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RunState {
    version: u32,
    /// Tells this run from others.
    pub(crate) id: String,
    digest: u64,
    /// Of each step, to name what was changed.
    steps: BTreeMap<String, u64>,
    sinks: BTreeMap<String, SinkState>,
    /// How to begin anew.
    #[serde(skip)]
    pub(super) anew: &'static str,
    #[serde(skip)]
    path: PathBuf,
}

/// What every version writes.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

/// What a run is: one that was broken off is gone on with only if it is the same.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    /// What errors call it.
    pub(crate) name: String,
    /// Of all that it is told.
    pub(crate) digest: u64,
    /// Of parts of that, to name what was changed.
    pub(crate) parts: BTreeMap<String, u64>,
    /// How to begin anew.
    pub(crate) anew: &'static str,
}

impl Identity {
    /// That of a pipeline.
    pub(crate) fn of(pipeline: &Pipeline) -> Self {
        let step = |step: &Step| (format!("step {}", step.name), digest(step));
        Self {
            name: pipeline.file.clone(),
            digest: pipeline.text_digest,
            parts: pipeline.steps.iter().map(step).collect(),
            anew: "run without --resume to begin anew",
        }
    }
}

impl RunState {
    /// That of a run that begins, or of one that was broken off.
    pub(crate) fn open(path: &Path, identity: &Identity, resume: bool) -> Result<Self> {
        let fresh = Self {
            version: VERSION,
            id: new_id(&identity.name),
            digest: identity.digest,
            steps: identity.parts.clone(),
            sinks: BTreeMap::new(),
            anew: identity.anew,
            path: path.to_owned(),
        };
        if !resume {
            // (What an earlier run has noted is not this one's.)
            fresh.save()?;
            return Ok(fresh);
        }
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                log::info!(
                    "{}: there is nothing to resume, the run begins",
                    path.display()
                );
                return Ok(fresh);
            }
            Err(error) => {
                let what = format!("reading {}", path.display());
                return Err(BiotideError::io(what, error).into());
            }
        };
        let shown = path.display().to_string();
        let anew = identity.anew;
        let broken = |error| {
            BiotideError::file(&shown, format!("it is no state of a run ({error}); {anew}"))
        };
        // (What another version has written may have another form.)
        let Versioned { version } = serde_json::from_slice(&text).map_err(broken)?;
        if version != VERSION {
            let problem = format!("it is of another version of Biotide; {anew}");
            return Err(BiotideError::file(&shown, problem).into());
        }
        let known: Self = serde_json::from_slice(&text).map_err(broken)?;
        if known.digest != fresh.digest {
            let changed: Vec<&str> = fresh
                .steps
                .iter()
                .filter(|(name, digest)| known.steps.get(*name) != Some(digest))
                .map(|(name, _)| name.as_str())
                .chain(
                    known
                        .steps
                        .keys()
                        .map(String::as_str)
                        .filter(|name| !fresh.steps.contains_key(*name)),
                )
                .collect();
            let what = match changed.is_empty() {
                true => "its parameters or settings".to_owned(),
                false => changed.join(", "),
            };
            let problem = format!("{what} changed since the run was broken off; {anew}");
            return Err(BiotideError::file(&identity.name, problem).into());
        }
        Ok(Self {
            path: path.to_owned(),
            anew,
            ..known
        })
    }

    /// How far a sink is; refuses to go on if its inputs changed.
    pub(crate) fn sink(&self, step: &str, inputs: &[Input]) -> Result<SinkState> {
        let Some(known) = self.sinks.get(step) else {
            return Ok(SinkState::default());
        };
        for input in inputs {
            let before = known.inputs.iter().find(|before| before.name == input.name);
            let problem = match before {
                Some(before) if before == input => continue,
                Some(before) if before.size != input.size => format!(
                    "it had {} bytes when the run was broken off, and has {} now",
                    before.size, input.size
                ),
                Some(_) => "it was written to since the run was broken off".to_owned(),
                None => "the run that was broken off did not read it".to_owned(),
            };
            let problem = format!("{problem}; {}", self.anew);
            return Err(BiotideError::file(&input.name, problem).into());
        }
        if let Some(gone) = known
            .inputs
            .iter()
            .find(|before| !inputs.iter().any(|i| i.name == before.name))
        {
            let problem = format!(
                "the run that was broken off read it, and now it is not there; {}",
                self.anew
            );
            return Err(BiotideError::file(&gone.name, problem).into());
        }
        Ok(known.clone())
    }

    /// Whether a sink has begun.
    pub(crate) fn has(&self, step: &str) -> bool {
        self.sinks.contains_key(step)
    }

    /// Notes how far a sink is, durably.
    pub(crate) fn note(
        &mut self,
        step: &str,
        to: &str,
        inputs: &[Input],
        sink: SinkState,
    ) -> Result<()> {
        let sink = SinkState {
            to: to.to_owned(),
            inputs: inputs.to_vec(),
            ..sink
        };
        self.sinks.insert(step.to_owned(), sink);
        self.save()
    }

    fn save(&self) -> Result<()> {
        let what = || format!("writing {}", self.path.display());
        let mut beside = self.path.clone().into_os_string();
        beside.push(".new");
        let beside = PathBuf::from(beside);
        let text = serde_json::to_vec(self).map_err(|error| BiotideError::Io {
            what: what(),
            source: error.into(),
        })?;
        let written = File::create(&beside)
            .and_then(|mut file| file.write_all(&text).and_then(|()| file.sync_all()))
            .and_then(|()| std::fs::rename(&beside, &self.path))
            .and_then(|()| sync_folder(&self.path));
        Ok(written.map_err(|error| BiotideError::io(what(), error))?)
    }
}

fn digest(step: &Step) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    (step.action.name, step.runs).hash(&mut hasher);
    step.params.texts_given().hash(&mut hasher);
    hasher.finish()
}

fn new_id(name: &str) -> String {
    let mut hasher = std::hash::DefaultHasher::new();
    (name, std::process::id(), std::time::SystemTime::now()).hash(&mut hasher);
    format!("biotide-{:016x}", hasher.finish())
}
