//! From segments to tracks: a track is given the class with the highest mean probability over its segments.

use std::collections::BTreeMap;

use super::ScoresError;
use crate::aggregate::{arg_max, mean_probabilities};

/// What the network said of one segment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SegmentResult<'a> {
    /// Which track it was cut from; any number that the track's segments share.
    pub track: usize,
    /// What the track belongs to, such as its artist; any number that the group's tracks share. The track's own where it
    /// stands alone.
    pub group: usize,
    /// Indices of the true labels, ascending: one, the class, or the tags, of which there may be none or several.
    pub labels: &'a [usize],
    /// Probability of each class or tag, `[n_classes]`.
    pub probabilities: &'a [f32],
}

/// What the segments of a track say together.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackDecision {
    /// The number that its segments share.
    pub track: usize,
    /// The number that its group's tracks share.
    pub group: usize,
    /// Indices of the true labels, ascending: one, the class, or the tags, of which there may be none or several.
    pub labels: Vec<usize>,
    /// Index of the class or tag with the highest mean probability; of equals the lowest.
    pub predicted: usize,
    /// Mean probability of each class over the segments, `[n_classes]`.
    pub probabilities: Vec<f64>,
}

impl TrackDecision {
    /// Whether the class that was predicted is the true one.
    pub fn is_right(&self) -> bool {
        self.labels == [self.predicted]
    }
}

/// Group and true labels of a track, and what each of its segments says.
type TrackSegments<'a> = (usize, &'a [usize], Vec<&'a [f32]>);

/// The segment of each track's segments, ordered by track.
///
/// # Errors
/// If there are no segments, or one does not fit the number of classes or its track.
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
    fn the_lowest_class_wins_a_tie() {
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
