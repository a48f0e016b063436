//! Extraction from a spectrogram instead of from samples: librosa's argument `S`.

use super::FeatureExtractor;
use crate::Error;
use crate::feature::range_check::require;
use crate::feature::spectrogram_input::SpectrogramInput;
use crate::feature::{FeatureKind, FeatureSpec, Features};

impl FeatureExtractor {
    /// Features of a spectrogram, of which the specification gives the sample rate, `n_fft` or `n_mels`.
    ///
    /// Magnitudes are in single precision: see *Accuracy* of [`crate::feature`].
    ///
    /// # Shapes
    /// - returns: `[n_frames, spec.n_bins()]`
    ///
    /// # Errors
    /// [`Error::InvalidSpec`] names a kind that is computed not from such a spectrogram but, for example, from samples; or
    /// `summary`.
    pub fn extract_spectrogram(&mut self, spectrogram: SpectrogramInput<'_>) -> Result<Features, Error> {
        validate(&self.spec, spectrogram)?;
        let n_frames = self.front_end.compute_from(spectrogram);
        let mut values = Vec::new();
        self.write_frames(&[], n_frames, &mut values);
        Ok(Features { values, n_frames, n_bins: self.n_bins })
    }
}

fn validate(spec: &FeatureSpec, spectrogram: SpectrogramInput<'_>) -> Result<(), Error> {
    require(spec.summary.is_none(), "summary", "present", || "absent, for a spectrogram".into())?;
    spec.kinds.iter().try_for_each(|&kind| {
        require(can_compute(kind, spectrogram), "kinds", kind.name(), || {
            "a feature that is computed from such a spectrogram".into()
        })
    })
}

fn can_compute(kind: FeatureKind, spectrogram: SpectrogramInput<'_>) -> bool {
    let needs = kind.needs();
    !needs.is_empty() && needs.iter().all(|intermediate| intermediate.follows_from(spectrogram))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_close::assert_close;

    fn spec_of(kinds: &[FeatureKind]) -> FeatureSpec {
        FeatureSpec {
            kinds: kinds.to_vec(),
            n_fft: 512,
            hop_length: 128,
            n_mels: 40,
            ..FeatureSpec::default()
        }
    }

    fn samples() -> Vec<f32> {
        (0..3000).map(|n| (n as f32 * n as f32 * 2e-5).sin() * 0.5).collect()
    }

    fn of_samples(kind: FeatureKind) -> Features {
        spec_of(&[kind]).extractor().unwrap().extract(&samples())
    }

    fn largest(values: &[f32]) -> f64 {
        values.iter().map(|x| f64::from(x.abs())).fold(0.0, f64::max)
    }

    #[test]
    fn features_of_a_spectrogram_equal_those_of_its_samples() {
        let [stft, mel, log_mel] = [FeatureKind::Stft, FeatureKind::Mel, FeatureKind::LogMel].map(of_samples);
        for (spectrogram, n_known) in [
            (SpectrogramInput::Magnitude(&stft.values), 20),
            (SpectrogramInput::Mel(&mel.values), 8),
            (SpectrogramInput::LogMel(&log_mel.values), 6),
        ] {
            let mut n_found = 0;
            for &kind in FeatureKind::ALL {
                let mut extractor = spec_of(&[kind]).extractor().unwrap();
                let Ok(found) = extractor.extract_spectrogram(spectrogram) else { continue };
                let expected = of_samples(kind);
                assert_eq!((found.n_frames, found.n_bins), (expected.n_frames, expected.n_bins), "{kind:?}");
                // Single precision, in place of double, is within the accuracy of the contrast of empty bands.
                let tolerance = if kind == FeatureKind::SpectralContrast { 0.2 } else { 2e-3 };
                assert_close(&found.values, &expected.values, tolerance * largest(&expected.values));
                n_found += 1;
            }
            assert_eq!(n_found, n_known);
        }
    }

    #[test]
    fn kinds_of_samples_and_summaries_are_refused() {
        let values = [0.0; 40];
        let refused = |spec: FeatureSpec, spectrogram: SpectrogramInput<'_>| match spec
            .extractor()
            .unwrap()
            .extract_spectrogram(spectrogram)
        {
            Err(Error::InvalidSpec { parameter, .. }) => parameter,
            other => panic!("{other:?}"),
        };
        assert_eq!(refused(spec_of(&[FeatureKind::Rms]), SpectrogramInput::Mel(&values)), "kinds");
        assert_eq!(refused(spec_of(&[FeatureKind::Mel]), SpectrogramInput::LogMel(&values)), "kinds");
        assert_eq!(refused(spec_of(&[FeatureKind::SpectralFlux]), SpectrogramInput::Mel(&values)), "kinds");
        let summary = FeatureSpec { summary: Some(Default::default()), ..spec_of(&[FeatureKind::Mfcc]) };
        assert_eq!(refused(summary, SpectrogramInput::Mel(&values)), "summary");
    }

    #[test]
    fn an_empty_spectrogram_has_no_frames() {
        let found = spec_of(&[FeatureKind::Mfcc]).extractor().unwrap();
        let found = found.clone().extract_spectrogram(SpectrogramInput::LogMel(&[])).unwrap();
        assert_eq!((found.n_frames, found.n_bins, found.values.len()), (0, 20, 0));
    }
}
