//! How prefixes are compared: without case, blanks and ` - _ . / `.

/// The form of a prefix that is compared. Short ones are on the stack.
pub(crate) struct Key {
    short: [u8; Self::SHORT],
    length: usize,
    long: Vec<u8>,
}

impl Key {
    const SHORT: usize = 48;

    pub(crate) fn new(prefix: &str) -> Self {
        let mut key = Self {
            short: [0; Self::SHORT],
            length: 0,
            long: Vec::new(),
        };
        if prefix.is_ascii() && prefix.len() <= Self::SHORT {
            for byte in prefix.bytes() {
                if !is_separator(byte) {
                    key.short[key.length] = byte.to_ascii_lowercase();
                    key.length += 1;
                }
            }
        } else {
            key.long = folded(prefix);
        }
        key
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        match self.long.as_slice() {
            [] => &self.short[..self.length],
            long => long,
        }
    }
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b' ' | b'-' | b'_' | b'.' | b'/')
}

/// As Python's `casefold().lower()`, where that can give the ASCII of a prefix.
fn folded(prefix: &str) -> Vec<u8> {
    let mut folded = String::with_capacity(prefix.len());
    for c in prefix.chars() {
        match c {
            'ß' | 'ẞ' | 'ﬆ' | 'ﬅ' if matches!(c, 'ﬆ' | 'ﬅ') => folded.push_str("st"),
            'ß' | 'ẞ' => folded.push_str("ss"),
            'ſ' => folded.push('s'),
            'ﬀ' => folded.push_str("ff"),
            'ﬁ' => folded.push_str("fi"),
            'ﬂ' => folded.push_str("fl"),
            'ﬃ' => folded.push_str("ffi"),
            'ﬄ' => folded.push_str("ffl"),
            c => folded.extend(c.to_lowercase()),
        }
    }
    folded
        .into_bytes()
        .into_iter()
        .filter(|&byte| !is_separator(byte))
        .collect()
}
