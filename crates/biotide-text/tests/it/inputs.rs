//! Layouts and texts made of structural bytes, so that nasty combinations are common.

use biotide_text::charset::Charset;
use biotide_text::delimited::{Delimiter, Dialect, Layout, OnError, RecordEnd, TextArray};

use crate::harness::text_columns;
use crate::rng::Rng;

pub(crate) fn dialect(rng: &mut Rng) -> Dialect {
    loop {
        let delimiter = rng.pick(&[
            &b","[..],
            b",",
            b"\t",
            b"\t",
            b";",
            b"||",
            b"aa",
            b", ",
            b"\xC3\xA9",
            b"\xA9",
            b" ",
        ]);
        let quote = match rng.below(5) {
            0 => None,
            1 => Some(b'\''),
            _ => Some(b'"'),
        };
        let escape = match rng.below(6) {
            0 | 1 => Some(b'\\'),
            2 => quote,
            _ => None,
        };
        let comment = match rng.below(8) {
            0 => Some(&b"#"[..]),
            1 => Some(&b"//"[..]),
            2 => Some(&b"\"#"[..]),
            3 => Some(&b"aa"[..]),
            _ => None,
        };
        let record_end = match rng.below(5) {
            0 => RecordEnd::Cr,
            1 => RecordEnd::Any,
            _ => RecordEnd::Lf,
        };
        let dialect = Dialect {
            delimiter: match rng.below(12) {
                0 => Delimiter::Blanks,
                _ => Delimiter::from(delimiter),
            },
            quote,
            escape,
            comment: comment.map(<[u8]>::to_vec),
            record_end,
            charset: Charset::UTF_8,
        };
        if dialect.validate().is_ok() {
            return dialect;
        }
    }
}

/// A layout of text columns. Half of them are plain, so that the fast paths get their share.
pub(crate) fn layout(rng: &mut Rng) -> Layout {
    let columns = match rng.below(20) {
        0 => 0,
        n => 1 + n % 4,
    };
    let mut layout = Layout::new(dialect(rng), text_columns(columns));
    layout.on_error = match rng.below(8) {
        0 => OnError::Fail,
        1..4 => OnError::Lenient,
        _ => OnError::Reject,
    };
    if rng.chance(1, 3) {
        layout.max_record_bytes = rng.below(40);
    }
    if rng.chance(1, 2) {
        return layout;
    }
    layout.trailing_delimiter = layout.dialect.delimiter != Delimiter::Blanks && rng.chance(1, 3);
    layout.strip_whitespace = rng.chance(1, 3);
    if rng.chance(1, 3) {
        layout.null_values = vec!["a".into(), "\u{e9}".into(), "aaa".into()];
    }
    if rng.chance(1, 3) {
        layout.text = TextArray::Utf8;
    }
    if rng.chance(1, 4) {
        let key = rng.below(columns);
        let keys = if rng.chance(1, 2) { vec![] } else { vec![key] };
        layout.skip_empty = Some(keys).filter(|_| columns > 0);
    }
    layout
}

/// A text for the layout: noise of structural bytes, or rows that are mostly as they should be.
pub(crate) fn text(rng: &mut Rng, layout: &Layout, longest: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let length = rng.below(longest + 1);
    match rng.below(3) {
        0 => {
            while out.len() < length {
                noise(rng, layout, &mut out);
            }
        }
        kind => {
            // Rows without quotes, or with: the noise is rare, but there.
            let rarity = [12, 100, 100_000][rng.below(3)];
            while out.len() < length {
                row(rng, layout, kind == 2, rarity, &mut out);
            }
        }
    }
    if rng.chance(1, 2) {
        out.truncate(length);
    }
    out
}

fn newline(rng: &mut Rng, layout: &Layout) -> &'static [u8] {
    match layout.dialect.record_end {
        RecordEnd::Cr => b"\r",
        RecordEnd::Any => rng.pick(&[&b"\n"[..], b"\r", b"\r\n"]),
        RecordEnd::Lf => rng.pick(&[&b"\n"[..], b"\n", b"\n", b"\r\n"]),
    }
}

fn noise(rng: &mut Rng, layout: &Layout, out: &mut Vec<u8>) {
    let dialect = &layout.dialect;
    match rng.below(24) {
        0..4 => out.extend_from_slice(dialect.delimiter.bytes()),
        4 => out.push(dialect.delimiter.bytes()[0]),
        5..8 => out.extend_from_slice(newline(rng, layout)),
        8 => out.extend_from_slice(rng.pick(&[&b"\r"[..], b"\n", b"\r\r\n", b"\n\r"])),
        9..13 => out.push(dialect.quote.unwrap_or(b'"')),
        13 => out.extend_from_slice(b"\"\""),
        14 | 15 => out.push(dialect.escape.unwrap_or(b'\\')),
        16 => out.extend_from_slice(dialect.comment.as_deref().unwrap_or(b"#")),
        17 => out.extend_from_slice("\u{e9}".as_bytes()),
        18 => out.extend_from_slice(rng.pick(&[&b"\xC3"[..], b"\xFF", b"\xA9", b"\0"])),
        19 => out.extend_from_slice(rng.pick(&[&b" "[..], b"\t", b"  "])),
        20 => out.extend(std::iter::repeat_n(b'x', rng.below(80))),
        _ => out.push(*rng.pick(&[&b'a', &b'b', &b'c'])),
    }
}

fn row(rng: &mut Rng, layout: &Layout, quotes: bool, rarity: usize, out: &mut Vec<u8>) {
    let dialect = &layout.dialect;
    let columns = layout.columns.len();
    for column in 0..columns {
        if column > 0 {
            out.extend_from_slice(dialect.delimiter.bytes());
        }
        if rng.chance(1, rarity) {
            noise(rng, layout, out);
        }
        let quote = dialect.quote.filter(|_| quotes && rng.chance(1, 3));
        out.extend(quote);
        for _ in 0..rng.below(4) {
            match (quote, rng.below(12)) {
                (Some(quote), 0) => out.extend([dialect.escape.unwrap_or(quote), quote]),
                (Some(_), 1) => out.extend_from_slice(newline(rng, layout)),
                (Some(_), 2) => out.extend_from_slice(dialect.delimiter.bytes()),
                (None, 0) if dialect.quote.is_none() && dialect.escape.is_some() => {
                    let what = rng.pick(&[&b"\\\\"[..], b"\\\n", b"\\\r", b"\\,", b"\\\t"]);
                    out.extend_from_slice(what);
                }
                (_, 3) => out.extend_from_slice("\u{e9}".as_bytes()),
                (_, 4) => out.extend_from_slice(b"longer than a view holds"),
                (_, 5) => out.push(b' '),
                _ => out.push(*rng.pick(&[&b'b', &b'c', &b'1'])),
            }
        }
        out.extend(quote);
    }
    if layout.trailing_delimiter && rng.chance(1, 2) {
        out.extend_from_slice(dialect.delimiter.bytes());
        out.extend_from_slice(rng.pick(&[&b""[..], b"", b" ", b"\t ", b"x"]));
    }
    if rng.chance(1, rarity) {
        noise(rng, layout, out);
    }
    out.extend_from_slice(newline(rng, layout));
}
