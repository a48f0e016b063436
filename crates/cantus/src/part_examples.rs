//! One part of a split as examples for a network: normalised features and the label of each segment.

use std::sync::Mutex;

use cantus_dataset::FeatureStore;
use cantus_nn::{Examples, Target};

use crate::{Error, Normalization};

/// Features of this many bytes are held in memory; more are read from the store whenever they are needed.
const MAX_BYTES_IN_MEMORY: usize = 1 << 30;

/// Segments of a store, normalised.
pub(crate) struct PartExamples<'a> {
    store: &'a FeatureStore,
    segments: &'a [usize],
    normalization: &'a Normalization,
    /// `[n_segments, n_frames, n_bins]`, normalised; none if the part is too large for that.
    in_memory: Option<Vec<f32>>,
    /// The first failure to read; training goes on with zeros until its observer looks here.
    failure: Mutex<Option<cantus_dataset::Error>>,
}

impl<'a> PartExamples<'a> {
    pub(crate) fn new(
        store: &'a FeatureStore,
        segments: &'a [usize],
        normalization: &'a Normalization,
    ) -> Result<Self, Error> {
        let n_bytes = segments.len() * store.n_frames() * store.n_bins() * size_of::<f32>();
        let in_memory = if n_bytes <= MAX_BYTES_IN_MEMORY {
            let mut features = store.read_segments(segments)?;
            normalization.apply(&mut features);
            Some(features)
        } else {
            None
        };
        Ok(Self { store, segments, normalization, in_memory, failure: Mutex::new(None) })
    }

    /// The first failure to read the store since the last look.
    pub(crate) fn failure(&self) -> Option<cantus_dataset::Error> {
        self.failure.lock().ok().and_then(|mut failure| failure.take())
    }

    fn read(&self, segment: usize, input: &mut [f32]) {
        match self.store.read_segment(segment, input) {
            Ok(()) => self.normalization.apply(input),
            Err(error) => {
                input.fill(0.0);
                if let Ok(mut failure) = self.failure.lock() {
                    failure.get_or_insert(error);
                }
            }
        }
    }
}

impl Examples for PartExamples<'_> {
    fn len(&self) -> usize {
        self.segments.len()
    }

    fn input_len(&self) -> usize {
        self.store.n_frames() * self.store.n_bins()
    }

    fn write_input(&self, index: usize, _epoch: usize, input: &mut [f32]) {
        match &self.in_memory {
            Some(features) => input.copy_from_slice(&features[index * input.len()..][..input.len()]),
            None => self.read(self.segments[index], input),
        }
    }

    fn target(&self, index: usize) -> Target<'_> {
        Target::Class(self.store.label_of(self.segments[index]))
    }
}
