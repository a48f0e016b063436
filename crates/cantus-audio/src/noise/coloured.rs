//! White, pink and brown noise: power that is constant, or falls by 3 or 6 dB per octave.
//!
//! # References
//! - J. O. Smith, *Spectral Audio Signal Processing*, "Example: Synthesis of 1/F Noise (Pink Noise)".
//! - Brown noise is integrated white noise, whose power is proportional to 1/f² (Wiener process).

use std::f64::consts::TAU;

use cantus_random::KeyedRng;

/// Corner of the integrator of brown noise in Hz: below it the power is constant, so that the mean does not drift.
const BROWN_CORNER_HZ: f64 = 10.0;

/// Equal power at all frequencies: independent normal samples.
pub(crate) fn white(n: usize, rng: &mut KeyedRng) -> Vec<f32> {
    (0..n).map(|_| rng.normal() as f32).collect()
}

/// White noise through a filter that falls by 3 dB per octave.
///
/// Three poles and three zeros, fitted to the slope over the audible range (Smith).
pub(crate) fn pink(n: usize, rng: &mut KeyedRng) -> Vec<f32> {
    const B: [f64; 4] = [0.049_922_035, -0.095_993_537, 0.050_612_699, -0.004_408_786];
    const A: [f64; 3] = [-2.494_956_002, 2.017_265_875, -0.522_189_400];
    /// Samples after which the slowest pole has decayed by 60 dB.
    const WARM_UP: usize = 1430;
    let mut state = [0.0; 3];
    let mut next = |x: f64| {
        let y = B[0] * x + state[0];
        state = [B[1] * x - A[0] * y + state[1], B[2] * x - A[1] * y + state[2], B[3] * x - A[2] * y];
        y as f32
    };
    (0..WARM_UP).for_each(|_| _ = next(rng.normal()));
    (0..n).map(|_| next(rng.normal())).collect()
}

/// White noise through a leaky integrator, which falls by 6 dB per octave above 10 Hz.
pub(crate) fn brown(n: usize, sample_rate: u32, rng: &mut KeyedRng) -> Vec<f32> {
    let pole = (-TAU * BROWN_CORNER_HZ / f64::from(sample_rate.max(1))).exp();
    // In the stationary distribution from the first sample.
    let mut y = rng.normal() / (1.0 - pole * pole).sqrt();
    let mut next = || {
        y = pole * y + rng.normal();
        y as f32
    };
    (0..n).map(|_| next()).collect()
}
