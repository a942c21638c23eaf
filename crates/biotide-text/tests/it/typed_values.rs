//! What a typed column should make of a field: the rules again, over the standard library and chrono.

use biotide_text::delimited::{ColumnType, Layout};
use biotide_text::problem::Reason;
use chrono::{NaiveDate, NaiveTime};

use crate::oracle::{Field, text_of};

/// A value in a form that can be compared; `None` is NULL.
pub(crate) fn value_of(
    layout: &Layout,
    column: usize,
    field: &Field,
) -> Result<Option<String>, Reason> {
    let spec = &layout.columns[column];
    if spec.ty == ColumnType::Text {
        return Ok(text_of(layout, field));
    }
    let text = String::from_utf8_lossy(&field.value);
    let text = text.trim_matches([' ', '\t']);
    if text.is_empty() || layout.null_values.iter().any(|null| null == text) {
        return Ok(None);
    }
    let usual = ["na", "n/a", "nan", "null", "none", ".", "-"];
    if usual.contains(&text.to_ascii_lowercase().as_str()) {
        return Ok(None);
    }
    let number = || unmark(layout, text).ok_or(Reason::BadValue);
    let value = match spec.ty {
        ColumnType::Boolean => boolean(text),
        ColumnType::Int64 => number().and_then(|n| int(&n, spec.inferred)),
        ColumnType::Float64 => number().and_then(|n| float(&n, spec.inferred)),
        ColumnType::Decimal(precision, scale) => {
            number().and_then(|n| decimal(&n, usize::from(precision), scale as usize))
        }
        ColumnType::Date => date(text)
            .map(|days| days.to_string())
            .ok_or(Reason::BadValue),
        ColumnType::Timestamp => time(text, false),
        ColumnType::TimestampTz => time(text, true),
        ColumnType::Text | ColumnType::Nested(_) => Ok(text.to_owned()),
    };
    value.map(Some)
}

fn boolean(text: &str) -> Result<String, Reason> {
    text.to_ascii_lowercase()
        .parse::<bool>()
        .map(|b| b.to_string())
        .map_err(|_| Reason::BadValue)
}

/// With a point for the decimal mark, and nothing for the mark of thousands.
fn unmark(layout: &Layout, text: &str) -> Option<String> {
    let decimal = char::from(layout.decimal);
    let body = text.trim_start_matches(['+', '-']);
    let sign = &text[..text.len() - body.len()];
    let (whole, fraction) = match body.split_once(decimal) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (body, None),
    };
    let thousands = layout.thousands.map(char::from);
    if decimal != '.' && thousands != Some('.') && body.contains('.') {
        return None;
    }
    let mut plain = whole.to_owned();
    if let Some(mark) = thousands
        && whole.contains(mark)
    {
        let groups: Vec<&str> = whole.split(mark).collect();
        let digits = groups.iter().all(|g| g.bytes().all(|b| b.is_ascii_digit()));
        let lengths =
            (1..=3).contains(&groups[0].len()) && groups[1..].iter().all(|g| g.len() == 3);
        if !digits || !lengths {
            return None;
        }
        plain = groups.concat();
    }
    let fraction = fraction.map(|f| format!(".{f}")).unwrap_or_default();
    Some(format!("{sign}{plain}{fraction}"))
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['-', '+']).unwrap_or(text)
}

fn int(text: &str, strict: bool) -> Result<String, Reason> {
    let digits = unsigned(text);
    if digits.is_empty() || !all_digits(digits) {
        return Err(Reason::BadValue);
    }
    match text.parse::<i64>() {
        Ok(n) if strict && n.to_string() != text => Err(Reason::BadValue),
        Ok(n) => Ok(n.to_string()),
        Err(_) if strict && (text.starts_with('+') || digits.starts_with('0')) => {
            Err(Reason::BadValue)
        }
        Err(_) => Err(Reason::OutOfRange),
    }
}

/// The bits of a float.
fn float(text: &str, strict: bool) -> Result<String, Reason> {
    let body = unsigned(text);
    let infinity = ["inf", "infinity"].contains(&body.to_ascii_lowercase().as_str());
    let n: f64 = text.parse().map_err(|_| Reason::BadValue)?;
    if n.is_nan() {
        return Err(Reason::BadValue);
    }
    let mantissa = body.split(['e', 'E']).next().unwrap_or_default();
    let whole = mantissa.split('.').next().unwrap_or_default();
    if strict && !infinity {
        let zero = whole.len() > 1 && whole.starts_with('0');
        if zero || text.starts_with('+') && all_digits(body) {
            return Err(Reason::BadValue);
        }
    }
    let zero = mantissa.bytes().all(|b| matches!(b, b'0' | b'.'));
    if n.is_infinite() && !infinity || n == 0.0 && !zero {
        return Err(Reason::OutOfRange);
    }
    Ok(n.to_bits().to_string())
}

/// The digits of a decimal, scaled.
fn decimal(text: &str, precision: usize, scale: usize) -> Result<String, Reason> {
    let body = unsigned(text);
    let (whole, fraction) = body.split_once('.').unwrap_or((body, ""));
    if !all_digits(whole) || !all_digits(fraction) || whole.len() + fraction.len() == 0 {
        return Err(Reason::BadValue);
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > scale {
        return Err(Reason::OutOfRange);
    }
    let digits = format!("{whole}{fraction:0<scale$}");
    let digits = digits.trim_start_matches('0');
    if digits.len() > precision {
        return Err(Reason::OutOfRange);
    }
    let negative = text.starts_with('-') && !digits.is_empty();
    let digits = if digits.is_empty() { "0" } else { digits };
    Ok(format!("{}{digits}", if negative { "-" } else { "" }))
}

fn number_at(text: &str, from: usize, digits: usize) -> Option<u32> {
    let part = text.get(from..from + digits)?;
    all_digits(part).then(|| part.parse().ok()).flatten()
}

fn date(text: &str) -> Option<i64> {
    let dashes = text.get(4..5) == Some("-") && text.get(7..8) == Some("-");
    if !dashes || text.len() != 10 {
        return None;
    }
    let (year, month) = (number_at(text, 0, 4)?, number_at(text, 5, 2)?);
    let date = NaiveDate::from_ymd_opt(year as i32, month, number_at(text, 8, 2)?)?;
    Some(date.signed_duration_since(NaiveDate::default()).num_days())
}

/// Microseconds since 1970, UTC if `zoned`.
fn time(text: &str, zoned: bool) -> Result<String, Reason> {
    let (micros, offset) = parts(text).ok_or(Reason::BadValue)?;
    match (offset, zoned) {
        (Some(offset), true) => Ok((micros - offset * 60_000_000).to_string()),
        (None, false) => Ok(micros.to_string()),
        _ => Err(Reason::BadValue),
    }
}

/// Microseconds, and minutes east of UTC.
fn parts(text: &str) -> Option<(i64, Option<i64>)> {
    let days = date(text.get(..10)?)? * 86_400_000_000;
    let rest = &text[10..];
    if rest.is_empty() {
        return Some((days, None));
    }
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let zone = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at(zone);
    let (clock, fraction) = match clock.find(['.', ',']) {
        Some(i) => (&clock[..i], Some(&clock[i + 1..])),
        None => (clock, None),
    };
    let colons = clock.get(2..3) == Some(":") && (clock.len() == 5 || clock.get(5..6) == Some(":"));
    let seconds = match clock.len() {
        5 if fraction.is_none() => 0,
        8 => number_at(clock, 6, 2)?,
        _ => return None,
    };
    if !colons {
        return None;
    }
    let micros = match fraction {
        None => 0,
        Some(digits) if digits.is_empty() || !all_digits(digits) => return None,
        Some(digits) => {
            let exact = digits.trim_end_matches('0');
            if exact.len() > 6 {
                return None;
            }
            format!("{exact:0<6}").parse().ok()?
        }
    };
    let (hour, minute) = (number_at(clock, 0, 2)?, number_at(clock, 3, 2)?);
    let clock = NaiveTime::from_hms_micro_opt(hour, minute, seconds, micros)?;
    let of_day = clock
        .signed_duration_since(NaiveTime::MIN)
        .num_microseconds()?;
    let offset = match zone {
        "" => None,
        "Z" | "z" => Some(0),
        _ => {
            let digits = zone[1..].replacen(':', "", usize::from(zone.len() == 6));
            let colon = zone.len() != 6 || zone.get(3..4) == Some(":");
            let minutes = match digits.len() {
                2 => 0,
                4 => number_at(&digits, 2, 2)?,
                _ => return None,
            };
            let hours = number_at(&digits, 0, 2)?;
            if !colon || hours > 23 || minutes > 59 {
                return None;
            }
            let minutes = i64::from(hours * 60 + minutes);
            Some(if zone.starts_with('-') {
                -minutes
            } else {
                minutes
            })
        }
    };
    Some((days + of_day, offset))
}
