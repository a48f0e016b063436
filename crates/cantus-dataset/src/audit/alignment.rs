//! Alignment of two fingerprints at an offset, and its bit error rate.
//!
//! A fingerprint is a sequence of 32-bit sub-fingerprints.
//!
//! # Reference
//! J. Haitsma, T. Kalker, "A Highly Robust Audio Fingerprinting System", ISMIR 2002: two recordings match if the bit error
//! rate of the best alignment is small.

use std::collections::HashSet;

/// Two fingerprints aligned at an offset.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Alignment {
    /// Index in the second fingerprint of the first one's start; negative if the first starts earlier.
    pub(super) offset: i64,
    /// Number of sub-fingerprints in the overlap.
    pub(super) n_overlapping: usize,
    /// Share of bits in the overlap that differ, from 0 to 1.
    pub(super) bit_error_rate: f64,
}

/// Aligns the start of `a` with index `offset` of `b`; `None` if they do not overlap.
pub(super) fn align(a: &[u32], b: &[u32], offset: i64) -> Option<Alignment> {
    let (a, b) = overlap(a, b, offset);
    if a.is_empty() {
        return None;
    }
    let n_errors: u64 = a.iter().zip(b).map(|(a, b)| u64::from((a ^ b).count_ones())).sum();
    Some(Alignment {
        offset,
        n_overlapping: a.len(),
        bit_error_rate: n_errors as f64 / (32 * a.len()) as f64,
    })
}

/// Whether both sides of the overlap have at least `n_distinct` distinct sub-fingerprints; those of silence and of
/// sustained notes match in any recording.
pub(super) fn is_distinctive(a: &[u32], b: &[u32], alignment: &Alignment, n_distinct: usize) -> bool {
    let (a, b) = overlap(a, b, alignment.offset);
    [a, b].iter().all(|side| side.iter().collect::<HashSet<_>>().len() >= n_distinct)
}

/// The overlapping sub-fingerprints if `a` starts at index `offset` of `b`.
fn overlap<'a>(a: &'a [u32], b: &'a [u32], offset: i64) -> (&'a [u32], &'a [u32]) {
    let skipped = |offset: i64| usize::try_from(offset).unwrap_or(0);
    let a = a.get(skipped(-offset)..).unwrap_or_default();
    let b = b.get(skipped(offset)..).unwrap_or_default();
    let n = a.len().min(b.len());
    (&a[..n], &b[..n])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_aligns_at_its_offset() {
        let whole: Vec<u32> = (0..100_u32).map(|n| n.wrapping_mul(2_654_435_761)).collect();
        let aligned = align(&whole[30..60], &whole, 30).unwrap();
        assert_eq!((aligned.n_overlapping, aligned.bit_error_rate), (30, 0.0));
        assert_eq!(align(&whole, &whole[30..60], -30).unwrap().bit_error_rate, 0.0);
        assert!(align(&whole[30..60], &whole, 29).unwrap().bit_error_rate > 0.3);
        assert!(is_distinctive(&whole[30..60], &whole, &aligned, 30));
        assert!(!is_distinctive(&[7; 40], &[7; 40], &align(&[7; 40], &[7; 40], 0).unwrap(), 2));
    }

    #[test]
    fn differing_bits_are_counted() {
        assert_eq!(align(&[0b1111, 0], &[0, 0], 0).unwrap().bit_error_rate, 4.0 / 64.0);
        assert_eq!(align(&[1, 2], &[3, 4], 2), None);
        assert_eq!(align(&[1, 2], &[3, 4], -5), None);
    }
}
