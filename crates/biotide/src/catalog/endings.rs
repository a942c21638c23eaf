//! The endings of files that DataFusion reads by itself.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use datafusion::catalog::Session;
use datafusion::common::{GetExt, Result};
use datafusion::datasource::file_format::{FileFormat, FileFormatFactory};
use datafusion::execution::SessionState;

/// Endings, and what such a file is. An ending that is no format of DataFusion's is another name of one.
const BINARY: [(&str, &str); 5] = [
    ("parquet", "parquet"),
    ("pq", "parquet"),
    ("arrow", "arrow"),
    ("ipc", "arrow"),
    ("feather", "arrow"),
];

/// The format of a file of this ending, if DataFusion reads it by itself.
pub(crate) fn binary_format(ending: &str) -> Option<&'static str> {
    let mut known = BINARY.iter();
    let found = known.find(|(name, _)| name.eq_ignore_ascii_case(ending));
    found.map(|(_, format)| *format)
}

/// Whether a path is of a file that DataFusion reads by itself.
pub(crate) fn is_binary(path: &str) -> bool {
    format_of(path).is_some()
}

/// Whether a path is of a Parquet file.
pub(crate) fn is_parquet(path: &str) -> bool {
    format_of(path) == Some("parquet")
}

fn format_of(path: &str) -> Option<&'static str> {
    let (_, ending) = path.rsplit_once('.')?;
    binary_format(ending)
}

/// Has a session know the endings that DataFusion does not.
pub(crate) fn register_endings(state: &mut SessionState) -> Result<()> {
    for (ending, format) in BINARY {
        if ending == format {
            continue;
        }
        if let Some(format) = state.get_file_format_factory(format) {
            state.register_file_format(Arc::new(OtherEnding { ending, format }), true)?;
        }
    }
    Ok(())
}

/// A format under another ending.
struct OtherEnding {
    ending: &'static str,
    format: Arc<dyn FileFormatFactory>,
}

impl fmt::Debug for OtherEnding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OtherEnding({} as {:?})", self.ending, self.format)
    }
}

impl GetExt for OtherEnding {
    fn get_ext(&self) -> String {
        self.ending.to_owned()
    }
}

impl FileFormatFactory for OtherEnding {
    fn create(
        &self,
        state: &dyn Session,
        options: &HashMap<String, String>,
    ) -> Result<Arc<dyn FileFormat>> {
        self.format.create(state, options)
    }

    fn default(&self) -> Arc<dyn FileFormat> {
        FileFormatFactory::default(self.format.as_ref())
    }
}
