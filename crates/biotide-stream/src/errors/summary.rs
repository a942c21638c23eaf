//! What is kept of errors: all are counted, alike ones are one, and few are told in detail.

use std::collections::{BTreeMap, HashMap};
use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::{ErrorKind, ItemError, Stage};

/// Bytes of a message that is kept. Some services answer with a page.
const MESSAGE: usize = 2_000;

/// Bytes of a record that is kept, as JSON.
const RECORD: usize = 8_000;

/// An error, or several alike, in detail.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorDetail {
    /// What sort of thing went wrong.
    pub error_type: ErrorKind,
    /// What the first of them said.
    pub message: String,
    /// The code of the cause.
    pub code: String,
    /// When the first of them happened.
    #[serde(serialize_with = "rfc3339")]
    pub time: DateTime<Utc>,
    /// Where the first of them happened: `item`, `chunk` and `record`, as far as they are known.
    pub context: BTreeMap<&'static str, Value>,
    /// Who failed.
    pub stage: Stage,
    /// The name of the source or operation.
    pub operation: String,
    /// How often the first of them was tried again.
    pub retry_count: u32,
    /// What to do about it.
    pub hint: String,
    /// How many there were.
    pub count: u64,
}

/// All errors of a run.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ErrorSummary {
    /// How many there were.
    pub total_errors: u64,
    /// Rows that were lost or replaced by them.
    pub failed_rows: u64,
    /// How many of each kind.
    pub error_types: BTreeMap<ErrorKind, u64>,
    /// Failed rows by rows read.
    pub error_rate: f64,
    /// When the first happened.
    #[serde(serialize_with = "maybe_rfc3339")]
    pub first_error_time: Option<DateTime<Utc>>,
    /// When the last happened.
    #[serde(serialize_with = "maybe_rfc3339")]
    pub last_error_time: Option<DateTime<Utc>>,
    /// The first of them in detail.
    pub samples: Vec<ErrorDetail>,
}

fn rfc3339<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true))
}

fn maybe_rfc3339<S: Serializer>(
    time: &Option<DateTime<Utc>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => rfc3339(time, serializer),
        None => serializer.serialize_none(),
    }
}

/// Gathers errors in bounded memory.
#[derive(Debug)]
pub(crate) struct Errors {
    most: usize,
    aggregate: bool,
    summary: ErrorSummary,
    alike: HashMap<(ErrorKind, String, String), usize>,
}

impl Errors {
    /// `most`: how many are kept in detail. `aggregate`: whether alike ones are one.
    pub(crate) fn new(most: usize, aggregate: bool) -> Self {
        Self {
            most,
            aggregate,
            summary: ErrorSummary::default(),
            alike: HashMap::new(),
        }
    }

    pub(crate) fn total(&self) -> u64 {
        self.summary.total_errors
    }

    pub(crate) fn failed_rows(&self) -> u64 {
        self.summary.failed_rows
    }

    pub(crate) fn record(&mut self, error: &ItemError) {
        let now = DateTime::<Utc>::from(SystemTime::now());
        let summary = &mut self.summary;
        summary.total_errors += 1;
        summary.failed_rows += error.rows().map_or(1, |rows| rows.rows() as u64);
        *summary.error_types.entry(error.kind()).or_default() += 1;
        summary.first_error_time.get_or_insert(now);
        summary.last_error_time = Some(now);
        let message = cut(error.cause().to_string());
        let key = (error.kind(), error.code().to_owned(), template(&message));
        if self.aggregate
            && let Some(&place) = self.alike.get(&key)
        {
            summary.samples[place].count += 1;
            return;
        }
        if summary.samples.len() >= self.most {
            return;
        }
        if self.aggregate {
            self.alike.insert(key, summary.samples.len());
        }
        summary.samples.push(detail(error, message, now));
    }

    /// `rows`: how many were read.
    pub(crate) fn summary(&self, rows: u64) -> ErrorSummary {
        let mut summary = self.summary.clone();
        summary.error_rate = summary.failed_rows as f64 / rows.max(1) as f64;
        summary
    }
}

fn detail(error: &ItemError, message: String, time: DateTime<Utc>) -> ErrorDetail {
    let mut context = BTreeMap::new();
    if let Some(item) = error.item() {
        context.insert("item", item.into());
    }
    if let Some(chunk) = error.chunk() {
        context.insert("chunk", chunk.into());
    }
    if let Some(rows) = error.rows() {
        context.insert("rows", rows.rows().into());
    }
    let record = error.record();
    if let Some(record) = record.filter(|record| record.to_string().len() <= RECORD) {
        context.insert("record", record);
    }
    ErrorDetail {
        error_type: error.kind(),
        message,
        code: error.code().to_owned(),
        time,
        context,
        stage: error.stage(),
        operation: error.operation().to_owned(),
        retry_count: error.retries(),
        hint: error.hint().to_owned(),
        count: 1,
    }
}

fn cut(mut message: String) -> String {
    if message.len() > MESSAGE {
        let end = (0..=MESSAGE).rev().find(|&at| message.is_char_boundary(at));
        message.truncate(end.unwrap_or(0));
        message.push('…');
    }
    message
}

/// The message without what tells one item from another: numbers, and what stands in quotes.
fn template(message: &str) -> String {
    let mut template = String::with_capacity(message.len());
    let mut chars = message.chars();
    let mut number = false;
    while let Some(c) = chars.next() {
        if c.is_ascii_digit() {
            if !number {
                template.push('#');
            }
            number = true;
            continue;
        }
        number = false;
        template.push(c);
        if c == '\'' || c == '"' || c == '`' {
            // An apostrophe has no other end, and the rest must not be lost for it.
            let rest = chars.as_str();
            if let Some(end) = rest.find(c) {
                template.push('…');
                template.push(c);
                chars = rest[end + c.len_utf8()..].chars();
            }
        }
    }
    template
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunk::Chunk;
    use crate::errors::{Place, ProcessorError};
    use crate::tests::numbers;

    fn error(row: u64, message: String) -> ItemError {
        let rows = Box::new(Chunk::new(0, numbers(row as i64, 1), row));
        let place = Place::Operation {
            name: "check".into(),
            rows,
        };
        let cause = ProcessorError::new(ErrorKind::Validation, message);
        ItemError::new(place, 0, cause)
    }

    #[test]
    fn alike_ones_are_one() {
        let mut errors = Errors::new(100, true);
        for row in 0..1000 {
            errors.record(&error(row, format!("'{row}' is not below {}", row * 2)));
        }
        errors.record(&error(1000, "something else".to_owned()));
        let summary = errors.summary(2002);
        assert_eq!(summary.total_errors, 1001);
        assert_eq!(summary.error_rate, 0.5);
        let counts: Vec<u64> = summary.samples.iter().map(|sample| sample.count).collect();
        assert_eq!(counts, [1000, 1]);
        assert_eq!(
            summary.samples[0].context["record"],
            serde_json::json!({"n": 0})
        );
    }

    #[test]
    fn at_most_so_many_are_kept() {
        for aggregate in [true, false] {
            let mut errors = Errors::new(100, aggregate);
            for row in 0..500 {
                // (Letters, for numbers would make them alike.)
                errors.record(&error(row, "x".repeat(row as usize + 1)));
            }
            let summary = errors.summary(500);
            assert_eq!((summary.total_errors, summary.samples.len()), (500, 100));
            assert!(errors.alike.len() <= 100);
        }
    }

    #[test]
    fn what_tells_items_apart_is_no_part_of_the_template() {
        assert_eq!(template("'P12' at 17: bad"), "'…' at #: bad");
        assert_eq!(template("can't read 5"), "can't read #");
    }

    #[test]
    fn a_summary_is_json() {
        let mut errors = Errors::new(100, true);
        errors.record(&error(3, "no".to_owned()));
        let json = serde_json::to_value(errors.summary(10)).unwrap();
        assert_eq!(json["error_types"]["validation"], 1);
        assert_eq!(json["samples"][0]["stage"], "processing");
        assert_eq!(json["samples"][0]["context"]["item"], 3);
        assert!(json["first_error_time"].as_str().unwrap().ends_with('Z'));
    }
}
