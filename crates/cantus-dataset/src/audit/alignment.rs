//! Two fingerprints laid over each other: how many of their bits differ where both have something to say.
//!
//! # Reference
//! J. Haitsma, T. Kalker, "A Highly Robust Audio Fingerprinting System", ISMIR 2002: the bit error rate of the best
//! alignment decides.

use std::collections::HashSet;

/// How well two fingerprints fit at one offset.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fit {
    /// Place in the second fingerprint that the first one's beginning falls on.
    pub(super) offset: i64,
    /// Numbers that lie over each other.
    pub(super) n_overlapping: usize,
    /// Share of their bits that differ, from 0 to 1.
    pub(super) bit_error_rate: f64,
}

/// The fit of `a`, moved by `offset`, and `b`; none where they do not overlap.
pub(super) fn fit(a: &[u32], b: &[u32], offset: i64) -> Option<Fit> {
    let (a, b) = overlap(a, b, offset);
    if a.is_empty() {
        return None;
    }
    let n_errors: u64 = a.iter().zip(b).map(|(a, b)| u64::from((a ^ b).count_ones())).sum();
    Some(Fit { offset, n_overlapping: a.len(), bit_error_rate: n_errors as f64 / (32 * a.len()) as f64 })
}

/// Whether what overlaps changes often enough to be told from other sound: silence and a sustained note look alike in
/// every recording.
pub(super) fn is_telling(a: &[u32], b: &[u32], fit: &Fit, n_different: usize) -> bool {
    let (a, b) = overlap(a, b, fit.offset);
    [a, b].iter().all(|part| part.iter().collect::<HashSet<_>>().len() >= n_different)
}

/// What lies over each other when `a` begins at place `offset` of `b`.
fn overlap<'a>(a: &'a [u32], b: &'a [u32], offset: i64) -> (&'a [u32], &'a [u32]) {
    let skipped = |places: i64| usize::try_from(places).unwrap_or(0);
    let a = a.get(skipped(-offset)..).unwrap_or_default();
    let b = b.get(skipped(offset)..).unwrap_or_default();
    let n = a.len().min(b.len());
    (&a[..n], &b[..n])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_fits_where_it_was_cut_out() {
        let whole: Vec<u32> = (0..100_u32).map(|n| n.wrapping_mul(2_654_435_761)).collect();
        let fitted = fit(&whole[30..60], &whole, 30).unwrap();
        assert_eq!((fitted.n_overlapping, fitted.bit_error_rate), (30, 0.0));
        assert_eq!(fit(&whole, &whole[30..60], -30).unwrap().bit_error_rate, 0.0);
        assert!(fit(&whole[30..60], &whole, 29).unwrap().bit_error_rate > 0.3);
        assert!(is_telling(&whole[30..60], &whole, &fitted, 30));
        assert!(!is_telling(&[7; 40], &[7; 40], &fit(&[7; 40], &[7; 40], 0).unwrap(), 2));
    }

    #[test]
    fn bits_that_differ_are_counted() {
        assert_eq!(fit(&[0b1111, 0], &[0, 0], 0).unwrap().bit_error_rate, 4.0 / 64.0);
        assert_eq!(fit(&[1, 2], &[3, 4], 2), None);
        assert_eq!(fit(&[1, 2], &[3, 4], -5), None);
    }
}
