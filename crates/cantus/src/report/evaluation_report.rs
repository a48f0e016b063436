//! The evaluation report of a classifier or of a tagger.

use cantus_dataset::{Failure, FeatureStore, Unit};
use serde::Serialize;

use super::format::{decimal, percent};
use super::{
    Figure, ModelSummary, Report, ReportContext, SplitSummary, TagReport, TrainingCurve, WithoutLeak,
    classification, group_remarks, tagging,
};
use crate::predictions::Predictions;
use crate::{Error, Model, Task};
use cantus_metrics::TrackDecision;

/// A report; serialised without a wrapper.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum EvaluationReport {
    /// Of a classifier.
    Classes(Box<Report>),
    /// Of a tagger.
    Tags(Box<TagReport>),
}

impl EvaluationReport {
    pub(crate) fn new(
        predictions: &Predictions,
        model: &Model,
        store: &FeatureStore,
        split: SplitSummary,
        curve: TrainingCurve<'_>,
    ) -> Result<Self, Error> {
        Ok(match model.task() {
            Task::Classification => {
                Self::Classes(Box::new(Report::new(predictions, model, store, split, curve)?))
            }
            Task::Tagging => Self::Tags(Box::new(TagReport::new(predictions, model, store, split, curve)?)),
        })
    }

    /// The report of a classifier, if it is one.
    #[must_use]
    pub fn classes(&self) -> Option<&Report> {
        match self {
            Self::Classes(report) => Some(report),
            Self::Tags(_) => None,
        }
    }

    /// The report of a tagger, if it is one.
    #[must_use]
    pub fn tags(&self) -> Option<&TagReport> {
        match self {
            Self::Classes(_) => None,
            Self::Tags(report) => Some(report),
        }
    }

    /// Parses a report from JSON.
    pub(crate) fn from_json(text: &str) -> serde_json::Result<Self> {
        #[derive(serde::Deserialize)]
        struct Kind {
            #[serde(default)]
            task: Task,
        }
        let Kind { task } = serde_json::from_str(text)?;
        Ok(match task {
            Task::Classification => Self::Classes(serde_json::from_str(text)?),
            Task::Tagging => Self::Tags(serde_json::from_str(text)?),
        })
    }

    /// The report with new predictions of the same models.
    pub(crate) fn renewed(self, predictions: &Predictions, store: &FeatureStore) -> Result<Self, Error> {
        Ok(match self {
            Self::Classes(report) => Self::Classes(Box::new(report.renewed(predictions, store)?)),
            Self::Tags(report) => Self::Tags(Box::new(report.renewed(predictions, store)?)),
        })
    }

    /// Sets the duration of the training, in seconds.
    pub(crate) fn took(&mut self, seconds: Option<f64>) {
        match self {
            Self::Classes(report) => report.training_s = seconds,
            Self::Tags(report) => report.training_s = seconds,
        }
    }

    /// Adds a remark behind the others.
    pub(crate) fn add_remark(&mut self, remark: String) {
        match self {
            Self::Classes(report) => report.remarks.push(remark),
            Self::Tags(report) => report.remarks.push(remark),
        }
    }

    /// Adds the scores of the same recipe on a split that keeps `by` whole; of groups, also a remark with both scores.
    pub(crate) fn add_without_leak(&mut self, without: &Self, by: Unit, noun: &str) {
        let remark = (by == Unit::Group).then(|| {
            let [(what, own), (_, other)] = [&*self, without].map(Self::track_score);
            group_remarks::difference(what, [&own, &other], noun)
        });
        if let (Self::Classes(report), Self::Classes(without)) = (&mut *self, without) {
            report.without_leak = Some(WithoutLeak::of(&without.scores, by));
        }
        match self {
            Self::Classes(report) => report.remarks.extend(remark),
            Self::Tags(report) => report.remarks.extend(remark),
        }
    }

    /// The content that both kinds of report have.
    fn context(&self) -> ReportContext<'_> {
        match self {
            Self::Classes(report) => report.context(),
            Self::Tags(report) => report.context(),
        }
    }

    /// The duration of the training, in seconds, if it is known.
    #[must_use]
    pub fn training_s(&self) -> Option<f64> {
        self.context().training_s
    }

    /// The model that was scored.
    #[must_use]
    pub fn model(&self) -> &ModelSummary {
        self.context().model
    }

    /// Remarks on what may bias the scores.
    #[must_use]
    pub fn remarks(&self) -> &[String] {
        self.context().remarks
    }

    /// Specification and sizes of the split.
    #[must_use]
    pub fn split(&self) -> &SplitSummary {
        self.context().split
    }

    /// Files that could not be extracted, and why.
    #[must_use]
    pub fn failures(&self) -> &[Failure] {
        self.context().failures
    }

    /// Number of folds, if this is the report of a cross-validation.
    #[must_use]
    pub fn n_folds(&self) -> Option<usize> {
        self.context().n_folds
    }

    /// The main score of tracks, as text.
    #[must_use]
    pub fn headline(&self) -> String {
        match self {
            Self::Classes(report) => {
                format!("{:.1} % of {} tracks", 100.0 * report.scores.track_accuracy, report.scores.n_tracks)
            }
            Self::Tags(report) => format!(
                "macro average precision {:.3} of {} tracks",
                report.scores.track_macro_average_precision, report.scores.n_tracks
            ),
        }
    }

    /// Name and value of the main score of tracks.
    fn track_score(&self) -> (&'static str, String) {
        match self {
            Self::Classes(report) => ("track accuracy", percent(report.scores.track_accuracy)),
            Self::Tags(report) => {
                ("macro average precision of tracks", decimal(report.scores.track_macro_average_precision))
            }
        }
    }

    /// The report as plain text.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            Self::Classes(report) => classification::text(report),
            Self::Tags(report) => tagging::text(report),
        }
    }

    /// The scores as plain text; of a classifier, without baseline, calibration, failed files and remarks.
    pub(crate) fn scores_text(&self) -> String {
        match self {
            Self::Classes(report) => classification::scores_text(&report.scores),
            Self::Tags(report) => tagging::text(report),
        }
    }

    /// The report as Markdown with links to its figures.
    #[must_use]
    pub fn to_markdown(&self, figures: &[Figure]) -> String {
        match self {
            Self::Classes(report) => classification::markdown(report, figures),
            Self::Tags(report) => tagging::markdown(report, figures),
        }
    }

    /// The report as one HTML page with its figures.
    #[must_use]
    pub fn to_html(&self, figures: &[Figure]) -> String {
        match self {
            Self::Classes(report) => classification::html(report, figures),
            Self::Tags(report) => tagging::html(report, figures),
        }
    }

    /// The pictures of the tracks' predictions.
    pub(crate) fn pictures(&self, tracks: &[TrackDecision]) -> Vec<Figure> {
        match self {
            Self::Classes(report) => classification::pictures(report, tracks),
            Self::Tags(report) => tagging::pictures(report, tracks),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::{class_report, tag_report};

    fn with(track_accuracy: f64) -> EvaluationReport {
        let mut report = class_report("rock");
        report.scores.track_accuracy = track_accuracy;
        EvaluationReport::Classes(Box::new(report))
    }

    #[test]
    fn a_split_by_group_beside_one_by_track_leaves_a_remark_with_both_scores() {
        let mut report = with(0.87);
        report.add_without_leak(&with(0.54), Unit::Group, "artist");
        let expected = "track accuracy 87.0 % by track; 54.0 % when no artist is in two parts: expect the latter of new artists";
        assert_eq!(report.remarks().last().unwrap(), expected);
        let text = report.to_text();
        assert!(text.contains("without the leak, on a split by group: 54.0 % of tracks"), "{text}");
        for document in [text, report.to_markdown(&[]), report.to_html(&[])] {
            assert!(document.contains(expected), "{document}");
        }
        let mut tags = EvaluationReport::Tags(Box::new(tag_report("rock")));
        tags.add_without_leak(&tags.clone(), Unit::Group, "group");
        let remark = tags.remarks().last().unwrap();
        assert!(
            remark.starts_with("macro average precision of tracks 0.750 by track; 0.750 when"),
            "{remark}"
        );
    }

    #[test]
    fn a_split_by_track_beside_one_by_segment_leaves_no_remark() {
        let mut report = with(0.87);
        let n_remarks = report.remarks().len();
        report.add_without_leak(&with(0.54), Unit::Track, "group");
        assert_eq!(report.remarks().len(), n_remarks);
        assert!(report.to_text().contains("without the leak, on a split by track: 54.0 %"));
    }

    #[test]
    fn the_first_line_says_that_groups_are_whole() {
        use crate::report::SplitGroups;
        let mut report = class_report("rock");
        report.split.groups = Some(SplitGroups { n_groups: 68, n_ungrouped: 0, are_artists: true });
        let report = EvaluationReport::Classes(Box::new(report));
        let line = "plit by group: 68 artists, none in two parts";
        assert_eq!(report.to_text().lines().next().unwrap(), format!("s{line}"));
        assert_eq!(report.to_markdown(&[]).lines().nth(2).unwrap(), format!("S{line}."));
        assert!(report.to_html(&[]).contains(&format!("S{line}. Trained on")));
    }
}
