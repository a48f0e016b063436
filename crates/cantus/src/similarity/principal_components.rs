//! The first two principal components of centred rows, by subspace iteration with Rayleigh–Ritz projection.
//!
//! The covariance matrix is never formed: each iteration multiplies the rows with a basis of a few vectors, so that thousands
//! of values need no more memory than the rows. Sums are in f64 and in a fixed order.
//!
//! Source: Halko, Martinsson & Tropp 2011, SIAM Review 53 (2), 217–288, algorithm 4.4.

use cantus_random::{KeyedRng, text_key};
use rayon::prelude::*;

use super::standardization::dot;
use super::symmetric_eigen::eigenpairs;

/// Vectors of the basis: more than two, so that the first two converge soon where the next ones have almost their variance.
const N_BASIS: usize = 12;
/// Relative change of the eigenvalues in an iteration up to which they have converged.
const TOLERANCE: f64 = 1e-12;
const MAX_ITERATIONS: usize = 500;
/// Rows of which a thread computes a partial sum; does not depend on the number of threads.
const ROWS_PER_SUM: usize = 512;

/// The first two principal components.
#[derive(Debug)]
pub(super) struct PrincipalComponents {
    /// Orthogonal vectors of length 1, `[n_values]`; fewer than two if there are fewer values. The largest value of each is
    /// positive, as in scikit-learn, since a component has no sign of its own.
    pub(super) vectors: Vec<Vec<f64>>,
    /// Share of the variance of the rows along each, from 0 to 1.
    pub(super) shares: [f64; 2],
}

impl PrincipalComponents {
    /// # Shapes
    /// - `rows`: `[n_rows, n_values]`, each value with the mean 0
    pub(super) fn of(rows: &[f64], n_values: usize) -> Self {
        let mut basis = start(n_values);
        let mut previous = [f64::INFINITY; 2];
        let mut n_iterations = 0;
        loop {
            let image = covariance_times(rows, n_values, &basis);
            let pairs = eigenpairs(products(&basis, &image));
            let mut values = [0.0; 2];
            values.iter_mut().zip(&pairs).for_each(|(value, pair)| *value = pair.0.max(0.0));
            let change = values.iter().zip(previous).map(|(value, before)| (value - before).abs());
            let has_converged = change.fold(0.0, f64::max) <= TOLERANCE * values[0];
            n_iterations += 1;
            if has_converged || n_iterations == MAX_ITERATIONS {
                let vectors = pairs.iter().take(2).map(|(_, weights)| positive(combine(weights, &basis)));
                let total = dot(rows, rows);
                let shares = values.map(|value| if total > 0.0 { value / total } else { 0.0 });
                return Self { vectors: vectors.collect(), shares };
            }
            previous = values;
            basis = orthonormal(pairs.iter().map(|(_, weights)| combine(weights, &image)));
        }
    }

    /// Coordinates of a row, `[n_values]`, along both components.
    pub(super) fn project(&self, row: &[f64]) -> [f64; 2] {
        let mut point = [0.0; 2];
        point.iter_mut().zip(&self.vectors).for_each(|(coordinate, vector)| *coordinate = dot(row, vector));
        point
    }
}

/// Random vectors to start from, always the same.
fn start(n_values: usize) -> Vec<Vec<f64>> {
    let mut rng = KeyedRng::new([text_key("start of the principal components")]);
    let mut vector = || (0..n_values).map(|_| 2.0 * rng.uniform() - 1.0).collect();
    orthonormal((0..N_BASIS.min(n_values)).map(|_| vector()))
}

/// Products of the covariance matrix of the rows, times their number, with the vectors of a basis.
fn covariance_times(rows: &[f64], n_values: usize, basis: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let zeros = || vec![vec![0.0; n_values]; basis.len()];
    let partial = |rows: &[f64]| {
        let mut sums = zeros();
        for row in rows.chunks_exact(n_values) {
            sums.iter_mut().zip(basis).for_each(|(sum, vector)| add(sum, dot(row, vector), row));
        }
        sums
    };
    let partials: Vec<Vec<Vec<f64>>> = rows.par_chunks(ROWS_PER_SUM * n_values).map(partial).collect();
    let mut sums = zeros();
    for partial in &partials {
        sums.iter_mut().zip(partial).for_each(|(sum, partial)| add(sum, 1.0, partial));
    }
    sums
}

/// `[n][n]`, symmetric: the products of each vector of the basis with each of its images.
fn products(basis: &[Vec<f64>], image: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let product = |i: usize, j: usize| dot(&basis[i.min(j)], &image[i.max(j)]);
    let n = basis.len();
    (0..n).map(|i| (0..n).map(|j| product(i, j)).collect()).collect()
}

/// The sum of vectors with these weights.
fn combine(weights: &[f64], vectors: &[Vec<f64>]) -> Vec<f64> {
    let mut sum = vec![0.0; vectors.first().map_or(0, Vec::len)];
    weights.iter().zip(vectors).for_each(|(&weight, vector)| add(&mut sum, weight, vector));
    sum
}

/// Adds a multiple of a vector.
fn add(sum: &mut [f64], factor: f64, vector: &[f64]) {
    sum.iter_mut().zip(vector).for_each(|(sum, value)| *sum += factor * value);
}

/// Gram–Schmidt orthonormalisation, twice against rounding; a vector that depends on those before it becomes 0.
fn orthonormal(vectors: impl Iterator<Item = Vec<f64>>) -> Vec<Vec<f64>> {
    let mut basis: Vec<Vec<f64>> = Vec::new();
    for mut vector in vectors {
        let length = dot(&vector, &vector).sqrt();
        for _ in 0..2 {
            for other in &basis {
                let along = dot(other, &vector);
                add(&mut vector, -along, other);
            }
        }
        let rest = dot(&vector, &vector).sqrt();
        let scale = if rest > 1e-10 * length { 1.0 / rest } else { 0.0 };
        vector.iter_mut().for_each(|value| *value *= scale);
        basis.push(vector);
    }
    basis
}

/// The vector or its opposite: that whose largest absolute value is positive.
fn positive(mut vector: Vec<f64>) -> Vec<f64> {
    let largest =
        vector.iter().fold(0.0_f64, |best, &value| if value.abs() > best.abs() { value } else { best });
    if largest < 0.0 {
        vector.iter_mut().for_each(|value| *value = -*value);
    }
    vector
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Centred rows, whose values are correlated and have different variances.
    fn rows(n_rows: usize, n_values: usize) -> Vec<f64> {
        let mut rng = KeyedRng::new([text_key("rows of a test"), n_values as u64]);
        let mut rows = Vec::new();
        for _ in 0..n_rows {
            let common = [rng.uniform(), rng.uniform()];
            rows.extend((0..n_values).map(|i| {
                3.0 * common[0] * (i as f64).cos() + 2.0 * common[1] * (i as f64).sin() + rng.uniform()
            }));
        }
        for column in 0..n_values {
            let mean = rows.iter().skip(column).step_by(n_values).sum::<f64>() / n_rows as f64;
            rows.iter_mut().skip(column).step_by(n_values).for_each(|value| *value -= mean);
        }
        rows
    }

    /// The slow version: all eigenvectors of the whole covariance matrix. Below, at and above the size of the basis, and the
    /// number of rows of a partial sum.
    #[test]
    fn components_equal_eigenvectors_of_the_covariance_matrix() {
        for (n_rows, n_values) in [(20, 1), (30, 2), (40, 12), (700, 13), (60, 50), (5, 40)] {
            let rows = rows(n_rows, n_values);
            let element =
                |i: usize, j: usize| rows.chunks_exact(n_values).map(|row| row[i] * row[j]).sum::<f64>();
            let covariance: Vec<Vec<f64>> =
                (0..n_values).map(|i| (0..n_values).map(|j| element(i, j)).collect()).collect();
            let total: f64 = (0..n_values).map(|i| covariance[i][i]).sum();
            let expected = eigenpairs(covariance);
            let found = PrincipalComponents::of(&rows, n_values);
            assert_eq!(found.vectors.len(), n_values.min(2));
            for ((vector, share), (value, eigenvector)) in
                found.vectors.iter().zip(found.shares).zip(&expected)
            {
                assert!((share - value / total).abs() < 1e-9, "{n_rows} × {n_values}: {share}");
                assert!((dot(vector, eigenvector).abs() - 1.0).abs() < 1e-6, "{n_rows} × {n_values}");
                assert!(vector.iter().any(|a| *a > 0.0 && vector.iter().all(|b| b.abs() <= *a)));
            }
        }
    }

    #[test]
    fn equal_rows_have_no_components() {
        let found = PrincipalComponents::of(&[0.0; 12], 3);
        assert_eq!((found.shares, found.project(&[0.0; 3])), ([0.0; 2], [0.0; 2]));
    }

    #[test]
    fn the_number_of_threads_does_not_change_a_bit() {
        let rows = rows(1300, 20);
        let on = |n_threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
            pool.install(|| PrincipalComponents::of(&rows, 20).vectors)
        };
        assert_eq!(on(1), on(3));
    }
}
