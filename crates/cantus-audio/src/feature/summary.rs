//! Summary of a segment: statistics of each column over time in place of the frames.
//!
//! Of a column x₁ … x_T: its mean; its deviation √(σ² + ε); and for each scale L the deviation of
//! dₜ = mean(x_{t+L} … x_{t+2L-1}) - mean(x_t … x_{t+L-1}), the strength of changes within 2 L frames. A deviation may be given
//! as its logarithm, ½ ln(σ² + ε). The formulas are those of the layer `StatisticsPooling1D` of `cantus-nn`.

use serde::{Deserialize, Serialize};

/// The statistics of a summary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Summary {
    /// L of each scale, in frames; less than half of a segment.
    pub scales: Vec<usize>,
    /// Whether deviations are given as their natural logarithm.
    pub logarithm: bool,
    /// ε
    pub epsilon: f32,
}

impl Default for Summary {
    fn default() -> Self {
        Self { scales: Vec::new(), logarithm: false, epsilon: 1e-5 }
    }
}

impl Summary {
    /// Number of statistics of a column.
    pub fn n_statistics(&self) -> usize {
        2 + self.scales.len()
    }

    /// Name of a statistic, as it is appended to the name of a column.
    pub(super) fn statistic_name(&self, index: usize) -> String {
        match index {
            0 => "mean".to_owned(),
            1 => "deviation".to_owned(),
            _ => format!("change_{}", self.scales[index - 2]),
        }
    }

    /// Appends the statistics of every column: those of the first column, then those of the second, and so on.
    ///
    /// # Shapes
    /// - `frames`: `[n_frames, n_columns]`, at least one frame
    /// - `out`: grows by `[n_columns, n_statistics]`
    pub(super) fn compute(&self, frames: &[f32], n_columns: usize, out: &mut Vec<f32>) {
        let n_frames = frames.len() / n_columns.max(1);
        let mut sums = vec![0.0; n_frames + 1];
        for column in 0..n_columns {
            let x = || frames.iter().skip(column).step_by(n_columns).map(|&x| f64::from(x));
            for (t, x) in x().enumerate() {
                sums[t + 1] = sums[t] + x;
            }
            out.push((sums[n_frames] / n_frames as f64) as f32);
            out.push(self.deviation(n_frames, x()));
            for &scale in &self.scales {
                // A shorter signal than a segment may have no change of this scale.
                let n_changes = (n_frames + 1).saturating_sub(2 * scale);
                let mean = |t: usize| (sums[t + scale] - sums[t]) / scale as f64;
                out.push(self.deviation(n_changes, (0..n_changes).map(|t| mean(t + scale) - mean(t))));
            }
        }
    }

    /// √(σ² + ε) of `n` values, or its logarithm; of no values, that of equal ones.
    fn deviation(&self, n: usize, values: impl Iterator<Item = f64> + Clone) -> f32 {
        let n = n.max(1) as f64;
        let mean = values.clone().sum::<f64>() / n;
        let variance = values.map(|x| (x - mean) * (x - mean)).sum::<f64>() / n + f64::from(self.epsilon);
        if self.logarithm { 0.5 * variance.ln() as f32 } else { variance.sqrt() as f32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_close::assert_close;

    /// `np.mean(x)`, `np.sqrt(np.var(x) + 1e-5)`, and for L = 2 the same of
    /// `[x[t+2:t+4].mean() - x[t:t+2].mean() for t in range(len(x) - 3)]`
    #[test]
    fn statistics_are_those_of_each_column_over_time() {
        let columns = [[1.0f32, 2.0, 4.0, 8.0, 9.0], [3.0, 3.0, 3.0, 3.0, 3.0]];
        let frames: Vec<f32> = (0..5).flat_map(|t| [columns[0][t], columns[1][t]]).collect();
        let mut found = Vec::new();
        Summary { scales: vec![2], ..Summary::default() }.compute(&frames, 2, &mut found);
        let constant = 1e-5f32.sqrt();
        assert_close(&found, &[4.8, 3.187_477, 0.500_01, 3.0, constant, constant], 1e-6);
        let mut logarithms = Vec::new();
        let summary = Summary { scales: vec![2], logarithm: true, ..Summary::default() };
        summary.compute(&frames, 2, &mut logarithms);
        assert_close(&[logarithms[1], logarithms[2]], &[found[1].ln(), found[2].ln()], 1e-6);
    }

    #[test]
    fn a_signal_shorter_than_a_scale_has_no_changes() {
        let mut found = Vec::new();
        Summary { scales: vec![4], ..Summary::default() }.compute(&[1.0, 2.0], 1, &mut found);
        assert_eq!((found.len(), found[0]), (3, 1.5));
        assert!(found.iter().all(|x| x.is_finite()));
    }
}
