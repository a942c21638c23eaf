//! Local identifiers as numbers, so that tables of them are small.

use crate::identifier::ensembl_parse;
use crate::identifier::uniprot_parse::is_accession;

/// The most characters of a text.
const MOST: usize = 21;

/// What texts are written with. (Each is six bits.)
const LETTERS: &[u8; 64] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-";

/// How the identifiers of a namespace are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Form {
    /// As a number.
    #[default]
    Number,
    /// `HMDB` and seven digits, or five.
    Hmdb,
    /// A UniProt accession.
    Accession,
    /// An Ensembl identifier, without its version.
    Ensembl,
    /// Up to 21 characters as they are written.
    Text,
}

impl Form {
    /// That of a namespace by its prefix.
    pub(in crate::identifier) fn of(namespace: &str) -> Self {
        match namespace {
            "hmdb" => Self::Hmdb,
            "hgnc" | "chebi" | "ncbigene" | "pubchem.compound" | "omim" => Self::Number,
            "uniprot" => Self::Accession,
            "ensembl" => Self::Ensembl,
            _ => Self::Text,
        }
    }

    /// The number of a local identifier.
    pub(in crate::identifier) fn code(self, id: &str) -> Option<u128> {
        let number = |digits: &str| {
            let digits = digits
                .bytes()
                .all(|byte| byte.is_ascii_digit())
                .then_some(digits)?;
            digits.parse::<u64>().ok().map(u128::from)
        };
        match self {
            Self::Number => number(id).filter(|_| !id.is_empty()),
            Self::Hmdb => {
                let head = id.get(..4)?;
                let digits = &id[4..];
                let is_own = head.eq_ignore_ascii_case("hmdb") && matches!(digits.len(), 5 | 7);
                number(digits).filter(|_| is_own)
            }
            Self::Accession => {
                let upper = id.to_ascii_uppercase();
                is_accession(upper.as_bytes()).then(|| Self::Text.code(&upper))?
            }
            Self::Ensembl => Self::Text.code(&ensembl_parse::parse(id)?.id),
            Self::Text => {
                let id = (1..=MOST).contains(&id.len()).then_some(id)?;
                let place = |byte| LETTERS.iter().position(|&letter| letter == byte);
                id.bytes()
                    .try_fold(0, |code, byte| Some(code * 64 + place(byte)? as u128 + 1))
            }
        }
    }

    /// The local identifier of a number.
    pub(in crate::identifier) fn show(self, mut code: u128) -> String {
        match self {
            Self::Number => code.to_string(),
            Self::Hmdb => format!("HMDB{code:07}"),
            Self::Text | Self::Accession | Self::Ensembl => {
                let mut letters = Vec::new();
                while code > 0 {
                    let digit = (code - 1) % 64;
                    letters.push(LETTERS.get(digit as usize).copied().unwrap_or(b'?'));
                    code = (code - 1 - digit) / 64;
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
            (Form::Accession, "p29358", "P29358"),
            (Form::Accession, "A0A023GPI8", "A0A023GPI8"),
            (Form::Ensembl, "ENSG00000002586.20", "ENSG00000002586"),
            (Form::Text, "FBgn0000001", "FBgn0000001"),
            (Form::Text, "0", "0"),
            (Form::Text, "00", "00"),
            (Form::Text, "rs7", "rs7"),
            (Form::Text, "ENSMUSG00000017167_-z", "ENSMUSG00000017167_-z"),
            (Form::Text, "---------------------", "---------------------"),
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
            (Form::Text, ""),
            (Form::Text, "a b"),
            (Form::Text, "----------------------"),
            (Form::Accession, "garbage"),
            (Form::Ensembl, "FBgn0000001"),
        ] {
            assert_eq!(form.code(id), None, "{id}");
        }
    }
}
