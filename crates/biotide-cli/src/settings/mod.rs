//! The command line made ready to use: which option has which value, and where it was said.
//!
//! Precedence: flag, `--set`, `--config`. All three write the same keys.

mod config;

use std::fmt;
use std::num::NonZero;
use std::path::PathBuf;

use biotide::prelude::{BiotideContext, BiotideContextBuilder};

use crate::args::Globals;
use crate::error::Failure;
use crate::metrics::Board;
use crate::progress::ShowProgress;

/// Where a value was said.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Origin {
    File { path: PathBuf, line: usize },
    Set,
    Flag,
}

/// One value of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Setting {
    key: String,
    value: String,
    origin: Origin,
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Origin::File { path, line } => write!(f, "{}:{line}", path.display()),
            Origin::Set => write!(f, "--set {}={}", self.key, self.value),
            Origin::Flag => write!(f, "--{}", self.key.replace('_', "-")),
        }
    }
}

/// What the run needs to know.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) quiet: bool,
    pub(crate) progress: ShowProgress,
    /// The address at which numbers of the work are served.
    pub(crate) metrics: Option<String>,
    /// Where these stand.
    pub(crate) board: Board,
    /// In order of rising precedence.
    settings: Vec<Setting>,
    resources: Resources,
}

/// What the run may use. These are not session options, but `--set` and `--config` know them too.
#[derive(Debug, Default)]
struct Resources {
    memory_limit: Option<usize>,
    threads: Option<usize>,
    batch_size: Option<usize>,
    temp_dir: Option<PathBuf>,
    temp_limit: Option<u64>,
}

impl Settings {
    /// Reads the configuration file and puts everything in order.
    pub(crate) fn new(
        globals: Globals,
        read_options: Vec<(&'static str, String)>,
    ) -> Result<Self, Failure> {
        let mut said = Vec::new();
        if let Some(path) = globals.config {
            said = config::read(&path)?;
        }
        let of = |origin: Origin| {
            move |(key, value)| Setting {
                key,
                value,
                origin: origin.clone(),
            }
        };
        said.extend(globals.set.into_iter().map(of(Origin::Set)));
        let flags = read_options
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value));
        said.extend(flags.map(of(Origin::Flag)));

        let mut resources = Resources::default();
        let mut settings = Vec::new();
        for setting in said {
            if !resources.take(&setting)? {
                settings.push(setting);
            }
        }
        let memory_limit = globals
            .memory_limit
            .map(|n| usize::try_from(n).unwrap_or(usize::MAX));
        let resources = Resources {
            memory_limit: memory_limit.or(resources.memory_limit),
            threads: globals.threads.or(resources.threads),
            batch_size: globals.batch_size.or(resources.batch_size),
            temp_dir: globals.temp_dir.or(resources.temp_dir),
            temp_limit: globals.temp_limit.or(resources.temp_limit),
        };
        Ok(Self {
            quiet: globals.quiet,
            progress: globals.progress,
            metrics: globals.metrics,
            board: Board::default(),
            settings,
            resources,
        })
    }

    /// Threads of the runtime.
    pub(crate) fn worker_threads(&self) -> usize {
        let all = || std::thread::available_parallelism().map_or(1, NonZero::get);
        self.resources.threads.unwrap_or_else(all)
    }

    /// Whether the bad rows go to a file.
    pub(crate) fn rejects_file(&self) -> Option<&str> {
        let rejects = |setting: &&Setting| bare(&setting.key) == "rejects";
        self.settings
            .iter()
            .rev()
            .find(rejects)
            .map(|setting| setting.value.as_str())
    }

    /// Builds the context. What it objects to was said by somebody, so it is wrong usage.
    pub(crate) fn context(&self) -> Result<BiotideContext, Failure> {
        let mut builder = self.resources.apply(BiotideContext::builder());
        for setting in &self.settings {
            builder = builder.option(setting.key.as_str(), setting.value.as_str());
        }
        builder.build().map_err(|error| {
            let text = error.to_string();
            let error = anyhow::Error::new(error);
            Failure::Usage(match self.culprit(&text) {
                // A flag is on the screen of who typed it; the error names its option.
                Some(setting) if setting.origin != Origin::Flag => {
                    error.context(format!("{setting}: {text}"))
                }
                _ => error,
            })
        })
    }

    /// The setting that an error speaks of.
    fn culprit(&self, error: &str) -> Option<&Setting> {
        let quoted = |text: &str| error.contains(&format!("'{text}'"));
        let find = |is: &dyn Fn(&Setting) -> bool| self.settings.iter().rev().find(|s| is(s));
        find(&|s| error.contains(&bare(&s.key)) && quoted(&s.value))
            .or_else(|| find(&|s| quoted(&s.key) || quoted(&bare(&s.key))))
            .or_else(|| find(&|s| error.contains(&bare(&s.key))))
            // The engine names the part of a key that it does not know.
            .or_else(|| {
                find(&|s| {
                    s.key
                        .split('.')
                        .any(|part| error.contains(&format!("\"{part}\"")))
                })
            })
    }
}

impl Resources {
    /// Takes the setting if it is one of these.
    fn take(&mut self, setting: &Setting) -> Result<bool, Failure> {
        let value = setting.value.trim();
        let wrong = |what: &str| {
            let key = bare(&setting.key);
            Failure::usage(format!("{setting}: option {key}: '{value}' is not {what}"))
        };
        let number = || {
            let n = value.parse().ok().filter(|&n: &usize| n > 0);
            n.ok_or_else(|| wrong("a whole number above 0"))
        };
        let size = || {
            let size = biotide::parse_size(value).filter(|&size| size > 0);
            size.ok_or_else(|| wrong("a size: use 200MB, 1GiB, 65536"))
        };
        match bare(&setting.key).as_str() {
            "memory_limit" => {
                self.memory_limit = Some(usize::try_from(size()?).unwrap_or(usize::MAX));
            }
            "threads" => self.threads = Some(number()?),
            "batch_size" => self.batch_size = Some(number()?),
            "temp_dir" => self.temp_dir = Some(value.into()),
            "temp_limit" => self.temp_limit = Some(size()?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn apply(&self, mut builder: BiotideContextBuilder) -> BiotideContextBuilder {
        if let Some(bytes) = self.memory_limit {
            builder = builder.memory_limit(bytes);
        }
        if let Some(n) = self.threads {
            builder = builder.threads(n);
        }
        if let Some(rows) = self.batch_size {
            builder = builder.batch_size(rows);
        }
        if let Some(dir) = &self.temp_dir {
            builder = builder.temp_dir(dir);
        }
        if let Some(bytes) = self.temp_limit {
            builder = builder.temp_limit(bytes);
        }
        builder
    }
}

/// The key without our prefix, in the spelling of the options; those of the engine stay as they are.
fn bare(key: &str) -> String {
    let key = key.trim();
    let key = key.strip_prefix("biotide.").unwrap_or(key);
    match key.contains('.') {
        true => key.to_owned(),
        false => key.to_ascii_lowercase().replace('-', "_"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_win_over_set_and_set_over_the_file() {
        let path = std::env::temp_dir().join(format!("biotide-settings-{}", std::process::id()));
        std::fs::write(&path, "threads: 7\nbatch-size: 10\nrejects = a.jsonl\n").unwrap();
        let globals = Globals {
            batch_size: Some(30),
            set: vec![
                ("biotide.batch_size".into(), "20".into()),
                ("rejects".into(), "b".into()),
            ],
            config: Some(path.clone()),
            ..Globals::default()
        };
        let settings = Settings::new(globals, vec![("rejects", "c.jsonl".to_owned())]).unwrap();
        std::fs::remove_file(path).unwrap();
        assert_eq!(settings.resources.batch_size, Some(30));
        assert_eq!(settings.worker_threads(), 7);
        assert_eq!(settings.rejects_file(), Some("c.jsonl"));
    }

    #[test]
    fn an_error_is_laid_at_the_door_of_its_setting() {
        let said = |key: &str, value: &str, line| Setting {
            key: key.to_owned(),
            value: value.to_owned(),
            origin: Origin::File {
                path: "x.conf".into(),
                line,
            },
        };
        let settings = Settings {
            quiet: true,
            progress: ShowProgress::Never,
            metrics: None,
            board: Board::default(),
            settings: vec![
                said("on_error", "ignore", 1),
                said("delimter", ",", 2),
                said("on_error", "fail", 3),
                said("datafusion.executio.batch_size", "3", 4),
            ],
            resources: Resources::default(),
        };
        let blame = |error: &str| settings.culprit(error).map(ToString::to_string);
        let bad = blame("option on_error: 'ignore' is not reject, lenient, fail");
        assert_eq!(bad.as_deref(), Some("x.conf:1"));
        let unknown = blame("there is no option 'delimter'; did you mean 'delimiter'?");
        assert_eq!(unknown.as_deref(), Some("x.conf:2"));
        let engine = blame("Config value \"executio\" not found on ConfigOptions");
        assert_eq!(engine.as_deref(), Some("x.conf:4"));
        assert_eq!(blame("no space left"), None);
    }
}
