//! One part of a split as examples for a network: normalised features and the label of each segment.
//!
//! The training part is augmented on the way: drawn anew where classes are balanced, cropped, mixed, masked. What is
//! judged (validation) is cropped at most, and evenly.

use std::sync::Mutex;

use cantus_audio::augment::Chance;
use cantus_dataset::FeatureStore;
use cantus_nn::{Examples, Target};

use crate::augmentation::{Mixup, SpecAugment};
use crate::class_balance::BalancedSampling;
use crate::{Crops, Error, Normalization, chance_for};

/// Features of this many bytes are held in memory; more are read from the store whenever they are needed.
const MAX_BYTES_IN_MEMORY: usize = 1 << 30;

/// Segments of a store, normalised.
pub(crate) struct PartExamples<'a> {
    store: &'a FeatureStore,
    segments: &'a [usize],
    normalization: &'a Normalization,
    /// `[n_segments, n_frames, n_bins]`, normalised; none if the part is too large for that.
    in_memory: Option<Vec<f32>>,
    /// What the network hears of a segment; all of it if none.
    crops: Option<Crops>,
    /// What is done to an example that is learnt from.
    on_the_fly: OnTheFly,
    /// The first failure to read; training goes on with zeros until its observer looks here.
    failure: Mutex<Option<cantus_dataset::Error>>,
}

/// What is done to an example that is learnt from, anew in every epoch.
#[derive(Debug, Default)]
pub(crate) struct OnTheFly {
    /// Of everything that is drawn.
    pub(crate) seed: u64,
    pub(crate) spec_augment: Option<SpecAugment>,
    pub(crate) mixup: Option<Mixup>,
    pub(crate) balanced: Option<BalancedSampling>,
}

/// The segment that an example hears in an epoch, and the one that is mixed into it, with the share of the first.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Mixture {
    first: usize,
    other: Option<(usize, f32)>,
}

impl<'a> PartExamples<'a> {
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
        let on_the_fly = OnTheFly::default();
        Ok(Self { store, segments, normalization, in_memory, crops, on_the_fly, failure: Mutex::new(None) })
    }

    /// The same examples, to learn from: augmented anew in every epoch.
    pub(crate) fn augmented(self, on_the_fly: OnTheFly) -> Self {
        Self { on_the_fly, ..self }
    }

    /// The first failure to read the store since the last look.
    pub(crate) fn failure(&self) -> Option<cantus_dataset::Error> {
        self.failure.lock().ok().and_then(|mut failure| failure.take())
    }

    /// Frames that the network hears at once.
    fn n_frames(&self) -> usize {
        self.crops.map_or(self.store.n_frames(), |crops| crops.n_frames)
    }

    /// Writes a segment from the frame on that `first_frame` chooses among so many.
    fn write(&self, index: usize, input: &mut [f32], first_frame: impl FnOnce(usize) -> usize) {
        let segment_len = self.store.n_frames() * self.store.n_bins();
        let from = first_frame(self.store.n_frames() - self.n_frames() + 1) * self.store.n_bins();
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

    fn chance(&self, index: usize, epoch: usize, purpose: u64) -> Chance {
        Chance::new([self.on_the_fly.seed, epoch as u64, index as u64, purpose])
    }

    /// What an example is made of in an epoch.
    fn mixture(&self, index: usize, epoch: usize) -> Mixture {
        let OnTheFly { seed, balanced, mixup, .. } = &self.on_the_fly;
        let heard = |place| balanced.as_ref().map_or(place, |balanced| balanced.example(*seed, epoch, place));
        let other = mixup.map(|mixup| {
            let mut chance = self.chance(index, epoch, chance_for::MIXUP);
            let other = heard(chance.below(self.len()));
            (other, mixup.share(&mut chance))
        });
        Mixture { first: heard(index), other }
    }

    fn class(&self, index: usize) -> usize {
        self.store.label_of(self.segments[index])
    }
}

impl Examples for PartExamples<'_> {
    fn len(&self) -> usize {
        self.segments.len()
    }

    fn input_len(&self) -> usize {
        self.n_frames() * self.store.n_bins()
    }

    fn write_input(&self, index: usize, epoch: usize, input: &mut [f32]) {
        let mixture = self.mixture(index, epoch);
        let somewhere = |purpose| move |n_places| self.chance(index, epoch, purpose).below(n_places);
        self.write(mixture.first, input, somewhere(chance_for::CROP));
        if let Some((other, share)) = mixture.other {
            let mut mixed_in = vec![0.0; input.len()];
            self.write(other, &mut mixed_in, somewhere(chance_for::OTHER_CROP));
            let pairs = input.iter_mut().zip(&mixed_in);
            pairs.for_each(|(value, other)| *value = share * *value + (1.0 - share) * other);
        }
        if let Some(masks) = self.on_the_fly.spec_augment {
            let mut chance = self.chance(index, epoch, chance_for::MASKS);
            masks.apply(input, self.store.n_bins(), &mut chance);
        }
    }

    fn target(&self, index: usize) -> Target<'_> {
        Target::Class(self.class(index))
    }

    fn training_target(&self, index: usize, epoch: usize) -> Target<'_> {
        let Mixture { first, other } = self.mixture(index, epoch);
        match other {
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
