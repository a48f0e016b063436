//! How far the engine may be from the reference, and why.
//!
//! The engine computes in f32, so it cannot be exact. How much that matters depends on the network: a layer that
//! normalises numbers which hardly differ, or Adam, which divides a gradient by its own size, makes much of little. So
//! the reference trainer runs twice, in f64 and in f32, by the same plain loops. The distance between these two, `own`,
//! is what f32 costs in this very computation; the engine may be [`FACTOR`] times as far away, since it rounds at other
//! places. To this are added a share of the size of what is compared, for tensors of few numbers whose own error
//! happens to be small (and because the engine's exp and tanh are good to 2e-7 only), and a small share of the size of
//! all tensors together, for tensors whose gradient is nothing but cancelled rounding errors.
//!
//! Where a number comes within rounding of a place at which a derivative jumps (ReLU, a maximum, an l1 penalty), the
//! engine may rightly be on the other side of it than the reference. Such a comparison has the wide share.

/// How many times as far from the f64 reference as the f32 reference the engine may be.
pub const FACTOR: f64 = 8.0;
/// Share of the size of what is compared: some 300 roundings (2⁻²⁴) one after another.
pub const SHARE: f64 = 2e-5;
/// The same where a kink is near.
pub const WIDE_SHARE: f64 = 5e-3;
/// Share of the size of all tensors together.
pub const SHARE_OF_ALL: f64 = 1e-6;
/// A kink is near if it is not farther than this, relative to the greatest number of the array.
pub const NEAR: f64 = 4e-6;

/// The engine's numbers beside the reference's.
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
    pub nearest_kink: f64,
}

impl Comparison {
    pub fn kink_is_near(&self) -> bool {
        self.nearest_kink <= NEAR
    }

    pub fn allowed(&self) -> f64 {
        let share = if self.kink_is_near() { WIDE_SHARE } else { SHARE };
        FACTOR * self.own + share * self.size + SHARE_OF_ALL * self.size_of_all
    }

    pub fn agrees(&self) -> bool {
        // Not a number agrees with nothing.
        self.apart <= self.allowed()
    }

    /// What is allowed, relative to the size: how much of an error this comparison would overlook.
    pub fn blindness(&self) -> f64 {
        self.allowed() / (self.size + f64::MIN_POSITIVE)
    }
}
