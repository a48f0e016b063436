//! One part of a split as a data set for the network: normalised features and the target of each segment.
//!
//! The training part is augmented online: balanced sampling, random crops, mixup and masks. The validation part has evenly
//! spaced crops at most.

use std::sync::Mutex;

use cantus_dataset::FeatureStore;
use cantus_nn::{Examples, Target};
use cantus_random::KeyedRng;

use crate::augmentation::{Mixup, SpecAugment};
use crate::class_balance::BalancedSampling;
use crate::noise::BackgroundExamples;
use crate::{Crops, Error, Normalization, rng_streams};

/// Features up to this many bytes are held in memory; larger parts are read from the store on demand.
const MAX_BYTES_IN_MEMORY: usize = 1 << 30;

/// Segments of a store, normalised.
pub(crate) struct SegmentDataset<'a> {
    store: &'a FeatureStore,
    segments: &'a [usize],
    normalization: &'a Normalization,
    /// `[n_segments, n_frames, n_bins]`, normalised; `None` if the part is too large.
    in_memory: Option<Vec<f32>>,
    /// Synthesised examples of a class, behind the segments, normalised.
    background: Option<BackgroundExamples>,
    /// Crops of a segment that are the network's input; `None` for whole segments.
    crops: Option<Crops>,
    /// Augmentation of training examples.
    augmentation: OnlineAugmentation,
    /// `[n_tracks, n_labels]`: 1 for each tag of each track of the store; empty where labels are classes.
    tags: Vec<f32>,
    /// The first failure to read; training continues with zeros until the observer checks it.
    failure: Mutex<Option<cantus_dataset::Error>>,
}

/// Augmentation of training examples, drawn anew in every epoch.
#[derive(Debug, Default)]
pub(crate) struct OnlineAugmentation {
    /// Seed of all draws.
    pub(crate) seed: u64,
    pub(crate) spec_augment: Option<SpecAugment>,
    pub(crate) mixup: Option<Mixup>,
    pub(crate) balanced: Option<BalancedSampling>,
}

/// The segment of an example in an epoch, and the one mixed into it, with the weight λ of the first.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Mixture {
    first: usize,
    other: Option<(usize, f32)>,
}

impl<'a> SegmentDataset<'a> {
    pub(crate) fn new(
        store: &'a FeatureStore,
        segments: &'a [usize],
        normalization: &'a Normalization,
        crops: Option<Crops>,
    ) -> Result<Self, Error> {
        let n_bytes = segments.len() * store.n_frames() * store.n_bins() * size_of::<f32>();
        let in_memory = if n_bytes <= MAX_BYTES_IN_MEMORY {
            let mut features = store.read_segments(segments)?;
            normalization.apply(&mut features);
            Some(features)
        } else {
            None
        };
        let augmentation = OnlineAugmentation::default();
        let tags = if store.is_tagged() { tags(store) } else { Vec::new() };
        let failure = Mutex::new(None);
        let background = None;
        Ok(Self { store, segments, normalization, in_memory, background, crops, augmentation, tags, failure })
    }

    /// The same examples, and those synthesised for a class.
    pub(crate) fn with_background(self, examples: Option<&BackgroundExamples>) -> Self {
        let normalised = |examples: &BackgroundExamples| {
            let mut features = examples.features.clone();
            self.normalization.apply(&mut features);
            BackgroundExamples { features, ..*examples }
        };
        Self { background: examples.map(normalised), ..self }
    }

    /// The same examples for training: augmented anew in every epoch.
    pub(crate) fn augmented(self, augmentation: OnlineAugmentation) -> Self {
        Self { augmentation, ..self }
    }

    /// Takes the first failure to read the store since the last call.
    pub(crate) fn failure(&self) -> Option<cantus_dataset::Error> {
        self.failure.lock().ok().and_then(|mut failure| failure.take())
    }

    /// Frames of the network's input.
    fn n_frames(&self) -> usize {
        self.crops.map_or(self.store.n_frames(), |crops| crops.n_frames)
    }

    /// Writes a segment from the frame that `first_frame` returns for the number of possible first frames.
    fn write(&self, index: usize, input: &mut [f32], first_frame: impl FnOnce(usize) -> usize) {
        let segment_len = self.store.n_frames() * self.store.n_bins();
        let from = first_frame(self.store.n_frames() - self.n_frames() + 1) * self.store.n_bins();
        if let (Some(number), Some(background)) = (index.checked_sub(self.segments.len()), &self.background) {
            let features = &background.features[number * segment_len + from..];
            return input.copy_from_slice(&features[..input.len()]);
        }
        match &self.in_memory {
            Some(features) => input.copy_from_slice(&features[index * segment_len + from..][..input.len()]),
            None if input.len() == segment_len => self.read(index, input),
            None => {
                let mut segment = vec![0.0; segment_len];
                self.read(index, &mut segment);
                input.copy_from_slice(&segment[from..][..input.len()]);
            }
        }
    }

    fn read(&self, index: usize, segment: &mut [f32]) {
        match self.store.read_segment(self.segments[index], segment) {
            Ok(()) => self.normalization.apply(segment),
            Err(error) => {
                segment.fill(0.0);
                if let Ok(mut failure) = self.failure.lock() {
                    failure.get_or_insert(error);
                }
            }
        }
    }

    fn rng(&self, index: usize, epoch: usize, purpose: u64) -> KeyedRng {
        KeyedRng::new([self.augmentation.seed, epoch as u64, index as u64, purpose])
    }

    /// The segments and the mixing weight of an example in an epoch.
    fn mixture(&self, index: usize, epoch: usize) -> Mixture {
        let OnlineAugmentation { seed, balanced, mixup, .. } = &self.augmentation;
        let sampled =
            |place| balanced.as_ref().map_or(place, |balanced| balanced.example(*seed, epoch, place));
        let other = mixup.map(|mixup| {
            let mut rng = self.rng(index, epoch, rng_streams::MIXUP);
            let other = sampled(rng.below(self.len()));
            (other, mixup.share(&mut rng))
        });
        Mixture { first: sampled(index), other }
    }

    fn class(&self, index: usize) -> usize {
        match (self.segments.get(index), &self.background) {
            (None, Some(background)) => background.class,
            _ => self.store.label_of(self.segments[index]),
        }
    }

    /// 1 for each tag of an example, 0 for the others.
    fn tags(&self, index: usize) -> &[f32] {
        let n_labels = self.store.labels().len();
        &self.tags[self.store.track_of(self.segments[index]) * n_labels..][..n_labels]
    }
}

/// `[n_tracks, n_labels]`: 1 for each tag of each track.
fn tags(store: &FeatureStore) -> Vec<f32> {
    let has = |labels: &[usize], label| if labels.contains(&label) { 1.0 } else { 0.0 };
    let row = |labels| (0..store.labels().len()).map(move |label| has(labels, label));
    store.tracks().iter().flat_map(|track| row(&track.labels)).collect()
}

impl Examples for SegmentDataset<'_> {
    fn len(&self) -> usize {
        self.segments.len() + self.background.as_ref().map_or(0, |background| background.n_segments)
    }

    fn input_len(&self) -> usize {
        self.n_frames() * self.store.n_bins()
    }

    fn write_input(&self, index: usize, epoch: usize, input: &mut [f32]) {
        let mixture = self.mixture(index, epoch);
        let random_frame = |purpose| move |n_places| self.rng(index, epoch, purpose).below(n_places);
        self.write(mixture.first, input, random_frame(rng_streams::CROP));
        if let Some((other, share)) = mixture.other {
            let mut mixed_in = vec![0.0; input.len()];
            self.write(other, &mut mixed_in, random_frame(rng_streams::OTHER_CROP));
            let pairs = input.iter_mut().zip(&mixed_in);
            pairs.for_each(|(value, other)| *value = share * *value + (1.0 - share) * other);
        }
        if let Some(masks) = self.augmentation.spec_augment {
            let mut rng = self.rng(index, epoch, rng_streams::MASKS);
            masks.apply(input, self.store.n_bins(), &mut rng);
        }
    }

    fn varies_by_epoch(&self) -> bool {
        let OnlineAugmentation { spec_augment, mixup, balanced, .. } = &self.augmentation;
        self.crops.is_some() || spec_augment.is_some() || mixup.is_some() || balanced.is_some()
    }

    fn target(&self, index: usize) -> Target<'_> {
        if self.store.is_tagged() {
            return Target::Values(self.tags(index));
        }
        Target::Class(self.class(index))
    }

    fn training_target(&self, index: usize, epoch: usize) -> Target<'_> {
        let Mixture { first, other } = self.mixture(index, epoch);
        match other {
            Some((other, share)) if self.store.is_tagged() => {
                Target::MixedValues(self.tags(first), self.tags(other), share)
            }
            None if self.store.is_tagged() => Target::Values(self.tags(first)),
            Some((other, share)) => Target::Mixed(self.class(first), self.class(other), share),
            None => Target::Class(self.class(first)),
        }
    }

    fn n_views(&self) -> usize {
        self.crops.map_or(1, |crops| crops.n_crops)
    }

    fn write_view(&self, index: usize, view: usize, input: &mut [f32]) {
        let place = |crops: Crops| crops.first_frame(view, self.store.n_frames());
        self.write(index, input, |_| self.crops.map_or(0, place));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use cantus_audio::Audio;
    use cantus_audio::feature::{FeatureSpec, Segments};
    use cantus_dataset::{Catalog, ExtractOptions, SplitSpec, Unit, extract};

    use super::*;
    use crate::Recipe;
    use crate::training::job::Job;

    const N_BINS: usize = 13;
    const CROPS: Crops = Crops { n_frames: 12, n_crops: 3 };

    /// 8 tracks of `high` and 6 of `low`, two segments of 20 frames each.
    fn store(dir: &Path, n_copies: usize) -> FeatureStore {
        let music = dir.join("music");
        for n in 0..14 {
            let (label, step) = if n < 8 { ("high", 0.3) } else { ("low", 0.03) };
            std::fs::create_dir_all(music.join(label)).unwrap();
            let samples = (0..20_000).map(|i| (0.4 + 0.01 * n as f32) * (step * (i * i) as f32 / 1e4).sin());
            let audio = Audio { samples: samples.collect(), sample_rate: 22_050 };
            cantus_audio::write_wav(music.join(format!("{label}/{n}.wav")), &audio).unwrap();
        }
        let mut spec = FeatureSpec { n_mfcc: N_BINS, ..FeatureSpec::course() };
        spec.segments = Segments::Parts { track_duration_s: 0.9, n_segments: 2 };
        assert_eq!(spec.frames_per_segment(), 20);
        let augmentation = Some(recipe(n_copies).augmentation.copy_spec());
        let options = ExtractOptions { augmentation, ..ExtractOptions::default() };
        let (features, catalog) = (dir.join("features"), Catalog::open(&music).unwrap());
        extract(&catalog, &spec, &features, &options, &|_| {}).unwrap();
        FeatureStore::open(&features).unwrap()
    }

    fn recipe(n_copies: usize) -> Recipe {
        let copies = match n_copies {
            0 => String::new(),
            n => format!("copies = {n}\naudio = [{{ type = \"pitch_shift\", range = [-3, 3] }}]"),
        };
        toml::from_str(&format!("[augmentation]\n{copies}\n[training]\n[[layers]]\ntype = \"Flatten\""))
            .unwrap()
    }

    fn input(examples: &SegmentDataset<'_>, index: usize, epoch: usize) -> Vec<f32> {
        let mut input = vec![0.0; examples.input_len()];
        examples.write_input(index, epoch, &mut input);
        input
    }

    #[test]
    fn training_crops_are_random_and_validation_crops_fixed() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path(), 0);
        let normalization = Normalization::identity(N_BINS);
        let segments = [3, 7];
        let whole = store.read_segments(&segments).unwrap();
        let examples = SegmentDataset::new(&store, &segments, &normalization, Some(CROPS)).unwrap();
        assert_eq!((examples.input_len(), examples.n_views()), (12 * N_BINS, 3));
        let mut view = vec![0.0; examples.input_len()];
        for (number, first) in [0, 4, 8].into_iter().enumerate() {
            examples.write_view(1, number, &mut view);
            assert_eq!(view, whole[(20 + first) * N_BINS..][..view.len()]);
        }
        let place = |epoch| {
            let input = input(&examples, 1, epoch);
            (0..=8).find(|first| input == whole[(20 + first) * N_BINS..][..input.len()]).unwrap()
        };
        let places: Vec<usize> = (0..200).map(place).collect();
        assert!((0..=8).all(|first| places.contains(&first)), "{places:?}");
        assert_eq!(places[..9], (0..9).map(place).collect::<Vec<_>>());
    }

    #[test]
    fn mixup_mixes_inputs_and_targets_with_the_same_weight() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path(), 0);
        let normalization = Normalization::identity(N_BINS);
        let segments: Vec<usize> = (0..28).collect();
        let plain = SegmentDataset::new(&store, &segments, &normalization, None).unwrap();
        let mixed = SegmentDataset::new(&store, &segments, &normalization, None).unwrap();
        let mixed = mixed.augmented(OnlineAugmentation {
            seed: 5,
            mixup: Some(Mixup { alpha: 1.0 }),
            ..OnlineAugmentation::default()
        });
        let (mut n_across, mut partners) = (0, std::collections::BTreeSet::new());
        for (index, epoch) in (0..28).flat_map(|index| [(index, 0), (index, 1), (index, 7)]) {
            let Mixture { first, other: Some((other, share)) } = mixed.mixture(index, epoch) else {
                panic!()
            };
            assert_eq!(first, index);
            let expected: Vec<f32> = input(&plain, first, 0)
                .iter()
                .zip(input(&plain, other, 0))
                .map(|(a, b)| share * a + (1.0 - share) * b)
                .collect();
            assert_eq!(input(&mixed, index, epoch), expected);
            let target = Target::Mixed(usize::from(first >= 16), usize::from(other >= 16), share);
            assert_eq!(mixed.training_target(index, epoch), target);
            assert_eq!(mixed.target(index), Target::Class(usize::from(index >= 16)));
            n_across += usize::from((first >= 16) != (other >= 16));
            partners.insert(other);
        }
        assert!(
            n_across > 20 && partners.len() > 20,
            "{n_across} across classes, {} partners",
            partners.len()
        );
    }

    #[test]
    fn balanced_sampling_draws_classes_equally_often_with_matching_targets() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path(), 0);
        let normalization = Normalization::identity(N_BINS);
        let segments: Vec<usize> = (0..20).collect(); // 16 of `high`, 4 of `low`
        let plain = SegmentDataset::new(&store, &segments, &normalization, None).unwrap();
        let balanced = Some(BalancedSampling::new(segments.iter().map(|&segment| store.label_of(segment))));
        let examples = SegmentDataset::new(&store, &segments, &normalization, None).unwrap();
        let examples = examples.augmented(OnlineAugmentation { balanced, ..OnlineAugmentation::default() });
        let mut n_low = 0;
        for index in 0..20 {
            let drawn = (0..20).find(|&other| input(&plain, other, 0) == input(&examples, index, 3)).unwrap();
            let class = usize::from(drawn >= 16);
            assert_eq!(examples.training_target(index, 3), Target::Class(class));
            n_low += class;
        }
        assert_eq!(n_low, 10);
    }

    fn job_of<'a>(store: &'a FeatureStore, recipe: &'a Recipe, spec: &SplitSpec) -> Job<'a> {
        let split = store.split(spec).unwrap();
        let (spec, data_sha256) = (spec.clone(), String::new());
        Job { store, recipe, split, spec, data_sha256, seed: 0, n_threads: 1, start: None }
    }

    /// The invariant: augmentation affects the training part only.
    #[test]
    fn copies_are_used_for_training_but_not_for_evaluation_or_normalisation() {
        let dirs = [0, 2].map(|_| tempfile::tempdir().unwrap());
        let (plain, augmented) = (store(dirs[0].path(), 0), store(dirs[1].path(), 2));
        for by in [Unit::Track, Unit::Segment] {
            let split = SplitSpec { by, ..SplitSpec::default() };
            let (without, with) = (recipe(0), recipe(2));
            let job = |store, recipe| job_of(store, recipe, &split);
            let prepared = job(&plain, &without).prepare().unwrap();
            let with = job(&augmented, &with).prepare().unwrap();
            assert_eq!(prepared.split(), with.split());
            assert_eq!(prepared.normalization(), with.normalization());
            let (train, train_indices) = (&with.split().train, with.train_indices());
            assert_eq!(train_indices[..train.len()], train[..]);
            let copies = &train_indices[train.len()..];
            assert!(copies.iter().all(|&copy| copy >= augmented.n_segments()));
            let held_out = [&with.split().validation[..], &with.split().test[..]].concat();
            let is_held_out =
                |track: usize| held_out.iter().any(|&segment| augmented.track_of(segment) == track);
            assert!(copies.iter().all(|&copy| !is_held_out(augmented.track_of(copy))), "{by:?}: a leak");
            if by == Unit::Track {
                assert_eq!(copies.len(), 2 * train.len());
            }
            // The store has copies that the recipe does not use.
            assert_eq!(job(&augmented, &without).prepare().unwrap().n_copied_segments(), 0);
        }
        let refused = |store: &FeatureStore, n_copies| {
            job_of(store, &recipe(n_copies), &SplitSpec::default()).prepare().err().unwrap().to_string()
        };
        assert!(refused(&plain, 1).contains("copies = 1, but the features hold no altered copies"));
        assert!(refused(&augmented, 3).contains("copies = 3, but the features hold 2"));
    }
}
