//! Inputs that can be read once only: standard input (`-`), named pipes, `<(…)` of a shell. Types are
//! found before rows are read, and units are read in parallel: so their bytes are kept in a file first.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use biotide_common::BiotideError;
use datafusion_common::{DataFusionError, Result};
use datafusion_common_runtime::SpawnedTask;
use parking_lot::Mutex;
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::compress::Gunzip;

/// What was kept, for as long as this lives. A session has one, as an extension.
#[derive(Debug)]
pub struct Spool {
    folder: PathBuf,
    kept: Mutex<HashMap<String, Arc<OnceCell<Kept>>>>,
}

/// An input that was kept in a file.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The file.
    pub path: String,
    /// Removes it.
    _dir: Arc<TempDir>,
}

/// What stands for a file in messages and in the reject log: what the user called it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownAs(pub String);

impl Spool {
    /// Keeps its files below this folder.
    pub fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            kept: Mutex::default(),
        }
    }

    /// Whether a location can be read once only.
    pub fn takes(location: &str) -> bool {
        if location == "-" {
            return true;
        }
        // What is neither file nor folder: a pipe, a device, a socket.
        std::fs::metadata(location).is_ok_and(|meta| !meta.is_file() && !meta.is_dir())
    }

    /// The file that holds what the location gave when it was first asked for.
    pub async fn keep(&self, location: &str) -> Result<Kept> {
        let cell = Arc::clone(self.kept.lock().entry(location.to_owned()).or_default());
        let read = || async {
            let (location, folder) = (location.to_owned(), self.folder.clone());
            let read = SpawnedTask::spawn_blocking(move || read(&location, &folder)).await;
            read.map_err(|error| DataFusionError::ExecutionJoin(Box::new(error)))?
                .map_err(DataFusionError::from)
        };
        cell.get_or_try_init(read).await.cloned()
    }
}

fn read(location: &str, folder: &Path) -> Result<Kept, BiotideError> {
    let name = match location {
        "-" => "standard input",
        path => path,
    };
    let io = |e| BiotideError::io(format!("keeping {name}"), e);
    let dir = tempfile::Builder::new()
        .prefix("biotide-stdin-")
        .tempdir_in(folder)
        .map_err(io)?;
    let input: Box<dyn Read> = match location {
        "-" => Box::new(std::io::stdin().lock()),
        path => Box::new(File::open(path).map_err(io)?),
    };
    let mut input = BufReader::with_capacity(1 << 16, input);
    let ending = ending(input.fill_buf().map_err(io)?);
    let path = dir.path().join(format!("stdin.{ending}"));
    let mut file = File::create(&path).map_err(io)?;
    std::io::copy(&mut input, &mut file).map_err(io)?;
    Ok(Kept {
        path: path.display().to_string(),
        _dir: Arc::new(dir),
    })
}

/// An input without a name has no ending: its first line tells.
fn ending(head: &[u8]) -> &'static str {
    let mut gunzip = Gunzip::default();
    // A few lines are enough, and a cut is no damage here.
    let zipped = head.starts_with(&[0x1F, 0x8B])
        && gunzip
            .push("-", &head[..head.len().min(Gunzip::STEP)])
            .is_ok();
    let head = if zipped { gunzip.output() } else { head };
    let line = head.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let count = |wanted| line.iter().filter(|&&byte| byte == wanted).count();
    match count(b',') > count(b'\t') {
        true => "csv",
        false => "tsv",
    }
}
