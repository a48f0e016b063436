//! Harmonic and percussive part of the magnitude spectrogram; [`crate::transform::hpss`] has the separation.

use crate::Error;
use crate::feature::frame_level::{Bins, Feature, Quantity};
use crate::feature::frame_params::FrameParams;
use crate::feature::front_end::{FrameInput, Intermediate};
use crate::feature::range_check::require;
use crate::feature::rows::Rows;
use crate::transform::{Hpss, HpssConfig};

/// The harmonic part: `[n_frames, n_fft / 2 + 1]`.
pub(crate) type Harmonic = HpssPart<false>;
/// The percussive part: `[n_frames, n_fft / 2 + 1]`.
pub(crate) type Percussive = HpssPart<true>;

/// One of the two parts.
#[derive(Debug, Clone)]
pub(crate) struct HpssPart<const IS_PERCUSSIVE: bool>(Hpss);

impl<const IS_PERCUSSIVE: bool> Feature for HpssPart<IS_PERCUSSIVE> {
    type Config = HpssConfig;
    const NAME: &'static str = if IS_PERCUSSIVE { "percussive" } else { "harmonic" };
    const TITLE: &'static str = if IS_PERCUSSIVE { "Percussive part" } else { "Harmonic part" };
    const UNIT: &'static str = "";
    const NEEDS: &'static [Intermediate] = &[Intermediate::Magnitude];

    fn n_bins(_: &HpssConfig, params: &FrameParams) -> usize {
        params.n_fft_bins()
    }

    fn bins(_: &HpssConfig, params: &FrameParams) -> Bins {
        Bins::Hertz(params.fft_hz())
    }

    fn quantity(_: &FrameParams) -> Quantity {
        Quantity::Strength(1.0)
    }

    fn validate(config: &HpssConfig, _: &FrameParams) -> Result<(), Error> {
        // JSON has no infinity: a hard mask could not be written to a model file.
        let power = config.power;
        require(power.is_finite(), "hpss.power", power, || "a finite number".into())?;
        config.validate()
    }

    fn plan(config: &HpssConfig, _: &FrameParams) -> Self {
        Self(Hpss::planned(config.clone()))
    }

    fn compute(&mut self, input: &FrameInput<'_>, mut rows: Rows<'_>) {
        let n_bins = input.params.n_fft_bins();
        let (harmonic, percussive) = self.0.masks(input.magnitude, n_bins);
        let mask = if IS_PERCUSSIVE { percussive } else { harmonic };
        let frames = input.magnitude.chunks_exact(n_bins).zip(mask.chunks_exact(n_bins));
        for (row, (magnitude, mask)) in rows.iter_mut().zip(frames) {
            row.iter_mut().zip(magnitude).zip(mask).for_each(|((out, x), weight)| *out = x * weight);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_close::assert_close;
    use crate::feature::frame_level::extract_alone;
    use crate::transform::{Stft, StftConfig};

    #[test]
    fn the_two_parts_sum_to_the_spectrogram() {
        let samples: Vec<f32> = (0..8000).map(|n| (n as f32 * n as f32 * 1e-5).sin()).collect();
        let stft = StftConfig { n_fft: 512, hop_length: 128, ..StftConfig::default() };
        let params = FrameParams { stft: stft.clone(), ..FrameParams::default() };
        let harmonic = extract_alone::<Harmonic>(&HpssConfig::default(), &params, &samples);
        let percussive = extract_alone::<Percussive>(&HpssConfig::default(), &params, &samples);
        let sums: Vec<f32> = harmonic.iter().zip(&percussive).map(|(h, p)| h + p).collect();
        assert_close(&sums, &Stft::new(stft).unwrap().magnitude(&samples), 1e-4);
    }
}
