//! Aggregates the predictions of segments to one prediction per track.

use std::collections::BTreeMap;

use crate::ScoresError;
use crate::aggregate::{arg_max, mean_probabilities};

/// True labels and prediction of one segment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SegmentResult<'a> {
    /// Identifier of the track, equal for all of its segments.
    pub track: usize,
    /// Identifier of the group, such as the artist; unique to the track if it is ungrouped.
    pub group: usize,
    /// Indices of the true labels, ascending: one, the class, or the tags, of which there may be none or several.
    pub labels: &'a [usize],
    /// Probability of each class or tag, `[n_classes]`.
    pub probabilities: &'a [f32],
}

/// True labels and prediction of one track.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackDecision {
    /// Identifier of the track.
    pub track: usize,
    /// Identifier of the group.
    pub group: usize,
    /// Indices of the true labels, ascending: one, the class, or the tags, of which there may be none or several.
    pub labels: Vec<usize>,
    /// Index of the class or tag with the highest mean probability; the lowest of equal ones.
    pub predicted: usize,
    /// Mean probability of each class over the segments, `[n_classes]`.
    pub probabilities: Vec<f64>,
}

impl TrackDecision {
    /// Whether the predicted class is the true one.
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.labels == [self.predicted]
    }
}

/// Group and true labels of a track, and the probabilities of its segments.
type TrackSegments<'a> = (usize, &'a [usize], Vec<&'a [f32]>);

/// Predictions of tracks from the mean probabilities of their segments, ordered by track.
///
/// # Errors
/// If there are no segments, a label or the number of probabilities does not fit `n_classes`, a probability is not finite,
/// or two segments of a track have different labels.
pub fn track_decisions(
    segments: &[SegmentResult<'_>],
    n_classes: usize,
) -> Result<Vec<TrackDecision>, ScoresError> {
    if segments.is_empty() {
        return Err(ScoresError::NoSegments);
    }
    let mut tracks: BTreeMap<usize, TrackSegments<'_>> = BTreeMap::new();
    for (segment, result) in segments.iter().enumerate() {
        check(segment, result, n_classes)?;
        let SegmentResult { track, group, labels: second, probabilities } = *result;
        let (_, first, segments) = tracks.entry(track).or_insert((group, second, Vec::new()));
        if *first != second {
            let (first, second) = (first.to_vec(), second.to_vec());
            return Err(ScoresError::TwoLabels { segment, track, first, second });
        }
        segments.push(probabilities);
    }
    let decided = tracks.into_iter().map(|(track, (group, labels, segments))| {
        let probabilities = mean_probabilities(&segments, n_classes);
        TrackDecision {
            track,
            group,
            labels: labels.to_vec(),
            predicted: arg_max(&probabilities),
            probabilities,
        }
    });
    Ok(decided.collect())
}

fn check(segment: usize, result: &SegmentResult<'_>, n_classes: usize) -> Result<(), ScoresError> {
    let found = result.probabilities.len();
    if let Some(&label) = result.labels.iter().find(|&&label| label >= n_classes) {
        return Err(ScoresError::UnknownLabel { segment, label, n_classes });
    }
    if found != n_classes {
        return Err(ScoresError::WrongLength { segment, found, n_classes });
    }
    if !result.probabilities.iter().all(|p| p.is_finite()) {
        return Err(ScoresError::NotFinite { segment });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_of_equally_probable_classes_is_predicted() {
        let segment =
            |track, labels, probabilities| SegmentResult { track, group: track, labels, probabilities };
        let segments = [
            segment(4, &[1][..], &[0.5, 0.5, 0.0][..]),
            segment(4, &[1], &[0.25, 0.25, 0.5]),
            segment(2, &[0], &[0.0, 0.5, 0.5]),
        ];
        let decided = track_decisions(&segments, 3).unwrap();
        let predicted: Vec<_> = decided.iter().map(|t| (t.track, t.predicted)).collect();
        assert_eq!(predicted, [(2, 1), (4, 0)]);
        assert_eq!(decided[1].probabilities, [0.375, 0.375, 0.25]);
    }
}
