//! Numbers as people read them.

/// `999`, `12.3k`, `1.23M`.
pub(super) fn format_count(n: u64) -> String {
    let value = n as f64;
    match n {
        0..10_000 => n.to_string(),
        10_000..999_950 => format!("{:.1}k", value / 1e3),
        999_950..999_950_000 => format!("{:.1}M", value / 1e6),
        _ => format!("{:.2}G", value / 1e9),
    }
}

/// `31 ms`, `3.1 s`, `42 s`, `3 min 5 s`, `2 h 10 min`.
pub(crate) fn format_seconds(seconds: f64) -> String {
    if seconds < 0.9995 {
        return format!("{:.0} ms", seconds * 1e3);
    }
    if seconds < 9.95 {
        return format!("{seconds:.1} s");
    }
    format_whole_seconds(seconds.round())
}

pub(super) fn format_whole_seconds(seconds: f64) -> String {
    let whole = seconds.min(1e15) as u64;
    match whole {
        0..120 => format!("{whole} s"),
        120..7200 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_times_are_short() {
        assert_eq!(format_count(9_999), "9999");
        assert_eq!(format_count(999_949), "999.9k");
        assert_eq!(format_count(999_950), "1.0M");
        assert_eq!(format_seconds(0.314), "314 ms");
        assert_eq!(format_seconds(3.07), "3.1 s");
        assert_eq!(format_seconds(185.0), "3 min 5 s");
        assert_eq!(format_seconds(7800.0), "2 h 10 min");
    }
}
