//! Whether a pipeline is the same as another time.

/// FNV-1a of 64 bits: the same on every machine, and in every release.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Digest(u64);

impl Digest {
    pub(crate) fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// With a text more. (Texts are kept apart: `a`, `bc` is not `ab`, `c`.)
    pub(crate) fn with(self, text: &str) -> Self {
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self(text.bytes().chain([0xff]).fold(self.0, step))
    }

    pub(crate) fn value(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_fixed_and_keep_texts_apart() {
        // (FNV's published value of nothing but the byte 0xff after its basis.)
        assert_eq!(Digest::new().value(), 0xcbf2_9ce4_8422_2325);
        let digest = |texts: &[&str]| texts.iter().fold(Digest::new(), |d, t| d.with(t)).value();
        assert_ne!(digest(&["a", "bc"]), digest(&["ab", "c"]));
        assert_eq!(digest(&["a", "bc"]), digest(&["a", "bc"]));
    }
}
