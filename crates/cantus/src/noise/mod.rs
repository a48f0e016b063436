//! Synthesised sounds that belong to no class: those whose predictions a report counts, and those that the class
//! `_background_` is trained on in addition to its recordings.
//!
//! Both are drawn from the same kinds, levels and durations, with keys that have no part in common.

mod background;
mod cache;
mod sounds;

pub(crate) use background::BackgroundExamples;
pub(crate) use sounds::{NoisePrediction, NoiseSounds};

#[cfg(test)]
mod tests {
    use std::path::Path;

    use cantus_audio::feature::{FeatureSpec, SegmentWindows, Segments};
    use cantus_audio::{Audio, write_wav};
    use cantus_dataset::{Catalog, ExtractOptions, FeatureStore, extract};
    use cantus_nn::{Examples, Target};

    use super::BackgroundExamples;
    use crate::bin_selection::BinSelection;
    use crate::segment_dataset::SegmentDataset;
    use crate::training::MemoryBudget;
    use crate::{Normalization, Recipe, TrainOptions};

    const SAMPLE_RATE: u32 = 22_050;

    fn write(path: &Path, audio: &Audio) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        write_wav(path, audio).unwrap();
    }

    /// Three recordings of chirps, which are neither music nor any of the synthesised sounds.
    fn chirps(folder: &Path) {
        for number in 0..3_u8 {
            let chirp = |i: usize| {
                let t = i as f32 / SAMPLE_RATE as f32;
                let cycles = (3000.0 + 40.0 * f32::from(number)) * t;
                0.2 * (std::f32::consts::TAU * cycles + 30.0 * (50.0 * t).sin()).sin()
                    * (9.0 * t).sin().max(0.0)
            };
            let samples = (0..100_000).map(chirp).collect();
            write(&folder.join(format!("{number}.wav")), &Audio { samples, sample_rate: SAMPLE_RATE });
        }
    }

    /// Features of eight tracks of each of ten genres, with or without a background.
    fn store(dir: &Path, spec: &FeatureSpec, with_background: bool) -> FeatureStore {
        let (music, noise, features) = (dir.join("music"), dir.join("noise"), dir.join("features"));
        for track in cantus_synth::Corpus::new(8, 1) {
            let audio = cantus_synth::compose(track.genre, track.seed, 4.1, SAMPLE_RATE);
            write(&music.join(&track.file_name), &audio);
        }
        chirps(&noise);
        let catalog = match with_background {
            true => Catalog::open_with_background(&music, &noise),
            false => Catalog::open(&music),
        };
        extract(&catalog.unwrap(), spec, &features, &ExtractOptions::default(), &|_| {}).unwrap();
        FeatureStore::open(&features).unwrap()
    }

    /// Numbers of the sounds of no class, and of those that are given one.
    fn given_a_class(recipe: &str, with_background: bool) -> (usize, usize) {
        let (dir, mut recipe) = (tempfile::tempdir().unwrap(), Recipe::load(recipe).unwrap());
        recipe.features.segments = Segments::Windows(SegmentWindows::adjacent(2.0));
        let store = store(dir.path(), &recipe.features, with_background);
        let trained = crate::train(&store, &recipe, &TrainOptions::default()).unwrap();
        let evaluated = crate::evaluate(&trained, &store).unwrap();
        let noise = evaluated.report.classes().and_then(|report| report.noise.as_ref()).unwrap();
        noise.kinds.iter().fold((0, 0), |(n, n_above), kind| (n + kind.n, n_above + kind.n_above))
    }

    #[test]
    fn with_a_background_at_most_5_percent_of_the_sounds_of_no_class_are_given_one() {
        for recipe in ["mlp-normalised", "best"] {
            let (n, n_above) = given_a_class(recipe, false);
            assert!(2 * n_above > n, "{recipe}: {n_above} of {n} without a background");
            let (n, n_above) = given_a_class(recipe, true);
            assert!(20 * n_above <= n, "{recipe}: {n_above} of {n} with a background");
        }
    }

    #[test]
    fn the_background_alone_has_synthesised_examples_which_differ_from_the_sounds_of_a_report() {
        let spec = FeatureSpec {
            segments: Segments::Windows(SegmentWindows::adjacent(0.5)),
            ..FeatureSpec::course()
        };
        let [with, without] = [true, false].map(|with_background| {
            let dir = tempfile::tempdir().unwrap();
            (store(dir.path(), &spec, with_background), dir)
        });
        assert_eq!(BackgroundExamples::synthesize(&without.0, 100, 0).unwrap(), None);
        let examples =
            |n_train, seed| BackgroundExamples::synthesize(&with.0, n_train, seed).unwrap().unwrap();
        let found = examples(100, 0);
        assert_eq!((found.class, found.n_segments), (0, 50));
        assert_eq!(examples(100_000, 0).n_segments, 300);
        assert_eq!(found, examples(100, 0));
        assert_ne!(found, examples(100, 1));
        let (segments, normalization) = ([0, 5], Normalization::identity(13));
        let (bins, mut memory) = (BinSelection::all(13), MemoryBudget::new(1 << 30));
        let dataset =
            SegmentDataset::new(&with.0, &segments, &bins, &normalization, None, &mut memory).unwrap();
        let dataset = dataset.with_background(Some(&found));
        let mut input = vec![0.0; dataset.input_len()];
        dataset.write_input(2 + 3, 0, &mut input);
        assert!(input == found.features[3 * input.len()..][..input.len()]);
        assert_eq!((dataset.len(), dataset.target(2 + 3)), (52, Target::Class(0)));
        dataset.write_input(1, 0, &mut input);
        assert!(input == with.0.read_segments(&segments[1..]).unwrap());
        let sounds = super::NoiseSounds::extract(&with.0).unwrap();
        let len = found.features.len() / found.n_segments;
        let mut segments = sounds.segments().chunks_exact(len);
        assert!(segments.all(|sound| found.features.chunks_exact(len).all(|example| example != sound)));
    }
}
