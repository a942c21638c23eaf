//! Local identifiers as numbers, so that tables of them are small.

/// How the identifiers of a namespace are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Form {
    /// As a number.
    #[default]
    Number,
    /// `HMDB` and seven digits, or five.
    Hmdb,
    /// Up to twelve letters and digits, in capitals: UniProt accessions, say.
    Letters,
}

impl Form {
    /// That of a namespace by its prefix.
    pub(in crate::identifier) fn of(namespace: &str) -> Self {
        match namespace {
            "hmdb" => Self::Hmdb,
            "hgnc" | "chebi" | "ncbigene" | "pubchem.compound" | "omim" => Self::Number,
            _ => Self::Letters,
        }
    }

    /// The number of a local identifier.
    pub(in crate::identifier) fn code(self, id: &str) -> Option<u64> {
        let number = |digits: &str| {
            let digits = digits
                .bytes()
                .all(|byte| byte.is_ascii_digit())
                .then_some(digits)?;
            digits.parse().ok()
        };
        match self {
            Self::Number => number(id).filter(|_| !id.is_empty()),
            Self::Hmdb => {
                let head = id.get(..4)?;
                let digits = &id[4..];
                let is_own = head.eq_ignore_ascii_case("hmdb") && matches!(digits.len(), 5 | 7);
                number(digits).filter(|_| is_own)
            }
            Self::Letters => {
                let digit = |byte: u8| match byte {
                    b'0'..=b'9' => Some(u64::from(byte - b'0') + 1),
                    b'A'..=b'Z' => Some(u64::from(byte - b'A') + 11),
                    b'a'..=b'z' => Some(u64::from(byte - b'a') + 11),
                    _ => None,
                };
                let id = (1..=12).contains(&id.len()).then_some(id)?;
                id.bytes()
                    .try_fold(0, |code, byte| Some(code * 37 + digit(byte)?))
            }
        }
    }

    /// The local identifier of a number.
    pub(in crate::identifier) fn show(self, mut code: u64) -> String {
        match self {
            Self::Number => code.to_string(),
            Self::Hmdb => format!("HMDB{code:07}"),
            Self::Letters => {
                let mut letters = Vec::new();
                while code > 0 {
                    let digit = (code % 37) as u8;
                    letters.push(match digit {
                        0..=10 => b'0' + digit.saturating_sub(1),
                        _ => b'A' + digit - 11,
                    });
                    code /= 37;
                }
                letters.iter().rev().map(|&byte| char::from(byte)).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_coded_is_shown() {
        for (form, id, shown) in [
            (Form::Number, "0012", "12"),
            (Form::Hmdb, "HMDB00012", "HMDB0000012"),
            (Form::Hmdb, "hmdb0000012", "HMDB0000012"),
            (Form::Letters, "P29358", "P29358"),
            (Form::Letters, "0Za9", "0ZA9"),
            (Form::Letters, "A0A023GPI8", "A0A023GPI8"),
            (Form::Letters, "ZZZZZZZZZZZZ", "ZZZZZZZZZZZZ"),
        ] {
            let code = form.code(id).unwrap();
            assert_eq!(form.show(code), shown);
        }
        for (form, id) in [
            (Form::Number, "x"),
            (Form::Number, "99999999999999999999999"),
            (Form::Hmdb, "HMDB1"),
            (Form::Hmdb, "HMD"),
            (Form::Hmdb, "é000001"),
            (Form::Letters, ""),
            (Form::Letters, "P-1"),
            (Form::Letters, "ABCDEFGHIJKLM"),
        ] {
            assert_eq!(form.code(id), None, "{id}");
        }
    }
}
