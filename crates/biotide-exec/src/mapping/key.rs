//! An identifier in 128 bits.
//!
//! ```text
//! hi: 56 bits a, 8 bits b    lo: 48 bits b, 16 bits of the prefix's number
//! ```
//!
//! `a` and `b` are sixteen characters of ASCII at 7 bits each, from the left, NUL after the end. Of a local
//! identifier that is longer, or beyond ASCII, they are a hash of 105 bits; its first character is NUL then, which
//! no other one's is. The bits are mixed with a seed that is the prefix's, in a way that can be undone: so keys are
//! spread evenly, whatever identifiers look like, and their order depends on nothing but them.

use twox_hash::XxHash64;

/// Bits of each half of a local identifier.
const HALF: u64 = (1 << 56) - 1;

/// The most characters of a local identifier that is held in its key.
const CHARS: usize = 16;

/// An identifier. The order is that of nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub(crate) hi: u64,
    pub(crate) lo: u64,
}

impl Key {
    /// The key of a local identifier, and whether its text must be kept beside it.
    pub(crate) fn new(prefix: u16, seed: u64, local: &[u8]) -> (Self, bool) {
        let packed = pack(local);
        let (a, b) = packed.unwrap_or_else(|| hash(local));
        (Self::mixed(a, b, prefix, seed), packed.is_none())
    }

    fn mixed(a: u64, b: u64, prefix: u16, seed: u64) -> Self {
        let b = b ^ (scramble(a ^ seed) & HALF);
        let a = a ^ (scramble(b.wrapping_add(seed)) & HALF);
        let b = b ^ (scramble(a.rotate_left(17) ^ seed) & HALF);
        Self {
            hi: a << 8 | b >> 48,
            lo: b << 16 | u64::from(prefix),
        }
    }

    fn unmixed(self, seed: u64) -> (u64, u64) {
        let (a, b) = (self.hi >> 8, (self.hi & 0xff) << 48 | self.lo >> 16);
        let b = b ^ (scramble(a.rotate_left(17) ^ seed) & HALF);
        let a = a ^ (scramble(b.wrapping_add(seed)) & HALF);
        let b = b ^ (scramble(a ^ seed) & HALF);
        (a, b)
    }

    /// The number of its prefix.
    pub(crate) fn prefix(self) -> u16 {
        (self.lo & 0xffff) as u16
    }

    /// The same identifier where prefixes are numbered otherwise.
    pub(crate) fn with_prefix(self, prefix: u16) -> Self {
        Self {
            hi: self.hi,
            lo: self.lo & !0xffff | u64::from(prefix),
        }
    }

    /// Writes the local identifier. `false`: it is too long, and stands elsewhere.
    pub(crate) fn write_local(self, seed: u64, out: &mut String) -> bool {
        let (a, b) = self.unmixed(seed);
        if a >> 49 == 0 {
            return false;
        }
        let mut bytes = [0; CHARS];
        bytes[..8].copy_from_slice(&expand(a).to_be_bytes());
        bytes[8..].copy_from_slice(&expand(b).to_be_bytes());
        let n = bytes.iter().position(|&byte| byte == 0).unwrap_or(CHARS);
        // (ASCII: seven bits each.)
        out.push_str(std::str::from_utf8(&bytes[..n]).unwrap_or_default());
        true
    }

    /// Which of 2^`bits` buckets it falls into.
    pub(crate) fn bucket(self, bits: u32) -> usize {
        match bits {
            0 => 0,
            // (At most 16 bits.)
            bits => (self.hi >> (64 - bits)) as usize,
        }
    }
}

/// The seed of a prefix.
pub(crate) fn seed(prefix: &str) -> u64 {
    XxHash64::oneshot(0, prefix.as_bytes())
}

/// MurmurHash3's finalizer (Appleby, public domain).
fn scramble(mut x: u64) -> u64 {
    x ^= x >> 33;
    x = x.wrapping_mul(0xff51_afd7_ed55_8ccd);
    x ^= x >> 33;
    x = x.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    x ^ x >> 33
}

fn pack(local: &[u8]) -> Option<(u64, u64)> {
    if local.is_empty() || local.len() > CHARS {
        return None;
    }
    let mut bytes = [0; CHARS];
    bytes[..local.len()].copy_from_slice(local);
    let all = u128::from_be_bytes(bytes);
    const HIGH: u128 = u128::from_be_bytes([0x80; CHARS]);
    if all & HIGH != 0 || local.contains(&0) {
        return None;
    }
    Some((compress((all >> 64) as u64), compress(all as u64)))
}

/// Eight times 7 bits of 8, put together.
fn compress(x: u64) -> u64 {
    let x = x & 0x007f_007f_007f_007f | (x & 0x7f00_7f00_7f00_7f00) >> 1;
    let x = x & 0x0000_3fff_0000_3fff | (x & 0x3fff_0000_3fff_0000) >> 2;
    x & 0x0fff_ffff | (x & 0x0fff_ffff_0000_0000) >> 4
}

/// The reverse of [`compress`].
fn expand(x: u64) -> u64 {
    let x = x & 0x0fff_ffff | (x & 0x00ff_ffff_f000_0000) << 4;
    let x = x & 0x0000_3fff_0000_3fff | (x & 0x0fff_c000_0fff_c000) << 2;
    x & 0x007f_007f_007f_007f | (x & 0x3f80_3f80_3f80_3f80) << 1
}

fn hash(local: &[u8]) -> (u64, u64) {
    let a = XxHash64::oneshot(0x0042_696f, local) & ((1 << 49) - 1);
    (a, XxHash64::oneshot(0x7469_6465, local) & HALF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_held_and_given_back() {
        for (prefix, local) in [
            (0, "1"),
            (1, "P12345"),
            (65535, "ENSG00000141510"),
            (7, "A0A023GPI8"),
            (7, "~~~~~~~~~~~~~~~~"),
            (7, "a b|c\t"),
        ] {
            let seed = seed("uniprot");
            let (key, long) = Key::new(prefix, seed, local.as_bytes());
            let mut text = String::new();
            assert!(!long && key.write_local(seed, &mut text), "{local}");
            assert_eq!((text.as_str(), key.prefix()), (local, prefix));
            let other = key.with_prefix(3);
            text.clear();
            assert!(other.write_local(seed, &mut text) && other.prefix() == 3);
            assert_eq!(text, local);
        }
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let seed = seed("inchikey");
        for local in [
            "",
            "BSYNRYMUTXBXSQ-UHFFFAOYSA-N",
            "12345678901234567",
            "é",
            "a\0b",
            "\0",
        ] {
            let (key, long) = Key::new(1, seed, local.as_bytes());
            assert!(long, "{local:?}");
            assert!(!key.write_local(seed, &mut String::new()), "{local:?}");
        }
    }

    #[test]
    fn keys_are_spread_evenly_and_differ() {
        let seed = seed("ncbigene");
        let mut counts = [0_usize; 64];
        let mut keys: Vec<Key> = (0..64_000)
            .map(|i: u32| Key::new(1, seed, i.to_string().as_bytes()).0)
            .collect();
        for key in &keys {
            counts[key.bucket(6)] += 1;
        }
        assert!(
            counts.iter().all(|&n| (850..1150).contains(&n)),
            "{counts:?}"
        );
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 64_000);
        let place = |key: &Key| ((u128::from(key.hi) * keys.len() as u128) >> 64) as usize;
        let far = keys
            .iter()
            .enumerate()
            .map(|(i, key)| place(key).abs_diff(i));
        assert!(far.max() < Some(600));
    }
}
