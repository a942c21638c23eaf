//! What the fuzz targets check of arbitrary bytes. Shared with them by path, so that the stable tests
//! replay their corpus.
//!
//! An input is four bytes of options, then the text.

use biotide_text::charset::{Charset, detect};
use biotide_text::delimited::{
    Column, ColumnType, Decoder, Delimiter, Dialect, Given, HeaderOptions, Layout, OnBadValue,
    OnError, Preamble, RecordEnd, TextArray, infer_columns, lines_before_table, sniff,
};
use biotide_text::sample::Sample;
use biotide_text::scan::{Scanner, Separators, Split};

use crate::compare::agree;
use crate::harness::text_columns;
use crate::harness::{Ranges, everything, expected, push, ranges, rows, whole};

/// Splits off the options.
fn options(input: &[u8]) -> Option<([u8; 4], &[u8])> {
    let (options, text) = input.split_first_chunk::<4>()?;
    // Longer texts find nothing that short ones do not, and take longer.
    (text.len() <= 4096).then_some((*options, text))
}

/// The layout that the options spell: every value of every byte is one.
fn layout(options: [u8; 4]) -> Option<Layout> {
    let [a, b, c, d] = options;
    let delimiters = [&b","[..], b"\t", b"||", b"aa", b", ", b"\xC3\xA9", b"\xA9"];
    let comments = [None, Some(&b"#"[..]), Some(&b"//"[..]), Some(&b"\"#"[..])];
    let quote = [Some(b'"'), None, Some(b'\''), Some(b'"')][usize::from(a >> 3 & 3)];
    let dialect = Dialect {
        delimiter: match delimiters.get(usize::from(a & 7)) {
            Some(bytes) => Delimiter::from(*bytes),
            None => Delimiter::Blanks,
        },
        quote,
        escape: [None, Some(b'\\'), quote, None][usize::from(a >> 5 & 3)],
        comment: comments[usize::from(b & 3)].map(<[u8]>::to_vec),
        record_end: [RecordEnd::Lf, RecordEnd::Cr][usize::from(a >> 7)],
        charset: Charset::UTF_8,
    };
    let mut layout = Layout::new(dialect, text_columns(usize::from(b >> 2 & 3)));
    layout.on_error = [
        OnError::Reject,
        OnError::Lenient,
        OnError::Reject,
        OnError::Fail,
    ][usize::from(b >> 4 & 3)];
    layout.trailing_delimiter = b & 64 != 0;
    layout.strip_whitespace = b & 128 != 0;
    if c & 64 != 0 {
        layout.max_record_bytes = usize::from(c & 63);
    }
    if c & 128 != 0 {
        layout.null_values = vec!["a".into(), "NULL".into()];
    }
    layout.text = [TextArray::View, TextArray::Utf8][usize::from(d & 1)];
    layout.skip_empty = (d & 2 != 0).then(Vec::new);
    layout.validate().is_ok().then_some(layout)
}

/// The SIMD scanner finds what the scalar one finds.
pub(crate) fn simd_vs_scalar(input: &[u8]) {
    let (Some(([delimiter, newline, quote, base], text)), Some(simd)) =
        (options(input), Scanner::simd())
    else {
        return;
    };
    let scalar = Scanner::scalar();
    let by = Separators {
        delimiter,
        newline,
        quote: (quote != 0).then_some(quote),
    };
    let (mut a, mut b) = (Split::default(), Split::default());
    let base = u32::from(base);
    let done = simd.split(text, base, by, &mut a);
    assert_eq!(done, scalar.split(text, base, by, &mut b));
    assert_eq!(a, b);
    if done {
        let is_end = |&(_, byte): &(usize, &u8)| *byte == delimiter || *byte == newline;
        let ends = text.iter().enumerate().filter(is_end);
        let ends: Vec<u32> = ends.map(|(i, _)| i as u32 + base).collect();
        assert_eq!(a.ends, ends);
        assert_eq!(a.non_ascii, !text.is_ascii());
    }
    for needles in [
        &[delimiter][..],
        &[newline, quote],
        &[delimiter, newline, quote, 0],
    ] {
        let (mut a, mut b) = (vec![7], vec![7]);
        let high = simd.structurals(text, base, needles, &mut a);
        assert_eq!(high, scalar.structurals(text, base, needles, &mut b));
        assert_eq!((a, high), (b, !text.is_ascii()));
    }
    for delimiters in 0..4 {
        let count = simd.count(text, by, delimiters);
        assert_eq!(count, scalar.count(text, by, delimiters));
    }
}

/// However the text is cut, it reads the same, and as the oracle says; nothing panics.
pub(crate) fn decode_any_chunking(input: &[u8]) {
    let Some((options, text)) = options(input) else {
        return;
    };
    let Some(layout) = layout(options) else {
        return;
    };
    let expected = expected(&layout, text);
    for scanner in [Scanner::best(), Scanner::scalar()] {
        let found = whole(&layout, text, scanner, 1 + usize::from(options[3] >> 2));
        agree(&layout, text, &found, &expected, scanner.name());
    }
    // The text says how it is cut.
    let mut state = text.iter().fold(u32::from(options[3]), |state, &byte| {
        state.wrapping_mul(31).wrapping_add(u32::from(byte))
    });
    let mut small = |most: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((state >> 16) % most) as usize
    };
    for chunk in [1, 1 + small(64), 1 + small(1024)] {
        let found = push(&layout, text, chunk, 100, || 1 + small(200));
        agree(
            &layout,
            text,
            &found,
            &expected,
            &format!("{chunk} a chunk"),
        );
    }
    let how = Ranges {
        projection: everything(&layout),
        batch_rows: 50,
        next: &mut || (1 + small(100), small(100)),
        filter: None,
    };
    let (mut found, batches) = ranges(&layout, text, how);
    batches
        .iter()
        .for_each(|batch| rows(batch, &mut found.rows));
    agree(&layout, text, &found, &expected, "ranges");
    guess(&layout, options, text);
}

/// Reading what is not known: header, names, types. Only that it comes to an end.
fn guess(layout: &Layout, options: [u8; 4], text: &[u8]) {
    let header = HeaderOptions {
        header: options[3] & 4 != 0,
        skip_rows: usize::from(options[3] >> 3 & 3),
        column_names: None,
        rows: 1 + usize::from(options[3] >> 5 & 1),
    };
    let early = Preamble::read(&layout.dialect, &header, &text[..text.len() / 2], false);
    let Some(preamble) = Preamble::read(&layout.dialect, &header, text, true) else {
        panic!("a whole text needs no more bytes");
    };
    if let (Some(early), true) = (early, header.header) {
        assert_eq!(early.data_start, preamble.data_start);
    }
    assert!(preamble.data_start <= text.len());
    let mut layout = layout.clone();
    layout.skip_empty = None;
    layout.trailing_delimiter = preamble.trailing_delimiter;
    let column = |name: &String| Column::new(name.clone(), ColumnType::Text);
    layout.columns = preamble.names.iter().map(column).collect();
    let sample = Sample {
        head: text.to_vec(),
        complete: true,
        pieces: vec![text[text.len() / 3..].to_vec()],
    };
    infer_columns(&mut layout, &sample, preamble.data_start);
    if layout.max_record_bytes < text.len() {
        return;
    }
    // Types that were inferred from the whole text are those of all its values.
    layout.on_bad_value = OnBadValue::Null;
    layout.on_error = OnError::Lenient;
    let mut decoder = Decoder::new(layout, None, 64).expect("a layout");
    let mut rest = &text[preamble.data_start..];
    while !rest.is_empty() {
        rest = &rest[decoder.decode(rest)..];
        while decoder.flush().expect("lenient").is_some() {}
    }
    decoder.finish();
    while decoder.flush().expect("lenient").is_some() {}
}

/// Whatever the text is, a dialect and an encoding are found that can be read; what is looked for again,
/// with the dialect known, is found again; a text in one byte a character reads as its UTF-8 does.
pub(crate) fn sniff_any(input: &[u8]) {
    let Some(([usual, ..], text)) = options(input) else {
        return;
    };
    let encoding = detect(text);
    let given = Given {
        usual: [b',', b'\t', b';', b'|'][usize::from(usual & 3)],
        charset: Charset::of(encoding).unwrap_or_default(),
        ..Given::default()
    };
    for complete in [true, false] {
        let found = sniff(text, complete, &given);
        assert!(found.dialect.validate().is_ok());
        let lines = lines_before_table(text, complete, &found.dialect, found.fields);
        assert_eq!(lines.unwrap_or(0), found.skip_rows);
        let header = HeaderOptions {
            header: found.header,
            skip_rows: found.skip_rows,
            column_names: None,
            rows: found.header_rows,
        };
        let preamble = Preamble::read(&found.dialect, &header, text, complete);
        assert!(preamble.is_some() || !complete);
    }
    let latin = Charset::of(detect(b"caf\xE9\n")).unwrap_or_default();
    assert_eq!(latin.name(), "windows-1252");
    let utf8 = latin.decode(text);
    let read = |charset: Charset, text: &[u8]| {
        let mut layout = Layout::new(Dialect::delimited_by(&[given.usual]), text_columns(2));
        layout.dialect.charset = charset;
        let columns = Some(everything(&layout));
        let mut decoder = Decoder::new(layout, columns, 100).unwrap();
        let mut at = 0;
        let mut found = Vec::new();
        loop {
            at += decoder.decode(&text[at..]);
            if at == text.len() {
                decoder.finish();
            }
            while let Some(batch) = decoder.flush().unwrap() {
                rows(&batch, &mut found);
            }
            if at == text.len() {
                break;
            }
        }
        let found: Vec<_> = found
            .into_iter()
            .map(|row| (row.line, row.values))
            .collect();
        let problems = decoder.take_problems();
        let problems: Vec<_> = problems.iter().map(|p| (p.line, p.reason)).collect();
        (found, problems)
    };
    assert_eq!(read(latin, text), read(Charset::UTF_8, utf8.as_bytes()));
}
