//! Where rows stand, as far as the columns tell that `load` and `load_dataset_identifiers` add.

/// The columns that tell where a row stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin<'a> {
    /// Its file.
    pub(crate) file: Option<&'a str>,
    /// Its line.
    pub(crate) line: &'a str,
}

impl<'a> Origin<'a> {
    /// Those of a table, if it has any.
    pub(crate) fn among(columns: &'a [String]) -> Option<Self> {
        let named = |name: &str| {
            let mut columns = columns.iter().map(String::as_str);
            columns.find(|column| *column == name)
        };
        match (named("_source_file"), named("_row_number")) {
            (Some(file), Some(line)) => Some(Self {
                file: Some(file),
                line,
            }),
            _ => named("_line").map(|line| Self { file: None, line }),
        }
    }
}
