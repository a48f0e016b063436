//! How often a model gives a class with confidence, or a tag, to sounds that belong to none.

use cantus_dataset::BACKGROUND_LABEL;
use serde::{Deserialize, Serialize};

use super::Table;
use super::format::{counted, decimal, percent};
use crate::predictions::Predictions;

/// Of right predictions, one in this many is below the threshold.
const ONE_IN: usize = 20;

/// Predictions for synthesised sounds that belong to no class.
///
/// The sounds are silence, white, pink and brown noise, babble of synthesised voices, and a hum of 50 Hz. Silence is not
/// predicted, and the prediction `_background_` names no class; all others are compared with the threshold. Of a tagger, the
/// most probable tag counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NoiseReport {
    /// Of a classifier, the largest probability that at least 95 % of the right predictions for test tracks reach, without those
    /// of `_background_`; of a tagger, the probability above which a tag is given.
    pub threshold: f64,
    /// Number of these right predictions; `None` of a tagger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_right: Option<usize>,
    /// The sounds of each kind.
    pub kinds: Vec<NoiseCount>,
}

/// Predictions for the sounds of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoiseCount {
    /// Name of the kind: `silence`, `white`, `pink`, `brown`, `babble` or `hum`.
    pub name: String,
    /// Number of sounds; in a cross-validation, each is predicted by the model of each fold.
    pub n: usize,
    /// Number of sounds that are predicted to be of a class with at least the threshold's probability, or given a tag.
    pub n_above: usize,
}

impl NoiseReport {
    /// Of a classifier. `None` without predictions for sounds or without right predictions for tracks.
    pub(super) fn of_classes(predictions: &Predictions, labels: &[String]) -> Option<Self> {
        let right = predictions.tracks.iter().filter(|track| track.is_right());
        let named = right.filter(|track| labels[track.predicted] != BACKGROUND_LABEL);
        let right: Vec<f64> = named.map(|track| track.probabilities[track.predicted]).collect();
        let (n_right, threshold) = (right.len(), threshold(right)?);
        Self::new(predictions, threshold, Some(n_right), |probability| probability >= threshold)
    }

    /// Of a tagger that gives tags above a probability. `None` without predictions for sounds.
    pub(super) fn of_tags(predictions: &Predictions, threshold: f64) -> Option<Self> {
        Self::new(predictions, threshold, None, |probability| probability > threshold)
    }

    fn new(
        predictions: &Predictions,
        threshold: f64,
        n_right: Option<usize>,
        is_above: impl Fn(f64) -> bool,
    ) -> Option<Self> {
        let mut kinds: Vec<NoiseCount> = Vec::new();
        for prediction in &predictions.noise {
            let name = prediction.kind.name();
            let index = kinds.iter().position(|count| count.name == name).unwrap_or_else(|| {
                kinds.push(NoiseCount { name: name.to_owned(), n: 0, n_above: 0 });
                kinds.len() - 1
            });
            kinds[index].n += 1;
            kinds[index].n_above += usize::from(prediction.probability.is_some_and(&is_above));
        }
        (!kinds.is_empty()).then_some(Self { threshold, n_right, kinds })
    }

    /// Numbers of all sounds, and of those above the threshold.
    fn total(&self) -> (usize, usize) {
        self.kinds.iter().fold((0, 0), |(n, n_above), kind| (n + kind.n, n_above + kind.n_above))
    }

    /// The result in a sentence without a period.
    pub(super) fn in_words(&self) -> String {
        let (n, n_above) = self.total();
        let share = percent(n_above as f64 / n.max(1) as f64);
        let threshold = decimal(self.threshold);
        let caution = match self.n_right {
            None => {
                return format!(
                    "of {n} synthesised sounds of no class, {n_above} ({share}) are given a tag, with a probability above {threshold}"
                );
            }
            Some(n_right) if n_right < ONE_IN => {
                format!(" (an uncertain threshold: only {})", counted(n_right, "right prediction"))
            }
            Some(_) => String::new(),
        };
        format!(
            "of {n} synthesised sounds of no class, {n_above} ({share}) are given a class with a probability of at least \
             {threshold}, which 95 % of the right predictions reach{caution}"
        )
    }

    /// The same in a line, with the kinds that have sounds above the threshold.
    pub(super) fn line(&self) -> String {
        let above = self.kinds.iter().filter(|kind| kind.n_above > 0);
        let above: Vec<String> =
            above.map(|kind| format!("{} {} of {}", kind.name, kind.n_above, kind.n)).collect();
        let kinds = if above.is_empty() { String::new() } else { format!(": {}", above.join(", ")) };
        self.in_words() + &kinds
    }

    /// A row for each kind.
    pub(super) fn table(&self) -> Table {
        let row = |name: &str, n: usize, n_above: usize| {
            let share = percent(n_above as f64 / n.max(1) as f64);
            vec![name.to_owned(), n.to_string(), n_above.to_string(), share]
        };
        let rows = self.kinds.iter().map(|kind| row(&kind.name, kind.n, kind.n_above));
        let (n, n_above) = self.total();
        let given = if self.n_right.is_some() { "given a class" } else { "given a tag" };
        let head = ["sound", "number", given, "share"];
        Table { foot: vec![row("all", n, n_above)], ..Table::new("", &head, rows) }
    }
}

/// The largest value that all but a twentieth of these probabilities reach.
fn threshold(mut right: Vec<f64>) -> Option<f64> {
    right.sort_by(f64::total_cmp);
    right.get(right.len() / ONE_IN).copied()
}

#[cfg(test)]
mod tests {
    use cantus_audio::noise::NoiseKind;
    use cantus_metrics::{SegmentResult, track_decisions};

    use super::*;
    use crate::noise::NoisePrediction;

    const LABELS: [&str; 3] = [BACKGROUND_LABEL, "a", "b"];

    /// Predictions with these probabilities for tracks of a label and for sounds.
    fn predictions(tracks: &[(usize, [f32; 3])], noise: &[(NoiseKind, Option<f64>)]) -> Predictions {
        let results: Vec<SegmentResult<'_>> = tracks
            .iter()
            .enumerate()
            .map(|(track, (label, probabilities))| SegmentResult {
                track,
                group: track,
                labels: std::slice::from_ref(label),
                probabilities,
            })
            .collect();
        Predictions {
            tracks: track_decisions(&results, 3).unwrap(),
            noise: noise.iter().map(|&(kind, probability)| NoisePrediction { kind, probability }).collect(),
            ..Predictions::default()
        }
    }

    fn report(tracks: &[(usize, [f32; 3])], noise: &[(NoiseKind, Option<f64>)]) -> Option<NoiseReport> {
        NoiseReport::of_classes(&predictions(tracks, noise), &LABELS.map(str::to_owned))
    }

    #[test]
    fn at_least_95_percent_of_right_predictions_reach_the_threshold() {
        for n in [1, 19, 20, 39, 40, 100, 1000] {
            let right: Vec<f64> = (0..n).map(|i| f64::from((i * 7919) % n) / f64::from(n)).collect();
            let found = threshold(right.clone()).unwrap();
            let reaching =
                |threshold| right.iter().filter(|p| **p >= threshold).count() as f64 / right.len() as f64;
            assert!(reaching(found) >= 0.95 && reaching(found + 1e-9) < 0.95, "{n}: {found}");
        }
        assert_eq!(threshold(Vec::new()), None);
    }

    #[test]
    fn predictions_at_or_above_the_threshold_are_counted_by_kind() {
        let right = [(1, [0.0, 0.75, 0.25]), (2, [0.25, 0.125, 0.625])];
        let others = [(1, [0.0, 0.375, 0.625]), (0, [0.5, 0.25, 0.25])];
        let tracks = [&right[..], &others].concat();
        let noise = [
            (NoiseKind::Silence, None),
            (NoiseKind::White, Some(0.625)),
            (NoiseKind::White, Some(0.62)),
            (NoiseKind::White, None),
            (NoiseKind::Hum, Some(1.0)),
        ];
        let found = report(&tracks, &noise).unwrap();
        assert_eq!(
            (found.threshold, found.n_right),
            (0.625, Some(2)),
            "neither the wrong track nor the background counts"
        );
        let counts: Vec<_> = found.kinds.iter().map(|kind| (&kind.name[..], kind.n, kind.n_above)).collect();
        assert_eq!(counts, [("silence", 1, 0), ("white", 3, 1), ("hum", 1, 1)]);
        assert!(
            found
                .line()
                .ends_with("(an uncertain threshold: only 2 right predictions): white 1 of 3, hum 1 of 1")
        );
        assert!(found.line().starts_with("of 5 synthesised sounds of no class, 2 (40.0 %)"));
        assert_eq!(found.table().foot, [["all", "5", "2", "40.0 %"].map(str::to_owned).to_vec()]);
    }

    #[test]
    fn a_tag_is_given_above_the_threshold() {
        let noise =
            [(NoiseKind::Silence, None), (NoiseKind::White, Some(0.5)), (NoiseKind::Pink, Some(0.51))];
        let tracks = [(1, [0.0, 0.75, 0.25])];
        let found = NoiseReport::of_tags(&predictions(&tracks, &noise), 0.5).unwrap();
        assert_eq!(
            found.line(),
            "of 3 synthesised sounds of no class, 1 (33.3 %) are given a tag, with a probability above 0.500: pink 1 of 1"
        );
        assert_eq!(found.table().head[2], "given a tag");
        assert!(!serde_json::to_string(&found).unwrap().contains("n_right"));
    }

    #[test]
    fn without_right_predictions_or_sounds_there_is_nothing_to_report() {
        assert_eq!(report(&[(1, [0.0, 0.25, 0.75])], &[(NoiseKind::White, Some(0.5))]), None);
        assert_eq!(report(&[(1, [0.0, 0.75, 0.25])], &[]), None);
    }
}
