//! Tests of crops, augmentation and altered copies as training examples.

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
    toml::from_str(&format!("[augmentation]\n{copies}\n[training]\n[[layers]]\ntype = \"Flatten\"")).unwrap()
}

fn input(examples: &SegmentDataset<'_>, index: usize, epoch: usize) -> Vec<f32> {
    let mut input = vec![0.0; examples.input_len()];
    examples.write_input(index, epoch, &mut input);
    input
}

/// More memory than any of these features need.
fn in_memory() -> MemoryBudget {
    MemoryBudget::new(1 << 30)
}

#[test]
fn examples_that_are_read_from_the_store_are_those_in_memory() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path(), 0);
    let mut normalizer = crate::normalization::Normalizer::new(N_BINS);
    let segments: Vec<usize> = (0..28).rev().collect();
    normalizer.look_at(&store.read_segments(&segments).unwrap());
    let (normalization, bins) = (normalizer.finish(), BinSelection::all(N_BINS));
    for crops in [None, Some(CROPS)] {
        let [held, read] = [in_memory(), MemoryBudget::new(0)].map(|mut memory| {
            let examples =
                SegmentDataset::new(&store, &segments, &bins, &normalization, crops, &mut memory).unwrap();
            let mixup = Some(Mixup { alpha: 1.0 });
            examples.augmented(OnlineAugmentation { seed: 5, mixup, ..OnlineAugmentation::default() })
        });
        assert_eq!((held.in_memory.is_some(), read.in_memory.is_some()), (true, false));
        read.announce(&[0, 5, 27], 0);
        for (index, epoch) in (0..28).flat_map(|index| [(index, 0), (index, 3)]) {
            assert!(
                input(&held, index, epoch) == input(&read, index, epoch),
                "example {index}, epoch {epoch}"
            );
        }
        assert!(read.failure().is_none());
    }
}

#[test]
fn training_crops_are_random_and_validation_crops_fixed() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path(), 0);
    let (normalization, bins) = (Normalization::identity(N_BINS), BinSelection::all(N_BINS));
    let segments = [3, 7];
    let whole = store.read_segments(&segments).unwrap();
    let examples =
        SegmentDataset::new(&store, &segments, &bins, &normalization, Some(CROPS), &mut in_memory()).unwrap();
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
fn inputs_vary_by_epoch_with_crops_and_every_augmentation_and_not_otherwise() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path(), 0);
    let (normalization, bins) = (Normalization::identity(N_BINS), BinSelection::all(N_BINS));
    let segments: Vec<usize> = (0..28).collect();
    let classes = || segments.iter().map(|&segment| store.label_of(segment));
    let masks = "n_time_masks = 1\ntime_width = 4\nn_frequency_masks = 1\nfrequency_width = 4";
    let none = OnlineAugmentation::default;
    let spec_augment = Some(toml::from_str(masks).unwrap());
    for (crops, augmentation, varies) in [
        (None, none(), false),
        (Some(CROPS), none(), true),
        (None, OnlineAugmentation { spec_augment, ..none() }, true),
        (None, OnlineAugmentation { mixup: Some(Mixup { alpha: 1.0 }), ..none() }, true),
        (None, OnlineAugmentation { balanced: Some(BalancedSampling::new(classes())), ..none() }, true),
    ] {
        let described = format!("{crops:?}, {augmentation:?}");
        let examples =
            SegmentDataset::new(&store, &segments, &bins, &normalization, crops, &mut in_memory()).unwrap();
        let examples = examples.augmented(augmentation);
        let differs = (0..28).any(|index| input(&examples, index, 0) != input(&examples, index, 1));
        assert_eq!((examples.varies_by_epoch(), differs), (varies, varies), "{described}");
    }
}

#[test]
fn mixup_mixes_inputs_and_targets_with_the_same_weight() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path(), 0);
    let (normalization, bins) = (Normalization::identity(N_BINS), BinSelection::all(N_BINS));
    let segments: Vec<usize> = (0..28).collect();
    let plain =
        SegmentDataset::new(&store, &segments, &bins, &normalization, None, &mut in_memory()).unwrap();
    let mixed =
        SegmentDataset::new(&store, &segments, &bins, &normalization, None, &mut in_memory()).unwrap();
    let mixed = mixed.augmented(OnlineAugmentation {
        seed: 5,
        mixup: Some(Mixup { alpha: 1.0 }),
        ..OnlineAugmentation::default()
    });
    let (mut n_across, mut partners) = (0, std::collections::BTreeSet::new());
    for (index, epoch) in (0..28).flat_map(|index| [(index, 0), (index, 1), (index, 7)]) {
        let Mixture { first, other: Some((other, share)) } = mixed.mixture(index, epoch) else { panic!() };
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
    assert!(n_across > 20 && partners.len() > 20, "{n_across} across classes, {} partners", partners.len());
}

#[test]
fn balanced_sampling_draws_classes_equally_often_with_matching_targets() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path(), 0);
    let (normalization, bins) = (Normalization::identity(N_BINS), BinSelection::all(N_BINS));
    let segments: Vec<usize> = (0..20).collect(); // 16 of `high`, 4 of `low`
    let plain =
        SegmentDataset::new(&store, &segments, &bins, &normalization, None, &mut in_memory()).unwrap();
    let balanced = Some(BalancedSampling::new(segments.iter().map(|&segment| store.label_of(segment))));
    let examples =
        SegmentDataset::new(&store, &segments, &bins, &normalization, None, &mut in_memory()).unwrap();
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
    Job { store, recipe, split, spec, data_sha256, seed: 0, n_threads: 1, memory: 1 << 30, start: None }
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
        let is_held_out = |track: usize| held_out.iter().any(|&segment| augmented.track_of(segment) == track);
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
