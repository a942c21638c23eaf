//! Rows of members, as they come.

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Builder, ListBuilder, RecordBatch, StringBuilder};
use datafusion_common::Result;

use super::logical::CliqueSpec;
use super::names::Names;

/// Who takes batches, until it says [`Break`](ControlFlow::Break).
pub(super) type Out<'a> = &'a mut dyn FnMut(RecordBatch) -> ControlFlow<()>;

/// What all members of a clique have in their rows.
#[derive(Debug)]
pub(super) struct Clique<'a> {
    /// The identifier that stands for it.
    pub(super) name: &'a str,
    pub(super) size: usize,
    /// Prefixes of which it has several identifiers.
    pub(super) conflicts: Vec<&'a str>,
}

/// Rows that wait to be a batch.
pub(super) struct Rows<'a> {
    id: StringBuilder,
    clique: StringBuilder,
    size: Int64Builder,
    conflicts: ListBuilder<StringBuilder>,
    len: usize,
    batch_size: usize,
    out: Out<'a>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(batch_size: usize, out: Out<'a>) -> Self {
        Self {
            id: StringBuilder::new(),
            clique: StringBuilder::new(),
            size: Int64Builder::new(),
            conflicts: ListBuilder::new(StringBuilder::new()),
            len: 0,
            batch_size,
            out,
        }
    }

    /// The rows of these members.
    pub(super) fn push_all(
        &mut self,
        names: &Names,
        clique: &Clique<'_>,
    ) -> Result<ControlFlow<()>> {
        for name in names.iter() {
            if self.push(name, clique)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn push(&mut self, id: &str, clique: &Clique<'_>) -> Result<ControlFlow<()>> {
        self.id.append_value(id);
        self.clique.append_value(clique.name);
        self.size.append_value(clique.size as i64);
        for conflict in &clique.conflicts {
            self.conflicts.values().append_value(conflict);
        }
        self.conflicts.append(!clique.conflicts.is_empty());
        self.len += 1;
        match self.len < self.batch_size {
            true => Ok(ControlFlow::Continue(())),
            false => self.flush(),
        }
    }

    /// Hands over what there is.
    pub(super) fn flush(&mut self) -> Result<ControlFlow<()>> {
        if self.len == 0 {
            return Ok(ControlFlow::Continue(()));
        }
        self.len = 0;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.id.finish()),
            Arc::new(self.clique.finish()),
            Arc::new(self.size.finish()),
            Arc::new(self.conflicts.finish()),
        ];
        let batch = RecordBatch::try_new(CliqueSpec::schema(), columns)?;
        Ok((self.out)(batch))
    }
}
