//! A map of the tracks of a store: their standardised vectors, projected on the first two principal components, or by t-SNE.

use super::SimilaritySearch;
use super::principal_components::PrincipalComponents;
use super::tsne::tsne;
use super::vectors::VectorReader;
use crate::Error;

/// How the vectors of tracks become points of a plane.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum MapMethod {
    /// Along their first two principal components: distances are those in the directions in which tracks differ most.
    #[default]
    PrincipalComponents,
    /// By t-SNE: near each other are the tracks whose vectors are near each other; longer distances have no meaning.
    Tsne {
        /// Number of neighbours, about; a third of the other tracks at most. 30 with scikit-learn.
        perplexity: f64,
    },
}

/// Tracks of a store as points of a plane.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackMap {
    /// Indices in [`FeatureStore::tracks`](cantus_dataset::FeatureStore::tracks), ascending.
    pub tracks: Vec<usize>,
    /// Coordinates of each: along the first and the second principal component, in deviations of a value, or by t-SNE.
    pub points: Vec<[f64; 2]>,
    /// Share of the variance of the tracks along each principal component, from 0 to 1; `None` with t-SNE.
    pub shares: Option<[f64; 2]>,
}

impl SimilaritySearch<'_> {
    /// The tracks as points of a plane, by the standardised vectors that [`query`](Self::query) compares.
    ///
    /// Of more than `max_points` tracks, as many at equal distances in the store. Their vectors are held in memory.
    ///
    /// # Errors
    /// If the store cannot be read.
    ///
    /// # Reference
    /// `sklearn.decomposition.PCA(n_components=2)`; `sklearn.manifold.TSNE(init="pca")`, whose result is another one with the same
    /// neighbourhoods.
    pub fn map(&self, method: MapMethod, max_points: usize) -> Result<TrackMap, Error> {
        let (n_tracks, n_values) = (self.store.tracks().len(), self.n_values());
        let n_points = n_tracks.min(max_points);
        let chosen: Vec<usize> = (0..n_points).map(|index| index * n_tracks / n_points).collect();
        let (mut tracks, mut rows) = (Vec::new(), Vec::new());
        VectorReader::new(self.store).read_tracks(|indices, vectors| {
            for (&track, vector) in indices.iter().zip(vectors.chunks_exact(self.store.n_bins())) {
                if chosen.binary_search(&track).is_ok() {
                    tracks.push(track);
                    rows.extend(self.standardization.standardize(vector));
                }
            }
        })?;
        if n_values == 0 {
            let points = vec![[0.0; 2]; tracks.len()];
            return Ok(TrackMap { tracks, points, shares: None });
        }
        center(&mut rows, n_values);
        let components = PrincipalComponents::of(&rows, n_values);
        let points: Vec<[f64; 2]> = rows.chunks_exact(n_values).map(|row| components.project(row)).collect();
        Ok(match method {
            MapMethod::PrincipalComponents => TrackMap { tracks, points, shares: Some(components.shares) },
            MapMethod::Tsne { perplexity } => {
                TrackMap { tracks, points: tsne(&rows, n_values, &points, perplexity), shares: None }
            }
        })
    }
}

/// Subtracts the mean of each column of `[n_rows, n_values]`.
fn center(rows: &mut [f64], n_values: usize) {
    let n_rows = (rows.len() / n_values).max(1) as f64;
    let mut mean = vec![0.0; n_values];
    for row in rows.chunks_exact(n_values) {
        mean.iter_mut().zip(row).for_each(|(sum, value)| *sum += value / n_rows);
    }
    for row in rows.chunks_exact_mut(n_values) {
        row.iter_mut().zip(&mean).for_each(|(value, mean)| *value -= mean);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::similarity::vectors::tests::store;

    #[test]
    fn points_are_centred_and_ordered_by_variance() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        let map = SimilaritySearch::new(&store).unwrap().map(MapMethod::default(), 1000).unwrap();
        assert_eq!(map.tracks, (0..store.tracks().len()).collect::<Vec<_>>());
        let mean = |f: fn(&[f64; 2]) -> f64| map.points.iter().map(f).sum::<f64>() / map.points.len() as f64;
        assert!(mean(|point| point[0]).abs() < 1e-9 && mean(|point| point[1]).abs() < 1e-9);
        let variances = [mean(|point| point[0] * point[0]), mean(|point| point[1] * point[1])];
        assert!(
            variances[0] >= variances[1] && mean(|point| point[0] * point[1]).abs() < 1e-6 * variances[0]
        );
        let [first, second] = map.shares.unwrap();
        assert!(first >= second && second > 0.0 && first + second <= 1.0 + 1e-12, "{:?}", map.shares);
        assert!((variances[0] / variances[1] - first / second).abs() < 1e-6 * first / second);
    }

    #[test]
    fn of_many_tracks_some_are_taken_at_equal_distances() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        let search = SimilaritySearch::new(&store).unwrap();
        let map = search.map(MapMethod::default(), 5).unwrap();
        assert_eq!((map.tracks, map.points.len()), (vec![0, 2, 4, 7, 9], 5));
        for method in [MapMethod::default(), MapMethod::Tsne { perplexity: 30.0 }] {
            assert!(search.map(method, 0).unwrap().points.is_empty());
        }
    }

    #[test]
    fn a_map_by_neighbours_has_a_point_for_each_track() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        let map =
            SimilaritySearch::new(&store).unwrap().map(MapMethod::Tsne { perplexity: 3.0 }, 1000).unwrap();
        assert_eq!((map.points.len(), map.shares), (store.tracks().len(), None));
        assert!(map.points.iter().flatten().all(|value| value.is_finite()));
    }
}
