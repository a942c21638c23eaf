//! What the options say of columns, rows and values, whatever the format.

use std::collections::HashSet;
use std::fs;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use biotide_common::BiotideError;
use biotide_common::options::{self, BiotideOptions};
use biotide_text::charset::Charset;
use biotide_text::chunk::{ChunkDecoder, date_format_problem};
use biotide_text::delimited::{Column, ColumnType, Layout, OnBadValue, OnError, TextArray};
use encoding_rs::Encoding;

use crate::spec::SampledFile;

/// The schema of the columns that a table shows, and behind them those that tell where a record stands.
pub(crate) fn schema_of(layout: &Layout, shown: &[usize], metadata: bool) -> SchemaRef {
    let full = ChunkDecoder::full_schema(layout);
    let metadata = (layout.columns.len()..full.fields().len()).filter(|_| metadata);
    let columns = shown.iter().copied().chain(metadata);
    let fields = columns.map(|i| Arc::clone(&full.fields()[i]));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// The columns that a table shows.
pub(crate) fn shown(options: &BiotideOptions, layout: &Layout) -> Result<Vec<usize>, BiotideError> {
    let Some(columns) = &options.columns else {
        return Ok((0..layout.columns.len()).collect());
    };
    let place =
        |name: &String| position(layout, name).ok_or_else(|| unknown("columns", name, layout));
    let shown: Vec<usize> = columns.0.iter().map(place).collect::<Result<_, _>>()?;
    let mut seen = HashSet::new();
    match shown.iter().find(|place| !seen.insert(**place)) {
        Some(twice) => Err(BiotideError::Option {
            key: "columns".to_owned(),
            value: layout.columns[*twice].name.clone(),
            problem: "is named twice; name every column once, and SELECT it twice".to_owned(),
        }),
        None => Ok(shown),
    }
}

/// The columns with the types that the user gave, all text or some by name; and of which the type was
/// found.
pub(crate) fn typed(
    options: &BiotideOptions,
    given: &[(String, ColumnType)],
    layout: &Layout,
) -> Result<(Vec<Column>, Vec<bool>), BiotideError> {
    let mut columns = layout.columns.clone();
    let all_text = options.all_text == Some(true);
    let mut inferred = vec![!all_text; columns.len()];
    if all_text {
        columns
            .iter_mut()
            .for_each(|column| column.ty = ColumnType::Text);
    }
    for (name, ty) in given {
        let Some(at) = position(layout, name) else {
            return Err(unknown("schema", name, layout));
        };
        columns[at] = Column::new(std::mem::take(&mut columns[at].name), *ty);
        inferred[at] = false;
    }
    Ok((columns, inferred))
}

/// The encoding of all files; one that shows no character beyond ASCII goes with any.
pub(crate) fn encoding(files: &[SampledFile]) -> Result<&'static Encoding, BiotideError> {
    let mut known: Option<&SampledFile> = None;
    for file in files {
        let shows = Charset::of(file.encoding).is_none() || !file.sample.head.is_ascii();
        match known {
            Some(first) if shows && first.encoding != file.encoding => {
                let problem = format!(
                    "its text looks like {}, that of {} like {}: read them one by one, or give the \
                     encoding",
                    file.encoding.name(),
                    first.name,
                    first.encoding.name()
                );
                return Err(BiotideError::file(&file.name, problem));
            }
            None if shows => known = Some(file),
            _ => {}
        }
    }
    let first = known.or(files.first());
    Ok(first.map_or(encoding_rs::UTF_8, |file| file.encoding))
}

/// Sets what concerns rows and values.
pub(crate) fn apply(options: &BiotideOptions, layout: &mut Layout) -> Result<(), BiotideError> {
    layout.on_error = match options.on_error {
        Some(options::OnError::Fail) => OnError::Fail,
        Some(options::OnError::Lenient) => OnError::Lenient,
        Some(options::OnError::Reject) | None => OnError::Reject,
    };
    layout.on_bad_value = match options.on_bad_value {
        Some(options::OnBadValue::Fail) => OnBadValue::Fail,
        Some(options::OnBadValue::Reject) => OnBadValue::Reject,
        Some(options::OnBadValue::Null) | None => OnBadValue::Null,
    };
    layout.text = match options.text_type {
        Some(options::TextType::View) => TextArray::View,
        // Measured: as fast, and sorts under a small limit finish that fail on views (ARCHITECTURE.md).
        Some(options::TextType::Utf8) | None => TextArray::Utf8,
    };
    let nulls = options.null_values.as_ref();
    layout.null_values = nulls.map_or_else(Vec::new, |nulls| nulls.0.clone());
    layout.null_values.retain(|null| !null.is_empty());
    layout.strip_whitespace = options.strip_whitespace.unwrap_or(false);
    if let Some(decimal) = options.decimal.and_then(|decimal| decimal.0) {
        layout.decimal = decimal;
    }
    layout.thousands = options.thousands.and_then(|thousands| thousands.0);
    if layout.thousands == Some(layout.decimal) {
        return Err(BiotideError::Option {
            key: "thousands".to_owned(),
            value: char::from(layout.decimal).to_string(),
            problem: "is the decimal mark too".to_owned(),
        });
    }
    if let Some(format) = &options.date_format
        && let Some(problem) = date_format_problem(format)
    {
        return Err(BiotideError::Option {
            key: "date_format".to_owned(),
            value: format.clone(),
            problem: problem.to_owned(),
        });
    }
    layout.date_format.clone_from(&options.date_format);
    if let Some(size) = max_record_bytes(options) {
        layout.max_record_bytes = size;
    }
    if options.skip_empty == Some(true) {
        let keys = options.key_columns.iter().flat_map(|keys| &keys.0);
        // Of several files some may lack a key: it is NULL in all of their rows.
        let places: Vec<usize> = keys
            .clone()
            .filter_map(|key| position(layout, key))
            .collect();
        match keys.clone().find(|key| position(layout, key).is_none()) {
            Some(key) if places.is_empty() => return Err(unknown("key_columns", key, layout)),
            _ => layout.skip_empty = Some(places),
        }
    }
    Ok(())
}

/// The length above which a record is too long, where the user set it.
pub(crate) fn max_record_bytes(options: &BiotideOptions) -> Option<usize> {
    // A chunk is indexed with 32-bit positions and holds a record and more.
    let size = options.max_record_bytes?;
    Some(usize::try_from(size.0).unwrap_or(usize::MAX).min(1 << 30))
}

/// Where the column of this name is: as written, else in any case if that is unique.
pub(crate) fn position(layout: &Layout, name: &str) -> Option<usize> {
    let exact = layout.columns.iter().position(|column| column.name == name);
    exact.or_else(|| {
        let lower = name.to_lowercase();
        let mut like =
            (0..layout.columns.len()).filter(|&i| layout.columns[i].name.to_lowercase() == lower);
        like.next().filter(|_| like.next().is_none())
    })
}

pub(crate) fn unknown(key: &str, name: &str, layout: &Layout) -> BiotideError {
    let names: Vec<&str> = layout
        .columns
        .iter()
        .take(20)
        .map(|c| c.name.as_str())
        .collect();
    let more = if layout.columns.len() > 20 {
        ", …"
    } else {
        ""
    };
    BiotideError::Option {
        key: key.to_owned(),
        value: name.to_owned(),
        problem: format!(
            "is not a column of the file; it has {}{more}",
            names.join(", ")
        ),
    }
}

/// The types that the user gave: `name:type,name:type` or a file of such, a line each.
pub(crate) fn schema(options: &BiotideOptions) -> Result<Vec<(String, ColumnType)>, BiotideError> {
    let Some(given) = &options.schema else {
        return Ok(Vec::new());
    };
    let text = match given.contains(':') {
        true => given.clone(),
        false => fs::read_to_string(given)
            .map_err(|e| BiotideError::io(format!("reading the schema file {given}"), e))?,
    };
    let refuse = |value: &str, problem: String| BiotideError::Option {
        key: "schema".to_owned(),
        value: value.to_owned(),
        problem,
    };
    let mut columns = Vec::new();
    for item in split_items(&text) {
        let item = item.trim();
        if item.is_empty() || item.starts_with('#') {
            continue;
        }
        let Some((name, ty)) = item.rsplit_once(':') else {
            return Err(refuse(item, "is not name:type".to_owned()));
        };
        let ty =
            ColumnType::parse(ty).map_err(|error| refuse(item, format!("cannot be: {error}")))?;
        columns.push((name.trim().trim_matches('"').to_owned(), ty));
    }
    Ok(columns)
}

/// Splits at commas and newlines, but not inside parentheses or quotes.
fn split_items(text: &str) -> Vec<&str> {
    let (mut depth, mut quoted, mut start) = (0i32, false, 0);
    let mut items = Vec::new();
    for (i, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            ',' | '\n' | '\r' if !quoted && depth <= 0 => {
                items.push(&text[start..i]);
                start = i + 1;
            }
            _ => {}
        }
    }
    items.push(&text[start..]);
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemas_are_read_from_lists() {
        let options = BiotideOptions {
            schema: Some("id:text, p:decimal(10,2),\"a,b\":int64\n# no\nx:y:date".to_owned()),
            ..BiotideOptions::default()
        };
        let columns = schema(&options).unwrap();
        assert_eq!(columns[1], ("p".to_owned(), ColumnType::Decimal(10, 2)));
        assert_eq!(columns[2].0, "a,b");
        assert_eq!(columns[3], ("x:y".to_owned(), ColumnType::Date));
    }
}
