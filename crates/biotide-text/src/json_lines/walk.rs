//! Walks over JSON text (RFC 8259), byte by byte, and says where it is none.
//!
//! `NaN`, `Infinity` and `-Infinity` are taken for numbers, as Python and pandas write them.

/// Where text stops being JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The byte at which that shows; the text's length where it ends too early.
    pub at: usize,
    pub what: &'static str,
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Boolean,
    Integer,
    /// Any other number.
    Float,
    /// Without escapes.
    Plain,
    /// A string with escapes.
    Escaped,
    Object,
    List,
}

/// Values nested deeper than this are refused: the walk calls itself.
const DEEPEST: usize = 128;

type Walked<T> = Result<T, Fault>;

fn fault<T>(at: usize, what: &'static str) -> Walked<T> {
    Err(Fault { at, what })
}

/// The first byte from `at` on that is no white space.
#[inline(always)]
pub(crate) fn blank(text: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\n' | b'\r') = text.get(at) {
        at += 1;
    }
    at
}

/// The first byte from `at` on that does not stand between values: white space, commas, brackets of lists.
pub(crate) fn between(text: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\n' | b'\r' | b',' | b'[' | b']') = text.get(at) {
        at += 1;
    }
    at
}

const ONES: u64 = u64::from_ne_bytes([1; 8]);
const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);

/// Bytes of `word` that end plain text: `"`, `\`, control characters. The lowest one that is marked is one.
#[inline(always)]
fn ends_text(word: u64) -> u64 {
    let quote = word ^ (ONES * b'"' as u64);
    let slash = word ^ (ONES * b'\\' as u64);
    let zero = |x: u64| x.wrapping_sub(ONES) & !x;
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (zero(quote) | zero(slash) | control) & HIGHS
}

/// The string whose opening quote is before `at`: where its closing quote is, and whether it has escapes.
#[inline(always)]
pub(crate) fn string(text: &[u8], mut at: usize) -> Walked<(usize, bool)> {
    let mut escaped = false;
    loop {
        if let Some(word) = text.get(at..).and_then(<[u8]>::first_chunk::<8>) {
            let found = ends_text(u64::from_le_bytes(*word));
            if found == 0 {
                at += 8;
                continue;
            }
            at += (found.trailing_zeros() / 8) as usize;
        }
        match text.get(at) {
            Some(b'"') => return Ok((at, escaped)),
            Some(b'\\') => {
                escaped = true;
                at = escape(text, at + 1)?;
            }
            Some(0..0x20) => return fault(at, "a control character in a string"),
            Some(_) => at += 1,
            None => return fault(text.len(), "a string is not closed"),
        }
    }
}

/// What follows a backslash.
#[cold]
fn escape(text: &[u8], at: usize) -> Walked<usize> {
    match text.get(at) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 1),
        Some(b'u') => {
            let digits = text.iter().skip(at + 1).take(4);
            let n = digits.take_while(|byte| byte.is_ascii_hexdigit()).count();
            match n {
                4 => Ok(at + 5),
                _ if at + 1 + n == text.len() => fault(text.len(), "a string is not closed"),
                _ => fault(at + 1 + n, "\\u without four hexadecimal digits"),
            }
        }
        Some(_) => fault(at, "an unknown escape in a string"),
        None => fault(text.len(), "a string is not closed"),
    }
}

/// The number that starts at `at`, which is a digit or a minus.
#[inline(always)]
fn number(text: &[u8], start: usize) -> Walked<(usize, Kind)> {
    let digits = |mut at: usize| {
        while let Some(b'0'..=b'9') = text.get(at) {
            at += 1;
        }
        at
    };
    let mut at = start;
    if text.get(at) == Some(&b'-') {
        at += 1;
        if text.get(at) == Some(&b'I') {
            return Ok((word(text, at, b"Infinity")?, Kind::Float));
        }
    }
    let first = at;
    at = digits(at);
    if at == first {
        return fault(at, "a number without digits");
    }
    if text[first] == b'0' && at - first > 1 {
        return fault(first, "a number with a leading zero");
    }
    let mut kind = Kind::Integer;
    if text.get(at) == Some(&b'.') {
        let end = digits(at + 1);
        if end == at + 1 {
            return fault(end, "a number without digits after its point");
        }
        (at, kind) = (end, Kind::Float);
    }
    if let Some(b'e' | b'E') = text.get(at) {
        let sign = usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        let end = digits(at + 1 + sign);
        if end == at + 1 + sign {
            return fault(end, "a number without digits in its exponent");
        }
        (at, kind) = (end, Kind::Float);
    }
    Ok((at, kind))
}

#[inline(always)]
fn word(text: &[u8], at: usize, word: &'static [u8]) -> Walked<usize> {
    let rest = &text[at..];
    if rest.starts_with(word) {
        return Ok(at + word.len());
    }
    let same = rest.iter().zip(word).take_while(|(a, b)| a == b).count();
    fault(at + same, "a word that is not JSON")
}

/// The value that starts at `at`: where it ends, and what it is.
#[inline(always)]
pub(crate) fn value(text: &[u8], at: usize, depth: usize) -> Walked<(usize, Kind)> {
    match text.get(at) {
        Some(b'"') => {
            let (end, escaped) = string(text, at + 1)?;
            Ok((end + 1, if escaped { Kind::Escaped } else { Kind::Plain }))
        }
        Some(b'0'..=b'9' | b'-') => number(text, at),
        Some(_) => other(text, at, depth),
        None => fault(text.len(), "a value is missing"),
    }
}

fn other(text: &[u8], at: usize, depth: usize) -> Walked<(usize, Kind)> {
    match text[at] {
        b't' => Ok((word(text, at, b"true")?, Kind::Boolean)),
        b'f' => Ok((word(text, at, b"false")?, Kind::Boolean)),
        b'n' => Ok((word(text, at, b"null")?, Kind::Null)),
        b'N' => Ok((word(text, at, b"NaN")?, Kind::Float)),
        b'I' => Ok((word(text, at, b"Infinity")?, Kind::Float)),
        b'{' => Ok((
            object(text, at, depth, &mut |_, at, depth| {
                Ok(value(text, at, depth)?.0)
            })?,
            Kind::Object,
        )),
        b'[' => Ok((list(text, at, depth, &mut |_, _| ())?, Kind::List)),
        _ => fault(at, "a value is expected"),
    }
}

/// The object that starts at `at`. `member` gets every key (with its quotes, as it is written), and where
/// its value starts, and answers where that ends.
#[inline(always)]
pub(crate) fn object(
    text: &[u8],
    at: usize,
    depth: usize,
    member: &mut impl FnMut(&[u8], usize, usize) -> Walked<usize>,
) -> Walked<usize> {
    if depth >= DEEPEST {
        return fault(at, "values are nested too deeply");
    }
    let mut at = blank(text, at + 1);
    if text.get(at) == Some(&b'}') {
        return Ok(at + 1);
    }
    loop {
        let key = at;
        at = match text.get(at) {
            Some(b'"') => string(text, at + 1)?.0 + 1,
            Some(_) => return fault(at, "a key is expected"),
            None => return fault(text.len(), "an object is not closed"),
        };
        let name = &text[key..at];
        at = colon(text, at)?;
        at = member(name, at, depth + 1)?;
        match after_member(text, at)? {
            (next, true) => at = next,
            (end, false) => return Ok(end),
        }
    }
}

/// Where the value after a key starts.
#[inline(always)]
pub(crate) fn colon(text: &[u8], at: usize) -> Walked<usize> {
    let at = blank(text, at);
    match text.get(at) {
        Some(b':') => Ok(blank(text, at + 1)),
        Some(_) => fault(at, "a colon is expected after a key"),
        None => fault(text.len(), "an object is not closed"),
    }
}

/// Where the next key starts, or (`false`) where the object has ended.
#[inline(always)]
pub(crate) fn after_member(text: &[u8], at: usize) -> Walked<(usize, bool)> {
    let at = blank(text, at);
    match text.get(at) {
        Some(b',') => Ok((blank(text, at + 1), true)),
        Some(b'}') => Ok((at + 1, false)),
        Some(_) => fault(at, "a comma or } is expected after a value"),
        None => fault(text.len(), "an object is not closed"),
    }
}

/// The list that starts at `at`; `item` gets where each value starts, and what it is.
pub(crate) fn list(
    text: &[u8],
    at: usize,
    depth: usize,
    item: &mut dyn FnMut(usize, Kind),
) -> Walked<usize> {
    if depth >= DEEPEST {
        return fault(at, "values are nested too deeply");
    }
    let mut at = blank(text, at + 1);
    if text.get(at) == Some(&b']') {
        return Ok(at + 1);
    }
    loop {
        let (end, kind) = value(text, at, depth + 1)?;
        item(at, kind);
        at = blank(text, end);
        match text.get(at) {
            Some(b',') => at = blank(text, at + 1),
            Some(b']') => return Ok(at + 1),
            Some(_) => return fault(at, "a comma or ] is expected after a value"),
            None => return fault(text.len(), "a list is not closed"),
        }
    }
}

/// The text of a string, given with its quotes.
pub(crate) fn unescape(quoted: &[u8]) -> Vec<u8> {
    let text = quoted.strip_prefix(b"\"").unwrap_or(quoted);
    let text = text.strip_suffix(b"\"").unwrap_or(text);
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(i) = memchr::memchr(b'\\', &text[at..]) {
        out.extend_from_slice(&text[at..at + i]);
        at += i + 2;
        match text.get(at - 1) {
            Some(b'b') => out.push(8),
            Some(b'f') => out.push(12),
            Some(b'n') => out.push(b'\n'),
            Some(b'r') => out.push(b'\r'),
            Some(b't') => out.push(b'\t'),
            Some(b'u') => {
                let unit = |at: usize| {
                    let digits = std::str::from_utf8(text.get(at..at + 4)?).ok()?;
                    u16::from_str_radix(digits, 16).ok()
                };
                let first = unit(at).unwrap_or(0xFFFD);
                at += 4;
                let mut units = vec![first];
                // A pair of surrogates is one character; half of one is none.
                if (0xD800..0xDC00).contains(&first)
                    && text.get(at..at + 2) == Some(b"\\u")
                    && let Some(second @ 0xDC00..0xE000) = unit(at + 2)
                {
                    units.push(second);
                    at += 6;
                }
                out.extend_from_slice(String::from_utf16_lossy(&units).as_bytes());
            }
            Some(&byte) => out.push(byte),
            None => {}
        }
        at = at.min(text.len());
    }
    out.extend_from_slice(&text[at..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> Result<Kind, (usize, &'static str)> {
        match value(text.as_bytes(), 0, 0) {
            Ok((end, kind)) if end == text.len() => Ok(kind),
            Ok((end, _)) => Err((end, "more")),
            Err(fault) => Err((fault.at, fault.what)),
        }
    }

    #[test]
    fn values_are_told_apart() {
        for (text, kind) in [
            ("null", Kind::Null),
            ("true", Kind::Boolean),
            ("-0", Kind::Integer),
            ("12", Kind::Integer),
            ("1.5e-7", Kind::Float),
            ("1E5", Kind::Float),
            ("NaN", Kind::Float),
            ("-Infinity", Kind::Float),
            ("\"\"", Kind::Plain),
            ("\"twelve bytes and more, β\"", Kind::Plain),
            ("\"a\\u00e9\\n\"", Kind::Escaped),
            ("{ }", Kind::Object),
            ("{\"a\" : [1, {\"b\":null}] , \"c\":\"}\"}", Kind::Object),
            ("[]", Kind::List),
        ] {
            assert_eq!(whole(text), Ok(kind), "{text}");
        }
    }

    #[test]
    fn faults_say_where() {
        for (text, at) in [
            ("", 0),
            ("01", 0),
            ("1.", 2),
            ("-", 1),
            ("1e+", 3),
            ("nul", 3),
            ("nulx", 3),
            ("\"abc", 4),
            ("\"a\nb\"", 2),
            ("\"\\x\"", 2),
            ("\"\\u12g4\"", 5),
            ("{\"a\"1}", 4),
            ("{\"a\":1,}", 7),
            ("{\"a\":1 \"b\":2}", 7),
            ("{a:1}", 1),
            ("[1,]", 3),
            ("[1 2]", 3),
            ("{\"a\":", 5),
        ] {
            assert_eq!(whole(text).map_err(|(at, _)| at), Err(at), "{text}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(whole(&deep).unwrap_err().1, "values are nested too deeply");
    }

    #[test]
    fn strings_are_unescaped() {
        for (quoted, text) in [
            (r#""a\"b\\\/\t""#, "a\"b\\/\t"),
            (r#""\u00e9\ud83d\ude00x""#, "é😀x"),
            (r#""\ud83d!""#, "\u{FFFD}!"),
            (r#""""#, ""),
        ] {
            assert_eq!(unescape(quoted.as_bytes()), text.as_bytes(), "{quoted}");
        }
    }
}
