//! JSON Lines, and lists of objects: [`biotide_text::json_lines`] as a format.

mod layout;

use std::sync::Arc;

use biotide_common::BiotideError;
use biotide_common::options::BiotideOptions;
use biotide_text::delimited::Layout;
use biotide_text::json_lines::{Framing, JsonInference};

use crate::formats::columns;
use crate::spec::{FormatSpec, SampledFile, TextLayout};
pub use layout::JsonLayout;

/// An object a line, or a list of them.
#[derive(Debug, Clone, Copy)]
pub struct JsonLines;

impl FormatSpec for JsonLines {
    fn name(&self) -> &'static str {
        "jsonl"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["ndjson", "json"]
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["jsonl", "ndjson", "json"]
    }

    fn is_enough(&self, head: &[u8], options: &BiotideOptions) -> Result<bool, BiotideError> {
        let mut seen = JsonInference::default();
        seen.observe(Framing::of(head), head, false, false);
        let most = columns::max_record_bytes(options).unwrap_or(Layout::MAX_RECORD_BYTES);
        Ok(seen.records() > 0 || head.len() > most)
    }

    fn layout(
        &self,
        files: &[SampledFile],
        options: &BiotideOptions,
    ) -> Result<Arc<dyn TextLayout>, BiotideError> {
        Ok(Arc::new(JsonLayout::infer(files, options)?))
    }
}
