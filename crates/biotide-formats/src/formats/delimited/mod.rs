//! TSV and CSV: [`biotide_text::delimited`] as a format.

mod evolve;
mod infer;
mod layout;
mod options;
mod section;

use std::sync::Arc;

use biotide_common::BiotideError;
use biotide_common::options::BiotideOptions;

use crate::spec::{FormatSpec, SampledFile, TextLayout};
pub use layout::DelimitedLayout;

/// Delimited text with a default delimiter.
#[derive(Debug, Clone, Copy)]
pub struct Delimited {
    name: &'static str,
    extensions: &'static [&'static str],
    delimiter: u8,
}

impl Delimited {
    /// Tab-separated.
    pub const TSV: Self = Self {
        name: "tsv",
        extensions: &["tsv", "tab", "txt"],
        delimiter: b'\t',
    };
    /// Comma-separated.
    pub const CSV: Self = Self {
        name: "csv",
        extensions: &["csv"],
        delimiter: b',',
    };
}

impl FormatSpec for Delimited {
    fn name(&self) -> &'static str {
        self.name
    }

    fn extensions(&self) -> &'static [&'static str] {
        self.extensions
    }

    fn is_enough(&self, head: &[u8], options: &BiotideOptions) -> Result<bool, BiotideError> {
        DelimitedLayout::is_enough(self.delimiter, head, options)
    }

    fn layout(
        &self,
        files: &[SampledFile],
        options: &BiotideOptions,
    ) -> Result<Arc<dyn TextLayout>, BiotideError> {
        Ok(Arc::new(DelimitedLayout::infer(
            self.delimiter,
            files,
            options,
        )?))
    }
}
