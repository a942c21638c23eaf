//! Datasets that are kept in a file, under a key of what they are made of.

use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use biotide_common::BiotideError;
use biotide_common::scan::ScanReport;
use datafusion::logical_expr::LogicalPlan;

use super::super::actions::Params;
use super::super::compile::Scope;
use super::super::spec::Step;
use super::cache_lock::{CacheLock, TRIES};
use super::{sinks, target};
use crate::catalog::is_parquet;
use crate::error::Result;
use crate::rejects::{read_json_lines, write_json_lines};
use crate::resumable::{cache_name, changed_at, inputs, reads_files_only};
use crate::statement::repeats::repeats;

/// Runs the input of a step once, and lets later steps read what it made. A file that an earlier run has made of the
/// same steps and the same files is taken as it is, with what was set aside then. Answers what was read, and whether it is
/// that of an earlier run.
pub(super) async fn keep(scope: &mut Scope, step: &Step) -> Result<(ScanReport, bool)> {
    let input = scope.input(&step.params, "input")?;
    let plan = scope.dataset(&input).cloned();
    let plan = plan.ok_or_else(|| step.params.error("input", scope.unknown(&input)))?;
    let key = content_key(&plan, scope).await?;
    check(&step.params)?;
    let (file, scan, is_kept) = match is_kept_at(&step.params)? {
        Some(path) => {
            let kept = Kept::at(path);
            let may_be_taken = reads_files_only(&plan)? && repeats(&plan);
            let (scan, is_kept) = kept.shared(scope, plan, &key, may_be_taken).await?;
            (kept.file, scan, is_kept)
        }
        None => {
            let file = scope.context.temp_dir.join(cache_name(&key));
            scope.remove_at_end(&file);
            let scan = make(scope, &file, plan).await?;
            (file, scan, false)
        }
    };
    let shown = file.display().to_string();
    let sql = format!("SELECT * FROM '{}'", shown.replace('\'', "''"));
    scope.add_query(step, &sql).await?;
    Ok((scan, is_kept))
}

/// Refuses a file that is none of a cache, one that cannot be written, and one that is there that no cache has made.
pub(super) fn check(params: &Params) -> Result<()> {
    let Some(path) = is_kept_at(params)? else {
        return Ok(());
    };
    target::has_place(params, "path", path)?;
    match Kept::at(path).foreign() {
        Some(file) => {
            let problem = format!(
                "{} is there already and was made by no cache, as there is no {path}.key: remove it, or name another file",
                file.display()
            );
            Err(params.error("path", problem).into())
        }
        None => Ok(()),
    }
}

/// What stands beside a file of a cache.
pub(super) fn beside(path: &str) -> [String; 2] {
    [format!("{path}.key"), format!("{path}.rejects.jsonl")]
}

/// The file in which later runs find the dataset, if there is to be one.
fn is_kept_at(params: &Params) -> Result<Option<&str>> {
    match params.text("path") {
        Some(path) if path.contains("://") || !is_parquet(path) => {
            let problem = "it is a local file of Parquet, whose name ends in .parquet";
            Err(params.error("path", problem).into())
        }
        path => Ok(path),
    }
}

/// A key of all that a plan is made with, and of the files that it reads as they are now.
async fn content_key(plan: &LogicalPlan, scope: &Scope) -> Result<String> {
    let mut hasher = std::hash::DefaultHasher::new();
    scope.made_with().hash(&mut hasher);
    plan.display_indent_schema().to_string().hash(&mut hasher);
    inputs(plan, &scope.state).await?.hash(&mut hasher);
    Ok(format!("{:016x}", hasher.finish()))
}

async fn make(scope: &Scope, file: &Path, plan: LogicalPlan) -> Result<ScanReport> {
    let shown = file.display().to_string();
    let made = sinks::write_plan(scope, &shown, Some("parquet"), plan, true).await?;
    Ok(made.scan)
}

/// What the note says of a file that is being made.
const UNFINISHED: &str = "unfinished\n";

/// A file that later runs may take, and what stands beside it.
struct Kept {
    file: PathBuf,
    /// Its key.
    note: PathBuf,
    /// What was set aside when it was made.
    rejects: PathBuf,
}

impl Kept {
    fn at(path: &str) -> Self {
        let [note, rejects] = beside(path).map(PathBuf::from);
        Self {
            file: PathBuf::from(path),
            note,
            rejects,
        }
    }

    /// A file that would be replaced, and is somebody else's: without a key.
    fn foreign(&self) -> Option<&Path> {
        let mut files = [&self.file, &self.rejects].into_iter();
        let found = files.find(|file| !self.note.exists() && file.exists());
        found.map(PathBuf::as_path)
    }

    fn is_of(&self, key: &str) -> bool {
        let known = std::fs::read_to_string(&self.note);
        self.rejects.is_file() && known.is_ok_and(|known| self.state(key).is_ok_and(|k| k == known))
    }

    /// What the note says while the file is as it was made under this key.
    fn state(&self, key: &str) -> std::io::Result<String> {
        let meta = self.file.metadata()?;
        let since = meta.modified()?.duration_since(UNIX_EPOCH);
        let at = since.map_or(0, |since| since.as_nanos());
        let changed = changed_at(&meta).unwrap_or_default();
        Ok(format!("{key} {} {at} {changed}\n", meta.len()))
    }

    /// The file of this key, as it is or made anew, which no other run touches until this one ends. Answers what was read,
    /// and whether it is that of an earlier run.
    async fn shared(
        &self,
        scope: &mut Scope,
        plan: LogicalPlan,
        key: &str,
        may_be_taken: bool,
    ) -> Result<(ScanReport, bool)> {
        let lock = CacheLock::open(&self.note);
        let what = || format!("writing {}", self.note.display());
        let lock = lock.map_err(|error| BiotideError::io(what(), error))?;
        for _ in 0..TRIES {
            lock.to_read(&self.note).await?;
            if may_be_taken && self.is_of(key) {
                let scan = self.tell(scope)?;
                scope.hold(lock);
                return Ok((scan, true));
            }
            if lock.to_make(&self.note).await? {
                let scan = self.make(scope, plan, key).await?;
                lock.to_read(&self.note).await?;
                if !self.is_of(key) {
                    break;
                }
                scope.hold(lock);
                return Ok((scan, false));
            }
        }
        let problem = "another run has made it of other steps or files, and reads it: wait until that ends, or let the cache \
                       have a file of its own";
        Err(BiotideError::file(self.file.display().to_string(), problem).into())
    }

    async fn make(&self, scope: &Scope, plan: LogicalPlan, key: &str) -> Result<ScanReport> {
        let what = |file: &Path| format!("writing {}", file.display());
        // (As long as they do not belong together the note says so. Without one the file would be somebody else's to the
        // run after one that was broken off.)
        std::fs::write(&self.note, UNFINISHED)
            .map_err(|error| BiotideError::io(what(&self.note), error))?;
        let before = scope.context.finished.all().len();
        let made = make(scope, &self.file, plan).await;
        if made.is_err() && !self.file.exists() {
            // (It is not there at worst.)
            let _ = std::fs::remove_file(&self.note);
        }
        let scan = made?;
        let logs = scope.context.finished.all().split_off(before);
        let mut is_begun = false;
        for log in &logs {
            write_json_lines(&self.rejects, log, &[], is_begun)?;
            is_begun = true;
        }
        if !is_begun {
            std::fs::write(&self.rejects, "")
                .map_err(|error| BiotideError::io(what(&self.rejects), error))?;
        }
        self.state(key)
            .and_then(|state| std::fs::write(&self.note, state))
            .map_err(|error| BiotideError::io(what(&self.note), error))?;
        Ok(scan)
    }

    /// Tells this run what was set aside.
    fn tell(&self, scope: &Scope) -> Result<ScanReport> {
        let log = scope.context.new_log(false);
        read_json_lines(&self.rejects, &log)?;
        scope.context.publish(&log)?;
        Ok(log.report())
    }
}
