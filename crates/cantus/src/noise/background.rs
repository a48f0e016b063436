//! Synthesised sounds as training examples of the class `_background_`, whose recordings may have none of these kinds.

use cantus_audio::feature::FeatureSpec;
use cantus_audio::noise::NoiseKind;
use cantus_dataset::{BACKGROUND_LABEL, FeatureStore};
use cantus_random::KeyedRng;
use rayon::prelude::*;

use crate::{Error, rng_streams};

/// Limits on the segments of each kind.
const N_PER_KIND: [usize; 2] = [10, 60];

/// Range of the peak levels, in dB relative to full scale; wider than that of a report, so that its limits are covered.
const PEAK_DB: [f32; 2] = [-46.0, 0.0];

/// Features of synthesised sounds, one segment each.
#[derive(Debug, PartialEq)]
pub(crate) struct BackgroundExamples {
    /// Index of the label `_background_`.
    pub(crate) class: usize,
    /// Number of segments.
    pub(crate) n_segments: usize,
    /// `[n_segments, n_frames, n_bins]`
    pub(crate) features: Vec<f32>,
}

impl BackgroundExamples {
    /// Examples for a training part of `n_train` segments: about as many as a label has on average, 50 to 300. `None` if no
    /// label is `_background_`, or labels are tags.
    ///
    /// # Errors
    /// If the store's feature specification cannot be computed.
    pub(crate) fn synthesize(store: &FeatureStore, n_train: usize, seed: u64) -> Result<Option<Self>, Error> {
        let class = store.labels().iter().position(|label| label == BACKGROUND_LABEL);
        let Some(class) = class.filter(|_| !store.is_tagged()) else { return Ok(None) };
        let kinds: Vec<NoiseKind> =
            NoiseKind::ALL.into_iter().filter(|kind| *kind != NoiseKind::Silence).collect();
        let [least, most] = N_PER_KIND;
        let n_per_kind = (n_train / store.labels().len() / kinds.len()).clamp(least, most) as u64;
        let keys = |kind| (0..n_per_kind).map(move |number| (kind, number));
        let keys: Vec<(NoiseKind, u64)> = kinds.into_iter().flat_map(keys).collect();
        let (spec, extractor) = (store.spec(), store.spec().extractor()?);
        let segments: Vec<Vec<f32>> = keys
            .par_iter()
            .with_max_len(1)
            .map_init(
                || extractor.clone(),
                |extractor, (kind, number)| extractor.extract(&sound(spec, *kind, seed, *number)).values,
            )
            .collect();
        let n_segments = segments.len();
        let features: Vec<f32> = segments.into_iter().flatten().collect();
        // The same condition as for a recording; without the examples, training is possible.
        let is_finite = features.iter().all(|value| value.is_finite());
        Ok(is_finite.then_some(Self { class, n_segments, features }))
    }
}

fn sound(spec: &FeatureSpec, kind: NoiseKind, seed: u64, number: u64) -> Vec<f32> {
    let mut rng = KeyedRng::new([rng_streams::TRAINING_NOISE, seed, kind as u64, number]);
    let peak_db = rng.uniform_in(PEAK_DB);
    kind.synthesize(spec.segment_samples(), spec.sample_rate, peak_db, &mut rng)
}
