//! The file of the reject log, which is written as its ending says.

use super::OptionValue;

/// How the reject log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectFormat {
    /// JSON Lines.
    JsonLines,
    /// A header and a line an entry, with this byte between fields.
    Delimited(u8),
    /// Parquet.
    Parquet,
}

/// Endings of tables and of compressed files that the log is not written as. Under such a name JSON Lines would be taken
/// for what they are not.
const OTHERS: [&str; 19] = [
    "arrow", "ipc", "feather", "avro", "orc", "xls", "xlsx", "ods", "sqlite", "db", "gz", "bgz",
    "bgzf", "zst", "zstd", "bz2", "xz", "lz4", "zip",
];

/// The file that the reject log goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectFile {
    path: String,
    format: RejectFormat,
}

impl RejectFile {
    /// Its path.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// How it is written.
    pub fn format(&self) -> RejectFormat {
        self.format
    }
}

impl OptionValue for RejectFile {
    const KIND: &'static str = "text";

    fn parse(text: &str) -> Result<Self, String> {
        let name = text.rsplit(['/', '\\']).next().unwrap_or(text);
        let ending = name.rsplit_once('.').map(|(_, ending)| ending);
        let format = match ending.map(str::to_ascii_lowercase).as_deref() {
            Some("csv") => RejectFormat::Delimited(b','),
            // (As `convert` takes them.)
            Some("tsv" | "tab" | "txt") => RejectFormat::Delimited(b'\t'),
            Some("parquet" | "pq") => RejectFormat::Parquet,
            Some(other) if OTHERS.contains(&other) => {
                return Err(format!(
                    "ends in .{other}, as which bad rows are not written: use .jsonl, .csv, .tsv \
                     or .parquet"
                ));
            }
            _ => RejectFormat::JsonLines,
        };
        Ok(Self {
            path: text.to_owned(),
            format,
        })
    }

    fn show(&self) -> String {
        self.path.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_says_how_bad_rows_are_written() {
        let tabs = RejectFormat::Delimited(b'\t');
        for (path, format) in [
            ("bad.jsonl", RejectFormat::JsonLines),
            ("bad.ndjson", RejectFormat::JsonLines),
            ("bad.json", RejectFormat::JsonLines),
            ("bad", RejectFormat::JsonLines),
            ("bad.log", RejectFormat::JsonLines),
            ("run.csv/bad", RejectFormat::JsonLines),
            ("bad.csv.old", RejectFormat::JsonLines),
            ("", RejectFormat::JsonLines),
            ("/tmp/Bad.CSV", RejectFormat::Delimited(b',')),
            ("bad.tsv", tabs),
            ("bad.tab", tabs),
            ("bad.txt", tabs),
            ("run.gz/bad.parquet", RejectFormat::Parquet),
            ("bad.pq", RejectFormat::Parquet),
        ] {
            let file = RejectFile::parse(path).unwrap();
            assert_eq!(file.format(), format, "{path}");
            assert_eq!((file.path(), file.show()), (path, path.to_owned()));
        }
    }

    #[test]
    fn what_is_not_written_says_what_is() {
        for path in ["bad.xlsx", "bad.arrow", "bad.csv.gz", "a.b/bad.jsonl.ZST"] {
            let problem = RejectFile::parse(path).unwrap_err();
            assert!(problem.ends_with("use .jsonl, .csv, .tsv or .parquet"));
        }
        let problem = RejectFile::parse("bad.csv.GZ").unwrap_err();
        assert!(problem.starts_with("ends in .gz, "), "{problem}");
    }
}
