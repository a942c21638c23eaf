//! The kinds of values that options take.

use std::num::{IntErrorKind, ParseIntError};

use crate::size::{format_size, parse_size};

/// A value that an option can take.
pub trait OptionValue: Sized {
    /// What the value is, for the documentation.
    const KIND: &'static str;
    /// Parses it; the error says what is wrong and what would do.
    fn parse(text: &str) -> Result<Self, String>;
    /// The text that parses to this value.
    fn show(&self) -> String;
}

impl OptionValue for bool {
    const KIND: &'static str = "boolean";

    fn parse(text: &str) -> Result<Self, String> {
        match text.trim().to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "on" | "1" => Ok(true),
            "false" | "f" | "no" | "off" | "0" => Ok(false),
            _ => Err("is not a boolean: use true or false".to_owned()),
        }
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl OptionValue for usize {
    const KIND: &'static str = "number";

    fn parse(text: &str) -> Result<Self, String> {
        text.trim()
            .parse()
            .map_err(|error: ParseIntError| match error.kind() {
                IntErrorKind::PosOverflow => "is too large".to_owned(),
                _ => "is not a whole number".to_owned(),
            })
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl OptionValue for String {
    const KIND: &'static str = "text";

    fn parse(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }

    fn show(&self) -> String {
        self.clone()
    }
}

/// A share, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Share(pub f64);

impl OptionValue for Share {
    const KIND: &'static str = "share (0..1)";

    fn parse(text: &str) -> Result<Self, String> {
        let share = text
            .trim()
            .parse()
            .ok()
            .filter(|share| (0.0..=1.0).contains(share));
        share
            .map(Self)
            .ok_or_else(|| "is not a share between 0 and 1".to_owned())
    }

    fn show(&self) -> String {
        self.0.to_string()
    }
}

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

impl OptionValue for Size {
    const KIND: &'static str = "size";

    fn parse(text: &str) -> Result<Self, String> {
        let size = parse_size(text).filter(|&size| size > 0);
        size.map(Self)
            .ok_or_else(|| "is not a size: use 16MiB, 200MB, 65536".to_owned())
    }

    fn show(&self) -> String {
        match self.0 {
            n if n % 1000 == 0 => format_size(n).replace(' ', ""),
            n => n.to_string(),
        }
    }
}

/// Bytes, given as text: a name, escapes, or the text itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl OptionValue for Bytes {
    const KIND: &'static str = "characters";

    fn parse(text: &str) -> Result<Self, String> {
        let bytes = parse_bytes(text)?;
        if bytes.is_empty() {
            Err("is empty".to_owned())
        } else {
            Ok(Self(bytes))
        }
    }

    fn show(&self) -> String {
        show_bytes(&self.0)
    }
}

/// What stands between fields: bytes, or blanks and tabs, any number of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delimiter {
    /// These bytes.
    Bytes(Vec<u8>),
    /// Blanks and tabs.
    Blanks,
}

impl Delimiter {
    /// The byte, where it is just one.
    pub fn byte(&self) -> Option<u8> {
        match self {
            Self::Bytes(bytes) => match bytes[..] {
                [byte] => Some(byte),
                _ => None,
            },
            Self::Blanks => None,
        }
    }
}

impl OptionValue for Delimiter {
    const KIND: &'static str = "characters, or blanks";

    fn parse(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "blanks" | "whitespace" => Ok(Self::Blanks),
            _ => Bytes::parse(text).map(|bytes| Self::Bytes(bytes.0)),
        }
    }

    fn show(&self) -> String {
        match self {
            Self::Bytes(bytes) => show_bytes(bytes),
            Self::Blanks => "blanks".to_owned(),
        }
    }
}

/// One byte, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OneByte(pub Option<u8>);

impl OptionValue for OneByte {
    const KIND: &'static str = "character, or none";

    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() || text.eq_ignore_ascii_case("none") {
            return Ok(Self(None));
        }
        match parse_bytes(text)?[..] {
            [byte] => Ok(Self(Some(byte))),
            _ => Err("is not one character of one byte; none for none".to_owned()),
        }
    }

    fn show(&self) -> String {
        self.0
            .map_or_else(|| "none".to_owned(), |byte| show_bytes(&[byte]))
    }
}

fn parse_bytes(text: &str) -> Result<Vec<u8>, String> {
    let named: Option<&[u8]> = match text.to_ascii_lowercase().as_str() {
        "tab" => Some(b"\t"),
        "comma" => Some(b","),
        "semicolon" => Some(b";"),
        "pipe" => Some(b"|"),
        "space" => Some(b" "),
        _ => None,
    };
    if let Some(bytes) = named {
        return Ok(bytes.to_vec());
    }
    let mut out = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' || chars.as_str().is_empty() {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        match chars.next() {
            Some('t') => out.push(b'\t'),
            Some('\\') => out.push(b'\\'),
            Some('0') => out.push(0),
            Some('x') => {
                let digits: String = chars.by_ref().take(2).collect();
                let byte = u8::from_str_radix(&digits, 16);
                out.push(byte.map_err(|_| "has a \\x without two hexadecimal digits".to_owned())?);
            }
            _ => return Err("has an escape that is not \\t, \\\\, \\0 or \\xHH".to_owned()),
        }
    }
    Ok(out)
}

fn show_bytes(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(|c| c.is_control() || c == '\\') => text.to_owned(),
        _ if bytes == b"\\" => "\\".to_owned(),
        _ => bytes
            .iter()
            .map(|&byte| match byte {
                b'\t' => "\\t".to_owned(),
                b'\\' => "\\\\".to_owned(),
                b' '..=b'~' => char::from(byte).to_string(),
                _ => format!("\\x{byte:02x}"),
            })
            .collect(),
    }
}

/// Names, written as a CSV list: `a,b`, `"a,b",c`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names(pub Vec<String>);

impl OptionValue for Names {
    const KIND: &'static str = "list";

    fn parse(text: &str) -> Result<Self, String> {
        let mut names = Vec::new();
        let mut chars = text.chars().peekable();
        loop {
            let mut name = String::new();
            if chars.next_if_eq(&'"').is_some() {
                loop {
                    match chars.next() {
                        Some('"') if chars.next_if_eq(&'"').is_some() => name.push('"'),
                        Some('"') => break,
                        Some(c) => name.push(c),
                        None => return Err("has a quote that is not closed".to_owned()),
                    }
                }
            }
            while let Some(c) = chars.next_if(|&c| c != ',') {
                name.push(c);
            }
            names.push(name);
            if chars.next().is_none() {
                return Ok(Self(names));
            }
        }
    }

    fn show(&self) -> String {
        let quoted = |name: &String| match name.contains([',', '"']) {
            true => format!("\"{}\"", name.replace('"', "\"\"")),
            false => name.clone(),
        };
        self.0.iter().map(quoted).collect::<Vec<_>>().join(",")
    }
}

/// Names and what they become, written as a CSV list: `old=new,"a, b"=c`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aliases(pub Vec<(String, String)>);

impl OptionValue for Aliases {
    const KIND: &'static str = "list";

    fn parse(text: &str) -> Result<Self, String> {
        let pair = |item: String| match item.split_once('=') {
            Some((old, new)) if !old.trim().is_empty() && !new.trim().is_empty() => {
                Ok((old.trim().to_owned(), new.trim().to_owned()))
            }
            _ => Err(format!("'{item}' is not old=new")),
        };
        Ok(Self(
            Names::parse(text)?
                .0
                .into_iter()
                .map(pair)
                .collect::<Result<_, _>>()?,
        ))
    }

    fn show(&self) -> String {
        let pairs = self.0.iter().map(|(old, new)| format!("{old}={new}"));
        Names(pairs.collect()).show()
    }
}

macro_rules! choices {
    ($(#[$doc:meta])* $name:ident { $( $(#[$vdoc:meta])* $variant:ident = $text:literal, )* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $( $(#[$vdoc])* $variant, )* }

        impl OptionValue for $name {
            const KIND: &'static str = concat!("one of:", $( " ", $text ),*);

            fn parse(text: &str) -> Result<Self, String> {
                match text.trim().to_ascii_lowercase().as_str() {
                    $( $text => Ok(Self::$variant), )*
                    _ => Err(concat!("is not", $( " ", $text, "," ),*).trim_end_matches(',').to_owned()),
                }
            }

            fn show(&self) -> String {
                match self { $( Self::$variant => $text.to_owned(), )* }
            }
        }
    };
}

/// A character encoding, or that it is to be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding(pub Option<&'static encoding_rs::Encoding>);

impl OptionValue for Encoding {
    const KIND: &'static str = "encoding";

    fn parse(text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case("auto") {
            return Ok(Self(None));
        }
        // Spellings that people use and the standard does not have.
        let label = match text.to_ascii_lowercase().replace('_', "-").as_str() {
            "latin-1" | "iso-latin-1" => "latin1".to_owned(),
            "mac-roman" | "macroman" => "macintosh".to_owned(),
            "cp1252" => "windows-1252".to_owned(),
            "utf8-bom" | "utf-8-sig" => "utf-8".to_owned(),
            "utf16" => "utf-16".to_owned(),
            "shift-jis" => "shift_jis".to_owned(),
            other => other.to_owned(),
        };
        match encoding_rs::Encoding::for_label(label.as_bytes()) {
            Some(encoding) if encoding != encoding_rs::REPLACEMENT => Ok(Self(Some(encoding))),
            _ => Err(
                "is not an encoding that the WHATWG standard knows; use auto, or one such as utf-8, \
                 utf-16le, latin1, windows-1252, macintosh, shift_jis, gbk"
                    .to_owned(),
            ),
        }
    }

    fn show(&self) -> String {
        match self.0 {
            None => "auto".to_owned(),
            Some(encoding) => encoding.name().to_ascii_lowercase(),
        }
    }
}

choices! {
    /// What becomes of an identifier with several results.
    XrefPolicy {
        /// A row for each.
        Explode = "explode",
        /// One row with all of them.
        List = "list",
        /// The first.
        First = "first",
        /// An error, if several are of one namespace.
        Error = "error",
        /// Those of which several are of one namespace are left out.
        Drop = "drop",
    }
}

choices! {
    /// How statements are walked.
    XrefMode {
        /// As their predicates allow.
        Directed = "directed",
        /// Both ways.
        Undirected = "undirected",
    }
}

choices! {
    /// What becomes of rows without a result.
    XrefUnmapped {
        /// They stay.
        Keep = "keep",
        /// They do not.
        Drop = "drop",
    }
}

choices! {
    /// What to do with a row of the wrong shape.
    OnError {
        /// Set it aside.
        Reject = "reject",
        /// Keep what can be kept.
        Lenient = "lenient",
        /// Stop.
        Fail = "fail",
    }
}

choices! {
    /// What to do with a value of the wrong type.
    OnBadValue {
        /// Keep the row without it.
        Null = "null",
        /// Set the row aside.
        Reject = "reject",
        /// Stop.
        Fail = "fail",
    }
}

choices! {
    /// Where types are inferred from.
    Infer {
        /// The start of the file and a few places further on.
        Sample = "sample",
        /// All of it.
        Full = "full",
    }
}

choices! {
    /// How a file is compressed.
    Compression {
        /// As its first bytes say.
        Auto = "auto",
        /// Not.
        None = "none",
        /// gzip, of any number of members.
        Gzip = "gzip",
        /// Zstandard.
        Zstd = "zstd",
        /// bzip2.
        Bzip2 = "bzip2",
        /// xz.
        Xz = "xz",
        /// LZ4 frames.
        Lz4 = "lz4",
        /// A zip archive.
        Zip = "zip",
    }
}

choices! {
    /// The Arrow type of text columns.
    TextType {
        /// `Utf8View`.
        View = "view",
        /// `Utf8`.
        Utf8 = "utf8",
    }
}

choices! {
    /// What becomes of what is no identifier.
    OnInvalid {
        /// NULL, or the verdict.
        Null = "null",
        /// The query fails.
        Error = "error",
        /// The text as it was.
        Passthrough = "passthrough",
    }
}

choices! {
    /// How functions on identifiers answer.
    IdentifierMode {
        /// As is right.
        Strict = "strict",
        /// As bioregistry's functions do.
        Bioregistry = "bioregistry",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_names_read_what_they_show() {
        for text in ["tab", "\\t", ", ", "||", "\\x1f", "\\", "§"] {
            let bytes = Bytes::parse(text).unwrap();
            assert_eq!(Bytes::parse(&bytes.show()).unwrap(), bytes, "{text}");
            let delimiter = Delimiter::parse(text).unwrap();
            assert_eq!(delimiter, Delimiter::Bytes(bytes.0));
            assert_eq!(Delimiter::parse(&delimiter.show()).unwrap(), delimiter);
        }
        for text in ["a,b", "\"a,b\",c", "a,,b", "\"x\"\"y\""] {
            let names = Names::parse(text).unwrap();
            assert_eq!(Names::parse(&names.show()).unwrap(), names, "{text}");
        }
        assert_eq!(Names::parse("\"a,b\",c").unwrap().0, ["a,b", "c"]);
        assert_eq!(OneByte::parse("none").unwrap(), OneByte(None));
        assert_eq!(OneByte::parse("\\x27").unwrap(), OneByte(Some(b'\'')));
    }
}
