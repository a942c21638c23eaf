//! Texts of a `uuid` column as its sixteen bytes.

use arrow::array::{ArrayRef, AsArray, FixedSizeBinaryArray, FixedSizeBinaryBuilder};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;

use crate::error::DatabaseError;
use crate::types::convert::convert;

pub(super) fn parse(
    array: &ArrayRef,
    column: &str,
    first: u64,
) -> Result<FixedSizeBinaryArray, DatabaseError> {
    let array = convert(array, &DataType::Utf8View, column, first)?;
    let mut uuids = FixedSizeBinaryBuilder::new(16);
    for (row, text) in array.as_string_view().iter().enumerate() {
        let Some(text) = text else {
            uuids.append_null();
            continue;
        };
        let Some(uuid) = bytes(text) else {
            let problem = format!("'{text}' is no UUID");
            return Err(DatabaseError::value(column, first + row as u64, problem));
        };
        uuids
            .append_value(uuid)
            .map_err(|source: ArrowError| DatabaseError::Arrow {
                column: column.to_owned(),
                source,
            })?;
    }
    Ok(uuids.finish())
}

/// Thirty-two hexadecimal digits, with hyphens and braces or without.
fn bytes(text: &str) -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    let mut count = 0;
    let text = text.trim_start_matches('{').trim_end_matches('}');
    for character in text.chars().filter(|&c| c != '-') {
        let digit = u8::try_from(character.to_digit(16)?).ok()?;
        let byte = bytes.get_mut(count / 2)?;
        *byte = *byte << 4 | digit;
        count += 1;
    }
    (count == 32).then_some(bytes)
}

#[cfg(test)]
mod tests {
    #[test]
    fn forms_of_a_uuid() {
        let bytes = super::bytes("00112233-4455-6677-8899-aabbccddeeff").unwrap();
        assert_eq!(bytes[..3], [0, 0x11, 0x22]);
        assert_eq!(
            super::bytes("{00112233445566778899AABBCCDDEEFF}"),
            Some(bytes)
        );
        assert_eq!(super::bytes("00112233"), None);
        assert_eq!(super::bytes("00112233-4455-6677-8899-aabbccddeeff0"), None);
    }
}
