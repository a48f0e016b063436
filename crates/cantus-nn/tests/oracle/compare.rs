//! The tolerance of a comparison of the engine with the reference, and its reason.
//!
//! The engine computes in f32, so it cannot be exact. How much that matters depends on the network: a layer that
//! normalises numbers which hardly differ, or Adam, which divides a gradient by its own size, makes much of little. So
//! the reference trainer runs in f64 and also three times in f32, by the same plain loops, from first weights that are
//! moved by one rounding and with functions that are as wrong as the engine's may be. The greatest distance between
//! these runs and that in f64, `own`, is what f32 costs in this very computation; the engine may be [`FACTOR`] times as
//! far away, since it rounds at other places. To this are added a share of the size of what is compared, for tensors of
//! few numbers whose own error happens to be small in all three; a small share of the size of all tensors together, for
//! tensors whose gradient is nothing but rounding errors that should cancel; and roundings of the weights themselves.
//!
//! A weight whose gradient is 0 but for rounding (a bias before a normalisation) is moved at random by an optimizer that divides a
//! gradient by its own size: it is not compared, unless it moves farther than such an optimizer can move it. In the training
//! by SGD it is.
//!
//! Where a number comes within rounding of a place at which a derivative jumps (ReLU, a maximum, an l1 penalty), the
//! engine may rightly be on the other side of it than the reference. Such a comparison has the wide share.

/// How many times as far from the f64 reference as the f32 reference the engine may be.
pub const FACTOR: f64 = 32.0;
/// Share of the size of what is compared: some 1500 roundings (2⁻²⁴) one after another.
pub const SHARE: f64 = 1e-4;
/// The same where a kink is near.
pub const WIDE_SHARE: f64 = 1e-3;
/// Share of the size of all tensors together.
pub const SHARE_OF_ALL: f64 = 4e-6;
/// Share of the size of the weights themselves: one rounding in each of about six steps.
pub const SHARE_OF_WEIGHTS: f64 = 4e-7;
/// A kink is near if it is not farther than this, relative to the greatest number of the array.
pub const NEAR: f64 = 4e-6;

/// The distance of the engine's numbers from the reference's.
#[derive(Debug, Clone)]
pub struct Comparison {
    pub what: String,
    /// Between the engine and the reference in f64.
    pub apart: f64,
    /// Between the references in f32 and f64.
    pub own: f64,
    /// Of what is compared.
    pub size: f64,
    /// Of everything that is compared along with it.
    pub size_of_all: f64,
    /// Of the weights whose movement is compared: each step rounds them.
    pub size_of_weights: f64,
    pub nearest_kink: f64,
}

impl Comparison {
    /// Of a tensor that training must leave exactly as it is; `apart` is how far it moved.
    pub fn unchanged(what: String, apart: f64) -> Self {
        Self {
            what,
            apart,
            own: 0.0,
            size: 0.0,
            size_of_all: 0.0,
            size_of_weights: 0.0,
            nearest_kink: f64::INFINITY,
        }
    }

    pub fn kink_is_near(&self) -> bool {
        self.nearest_kink <= NEAR
    }

    pub fn allowed(&self) -> f64 {
        let share = if self.kink_is_near() { WIDE_SHARE } else { SHARE };
        FACTOR * self.own
            + share * self.size
            + SHARE_OF_ALL * self.size_of_all
            + SHARE_OF_WEIGHTS * self.size_of_weights
    }

    pub fn passes(&self) -> bool {
        // NaN never passes.
        self.apart <= self.allowed()
    }

    /// Whether an error of a hundredth would be noticed, or, of what must not change, any error.
    pub fn is_sensitive(&self) -> bool {
        self.allowed() < 0.01 * self.size || self.allowed() == 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOSE: Comparison = Comparison {
        what: String::new(),
        apart: 1e-5,
        own: 1e-6,
        size: 1.0,
        size_of_all: 1.0,
        size_of_weights: 1.0,
        nearest_kink: f64::INFINITY,
    };

    #[test]
    fn an_error_beyond_rounding_fails_unless_a_kink_is_near() {
        assert!(CLOSE.passes() && CLOSE.is_sensitive());
        let wrong = Comparison { apart: 5e-4, ..CLOSE };
        assert!(!wrong.passes());
        assert!(Comparison { nearest_kink: 1e-7, ..wrong.clone() }.passes());
        assert!(!Comparison { nearest_kink: 1e-7, apart: 2e-3, ..wrong }.passes());
    }

    #[test]
    fn nan_never_passes() {
        assert!(!Comparison { apart: f64::NAN, ..CLOSE }.passes());
        assert!(!Comparison { own: f64::NAN, ..CLOSE }.passes());
    }
}
