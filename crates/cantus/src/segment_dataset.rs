//! One part of a split as a data set for the network: normalised features and the target of each segment.
//!
//! The training part is augmented online: balanced sampling, random crops, mixup and masks. The validation part has evenly
//! spaced crops at most.

use std::sync::Mutex;

use cantus_dataset::FeatureStore;
use cantus_nn::{Examples, Target};
use cantus_random::KeyedRng;

use crate::augmentation::{Mixup, SpecAugment};
use crate::bin_selection::BinSelection;
use crate::class_balance::BalancedSampling;
use crate::noise::BackgroundExamples;
use crate::training::MemoryBudget;
use crate::{Crops, Error, Normalization, rng_streams};

/// Segments whose bins are selected at once: bounds the memory, does not affect the result.
const BLOCK: usize = 1024;

/// Segments of a store, normalised.
pub(crate) struct SegmentDataset<'a> {
    store: &'a FeatureStore,
    segments: &'a [usize],
    /// The bins of the store's features that are the network's input.
    bins: &'a BinSelection,
    /// That of these bins.
    normalization: &'a Normalization,
    /// `[n_segments, n_frames, n_bins]`, normalised; `None` if the part is too large.
    in_memory: Option<Vec<f32>>,
    /// Synthesised examples of a class, behind the segments, normalised.
    background: Option<BackgroundExamples>,
    /// Crops of a segment that are the network's input; `None` for whole segments.
    crops: Option<Crops>,
    /// Augmentation of training examples.
    augmentation: OnlineAugmentation,
    /// Bytes for the outputs of the network's first layers.
    memory_for_outputs: u64,
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
        bins: &'a BinSelection,
        normalization: &'a Normalization,
        crops: Option<Crops>,
        memory: &mut MemoryBudget,
    ) -> Result<Self, Error> {
        let n_bytes = segments.len() * store.n_frames() * bins.n_bins() * size_of::<f32>();
        let in_memory = if memory.take(n_bytes as u64) {
            let mut features = read_all(store, segments, bins)?;
            normalization.apply(&mut features);
            Some(features)
        } else {
            None
        };
        let augmentation = OnlineAugmentation::default();
        let tags = if store.is_tagged() { tags(store) } else { Vec::new() };
        let failure = Mutex::new(None);
        let background = None;
        Ok(Self {
            store,
            segments,
            bins,
            normalization,
            in_memory,
            background,
            crops,
            augmentation,
            memory_for_outputs: 0,
            tags,
            failure,
        })
    }

    /// The same examples, and those synthesised for a class.
    pub(crate) fn with_background(self, examples: Option<&BackgroundExamples>) -> Self {
        let normalised = |examples: &BackgroundExamples| {
            let mut features = self.bins.of(&examples.features).into_owned();
            self.normalization.apply(&mut features);
            BackgroundExamples { features, ..*examples }
        };
        Self { background: examples.map(normalised), ..self }
    }

    /// The same examples for training: augmented anew in every epoch.
    pub(crate) fn augmented(self, augmentation: OnlineAugmentation) -> Self {
        Self { augmentation, ..self }
    }

    /// The same examples, with memory for outputs that are computed once for all epochs.
    pub(crate) fn with_memory_for_outputs(self, n_bytes: u64) -> Self {
        Self { memory_for_outputs: n_bytes, ..self }
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
        let segment_len = self.store.n_frames() * self.bins.n_bins();
        let from = first_frame(self.store.n_frames() - self.n_frames() + 1) * self.bins.n_bins();
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
        let read = if self.bins.is_all() {
            self.store.read_segment(self.segments[index], segment)
        } else {
            let mut features = vec![0.0; self.store.n_frames() * self.store.n_bins()];
            let read = self.store.read_segment(self.segments[index], &mut features);
            segment.copy_from_slice(&self.bins.of(&features));
            read
        };
        match read {
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

/// The bins of all segments, `[n_segments, n_frames, n_bins]`.
fn read_all(store: &FeatureStore, segments: &[usize], bins: &BinSelection) -> Result<Vec<f32>, Error> {
    if bins.is_all() {
        return Ok(store.read_segments(segments)?);
    }
    let mut features = Vec::with_capacity(segments.len() * store.n_frames() * bins.n_bins());
    for block in segments.chunks(BLOCK) {
        features.extend_from_slice(&bins.of(&store.read_segments(block)?));
    }
    Ok(features)
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
        self.n_frames() * self.bins.n_bins()
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
            masks.apply(input, self.bins.n_bins(), &mut rng);
        }
    }

    fn memory_for_outputs(&self) -> usize {
        usize::try_from(self.memory_for_outputs).unwrap_or(usize::MAX)
    }

    fn announce(&self, indices: &[usize], epoch: usize) {
        if self.in_memory.is_some() {
            return;
        }
        for &index in indices {
            let Mixture { first, other } = self.mixture(index, epoch);
            for index in std::iter::once(first).chain(other.map(|(other, _)| other)) {
                if let Some(&segment) = self.segments.get(index) {
                    self.store.read_segment_ahead(segment);
                }
            }
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
mod tests;
