//! Column types that lose nothing.
//!
//! A type is taken only if every value seen has it *in its plainest spelling*, so that nothing becomes
//! something else in silence. A column with one leading-zero integer (`007`), one `+44…`, one bare
//! `1e5` or a `1-Mar` is text; integers beyond 64 bits are text, and so is a mix of floats with
//! integers that a float cannot hold.

use super::Layout;
use super::preamble::SampleReader;
use super::{Column, ColumnType};
use crate::chunk::columns::{
    Number, TemporalClass, classify_number, classify_temporal, is_null_value, parse_bool,
    parse_int, plain_number, trim, unquote,
};
use crate::sample::Sample;

/// What the values of one column were.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Seen {
    /// Empty fields, and spellings of NULL.
    nulls: u64,
    ints: u64,
    /// Integers that a float does not hold exactly.
    long_ints: u64,
    floats: u64,
    infinities: u64,
    booleans: u64,
    dates: u64,
    timestamps: u64,
    timestamps_tz: u64,
    /// Values that parse under `date_format`.
    formatted: u64,
    text: u64,
    /// Of the texts, the first.
    first_text: Option<Box<str>>,
}

impl Seen {
    fn see_text(&mut self, value: &[u8]) {
        self.text += 1;
        if self.first_text.is_none() {
            let text = String::from_utf8_lossy(value);
            self.first_text = Some(text.chars().take(40).collect());
        }
    }

    fn merge(&mut self, other: &Self) {
        self.nulls += other.nulls;
        self.ints += other.ints;
        self.long_ints += other.long_ints;
        self.floats += other.floats;
        self.infinities += other.infinities;
        self.booleans += other.booleans;
        self.dates += other.dates;
        self.timestamps += other.timestamps;
        self.timestamps_tz += other.timestamps_tz;
        self.formatted += other.formatted;
        self.text += other.text;
        if self.first_text.is_none() {
            self.first_text.clone_from(&other.first_text);
        }
    }
}

/// Collects evidence for the columns of a layout.
#[derive(Debug, Clone)]
pub struct Inference {
    seen: Vec<Seen>,
    records: u64,
    bytes: u64,
}

impl Inference {
    /// No evidence yet.
    pub fn new(columns: usize) -> Self {
        Self {
            seen: vec![Seen::default(); columns],
            records: 0,
            bytes: 0,
        }
    }

    /// Looks at one value, unquoted.
    pub fn observe(&mut self, layout: &Layout, column: usize, value: &[u8]) {
        let Some(seen) = self.seen.get_mut(column) else {
            return;
        };
        let value = trim(value);
        if value.is_empty() || is_null_value(layout, value, true) {
            seen.nulls += 1;
            return;
        }
        if layout
            .date_format
            .as_deref()
            .is_some_and(|format| matches_format(value, format))
        {
            seen.formatted += 1;
            return;
        }
        let number = plain_number(layout, value);
        let class = number.as_deref().map_or(Number::None, classify_number);
        match class {
            Number::Int(digits) => {
                let exact = parse_int(number.as_deref().unwrap_or_default(), true);
                match exact {
                    Ok(_) if digits <= 15 => seen.ints += 1,
                    Ok(_) => seen.long_ints += 1,
                    Err(_) => seen.see_text(value),
                }
            }
            Number::Float => seen.floats += 1,
            Number::Infinity => seen.infinities += 1,
            Number::LeadingZero | Number::Code => seen.see_text(value),
            Number::None if parse_bool(value).is_ok() => seen.booleans += 1,
            Number::None => match classify_temporal(value) {
                TemporalClass::Date => seen.dates += 1,
                TemporalClass::Timestamp => seen.timestamps += 1,
                TemporalClass::TimestampTz => seen.timestamps_tz += 1,
                TemporalClass::None => seen.see_text(value),
            },
        }
    }

    /// Looks at every whole record of `bytes` that has the layout's number of fields.
    pub fn observe_records(&mut self, layout: &Layout, bytes: &[u8], at: usize, eof: bool) {
        let reader = SampleReader::new(&layout.dialect, bytes, at, eof);
        let dialect = reader.dialect().clone();
        let columns = layout.columns.len();
        for record in reader {
            let n = record.fields.len();
            if n != columns && !(layout.trailing_delimiter && n == columns + 1) {
                continue;
            }
            self.records += 1;
            self.bytes += (record.end - record.fields[0].start) as u64 + 1;
            for (column, field) in record.fields.iter().take(columns).enumerate() {
                let (value, _) = unquote(&dialect, &bytes[field.clone()]);
                self.observe(layout, column, &value);
            }
        }
    }

    /// Adds what another has seen: `places` has for each column where it is in the other.
    pub fn merge(&mut self, other: &Self, places: &[Option<usize>]) {
        self.records += other.records;
        self.bytes += other.bytes;
        for (a, place) in self.seen.iter_mut().zip(places) {
            if let Some(b) = place.and_then(|place| other.seen.get(place)) {
                a.merge(b);
            }
        }
    }

    /// What the type of a column was found by, in words.
    pub fn evidence(&self, column: usize) -> String {
        let Some(seen) = self.seen.get(column) else {
            return String::new();
        };
        let kinds = [
            (seen.ints + seen.long_ints, "integer", "integers"),
            (seen.floats + seen.infinities, "float", "floats"),
            (seen.booleans, "boolean", "booleans"),
            (seen.dates, "date", "dates"),
            (seen.timestamps, "timestamp", "timestamps"),
            (
                seen.timestamps_tz,
                "timestamp with a zone",
                "timestamps with a zone",
            ),
            (
                seen.formatted,
                "date of the given format",
                "dates of the given format",
            ),
            (seen.text, "text", "texts"),
            (seen.nulls, "NULL", "NULLs"),
        ];
        let kinds = kinds.iter().filter(|(n, ..)| *n > 0);
        let mut words: Vec<String> = kinds
            .map(|(n, one, more)| format!("{n} {}", if *n == 1 { one } else { more }))
            .collect();
        let others = words.len() - usize::from(seen.text > 0) - usize::from(seen.nulls > 0);
        if let Some(first) = seen.first_text.as_ref().filter(|_| others > 0) {
            words.push(format!("first text '{first}'"));
        }
        match words.is_empty() {
            true => "no value seen".to_owned(),
            false => words.join(", "),
        }
    }

    /// The mean length of the records seen, their line end counted.
    pub fn mean_record_bytes(&self) -> Option<f64> {
        (self.records > 0).then(|| self.bytes as f64 / self.records as f64)
    }

    /// The type of each column.
    pub fn types(&self, layout: &Layout) -> Vec<ColumnType> {
        self.seen
            .iter()
            .map(|seen| seen.column_type(layout))
            .collect()
    }
}

impl Seen {
    fn column_type(&self, layout: &Layout) -> ColumnType {
        let numbers = self.ints + self.long_ints + self.floats;
        let infinities = self.infinities;
        let dates = self.dates + self.timestamps;
        let kinds = [
            numbers + infinities,
            self.booleans,
            dates,
            self.timestamps_tz,
            self.formatted,
        ];
        if self.text > 0 || kinds.iter().filter(|&&n| n > 0).count() != 1 {
            return ColumnType::Text;
        }
        if numbers > 0 {
            return match (self.floats + infinities > 0, self.long_ints > 0) {
                (false, _) => ColumnType::Int64,
                (true, false) => ColumnType::Float64,
                (true, true) => ColumnType::Text,
            };
        }
        if infinities > 0 {
            return ColumnType::Text;
        }
        if self.booleans > 0 {
            return ColumnType::Boolean;
        }
        if self.formatted > 0 {
            return match layout.date_format.as_deref().map(format_kind) {
                Some(FormatKind::Date) => ColumnType::Date,
                Some(FormatKind::Timestamp) => ColumnType::Timestamp,
                Some(FormatKind::TimestampTz) => ColumnType::TimestampTz,
                None => ColumnType::Text,
            };
        }
        // Under a date format of the user's, ISO dates are not read as dates.
        if layout.date_format.is_some() {
            return ColumnType::Text;
        }
        match (self.timestamps_tz > 0, self.timestamps > 0) {
            (true, _) => ColumnType::TimestampTz,
            (false, true) => ColumnType::Timestamp,
            (false, false) => ColumnType::Date,
        }
    }
}

enum FormatKind {
    Date,
    Timestamp,
    TimestampTz,
}

fn format_kind(format: &str) -> FormatKind {
    let has = |specifiers: &[&str]| specifiers.iter().any(|s| format.contains(s));
    if has(&["%z", "%:z", "%#z", "%Z", "%+"]) {
        FormatKind::TimestampTz
    } else if has(&[
        "%H", "%I", "%k", "%l", "%M", "%S", "%T", "%R", "%s", "%c", "%r", "%X",
    ]) {
        FormatKind::Timestamp
    } else {
        FormatKind::Date
    }
}

fn matches_format(value: &[u8], format: &str) -> bool {
    use chrono::{DateTime, NaiveDate, NaiveDateTime};
    let Ok(text) = std::str::from_utf8(value) else {
        return false;
    };
    match format_kind(format) {
        FormatKind::Date => NaiveDate::parse_from_str(text, format).is_ok(),
        FormatKind::Timestamp => NaiveDateTime::parse_from_str(text, format).is_ok(),
        FormatKind::TimestampTz => DateTime::parse_from_str(text, format).is_ok(),
    }
}

/// Gives the columns of `layout` the types that `sample` shows. `data_start` is where the records start
/// in the sample's head.
pub fn infer_columns(layout: &mut Layout, sample: &Sample, data_start: usize) -> Inference {
    let mut inference = Inference::new(layout.columns.len());
    inference.observe_records(layout, &sample.head, data_start, sample.complete);
    let newline = layout.dialect.record_end.byte();
    for piece in &sample.pieces {
        // A piece starts anywhere: its first whole line is the first that may be a record.
        if let Some(i) = memchr::memchr(newline, piece) {
            inference.observe_records(layout, piece, i + 1, false);
        }
    }
    let types = inference.types(layout);
    for (column, ty) in layout.columns.iter_mut().zip(types) {
        *column = Column {
            name: std::mem::take(&mut column.name),
            ty,
            inferred: true,
        };
    }
    inference
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delimited::Dialect;

    fn infer(values: &[&str]) -> ColumnType {
        let mut layout = Layout::new(
            Dialect::csv(),
            vec![
                Column::new("x", ColumnType::Text),
                Column::new("y", ColumnType::Text),
            ],
        );
        let text: String = values.iter().map(|v| format!("{v},\n")).collect();
        infer_columns(&mut layout, &Sample::whole(text), 0);
        layout.columns[0].ty
    }

    #[test]
    fn identifiers_stay_what_they_are() {
        for text in [
            &["1", "007"][..],
            &["+44123", "1"],
            &["1e5", "2e7"],
            &["1-Mar", "2-Sep"],
            &["TRUE", "TP53"],
            &["9223372036854775808"],
            &["12345678901234567", "0.5"],
            &["T", "F"],
            &["NA", "NA"],
            &["", ""],
            &["INF"],
            &["-0", "1"],
            &["2024-01-01", "5"],
            &["1_000"],
            &["0x10"],
        ] {
            assert_eq!(infer(text), ColumnType::Text, "{text:?}");
        }
    }

    #[test]
    fn plain_values_get_their_type() {
        for (values, ty) in [
            (&["1", "-5", "NA", ""][..], ColumnType::Int64),
            (&["1", "2.5", ".", "-"], ColumnType::Float64),
            (&["1e-5", "0.05", "1E-300"], ColumnType::Float64),
            (&["1e+05", "3"], ColumnType::Float64),
            (&["TRUE", "false"], ColumnType::Boolean),
            (&["2024-02-29", "NA"], ColumnType::Date),
            (&["2024-02-29", "2024-02-29 10:00"], ColumnType::Timestamp),
            (&["2024-02-29T10:00:00Z"], ColumnType::TimestampTz),
            (&["9223372036854775807"], ColumnType::Int64),
            (&["0", "10"], ColumnType::Int64),
        ] {
            assert_eq!(infer(values), ty, "{values:?}");
        }
    }
}
