//! Texts that are appended in parts, without putting them together first.

use std::fmt::Write;

use arrow::array::StringBuilder;

/// Appends one text in parts.
pub(super) trait PushParts {
    /// The parts of a row's text.
    fn push_parts<const N: usize>(&mut self, parts: [&str; N]);
}

impl PushParts for StringBuilder {
    fn push_parts<const N: usize>(&mut self, parts: [&str; N]) {
        for part in parts {
            // (To memory: it does not fail.)
            self.write_str(part).ok();
        }
        self.append_value("");
    }
}
