//! Mel-frequency cepstral coefficients: the broad shape of the spectrum, in a dozen numbers.
//!
//! The level of each mel band in dB is a curve over frequency; its cosine transform separates the shape (timbre: low
//! coefficients) from the ripple (pitch: high ones), and the first `n_mfcc` are kept.
//!
//! # Reference
//! Davis & Mermelstein, "Comparison of parametric representations for monosyllabic word recognition", 1980; lifter:
//! Juang, Rabiner & Wilpon, "On the use of bandpass liftering in speech recognition", 1987; `librosa.feature.mfcc` 0.11.

use std::f64::consts::PI;

use super::dct::{Dct, DctType};

/// A planned transform from log-mel spectra to MFCCs.
#[derive(Debug, Clone)]
pub struct Mfcc {
    dct: Dct,
}

impl Mfcc {
    /// Plans the first `n_mfcc` coefficients of `n_mels` bands.
    ///
    /// A `lifter` above 0 multiplies coefficient `k` by `1 + lifter / 2 · sin(π (k + 1) / lifter)`, which raises the
    /// middle ones, small by nature, to the size of the others.
    pub fn new(n_mels: usize, n_mfcc: usize, dct_type: DctType, lifter: f32) -> Self {
        let lifter = f64::from(lifter);
        let lift = |k: usize| {
            if lifter > 0.0 { 1.0 + lifter / 2.0 * (PI * (k + 1) as f64 / lifter).sin() } else { 1.0 }
        };
        Self { dct: Dct::scaled(dct_type, n_mels, n_mfcc, lift) }
    }

    /// Number of coefficients.
    pub fn n_mfcc(&self) -> usize {
        self.dct.n_out()
    }

    /// MFCCs of one frame of a log-power mel spectrogram.
    ///
    /// # Shapes
    /// - `log_mel`: `[n_mels]`, dB
    /// - `mfcc`: `[n_mfcc]`, overwritten
    ///
    /// # Reference
    /// Equals `librosa.feature.mfcc(S=log_mel)` 0.11 within 1e-4.
    pub fn apply(&self, log_mel: &[f32], mfcc: &mut [f32]) {
        self.dct.apply(log_mel, mfcc);
    }
}
