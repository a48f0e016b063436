//! Mel-frequency cepstral coefficients (MFCCs): the cosine transform of log-mel spectra.
//!
//! The cosine transform over the mel axis separates the spectral envelope (timbre: low coefficients) from the harmonics
//! (pitch: high coefficients); the first `n_mfcc` are kept.
//!
//! # Reference
//! Davis & Mermelstein, "Comparison of parametric representations for monosyllabic word recognition", 1980; lifter:
//! Juang, Rabiner & Wilpon, "On the use of bandpass liftering in speech recognition", 1987; `librosa.feature.mfcc` 0.11.

use std::f64::consts::PI;

use super::dct::{Dct, DctNorm, DctType};

/// A planned transform from log-mel spectra to MFCCs.
#[derive(Debug, Clone)]
pub struct Mfcc {
    dct: Dct,
}

impl Mfcc {
    /// Plans the first `n_mfcc` coefficients of `n_mels` bands.
    ///
    /// A `lifter` above 0 multiplies coefficient `k` by `1 + lifter / 2 · sin(π (k + 1) / lifter)`, which amplifies the
    /// middle coefficients to about the range of the others.
    pub fn new(n_mels: usize, n_mfcc: usize, dct_type: DctType, norm: DctNorm, lifter: f32) -> Self {
        let lifter = f64::from(lifter);
        let lift = |k: usize| {
            if lifter > 0.0 { 1.0 + lifter / 2.0 * (PI * (k + 1) as f64 / lifter).sin() } else { 1.0 }
        };
        Self { dct: Dct::scaled(dct_type, norm, n_mels, n_mfcc, lift) }
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
    /// Equals `librosa.feature.mfcc` 0.11 within 2e-4, computed from the samples of a synthetic signal; for music see
    /// [`crate::feature`].
    pub fn apply(&self, log_mel: &[f32], mfcc: &mut [f32]) {
        self.dct.apply(log_mel, mfcc);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_close::assert_close;

    #[test]
    fn a_flat_spectrum_has_only_coefficient_0() {
        let mut mfcc = [f32::NAN; 5];
        Mfcc::new(64, 5, DctType::II, DctNorm::Ortho, 0.0).apply(&[-20.0; 64], &mut mfcc);
        assert_close(&mfcc, &[-160.0, 0.0, 0.0, 0.0, 0.0], 1e-4); // -20 dB · √64
    }

    #[test]
    fn the_lifter_amplifies_the_middle_coefficients_most() {
        let log_mel: Vec<f32> = (0..64).map(|m| (m as f32 * 0.9).cos() * 10.0).collect();
        let (mut plain, mut liftered) = ([0.0; 20], [0.0; 20]);
        Mfcc::new(64, 20, DctType::II, DctNorm::Ortho, 0.0).apply(&log_mel, &mut plain);
        Mfcc::new(64, 20, DctType::II, DctNorm::Ortho, 22.0).apply(&log_mel, &mut liftered);
        // 1 + 11 · sin(π · (k + 1) / 22) for k = 0 and k = 10
        assert_close(&[liftered[0] / plain[0], liftered[10] / plain[10]], &[2.565_463_2, 12.0], 1e-5);
    }
}
