//! Differences, told so that a person can find them.

use std::fmt::Debug;

use biotide_text::delimited::{Layout, OnError};
use biotide_text::problem::Reason;

use crate::harness::Outcome;
use crate::oracle::Bad;

/// Holds `found` to `expected`; where reading stops at the first problem only that is compared.
#[track_caller]
pub(crate) fn agree(layout: &Layout, text: &[u8], found: &Outcome, expected: &Outcome, how: &str) {
    let context = || format!("{how}\ntext: b\"{}\"\n{layout:?}", text.escape_ascii());
    if let Some(mut stopped) = found.stopped {
        let mut first = expected.problems.first().copied();
        if let Some(Bad {
            reason: Reason::RecordTooLong,
            length,
            ..
        }) = &mut first
        {
            // Reading stopped before the end of the record was seen, maybe within CRLF.
            assert!(stopped.length <= *length + 1, "{}", context());
            stopped.length = *length;
        }
        assert_eq!(Some(stopped), first, "{}", context());
        assert_eq!(layout.on_error, OnError::Fail);
        return;
    }
    if layout.on_error == OnError::Fail {
        assert!(expected.problems.is_empty(), "{}", context());
    }
    same(&found.problems, &expected.problems, &context);
    same(&found.rows, &expected.rows, &context);
}

/// Stops at the first difference, and shows no more than that.
#[track_caller]
pub(crate) fn same<T: PartialEq + Debug>(
    found: &[T],
    expected: &[T],
    context: &dyn Fn() -> String,
) {
    let differ = (0..found.len().max(expected.len())).find(|&i| found.get(i) != expected.get(i));
    if let Some(i) = differ {
        let (found, expected) = (found.get(i), expected.get(i));
        panic!(
            "number {i}:\nfound    {found:?}\nexpected {expected:?}\n{}",
            context()
        );
    }
}
