//! Reference tables of files: tab-separated, with a header, gzipped or not.

use std::path::Path;

use biotide_common::BiotideError;

use super::unpack;

/// The text of a file.
pub(super) fn read(file: &str) -> Result<String, BiotideError> {
    let bytes = std::fs::read(Path::new(file))
        .map_err(|error| BiotideError::io(format!("reading the table {file}"), error))?;
    if bytes.starts_with(&[0x1f, 0x8b]) {
        return unpack(&bytes).map_err(|problem| BiotideError::file(file, problem));
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return Err(BiotideError::file(
            file,
            "it is a zip archive: unpack it first",
        ));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        BiotideError::file(
            file,
            format!("byte {at} is not UTF-8: convert the table first"),
        )
    })
}

/// A table.
#[derive(Debug)]
pub(super) struct Table<'a> {
    header: Vec<&'a str>,
    body: &'a str,
    /// The line that the body begins at, from 1.
    start: usize,
}

/// A row of it.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) line: usize,
    fields: Vec<&'a str>,
}

impl<'a> Table<'a> {
    /// The first line that is no comment is the header.
    pub(super) fn new(text: &'a str) -> Result<Self, String> {
        let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut start = 1;
        while rest.starts_with('#') {
            rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
            start += 1;
        }
        let (header, body) = rest.split_once('\n').unwrap_or((rest, ""));
        if header.trim().is_empty() {
            return Err(format!("line {start}: there is no header"));
        }
        let header = header
            .trim_end_matches('\r')
            .split('\t')
            .map(unquoted)
            .collect();
        Ok(Self {
            header,
            body,
            start: start + 1,
        })
    }

    /// The place of the column that has one of these names, in any case.
    pub(super) fn column(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| {
            let mut columns = self.header.iter();
            columns.position(|column| column.eq_ignore_ascii_case(name))
        })
    }

    /// The rows; an error is one that is shorter or longer than the header.
    pub(super) fn rows(&self) -> impl Iterator<Item = Result<Row<'a>, String>> {
        let columns = self.header.len();
        (self.start..)
            .zip(self.body.lines())
            .filter(|(_, text)| !text.is_empty())
            .map(move |(line, text)| {
                let fields: Vec<&str> = text.split('\t').map(unquoted).collect();
                match fields.len() == columns {
                    true => Ok(Row { line, fields }),
                    false => Err(format!(
                        "line {line}: it has {} fields, the header {columns}",
                        fields.len()
                    )),
                }
            })
    }
}

impl<'a> Row<'a> {
    /// A field, empty if there is no such column.
    pub(super) fn get(&self, column: Option<usize>) -> &'a str {
        column
            .and_then(|column| self.fields.get(column))
            .copied()
            .unwrap_or("")
    }
}

/// A field without blanks and quotes around it.
fn unquoted(field: &str) -> &str {
    let field = field.trim();
    let inner = field
        .strip_prefix('"')
        .and_then(|inner| inner.strip_suffix('"'));
    inner.unwrap_or(field)
}
