//! Tables that mappings are made from, by their names.

use std::path::Path;

use biotide_common::BiotideError;
use biotide_common::nearest::{list, nearest};
use biotide_database::is_database;
use biotide_formats::files::is_glob;
use biotide_formats::formats;
use biotide_formats::spool::Spool;
use datafusion::common::TableReference;
use datafusion::execution::SessionState;
use datafusion::sql::planner::object_name_to_table_reference;
use datafusion::sql::sqlparser::ast::ObjectName;

use super::source::{is_path, path_of};
use crate::catalog::is_binary;

/// What a name in `FROM` is of.
pub(super) enum Named {
    /// A table or a view, in SQL.
    Table(String),
    /// A file.
    Path(String),
}

/// Fails where a file is by its name a stored mapping, and is empty.
pub(super) fn check_stored(path: &str) -> Result<(), BiotideError> {
    let is_empty = || std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() == 0);
    match path.ends_with(".mapping") && is_empty() {
        true => Err(BiotideError::file(
            path,
            "it is empty, and no stored mapping; make it anew with CREATE MAPPING … STORED AS",
        )),
        false => Ok(()),
    }
}

/// The tables of a session, and the names of its mappings.
pub(super) struct Tables<'a> {
    pub(super) state: &'a SessionState,
    pub(super) mappings: Vec<String>,
}

impl Tables<'_> {
    /// What a name is of: of a table, if there is one, else of a file.
    pub(super) fn named(&self, name: &ObjectName) -> Result<Named, BiotideError> {
        let options = self.state.config_options();
        let normalize = options.sql_parser.enable_ident_normalization;
        let reference = object_name_to_table_reference(name.clone(), normalize).ok();
        match reference.filter(|reference| self.has(reference)) {
            Some(table) => Ok(Named::Table(table.to_quoted_string())),
            None => self.file(path_of(name)),
        }
    }

    /// What a text is of, which is a path or the name of a table.
    pub(super) fn of_text(&self, text: &str) -> Result<Named, BiotideError> {
        let references = [TableReference::bare(text), TableReference::parse_str(text)];
        match references.iter().find(|reference| self.has(reference)) {
            Some(table) => Ok(Named::Table(table.to_quoted_string())),
            None => self.file(text.to_owned()),
        }
    }

    fn has(&self, reference: &TableReference) -> bool {
        let schema = self.state.schema_for_ref(reference.clone());
        schema.is_ok_and(|schema| schema.table_exist(reference.table()))
    }

    fn file(&self, path: String) -> Result<Named, BiotideError> {
        check_stored(&path)?;
        if Spool::takes(&path) || Path::new(&path).exists() {
            return Ok(Named::Path(path));
        }
        if !is_path(&path) {
            return Err(self.missing(path));
        }
        // (What readers know by its ending is for them to say: a member of an archive is no file either.)
        let is_known = formats::by_path(&path).is_some() || is_binary(&path);
        let is_elsewhere = path.contains("://") || is_database(&path) || is_glob(&path);
        match is_known || is_elsewhere {
            true => Ok(Named::Path(path)),
            false => Err(BiotideError::file(path, "there is no such file")),
        }
    }

    /// There is neither a table nor a file of this name.
    fn missing(&self, name: String) -> BiotideError {
        let mapping = self
            .mappings
            .iter()
            .find(|own| own.eq_ignore_ascii_case(&name));
        let problem = match mapping {
            Some(mapping) => format!(
                "is a mapping, and neither a table nor a file: (SELECT * FROM mapping_edges('{mapping}')) is its statements"
            ),
            None => format!("is neither a table nor a file: {}", self.hint(&name)),
        };
        BiotideError::Option {
            key: "CREATE MAPPING".to_owned(),
            value: name,
            problem,
        }
    }

    /// The table of the session's own schema that was meant, or those that there are, as they would be written.
    fn hint(&self, name: &str) -> String {
        let schema = self.state.schema_for_ref(TableReference::bare("t"));
        let mut known = schema.map_or_else(|_| Vec::new(), |schema| schema.table_names());
        known.sort_unstable();
        let written = |table: &str| TableReference::bare(table).to_quoted_string();
        if let Some(near) = nearest(name, known.iter().map(String::as_str)) {
            return format!("did you mean {}?", written(near));
        }
        let known: Vec<String> = known.iter().map(|table| written(table)).collect();
        match known.is_empty() {
            true => "there are no tables".to_owned(),
            false => format!("there are {}", list(known.iter().map(String::as_str))),
        }
    }
}
