//! The sounds of a report: their features, and a model's predictions for them.

use cantus_audio::feature::{FeatureExtractor, FeatureSpec, Segmenter};
use cantus_audio::noise::NoiseKind;
use cantus_dataset::BACKGROUND_LABEL;
use cantus_metrics::aggregate::arg_max;
use cantus_random::KeyedRng;
use rayon::prelude::*;

use crate::{Error, Model, rng_streams};

/// Sounds of each kind but silence, of which there is one.
const N_PER_KIND: u64 = 20;

/// Range of the peak levels, in dB relative to full scale.
const PEAK_DB: [f32; 2] = [-40.0, -6.0];

/// A sound is as long as one to ten segments, but no longer than this if a segment is shorter: stationary sounds gain nothing
/// from more, and a report takes time. With an embedding model, which takes longer, a sound is one segment long.
const MAX_DURATION_S: f64 = 20.0;

/// Segments per prediction block: bounds the memory, does not affect the result.
const BLOCK: usize = 256;

/// The features of the sounds, as extracted for a prediction.
#[derive(Debug, Default)]
pub(crate) struct NoiseSounds {
    /// Kind and number of segments of each sound; 0 if it has none, such as silence.
    pub(super) sounds: Vec<(NoiseKind, usize)>,
    /// `[n_segments, n_frames, n_bins]`: the segments of all sounds.
    pub(super) features: Vec<f32>,
    /// `n_frames * n_bins`
    pub(super) segment_len: usize,
}

/// Kind and number, within its kind, of each sound.
fn keys() -> impl Iterator<Item = (NoiseKind, u64)> {
    let number_of = |kind| if kind == NoiseKind::Silence { 1 } else { N_PER_KIND };
    NoiseKind::ALL.into_iter().flat_map(move |kind| (0..number_of(kind)).map(move |number| (kind, number)))
}

/// Kind of each sound.
pub(super) fn kinds() -> impl Iterator<Item = NoiseKind> {
    keys().map(|(kind, _)| kind)
}

/// A model's prediction for a sound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct NoisePrediction {
    pub(crate) kind: NoiseKind,
    /// Probability of the predicted label, or of the most probable tag; `None` if that is `_background_`, or the sound has no
    /// segment.
    pub(crate) probability: Option<f64>,
}

impl NoiseSounds {
    /// The sounds for models of these features.
    pub(super) fn of(spec: &FeatureSpec) -> Result<Self, Error> {
        let extractor = spec.extractor()?;
        let keys: Vec<(NoiseKind, u64)> = keys().collect();
        let extracted: Vec<(usize, Vec<f32>)> = keys
            .par_iter()
            .with_max_len(1)
            .map_init(
                || extractor.clone(),
                |extractor, (kind, number)| {
                    segments(extractor, &sound(spec, *kind, *number)).unwrap_or_default()
                },
            )
            .collect();
        let sounds = keys.iter().zip(&extracted).map(|((kind, _), (n_segments, _))| (*kind, *n_segments));
        let segment_len = spec.frames_per_segment() * spec.n_bins();
        let sounds = sounds.collect();
        let features = extracted.into_iter().flat_map(|(_, features)| features).collect();
        Ok(Self { sounds, features, segment_len })
    }

    /// `[n_segments, n_frames, n_bins]`
    #[cfg(test)]
    pub(super) fn segments(&self) -> &[f32] {
        &self.features
    }

    /// The calibrated prediction for each sound, as [`Predictor`](crate::Predictor) computes it.
    ///
    /// # Errors
    /// If the features are not those of the model.
    pub(crate) fn predict(&self, model: &Model) -> Result<Vec<NoisePrediction>, Error> {
        let mut probabilities = Vec::new();
        for block in self.features.chunks((BLOCK * self.segment_len).max(1)) {
            probabilities.extend(model.predict_uncalibrated(block)?);
        }
        let mut rows = probabilities.chunks_exact(model.labels.len().max(1));
        let prediction = |&(kind, n_segments): &(NoiseKind, usize)| {
            let rows: Vec<&[f32]> = rows.by_ref().take(n_segments).collect();
            NoisePrediction { kind, probability: probability_of_class(model, &rows) }
        };
        Ok(self.sounds.iter().map(prediction).collect())
    }
}

/// Probability of the predicted label of a sound of these segments; `None` if that is `_background_`, or there is no segment.
fn probability_of_class(model: &Model, segments: &[&[f32]]) -> Option<f64> {
    if segments.is_empty() {
        return None;
    }
    let probabilities = model.aggregate(segments);
    let best = arg_max(&probabilities);
    (model.labels.get(best)? != BACKGROUND_LABEL).then_some(probabilities[best])
}

/// Number and features of a sound's segments; `None` if it has none.
fn segments(extractor: &mut FeatureExtractor, samples: &[f32]) -> Option<(usize, Vec<f32>)> {
    let (mut segmenter, mut features) = (Segmenter::default(), Vec::new());
    segmenter.push(extractor, samples, &mut features);
    let n_segments = segmenter.finish(extractor, &mut features).ok()?.len();
    Some((n_segments, features))
}

/// The samples of a sound: level and logarithm of the duration are uniform.
fn sound(spec: &FeatureSpec, kind: NoiseKind, number: u64) -> Vec<f32> {
    let mut rng = KeyedRng::new([rng_streams::REPORT_NOISE, kind as u64, number]);
    let shortest = spec.segment_samples();
    let limit = MAX_DURATION_S * f64::from(spec.sample_rate);
    let range = if spec.embeddings.is_empty() { (limit / shortest as f64).clamp(1.0, 10.0) } else { 1.0 };
    let n_samples = (shortest as f64 * range.powf(rng.uniform())).ceil() as usize;
    let peak_db = rng.uniform_in(PEAK_DB);
    kind.synthesize(n_samples, spec.sample_rate, peak_db, &mut rng)
}

#[cfg(test)]
mod tests {
    use cantus_audio::feature::{SegmentWindows, Segments};
    use cantus_nn::Network;

    use super::*;
    use crate::model::Provenance;
    use crate::{Calibration, Normalization};

    fn specs() -> [FeatureSpec; 3] {
        let windows = |duration_s| Segments::Windows(SegmentWindows::adjacent(duration_s));
        [
            FeatureSpec::course(),
            FeatureSpec { segments: windows(0.2), sample_rate: 8000, ..FeatureSpec::course() },
            FeatureSpec { segments: windows(40.0), sample_rate: 8000, ..FeatureSpec::course() },
        ]
    }

    #[test]
    fn all_sounds_but_silence_have_one_to_ten_segments_of_any_length() {
        for spec in specs() {
            let sounds = NoiseSounds::of(&spec).unwrap();
            assert_eq!(sounds.sounds[0], (NoiseKind::Silence, 0));
            let numbers = || sounds.sounds[1..].iter().map(|sound| sound.1);
            assert!(numbers().all(|n| (1..=10).contains(&n)), "{:?}", sounds.sounds);
            assert_eq!(numbers().len(), 100);
            assert_eq!(sounds.features.len(), numbers().sum::<usize>() * sounds.segment_len);
            assert!(sounds.features.iter().all(|value| value.is_finite()));
        }
        assert_eq!(
            NoiseSounds::of(&specs()[1]).unwrap().features,
            NoiseSounds::of(&specs()[1]).unwrap().features
        );
    }

    /// The same probabilities as those of a file with the same samples.
    #[test]
    fn sounds_are_predicted_as_files_are() {
        let recipe: crate::Recipe = toml::from_str("[training]\n[[layers]]\ntype = \"Flatten\"").unwrap();
        let spec = specs()[1].clone();
        let architecture = recipe.architecture(spec.frames_per_segment(), spec.n_bins(), 3);
        let model = Model {
            labels: ["a", "b", BACKGROUND_LABEL].map(str::to_owned).to_vec(),
            normalization: Normalization::identity(spec.n_bins()),
            features: spec.clone(),
            crops: None,
            calibration: Calibration { segment_temperature: 100.0, track_temperature: 100.0 },
            provenance: Provenance::default(),
            network: Network::new(&architecture, 3).unwrap(),
        };
        let predictions = NoiseSounds::of(&spec).unwrap().predict(&model).unwrap();
        assert_eq!(predictions[0].probability, None);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sound.wav");
        let mut n_background = 0;
        for (index, number) in [(1, 0), (20, 19), (41, 0), (62, 1), (83, 2)] {
            let NoisePrediction { kind, probability } = predictions[index];
            let samples = sound(&spec, kind, number);
            cantus_audio::write_wav(&path, &cantus_audio::Audio { samples, sample_rate: 8000 }).unwrap();
            let of_file = model.predict_file(&path).unwrap();
            match probability {
                None => assert_eq!(of_file.label, BACKGROUND_LABEL),
                Some(p) => assert!((f64::from(of_file.probability) - p).abs() < 1e-4, "{p} {of_file:?}"),
            }
            n_background += usize::from(probability.is_none());
        }
        assert!(n_background < 5, "no sound of another label");
    }
}
