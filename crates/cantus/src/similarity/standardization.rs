//! Standardisation of vectors by the mean and the deviation of each value, and the dot product of two of them.

/// Deviations up to this share of the mean are those of equal values: features are f32, whose rounding is 6e-8 of a value.
const ROUNDING: f64 = 1e-7;

/// Mean and sum of squared differences from it of each value, in one pass.
///
/// Source: Welford 1962, "Note on a method for calculating corrected sums of squares and products".
#[derive(Debug)]
pub(super) struct Moments {
    n_vectors: u64,
    mean: Vec<f64>,
    squares: Vec<f64>,
}

impl Moments {
    pub(super) fn new(n_bins: usize) -> Self {
        Self { n_vectors: 0, mean: vec![0.0; n_bins], squares: vec![0.0; n_bins] }
    }

    pub(super) fn add(&mut self, vector: &[f64]) {
        self.n_vectors += 1;
        let n = self.n_vectors as f64;
        for ((mean, squares), value) in self.mean.iter_mut().zip(&mut self.squares).zip(vector) {
            let difference = value - *mean;
            *mean += difference / n;
            *squares += difference * (value - *mean);
        }
    }

    /// The standardisation by the deviation of a population, as NumPy's default.
    pub(super) fn finish(self) -> Standardization {
        let n = self.n_vectors.max(1) as f64;
        let mut standardization = Standardization::default();
        for (bin, (mean, squares)) in self.mean.into_iter().zip(self.squares).enumerate() {
            let deviation = (squares / n).sqrt();
            if deviation > ROUNDING * mean.abs() {
                standardization.columns.push(Column { bin, mean, deviation });
            }
        }
        standardization
    }
}

/// The values that are compared, with their means and deviations.
#[derive(Debug, Default)]
pub(super) struct Standardization {
    columns: Vec<Column>,
}

/// A value that differs between vectors.
#[derive(Debug)]
struct Column {
    bin: usize,
    mean: f64,
    /// Above 0.
    deviation: f64,
}

impl Standardization {
    pub(super) fn n_values(&self) -> usize {
        self.columns.len()
    }

    /// The standardised vector, `[n_values]`.
    pub(super) fn standardize(&self, vector: &[f64]) -> Vec<f64> {
        let columns = self.columns.iter();
        columns.map(|Column { bin, mean, deviation }| (vector[*bin] - mean) / deviation).collect()
    }

    /// The standardised vector at length 1, so that the dot product of two is their cosine; zeros for the mean.
    pub(super) fn unit_vector(&self, vector: &[f64]) -> Vec<f64> {
        let mut unit = self.standardize(vector);
        let norm = dot(&unit, &unit).sqrt();
        if norm > 0.0 {
            unit.iter_mut().for_each(|value| *value /= norm);
        }
        unit
    }
}

/// Sum of products. Eight partial sums, so that it can be vectorised; their order is fixed.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut sums = [0.0; 8];
    for (a, b) in a.iter().zip(b) {
        sums.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (a, b))| *sum += a * b);
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standardization(vectors: &[Vec<f64>]) -> Standardization {
        let mut moments = Moments::new(vectors[0].len());
        vectors.iter().for_each(|vector| moments.add(vector));
        moments.finish()
    }

    #[test]
    fn standardised_values_have_mean_0_and_deviation_1() {
        let vectors: Vec<Vec<f64>> = (0..50)
            .map(|n| vec![0.1 * f64::from(n) - 7.0, 1e6 + f64::from(n % 7), f64::from(n * n)])
            .collect();
        let standardization = standardization(&vectors);
        assert_eq!(standardization.n_values(), 3);
        let standardised: Vec<Vec<f64>> =
            vectors.iter().map(|vector| standardization.standardize(vector)).collect();
        for bin in 0..3 {
            let mean =
                |f: fn(f64) -> f64| standardised.iter().map(|vector| f(vector[bin])).sum::<f64>() / 50.0;
            assert!(mean(|value| value).abs() < 1e-9);
            assert!((mean(|value| value * value) - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn values_that_are_equal_up_to_rounding_are_left_out() {
        let third = f64::from(1.0_f32 / 3.0);
        let vectors: Vec<Vec<f64>> = (0..9)
            .map(|n| {
                let rounding = f64::from(n % 2) * f64::from(f32::EPSILON) * 0.25;
                vec![third, f64::from(n), 0.0, -80.0 * (1.0 + rounding), 1e-9 * f64::from(n)]
            })
            .collect();
        let standardization = standardization(&vectors);
        let bins: Vec<usize> = standardization.columns.iter().map(|column| column.bin).collect();
        assert_eq!(bins, [1, 4]);
    }

    #[test]
    fn unit_vectors_have_length_1_and_that_of_the_mean_is_0() {
        let standardization = standardization(&[vec![0.0, 2.0], vec![2.0, 0.0]]);
        let unit = standardization.unit_vector(&[4.0, 1.0]);
        assert_eq!(unit, [1.0, 0.0]);
        assert_eq!(standardization.unit_vector(&[1.0, 1.0]), [0.0, 0.0]);
    }

    /// Below, at and above one and several blocks of eight.
    #[test]
    fn the_dot_product_equals_the_sum_in_order() {
        for n in [0_u32, 1, 7, 8, 9, 16, 29] {
            let a: Vec<f64> = (0..n).map(|i| f64::from(i) - 3.0).collect();
            let b: Vec<f64> = (0..n).map(|i| f64::from(i * i % 11)).collect();
            let expected: f64 = a.iter().zip(&b).map(|(a, b)| a * b).sum();
            assert_eq!(dot(&a, &b), expected, "{n} integers");
        }
    }
}
