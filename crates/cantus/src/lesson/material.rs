//! What the later lessons learn from: segments of music with their labels, split by track and normalised.

use cantus_audio::feature::{FeatureExtractor, FeatureSpec, Segments};
use cantus_audio::synth::{Corpus, Genre, Track, compose};
use cantus_dataset::{Catalog, ExtractOptions, FeatureStore, SplitSpec, extract};
use cantus_nn::InMemory;
use rayon::prelude::*;

use super::Sheet;
use crate::{Error, Normalization, Normalizer};

/// Segments to learn from, and segments of other tracks to be judged by.
#[derive(Debug, Clone, PartialEq)]
pub struct Material {
    /// Names of the classes.
    pub labels: Vec<String>,
    /// Frames of a segment.
    pub n_frames: usize,
    /// Features of a frame.
    pub n_bins: usize,
    /// To learn from.
    pub train: Part,
    /// To be judged by.
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

/// The music that is composed where the user gave none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Music {
    /// Which genres.
    pub genres: &'static [Genre],
    /// Tracks of each to learn from.
    pub n_train: usize,
    /// Tracks of each to be judged by.
    pub n_validation: usize,
    /// Length of a track, in seconds; a segment has three.
    pub duration_s: f64,
}

impl Part {
    /// The segments as a network takes them.
    pub fn examples(&self) -> InMemory<'_> {
        InMemory::classes(&self.inputs, &self.classes)
    }

    fn push(&mut self, features: &[f32], class: usize) {
        self.inputs.extend_from_slice(features);
        self.classes.push(class);
    }
}

impl Material {
    /// Features of the user's own folder if there is one, else of composed music.
    ///
    /// Every bin is brought to zero mean and unit deviation, learnt from the part that is learnt from.
    ///
    /// # Errors
    /// If the folder holds no labelled recordings, or features cannot be extracted.
    pub fn prepare(sheet: &mut Sheet<'_>, music: &Music, spec: &FeatureSpec) -> Result<Self, Error> {
        let mut material = match sheet.data().map(ToOwned::to_owned) {
            Some(data) => Self::of_folder(sheet, &data, spec)?,
            None => Self::of_composed(music, spec)?,
        };
        let normalization = material.learn_normalization();
        normalization.apply(&mut material.train.inputs);
        normalization.apply(&mut material.validation.inputs);
        let Self { labels, n_frames, n_bins, train, validation } = &material;
        sheet.say(format_args!(
            "{} segments of {n_frames} frames × {n_bins} features to learn from and {} of other tracks to be judged by,\n\
             in {} classes: {}.",
            train.classes.len(),
            validation.classes.len(),
            labels.len(),
            labels.join(", "),
        ));
        Ok(material)
    }

    /// Whoever guesses is right this often.
    pub fn chance(&self) -> f64 {
        1.0 / self.labels.len() as f64
    }

    fn learn_normalization(&self) -> Normalization {
        let mut normalizer = Normalizer::new(self.n_bins);
        normalizer.look_at(&self.train.inputs);
        normalizer.finish()
    }

    fn of_composed(music: &Music, spec: &FeatureSpec) -> Result<Self, Error> {
        let n_tracks = music.n_train + music.n_validation;
        let tracks = Corpus::new(n_tracks, 0).filter(|track| music.genres.contains(&track.genre));
        let tracks: Vec<Track> = tracks.collect();
        let n_segments = (music.duration_s / 3.0).max(1.0) as usize;
        let segments = Segments { track_duration_s: music.duration_s, n_segments };
        let spec = FeatureSpec { segments, ..spec.clone() };
        let extractor = spec.extractor()?;
        let heard = |extractor: &mut FeatureExtractor, track: &Track| {
            let audio = compose(track.genre, track.seed, music.duration_s, spec.sample_rate);
            let pieces = audio.samples.chunks_exact(spec.segment_samples());
            pieces.map(|piece| extractor.extract(piece).values).collect::<Vec<_>>()
        };
        let heard: Vec<_> = tracks.par_iter().map_init(|| extractor.clone(), heard).collect();
        let labels = music.genres.iter().map(|genre| genre.name().to_owned()).collect();
        let (mut train, mut validation) = (Part::default(), Part::default());
        for (track, segments) in tracks.iter().zip(heard) {
            let part = if track.index < music.n_train { &mut train } else { &mut validation };
            let class = music.genres.iter().position(|genre| *genre == track.genre).unwrap_or(0);
            segments.iter().for_each(|segment| part.push(segment, class));
        }
        Ok(Self { labels, n_frames: spec.frames_per_segment(), n_bins: spec.n_bins(), train, validation })
    }

    fn of_folder(sheet: &mut Sheet<'_>, data: &std::path::Path, spec: &FeatureSpec) -> Result<Self, Error> {
        let catalog = Catalog::open(data)?;
        let folder = sheet.folder().join("features");
        let options = ExtractOptions { overwrite: true, ..ExtractOptions::default() };
        let extraction = extract(&catalog, spec, &folder, &options, &|_| {})?;
        for failure in &extraction.failures {
            sheet.say(format_args!("lost: {}: {}", failure.path, failure.reason));
        }
        let store = FeatureStore::open(&folder)?;
        let split = store.split(&SplitSpec { validation: 0.25, test: 0.0, ..SplitSpec::default() })?;
        let part = |segments: &[usize]| {
            let classes = segments.iter().map(|&segment| store.label_of(segment)).collect();
            Ok::<_, Error>(Part { inputs: store.read_segments(segments)?, classes })
        };
        let (train, validation) = (part(&split.train)?, part(&split.validation)?);
        let labels = store.labels().to_vec();
        Ok(Self { labels, n_frames: store.n_frames(), n_bins: store.n_bins(), train, validation })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MUSIC: Music =
        Music { genres: &[Genre::Classical, Genre::Metal], n_train: 2, n_validation: 1, duration_s: 6.0 };

    #[test]
    fn composed_tracks_stand_on_one_side_each_and_are_normalised_by_what_is_learnt_from() {
        let mut words = Vec::new();
        let mut sheet = Sheet::new("unused", &mut words);
        let material = Material::prepare(&mut sheet, &MUSIC, &FeatureSpec::course()).unwrap();
        assert_eq!((material.train.classes.len(), material.validation.classes.len()), (8, 4));
        assert_eq!(material.train.inputs.len(), 8 * material.n_frames * material.n_bins);
        assert_eq!(material.labels, ["classical", "metal"]);
        let sum: f32 = material.train.inputs.iter().step_by(material.n_bins).sum();
        assert!((sum / (8 * material.n_frames) as f32).abs() < 1e-3, "{sum}");
    }

    #[test]
    fn a_folder_of_the_users_own_takes_the_place_of_composed_music() {
        let folder = tempfile::tempdir().unwrap();
        for track in Corpus::new(4, 1).filter(|track| track.genre <= Genre::Classical) {
            let path = folder.path().join("music").join(&track.file_name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let audio = compose(track.genre, track.seed, 6.0, 22_050);
            cantus_audio::synth::write_wav(path, &audio).unwrap();
        }
        let mut words = Vec::new();
        let sheet = Sheet::new(folder.path().join("13"), &mut words);
        let mut sheet = sheet.with_data(Some(folder.path().join("music")));
        let material = Material::prepare(&mut sheet, &MUSIC, &FeatureSpec::course()).unwrap();
        assert_eq!(material.labels, ["blues", "classical"]);
        assert_eq!((material.train.classes.len(), material.validation.classes.len()), (12, 4));
        assert!(String::from_utf8(words).unwrap().contains("blues, classical"));
    }
}
