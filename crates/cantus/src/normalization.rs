//! Normalisation: standardises each feature bin to zero mean and unit deviation.
//!
//! Computed on the training part only, stored in the model file, applied to every input of the network.
//! Equal to scikit-learn's `StandardScaler` with the bins as features and all frames as samples.

/// Mean and deviation of each feature bin.
#[derive(Debug, Clone, PartialEq)]
pub struct Normalization {
    /// `[n_bins]`
    pub mean: Vec<f32>,
    /// Standard deviation, `[n_bins]`; 1 for a constant bin.
    pub deviation: Vec<f32>,
}

impl Normalization {
    /// The identity: mean 0 and deviation 1.
    #[must_use]
    pub fn identity(n_bins: usize) -> Self {
        Self { mean: vec![0.0; n_bins], deviation: vec![1.0; n_bins] }
    }

    /// Normalises features in place, `[n_frames, n_bins]`.
    pub fn apply(&self, features: &mut [f32]) {
        for frame in features.chunks_exact_mut(self.mean.len()) {
            for ((value, mean), deviation) in frame.iter_mut().zip(&self.mean).zip(&self.deviation) {
                *value = (*value - mean) / deviation;
            }
        }
    }
}

/// Computes a [`Normalization`] in one pass over features.
///
/// Sums in f64 and in the given order, so that equal data give bit-identical results.
#[derive(Debug, Clone)]
pub struct Normalizer {
    sum: Vec<f64>,
    sum_of_squares: Vec<f64>,
    n_frames: u64,
}

impl Normalizer {
    /// Without any frames.
    #[must_use]
    pub fn new(n_bins: usize) -> Self {
        Self { sum: vec![0.0; n_bins], sum_of_squares: vec![0.0; n_bins], n_frames: 0 }
    }

    /// Accumulates features, `[n_frames, n_bins]`.
    pub fn look_at(&mut self, features: &[f32]) {
        for frame in features.chunks_exact(self.sum.len()) {
            self.n_frames += 1;
            for ((sum, squares), &value) in self.sum.iter_mut().zip(&mut self.sum_of_squares).zip(frame) {
                *sum += f64::from(value);
                *squares += f64::from(value) * f64::from(value);
            }
        }
    }

    /// The normalisation of all frames so far.
    #[must_use]
    pub fn finish(&self) -> Normalization {
        let n = self.n_frames.max(1) as f64;
        let mean = self.sum.iter().map(|sum| sum / n);
        let variance =
            self.sum_of_squares.iter().zip(mean.clone()).map(|(squares, mean)| squares / n - mean * mean);
        let deviation = variance.map(|variance| if variance > 1e-12 { variance.sqrt() as f32 } else { 1.0 });
        Normalization { mean: mean.map(|mean| mean as f32).collect(), deviation: deviation.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalised_bins_have_zero_mean_and_unit_deviation() {
        let features: Vec<f32> =
            (0..400).flat_map(|i| [i as f32 * 0.1 - 7.0, 100.0 + (i % 7) as f32]).collect();
        let mut normalizer = Normalizer::new(2);
        features.chunks(100).for_each(|part| normalizer.look_at(part));
        let normalization = normalizer.finish();
        let mut normalised = features;
        normalization.apply(&mut normalised);
        for bin in 0..2 {
            let values: Vec<f32> = normalised.chunks_exact(2).map(|frame| frame[bin]).collect();
            let mean = values.iter().sum::<f32>() / values.len() as f32;
            let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / values.len() as f32;
            assert!(mean.abs() < 1e-4, "bin {bin}: mean {mean}");
            assert!((variance - 1.0).abs() < 1e-3, "bin {bin}: variance {variance}");
        }
    }

    #[test]
    fn a_constant_bin_stays_finite() {
        let features = [3.0_f32; 10];
        let mut normalizer = Normalizer::new(1);
        normalizer.look_at(&features);
        let normalization = normalizer.finish();
        let mut normalised = features;
        normalization.apply(&mut normalised);
        assert_eq!(normalised, [0.0; 10]);
    }
}
