//! What a run has made durable, so that it can go on where it was broken off.
//!
//! The state stays when the run is done: who resumes it once more writes nothing twice.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use biotide_common::{BiotideError, sync_folder};
use biotide_formats::sink::resumable::{Durable, Finished};
use serde::{Deserialize, Serialize};

use super::identity::{Identity, changed, new_id};
use super::inputs::Input;
use super::siblings::broken_off_beside;
use crate::error::Result;

/// How the file is written.
const VERSION: u32 = 4;

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
    /// It is complete, and of all that was read nothing was set aside, repaired or nulled.
    #[serde(default)]
    pub(crate) clean: bool,
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
    /// What it is of: a pipeline, by its place.
    pub(super) of: String,
    digest: u64,
    /// Of each step, parameter, option and what else it is told, to name what was changed.
    pub(super) parts: BTreeMap<String, u64>,
    sinks: BTreeMap<String, SinkState>,
    /// All that was to be done is.
    complete: bool,
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

impl RunState {
    /// That of a run that begins, or of one that was broken off.
    pub(crate) fn open(path: &Path, identity: &Identity, resume: bool) -> Result<Self> {
        let fresh = Self {
            version: VERSION,
            id: new_id(&identity.name),
            of: identity.of(),
            digest: identity.digest,
            parts: identity.parts.clone(),
            sinks: BTreeMap::new(),
            complete: false,
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
                if let Some(other) = broken_off_beside(&fresh) {
                    return Err(other.refused(identity).into());
                }
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
            let changed = changed(&known.parts, &fresh.parts);
            let what = match changed.is_empty() {
                true => "the order of its steps".to_owned(),
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
                Some(before) if before.e_tag != input.e_tag => {
                    "it was replaced since the run was broken off: its store has another version"
                        .to_owned()
                }
                Some(_) => {
                    "it was changed or replaced since the run was broken off: its times differ"
                        .to_owned()
                }
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

    /// That of another run, if it was written by this version.
    pub(super) fn read(path: &Path) -> Option<Self> {
        let text = std::fs::read(path).ok()?;
        let Versioned { version } = serde_json::from_slice(&text).ok()?;
        let known: Self = serde_json::from_slice(&text).ok()?;
        (version == VERSION).then(|| Self {
            path: path.to_owned(),
            ..known
        })
    }

    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether something was written, and more was to be.
    pub(super) fn is_broken_off(&self) -> bool {
        !self.complete && !self.sinks.is_empty()
    }

    /// Notes that all that was to be done is.
    pub(crate) fn note_complete(&mut self) -> Result<()> {
        self.complete = self.sinks.values().all(|sink| sink.done);
        self.save()
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
        self.complete = false;
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
