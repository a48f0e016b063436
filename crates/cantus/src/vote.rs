//! The vote: a track's answer is the class with the highest mean probability over its segments, or each tag whose mean
//! probability is high enough.
//!
//! The one place that decides it, for predictions and for scores alike, so that a track is never scored as one label and
//! predicted as another.

/// Mean probability of each class.
///
/// # Shapes
/// - `votes`: `[n_segments][n_classes]`
/// - returns: `[n_classes]`
pub(crate) fn mean(votes: &[&[f32]], n_classes: usize) -> Vec<f64> {
    let sum = |class: usize| votes.iter().map(|vote| f64::from(vote[class])).sum::<f64>();
    (0..n_classes).map(|class| sum(class) / votes.len() as f64).collect()
}

/// Index of the largest value; of equals the first.
pub(crate) fn arg_max<T: PartialOrd>(values: &[T]) -> usize {
    let mut best = 0;
    for (i, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = i;
        }
    }
    best
}

/// A tag is given to what has it with more than this probability: it is likelier that it has it than not.
pub(crate) const THRESHOLD: f64 = 0.5;

/// Indices of the tags that are given, ascending; there may be none.
pub(crate) fn tags(probabilities: &[f64]) -> Vec<usize> {
    (0..probabilities.len()).filter(|&label| probabilities[label] > THRESHOLD).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_too_near_for_f32_are_still_told_apart() {
        let (a, b) = ([0.5, 0.5], [0.5, f32::from_bits(0.5_f32.to_bits() + 1)]);
        let votes: Vec<&[f32]> = [&a[..]; 9].into_iter().chain([&b[..]]).collect();
        let mean = mean(&votes, 2);
        assert_eq!(mean[0] as f32, mean[1] as f32);
        assert_eq!(arg_max(&mean), 1);
        assert_eq!(arg_max(&[0.2, 0.4, 0.4]), 1);
    }
}
