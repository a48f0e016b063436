//! Aggregation of segments into the prediction of a track: the class with the highest mean probability over its segments, or
//! every tag whose mean probability is above a threshold.
//!
//! Prediction and evaluation both use these functions, so that a track is scored by the label that is predicted for it.

/// Mean probability of each class.
///
/// # Shapes
/// - `segments`: `[n_segments][n_classes]`
/// - returns: `[n_classes]`
#[must_use]
pub fn mean_probabilities(segments: &[&[f32]], n_classes: usize) -> Vec<f64> {
    let sum = |class: usize| segments.iter().map(|segment| f64::from(segment[class])).sum::<f64>();
    (0..n_classes).map(|class| sum(class) / segments.len() as f64).collect()
}

/// Index of the largest value; the first of equal ones.
#[must_use]
pub fn arg_max<T: PartialOrd>(values: &[T]) -> usize {
    let mut best = 0;
    for (i, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = i;
        }
    }
    best
}

/// A tag is predicted where its probability is above this.
pub const TAG_THRESHOLD: f64 = 0.5;

/// Indices of the tags whose probability is above [`TAG_THRESHOLD`], ascending; there may be none.
#[must_use]
pub fn tags_above_threshold(probabilities: &[f64]) -> Vec<usize> {
    (0..probabilities.len()).filter(|&label| probabilities[label] > TAG_THRESHOLD).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_computed_in_f64() {
        let (a, b) = ([0.5, 0.5], [0.5, f32::from_bits(0.5_f32.to_bits() + 1)]);
        let segments: Vec<&[f32]> = [&a[..]; 9].into_iter().chain([&b[..]]).collect();
        let mean = mean_probabilities(&segments, 2);
        assert_eq!(mean[0] as f32, mean[1] as f32);
        assert_eq!(arg_max(&mean), 1);
        assert_eq!(arg_max(&[0.2, 0.4, 0.4]), 1);
    }
}
