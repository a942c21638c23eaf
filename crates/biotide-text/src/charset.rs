//! Character encodings. UTF-8 is read as it is; so are encodings of one byte a character whose lower half
//! is ASCII (Latin-1, Windows-125x, Mac Roman, KOI8, …): their delimiters, quotes and line ends are the
//! same bytes, so a file can be cut and indexed anywhere, and only text columns are decoded. Any other is
//! made UTF-8 before it comes here.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GB18030, GBK, ISO_2022_JP, REPLACEMENT, SHIFT_JIS, UTF_8,
    UTF_16BE, UTF_16LE, WINDOWS_1252, X_USER_DEFINED,
};

/// The encoding of text that the reader takes as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Charset(&'static Encoding);

impl Default for Charset {
    fn default() -> Self {
        Self::UTF_8
    }
}

impl Charset {
    /// UTF-8.
    pub const UTF_8: Self = Self(UTF_8);

    /// The encoding, if its text can be read as it is.
    pub fn of(encoding: &'static Encoding) -> Option<Self> {
        let wide = [
            UTF_16LE,
            UTF_16BE,
            SHIFT_JIS,
            GBK,
            GB18030,
            BIG5,
            EUC_JP,
            EUC_KR,
            ISO_2022_JP,
            REPLACEMENT,
            X_USER_DEFINED,
        ];
        (!wide.contains(&encoding)).then_some(Self(encoding))
    }

    /// Whether it is UTF-8.
    pub fn is_utf8(self) -> bool {
        self.0 == UTF_8
    }

    /// Its name in the WHATWG standard.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// Whether these bytes are text of it.
    pub(crate) fn is_valid(self, bytes: &[u8]) -> bool {
        if self.is_utf8() {
            return simdutf8::basic::from_utf8(bytes).is_ok();
        }
        let decoded = self
            .0
            .decode_without_bom_handling_and_without_replacement(bytes);
        decoded.is_some()
    }

    /// Whether any bytes are text of it.
    pub(crate) fn is_total(self) -> bool {
        let high: [u8; 128] = std::array::from_fn(|i| 0x80 | i as u8);
        !self.is_utf8() && self.is_valid(&high)
    }

    /// The text; what is none is replaced.
    pub fn decode(self, bytes: &[u8]) -> Cow<'_, str> {
        self.0.decode_without_bom_handling(bytes).0
    }
}

/// The encoding that a text seems to be in, by its start.
///
/// What has a byte order mark is what that says. Text that is UTF-8 but for a few rows is UTF-8, with bad
/// rows. Else the few bytes must make sense in an older encoding.
pub fn detect(sample: &[u8]) -> &'static Encoding {
    if let Some((encoding, _)) = Encoding::for_bom(sample) {
        return encoding;
    }
    if let Some(encoding) = utf16_without_mark(sample) {
        return encoding;
    }
    if simdutf8::basic::from_utf8(sample).is_ok() {
        return UTF_8;
    }
    let counts = Counts::of(sample);
    if counts.bad == 0 || counts.sequences >= counts.bad {
        return UTF_8;
    }
    // A few letters and signs among ASCII: Latin script, where they do not tell one encoding from another.
    if counts.odd == 0 && counts.longest <= 2 {
        return WINDOWS_1252;
    }
    if counts.bad_lines <= 2 || counts.bad_lines * 10 < counts.lines {
        return UTF_8;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(sample, true);
    detector.guess(None, Utf8Detection::Deny)
}

/// Every second byte of ASCII text in UTF-16 is zero.
fn utf16_without_mark(sample: &[u8]) -> Option<&'static Encoding> {
    let sample = &sample[..sample.len().min(4096)];
    if sample.len() < 8 {
        return None;
    }
    let zeros = |from: usize| {
        sample
            .iter()
            .skip(from)
            .step_by(2)
            .filter(|&&b| b == 0)
            .count()
    };
    let half = sample.len() / 2;
    let (even, odd) = (zeros(0), zeros(1));
    match () {
        () if odd * 10 >= half * 7 && even * 10 < half => Some(UTF_16LE),
        () if even * 10 >= half * 7 && odd * 10 < half => Some(UTF_16BE),
        () => None,
    }
}

/// What bytes beyond ASCII a text has.
#[derive(Debug, Default)]
struct Counts {
    lines: usize,
    /// UTF-8 sequences.
    sequences: usize,
    /// Bytes that are part of none.
    bad: usize,
    bad_lines: usize,
    /// The longest run of bad bytes.
    longest: usize,
    /// Bad bytes that are no letter in its place, and no sign, in Windows-1252.
    odd: usize,
}

impl Counts {
    fn of(sample: &[u8]) -> Self {
        let mut counts = Self::default();
        // A sample may end within a character.
        let is_cut = |n: &usize| {
            let tail = sample
                .len()
                .checked_sub(*n)
                .map(|at| std::str::from_utf8(&sample[at..]));
            let cut = |error: std::str::Utf8Error| {
                error.valid_up_to() == 0 && error.error_len().is_none()
            };
            matches!(tail, Some(Err(error)) if cut(error))
        };
        let whole = sample.len() - (1..4).find(is_cut).unwrap_or(0);
        for line in sample[..whole].split(|&byte| matches!(byte, b'\n' | b'\r')) {
            counts.lines += usize::from(!line.is_empty());
            let mut rest = line;
            let (mut bad, mut run) = (false, 0);
            loop {
                let (valid, error) = match std::str::from_utf8(rest) {
                    Ok(text) => (text, None),
                    Err(error) => {
                        let (valid, _) = rest.split_at(error.valid_up_to());
                        (std::str::from_utf8(valid).unwrap_or_default(), Some(error))
                    }
                };
                counts.sequences += valid.chars().filter(|c| !c.is_ascii()).count();
                let Some(error) = error else { break };
                let at = line.len() - rest.len() + error.valid_up_to();
                run = if error.valid_up_to() == 0 { run + 1 } else { 1 };
                counts.longest = counts.longest.max(run);
                bad = true;
                counts.bad += 1;
                counts.odd += usize::from(!is_plausible(line, at));
                rest = &line[at + 1..];
            }
            counts.bad_lines += usize::from(bad);
        }
        counts
    }
}

/// Whether the byte at `at` makes sense in Windows-1252: a small letter beside letters or at a word's edge,
/// a capital where no small letter stands before it, a sign that people use.
fn is_plausible(line: &[u8], at: usize) -> bool {
    let letter = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphabetic() || *b >= 0xC0);
    let before = at.checked_sub(1).and_then(|i| line.get(i));
    let after = line.get(at + 1);
    // `cm³` is a unit, `Micha³` is a Polish name in another encoding.
    let long = at >= 3 && line[at - 3..at].iter().all(u8::is_ascii_alphabetic);
    match line[at] {
        0xB2 | 0xB3 | 0xB9 | 0xBC..=0xBE => !long && !letter(after),
        0xA3 => !letter(after),
        0xDF..=0xEF | 0xF1..=0xF6 | 0xF8..=0xFC => letter(before) || letter(after),
        0xC0..=0xD6 | 0xD8..=0xDD => !before.is_some_and(u8::is_ascii_lowercase) && letter(after),
        // € ‘ ’ “ ” – — ™ § © « ® ° ± µ · º » × ÷ and the no-break space.
        0x80
        | 0x91..=0x97
        | 0x99
        | 0xA0
        | 0xA7
        | 0xA9
        | 0xAB
        | 0xAE
        | 0xB0
        | 0xB1
        | 0xB5
        | 0xB7
        | 0xBA
        | 0xBB
        | 0xD7
        | 0xF7 => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::{KOI8_R, WINDOWS_1251};

    #[test]
    fn encodings_are_told_apart() {
        let cyrillic =
            "имя,описание\nальбумин,белок плазмы крови\nинсулин,гормон поджелудочной железы\n";
        let japanese = "名前,説明\nアルブミン,血漿タンパク質の一種である\nインスリン,膵臓から分泌されるホルモン\n";
        let utf16: Vec<u8> = "gene\tnpx\nTP53\t1.5\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        for (bytes, encoding) in [
            (b"plain,text\n1,2\n".to_vec(), UTF_8),
            ("β-Catenin,Ångström\n".as_bytes().to_vec(), UTF_8),
            (
                b"id,name\n1,Caf\xE9\n2,Ni\xF1o\n3,M\xFCller\n".to_vec(),
                WINDOWS_1252,
            ),
            (b"dose\n5 \xB5g\n7 mg\n".to_vec(), WINDOWS_1252),
            (WINDOWS_1251.encode(cyrillic).0.into_owned(), WINDOWS_1251),
            (KOI8_R.encode(cyrillic).0.into_owned(), encoding_rs::KOI8_U),
            (SHIFT_JIS.encode(japanese).0.into_owned(), SHIFT_JIS),
            (
                b"name\nMicha\xB3\nPawe\xB3\n\xA3ukasz\n".to_vec(),
                encoding_rs::WINDOWS_1250,
            ),
            (b"dose\n5 cm\xB3\n7 mg\n".to_vec(), WINDOWS_1252),
            ("abc’".as_bytes()[..5].to_vec(), UTF_8),
            (utf16.clone(), UTF_16LE),
            ([&b"\xFF\xFE"[..], &utf16].concat(), UTF_16LE),
            // UTF-8 but for a row, and bytes that are nothing.
            (
                "é,ü\nö,ä\nx,\u{e9}\n"
                    .as_bytes()
                    .iter()
                    .copied()
                    .chain(*b"caf\xE9,1\n")
                    .collect(),
                UTF_8,
            ),
            (
                [b"a,b\n1,2\n".repeat(20), b"x,\xFF\n".to_vec()].concat(),
                UTF_8,
            ),
            (
                [b"a,b\n1,2\n".repeat(20), b"caf\xC3,1\n".to_vec()].concat(),
                UTF_8,
            ),
        ] {
            assert_eq!(
                detect(&bytes),
                encoding,
                "{}",
                String::from_utf8_lossy(&bytes)
            );
        }
    }
}
