//! Vectors of segments and tracks, read from a feature store in blocks.

use cantus_dataset::FeatureStore;
use rayon::prelude::*;

use crate::Error;

/// Bytes of features that are read at once: bounds the memory, does not affect the result.
const BLOCK_BYTES: usize = 1 << 24;

/// Reads the vectors of a store in its order.
pub(super) struct VectorReader<'store> {
    store: &'store FeatureStore,
    segments_per_block: usize,
}

impl<'store> VectorReader<'store> {
    pub(super) fn new(store: &'store FeatureStore) -> Self {
        let segment_bytes = store.n_frames() * store.n_bins() * size_of::<f32>();
        Self { store, segments_per_block: (BLOCK_BYTES / segment_bytes.max(1)).max(1) }
    }

    /// Calls `on_block` with consecutive segments and their vectors, `[n, n_bins]`.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub(super) fn read_segments(&self, mut on_block: impl FnMut(&[usize], &[f64])) -> Result<(), Error> {
        let (n_frames, n_bins) = (self.store.n_frames(), self.store.n_bins());
        let segments: Vec<usize> = (0..self.store.n_segments()).collect();
        for block in segments.chunks(self.segments_per_block) {
            let features = self.store.read_segments(block)?;
            on_block(block, &segment_vectors(&features, n_frames, n_bins));
        }
        Ok(())
    }

    /// Calls `on_block` with consecutive tracks and their vectors, `[n, n_bins]`: the means of their segments' vectors.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub(super) fn read_tracks(&self, mut on_block: impl FnMut(&[usize], &[f64])) -> Result<(), Error> {
        // The segments of a track are consecutive, but may be in several blocks.
        let mut sum = VectorSum::new(self.store.n_bins());
        self.read_segments(|segments, vectors| {
            let (mut tracks, mut means) = (Vec::new(), Vec::new());
            for (segment, vector) in segments.iter().zip(vectors.chunks_exact(self.store.n_bins())) {
                sum.add(vector);
                let track = self.store.track_of(*segment);
                if segment + 1 == self.store.segments_of(track).end {
                    tracks.push(track);
                    means.extend(sum.mean());
                    sum = VectorSum::new(self.store.n_bins());
                }
            }
            on_block(&tracks, &means);
        })
    }
}

/// Mean over the frames of each segment.
///
/// # Shapes
/// - `features`: `[n_segments, n_frames, n_bins]`
/// - returns: `[n_segments, n_bins]`
pub(super) fn segment_vectors(features: &[f32], n_frames: usize, n_bins: usize) -> Vec<f64> {
    let segment_len = n_frames * n_bins;
    let mut vectors = vec![0.0; features.len() / segment_len * n_bins];
    let segments = vectors.par_chunks_exact_mut(n_bins).zip(features.par_chunks_exact(segment_len));
    segments.for_each(|(vector, segment)| mean_of_frames(segment, vector));
    vectors
}

/// Writes the mean over the frames of a segment, `[n_bins]`, over zeros.
fn mean_of_frames(segment: &[f32], mean: &mut [f64]) {
    let n_frames = (segment.len() / mean.len()) as f64;
    for frame in segment.chunks_exact(mean.len()) {
        mean.iter_mut().zip(frame).for_each(|(sum, &value)| *sum += f64::from(value));
    }
    mean.iter_mut().for_each(|sum| *sum /= n_frames);
}

/// Sum of vectors, in the order in which they are added.
#[derive(Debug)]
pub(super) struct VectorSum {
    sum: Vec<f64>,
    n_vectors: usize,
}

impl VectorSum {
    pub(super) fn new(n_bins: usize) -> Self {
        Self { sum: vec![0.0; n_bins], n_vectors: 0 }
    }

    pub(super) fn add(&mut self, vector: &[f64]) {
        self.n_vectors += 1;
        self.sum.iter_mut().zip(vector).for_each(|(sum, value)| *sum += value);
    }

    /// The mean; zeros if no vector was added.
    pub(super) fn mean(&self) -> Vec<f64> {
        let n = self.n_vectors.max(1) as f64;
        self.sum.iter().map(|sum| sum / n).collect()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::path::Path;

    use cantus_audio::Audio;
    use cantus_audio::feature::{FeatureKind, FeatureSpec, Segments};
    use cantus_dataset::{Catalog, ExtractOptions, extract};

    use super::*;

    /// A store of 12 different tracks of one to three segments, from recordings in `music`.
    pub(in crate::similarity) fn store(dir: &Path) -> FeatureStore {
        let music = dir.join("music");
        for n in 0..12 {
            let (label, step) = if n < 7 { ("high", 0.3) } else { ("low", 0.05) };
            std::fs::create_dir_all(music.join(label)).unwrap();
            let phase = |i: usize| step * (1.0 + 0.1 * n as f32) * (i + n * i * i / 40_000) as f32;
            let samples = (0..10_000 * (1 + n % 3)).map(|i| 0.5 * phase(i).sin()).collect();
            let audio = Audio { samples, sample_rate: 22_050 };
            cantus_audio::write_wav(music.join(format!("{label}/{n:02}.wav")), &audio).unwrap();
        }
        let spec = FeatureSpec {
            kinds: vec![FeatureKind::Mfcc, FeatureKind::SpectralCentroid],
            segments: Segments::Parts { track_duration_s: 1.35, n_segments: 3 },
            ..FeatureSpec::course()
        };
        let (features, catalog) = (dir.join("features"), Catalog::open(&music).unwrap());
        extract(&catalog, &spec, &features, &ExtractOptions::default(), &|_| {}).unwrap();
        let store = FeatureStore::open(&features).unwrap();
        assert_eq!((store.tracks().len(), store.n_segments()), (12, 24));
        store
    }

    #[test]
    fn the_size_of_blocks_does_not_affect_the_vectors() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        let read = |segments_per_block: usize| {
            let reader = VectorReader { store: &store, segments_per_block };
            let (mut segments, mut tracks) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
            reader
                .read_segments(|indices, vectors| {
                    segments.0.extend_from_slice(indices);
                    segments.1.extend_from_slice(vectors);
                })
                .unwrap();
            reader
                .read_tracks(|indices, vectors| {
                    tracks.0.extend_from_slice(indices);
                    tracks.1.extend_from_slice(vectors);
                })
                .unwrap();
            (segments, tracks)
        };
        let whole = read(1000);
        assert_eq!(whole.0.0, (0..store.n_segments()).collect::<Vec<_>>());
        assert_eq!(whole.1.0, (0..store.tracks().len()).collect::<Vec<_>>());
        assert_eq!(whole.1.1.len(), store.tracks().len() * store.n_bins());
        for segments_per_block in [1, 2, 5, 24] {
            assert!(read(segments_per_block) == whole, "{segments_per_block} segments per block");
        }
    }

    #[test]
    fn vectors_are_means_over_frames() {
        let features = [1.0, 10.0, 3.0, 30.0, 5.0, 0.0, 5.0, 1.0];
        assert_eq!(segment_vectors(&features, 2, 2), [2.0, 20.0, 5.0, 0.5]);
        let mut sum = VectorSum::new(2);
        assert_eq!(sum.mean(), [0.0, 0.0]);
        sum.add(&[1.0, 2.0]);
        sum.add(&[2.0, 6.0]);
        assert_eq!(sum.mean(), [1.5, 4.0]);
    }
}
