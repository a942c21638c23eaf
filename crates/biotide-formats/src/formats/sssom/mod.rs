//! SSSOM TSV: mappings between terms, under a block of YAML.
//!
//! ```text
//! #curie_map:                                     metadata.rs: the block, or x.sssom.yml beside the file
//! #  HP: http://purl.obolibrary.org/obo/HP_
//! #mapping_tool: aligner                          a slot of all mappings: a column, the same in every row
//! subject_id  predicate_id  object_id  …          the delimited layout, which does not see the block
//! ```
//!
//! The table is read by the delimited reader. What it is not told by the header comes from [`infer`]: types,
//! lists and constants by the slots of the schema ([`biotide_common::sssom`]), and the rules that rows are held
//! against ([`rules`]).

mod columns;
pub(crate) mod enumerations;
mod infer;
mod iris;
mod layout;
mod metadata;
mod old;
mod rules;

use std::sync::Arc;

use biotide_common::BiotideError;
use biotide_common::options::BiotideOptions;

use crate::formats::decompressed;
use crate::formats::delimited::DelimitedLayout;
use crate::spec::{FormatSpec, SampledFile, TextLayout};
use layout::SssomLayout;
use metadata::Block;

/// SSSOM, separated by tabs or commas.
#[derive(Debug, Clone, Copy)]
pub struct Sssom;

impl FormatSpec for Sssom {
    fn name(&self) -> &'static str {
        "sssom"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["sssom.tsv", "sssom.csv"]
    }

    fn is_enough(&self, head: &[u8], options: &BiotideOptions) -> Result<bool, BiotideError> {
        let Some(block) = Block::of(head, false) else {
            return Ok(false);
        };
        let table = &head[block.end..];
        let options = infer::options(options, table);
        DelimitedLayout::is_enough(b'\t', table, &options)
    }

    /// Of `x.sssom.tsv.gz`, if it has no block: `x.sssom.yml` and `x.yml`.
    fn companions(&self, path: &str, head: &[u8]) -> Vec<String> {
        if Block::of(head, true).is_some_and(|block| block.end > 0) {
            return Vec::new();
        }
        let bare = decompressed(path);
        let Some((stem, _)) = bare.rsplit_once('.') else {
            return Vec::new();
        };
        let shorter = stem.strip_suffix(".sssom");
        let stems = std::iter::once(stem).chain(shorter);
        stems.map(|stem| format!("{stem}.yml")).collect()
    }

    fn layout(
        &self,
        files: &[SampledFile],
        options: &BiotideOptions,
    ) -> Result<Arc<dyn TextLayout>, BiotideError> {
        Ok(Arc::new(SssomLayout::infer(files, options)?))
    }
}
