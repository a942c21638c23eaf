//! Columns of structs and lists: `arrow-json` builds them, from values that were found to fit.

use std::sync::Arc;

use arrow_array::{ArrayRef, new_empty_array};
use arrow_json::ReaderBuilder;
use arrow_schema::{ArrowError, DataType, Field, Schema};

use super::walk::{self, Kind};
use crate::chunk::columns::{BadValue, Fields};
use crate::error::Result;
use crate::problem::Reason;

impl Fields<'_> {
    /// Builds the column of this number among those that are nested.
    pub(crate) fn nested(&self, at: usize, bad: &mut Vec<BadValue>) -> Result<ArrayRef> {
        let missing = || ArrowError::SchemaError(format!("there is no nested column {at}"));
        let json = self.layout.json.as_ref().ok_or_else(missing)?;
        let ty = json.nested.get(at).ok_or_else(missing)?;
        let rows = self.rows.len();
        if rows == 0 {
            return Ok(new_empty_array(ty));
        }
        let mut text: Vec<u8> = Vec::with_capacity(rows * 16);
        self.for_each(|row, start, end| {
            let value = self.bytes.get(start..end).unwrap_or_default();
            let fits = value.is_empty() || fits(ty, value, 0, 0).is_some();
            if fits && !value.is_empty() {
                text.extend_from_slice(b"{\"v\":");
                match self.index.dirty {
                    true => text.extend_from_slice(String::from_utf8_lossy(value).as_bytes()),
                    false => text.extend_from_slice(value),
                }
                text.extend_from_slice(b"}\n");
            } else {
                text.extend_from_slice(b"{}\n");
            }
            if !fits {
                bad.push(BadValue {
                    row,
                    column: self.column as u32,
                    reason: Reason::BadValue,
                });
            }
        });
        let schema = Arc::new(Schema::new(vec![Field::new("v", ty.clone(), true)]));
        let mut decoder = ReaderBuilder::new(schema)
            .with_batch_size(rows)
            .with_coerce_primitive(true)
            .build_decoder()?;
        decoder.decode(&text)?;
        let batch = decoder.flush()?;
        let column = batch.filter(|batch| batch.num_rows() == rows);
        let column = column.map(|batch| Arc::clone(batch.column(0)));
        Ok(column.ok_or_else(|| {
            ArrowError::JsonError(format!("{rows} nested values came out as others"))
        })?)
    }
}

/// Where the value at `at` ends, if it is of this type.
fn fits(ty: &DataType, text: &[u8], at: usize, depth: usize) -> Option<usize> {
    let (end, kind) = match (ty, text.get(at)?) {
        (DataType::Struct(fields), b'{') => {
            let mut fit = true;
            let end = walk::object(text, at, depth, &mut |key, at, depth| {
                let name = walk::unescape(key);
                let field = fields.iter().find(|field| field.name().as_bytes() == name);
                let end = match field {
                    Some(field) => fits(field.data_type(), text, at, depth),
                    None => is_plain(text, at, depth),
                };
                fit &= end.is_some();
                match end {
                    Some(end) => Ok(end),
                    None => Ok(walk::value(text, at, depth)?.0),
                }
            });
            return end.ok().filter(|_| fit);
        }
        (DataType::List(item), b'[') => {
            let mut fit = true;
            let end = walk::list(text, at, depth, &mut |at, _| {
                fit &= fits(item.data_type(), text, at, depth + 1).is_some();
            });
            return end.ok().filter(|_| fit);
        }
        _ => walk::value(text, at, depth).ok()?,
    };
    let value = &text[at..end];
    let fits = match (ty, kind) {
        (_, Kind::Null) => true,
        (DataType::Boolean, Kind::Boolean) => true,
        (DataType::Int64, Kind::Integer) => {
            let digits = std::str::from_utf8(value).unwrap_or_default();
            digits.parse::<i64>().is_ok()
        }
        (DataType::Float64, Kind::Integer | Kind::Float) => is_finite(value),
        (DataType::Utf8, Kind::Float) => is_finite(value),
        (DataType::Utf8, Kind::Plain | Kind::Escaped | Kind::Boolean | Kind::Integer) => true,
        _ => false,
    };
    fits.then_some(end)
}

/// Where a value of any type ends, if `arrow-json` knows all of its words.
fn is_plain(text: &[u8], at: usize, depth: usize) -> Option<usize> {
    match text.get(at)? {
        b'{' => {
            let mut plain = true;
            let end = walk::object(text, at, depth, &mut |_, at, depth| {
                plain &= is_plain(text, at, depth).is_some();
                Ok(walk::value(text, at, depth)?.0)
            });
            end.ok().filter(|_| plain)
        }
        b'[' => {
            let mut plain = true;
            let end = walk::list(text, at, depth, &mut |at, _| {
                plain &= is_plain(text, at, depth + 1).is_some();
            });
            end.ok().filter(|_| plain)
        }
        _ => {
            let (end, _) = walk::value(text, at, depth).ok()?;
            is_finite(&text[at..end]).then_some(end)
        }
    }
}

fn is_finite(value: &[u8]) -> bool {
    !matches!(value, b"NaN" | b"Infinity" | b"-Infinity")
}
