//! The three ways through the reader, each answering in a form that can be compared.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, RecordBatch};
use arrow_buffer::Buffer;
use arrow_schema::DataType;
use biotide_text::TextError;
use biotide_text::chunk::{ChunkDecoder, DecodedChunk, Place, RowFilter, Stop};
use biotide_text::delimited::{Column, ColumnType, Decoder, Layout, RestOfLine};
use biotide_text::problem::{Action, Problem, Reason};
use biotide_text::scan::Scanner;

use crate::oracle::{self, Bad};

/// A row as text, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) line: i64,
    pub(crate) offset: i64,
    pub(crate) values: Vec<Option<String>>,
}

/// What a reading gave.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) rows: Vec<Row>,
    pub(crate) problems: Vec<Bad>,
    pub(crate) counts: Counts,
    /// The problem that stopped it, under `fail`.
    pub(crate) stopped: Option<Bad>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) delivered: u64,
    pub(crate) rejected: u64,
    pub(crate) blank: u64,
    pub(crate) skipped: u64,
}

impl Counts {
    fn add(&mut self, chunk: &DecodedChunk) {
        self.delivered += chunk.delivered;
        self.rejected += chunk.rejected;
        self.blank += chunk.blank;
        self.skipped += chunk.skipped;
    }
}

/// What the oracle expects of text columns.
pub(crate) fn expected(layout: &Layout, text: &[u8]) -> Outcome {
    let reading = oracle::read(layout, text);
    let mut out = Outcome::default();
    for row in &reading.rows {
        let keys = layout.skip_empty.as_deref();
        let empty = |&column: &usize| row.fields[column].value.trim_ascii().is_empty();
        let all: Vec<usize> = (0..layout.columns.len()).collect();
        let skip = keys.is_some_and(|keys| match keys {
            [] => all.iter().all(empty),
            keys => keys.iter().all(empty),
        });
        if skip {
            out.counts.skipped += 1;
            continue;
        }
        out.rows.push(Row {
            line: row.line as i64,
            offset: row.offset as i64,
            values: row
                .fields
                .iter()
                .map(|f| oracle::text_of(layout, f))
                .collect(),
        });
    }
    out.counts.delivered = out.rows.len() as u64;
    (out.counts.rejected, out.counts.blank) = (reading.rejected, reading.blank);
    out.problems = reading.bad;
    out
}

pub(crate) fn bad(problem: &Problem) -> Bad {
    assert!(!problem.message.is_empty());
    assert!(problem.raw.len() <= Problem::MAX_RAW);
    Bad {
        offset: problem.offset,
        column: problem.column,
        reason: problem.reason,
        record: problem.record,
        line: problem.line,
        length: problem.length,
        action: problem.action,
    }
}

/// Every column, `_line` and `_offset`.
pub(crate) fn everything(layout: &Layout) -> Vec<usize> {
    (0..layout.columns.len() + 2).collect()
}

pub(crate) fn value(array: &dyn Array, row: usize) -> Option<String> {
    if array.is_null(row) {
        return None;
    }
    Some(match array.data_type() {
        DataType::Utf8View => {
            let text = array.as_string_view().value(row);
            String::from_utf8(text.as_bytes().to_vec()).unwrap()
        }
        DataType::Utf8 => {
            let text = array.as_string::<i32>().value(row);
            String::from_utf8(text.as_bytes().to_vec()).unwrap()
        }
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        other => panic!("a test reads {other}"),
    })
}

/// Rows of a batch that ends with `_line` and `_offset`.
pub(crate) fn rows(batch: &RecordBatch, out: &mut Vec<Row>) {
    for array in batch.columns() {
        array.to_data().validate_full().unwrap();
    }
    let n = batch.num_columns() - 2;
    let place = |row: usize, i: usize| batch.column(n + i).as_primitive::<Int64Type>().value(row);
    for row in 0..batch.num_rows() {
        out.push(Row {
            line: place(row, 0),
            offset: place(row, 1),
            values: (0..n).map(|i| value(batch.column(i), row)).collect(),
        });
    }
}

fn stopped(error: TextError) -> Bad {
    match error {
        TextError::BadRow(problem) => bad(&problem),
        other => panic!("{other}"),
    }
}

/// So many text columns.
pub(crate) fn text_columns(n: usize) -> Vec<Column> {
    let column = |i| Column::new(format!("c{i}"), ColumnType::Text);
    (0..n).map(column).collect()
}

/// The whole text as one chunk.
pub(crate) fn whole(layout: &Layout, text: &[u8], scanner: Scanner, batch_rows: usize) -> Outcome {
    let layout = Arc::new(layout.clone());
    let mut decoder =
        ChunkDecoder::with_scanner(Arc::clone(&layout), Some(everything(&layout)), scanner)
            .unwrap();
    let mut out = Outcome::default();
    let stop = decoder.index(text, 0, text.len(), true, false).unwrap();
    assert_eq!(stop, Stop::Done(text.len()));
    let bytes = Buffer::from_vec(text.to_vec());
    match decoder.decode(&bytes, Place::default(), None, batch_rows) {
        Ok(chunk) => {
            for batch in &chunk.batches {
                assert!((1..=batch_rows).contains(&batch.num_rows()));
                rows(batch, &mut out.rows);
            }
            out.problems = problems(&decoder, &bytes, Place::default(), &chunk);
            out.counts.add(&chunk);
            let mut records: Vec<u64> = out.problems.iter().map(|p| p.record).collect();
            records.dedup();
            assert_eq!(chunk.problem_records, records.len() as u64);
        }
        Err(error) => out.stopped = Some(stopped(error)),
    }
    out
}

/// What was wrong in a chunk, told in words.
pub(crate) fn problems(
    decoder: &ChunkDecoder,
    bytes: &Buffer,
    place: Place,
    chunk: &DecodedChunk,
) -> Vec<Bad> {
    let describe = |flaw| bad(&decoder.describe(bytes, place, flaw));
    chunk.flaws.iter().map(describe).collect()
}

/// The push decoder, fed the pieces that `cut` asks for.
pub(crate) fn push(
    layout: &Layout,
    text: &[u8],
    chunk_bytes: usize,
    batch_rows: usize,
    mut cut: impl FnMut() -> usize,
) -> Outcome {
    let all = Some(everything(layout));
    let mut decoder = Decoder::new(layout.clone(), all, batch_rows)
        .unwrap()
        .with_chunk_bytes(chunk_bytes);
    let mut out = Outcome::default();
    let mut rest = text;
    let mut idle = 0;
    let mut finished = false;
    loop {
        let piece = &rest[..cut().min(rest.len())];
        let taken = decoder.decode(piece);
        assert!(taken <= piece.len());
        rest = &rest[taken..];
        idle = if taken == 0 { idle + 1 } else { 0 };
        assert!(idle < 3 + 2 * usize::from(finished) || piece.is_empty());
        if rest.is_empty() {
            finished = true;
            decoder.finish();
        }
        loop {
            match decoder.flush() {
                Ok(Some(batch)) => {
                    assert!((1..=batch_rows).contains(&batch.num_rows()));
                    rows(&batch, &mut out.rows);
                }
                Ok(None) => break,
                Err(error) => {
                    out.stopped = Some(stopped(error));
                    return out;
                }
            }
        }
        // Problems may be fetched at any time.
        out.problems.extend(decoder.take_problems().iter().map(bad));
        if finished {
            return out;
        }
    }
}

/// How [`ranges`] reads.
pub(crate) struct Ranges<'f> {
    pub(crate) projection: Vec<usize>,
    pub(crate) batch_rows: usize,
    /// Answers the bytes of the next range, and those that are read beyond it at first.
    pub(crate) next: &'f mut dyn FnMut() -> (usize, usize),
    pub(crate) filter: Option<&'f mut dyn RowFilter>,
}

/// A chain of ranges of one text, as a reader of many ranges would read it.
pub(crate) fn ranges(layout: &Layout, text: &[u8], how: Ranges<'_>) -> (Outcome, Vec<RecordBatch>) {
    let Ranges {
        projection,
        batch_rows,
        next,
        mut filter,
    } = how;
    let mut decoder = ChunkDecoder::new(Arc::new(layout.clone()), Some(projection)).unwrap();
    let (mut out, mut batches) = (Outcome::default(), Vec::new());
    let newline = layout.dialect.record_end.byte();
    let mut place = Place::default();
    // The window of the text that is in memory is `base..have`.
    let (mut base, mut have) = (0usize, 0usize);
    let mut at = 0usize;
    while at < text.len() {
        let (range, beyond) = next();
        let limit = (at + range.max(1)).min(text.len());
        have = have.max((limit + beyond).min(text.len()));
        loop {
            let eof = have == text.len();
            let window = &text[base..have];
            let stop = decoder
                .index(window, at - base, limit - base, eof, filter.is_some())
                .unwrap();
            let bytes = Buffer::from_vec(window.to_vec());
            let filter = filter.as_mut().map(|f| &mut **f as &mut dyn RowFilter);
            let chunk = match decoder.decode(&bytes, place, filter, batch_rows) {
                Ok(chunk) => chunk,
                Err(error) => {
                    out.stopped = Some(stopped(error));
                    return (out, batches);
                }
            };
            out.counts.add(&chunk);
            out.problems
                .extend(problems(&decoder, &bytes, place, &chunk));
            batches.extend(chunk.batches);
            let index = decoder.records();
            assert_eq!(
                index.records(),
                index.rows() as u64 + index.rejected() + index.blank()
            );
            place.records += index.records();
            place.lines += index.lines();
            match stop {
                Stop::Done(next) => {
                    assert!(next + base >= limit);
                    at = next + base;
                    break;
                }
                Stop::NeedMore(next) => {
                    assert!(!eof && next + base < limit);
                    at = next + base;
                    have = (have + 1 + (have - at)).min(text.len());
                }
                Stop::TooLong(next) => {
                    assert!(!eof && next + base < limit);
                    let start = next + base;
                    let mut rest = RestOfLine::new(layout.dialect.record_end, &text[base..have]);
                    at = have;
                    let end = loop {
                        let to = (at + 1).min(text.len());
                        if at == to {
                            break rest.finish();
                        }
                        if let Some(end) = rest.pass(&text[at..to]) {
                            at += end.next;
                            break end;
                        }
                        at = to;
                    };
                    let last = out.problems.last_mut().unwrap();
                    assert_eq!(last.offset, start as u64);
                    assert_eq!(
                        (last.reason, last.action),
                        (Reason::RecordTooLong, Action::Rejected)
                    );
                    last.length = (at - end.length - start) as u64;
                    let passed = text[start..at].iter().filter(|&&b| b == newline).count();
                    place.lines += passed as u64;
                    have = have.max(at);
                    break;
                }
            }
        }
        have = have.max(at);
        // What is done may leave memory, or stay for a while.
        if at.is_multiple_of(3) {
            base = at;
            place.offset = at as u64;
        }
    }
    (out, batches)
}
