//! Inputs that can be read once only: standard input (`-`), named pipes, `<(…)` of a shell. Types are
//! found before rows are read, and units are read in parallel: so their bytes are kept in a file first.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use biotide_common::options::Compression;
use biotide_common::{BiotideError, remove_stale};
use datafusion_common::{DataFusionError, Result};
use datafusion_common_runtime::SpawnedTask;
use futures::future::{BoxFuture, FutureExt, Shared};
use parking_lot::Mutex;
use tempfile::TempDir;

use crate::compress::Codec;
use crate::formats;
use crate::text::peek;

/// What was kept, for as long as this lives. A session has one, as an extension.
#[derive(Debug)]
pub struct Spool {
    folder: PathBuf,
    kept: Mutex<HashMap<String, Kept>>,
}

/// An input that is kept, or on its way to be. A failure is kept too: what was read before it is gone.
#[derive(Debug)]
struct Kept {
    path: Shared<BoxFuture<'static, std::result::Result<String, Arc<DataFusionError>>>>,
    /// Not owned by the thread that reads, which may wait for bytes for ever.
    _dir: TempDir,
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

    /// The path of the file that holds what the location gave when it was first asked for.
    pub async fn keep(&self, location: &str) -> Result<String> {
        let path = {
            let mut kept = self.kept.lock();
            match kept.entry(identity(location)) {
                Entry::Occupied(known) => known.get().path.clone(),
                Entry::Vacant(new) => new.insert(self.start(location)?).path.clone(),
            }
        };
        path.await.map_err(DataFusionError::Shared)
    }

    fn start(&self, location: &str) -> Result<Kept, BiotideError> {
        remove_stale(&self.folder, PREFIX);
        let dir = tempfile::Builder::new()
            .prefix(&format!("{PREFIX}{}-", std::process::id()))
            .tempdir_in(&self.folder)
            .map_err(|e| BiotideError::io(format!("keeping {location}"), e))?;
        let (location, folder) = (location.to_owned(), dir.path().to_owned());
        let task = SpawnedTask::spawn_blocking(move || read(&location, &folder));
        let path = async move {
            match task.await {
                Ok(read) => read.map_err(|error| Arc::new(error.into())),
                Err(join) => Err(Arc::new(DataFusionError::ExecutionJoin(Box::new(join)))),
            }
        };
        Ok(Kept {
            path: path.boxed().shared(),
            _dir: dir,
        })
    }
}

/// Folders of kept inputs begin with this; the number of their process follows.
const PREFIX: &str = "biotide-input-";

/// One pipe has many names.
fn identity(location: &str) -> String {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let path = if location == "-" {
            "/dev/stdin"
        } else {
            location
        };
        if let Ok(meta) = std::fs::metadata(path) {
            return format!("{} {}", meta.dev(), meta.ino());
        }
    }
    location.to_owned()
}

fn read(location: &str, folder: &Path) -> Result<String, BiotideError> {
    let name = match location {
        "-" => "standard input",
        path => path,
    };
    let io = |e| BiotideError::io(format!("keeping {name}"), e);
    let input: Box<dyn Read> = match location {
        "-" => Box::new(std::io::stdin().lock()),
        path => Box::new(File::open(path).map_err(io)?),
    };
    let mut input = BufReader::with_capacity(1 << 16, input);
    let known = formats::by_path(location).and_then(|format| format.extensions().first().copied());
    let ending = match known {
        Some(ending) => ending,
        None => ending(input.fill_buf().map_err(io)?),
    };
    let path = folder.join(format!("input.{ending}"));
    let mut file = File::create(&path).map_err(io)?;
    std::io::copy(&mut input, &mut file).map_err(io)?;
    Ok(path.display().to_string())
}

/// An input without a name has no ending: its start tells.
fn ending(head: &[u8]) -> &'static str {
    let text = match Codec::of("-", Compression::Auto, head) {
        Ok(codec) if codec != Codec::None => peek(codec, head),
        _ => head.to_vec(),
    };
    if matches!(text.trim_ascii_start().first(), Some(b'{' | b'[')) {
        return "jsonl";
    }
    let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let count = |wanted| line.iter().filter(|&&byte| byte == wanted).count();
    match count(b',') > count(b'\t') {
        true => "csv",
        false => "tsv",
    }
}
