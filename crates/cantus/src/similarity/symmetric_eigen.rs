//! Eigenvalues and eigenvectors of a small symmetric matrix, by Jacobi's cyclic rotations.
//!
//! Source: Golub & Van Loan 2013, "Matrix Computations", section 8.5.

/// Rotations of all pairs, at most; ten are enough for any matrix of this size.
const MAX_SWEEPS: usize = 50;

/// An eigenvalue and its eigenvector, `[n]`, of length 1.
pub(super) type Eigenpair = (f64, Vec<f64>);

/// The eigenpairs of a symmetric matrix `[n][n]`, the largest eigenvalue first.
pub(super) fn eigenpairs(mut matrix: Vec<Vec<f64>>) -> Vec<Eigenpair> {
    let n = matrix.len();
    // Rows of `vectors` are the eigenvectors.
    let mut vectors: Vec<Vec<f64>> =
        (0..n).map(|i| (0..n).map(|j| if i == j { 1.0 } else { 0.0 }).collect()).collect();
    for _ in 0..MAX_SWEEPS {
        if is_diagonal(&matrix) {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                rotate(&mut matrix, &mut vectors, p, q);
            }
        }
    }
    let mut pairs: Vec<Eigenpair> = (0..n).map(|i| matrix[i][i]).zip(vectors).collect();
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    pairs
}

/// Whether all other elements are 0 up to rounding.
fn is_diagonal(matrix: &[Vec<f64>]) -> bool {
    let (mut diagonal, mut others) = (0.0, 0.0);
    for (i, row) in matrix.iter().enumerate() {
        for (j, value) in row.iter().enumerate() {
            *(if i == j { &mut diagonal } else { &mut others }) += value * value;
        }
    }
    others <= 1e-30 * diagonal
}

/// Rotates the rows and columns `p` and `q` so that the element `[p][q]` becomes 0.
fn rotate(matrix: &mut [Vec<f64>], vectors: &mut [Vec<f64>], p: usize, q: usize) {
    if matrix[p][q] == 0.0 {
        return;
    }
    let theta = (matrix[q][q] - matrix[p][p]) / (2.0 * matrix[p][q]);
    let tangent = theta.signum() / (theta.abs() + theta.hypot(1.0));
    let cosine = 1.0 / tangent.hypot(1.0);
    let sine = tangent * cosine;
    let rotated = |a: f64, b: f64| (cosine * a - sine * b, sine * a + cosine * b);
    for row in matrix.iter_mut() {
        (row[p], row[q]) = rotated(row[p], row[q]);
    }
    for rows in [&mut *matrix, vectors] {
        for k in 0..rows[p].len() {
            (rows[p][k], rows[q][k]) = rotated(rows[p][k], rows[q][k]);
        }
    }
    (matrix[p][q], matrix[q][p]) = (0.0, 0.0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eigenpairs_of_a_known_matrix() {
        let pairs = eigenpairs(vec![vec![2.0, 1.0], vec![1.0, 2.0]]);
        assert!((pairs[0].0 - 3.0).abs() < 1e-14 && (pairs[1].0 - 1.0).abs() < 1e-14, "{pairs:?}");
        let [x, y] = pairs[0].1[..] else { unreachable!() };
        assert!((x - y).abs() < 1e-14 && (x * x + y * y - 1.0).abs() < 1e-14);
    }

    #[test]
    fn every_pair_has_the_property_that_defines_it() {
        let n = 12;
        let matrix: Vec<Vec<f64>> = (0..n)
            .map(|i: usize| (0..n).map(|j: usize| ((i * j + i + j) as f64).sin() * 5.0).collect())
            .collect();
        let pairs = eigenpairs(matrix.clone());
        assert!(pairs.is_sorted_by(|a, b| a.0 >= b.0));
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        for (index, (value, vector)) in pairs.iter().enumerate() {
            for (row, own) in matrix.iter().zip(vector) {
                assert!((dot(row, vector) - value * own).abs() < 1e-12);
            }
            for (other, (_, second)) in pairs.iter().enumerate() {
                let expected = if other == index { 1.0 } else { 0.0 };
                assert!((dot(vector, second) - expected).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn matrices_of_zeros_and_of_no_rows_have_their_eigenpairs() {
        assert_eq!(eigenpairs(vec![vec![0.0; 2]; 2]), [(0.0, vec![1.0, 0.0]), (0.0, vec![0.0, 1.0])]);
        assert!(eigenpairs(Vec::new()).is_empty());
    }
}
