//! The harmonic and the percussive part of the magnitude spectrogram; [`crate::transform::hpss`] tells them apart.

use super::FeatureSpec;
use super::kind::{Bins, Feature, Quantity, Rows};
use super::shared::{Intermediate, Sound};
use super::spec::require;
use crate::Error;
use crate::transform::Hpss;
use crate::transform::fourier::{self, fft_frequencies};

/// What lasts: `[n_frames, n_fft / 2 + 1]`.
#[derive(Debug, Clone)]
pub(super) struct Harmonic(Hpss);

/// What strikes: `[n_frames, n_fft / 2 + 1]`.
#[derive(Debug, Clone)]
pub(super) struct Percussive(Hpss);

impl Feature for Harmonic {
    const NAME: &'static str = "harmonic";
    const TITLE: &'static str = "Harmonic part";
    const UNIT: &'static str = "";
    const NEEDS: &'static [Intermediate] = &[Intermediate::Magnitude];

    fn n_bins(spec: &FeatureSpec) -> usize {
        fourier::n_bins(spec.n_fft)
    }

    fn bins(spec: &FeatureSpec) -> Bins {
        Bins::Hertz(fft_frequencies(spec.sample_rate, spec.n_fft))
    }

    fn quantity(_spec: &FeatureSpec) -> Quantity {
        Quantity::Strength(1.0)
    }

    fn validate(spec: &FeatureSpec) -> Result<(), Error> {
        // JSON has no infinity: a hard mask could not be written down.
        let power = spec.hpss.power;
        require(power.is_finite(), "hpss.power", power, || "a finite number".into())?;
        spec.hpss.validate()
    }

    fn plan(spec: &FeatureSpec) -> Self {
        Self(Hpss::planned(spec.hpss.clone()))
    }

    fn compute(&mut self, sound: &Sound<'_>, rows: Rows<'_>) {
        let (mask, _) = self.0.masks(&sound.shared.magnitude, fourier::n_bins(sound.spec.n_fft));
        write_masked(sound, mask, rows);
    }
}

impl Feature for Percussive {
    const NAME: &'static str = "percussive";
    const TITLE: &'static str = "Percussive part";
    const UNIT: &'static str = Harmonic::UNIT;
    const NEEDS: &'static [Intermediate] = Harmonic::NEEDS;

    fn n_bins(spec: &FeatureSpec) -> usize {
        Harmonic::n_bins(spec)
    }

    fn bins(spec: &FeatureSpec) -> Bins {
        Harmonic::bins(spec)
    }

    fn quantity(spec: &FeatureSpec) -> Quantity {
        Harmonic::quantity(spec)
    }

    fn validate(spec: &FeatureSpec) -> Result<(), Error> {
        Harmonic::validate(spec)
    }

    fn plan(spec: &FeatureSpec) -> Self {
        Self(Hpss::planned(spec.hpss.clone()))
    }

    fn compute(&mut self, sound: &Sound<'_>, rows: Rows<'_>) {
        let (_, mask) = self.0.masks(&sound.shared.magnitude, fourier::n_bins(sound.spec.n_fft));
        write_masked(sound, mask, rows);
    }
}

fn write_masked(sound: &Sound<'_>, mask: &[f32], mut rows: Rows<'_>) {
    let n_bins = fourier::n_bins(sound.spec.n_fft);
    let frames = sound.shared.magnitude.chunks_exact(n_bins).zip(mask.chunks_exact(n_bins));
    for (row, (magnitude, mask)) in rows.iter_mut().zip(frames) {
        row.iter_mut().zip(magnitude).zip(mask).for_each(|((out, x), part)| *out = x * part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_close::assert_close;
    use crate::feature::FeatureKind::{Harmonic, Percussive, Stft};

    #[test]
    fn the_two_parts_add_up_to_the_spectrogram() {
        let samples: Vec<f32> = (0..8000).map(|n| (n as f32 * n as f32 * 1e-5).sin()).collect();
        let kinds = vec![Stft, Harmonic, Percussive];
        let spec = FeatureSpec { kinds, n_fft: 512, hop_length: 128, ..FeatureSpec::default() };
        let features = spec.extractor().unwrap().extract(&samples);
        for row in features.values.chunks_exact(3 * 257) {
            let sums: Vec<f32> = row[257..514].iter().zip(&row[514..]).map(|(h, p)| h + p).collect();
            assert_close(&sums, &row[..257], 1e-4);
        }
    }
}
