//! t-SNE of the tracks of a store, from their principal components, by the crate `bhtsne`.
//!
//! Source: van der Maaten 2014, JMLR 15, 3221–3245. Settings are those of scikit-learn's `TSNE`: 1000 iterations, an angle of 0.5, an early
//! exaggeration of 12, a learning rate of max(n / 48, 50), and as the start the principal components, of which the first has a deviation of 1e-4.

use bhtsne::tSNE;
use rayon::ThreadPoolBuilder;

/// Deviation of the first coordinate at the start.
const START_DEVIATION: f64 = 1e-4;
/// What of the space is summarised as one point: scikit-learn's `angle`.
const THETA: f64 = 0.5;

/// Points whose neighbours are those of the rows.
///
/// The perplexity is a third of the number of other rows at most. Fewer than four rows, and equal ones, have no neighbourhoods: their
/// points are the start.
///
/// # Shapes
/// - `rows`: `[n_rows, n_values]`
/// - `start`: `[n_rows]`
/// - returns: `[n_rows]`
pub(super) fn tsne(rows: &[f64], n_values: usize, start: &[[f64; 2]], perplexity: f64) -> Vec<[f64; 2]> {
    let n_rows = start.len();
    let scale = start_scale(start);
    if n_rows < 4 || n_values == 0 || !scale.is_finite() {
        return start.to_vec();
    }
    let rows: Vec<&[f64]> = rows.chunks_exact(n_values).collect();
    let distance =
        |a: &&[f64], b: &&[f64]| a.iter().zip(*b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt();
    let fit = || {
        let mut tsne: tSNE<'_, f64, &[f64]> = tSNE::new(&rows);
        tsne.perplexity(perplexity.min((n_rows - 1) as f64 / 3.0).max(1.0));
        tsne.initial_embedding(start.iter().flatten().map(|value| scale * value).collect::<Vec<f64>>());
        tsne.barnes_hut(THETA, distance).embedding()
    };
    // Sums of several threads depend on their number.
    let values = match ThreadPoolBuilder::new().num_threads(1).build() {
        Ok(pool) => pool.install(fit),
        Err(_) => fit(),
    };
    values.as_chunks::<2>().0.to_vec()
}

/// What the start is multiplied by, so that its first coordinate has a small deviation; infinite or NaN if it has none.
fn start_scale(start: &[[f64; 2]]) -> f64 {
    let n_rows = start.len() as f64;
    let mean = start.iter().map(|point| point[0]).sum::<f64>() / n_rows;
    let variance = start.iter().map(|point| (point[0] - mean).powi(2)).sum::<f64>() / n_rows;
    START_DEVIATION / variance.sqrt()
}

#[cfg(test)]
mod tests {
    use cantus_random::KeyedRng;

    use super::*;

    /// Rows of three groups, whose centres are far from each other in ten dimensions, and their first two values as a start.
    fn groups(n: usize) -> (Vec<f64>, Vec<[f64; 2]>) {
        let mut rng = KeyedRng::new([3]);
        let rows: Vec<f64> = (0..n)
            .flat_map(|row| (0..10).map(move |value| (row, value)))
            .map(|(row, value)| rng.normal() + if value == 5 + row % 3 { 20.0 } else { 0.0 })
            .collect();
        let start = rows.chunks_exact(10).map(|row| [row[0], row[1]]).collect();
        (rows, start)
    }

    #[test]
    fn neighbours_of_a_point_are_of_its_group() {
        let (rows, start) = groups(150);
        let points = tsne(&rows, 10, &start, 30.0);
        for (i, a) in points.iter().enumerate() {
            let distance = |b: &[f64; 2]| (a[0] - b[0]).hypot(a[1] - b[1]);
            let others = (0..points.len()).filter(|&j| j != i);
            let nearest =
                others.min_by(|&j, &k| distance(&points[j]).total_cmp(&distance(&points[k]))).unwrap();
            assert_eq!(nearest % 3, i % 3, "point {i}");
        }
    }

    #[test]
    fn the_same_rows_give_the_same_points_on_any_number_of_threads() {
        let (rows, start) = groups(120);
        let on = |n_threads: usize| {
            let pool = ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
            pool.install(|| tsne(&rows, 10, &start, 10.0))
        };
        let points = on(1);
        assert!(points == on(2) && points == on(3));
        assert!(points.iter().flatten().all(|value| value.is_finite()));
    }

    #[test]
    fn few_or_equal_rows_have_finite_points() {
        for n in [0, 1, 3, 4, 5, 9] {
            let (rows, start) = groups(n);
            let points = tsne(&rows, 10, &start, 30.0);
            assert!(points.len() == n && points.iter().flatten().all(|value| value.is_finite()), "{n} rows");
        }
        // Copies of a recording have equal rows.
        let (rows, start) = groups(20);
        let points = tsne(&rows.repeat(5), 10, &start.repeat(5), 30.0);
        assert!(points.iter().flatten().all(|value| value.is_finite()), "{points:?}");
        let points = tsne(&[1.0; 100], 10, &[[0.0; 2]; 10], 30.0);
        assert!(points.iter().flatten().all(|value| value.is_finite()), "{points:?}");
    }
}
