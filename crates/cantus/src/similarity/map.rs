//! A map of the tracks of a store: their standardised vectors, projected on the first two principal components.

use super::SimilaritySearch;
use super::principal_components::PrincipalComponents;
use super::vectors::VectorReader;
use crate::Error;

/// Tracks of a store as points of a plane.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackMap {
    /// Indices in [`FeatureStore::tracks`](cantus_dataset::FeatureStore::tracks), ascending.
    pub tracks: Vec<usize>,
    /// Coordinates of each along the first and the second principal component, in deviations of a value.
    pub points: Vec<[f64; 2]>,
    /// Share of the variance of the tracks along each component, from 0 to 1.
    pub shares: [f64; 2],
}

impl SimilaritySearch<'_> {
    /// The tracks as points of a plane: principal component analysis of the standardised vectors that
    /// [`query`](Self::query) compares.
    ///
    /// Of more than `max_points` tracks, as many at equal distances in the store. Their vectors are held in memory.
    ///
    /// # Errors
    /// If the store cannot be read.
    ///
    /// # Reference
    /// `sklearn.decomposition.PCA(n_components=2)`.
    pub fn map(&self, max_points: usize) -> Result<TrackMap, Error> {
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
            return Ok(TrackMap { tracks, points, shares: [0.0; 2] });
        }
        center(&mut rows, n_values);
        let components = PrincipalComponents::of(&rows, n_values);
        let points = rows.chunks_exact(n_values).map(|row| components.project(row)).collect();
        Ok(TrackMap { tracks, points, shares: components.shares })
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
        let map = SimilaritySearch::new(&store).unwrap().map(1000).unwrap();
        assert_eq!(map.tracks, (0..store.tracks().len()).collect::<Vec<_>>());
        let mean = |f: fn(&[f64; 2]) -> f64| map.points.iter().map(f).sum::<f64>() / map.points.len() as f64;
        assert!(mean(|point| point[0]).abs() < 1e-9 && mean(|point| point[1]).abs() < 1e-9);
        let variances = [mean(|point| point[0] * point[0]), mean(|point| point[1] * point[1])];
        assert!(
            variances[0] >= variances[1] && mean(|point| point[0] * point[1]).abs() < 1e-6 * variances[0]
        );
        let [first, second] = map.shares;
        assert!(first >= second && second > 0.0 && first + second <= 1.0 + 1e-12, "{:?}", map.shares);
        assert!((variances[0] / variances[1] - first / second).abs() < 1e-6 * first / second);
    }

    #[test]
    fn of_many_tracks_some_are_taken_at_equal_distances() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        let search = SimilaritySearch::new(&store).unwrap();
        let map = search.map(5).unwrap();
        assert_eq!((map.tracks, map.points.len()), (vec![0, 2, 4, 7, 9], 5));
        assert!(search.map(0).unwrap().points.is_empty());
    }
}
