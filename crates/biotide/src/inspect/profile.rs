//! How the values of a column look, from one pass over them, in bounded memory.

use std::collections::{BTreeSet, HashMap};

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::hash_utils::{RandomState, create_hashes};
use serde::Serialize;

use super::warnings::Oddities;
use crate::error::Result;

/// How the values of a column look.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ColumnProfile {
    /// Values that are not NULL.
    pub values: u64,
    /// The share of rows that are NULL, 0 to 1.
    pub null_share: f64,
    /// Distinct values: exact up to 2048, an estimate (of some 2 %) above.
    pub distinct: u64,
    /// The least value: by number, time, or bytes of the text.
    pub min: Option<String>,
    /// The greatest.
    pub max: Option<String>,
    /// The mean of numbers.
    pub mean: Option<f64>,
    /// Some values, as they came.
    pub examples: Vec<String>,
    /// The most frequent values of the first rows, where some come more than once.
    pub frequent: Vec<Frequent>,
    /// Of numbers, or of the lengths of texts in characters: how many lie where.
    pub histogram: Vec<Bin>,
    /// Values that look as if something had happened to them.
    #[serde(skip)]
    pub(super) oddities: Oddities,
}

/// A value and how often it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Frequent {
    /// The value as text.
    pub value: String,
    /// How often.
    pub count: u64,
}

/// A part of a histogram.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bin {
    /// From this on,
    pub from: f64,
    /// to below this (the last: to it).
    pub to: f64,
    /// Values in between.
    pub count: u64,
}

/// Hashes that are kept: the least ones.
const HASHES: usize = 2048;
/// Numbers that are kept for the histogram: an even choice of all.
const NUMBERS: usize = 10_000;
/// Values that are counted one by one, of the first rows.
const COUNTED: usize = 2000;
const COUNTED_ROWS: u64 = 50_000;
const EXAMPLES: usize = 5;
const FREQUENT: usize = 5;
const BINS: usize = 20;
/// Characters of a value that are shown.
const SHOWN: usize = 60;

/// A profile on its way.
pub(super) struct Profile {
    data_type: DataType,
    rows: u64,
    nulls: u64,
    hashes: BTreeSet<u64>,
    random: RandomState,
    /// As a text, and what it is compared by.
    least: Option<(Key, String)>,
    greatest: Option<(Key, String)>,
    sum: f64,
    finite: u64,
    /// With their lot.
    numbers: Vec<(u64, f64)>,
    /// Of so many one is kept, by lot.
    every: u64,
    seen_numbers: u64,
    counts: HashMap<String, u64>,
    order: Vec<String>,
    oddities: Oddities,
}

#[derive(Debug, Clone, PartialEq, PartialOrd)]
enum Key {
    Number(f64),
    Text(String),
}

impl Profile {
    pub(super) fn new(data_type: &DataType) -> Self {
        Self {
            data_type: data_type.clone(),
            rows: 0,
            nulls: 0,
            hashes: BTreeSet::new(),
            random: RandomState::with_seed(7),
            least: None,
            greatest: None,
            sum: 0.0,
            finite: 0,
            numbers: Vec::new(),
            every: 1,
            seen_numbers: 0,
            counts: HashMap::new(),
            order: Vec::new(),
            oddities: Oddities::default(),
        }
    }

    /// Looks at the values of a batch.
    pub(super) fn see(&mut self, column: &ArrayRef) -> Result<()> {
        let n = column.len();
        let before = self.rows;
        self.rows += n as u64;
        self.nulls += column.null_count() as u64;
        let valid = |row: usize| column.is_valid(row);
        if !self.data_type.is_nested() {
            let mut hashes = vec![0; n];
            create_hashes([column], &self.random, &mut hashes)?;
            for (_, hash) in hashes
                .into_iter()
                .enumerate()
                .filter(|(row, _)| valid(*row))
            {
                self.see_hash(hash);
            }
        }
        let format = ArrayFormatter::try_new(column, &FormatOptions::default())?;
        let text = |row: usize| format.value(row).to_string();
        if self.is_number() {
            let numbers = cast(column, &DataType::Float64)?;
            let numbers = numbers.as_primitive::<Float64Type>();
            for row in (0..n).filter(|&row| valid(row)) {
                let number = numbers.value(row);
                self.see_number(number, || text(row));
            }
        } else if self.data_type.is_temporal() {
            for row in (0..n).filter(|&row| valid(row)) {
                self.see_key(Key::Text(text(row)), || text(row));
            }
        } else if self.is_text() {
            let texts = cast(column, &DataType::Utf8)?;
            let texts = texts.as_string::<i32>();
            for value in texts.iter().flatten() {
                self.see_length(value.chars().count() as f64);
                self.oddities.see(value);
                let known = |bound: &Option<(Key, String)>, less: bool| match bound {
                    Some((Key::Text(known), _)) => {
                        (value < known.as_str()) == less || value == known
                    }
                    _ => true,
                };
                if known(&self.least, true) || known(&self.greatest, false) {
                    self.see_key(Key::Text(value.to_owned()), || value.to_owned());
                }
            }
        }
        let left = usize::try_from(COUNTED_ROWS.saturating_sub(before)).unwrap_or(0);
        for row in (0..n.min(left)).filter(|&row| valid(row)) {
            self.count(text(row));
        }
        Ok(())
    }

    fn is_number(&self) -> bool {
        self.data_type.is_numeric()
    }

    fn is_text(&self) -> bool {
        matches!(
            self.data_type,
            DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8
        )
    }

    fn see_hash(&mut self, hash: u64) {
        if self.hashes.len() < HASHES {
            self.hashes.insert(hash);
        } else if self.hashes.last().is_some_and(|last| hash < *last) && self.hashes.insert(hash) {
            self.hashes.pop_last();
        }
    }

    fn see_number(&mut self, number: f64, text: impl Fn() -> String) {
        if number.is_nan() {
            return;
        }
        self.see_key(Key::Number(number), text);
        if number.is_finite() {
            self.sum += number;
            self.finite += 1;
            self.see_length(number);
        }
    }

    /// Keeps one of so many numbers for the histogram: by lot, as values may come round in turns.
    fn see_length(&mut self, number: f64) {
        let lot = lot(self.seen_numbers);
        self.seen_numbers += 1;
        if lot.is_multiple_of(self.every) {
            self.numbers.push((lot, number));
        }
        while self.numbers.len() >= 2 * NUMBERS {
            self.every *= 2;
            let every = self.every;
            self.numbers.retain(|(lot, _)| lot.is_multiple_of(every));
        }
    }

    fn see_key(&mut self, key: Key, text: impl Fn() -> String) {
        if self.least.as_ref().is_none_or(|(least, _)| key < *least) {
            self.least = Some((key.clone(), text()));
        }
        if self.greatest.as_ref().is_none_or(|(most, _)| key > *most) {
            self.greatest = Some((key, text()));
        }
    }

    fn count(&mut self, value: String) {
        let value = shorten(&value);
        if let Some(count) = self.counts.get_mut(&value) {
            *count += 1;
        } else if self.counts.len() < COUNTED {
            if self.order.len() < EXAMPLES {
                self.order.push(value.clone());
            }
            self.counts.insert(value, 1);
        }
    }

    pub(super) fn finish(self) -> ColumnProfile {
        let kept = self.hashes.len() as u64;
        let distinct = match self.hashes.last() {
            Some(last) if self.hashes.len() == HASHES => {
                ((kept - 1) as f64 / (*last as f64 / u64::MAX as f64)) as u64
            }
            _ => kept,
        };
        let values = self.rows - self.nulls;
        let mut frequent: Vec<Frequent> = self
            .counts
            .into_iter()
            .map(|(value, count)| Frequent { value, count })
            .collect();
        frequent.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
        frequent.truncate(FREQUENT);
        frequent.retain(|frequent| frequent.count > 1);
        let bound = |bound: Option<(Key, String)>| bound.map(|(_, text)| shorten(&text));
        ColumnProfile {
            values,
            null_share: self.nulls as f64 / self.rows.max(1) as f64,
            distinct: distinct.min(values),
            mean: (self.finite > 0).then(|| self.sum / self.finite as f64),
            min: bound(self.least),
            max: bound(self.greatest),
            examples: self.order,
            frequent,
            histogram: {
                let numbers: Vec<f64> = self.numbers.iter().map(|(_, number)| *number).collect();
                histogram(&numbers, self.every)
            },
            oddities: self.oddities,
        }
    }
}

/// The lot of the n-th number: the same in every run (splitmix64).
fn lot(n: u64) -> u64 {
    let mut x = n.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// Numbers by size; each stands for `weight`.
fn histogram(numbers: &[f64], weight: u64) -> Vec<Bin> {
    let least = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let most = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if numbers.is_empty() || least >= most {
        return Vec::new();
    }
    let whole = numbers.iter().all(|n| n.fract() == 0.0);
    // Whole numbers have no halves between them.
    let bins = match whole && most - least < BINS as f64 {
        true => (most - least) as usize + 1,
        false => BINS,
    };
    let top = if whole && bins < BINS {
        most + 1.0
    } else {
        most
    };
    // (Of two finite numbers the difference may be none.)
    let width = top / bins as f64 - least / bins as f64;
    let edge = |i: usize| {
        if i == bins {
            top
        } else {
            least + width * i as f64
        }
    };
    let mut found: Vec<Bin> = (0..bins)
        .map(|i| Bin {
            from: edge(i),
            to: edge(i + 1),
            count: 0,
        })
        .collect();
    for number in numbers {
        let at = ((number - least) / width) as usize;
        found[at.min(bins - 1)].count += weight;
    }
    found
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float64Array, Int64Array, StringArray};

    use super::*;

    fn profile(columns: &[ArrayRef]) -> ColumnProfile {
        let mut profile = Profile::new(columns[0].data_type());
        for column in columns {
            profile.see(column).unwrap();
        }
        profile.finish()
    }

    #[test]
    fn distinct_values_are_counted_and_guessed() {
        let few: ArrayRef = Arc::new(Int64Array::from_iter((0..10_000).map(|i| Some(i % 100))));
        assert_eq!(profile(&[few]).distinct, 100);
        for n in [3000i64, 50_000, 400_000] {
            let batch = |part: i64| -> ArrayRef {
                let values = (0..n / 4).map(|i| Some(part * (n / 4) + i));
                Arc::new(Int64Array::from_iter(values))
            };
            let found = profile(&[batch(0), batch(1), batch(2), batch(3), batch(0)]).distinct;
            let error = (found as f64 / n as f64 - 1.0).abs();
            assert!(error < 0.08, "{found} of {n}");
        }
    }

    #[test]
    fn bounds_mean_and_histogram() {
        let numbers: ArrayRef = Arc::new(Float64Array::from(vec![
            Some(1.0),
            None,
            Some(-3.5),
            Some(f64::NAN),
            Some(8.5),
        ]));
        let found = profile(&[numbers]);
        assert_eq!(
            (found.min.as_deref(), found.max.as_deref()),
            (Some("-3.5"), Some("8.5"))
        );
        assert_eq!(
            (found.mean, found.null_share, found.values),
            (Some(2.0), 0.2, 4)
        );
        let counts: Vec<u64> = found.histogram.iter().map(|bin| bin.count).collect();
        assert_eq!(
            (counts.len(), counts[0], counts[7], counts[19]),
            (20, 1, 1, 1)
        );
        // Many are thinned out evenly.
        let many: ArrayRef = Arc::new(Int64Array::from_iter((0..200_000).map(|i| Some(i % 4))));
        let bins = profile(&[many]).histogram;
        assert_eq!(bins.len(), 4);
        assert!(bins.iter().all(|bin| bin.to - bin.from == 1.0), "{bins:?}");
        let huge: ArrayRef = Arc::new(Float64Array::from(vec![f64::MAX, f64::MIN, 0.0]));
        assert_eq!(profile(&[huge]).histogram.len(), 20);
    }

    #[test]
    fn texts_have_bounds_lengths_and_favourites() {
        let texts: ArrayRef = Arc::new(StringArray::from(vec!["b", "a", "ccc", "b", "é"]));
        let found = profile(&[texts]);
        assert_eq!(
            (found.min.as_deref(), found.max.as_deref()),
            (Some("a"), Some("é"))
        );
        let frequent = vec![Frequent {
            value: "b".to_owned(),
            count: 2,
        }];
        assert_eq!(found.frequent, frequent);
        assert_eq!(found.histogram.len(), 3);
        assert_eq!(found.examples, ["b", "a", "ccc", "é"]);
    }
}
