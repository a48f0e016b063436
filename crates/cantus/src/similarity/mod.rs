//! Similarity search: the tracks or segments of a feature store with the highest cosine similarity to given recordings.
//!
//! The vector of a segment is the mean of its frames; that of a track or a recording is the mean of its segments' vectors.
//! Each value of a vector `v` is standardised by its mean `μ` and its deviation `σ` over the segments of the store, so that
//! features in Hz do not outweigh features between 0 and 1:
//!
//! ```text
//! z = (v − μ) / σ
//! similarity(a, b) = Σ z_a z_b / (‖z_a‖ ‖z_b‖)        from −1 to 1
//! ```
//!
//! Values that are equal in all segments (`σ` = 0) are left out. The search is exact: every vector of the store is compared
//! with every query. The store is read in blocks, once for `μ` and `σ` and once for all queries together, so that memory does
//! not grow with it. All sums are in f64 and in a fixed order: the number of threads does not change a bit.
//!
//! [`TrackMap`] shows the same vectors of tracks as points of a plane, by principal component analysis or t-SNE.
//!
//! Source: Manning, Raghavan & Schütze 2008, "Introduction to Information Retrieval", section 6.3 (cosine similarity).

mod map;
mod map_page;
mod principal_components;
mod ranking;
mod recording;
mod standardization;
mod symmetric_eigen;
mod tsne;
mod vectors;

use cantus_dataset::FeatureStore;
use rayon::prelude::*;

pub use self::map::{MapMethod, TrackMap};
pub use self::recording::{RecordingVector, recording_vector};

use self::ranking::{Ranked, Ranking};
use self::standardization::{Moments, Standardization, dot};
use self::vectors::VectorReader;
use crate::Error;

/// What a search ranks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchUnit {
    /// Tracks, by the mean of their segments' vectors.
    Track,
    /// Segments.
    Segment,
}

/// A track or a segment of a store, and its similarity to a query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Match {
    /// Index of the track in [`FeatureStore::tracks`].
    pub track: usize,
    /// Number of the segment in the store; `None` in a search of tracks.
    pub segment: Option<usize>,
    /// Cosine of the angle between the standardised vectors, from −1 to 1; 0 if one of them is the mean of the store.
    pub similarity: f64,
}

/// Searches a feature store.
///
/// ```no_run
/// use std::path::Path;
///
/// use cantus::similarity::{SearchUnit, SimilaritySearch, recording_vector};
///
/// let store = cantus_dataset::FeatureStore::open(Path::new("features"))?;
/// let query = recording_vector(Path::new("song.mp3"), &mut store.spec().extractor()?)?;
/// let search = SimilaritySearch::new(&store)?;
/// for found in &search.query(&[query.vector], 10, SearchUnit::Track)?[0] {
///     println!("{:.3} {}", found.similarity, store.tracks()[found.track].path);
/// }
/// # Ok::<(), cantus::Error>(())
/// ```
#[derive(Debug)]
pub struct SimilaritySearch<'store> {
    store: &'store FeatureStore,
    standardization: Standardization,
}

impl<'store> SimilaritySearch<'store> {
    /// Computes the mean and the deviation of each value over the segments of a store, without those of augmented copies.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn new(store: &'store FeatureStore) -> Result<Self, Error> {
        let mut moments = Moments::new(store.n_bins());
        VectorReader::new(store).read_segments(|_, vectors| {
            vectors.chunks_exact(store.n_bins()).for_each(|vector| moments.add(vector));
        })?;
        Ok(Self { store, standardization: moments.finish() })
    }

    /// Number of values that are compared: those that differ between segments. If it is 0, every similarity is 0.
    #[must_use]
    pub fn n_values(&self) -> usize {
        self.standardization.n_values()
    }

    /// The `k` tracks or segments that are most similar to each query, the most similar first and equal ones in the order of
    /// the store; all of them if there are fewer.
    ///
    /// # Shapes
    /// - `queries`: `[n_queries][store.n_bins()]`, as [`recording_vector`] returns them
    /// - returns: `[n_queries][min(k, n)]`, where `n` is the number of tracks or segments
    ///
    /// # Errors
    /// If the store cannot be read.
    ///
    /// # Panics
    /// If a query has another length.
    pub fn query(&self, queries: &[Vec<f64>], k: usize, unit: SearchUnit) -> Result<Vec<Vec<Match>>, Error> {
        let n_bins = self.store.n_bins();
        assert!(queries.iter().all(|query| query.len() == n_bins), "a value for each bin");
        let unit_vector = |vector: &[f64]| self.standardization.unit_vector(vector);
        let mut rankings: Vec<(Vec<f64>, Ranking)> =
            queries.iter().map(|query| (unit_vector(query), Ranking::new(k))).collect();
        let rank = |indices: &[usize], vectors: &[f64]| {
            let candidates: Vec<Vec<f64>> = vectors.par_chunks_exact(n_bins).map(unit_vector).collect();
            rankings.par_iter_mut().for_each(|(query, ranking)| {
                for (&index, candidate) in indices.iter().zip(&candidates) {
                    ranking.add(Ranked { index, similarity: dot(query, candidate).clamp(-1.0, 1.0) });
                }
            });
        };
        let reader = VectorReader::new(self.store);
        match unit {
            SearchUnit::Track => reader.read_tracks(rank)?,
            SearchUnit::Segment => reader.read_segments(rank)?,
        }
        let matches = |ranking: Ranking| -> Vec<Match> {
            ranking.finish().into_iter().map(|ranked| self.to_match(ranked, unit)).collect()
        };
        Ok(rankings.into_iter().map(|(_, ranking)| matches(ranking)).collect())
    }

    fn to_match(&self, Ranked { index, similarity }: Ranked, unit: SearchUnit) -> Match {
        match unit {
            SearchUnit::Track => Match { track: index, segment: None, similarity },
            SearchUnit::Segment => {
                Match { track: self.store.track_of(index), segment: Some(index), similarity }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::similarity::vectors::tests::store;

    /// `[n_segments][n_bins]`: means over the frames.
    fn segment_vectors(store: &FeatureStore) -> Vec<Vec<f64>> {
        let mean = |segment: usize| {
            let features = store.read_segments(&[segment]).unwrap();
            let of_bin =
                |bin: usize| features.iter().skip(bin).step_by(store.n_bins()).map(|&v| f64::from(v));
            (0..store.n_bins()).map(|bin| of_bin(bin).sum::<f64>() / store.n_frames() as f64).collect()
        };
        (0..store.n_segments()).map(mean).collect()
    }

    fn mean(vectors: &[Vec<f64>]) -> Vec<f64> {
        let of_bin =
            |bin: usize| vectors.iter().map(|vector| vector[bin]).sum::<f64>() / vectors.len() as f64;
        (0..vectors[0].len()).map(of_bin).collect()
    }

    /// The slow version: all vectors in memory, every similarity by its formula, everything sorted.
    fn slow(store: &FeatureStore, query: &[f64], unit: SearchUnit) -> Vec<(usize, f64)> {
        let segments = segment_vectors(store);
        let center = mean(&segments);
        let squares: Vec<Vec<f64>> = segments
            .iter()
            .map(|vector| vector.iter().zip(&center).map(|(v, m)| (v - m) * (v - m)).collect())
            .collect();
        let deviation: Vec<f64> = mean(&squares).iter().map(|variance| variance.sqrt()).collect();
        let standardised = |vector: &[f64]| -> Vec<f64> {
            (0..vector.len()).map(|bin| (vector[bin] - center[bin]) / deviation[bin]).collect()
        };
        let cosine = |a: &[f64], b: &[f64]| {
            let sum = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            sum(a, b) / (sum(a, a).sqrt() * sum(b, b).sqrt())
        };
        let vectors = match unit {
            SearchUnit::Segment => segments,
            SearchUnit::Track => {
                (0..store.tracks().len()).map(|track| mean(&segments[store.segments_of(track)])).collect()
            }
        };
        let similarity = |vector: &Vec<f64>| cosine(&standardised(vector), &standardised(query));
        let mut ranked: Vec<(usize, f64)> = vectors.iter().map(similarity).enumerate().collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        ranked
    }

    #[test]
    fn the_search_equals_the_formula() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        let search = SimilaritySearch::new(&store).unwrap();
        assert_eq!(search.n_values(), store.n_bins());
        let segments = segment_vectors(&store);
        let queries =
            [segments[3].clone(), mean(&segments[4..9]), segments[0].iter().map(|v| 2.0 * v).collect()];
        for (unit, n) in [(SearchUnit::Track, store.tracks().len()), (SearchUnit::Segment, segments.len())] {
            for k in [1, 3, n, n + 5] {
                let found = search.query(&queries, k, unit).unwrap();
                assert_eq!(found.len(), queries.len());
                for (found, query) in found.iter().zip(&queries) {
                    let expected = slow(&store, query, unit);
                    assert_eq!(found.len(), k.min(n));
                    for (found, (index, similarity)) in found.iter().zip(expected) {
                        assert_eq!(found.segment.unwrap_or(found.track), index);
                        assert!((found.similarity - similarity).abs() < 1e-9, "{found:?}, {similarity}");
                        assert!(found.segment.is_none_or(|segment| store.track_of(segment) == found.track));
                    }
                }
            }
        }
    }

    #[test]
    fn a_recording_of_the_store_is_most_similar_to_itself() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        let mut extractor = store.spec().extractor().unwrap();
        let queries: Vec<Vec<f64>> = (0..store.tracks().len())
            .map(|track| {
                let path = dir.path().join("music").join(&store.tracks()[track].path);
                recording_vector(&path, &mut extractor).unwrap().vector
            })
            .collect();
        let search = SimilaritySearch::new(&store).unwrap();
        for (track, found) in search.query(&queries, 1, SearchUnit::Track).unwrap().iter().enumerate() {
            assert_eq!(found[0].track, track);
            assert!(found[0].similarity > 1.0 - 1e-12, "{found:?}");
        }
    }

    #[test]
    fn the_number_of_threads_does_not_change_a_bit() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        let queries = segment_vectors(&store)[..2].to_vec();
        let on = |n_threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
            pool.install(|| {
                SimilaritySearch::new(&store).unwrap().query(&queries, 9, SearchUnit::Segment).unwrap()
            })
        };
        assert_eq!(on(1), on(3));
    }

    #[test]
    fn no_matches_are_found_where_none_are_requested() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        let search = SimilaritySearch::new(&store).unwrap();
        let found = search.query(&[vec![0.0; store.n_bins()]], 0, SearchUnit::Track).unwrap();
        assert_eq!((found.len(), found[0].len()), (1, 0));
        assert!(search.query(&[], 5, SearchUnit::Track).unwrap().is_empty());
    }
}
