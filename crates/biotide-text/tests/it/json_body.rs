//! What the fuzz target `json_any` checks of arbitrary bytes: nothing panics, however the text is cut it
//! reads the same, and records are what `serde_json` takes for objects.
//!
//! An input is a byte of options, then the text.

use std::sync::Arc;

use arrow_cast::display::{ArrayFormatter, FormatOptions};
use biotide_text::Buffer;
use biotide_text::chunk::{ChunkDecoder, Place, Stop};
use biotide_text::delimited::{Column, ColumnType, Dialect, Layout, OnBadValue, OnError};
use biotide_text::json_lines::{Framing, Json, JsonInference};
use biotide_text::sample::Sample;
use serde_json::Value;
use serde_json::error::Category;

/// Rows as text, and problems with their place.
type Read = (Vec<String>, Vec<(u64, u64, u64, String)>);

fn layout(option: u8, text: &[u8]) -> Layout {
    let framing = [Framing::Lines, Framing::Values][usize::from(option & 1)];
    let seen = JsonInference::of(framing, &Sample::whole(text));
    let mut json = Json {
        framing,
        paths: Vec::new(),
        nested: Vec::new(),
    };
    let mut layout = Layout::new(Dialect::tsv(), Vec::new());
    for column in seen.schema(option & 2 != 0).columns {
        let ty = ColumnType::from_data_type(&column.data_type).unwrap_or_else(|| {
            json.nested.push(column.data_type.clone());
            ColumnType::Nested(json.nested.len() - 1)
        });
        json.paths.push((column.path, layout.columns.len()));
        layout.columns.push(Column {
            name: column.name,
            ty,
            inferred: true,
        });
    }
    layout.on_error = [OnError::Reject, OnError::Lenient][usize::from(option >> 2 & 1)];
    layout.on_bad_value = [OnBadValue::Null, OnBadValue::Reject][usize::from(option >> 3 & 1)];
    if option & 16 != 0 {
        layout.max_record_bytes = 40;
    }
    layout.json = Some(Arc::new(json));
    layout
}

/// Reads in chunks that grow by `step` bytes.
fn read(layout: &Layout, text: &[u8], step: usize) -> Option<Read> {
    let columns = layout.columns.len();
    let all = (0..columns + 2).collect();
    let mut decoder = ChunkDecoder::new(Arc::new(layout.clone()), Some(all)).unwrap();
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    let (mut at, mut end, mut place) = (0, step.min(text.len()), Place::default());
    loop {
        let bytes = &text[at..end];
        let eof = end == text.len();
        let stop = decoder.index(bytes, 0, bytes.len(), eof, false).unwrap();
        let (records, lines) = (decoder.records().records(), decoder.records().lines());
        let passed = match stop {
            Stop::Done(passed) | Stop::NeedMore(passed) => passed,
            // What comes after depends on how much of it was there.
            Stop::TooLong(_) => return None,
        };
        let buffer = Buffer::from_vec(bytes.to_vec());
        let chunk = decoder.decode(&buffer, place, None, 100).unwrap();
        assert_eq!(chunk.delivered + chunk.rejected + chunk.blank, records);
        for batch in &chunk.batches {
            let options = FormatOptions::default().with_null("∅");
            let formats: Vec<_> = batch
                .columns()
                .iter()
                .map(|column| ArrayFormatter::try_new(column, &options).unwrap())
                .collect();
            for row in 0..batch.num_rows() {
                let values = formats.iter().map(|f| f.value(row).to_string());
                rows.push(values.collect::<Vec<_>>().join("|"));
            }
        }
        for flaw in &chunk.flaws {
            let problem = decoder.describe(&buffer, place, flaw);
            problems.push((
                problem.record,
                problem.line,
                problem.offset,
                problem.reason.to_string(),
            ));
        }
        place.offset += passed as u64;
        place.lines += lines;
        place.records += records;
        at += passed;
        match stop {
            Stop::Done(_) if eof => return Some((rows, problems)),
            _ => end = (end + step).min(text.len()),
        }
    }
}

/// Whether a line holds an object, as `serde_json` sees it; nothing where the two may differ.
fn is_object(line: &[u8]) -> Option<bool> {
    let has = |word: &[u8]| line.windows(word.len()).any(|found| found == word);
    // Words and depths of our own.
    if has(b"NaN")
        || has(b"Infinity")
        || line.iter().filter(|b| matches!(b, b'{' | b'[')).count() > 100
    {
        return None;
    }
    match serde_json::from_slice::<Value>(line) {
        Ok(value) => Some(value.is_object()),
        // A number that no float holds; half of a surrogate pair.
        Err(error)
            if error.classify() == Category::Syntax
                && error.to_string().starts_with("number out") =>
        {
            None
        }
        Err(error) if has(b"\\u") && error.classify() == Category::Syntax => None,
        Err(_) => Some(false),
    }
}

pub(crate) fn json_any(input: &[u8]) {
    let Some((&option, text)) = input.split_first() else {
        return;
    };
    if text.len() > 4096 {
        return;
    }
    let layout = layout(option, text);
    let whole = read(&layout, text, text.len());
    for step in [1, 2, 7, 64] {
        let cut = read(&layout, text, step);
        if let (Some(whole), Some(cut)) = (&whole, &cut) {
            assert_eq!(whole, cut, "in steps of {step}");
        }
    }
    let plain = option & 0b11001 == 0 && layout.on_error == OnError::Reject;
    if let (Some((rows, _)), true) = (whole, plain) {
        let lines: Vec<&[u8]> = text.split(|&byte| byte == b'\n').collect();
        let verdicts: Option<Vec<bool>> = lines.iter().map(|line| is_object(line)).collect();
        if let Some(verdicts) = verdicts {
            let objects = verdicts.iter().filter(|&&object| object).count();
            assert_eq!(rows.len(), objects);
        }
    }
}
