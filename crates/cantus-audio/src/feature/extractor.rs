//! A feature specification, planned: sound in, features out.
//!
//! What several kinds are made of (the STFT, mel bands, their levels) is computed once for a segment, then each kind
//! writes its columns.
//!
//! The course's MFCCs of a 30 s track, in ten segments, take 3.1 ms on one thread of a Zen 4, of which the STFT is more
//! than 2 (`cargo run --release -p cantus-audio --example mfcc_speed`). Loops over plain slices are enough, where
//! `#[multiversion]` compiles them for several instruction sets; `bench/audio` measures each feature beside librosa's.

use super::kind::{Plan, Rows};
use super::shared::{Shared, Sound};
use super::{FeatureSpec, Features};
use crate::Error;

/// Computes the features that a [`FeatureSpec`] describes; made by [`FeatureSpec::extractor`].
///
/// Planned once for any number of segments; working space is kept from one segment to the next. One extractor serves
/// one thread: clone it for others.
#[derive(Debug, Clone)]
pub struct FeatureExtractor {
    spec: FeatureSpec,
    shared: Shared,
    /// One for each kind of the specification.
    plans: Vec<Plan>,
}

impl FeatureExtractor {
    pub(super) fn new(spec: FeatureSpec) -> Result<Self, Error> {
        spec.validate()?;
        let plans = spec.kinds.iter().map(|kind| kind.plan(&spec)).collect();
        Ok(Self { shared: Shared::new(&spec)?, plans, spec })
    }

    /// What it was planned from.
    pub fn spec(&self) -> &FeatureSpec {
        &self.spec
    }

    /// Features of a segment, however long it is.
    ///
    /// `top_db` counts from the loudest value of this segment. Silence gives finite numbers.
    ///
    /// # Shapes
    /// - `samples`: at the specification's sample rate
    /// - returns: `[spec.n_frames(samples.len()), spec.n_bins()]`; no frames of no samples
    ///   (librosa: one, silent)
    pub fn extract(&mut self, samples: &[f32]) -> Features {
        let mut values = Vec::new();
        self.extract_into(samples, &mut values);
        Features { values, n_frames: self.spec.n_frames(samples.len()), n_bins: self.spec.n_bins() }
    }

    /// [`Self::extract`] into a buffer that is used again: its contents are replaced.
    pub fn extract_into(&mut self, samples: &[f32], values: &mut Vec<f32>) {
        let Self { spec, shared, plans } = self;
        let (n_frames, n_bins) = (spec.n_frames(samples.len()), spec.n_bins());
        shared.compute(samples, spec);
        if let [kind] = spec.kinds[..]
            && let Some(intermediate) = kind.intermediate()
        {
            // Nothing stands beside it: the buffers change places, and nothing is copied.
            return std::mem::swap(shared.buffer_mut(intermediate), values);
        }
        values.clear();
        values.resize(n_frames * n_bins, 0.0);
        let sound = Sound { samples, n_frames, spec, shared };
        for (plan, (_, columns)) in plans.iter_mut().zip(spec.columns()) {
            plan.compute(&sound, Rows::new(values, n_bins, columns.start, columns.len()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_close::assert_close;
    use crate::feature::FeatureKind;

    fn chirp(n_samples: usize) -> Vec<f32> {
        (0..n_samples).map(|n| (n as f32 * n as f32 * 2e-5).sin() * 0.5).collect()
    }

    fn spec_of(kinds: &[FeatureKind]) -> FeatureSpec {
        FeatureSpec {
            kinds: kinds.to_vec(),
            n_fft: 512,
            hop_length: 128,
            n_mels: 40,
            ..FeatureSpec::default()
        }
    }

    #[test]
    fn kinds_side_by_side_are_each_kind_alone() {
        let samples = chirp(3000);
        let spec = spec_of(FeatureKind::ALL);
        let together = spec.extractor().unwrap().extract(&samples);
        assert_eq!(together.values.len(), together.n_frames * together.n_bins);
        for (kind, columns) in spec.columns() {
            let alone = spec_of(&[kind]).extractor().unwrap().extract(&samples);
            let rows = together.values.chunks_exact(together.n_bins);
            let found: Vec<f32> = rows.flat_map(|row| &row[columns.clone()]).copied().collect();
            assert_eq!(found, alone.values, "{kind:?}");
        }
    }

    #[test]
    fn the_same_sound_gives_the_same_bits_whatever_came_before() {
        let mut used = FeatureSpec::course().extractor().unwrap();
        let mut values = used.extract(&chirp(50_000)).values;
        used.extract_into(&chirp(5000), &mut values);
        let mut fresh = FeatureSpec::course().extractor().unwrap();
        assert_eq!(values, fresh.extract(&chirp(5000)).values);
        assert_eq!(values, used.clone().extract(&chirp(5000)).values);
    }

    #[test]
    fn a_buffer_that_is_large_enough_is_not_allocated_anew() {
        let mut extractor = spec_of(FeatureKind::ALL).extractor().unwrap();
        let samples = chirp(3000);
        let mut values = Vec::new();
        extractor.extract_into(&samples, &mut values);
        let buffers = |e: &FeatureExtractor, v: &Vec<f32>| {
            [v.as_ptr(), e.shared.mel.as_ptr(), e.shared.log_mel.as_ptr()]
        };
        let before = buffers(&extractor, &values);
        extractor.extract_into(&samples[..2000], &mut values);
        extractor.extract_into(&samples, &mut values);
        assert_eq!(buffers(&extractor, &values), before);
    }

    #[test]
    fn silence_is_finite() {
        let mfcc = FeatureSpec::course().extractor().unwrap().extract(&[0.0; 66_150]);
        let rows: Vec<&[f32]> = mfcc.values.chunks_exact(13).collect();
        // librosa.feature.mfcc(y=np.zeros(66150), n_mfcc=13)[:, 0]: the others are 0
        assert_close(&rows[0][..1], &[-1_131.370_85], 1e-2);
        assert!(rows.iter().all(|row| row[1..].iter().all(|x| x.abs() < 1e-3)));
    }

    #[test]
    fn no_length_of_sound_is_refused() {
        for center in [true, false] {
            let mut extractor = FeatureSpec { center, ..spec_of(FeatureKind::ALL) }.extractor().unwrap();
            for n_samples in [0, 1, 2, 127, 128, 511, 512, 513] {
                let features = extractor.extract(&chirp(n_samples));
                assert_eq!(features.n_frames, extractor.spec().n_frames(n_samples));
                assert_eq!(features.values.len(), features.n_frames * features.n_bins);
                assert!(features.values.iter().all(|x| x.is_finite()));
            }
        }
    }

    #[test]
    fn samples_that_are_no_sound_still_have_finite_mfccs() {
        let mut extractor = FeatureSpec::course().extractor().unwrap();
        for sample in [f32::NAN, f32::INFINITY, f32::MAX, 1e20] {
            assert!(extractor.extract(&[sample; 5000]).values.iter().all(|x| x.is_finite()), "{sample}");
        }
    }
}
