use super::{Scanner, Separators, Split};

/// A small generator, so that the tests need no crate for it.
fn noise(seed: u64, len: usize, alphabet: &[u8]) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            alphabet[(state % alphabet.len() as u64) as usize]
        })
        .collect()
}

#[test]
fn simd_twin_agrees_with_scalar_at_every_length() {
    let Some(simd) = Scanner::simd() else { return };
    let scalar = Scanner::scalar();
    let by = Separators {
        delimiter: b'\t',
        newline: b'\n',
        quote: Some(b'"'),
    };
    for seed in 0..40u64 {
        let alphabet: &[u8] = if seed % 2 == 0 {
            b"ab\t\n\t"
        } else {
            b"ab\t\n\"\xC3\xA9\0"
        };
        let text = noise(seed, 300, alphabet);
        for len in 0..text.len() {
            let bytes = &text[..len];
            let (mut a, mut b) = (Split::default(), Split::default());
            assert_eq!(
                simd.split(bytes, 7, by, &mut a),
                scalar.split(bytes, 7, by, &mut b)
            );
            assert_eq!(a, b);
            let (mut a, mut b) = (Vec::new(), Vec::new());
            for needles in [&b"\t"[..], b"\t\n", b"\t\n\"\0"] {
                assert_eq!(
                    simd.structurals(bytes, 3, needles, &mut a),
                    scalar.structurals(bytes, 3, needles, &mut b)
                );
                assert_eq!(a, b);
            }
            for delimiters in 0..3 {
                assert_eq!(
                    simd.count(bytes, by, delimiters),
                    scalar.count(bytes, by, delimiters)
                );
            }
        }
    }
}

#[test]
fn scalar_split_finds_what_a_loop_finds() {
    let text = noise(3, 500, b"ab\t\n");
    let by = Separators {
        delimiter: b'\t',
        newline: b'\n',
        quote: None,
    };
    let mut split = Split::default();
    assert!(Scanner::scalar().split(&text, 0, by, &mut split));
    let ends: Vec<u32> = (0..text.len() as u32)
        .filter(|&i| matches!(text[i as usize], b'\t' | b'\n'))
        .collect();
    assert_eq!(split.ends, ends);
    for (&index, at) in split.newlines.iter().zip(memchr::memchr_iter(b'\n', &text)) {
        assert_eq!(split.ends[index as usize] as usize, at);
    }
}

#[test]
fn count_refuses_a_row_of_another_shape() {
    let by = Separators {
        delimiter: b',',
        newline: b'\n',
        quote: Some(b'"'),
    };
    let best = Scanner::best();
    assert_eq!(best.count(b"a,b\nc,d\n", by, 1).map(|c| c.records), Some(2));
    assert_eq!(best.count(b"a,b\nc\n", by, 1), None);
    assert_eq!(best.count(b"a,b\n\"c\",d\n", by, 1), None);
    assert_eq!(
        best.count(b"a,b\nc,d", by, 1).map(|c| c.open_delimiters),
        Some(1)
    );
}
