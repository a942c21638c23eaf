//! Date and timestamp columns: ISO 8601, or a strftime format.

use std::fmt::Write;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::types::{Date32Type, TimestampMicrosecondType};
use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, NaiveDate, NaiveDateTime};

use super::{BadValue, Fields};
use crate::problem::Reason;

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// What a value is as a point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TemporalClass {
    Date,
    Timestamp,
    TimestampTz,
    None,
}

pub(crate) fn classify_temporal(value: &[u8]) -> TemporalClass {
    match parse_iso(value) {
        Ok(Iso { micros: None, .. }) => TemporalClass::Date,
        Ok(Iso { offset: None, .. }) => TemporalClass::Timestamp,
        Ok(_) => TemporalClass::TimestampTz,
        Err(_) => TemporalClass::None,
    }
}

/// `2024-02-29`, optionally `T` or a space, `13:45[:00[.123456]]`, optionally `Z` or `+02:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Iso {
    days: i32,
    /// Microseconds of the day, if there is a time.
    micros: Option<i64>,
    /// Seconds east of UTC, if there is a zone.
    offset: Option<i64>,
}

fn two(text: &[u8]) -> Option<i64> {
    match text {
        [a @ b'0'..=b'9', b @ b'0'..=b'9', ..] => Some(i64::from((a - b'0') * 10 + (b - b'0'))),
        _ => None,
    }
}

fn parse_days(value: &[u8]) -> Option<i32> {
    let [_, _, _, _, b'-', _, _, b'-', _, _] = value.first_chunk::<10>()? else {
        return None;
    };
    let year = two(value)? * 100 + two(&value[2..])?;
    let (month, day) = (two(&value[5..])?, two(&value[8..])?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => return None,
    };
    if !(1..=longest).contains(&day) {
        return None;
    }
    // Days from civil, with years that start in March (H. Hinnant, chrono-compatible algorithms).
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let of_era = shifted.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    i32::try_from(days).ok()
}

fn parse_iso(value: &[u8]) -> Result<Iso, Reason> {
    iso(value).ok_or(Reason::BadValue)
}

fn iso(value: &[u8]) -> Option<Iso> {
    let days = parse_days(value)?;
    let rest = match &value[10..] {
        [] => {
            return Some(Iso {
                days,
                micros: None,
                offset: None,
            });
        }
        [b'T' | b't' | b' ', rest @ ..] => rest,
        _ => return None,
    };
    let (hour, minute) = (two(rest)?, two(rest.get(3..)?)?);
    if rest[2] != b':' || hour > 23 || minute > 59 {
        return None;
    }
    let mut rest = &rest[5..];
    let mut second = 0;
    let mut fraction = 0i64;
    if let [b':', seconds @ ..] = rest {
        second = two(seconds)?;
        if second > 59 {
            return None;
        }
        rest = &seconds[2..];
        if let [b'.' | b',', digits @ ..] = rest {
            let n = digits.iter().take_while(|b| b.is_ascii_digit()).count();
            // Finer than a microsecond would be lost.
            if n == 0 || digits[..n].iter().skip(6).any(|&b| b != b'0') {
                return None;
            }
            for i in 0..6 {
                let digit = digits[..n].get(i).map_or(0, |digit| digit - b'0');
                fraction = fraction * 10 + i64::from(digit);
            }
            rest = &digits[n..];
        }
    }
    let micros = ((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction;
    let offset = match rest {
        [] => None,
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), zone @ ..] => {
            let hours = two(zone)?;
            let minutes = match &zone[2..] {
                [] => 0,
                [b':', minutes @ ..] | minutes if minutes.len() == 2 => two(minutes)?,
                _ => return None,
            };
            if hours > 23 || minutes > 59 {
                return None;
            }
            let seconds = (hours * 60 + minutes) * 60;
            Some(if *sign == b'-' { -seconds } else { seconds })
        }
        _ => return None,
    };
    Some(Iso {
        days,
        micros: Some(micros),
        offset,
    })
}

fn parse_date(value: &[u8]) -> Result<i32, Reason> {
    match parse_iso(value)? {
        Iso {
            days, micros: None, ..
        } => Ok(days),
        _ => Err(Reason::BadValue),
    }
}

/// Microseconds since the epoch. A value with a zone is no timestamp without one, and the reverse; a
/// bare date is midnight where there is no zone.
fn parse_timestamp(value: &[u8], zoned: bool) -> Result<i64, Reason> {
    let iso = parse_iso(value)?;
    let micros = i64::from(iso.days) * MICROS_PER_DAY + iso.micros.unwrap_or(0);
    match (iso.offset, zoned) {
        (Some(offset), true) => Ok(micros - offset * 1_000_000),
        (None, false) => Ok(micros),
        _ => Err(Reason::BadValue),
    }
}

/// Why no date can be read by a strftime format, if none can.
pub fn date_format_problem(format: &str) -> Option<&'static str> {
    if StrftimeItems::new(format).any(|item| item == Item::Error) {
        return Some("has a specifier that strftime does not know");
    }
    let day = NaiveDate::from_ymd_opt(2003, 11, 27)?;
    let time = day.and_time(chrono::NaiveTime::default()).and_utc();
    let mut text = String::new();
    let shown = write!(text, "{}", time.format(format));
    let known = shown.is_ok()
        && (NaiveDate::parse_from_str(&text, format).is_ok()
            || NaiveDateTime::parse_from_str(&text, format).is_ok()
            || DateTime::parse_from_str(&text, format).is_ok());
    (!known).then_some("does not tell a day: year, month and day, or the like")
}

impl Fields<'_> {
    pub(crate) fn date(&self, bad: &mut Vec<BadValue>) -> ArrayRef {
        let Some(format) = self.layout.date_format.as_deref() else {
            return Arc::new(self.primitive::<Date32Type>(parse_date, bad));
        };
        let parse = |value: &[u8]| {
            let text = std::str::from_utf8(value).map_err(|_| Reason::BadValue)?;
            let date = NaiveDate::parse_from_str(text, format)
                .or_else(|_| NaiveDateTime::parse_from_str(text, format).map(|time| time.date()))
                .map_err(|_| Reason::BadValue)?;
            let days = date.signed_duration_since(NaiveDate::default()).num_days();
            i32::try_from(days).map_err(|_| Reason::OutOfRange)
        };
        Arc::new(self.primitive::<Date32Type>(parse, bad))
    }

    pub(crate) fn timestamp(&self, zoned: bool, bad: &mut Vec<BadValue>) -> ArrayRef {
        let array = match self.layout.date_format.as_deref() {
            None => self.primitive::<TimestampMicrosecondType>(|v| parse_timestamp(v, zoned), bad),
            Some(format) => {
                let parse = |value: &[u8]| {
                    let text = std::str::from_utf8(value).map_err(|_| Reason::BadValue)?;
                    if zoned {
                        let time = DateTime::parse_from_str(text, format);
                        return time
                            .map(|t| t.timestamp_micros())
                            .map_err(|_| Reason::BadValue);
                    }
                    NaiveDateTime::parse_from_str(text, format)
                        .or_else(|_| {
                            NaiveDate::parse_from_str(text, format)
                                .map(|date| date.and_time(chrono::NaiveTime::default()))
                        })
                        .map(|time| time.and_utc().timestamp_micros())
                        .map_err(|_| Reason::BadValue)
                };
                self.primitive::<TimestampMicrosecondType>(parse, bad)
            }
        };
        match zoned {
            true => Arc::new(array.with_timezone("UTC")),
            false => Arc::new(array),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_agree_with_chrono_over_eight_centuries() {
        let mut date = NaiveDate::from_ymd_opt(1600, 1, 1).unwrap();
        let end = NaiveDate::from_ymd_opt(2400, 12, 31).unwrap();
        while date <= end {
            let days = date.signed_duration_since(NaiveDate::default()).num_days();
            assert_eq!(parse_date(date.to_string().as_bytes()), Ok(days as i32));
            date = date.succ_opt().unwrap();
        }
        for bad in [
            "2023-02-29",
            "2023-13-01",
            "2023-00-10",
            "2023-1-1",
            "20230101",
            "1-Mar",
            "2-Sep",
        ] {
            assert_eq!(
                classify_temporal(bad.as_bytes()),
                TemporalClass::None,
                "{bad}"
            );
        }
    }

    #[test]
    fn formats_that_tell_no_day_are_found() {
        for good in ["%d.%m.%Y", "%Y%j", "%Y-%m-%dT%H:%M:%S%z", "%d-%b-%y", "%s"] {
            assert_eq!(date_format_problem(good), None, "{good}");
        }
        for bad in ["%H:%M", "%Q", "d.m.Y", "%m/%Y", ""] {
            assert!(date_format_problem(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn timestamps_keep_microseconds_and_zones() {
        assert_eq!(
            parse_timestamp(b"1970-01-01T00:00:01.5", false),
            Ok(1_500_000)
        );
        assert_eq!(parse_timestamp(b"1970-01-01 01:00+01:00", true), Ok(0));
        assert_eq!(
            parse_timestamp(b"1970-01-01T00:00:00Z", false),
            Err(Reason::BadValue)
        );
        assert_eq!(
            parse_timestamp(b"1970-01-01T00:00:00.0000001", false),
            Err(Reason::BadValue)
        );
        assert_eq!(
            parse_timestamp(b"1969-12-31T23:59:59", false),
            Ok(-1_000_000)
        );
        assert_eq!(
            classify_temporal(b"2024-01-01T00:00:00-0330"),
            TemporalClass::TimestampTz
        );
        assert_eq!(classify_temporal(b"2024-01-01T00"), TemporalClass::None);
    }
}
