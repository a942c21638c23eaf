//! Which files a run reads and writes: none is written over that is still to be read, or that it has written itself, and
//! logs can be written where they are wanted.
//!
//! It is told from what the file says alone, before anything is planned: a load may be of a file that an earlier step
//! writes, and is not there yet.

mod gather;
mod location;
mod named;
#[cfg(test)]
mod tests;

use std::path::Path;

use biotide_common::BiotideError;
use biotide_database::DatabaseTarget;

use self::location::Location;
use super::super::compile::placed;
use super::super::spec::{Place, Step};
use crate::error::{Error, Result};
use crate::rejects::obstacle;

/// What a run reads and writes.
#[derive(Debug)]
pub(super) struct Files<'a> {
    pipeline: Option<Location>,
    reads: Vec<Named>,
    writes: Vec<Written<'a>>,
    tables: Vec<Table<'a>>,
    uses: Vec<Use>,
}

/// A file, and who names it.
#[derive(Debug)]
struct Named {
    location: Location,
    /// As it is written.
    path: String,
    /// `the step load (line 2)`.
    who: String,
    /// The step's number among those that run, from 1; 0 comes before them.
    at: usize,
}

/// A file that is written.
#[derive(Debug)]
struct Written<'a> {
    file: Named,
    how: How,
    said: Said<'a>,
}

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq)]
enum How {
    /// When all rows are there, which may be made of what it replaces.
    Sink {
        /// Of what is there already.
        replaces: bool,
    },
    /// When the step runs.
    Report,
    /// At any time, or by other runs too.
    Anytime,
}

/// Where it is said that a file is written.
#[derive(Debug, Clone, Copy)]
enum Said<'a> {
    Param(&'a Step, &'static str),
    Rejects(&'a Place),
    /// By who runs the pipeline.
    Rejected,
    Report,
}

/// A table of a database that a sink writes.
#[derive(Debug)]
struct Table<'a> {
    target: DatabaseTarget,
    replaces: bool,
    step: &'a Step,
}

/// A step that looks at all rows of a dataset when it runs, and the files that these are read from.
#[derive(Debug)]
struct Use {
    at: usize,
    who: String,
    /// By their places in [`Files::reads`].
    reads: Vec<usize>,
}

impl Files<'_> {
    /// Refuses a run that would lose something.
    pub(super) fn check(&self) -> Result<()> {
        self.writes
            .iter()
            .enumerate()
            .try_for_each(|(n, written)| self.check_file(n, written))?;
        self.check_tables()
    }

    /// The same of the report on the run alone.
    pub(super) fn check_report(&self) -> Result<()> {
        let is_report = |written: &Written<'_>| matches!(written.said, Said::Report);
        match self.writes.iter().position(is_report) {
            Some(n) => self.check_file(n, &self.writes[n]),
            None => Ok(()),
        }
    }

    fn check_file(&self, n: usize, written: &Written<'_>) -> Result<()> {
        written.check_place()?;
        let Named { who, path, .. } = &written.file;
        let location = &written.file.location;
        if self.pipeline.as_ref().is_some_and(|own| own.is(location)) {
            let problem = format!("{who} would write over the pipeline itself: name another file");
            return Err(written.refused(&problem));
        }
        let mut others = self.writes[..n].iter().map(|other| &other.file);
        if let Some(other) = others.find(|other| other.location.is(location)) {
            let problem = match other.path == *path {
                true => format!("{} writes {path}, and {who} too", other.who),
                false => format!("{} writes {}, and {who} too", other.who, other.path),
            };
            return Err(written.refused(&format!("{problem}: name another file")));
        }
        let spoiled = self.reads.iter().enumerate();
        let mut spoiled = spoiled.filter_map(|(n, read)| self.spoiled(written, n, read));
        match spoiled.next() {
            Some(reads) => {
                let problem = format!("{who} would write over {path}, {reads}: name another file");
                Err(written.refused(&problem))
            }
            None => Ok(()),
        }
    }

    /// Who reads a file in vain if another one is written.
    fn spoiled(&self, written: &Written<'_>, n: usize, read: &Named) -> Option<String> {
        if !read.location.takes_in(&written.file.location) {
            return None;
        }
        let at = written.file.at;
        let reads = match read.path == written.file.path {
            true => format!("which {} reads", read.who),
            false => format!("which {} reads as {}", read.who, read.path),
        };
        match written.how {
            How::Anytime => Some(reads),
            // What a step has written later ones may read.
            _ if read.at > at => None,
            How::Report => Some(reads),
            // (The sink will fail.)
            How::Sink { replaces: false } if Path::new(&written.file.path).exists() => None,
            How::Sink { .. } => {
                let is_later = |later: &&Use| later.at > at && later.reads.contains(&n);
                let later = self.uses.iter().find(is_later)?;
                Some(format!("{reads} and {} looks at after that", later.who))
            }
        }
    }

    fn check_tables(&self) -> Result<()> {
        for (n, table) in self.tables.iter().enumerate() {
            let mut others = self.tables[..n].iter();
            let other = others.find(|other| other.target.is_same_table(&table.target));
            if let Some(other) = other.filter(|_| table.replaces) {
                let problem = format!(
                    "{} writes {}, and {} would replace it: name another table, or use mode: append",
                    who(other.step),
                    other.target,
                    who(table.step)
                );
                return Err(refused(table.step, "to", &problem));
            }
        }
        Ok(())
    }
}

impl Written<'_> {
    /// Refuses a log, or a report on the run, that could not be written when rows are. (Where steps write is looked at
    /// with their other parameters.)
    fn check_place(&self) -> Result<()> {
        if matches!(self.said, Said::Param(..)) {
            return Ok(());
        }
        match obstacle(&self.file.path) {
            Some(problem) => Err(self.refused(&problem)),
            None => Ok(()),
        }
    }

    fn refused(&self, problem: &str) -> Error {
        match self.said {
            Said::Param(step, name) => refused(step, name, problem),
            Said::Rejects(place) => place.error(format!("error_output_path: {problem}")).into(),
            Said::Rejected | Said::Report => BiotideError::file(&self.file.path, problem).into(),
        }
    }
}

fn refused(step: &Step, name: &str, problem: &str) -> Error {
    placed(step, step.params.error(name, problem).into())
}

/// What messages call a step.
fn who(step: &Step) -> String {
    format!("the step {} ({})", step.name, step.place.short())
}
