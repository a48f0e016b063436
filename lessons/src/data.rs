//! Data for the lessons that train a classifier: labelled segments of music, split by track.

use std::path::Path;

use cantus_audio::augment::{AugmentSpec, Augmenter};
use cantus_audio::feature::{FeatureExtractor, FeatureSpec, Segments};
use cantus_dataset::{Catalog, ExtractOptions, FeatureStore, SplitSpec, extract};
use cantus_nn::{InMemory, Network};
use cantus_synth::{Corpus, Genre, TrackSpec, compose};
use rayon::prelude::*;

use crate::output::LessonOutput;
use cantus::{Error, Normalization, Normalizer, Recipe};

/// Segments of the training part, and segments of other tracks for validation.
#[derive(Debug, Clone, PartialEq)]
pub struct LessonData {
    /// Names of the classes.
    pub labels: Vec<String>,
    /// Frames of a segment.
    pub n_frames: usize,
    /// Features of a frame.
    pub n_bins: usize,
    /// Training part.
    pub train: Part,
    /// Augmented copies of the training part; empty if there are none.
    pub copies: Part,
    /// Validation part.
    pub validation: Part,
}

/// Some segments and their classes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Part {
    /// `[n_segments, n_frames, n_bins]`
    pub inputs: Vec<f32>,
    /// `[n_segments]`
    pub classes: Vec<usize>,
}

/// The synthetic music of a lesson, used if there are no recordings of the user.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Music {
    /// Genres, which are the classes.
    pub genres: &'static [Genre],
    /// Tracks of each genre in the training part.
    pub n_train: usize,
    /// Tracks of each genre in the validation part.
    pub n_validation: usize,
    /// Length of a track, in seconds; a segment has three seconds.
    pub duration_s: f64,
}

impl Part {
    /// The segments as examples for a network.
    pub fn examples(&self) -> InMemory<'_> {
        InMemory::classes(&self.inputs, &self.classes)
    }

    /// The segments with these indices.
    ///
    /// # Panics
    /// If one of `indices` is not less than the number of segments.
    #[must_use]
    pub fn subset(&self, indices: impl Iterator<Item = usize>) -> Self {
        let n_values = self.inputs.len().checked_div(self.classes.len()).unwrap_or(0);
        let mut subset = Self::default();
        for index in indices {
            subset.push(&self.inputs[index * n_values..(index + 1) * n_values], self.classes[index]);
        }
        subset
    }

    /// The segments of both, concatenated.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let inputs = [&self.inputs[..], &other.inputs].concat();
        Self { inputs, classes: [&self.classes[..], &other.classes].concat() }
    }

    fn push(&mut self, features: &[f32], class: usize) {
        self.inputs.extend_from_slice(features);
        self.classes.push(class);
    }
}

impl LessonData {
    /// Features of the user's folder if there is one, else of synthetic music. The recipe defines the features, and whether
    /// each bin is normalised to zero mean and unit deviation over the training part.
    ///
    /// # Errors
    /// If the folder holds no labelled recordings, or features cannot be extracted.
    pub fn prepare(out: &mut LessonOutput<'_>, music: &Music, recipe: &Recipe) -> Result<Self, Error> {
        Self::prepare_with_copies(out, music, recipe, &AugmentSpec::default())
    }

    /// The same, with augmented copies of every track of the training part.
    ///
    /// # Errors
    /// Those of [`LessonData::prepare`], and if the augmentation is invalid.
    pub fn prepare_with_copies(
        out: &mut LessonOutput<'_>,
        music: &Music,
        recipe: &Recipe,
        copies: &AugmentSpec,
    ) -> Result<Self, Error> {
        let mut data = match out.data().map(ToOwned::to_owned) {
            Some(data) => Self::of_folder(out, &data, &recipe.features, copies)?,
            None => Self::of_composed(music, &recipe.features, copies)?,
        };
        if recipe.normalize {
            let normalization = data.fit_normalization();
            for part in [&mut data.train, &mut data.copies, &mut data.validation] {
                normalization.apply(&mut part.inputs);
            }
        }
        let Self { labels, n_frames, n_bins, train, validation, .. } = &data;
        out.say(format_args!(
            "{} segments of {n_frames} frames × {n_bins} features to train on, {} of other tracks to validate on,\n\
             in {} classes: {}.",
            train.classes.len(),
            validation.classes.len(),
            labels.len(),
            labels.join(", "),
        ));
        Ok(data)
    }

    /// Accuracy of uniform random guessing.
    pub fn chance_level(&self) -> f64 {
        1.0 / self.labels.len() as f64
    }

    /// Prints the true and the predicted label of one segment of the validation part; of the last one, if `index` is out of
    /// range.
    ///
    /// # Errors
    /// If the network was built for segments of another shape.
    pub fn predict_one(
        &self,
        out: &mut LessonOutput<'_>,
        network: &Network,
        index: usize,
    ) -> Result<(), Error> {
        let index = index.min(self.validation.classes.len().saturating_sub(1));
        let segment = self.validation.subset(std::iter::once(index));
        let probabilities = network.predict(&segment.inputs)?;
        let most = (0..probabilities.len()).max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]));
        let name = |class: usize| self.labels.get(class).map_or("", String::as_str);
        for (expected, predicted) in segment.classes.into_iter().zip(most) {
            // The test of the book ignores text in quotes: the label can differ between processors.
            out.say(format_args!(
                "  expected: {expected} {}, predicted: ≈ \"{predicted} {}\"",
                name(expected),
                name(predicted),
            ));
        }
        Ok(())
    }

    fn fit_normalization(&self) -> Normalization {
        let mut normalizer = Normalizer::new(self.n_bins);
        normalizer.look_at(&self.train.inputs);
        normalizer.finish()
    }

    fn of_composed(music: &Music, spec: &FeatureSpec, copies: &AugmentSpec) -> Result<Self, Error> {
        let n_segments = (music.duration_s / 3.0).max(1.0) as usize;
        let segments = Segments { track_duration_s: music.duration_s, n_segments };
        let spec = FeatureSpec { segments, ..spec.clone() };
        let extractor =
            SegmentExtractor { extractor: spec.extractor()?, augmenter: copies.plan(spec.sample_rate)? };
        let n_tracks = music.n_train + music.n_validation;
        let tracks = Corpus::new(n_tracks, 0).filter(|track| music.genres.contains(&track.genre));
        let tracks: Vec<TrackSpec> = tracks.collect();
        let extract = |extractor: &mut SegmentExtractor, track: &TrackSpec| {
            let n_copies = if track.index < music.n_train { copies.copies } else { 0 };
            extractor.extract(track, music.duration_s, n_copies)
        };
        let segmented: Vec<Vec<Segmented>> =
            tracks.par_iter().map_init(|| extractor.clone(), extract).collect();
        let labels = music.genres.iter().map(|genre| genre.name().to_owned()).collect();
        let (n_frames, n_bins) = (spec.frames_per_segment(), spec.n_bins());
        let [mut train, mut altered, mut validation] = [Part::default(), Part::default(), Part::default()];
        for (track, versions) in tracks.iter().zip(segmented) {
            let class = music.genres.iter().position(|genre| *genre == track.genre).unwrap_or(0);
            for (number, segments) in versions.iter().enumerate() {
                let part = match (track.index < music.n_train, number) {
                    (false, _) => &mut validation,
                    (true, 0) => &mut train,
                    (true, _) => &mut altered,
                };
                segments.iter().for_each(|segment| part.push(segment, class));
            }
        }
        Ok(Self { labels, n_frames, n_bins, train, copies: altered, validation })
    }

    fn of_folder(
        out: &mut LessonOutput<'_>,
        data: &Path,
        spec: &FeatureSpec,
        copies: &AugmentSpec,
    ) -> Result<Self, Error> {
        let catalog = Catalog::open(data)?;
        let folder = out.folder().join("features");
        let augmentation = Some(copies.clone());
        let options = ExtractOptions { overwrite: true, augmentation, ..ExtractOptions::default() };
        let extraction = extract(&catalog, spec, &folder, &options, &|_| {})?;
        for failure in &extraction.failures {
            out.say(format_args!("lost: {}: {}", failure.path, failure.reason));
        }
        let store = FeatureStore::open(&folder)?;
        let split = store.split(&SplitSpec { validation: 0.25, test: 0.0, ..SplitSpec::default() })?;
        let part = |segments: &[usize]| {
            let classes = segments.iter().map(|&segment| store.label_of(segment)).collect();
            Ok::<_, Error>(Part { inputs: store.read_segments(segments)?, classes })
        };
        let mut train_tracks: Vec<usize> =
            split.train.iter().map(|&segment| store.track_of(segment)).collect();
        train_tracks.dedup();
        let altered: Vec<usize> =
            train_tracks.into_iter().flat_map(|track| store.copies_of(track)).flatten().collect();
        Ok(Self {
            labels: store.labels().to_vec(),
            n_frames: store.n_frames(),
            n_bins: store.n_bins(),
            train: part(&split.train)?,
            copies: part(&altered)?,
            validation: part(&split.validation)?,
        })
    }
}

/// The segments of one version of a track, `[n_segments][n_frames, n_bins]`.
type Segmented = Vec<Vec<f32>>;

/// Extracts the segments of a synthetic track and of its augmented copies.
#[derive(Clone)]
struct SegmentExtractor {
    extractor: FeatureExtractor,
    augmenter: Augmenter,
}

impl SegmentExtractor {
    /// The segments of the track, then those of its augmented copies.
    fn extract(&mut self, track: &TrackSpec, duration_s: f64, n_copies: usize) -> Vec<Segmented> {
        let audio = compose(track.genre, track.seed, duration_s, self.extractor.spec().sample_rate);
        let mut versions = vec![self.segments(&audio.samples)];
        for number in 1..=n_copies {
            let copy = self.augmenter.copy(&audio, &track.file_name, number);
            versions.push(self.segments(&copy.samples));
        }
        versions
    }

    fn segments(&mut self, samples: &[f32]) -> Segmented {
        let n_samples = self.extractor.spec().segment_samples();
        samples.chunks_exact(n_samples).map(|piece| self.extractor.extract(piece).values).collect()
    }
}

#[cfg(test)]
mod tests {
    use cantus_audio::augment::{AudioAugmentation, pitch_shift::PitchShift};

    use super::*;

    const MUSIC: Music =
        Music { genres: &[Genre::Classical, Genre::Metal], n_train: 2, n_validation: 1, duration_s: 6.0 };

    #[test]
    fn parts_have_different_tracks_and_features_are_normalised_if_the_recipe_says_so() {
        let mut words = Vec::new();
        let mut out = LessonOutput::new("unused", &mut words);
        for name in ["mlp", "mlp-normalised"] {
            let recipe = Recipe::load(name).unwrap();
            let data = LessonData::prepare(&mut out, &MUSIC, &recipe).unwrap();
            assert_eq!((data.train.classes.len(), data.validation.classes.len()), (8, 4));
            assert_eq!(data.train.inputs.len(), 8 * data.n_frames * data.n_bins);
            assert_eq!(data.labels, ["classical", "metal"]);
            let sum: f32 = data.train.inputs.iter().step_by(data.n_bins).sum();
            let mean = sum / (8 * data.n_frames) as f32;
            // Coefficient 0 follows the level in dB, which is far below 0 for any music.
            assert_eq!(mean.abs() < 1e-3, recipe.normalize, "{name}: {mean}");
        }
    }

    #[test]
    fn a_subset_has_the_segments_of_the_indices() {
        let part = Part { inputs: vec![0.0, 0.5, 1.0, 1.5, 2.0, 2.5], classes: vec![7, 8, 9] };
        let expected = Part { inputs: vec![2.0, 2.5, 0.0, 0.5], classes: vec![9, 7] };
        assert_eq!(part.subset([2, 0].into_iter()), expected);
    }

    #[test]
    fn only_the_training_part_has_copies() {
        let mut words = Vec::new();
        let mut out = LessonOutput::new("unused", &mut words);
        let pitch_shift = PitchShift { probability: 1.0, range: [1.0, 2.0] };
        let audio = vec![AudioAugmentation::PitchShift(pitch_shift)];
        let copies = AugmentSpec { copies: 2, seed: 0, audio };
        let recipe = Recipe::load("mlp").unwrap();
        let data = LessonData::prepare_with_copies(&mut out, &MUSIC, &recipe, &copies).unwrap();
        assert_eq!((data.copies.classes.len(), data.validation.classes.len()), (16, 4));
        assert_ne!(data.copies.inputs[..100], data.train.inputs[..100]);
        assert_eq!(data.train.and(&data.copies).classes.len(), 24);
        let plain = LessonData::prepare(&mut out, &MUSIC, &recipe).unwrap();
        assert_eq!(plain.train, data.train);
        assert_eq!(plain.copies, Part::default());
    }

    #[test]
    fn a_folder_of_recordings_replaces_synthetic_music() {
        let folder = tempfile::tempdir().unwrap();
        for track in Corpus::new(4, 1).filter(|track| track.genre <= Genre::Classical) {
            let path = folder.path().join("music").join(&track.file_name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let audio = compose(track.genre, track.seed, 6.0, 22_050);
            cantus_audio::write_wav(path, &audio).unwrap();
        }
        let mut words = Vec::new();
        let out = LessonOutput::new(folder.path().join("13"), &mut words);
        let mut out = out.with_data(Some(folder.path().join("music")));
        let data = LessonData::prepare(&mut out, &MUSIC, &Recipe::load("mlp").unwrap()).unwrap();
        assert_eq!(data.labels, ["blues", "classical"]);
        assert_eq!((data.train.classes.len(), data.validation.classes.len()), (12, 4));
        assert!(String::from_utf8(words).unwrap().contains("blues, classical"));
    }
}
