//! Finding NUL bytes, which text of PostgreSQL cannot have.

use arrow::array::GenericByteArray;
use arrow::datatypes::{ArrowNativeType, ByteArrayType};

/// Whether a JSON text has `\u0000` whose backslash is not escaped itself.
pub(super) fn has_escaped_nul(json: &str) -> bool {
    json.match_indices("\\u0000").any(|(at, _)| {
        let before = json.as_bytes()[..at].iter().rev();
        before.take_while(|&&byte| byte == b'\\').count() % 2 == 0
    })
}

/// The first row with a NUL byte: all bytes are looked through at once, as there is none as a rule.
pub(super) fn nul_in_bytes<T: ByteArrayType<Native = str>>(
    array: &GenericByteArray<T>,
) -> Option<usize> {
    let offsets = array.value_offsets();
    let (Some(start), Some(end)) = (offsets.first(), offsets.last()) else {
        return None;
    };
    let bytes = array.value_data().get(start.as_usize()..end.as_usize())?;
    if !bytes.contains(&0) {
        return None;
    }
    array
        .iter()
        .position(|text| text.is_some_and(|text| text.as_bytes().contains(&0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::StringArray;

    #[test]
    fn where_a_nul_is() {
        let texts = StringArray::from(vec![Some("a"), None, Some("b\0"), Some("\0")]);
        assert_eq!(nul_in_bytes(&texts), Some(2));
        assert_eq!(nul_in_bytes(&texts.slice(0, 2)), None);
        assert_eq!(nul_in_bytes(&texts.slice(3, 1)), Some(0));
        assert!(has_escaped_nul(r#"{"a": "\u0000"}"#));
        assert!(has_escaped_nul(r#""\\\u0000""#));
        assert!(!has_escaped_nul(r#""\\u0000""#));
    }
}
