//! Hash of a text as part of a key: 64-bit FNV-1a of its UTF-8 bytes.

/// Hash of a text, the same on every machine: FNV-1a (Fowler, Noll & Vo, IETF draft-eastlake-fnv).
///
/// Not cryptographic: texts with the same hash are easy to construct.
///
/// ```
/// use cantus_random::{KeyedRng, text_key};
///
/// let mut rng = KeyedRng::new([0, text_key("blues/blues.00000.wav")]);
/// assert!(rng.below(6) < 6);
/// ```
#[must_use]
pub const fn text_key(text: &str) -> u64 {
    let bytes = text.as_bytes();
    let mut hash = 0xCBF2_9CE4_8422_2325;
    // A loop with an index, since iterators cannot be used in a `const fn`.
    let mut i = 0;
    while i < bytes.len() {
        hash = (hash ^ bytes[i] as u64).wrapping_mul(0x0000_0100_0000_01B3);
        i += 1;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors for "", "a" and "foobar" of appendix C of the Internet-Draft (draft-eastlake-fnv).
    #[test]
    fn hashes_equal_the_published_test_vectors() {
        assert_eq!(text_key(""), 0xCBF2_9CE4_8422_2325);
        assert_eq!(text_key("a"), 0xAF63_DC4C_8601_EC8C);
        assert_eq!(text_key("foobar"), 0x8594_4171_F739_67E8);
    }
}
