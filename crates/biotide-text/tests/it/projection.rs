//! What a query asks for changes neither the rows nor what is wrong with them.

use std::sync::Arc;

use arrow_array::{BooleanArray, RecordBatch};
use biotide_text::Buffer;
use biotide_text::chunk::{ChunkDecoder, Place, RowFilter};
use biotide_text::delimited::{Dialect, Layout, OnError, RecordEnd, RestOfLine};

use crate::compare::same;
use crate::harness::{
    self, Counts, Outcome, Ranges, Row, everything, expected, ranges, text_columns, value,
};
use crate::rng::{Rng, for_seeds};
use crate::{inputs, oracle};

type Values = Vec<Option<String>>;

/// The row with `_line` and `_offset` as columns.
fn full(row: &Row) -> Values {
    let mut values = row.values.clone();
    values.extend([Some(row.line.to_string()), Some(row.offset.to_string())]);
    values
}

fn batch_values(batch: &RecordBatch) -> impl Iterator<Item = Values> + '_ {
    (0..batch.num_rows()).map(|row| batch.columns().iter().map(|c| value(c, row)).collect())
}

/// A layout without `fail`, its text, and what is in it.
fn case(seed: u64) -> (Rng, Layout, Vec<u8>, Outcome) {
    let mut rng = Rng::new(seed);
    let mut layout = inputs::layout(&mut rng);
    if layout.on_error == OnError::Fail {
        layout.on_error = OnError::Reject;
    }
    let text = inputs::text(&mut rng, &layout, 300);
    let expected = expected(&layout, &text);
    (rng, layout, text, expected)
}

#[track_caller]
fn same_problems(layout: &Layout, text: &[u8], found: &Outcome, expected: &Outcome) {
    let context = || format!("text: b\"{}\"\n{layout:?}", text.escape_ascii());
    same(&found.problems, &expected.problems, &context);
    assert_eq!(found.counts, expected.counts, "{}", context());
}

#[test]
fn counting_gives_the_same_counts_and_problems() {
    for_seeds(20_000, |seed| {
        let (mut rng, layout, text, expected) = case(seed);
        let longest = [3, 30, 1000][rng.below(3)];
        let how = Ranges {
            projection: Vec::new(),
            batch_rows: [1, 13, 8192][rng.below(3)],
            next: &mut || (1 + rng.below(longest), rng.below(longest)),
            filter: None,
        };
        let (found, batches) = ranges(&layout, &text, how);
        same_problems(&layout, &text, &found, &expected);
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        assert_eq!(rows, expected.rows.len());
        assert!(batches.iter().all(|batch| batch.num_columns() == 0));
    });
}

#[test]
fn any_projection_gives_the_same_rows_and_problems() {
    for_seeds(20_000, |seed| {
        let (mut rng, layout, text, expected) = case(seed);
        let all = everything(&layout);
        let projection: Vec<usize> = (0..rng.below(4)).map(|_| rng.below(all.len())).collect();
        let longest = [3, 30, 1000][rng.below(3)];
        let how = Ranges {
            projection: projection.clone(),
            batch_rows: [1, 13, 8192][rng.below(3)],
            next: &mut || (1 + rng.below(longest), rng.below(longest)),
            filter: None,
        };
        let (found, batches) = ranges(&layout, &text, how);
        same_problems(&layout, &text, &found, &expected);
        let rows: Vec<Values> = batches.iter().flat_map(batch_values).collect();
        let project = |row: &Row| projection.iter().map(|&i| full(row)[i].clone()).collect();
        let wanted: Vec<Values> = expected.rows.iter().map(project).collect();
        assert_eq!(rows, wanted, "{projection:?} of {layout:?}");
    });
}

/// Keeps the rows whose values add up right. Every other row that it drops is NULL in its answer.
struct Sum {
    columns: Vec<usize>,
    modulus: u64,
    seen: usize,
}

impl Sum {
    fn keeps(&self, values: &Values) -> bool {
        let bytes = values.iter().flatten().flat_map(|v| v.bytes());
        let nulls = values.iter().filter(|v| v.is_none()).count() as u64;
        (nulls + bytes.map(u64::from).sum::<u64>()).is_multiple_of(self.modulus)
    }
}

impl RowFilter for Sum {
    fn columns(&self) -> &[usize] {
        &self.columns
    }

    fn keep(
        &mut self,
        batch: &RecordBatch,
    ) -> Result<BooleanArray, Box<dyn std::error::Error + Send + Sync>> {
        assert_eq!(batch.num_columns(), self.columns.len());
        self.seen += batch.num_rows();
        let verdicts = batch_values(batch).enumerate().map(|(i, values)| {
            let keep = self.keeps(&values);
            (keep || i % 2 == 0).then_some(keep)
        });
        Ok(verdicts.collect())
    }
}

#[test]
fn any_filter_gives_its_rows_and_the_same_problems() {
    for_seeds(20_000, |seed| {
        let (mut rng, layout, text, expected) = case(seed);
        let all = everything(&layout);
        let mut some =
            |n| -> Vec<usize> { (0..rng.below(n)).map(|_| rng.below(all.len())).collect() };
        let (projection, columns) = (some(4), some(3));
        let mut filter = Sum {
            columns: columns.clone(),
            modulus: [1, 2, 5, 1_000_003][rng.below(4)],
            seen: 0,
        };
        let longest = [3, 30, 1000][rng.below(3)];
        let how = Ranges {
            projection: projection.clone(),
            batch_rows: [1, 13, 8192][rng.below(3)],
            next: &mut || (1 + rng.below(longest), rng.below(longest)),
            filter: Some(&mut filter),
        };
        let (found, batches) = ranges(&layout, &text, how);
        same_problems(&layout, &text, &found, &expected);
        assert_eq!(filter.seen, expected.rows.len());
        let pick = |row: &Row, columns: &[usize]| -> Values {
            columns.iter().map(|&i| full(row)[i].clone()).collect()
        };
        let kept = expected
            .rows
            .iter()
            .filter(|row| filter.keeps(&pick(row, &columns)));
        let wanted: Vec<Values> = kept.map(|row| pick(row, &projection)).collect();
        let rows: Vec<Values> = batches.iter().flat_map(batch_values).collect();
        assert_eq!(rows, wanted, "{columns:?}, {projection:?} of {layout:?}");
    });
}

/// The rows before the filter that count; what stands behind them does not.
#[test]
fn a_limit_ends_the_chunk_with_its_last_row() {
    for_seeds(20_000, |seed| {
        let (mut rng, layout, text, expected) = case(seed);
        let limit = rng.below(expected.rows.len() + 2);
        let projection = if rng.chance(1, 2) {
            everything(&layout)
        } else {
            vec![]
        };
        let count = projection.is_empty();
        let mut decoder = ChunkDecoder::new(Arc::new(layout.clone()), Some(projection)).unwrap();
        decoder.index(&text, 0, text.len(), true, false).unwrap();
        let bytes = Buffer::from_vec(text.clone());
        let chunk = decoder
            .decode_limited(&bytes, Place::default(), None, 5, Some(limit))
            .unwrap();
        let delivered: usize = chunk.batches.iter().map(RecordBatch::num_rows).sum();
        assert_eq!(delivered, limit.min(expected.rows.len()));
        let mut rows = Vec::new();
        if !count {
            chunk
                .batches
                .iter()
                .for_each(|batch| harness::rows(batch, &mut rows));
            assert_eq!(rows, expected.rows[..delivered]);
        }
        // The text up to the last row is all there is.
        let end = match limit {
            _ if limit > expected.rows.len() => text.len(),
            0 => 0,
            _ => {
                let last = expected.rows[limit - 1].offset as u64;
                let reading = oracle::read(&layout, &text);
                let row = reading.rows.iter().find(|row| row.offset == last).unwrap();
                (row.offset + row.length) as usize
            }
        };
        let mut rest = RestOfLine::new(layout.dialect.record_end, &[]);
        let line_end = rest.pass(&text[end..]).filter(|_| end > 0);
        let next = match (line_end, layout.dialect.record_end) {
            (Some(line_end), _) => end + line_end.next,
            // A CR at the end of the file is a line end of any kind, too.
            (None, RecordEnd::Any) if end > 0 => text.len(),
            (None, _) => end,
        };
        let mut wanted = harness::expected(&layout, &text[..next]);
        wanted.problems = expected.problems;
        wanted
            .problems
            .retain(|problem| problem.offset < end as u64);
        let found = Outcome {
            problems: harness::problems(&decoder, &bytes, Place::default(), &chunk),
            counts: Counts {
                delivered: chunk.delivered,
                rejected: chunk.rejected,
                blank: chunk.blank,
                skipped: chunk.skipped,
            },
            ..Outcome::default()
        };
        same_problems(&layout, &text, &found, &wanted);
    });
}

#[test]
fn what_stands_behind_a_limit_stops_nothing() {
    let mut layout = Layout::new(Dialect::csv(), text_columns(2));
    layout.on_error = OnError::Fail;
    let text = b"a,b\nc,d\ne\n";
    let mut decoder = ChunkDecoder::new(Arc::new(layout), None).unwrap();
    decoder.index(text, 0, text.len(), true, false).unwrap();
    let bytes = Buffer::from_vec(text.to_vec());
    for (limit, fails) in [
        (Some(1), false),
        (Some(2), false),
        (Some(3), true),
        (None, true),
    ] {
        let chunk = decoder.decode_limited(&bytes, Place::default(), None, 5, limit);
        assert_eq!(chunk.is_err(), fails, "{limit:?}");
    }
}

#[test]
fn a_batch_of_few_survivors_does_not_hold_the_chunk() {
    let mut layout = Layout::new(Dialect::tsv(), text_columns(2));
    let text: String = (0..8000)
        .map(|i| {
            format!("a value that is longer than a view {i}\tanother one, as long as that {i}\n")
        })
        .collect();
    layout.max_record_bytes = 1000;
    let mut filter = Sum {
        columns: vec![0],
        modulus: 23,
        seen: 0,
    };
    let how = Ranges {
        projection: vec![0, 1],
        batch_rows: 8192,
        next: &mut || (usize::MAX / 2, 0),
        filter: Some(&mut filter),
    };
    let (_, batches) = ranges(&layout, text.as_bytes(), how);
    let held: usize = batches.iter().map(RecordBatch::get_array_memory_size).sum();
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    assert!(
        rows > 20 && held < text.len() / 4,
        "{rows} rows hold {held} bytes"
    );
}
