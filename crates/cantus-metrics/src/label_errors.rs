//! Probable label errors: tracks that out-of-sample predictions confidently put into another class (confident learning).
//!
//! The threshold of a class is the mean probability that tracks with its label have for it. A track is counted for the class with
//! the highest probability among those whose threshold it reaches. One that is counted for another class than its label, and is
//! predicted as another class, is a probable label error. The predictions must be by a model that was not trained on the
//! track: those of a test part or of a cross-validation.
//!
//! # Reference
//! C. Northcutt, L. Jiang & I. Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels", JAIR 70, 2021; equals
//! `cleanlab.filter.find_label_issues(labels, pred_probs, filter_by="confident_learning")` 2.9.

use crate::TrackDecision;

/// For each track, whether its label is probably wrong. Of tracks without exactly one label, it never is.
///
/// # Shapes
/// - `tracks`: `[n_tracks]`, each with `[n_classes]` probabilities
/// - returns: `[n_tracks]`
#[must_use]
pub fn probable_label_errors(tracks: &[TrackDecision], n_classes: usize) -> Vec<bool> {
    let thresholds: Vec<Option<f64>> = (0..n_classes).map(|class| threshold(tracks, class)).collect();
    let is_error = |track: &TrackDecision| {
        let [label] = track.labels[..] else { return false };
        let reached = track.probabilities.iter().enumerate().filter(|&(class, probability)| {
            thresholds.get(class).copied().flatten().is_some_and(|threshold| *probability >= threshold)
        });
        // The first of equal ones.
        let confident = reached.reduce(|best, other| if other.1 > best.1 { other } else { best });
        confident.is_some_and(|(class, _)| class != label) && track.predicted != label
    };
    tracks.iter().map(is_error).collect()
}

/// The mean probability of a class of the tracks with its label; `None` if there is none.
fn threshold(tracks: &[TrackDecision], class: usize) -> Option<f64> {
    let own = tracks.iter().filter(|track| track.labels == [class]);
    let probabilities: Vec<f64> = own.map(|track| track.probabilities[class]).collect();
    let n = probabilities.len();
    (n > 0).then(|| probabilities.iter().sum::<f64>() / n as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::arg_max;

    fn track(label: usize, probabilities: &[f64]) -> TrackDecision {
        TrackDecision {
            track: 0,
            group: 0,
            labels: vec![label],
            predicted: arg_max(probabilities),
            probabilities: probabilities.to_vec(),
        }
    }

    /// ```python
    /// labels = [0, 0, 0, 1, 1, 1, 2, 2, 2, 0]
    /// p = [[.9, .05, .05], [.6, .3, .1], [.1, .85, .05], [.2, .7, .1], [.45, .4, .15], [.3, .1, .6],
    ///      [.05, .05, .9], [.1, .5, .4], [.2, .1, .7], [.34, .33, .33]]
    /// cleanlab.filter.find_label_issues(np.array(labels), np.array(p), filter_by="confident_learning")
    /// ```
    #[test]
    fn confident_predictions_of_another_class_are_label_errors() {
        let tracks = [
            track(0, &[0.9, 0.05, 0.05]),
            track(0, &[0.6, 0.3, 0.1]),
            track(0, &[0.1, 0.85, 0.05]),
            track(1, &[0.2, 0.7, 0.1]),
            track(1, &[0.45, 0.4, 0.15]),
            track(1, &[0.3, 0.1, 0.6]),
            track(2, &[0.05, 0.05, 0.9]),
            track(2, &[0.1, 0.5, 0.4]),
            track(2, &[0.2, 0.1, 0.7]),
            track(0, &[0.34, 0.33, 0.33]),
        ];
        let found = probable_label_errors(&tracks, 3);
        let places: Vec<usize> = (0..10).filter(|&place| found[place]).collect();
        assert_eq!(places, [2, 7]);
    }

    #[test]
    fn a_class_without_tracks_and_a_track_without_a_class_are_no_errors() {
        let none = TrackDecision { labels: Vec::new(), ..track(0, &[0.1, 0.9]) };
        assert_eq!(probable_label_errors(&[track(0, &[0.1, 0.9]), none], 2), [false, false]);
        assert!(probable_label_errors(&[], 2).is_empty());
    }
}
