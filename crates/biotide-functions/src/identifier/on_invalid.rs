//! What `identifiers.on_invalid` asks for: NULL, an error, or the text as it was.

use arrow::array::{Array, ArrayRef, AsArray, StructArray, UInt32Array};
use arrow::compute::{is_null, kernels::zip::zip, take};
use arrow::datatypes::DataType;
use biotide_common::options::OnInvalid;
use datafusion_common::config::ConfigOptions;
use datafusion_common::{DataFusionError, Result, exec_datafusion_err};

use super::verdict::Verdict;
use super::written::content;
use crate::function::Spec;
use crate::references;
use crate::texts::Texts;

/// The answer of a function as the session wants it. `subject`: what it was asked about.
pub(crate) fn apply(
    spec: &Spec,
    subject: &ArrayRef,
    answer: ArrayRef,
    options: &ConfigOptions,
) -> Result<ArrayRef> {
    let is_text = answer.data_type() == &DataType::Utf8;
    match wanted(options) {
        OnInvalid::Null => Ok(answer),
        OnInvalid::Error => {
            refuse(spec, subject, &answer)?;
            Ok(answer)
        }
        OnInvalid::Passthrough if is_text && answer.null_count() > 0 => {
            let given = arrow::compute::cast(subject, &DataType::Utf8)?;
            let given = match given.len() == answer.len() {
                true => given,
                // (A constant.)
                false => take(&given, &UInt32Array::from(vec![0; answer.len()]), None)?,
            };
            Ok(zip(&is_null(&answer)?, &given, &answer)?)
        }
        OnInvalid::Passthrough => Ok(answer),
    }
}

fn wanted(options: &ConfigOptions) -> OnInvalid {
    let set = references::own(options).and_then(|options| options.identifiers_on_invalid);
    set.unwrap_or(OnInvalid::Null)
}

/// Whether what is invalid fails the query.
pub(crate) fn fails(options: &ConfigOptions) -> bool {
    wanted(options) == OnInvalid::Error
}

/// The error of a text.
pub(crate) fn failed(name: &str, text: &str, why: &str) -> DataFusionError {
    exec_datafusion_err!(
        "{name}: '{text}' {why}; SET biotide.identifiers.on_invalid = 'null' answers NULL, or a verdict"
    )
}

/// Fails for the first text of which there is no answer.
fn refuse(spec: &Spec, subject: &ArrayRef, answer: &ArrayRef) -> Result<()> {
    let texts = Texts::new(&**subject, answer.len())?;
    let fail = |row: usize, why: &str| Err(failed(spec.name, texts.get(row).unwrap_or(""), why));
    let said = |row: usize| texts.get(row).is_some_and(|text| content(text).is_some());
    let invalid = |records: &StructArray, row: usize| {
        let verdicts = records.column_by_name("verdict")?.as_string_opt::<i32>()?;
        let notes = records
            .column_by_name("note")
            .and_then(|notes| notes.as_string_opt::<i32>());
        let is_invalid = verdicts.value(row) == Verdict::Invalid.name();
        let note = notes
            .filter(|notes| notes.is_valid(row))
            .map(|notes| notes.value(row));
        is_invalid.then(|| format!("is invalid: {}", note.unwrap_or("no identifier")))
    };
    for row in 0..answer.len() {
        match answer.data_type() {
            DataType::Utf8 | DataType::Struct(_) if answer.is_null(row) && said(row) => {
                return fail(row, "has no canonical form");
            }
            DataType::Struct(_) => {
                if let Some(why) = invalid(answer.as_struct(), row) {
                    return fail(row, &why);
                }
            }
            DataType::List(item) if item.data_type().is_nested() => {
                let lists = answer.as_list::<i32>();
                let parts = lists.value_offsets();
                for part in parts[row]..parts[row + 1] {
                    if let Some(why) = invalid(lists.values().as_struct(), part as usize) {
                        return fail(row, &why);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}
