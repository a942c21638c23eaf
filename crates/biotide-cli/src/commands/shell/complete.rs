//! Names that may follow: tables, columns of the files and tables that the statement speaks of, functions,
//! keywords.

use std::collections::HashMap;

use biotide::prelude::{BiotideContext, SchemaRef};
use futures::executor::block_on;

use super::highlight::{KEYWORDS, Part, parts};
use super::schema_of;

/// What stands where the cursor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A text: in SQL that is a file's name where one can stand.
    File,
    /// A name.
    Name,
    /// A command of the shell.
    Command,
}

/// The place at the end of a text, and where its word starts.
pub(super) fn place(text: &str) -> (usize, Place) {
    if text.starts_with('\\') && !text.contains(' ') {
        return (0, Place::Command);
    }
    if text.starts_with("\\i ") || text.starts_with("\\o ") {
        return (3, Place::File);
    }
    let last = parts(text).pop();
    match last {
        Some((Part::Text, word)) if word.len() == 1 || !word.ends_with('\'') => {
            (text.len() - word.len(), Place::File)
        }
        Some((Part::Keyword | Part::Other, word)) if word.chars().all(is_name) => {
            (text.len() - word.len(), Place::Name)
        }
        _ => (text.len(), Place::Name),
    }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Names that are known.
pub(super) struct Names {
    context: BiotideContext,
    functions: Option<Vec<String>>,
    /// Columns by what stands behind FROM.
    columns: HashMap<String, Vec<String>>,
}

impl Names {
    pub(super) fn new(context: BiotideContext) -> Self {
        Self {
            context,
            functions: None,
            columns: HashMap::new(),
        }
    }

    /// Names that begin so, in a statement.
    pub(super) fn that_start_with(
        &mut self,
        start: &str,
        statement: &str,
        place: Place,
    ) -> Vec<String> {
        if place == Place::Command {
            let commands = super::meta::COMMANDS
                .iter()
                .map(|(name, ..)| (*name).to_owned());
            return commands.filter(|name| name.starts_with(start)).collect();
        }
        let mut names = Vec::new();
        for source in sources(statement) {
            names.extend(self.columns(&source).iter().map(|column| quoted(column)));
        }
        names.extend(self.context.table_names());
        if !start.is_empty() {
            names.extend(self.functions().iter().cloned());
            let lower = start.chars().all(|c| !c.is_uppercase());
            names.extend(KEYWORDS.iter().map(|keyword| match lower {
                true => keyword.to_lowercase(),
                false => (*keyword).to_owned(),
            }));
        }
        let begins = |name: &String| {
            let bare = name.trim_start_matches('"').to_lowercase();
            bare.starts_with(&start.to_lowercase())
        };
        names.retain(begins);
        let mut seen = std::collections::HashSet::new();
        names.retain(|name| seen.insert(name.clone()));
        names
    }

    fn functions(&mut self) -> &[String] {
        let context = &self.context;
        self.functions.get_or_insert_with(|| {
            let sql = "SELECT DISTINCT name FROM system.functions ORDER BY name";
            first_column(context, sql)
        })
    }

    /// The columns of a table or file: looked up once.
    fn columns(&mut self, source: &str) -> &[String] {
        let context = &self.context;
        self.columns.entry(source.to_owned()).or_insert_with(|| {
            let names = |schema: SchemaRef| {
                let fields = schema.fields().iter();
                fields.map(|field| field.name().clone()).collect()
            };
            // A file that is not there has no columns to offer.
            block_on(schema_of(context, source))
                .map(names)
                .unwrap_or_default()
        })
    }
}

fn first_column(context: &BiotideContext, sql: &str) -> Vec<String> {
    use arrow::array::AsArray;
    let rows = block_on(async { context.sql(sql).await?.collect().await });
    let text = |batch: &biotide::prelude::RecordBatch| -> Vec<String> {
        let column = batch
            .columns()
            .first()
            .and_then(|column| column.as_string_opt::<i32>());
        column
            .into_iter()
            .flatten()
            .flatten()
            .map(str::to_owned)
            .collect()
    };
    rows.map(|batches| batches.iter().flat_map(text).collect())
        .unwrap_or_default()
}

/// What stands behind FROM and JOIN.
fn sources(statement: &str) -> Vec<String> {
    let parts: Vec<(Part, &str)> = parts(statement)
        .into_iter()
        .filter(|(_, text)| !text.trim().is_empty())
        .collect();
    let is_source = |pair: &[(Part, &str)]| {
        let [(_, word), (part, name)] = pair else {
            return None;
        };
        let begins = word.eq_ignore_ascii_case("from") || word.eq_ignore_ascii_case("join");
        let name_is_one = match part {
            Part::Text | Part::Quoted => name.len() > 1 && name.ends_with(['\'', '"']),
            Part::Other => name.chars().all(is_name),
            _ => false,
        };
        (begins && name_is_one).then(|| (*name).to_owned())
    };
    parts.windows(2).filter_map(is_source).collect()
}

/// A column as it is written in SQL.
fn quoted(name: &str) -> String {
    let plain = name.chars().all(is_name) && !name.starts_with(|c: char| c.is_ascii_digit());
    match plain && !KEYWORDS.contains(&name.to_ascii_uppercase().as_str()) {
        true => name.to_owned(),
        false => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_apart() {
        assert_eq!(place("SELECT ge"), (7, Place::Name));
        assert_eq!(place("SELECT "), (7, Place::Name));
        assert_eq!(place("SELECT * FROM 'da"), (14, Place::File));
        assert_eq!(place("SELECT * FROM 'data.tsv'"), (24, Place::Name));
        assert_eq!(place("\\ti"), (0, Place::Command));
        assert_eq!(place("\\i da"), (3, Place::File));
    }

    #[test]
    fn sources_stand_behind_from_and_join() {
        let sql = "SELECT a FROM 'x y.tsv' t JOIN genes ON 1 = 1 WHERE b IN (SELECT c FROM \"T\")";
        assert_eq!(sources(sql), ["'x y.tsv'", "genes", "\"T\""]);
        assert_eq!(quoted("UniProt ID"), "\"UniProt ID\"");
        assert_eq!(quoted("gene"), "gene");
        assert_eq!(quoted("from"), "\"from\"");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn columns_of_files_are_offered() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.tsv");
        std::fs::write(&path, "gene\tUniProt ID\n1\t2\n").unwrap();
        let mut names = Names::new(BiotideContext::builder().build().unwrap());
        let statement = format!("SELECT u FROM '{}'", path.display());
        let found = names.that_start_with("u", &statement, Place::Name);
        assert_eq!(found[0], "\"UniProt ID\"");
        assert!(found.contains(&"upper".to_owned()) && found.contains(&"union".to_owned()));
        assert!(
            names
                .that_start_with("SEL", "", Place::Name)
                .contains(&"SELECT".to_owned())
        );
        assert_eq!(
            names.that_start_with("\\ti", "", Place::Command),
            ["\\timing"]
        );
    }
}
