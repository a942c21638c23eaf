//! However a text is cut, whatever scans it: the same rows, the same problems.

use biotide_text::delimited::{Dialect, Layout};
use biotide_text::scan::Scanner;

use crate::compare::agree;
use crate::harness::{
    Outcome, Ranges, everything, expected, push, ranges, rows, text_columns, whole,
};
use crate::rng::{Rng, for_seeds};
use crate::{inputs, oracle};

/// As [`agree`], and the counts.
#[track_caller]
fn agree_fully(layout: &Layout, text: &[u8], found: &Outcome, expected: &Outcome, how: &str) {
    agree(layout, text, found, expected, how);
    if found.stopped.is_none() {
        assert_eq!(found.counts, expected.counts, "{how}\n{layout:?}");
    }
}

#[test]
fn simd_and_scalar_agree_with_the_oracle() {
    for_seeds(30_000, |seed| {
        let mut rng = Rng::new(seed);
        let layout = inputs::layout(&mut rng);
        let text = inputs::text(&mut rng, &layout, 400);
        let expected = expected(&layout, &text);
        let batch_rows = [1, 13, 8192][rng.below(3)];
        for scanner in [Scanner::best(), Scanner::scalar()] {
            let found = whole(&layout, &text, scanner, batch_rows);
            agree_fully(&layout, &text, &found, &expected, scanner.name());
        }
    });
}

#[test]
fn the_push_decoder_agrees_at_every_cut() {
    for_seeds(3_000, |seed| {
        let mut rng = Rng::new(seed);
        let layout = inputs::layout(&mut rng);
        let text = inputs::text(&mut rng, &layout, 60);
        let expected = expected(&layout, &text);
        for cut in 0..=text.len() {
            let chunk = 1 + rng.below(64);
            let mut pieces = [cut.max(1), usize::MAX].into_iter().cycle();
            let found = push(&layout, &text, chunk, 8192, || pieces.next().unwrap());
            agree(
                &layout,
                &text,
                &found,
                &expected,
                &format!("cut at {cut}, {chunk} a chunk"),
            );
        }
    });
}

#[test]
fn the_push_decoder_agrees_at_every_chunk_size() {
    for_seeds(600, |seed| {
        let mut rng = Rng::new(seed);
        let layout = inputs::layout(&mut rng);
        let text = inputs::text(&mut rng, &layout, 300);
        let expected = expected(&layout, &text);
        for chunk in 1..=64 {
            let batch_rows = [1, 2, 8192][rng.below(3)];
            let longest = [1, 3, 100][rng.below(3)];
            let found = push(&layout, &text, chunk, batch_rows, || 1 + rng.below(longest));
            agree(
                &layout,
                &text,
                &found,
                &expected,
                &format!("{chunk} a chunk"),
            );
        }
    });
}

#[test]
fn a_chain_of_ranges_agrees() {
    for_seeds(30_000, |seed| {
        let mut rng = Rng::new(seed);
        let layout = inputs::layout(&mut rng);
        let text = inputs::text(&mut rng, &layout, 200);
        let expected = expected(&layout, &text);
        let (longest, beyond) = ([1, 10, 100][rng.below(3)], [1, 10, 1000][rng.below(3)]);
        let how = Ranges {
            projection: everything(&layout),
            batch_rows: [1, 13, 8192][rng.below(3)],
            next: &mut || (1 + rng.below(longest), rng.below(beyond)),
            filter: None,
        };
        let (mut found, batches) = ranges(&layout, &text, how);
        batches
            .iter()
            .for_each(|batch| rows(batch, &mut found.rows));
        agree_fully(&layout, &text, &found, &expected, "ranges");
    });
}

#[test]
fn the_oracle_reads_what_the_rules_say() {
    // A few readings by hand, so that the oracle itself stands on something.
    let layout = Layout::new(Dialect::csv(), text_columns(2));
    let text = b"a,\"b,\"\"\n\"\r\n\nx\n\"open,1\ny,z\"q\r";
    let reading = oracle::read(&layout, text);
    let rows: Vec<Vec<&[u8]>> = reading
        .rows
        .iter()
        .map(|row| row.fields.iter().map(|f| &f.value[..]).collect())
        .collect();
    assert_eq!(rows, [[&b"a"[..], b"b,\"\n"], [b"y", b"z\"q"]]);
    let bad: Vec<_> = reading
        .bad
        .iter()
        .map(|b| (b.record, b.line, b.offset, b.length, b.reason.code()))
        .collect();
    assert_eq!(
        bad,
        [
            (3, 4, 12, 1, "too_few_fields"),
            (4, 5, 14, 7, "text_after_quote")
        ]
    );
    assert_eq!((reading.blank, reading.rejected), (1, 2));
}
