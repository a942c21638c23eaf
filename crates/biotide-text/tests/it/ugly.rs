//! Inputs that nobody means to write, and everybody has.

use std::time::{Duration, Instant};

use biotide_text::delimited::{
    Column, ColumnType, Decoder, Delimiter, Dialect, HeaderOptions, Layout, OnError, Preamble,
    RecordEnd,
};
use biotide_text::problem::{Problem, Reason};
use biotide_text::scan::Scanner;

use crate::compare::agree;
use crate::harness::text_columns;
use crate::harness::{expected, push, whole};

fn layout(columns: usize) -> Layout {
    Layout::new(Dialect::csv(), text_columns(columns))
}

/// Reads with the defaults: rows, and problems.
fn read(layout: &Layout, text: &[u8]) -> (usize, Vec<Problem>) {
    let mut decoder = Decoder::new(layout.clone(), None, 8192).unwrap();
    let (mut rest, mut rows) = (text, 0);
    loop {
        rest = &rest[decoder.decode(rest)..];
        if rest.is_empty() {
            decoder.finish();
        }
        while let Some(batch) = decoder.flush().unwrap() {
            rows += batch.num_rows();
        }
        if rest.is_empty() {
            return (rows, decoder.take_problems());
        }
    }
}

/// Holds the whole text and every small chunk size to the oracle.
fn check(layout: &Layout, text: &[u8]) {
    let expected = expected(layout, text);
    for scanner in [Scanner::best(), Scanner::scalar()] {
        let found = whole(layout, text, scanner, 8192);
        agree(layout, text, &found, &expected, scanner.name());
    }
    for chunk in 1..=text.len().min(64) + 1 {
        let found = push(layout, text, chunk, 8192, || usize::MAX);
        agree(layout, text, &found, &expected, &format!("{chunk} a chunk"));
    }
}

#[test]
fn small_texts_of_every_kind() {
    let texts: [&[u8]; 28] = [
        b"",
        b"\n",
        b"\r",
        b"\r\n",
        b"\n\r",
        b"\n\n\n",
        b"a",
        b"a,b",
        b"a,b\r",
        b"a,b\r\n",
        b",",
        b",\n",
        b",,\n",
        b"\"",
        b"\"\"",
        b"\"\"\"",
        b"\"\",\"\"\r",
        b"\"a\r",
        b"a,\"b\n",
        b" \n",
        b"a\0b,\0\n\0,\n",
        b"a,b\n\"\n",
        b"\"a\",\"b\"\r\rc,d\n",
        b"a,\xFF\n\xFE,b\n",
        b"\xEF\xBB\xBFa,b",
        b"a,b\rc,d\r\n",
        b"\"a\n\nb\",c\r\n\r\n",
        b"a,b\n\x1A",
    ];
    for text in texts {
        for columns in 0..4 {
            for on_error in [OnError::Reject, OnError::Lenient, OnError::Fail] {
                for escape in [None, Some(b'\\'), Some(b'"')] {
                    for trailing in [false, true] {
                        let mut layout = layout(columns);
                        layout.on_error = on_error;
                        layout.dialect.escape = escape;
                        layout.trailing_delimiter = trailing;
                        check(&layout, text);
                    }
                }
            }
        }
    }
}

#[test]
fn max_record_bytes_is_crossed_at_every_chunk_size() {
    let texts: [&[u8]; 9] = [
        b"aaaaaaaaa,b\nc,d\naaaaaaaaaa,b\ne,f\n",
        b"aaaaaaaaa,b\r\nc,d\r\naaaaaaaaaa,b\r\ne,f\r\n",
        b"a,\"bbbbbbb\"\r\n\"bbbbbbbb\",c\r\n\"bbbbbbbbbbbb\",c\r\nd,e",
        b"#comments!!\r\n#comments!!!\r\n#comment\ra,b\n",
        b"\"a\nb\",ccccccccc,d\n\"a\nb\",cccccccccccc,d\ne,f\n",
        b"aaaaaaaaaaaaaa,\"b\nc\",d\n\"x,y\n1,\"2\n3\"\n",
        b"\"aaaaaa\nbbbbbbbb\nccccccccccc\nd,e\n",
        b"\"a\n\"\"\nb\"\"\n\"\"c\nd,e\n\"\"\r",
        b"a,\\\nb\nccccccccccc\\\nd,e\nffffffffffffff\\\r\ng,h\ni,\\",
    ];
    for text in texts {
        for max in 0..16 {
            for quote in [Some(b'"'), None] {
                for escape in [None, Some(b'\\')] {
                    for on_error in [OnError::Reject, OnError::Lenient] {
                        let mut layout = layout(2);
                        layout.dialect.quote = quote;
                        layout.dialect.escape = escape;
                        layout.dialect.comment = Some(b"#".to_vec());
                        layout.max_record_bytes = max;
                        layout.on_error = on_error;
                        check(&layout, text);
                    }
                }
            }
        }
    }
}

#[test]
fn one_enormous_field() {
    let layout = layout(2);
    let limit = layout.max_record_bytes;
    for quoted in [false, true] {
        for (bytes, rows, reasons) in [
            (limit - 10, 3, vec![]),
            (limit + 10, 2, vec![Reason::RecordTooLong]),
            (3 * limit, 2, vec![Reason::RecordTooLong]),
        ] {
            let mut text = b"a,b\n".to_vec();
            let quote = |text: &mut Vec<u8>| text.extend(quoted.then_some(b'"'));
            quote(&mut text);
            text.resize(text.len() + bytes, b'x');
            quote(&mut text);
            text.extend_from_slice(b",y\nc,d\n");
            let (found, problems) = read(&layout, &text);
            let found_reasons: Vec<Reason> = problems.iter().map(|p| p.reason).collect();
            assert_eq!((found, found_reasons), (rows, reasons));
            for problem in problems {
                assert_eq!((problem.record, problem.line, problem.offset), (2, 2, 4));
                assert_eq!(problem.length as usize, text.len() - 9);
                assert_eq!(problem.raw.len(), Problem::MAX_RAW);
            }
        }
    }
}

#[test]
fn ten_thousand_columns() {
    let mut layout = layout(10_000);
    layout.on_error = OnError::Lenient;
    let row = |n: usize, field: &str| vec![field; n].join(",") + "\n";
    let mut text = String::new();
    for (n, field) in [
        (10_000, "a"),
        (10_000, ""),
        (9_999, "b"),
        (10_001, "c"),
        (1, "d"),
        (10_000, "\"e\""),
    ] {
        text += &row(n, field);
    }
    let text = text.trim_end().as_bytes();
    let found = whole(&layout, text, Scanner::best(), 2);
    let expected = expected(&layout, text);
    agree(&layout, text, &found, &expected, "10,000 columns");
    assert_eq!((found.rows.len(), found.problems.len()), (6, 3));
    let (rows, problems) = read(&layout, text);
    assert_eq!((rows, problems.len()), (6, 3));
}

#[test]
fn a_quote_that_stays_open_costs_one_line() {
    let mut text = b"a,b\nc,\"open\n".to_vec();
    for i in 0..100_000 {
        text.extend_from_slice(format!("{i},x\n").as_bytes());
    }
    let mut layout = layout(2);
    let (rows, problems) = read(&layout, &text);
    assert_eq!((rows, problems.len()), (100_001, 1));
    assert_eq!(problems[0].reason, Reason::UnterminatedQuote);
    assert_eq!(
        (problems[0].line, problems[0].raw.as_slice()),
        (2, &b"c,\"open"[..])
    );
    layout.on_error = OnError::Lenient;
    let (rows, problems) = read(&layout, &text);
    assert_eq!((rows, problems.len()), (100_002, 1));
}

#[test]
fn files_whose_lines_end_with_cr() {
    let text = b"x,y\ra,b\r\"c\rd\",e\r\rf,g";
    let mut layout = layout(2);
    layout.dialect.record_end = RecordEnd::of(text);
    assert_eq!(layout.dialect.record_end, RecordEnd::Cr);
    let preamble = Preamble::read(&layout.dialect, &HeaderOptions::default(), text, true).unwrap();
    assert_eq!(
        (preamble.names.len(), preamble.data_start, preamble.lines),
        (2, 4, 1)
    );
    let data = &text[preamble.data_start..];
    check(&layout, data);
    assert_eq!(read(&layout, data).0, 3);
    assert_eq!(RecordEnd::of(b"a\rb\n"), RecordEnd::Lf);
    assert_eq!(RecordEnd::of(b"a"), RecordEnd::Lf);
}

/// Each of these takes well under a tenth of a second; minutes if lines were read again and again.
#[test]
fn hostile_quotes_take_linear_time() {
    let lines: [&[u8]; 14] = [
        b"\"a",
        b"a,\"b",
        b"\"\"\"a",
        b"\"a\"b,\"c",
        b"\"a\"\"",
        b"\",\",\",\"",
        b"\"\\\"",
        b"\\,\"a",
        b"\"\"\"\",\"",
        b"a,\"\"\"\"\"",
        b"\"#",
        b"\xFF,\"",
        b"\"\"x,\"\"",
        b"\"\\",
    ];
    for line in lines {
        for first in [&b""[..], b"x,\"open\n"] {
            for (escape, on_error) in [
                (None, OnError::Reject),
                (None, OnError::Lenient),
                (Some(b'\\'), OnError::Reject),
            ] {
                let mut text = first.to_vec();
                (0..200_000).for_each(|_| text.extend([line, b"\n"].concat()));
                let mut layout = layout(2);
                layout.dialect.escape = escape;
                layout.on_error = on_error;
                let alone = Instant::now();
                let (rows, problems) = read(&layout, &text);
                assert!(rows + problems.len() > 0);
                let line = line.escape_ascii();
                let took = alone.elapsed();
                assert!(
                    took < Duration::from_secs(5),
                    "{line} {escape:?} {on_error:?} took {took:?}"
                );
            }
        }
    }
}

#[test]
fn many_lines_that_are_no_rows() {
    let mut layout = layout(2);
    layout.dialect.comment = Some(b"#".to_vec());
    let mut text = b"\n\r\n".repeat(100_000);
    text.extend(b"#x,\"\n".repeat(100_000));
    text.extend(b"a\n".repeat(100_000));
    text.extend(b"a,\xFF\n".repeat(100_000));
    text.extend(b"a,b\n".repeat(100_000));
    let (rows, problems) = read(&layout, &text);
    assert_eq!((rows, problems.len()), (100_000, 200_000));
    let last = problems.last().unwrap();
    assert_eq!(
        (last.record, last.line, last.reason),
        (400_000, 500_000, Reason::InvalidUtf8)
    );
}

#[test]
fn what_cannot_be_read_one_way_is_refused() {
    let refused = |change: &dyn Fn(&mut Layout)| {
        let mut layout = layout(2);
        change(&mut layout);
        Decoder::new(layout, None, 10).is_err()
    };
    assert!(!refused(&|_| ()));
    assert!(refused(&|l| l.dialect.delimiter = b""[..].into()));
    assert!(refused(&|l| {
        l.dialect.delimiter = Delimiter::Blanks;
        l.trailing_delimiter = true;
    }));
    assert!(refused(&|l| l.dialect.delimiter = b"\r"[..].into()));
    assert!(refused(&|l| l.dialect.delimiter = b"a\""[..].into()));
    assert!(refused(&|l| l.dialect.quote = Some(b'\n')));
    assert!(refused(&|l| l.dialect.quote = Some(0xA9)));
    assert!(refused(&|l| l.dialect.escape = Some(0xC3)));
    assert!(refused(&|l| l.dialect.escape = Some(b',')));
    assert!(refused(&|l| l.dialect.comment = Some(Vec::new())));
    assert!(refused(&|l| l.dialect.comment = Some(b"\n".to_vec())));
    assert!(refused(&|l| l.skip_empty = Some(vec![2])));
    for ty in [
        ColumnType::Decimal(39, 0),
        ColumnType::Decimal(0, 0),
        ColumnType::Decimal(5, -1),
        ColumnType::Decimal(5, 6),
    ] {
        assert!(refused(&|l| l.columns[1] = Column::new("x", ty)));
    }
    assert!(Decoder::new(layout(2), Some(vec![4]), 10).is_err());
}
