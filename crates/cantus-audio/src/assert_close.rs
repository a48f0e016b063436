//! Comparison of numbers within a tolerance, for tests.

/// Compares two slices element by element.
///
/// # Panics
/// If the lengths differ, or the difference of a pair exceeds `tolerance`.
#[track_caller]
pub fn assert_close<A, B>(found: &[A], expected: &[B], tolerance: f64)
where
    A: Copy + Into<f64>,
    B: Copy + Into<f64>,
{
    assert_eq!(found.len(), expected.len(), "lengths");
    for (i, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        let (found, expected): (f64, f64) = (found.into(), expected.into());
        let difference = (found - expected).abs();
        assert!(
            difference <= tolerance,
            "[{i}]: {found} instead of {expected}, {difference:e} > {tolerance:e}"
        );
    }
}
