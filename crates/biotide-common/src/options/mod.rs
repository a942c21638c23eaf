//! The options tree. Every option is declared once, in the list below: its name is the SQL key
//! (`SET biotide.on_error = 'lenient'`), the table option (`OPTIONS ('on_error' 'lenient')`), the named
//! argument (`read_tsv(…, on_error => 'lenient')`) and, with dashes, the flag (`--on-error lenient`).
//!
//! Precedence: argument, table option, session option, default.

mod reject_file;
mod values;

use std::any::Any;

use datafusion_common::config::{ConfigEntry, ConfigExtension, ExtensionOptions};

use crate::error::BiotideError;
use crate::nearest::nearest;
pub use reject_file::{RejectFile, RejectFormat};
pub use values::{
    Aliases, Bytes, Compression, Delimiter, Encoding, IdentifierMode, Infer, Names, OnBadValue,
    OnError, OnInvalid, OneByte, OptionValue, Share, Size, TextType, XrefMode, XrefPolicy,
    XrefUnmapped,
};

/// What is known of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptionInfo {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub kind: &'static str,
    /// What holds where it is not set.
    pub default: &'static str,
    /// One or two sentences.
    pub doc: &'static str,
}

macro_rules! options {
    ($( $name:ident: $type:ty = $default:literal, $doc:literal; )*) => {
        /// Every option; `None` is not set.
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct BiotideOptions {
            $( #[doc = $doc] pub $name: Option<$type>, )*
        }

        impl BiotideOptions {
            /// All options, in the order of the documentation.
            pub const INFO: &'static [OptionInfo] = &[
                $( OptionInfo {
                    name: stringify!($name),
                    kind: <$type as OptionValue>::KIND,
                    default: $default,
                    doc: $doc,
                }, )*
            ];

            /// Sets an option from text. `reset` as the value unsets it.
            pub fn set_text(&mut self, key: &str, value: &str) -> Result<(), BiotideError> {
                let key = normalize(key);
                match key.as_str() {
                    $( stringify!($name) => {
                        self.$name = match value {
                            "reset" => None,
                            _ => Some(<$type as OptionValue>::parse(value).map_err(|problem| {
                                BiotideError::Option { key, value: value.to_owned(), problem }
                            })?),
                        };
                        Ok(())
                    } )*
                    _ => Err(unknown(key)),
                }
            }

            /// The option's value as text, where it is set.
            pub fn get_text(&self, name: &str) -> Option<String> {
                match name {
                    $( stringify!($name) => self.$name.as_ref().map(OptionValue::show), )*
                    _ => None,
                }
            }

            /// These options, and `base` where they are not set.
            #[must_use]
            pub fn over(self, base: &Self) -> Self {
                Self { $( $name: self.$name.or_else(|| base.$name.clone()), )* }
            }
        }
    };
}

options! {
    delimiter: Delimiter = "found in the file; of those that make as much sense, tab for .tsv .tab .txt, comma for .csv", "Between two fields: one character or more; `tab`, `comma`, `semicolon`, `pipe`, `space` and escapes such as `\\t` and `\\x1f` are known, and `blanks` for columns that are aligned by any number of them.";
    quote: OneByte = "found in the file: \", ' or none", "Opens and closes a quoted field; `none` for no quoting.";
    escape: OneByte = "found in the file: \\, or none (a doubled quote stands for a quote)", "Makes the next character text: inside quotes, or everywhere if there is no quote.";
    comment: Bytes = "none", "A record that starts with this is a comment.";
    header: bool = "found in the file: yes, unless the first record is like those below it", "Whether the first record names the columns.";
    header_rows: usize = "found in the file: 1, or 2 where units stand below the names", "Records that the header is of; their fields are joined to names.";
    skip_rows: usize = "found in each file: titles and comments before the table", "Physical lines to skip before anything else is looked at.";
    skip_footer: usize = "found in each file: notes below the table, which go to the reject log", "Physical lines to leave out at the end of each file; 0 takes whatever stands there for records. Not of compressed files, whose end is not known before it is read.";
    table: usize = "the longest", "Which table of each file to read, from 1, where several stand one below the other. They are told apart in the first MiB.";
    explain_dialect: bool = "false", "Say on standard error how each table's files are read, and what was found of them.";
    max_rows: usize = "no limit", "The most rows to take from each file, bad ones not counted.";
    columns: Names = "all", "The columns to read, in this order.";
    column_names: Names = "the header's", "Names that replace those of the header, or stand in for one.";
    column_aliases: Aliases = "none", "Other names for columns: a list such as `UniProt ID=uniprot,uniprot_id=uniprot`. So a column that was renamed over the years is one.";
    strict_schema: bool = "false", "Refuse a set of files whose headers differ. Otherwise columns are matched by name, and NULL in the rows of a file that lacks them.";
    flatten: bool = "false", "JSON: the members of nested objects are columns of their own, `a.b`; else an object is a struct.";
    null_values: Names = "the empty field; for numbers, dates and booleans also NA N/A NaN NULL None . -", "More spellings of NULL, in every column.";
    strip_whitespace: bool = "false", "Trim spaces and tabs around unquoted text.";
    skip_empty: bool = "false", "Skip records in which every field (every one of key_columns, if given) is empty or blank as it is written; what stands for NULL, as NA does, is not empty.";
    key_columns: Names = "all", "The columns that skip_empty looks at.";
    decimal: OneByte = ".", "The decimal mark.";
    thousands: OneByte = "none", "The mark between groups of three digits.";
    date_format: String = "ISO 8601", "strftime format of date and timestamp columns, such as `%d.%m.%Y`.";
    schema: String = "inferred", "The columns' types: a list such as `id:text,npx:float64`, or the path of a file that holds one. Columns that are not named are inferred.";
    all_text: bool = "false", "Read every column as text.";
    infer: Infer = "sample", "Infer types from a `sample`, or from the `full` file.";
    on_error: OnError = "reject", "A row of the wrong shape (field count, quoting, encoding, size): `reject` sets it aside, `lenient` keeps what can be kept, `fail` stops.";
    on_bad_value: OnBadValue = "null", "A value that does not parse as its column's type: `null` keeps the row without it, `reject` sets the row aside, `fail` stops.";
    error_threshold: Share = "0.1, judged from 1000 records on", "The share (0 to 1) of records with a problem at which a file fails.";
    chunk_rows: usize = "1000", "Records of a chunk, of which max_errors_per_chunk tells.";
    max_errors_per_chunk: usize = "no limit", "The most records with a problem among the records of a chunk: of the first chunk_rows of a file, of the next, and so on. One more and the file fails.";
    rejects: RejectFile = "none", "Write the reject log to this file, as its ending says: .jsonl, .csv, .tsv or .parquet; JSON Lines where it says nothing.";
    metadata_columns: bool = "false", "Add the columns _line (physical line, from 1) and _offset (byte offset) of every record.";
    max_record_bytes: Size = "16MiB", "A longer record is rejected.";
    compression: Compression = "auto", "`auto` looks at the first bytes.";
    encoding: Encoding = "found in the file: UTF-8, UTF-16, or what its bytes look like", "The encoding of the text, by a name that the WHATWG standard knows: `utf-8`, `utf-16le`, `latin1`, `windows-1252`, `macintosh`, `shift_jis`, `gbk`, ….";
    max_concurrent_chunks: usize = "as many as threads", "Chunks decoded at a time where the order is kept.";
    backpressure_threshold: usize = "10", "Decoded chunks that may wait to be taken where the order is kept.";
    text_type: TextType = "utf8", "The Arrow type of text columns: `utf8` (copied; spills well) or `view` (Utf8View, points into the chunk).";
    parquet_zstd_level: usize = "3", "The zstd level (1 to 22) of Parquet files.";
    parquet_row_group_rows: usize = "1000000", "The most rows of a Parquet row group.";
    identifiers_mode: IdentifierMode = "strict", "How the functions on prefixes, CURIEs and IRIs answer: `strict`, or exactly as `bioregistry`'s do (blanks are kept, one redundant prefix is cut off, digits of all scripts match). Also `identifiers.mode`.";
    identifiers_on_invalid: OnInvalid = "null", "What the functions on identifiers do with what is none: `null` (or the verdict `invalid`), `error` fails the query, `passthrough` leaves the text as it was where the answer is a text. Also `identifiers.on_invalid`.";
    identifiers_genes: String = "HGNC's, built in", "A table of genes: HGNC's `hgnc_complete_set.txt`, or tab-separated with the columns hgnc_id, symbol, alias_symbol, prev_symbol, and at will ensembl_gene_id, location, taxon_id; gzipped or not. Also `identifiers.genes`.";
    identifiers_secondary: Names = "those of HGNC, ChEBI and NCBI Gene (human), built in", "Tables of retired identifiers: a list of paths, or `namespace=path`, of sec2pri's tables (columns secondaryID, primaryID) or UniProt's `sec_ac.txt`; gzipped or not. Also `identifiers.secondary`.";
    identifiers_parsers: String = "none", "Parsers of identifiers in YAML, besides the built-in ones. Also `identifiers.parsers`.";
    identifiers_registry: String = "the one that is built in", "A registry of prefixes: the Bioregistry's `bioregistry.json`, or an extended prefix map, gzipped or not. Also `identifiers.registry`.";
    xref_targets: Names = "any", "Cross-references: the prefixes that results may have. In `xref(…)` these options have no `xref_`.";
    xref_max_hops: usize = "2", "Cross-references: the most edges of a path, 1 to 8.";
    xref_limit: usize = "100", "Cross-references: the most results of an identifier, the best ones.";
    xref_min_confidence: Share = "0", "Cross-references: results below this (0 to 1) are left out.";
    xref_hop_factor: Share = "1", "Cross-references: what each edge after the first multiplies the confidence of a path with.";
    xref_policy: XrefPolicy = "explode", "Cross-references: what becomes of an identifier with several results. `explode` makes a row of each, `list` one row with all, `first` takes the first (by `xref_priority`, then the best), `error` fails if several are of one namespace, `drop` leaves those out.";
    xref_priority: Names = "none", "Cross-references and cliques: prefixes, the best first.";
    xref_mode: XrefMode = "directed", "Cross-references: `directed` walks as predicates allow and puts paths to the same identifier together; `undirected` walks every edge both ways, and every path is a result.";
    xref_chain: Names = "none", "Cross-references: what chains with itself although SSSOM's rules do not say so: `close`, `related`, `xref`.";
    xref_repeat_prefix: bool = "false", "Cross-references: whether a path may come through a prefix twice.";
    xref_unmapped: XrefUnmapped = "keep", "Cross-references: `keep` rows without a result (`note` says why; `biotide xref` has it with `--notes`), or `drop` them.";
    xref_namespace: String = "what the column's name says, if it is that of a prefix", "Cross-references: the namespace of identifiers that have no prefix.";
    xref_retired: bool = "true", "Cross-references: bring retired identifiers forward first (`identifiers_secondary`).";
    xref_max_paths: usize = "1000000", "Cross-references: the most edges that are looked at for one identifier.";
}

impl BiotideOptions {
    /// The prefix of session keys.
    pub const PREFIX: &'static str = "biotide";

    /// Options of a session that mean nothing for one table.
    const OF_SESSIONS: [&'static str; 9] = [
        "rejects",
        "parquet_zstd_level",
        "parquet_row_group_rows",
        "identifiers_mode",
        "identifiers_on_invalid",
        "identifiers_genes",
        "identifiers_secondary",
        "identifiers_parsers",
        "identifiers_registry",
    ];

    /// Whether there is an option of this name.
    pub fn is_known(key: &str) -> bool {
        let name = normalize(key);
        Self::INFO.iter().any(|info| info.name == name)
    }

    /// Sets an option of one table, as [`BiotideOptions::set_text`] does.
    pub fn set_table_text(&mut self, key: &str, value: &str) -> Result<(), BiotideError> {
        let name = normalize(key);
        if Self::OF_SESSIONS.contains(&name.as_str()) || name.starts_with("xref_") {
            let problem = format!(
                "is of the session, not of a table: SET {}.{name} = '…', or the flag --{}",
                Self::PREFIX,
                name.replace('_', "-")
            );
            let (key, value) = (name, value.to_owned());
            return Err(BiotideError::Option {
                key,
                value,
                problem,
            });
        }
        self.set_text(key, value)
    }
}

/// Without prefix, with underscores.
fn normalize(key: &str) -> String {
    let key = key.trim().to_ascii_lowercase().replace('-', "_");
    let bare = key
        .strip_prefix("format.")
        .or_else(|| key.strip_prefix("biotide."));
    // (`identifiers.mode` is `identifiers_mode`.)
    bare.unwrap_or(&key).replace('.', "_")
}

fn unknown(key: String) -> BiotideError {
    let names = BiotideOptions::INFO.iter().map(|info| info.name);
    let hint = match nearest(&key, names) {
        Some(name) => format!("; did you mean '{name}'?"),
        None => "; SELECT * FROM system.options lists them".to_owned(),
    };
    BiotideError::UnknownOption { key, hint }
}

impl ExtensionOptions for BiotideOptions {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn cloned(&self) -> Box<dyn ExtensionOptions> {
        Box::new(self.clone())
    }

    fn set(&mut self, key: &str, value: &str) -> datafusion_common::Result<()> {
        Ok(self.set_text(key, value)?)
    }

    fn entries(&self) -> Vec<ConfigEntry> {
        let entry = |info: &OptionInfo| ConfigEntry {
            key: format!("{}.{}", Self::PREFIX, info.name),
            value: self.get_text(info.name),
            description: info.doc,
        };
        Self::INFO.iter().map(entry).collect()
    }
}

impl ConfigExtension for BiotideOptions {
    const PREFIX: &'static str = Self::PREFIX;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_set_shown_and_overlaid() {
        let mut options = BiotideOptions::default();
        options.set_text("format.Delimiter", "tab").unwrap();
        options.set_text("skip-rows", "3").unwrap();
        assert_eq!(options.get_text("delimiter").as_deref(), Some("\\t"));
        let base = BiotideOptions {
            skip_rows: Some(1),
            header: Some(false),
            ..Default::default()
        };
        let over = options.over(&base);
        assert_eq!((over.skip_rows, over.header), (Some(3), Some(false)));
    }

    #[test]
    fn mistakes_are_answered_with_what_would_do() {
        let mut options = BiotideOptions::default();
        let unknown = options.set_text("delimter", ",").unwrap_err().to_string();
        assert!(unknown.contains("did you mean 'delimiter'?"), "{unknown}");
        let bad = options
            .set_text("on_error", "ignore")
            .unwrap_err()
            .to_string();
        assert!(bad.contains("'ignore'") && bad.contains("lenient"), "{bad}");
        assert!(options.set_text("error_threshold", "5").is_err());
        assert!(options.set_text("quote", "ab").is_err());
        let bad = options
            .set_text("rejects", "bad.xlsx")
            .unwrap_err()
            .to_string();
        assert!(
            bad.starts_with("option rejects: 'bad.xlsx' ends in .xlsx"),
            "{bad}"
        );
    }
}
