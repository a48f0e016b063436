//! The two kinds of number that the reference trainer computes with: f64, which is the reference, and f32, which shows
//! how far rounding alone carries a computation away from it.

use std::ops::{Add, AddAssign, Mul, Neg, Sub};

/// A floating-point number with plain arithmetic. Everything else is computed in f64 and rounded.
pub trait Number:
    Copy
    + Default
    + PartialOrd
    + Send
    + Sync
    + Add<Output = Self>
    + AddAssign
    + Mul<Output = Self>
    + Neg<Output = Self>
    + Sub<Output = Self>
{
    /// The nearest number of this kind.
    fn of(value: f64) -> Self;
    /// The same number as f64.
    fn wide(self) -> f64;
}

impl Number for f64 {
    fn of(value: f64) -> Self {
        value
    }

    fn wide(self) -> f64 {
        self
    }
}

impl Number for f32 {
    fn of(value: f64) -> Self {
        value as f32
    }

    fn wide(self) -> f64 {
        f64::from(self)
    }
}

/// √Σ(a - b)²
///
/// # Panics
/// If the lengths differ.
pub fn distance(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len(), "lengths");
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
}

/// √Σa²
pub fn norm(a: &[f64]) -> f64 {
    a.iter().map(|a| a * a).sum::<f64>().sqrt()
}
