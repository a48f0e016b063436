//! The constant-Q spectrogram as a feature; [`crate::transform::cqt`] has the transform.

use super::FeatureSpec;
use super::kind::{Bins, Feature, Quantity, Rows};
use super::shared::{Intermediate, Sound};
use super::spec::require;
use crate::Error;
use crate::transform::{Cqt, CqtConfig};

/// The most values that a transform of a segment may have: 1 GiB of them.
const MAX_VALUES: usize = 1 << 28;

/// Magnitude of the constant-Q transform: `[n_frames, cqt.n_bins]`.
#[derive(Debug, Clone)]
pub(super) struct CqtKind {
    plan: Cqt,
    /// `[n_frames, n_bins]`, centred.
    magnitude: Vec<f32>,
}

impl Feature for CqtKind {
    const NAME: &'static str = "cqt";
    const TITLE: &'static str = "Constant-Q spectrogram";
    const UNIT: &'static str = "";
    const NEEDS: &'static [Intermediate] = &[];

    fn n_bins(spec: &FeatureSpec) -> usize {
        spec.cqt.n_bins
    }

    fn bins(spec: &FeatureSpec) -> Bins {
        Bins::Hertz(spec.cqt.frequencies())
    }

    fn quantity(_spec: &FeatureSpec) -> Quantity {
        Quantity::Strength(1.0)
    }

    fn validate(spec: &FeatureSpec) -> Result<(), Error> {
        config_of(spec).validate()?;
        require_room(spec, spec.cqt.n_bins)
    }

    fn plan(spec: &FeatureSpec) -> Self {
        Self { plan: Cqt::planned(config_of(spec)), magnitude: Vec::new() }
    }

    fn compute(&mut self, sound: &Sound<'_>, mut rows: Rows<'_>) {
        self.plan.magnitude_into(sound.samples, &mut self.magnitude);
        rows.copy_from(rows_from_centred(sound, &self.magnitude, sound.spec.cqt.n_bins));
    }
}

fn config_of(spec: &FeatureSpec) -> CqtConfig {
    let FeatureSpec { sample_rate, hop_length, window, pad_mode, .. } = *spec;
    CqtConfig { sample_rate, hop_length, window, pad_mode, ..spec.cqt.clone() }
}

/// The rows of a matrix whose frame `t` is centred on sample `t * hop_length`, from the one on that lies where the
/// first frame of the specification does: half an FFT later if that is not centred.
pub(super) fn rows_from_centred<'a>(sound: &Sound<'_>, matrix: &'a [f32], n_bins: usize) -> &'a [f32] {
    let late = if sound.spec.center { 0 } else { sound.spec.n_fft / (2 * sound.spec.hop_length) };
    matrix.get(late * n_bins..).unwrap_or_default()
}

/// Checks that the transform of a segment fits into memory.
pub(super) fn require_room(spec: &FeatureSpec, n_bins: usize) -> Result<(), Error> {
    let n_frames = spec.segment_samples() / spec.hop_length + 1;
    require(n_frames.saturating_mul(n_bins) <= MAX_VALUES, "hop_length", spec.hop_length, || {
        format!("a transform of at most {MAX_VALUES} values; this one has {n_frames} frames of {n_bins} bins")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feature::FeatureKind;

    #[test]
    fn frames_that_are_not_centred_lie_where_those_of_the_stft_do() {
        let samples: Vec<f32> = (0..20_000).map(|n| (n as f32 * n as f32 * 1e-5).sin()).collect();
        let rows = |center| {
            let spec = FeatureSpec { kinds: vec![FeatureKind::Cqt], center, ..FeatureSpec::default() };
            spec.extractor().unwrap().extract(&samples)
        };
        let (centred, other) = (rows(true), rows(false));
        // An FFT of 2048 with a hop of 512: the first frame that is not centred has its middle two hops later.
        assert_eq!(other.values, centred.values[2 * 84..(2 + other.n_frames) * 84]);
        assert_eq!((centred.n_frames, other.n_frames), (40, 36));
    }
}
