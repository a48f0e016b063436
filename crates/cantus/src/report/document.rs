//! The report: the scores of the test part, and what a reader has to know to judge them.

use cantus_dataset::{Failure, FeatureStore, Part, SegmentSplit, SplitSpec, Unit, Warning};
use cantus_nn::History;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use super::{CrossValidation, FoldSummary, Scores, text};
use crate::Model;

/// What `report.json` holds and `cantus evaluate --json` prints; the scores stand at the top level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The version of Cantus that trained.
    pub cantus_version: String,
    /// Scores on the test part; of a cross-validation, those of all folds' test parts together.
    #[serde(flatten)]
    pub scores: Scores,
    /// The folds, if this is the report of a cross-validation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cross_validation: Option<CrossValidation>,
    /// What a reader should know before quoting the scores.
    pub remarks: Vec<String>,
    /// The model that was scored.
    pub model: ModelSummary,
    /// Who was learnt from and who was examined.
    pub split: SplitSummary,
    /// Files that were lost, and why.
    pub failures: Vec<Failure>,
    /// Damage that cost less than the file.
    pub warnings: Vec<Warning>,
}

/// A model in numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelSummary {
    /// The recipe that it was trained by.
    pub recipe: String,
    /// Seed of the training.
    pub seed: u64,
    /// Number of its parameters.
    pub n_parameters: usize,
    /// Epochs that were trained; of a cross-validation, each fold has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_epochs: Option<usize>,
    /// The epoch whose weights were kept, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_epoch: Option<usize>,
    /// SHA-256 of the features that it was trained and tested on.
    pub data_sha256: String,
}

/// A split in numbers; of a cross-validation, parts are as large as they are on average over the folds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SplitSummary {
    /// How it was asked for.
    #[serde(flatten)]
    pub spec: SplitSpec,
    /// Whether the manifest or lists gave it.
    pub given: bool,
    /// Sizes of the training part.
    pub train_part: PartSize,
    /// Sizes of the validation part.
    pub validation_part: PartSize,
    /// Sizes of the test part.
    pub test_part: PartSize,
    /// What may make the scores look better than they are.
    pub remarks: Vec<String>,
}

/// Size of one part of a split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartSize {
    /// Tracks with at least one segment in the part.
    pub n_tracks: usize,
    /// Segments.
    pub n_segments: usize,
}

impl PartSize {
    /// On average, rounded.
    fn mean(parts: impl ExactSizeIterator<Item = Self>) -> Self {
        let n = parts.len().max(1);
        let sum = parts.fold((0, 0), |sum, part| (sum.0 + part.n_tracks, sum.1 + part.n_segments));
        Self { n_tracks: (sum.0 + n / 2) / n, n_segments: (sum.1 + n / 2) / n }
    }
}

impl Report {
    pub(crate) fn new(
        scores: Scores,
        model: &Model,
        store: &FeatureStore,
        split: SplitSummary,
        history: &History,
    ) -> Self {
        Self {
            cantus_version: env!("CARGO_PKG_VERSION").to_owned(),
            scores,
            cross_validation: None,
            remarks: split.remarks.clone(),
            model: ModelSummary {
                recipe: model.provenance.recipe.clone(),
                seed: model.provenance.seed,
                n_parameters: model.network.n_parameters(),
                n_epochs: Some(history.n_epochs()),
                best_epoch: best_epoch(history).map(|epoch| epoch + 1),
                data_sha256: model.provenance.data_sha256.clone(),
            },
            split,
            failures: store.failures().to_vec(),
            warnings: store.warnings().to_vec(),
        }
    }

    /// The report of a cross-validation, of which `first` is the report of a fold.
    pub(crate) fn of_folds(
        first: Self,
        scores: Scores,
        cross_validation: CrossValidation,
        remarks: Vec<String>,
    ) -> Self {
        let sizes =
            |part: fn(&FoldSummary) -> PartSize| PartSize::mean(cross_validation.folds.iter().map(part));
        let split = SplitSummary {
            spec: SplitSpec { test: 1.0 / cross_validation.folds.len() as f64, ..first.split.spec },
            given: cross_validation.given,
            train_part: sizes(|fold| fold.train_part),
            validation_part: sizes(|fold| fold.validation_part),
            test_part: sizes(|fold| fold.test_part),
            remarks: remarks.clone(),
        };
        let model = ModelSummary { n_epochs: None, best_epoch: None, ..first.model };
        Self { scores, cross_validation: Some(cross_validation), remarks, model, split, ..first }
    }

    /// The report for a person at a terminal.
    pub fn to_text(&self) -> String {
        let mut out = match &self.cross_validation {
            None => text(&self.scores),
            Some(folds) => folds.to_text(&self.scores),
        };
        for failure in &self.failures {
            out += &format!("\nlost: {}: {}", failure.path, failure.reason);
        }
        for remark in &self.remarks {
            out += &format!("\nnote: {remark}");
        }
        if !(self.failures.is_empty() && self.remarks.is_empty()) {
            out.push('\n');
        }
        out
    }
}

/// The epoch whose weights early stopping keeps, from 0: the first of the lowest validation loss (training loss, if
/// there was no validation).
pub(crate) fn best_epoch(history: &History) -> Option<usize> {
    let losses = if history.val_loss.is_empty() { &history.loss } else { &history.val_loss };
    let finite = losses.iter().enumerate().filter(|(_, loss)| loss.is_finite());
    finite.min_by(|a, b| a.1.total_cmp(b.1)).map(|(epoch, _)| epoch)
}

impl SplitSummary {
    pub(crate) fn new(store: &FeatureStore, spec: &SplitSpec, split: &SegmentSplit) -> Self {
        let size = |segments: &[usize]| PartSize {
            n_tracks: tracks_of(store, segments).len(),
            n_segments: segments.len(),
        };
        Self {
            spec: spec.clone(),
            given: split.split.given,
            train_part: size(&split.train),
            validation_part: size(&split.validation),
            test_part: size(&split.test),
            remarks: remarks(store, split),
        }
    }
}

impl std::fmt::Display for SplitSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let unit = match self.spec.by {
            Unit::Track => "track",
            Unit::Group => "group",
            Unit::Segment => "segment (leaks)",
        };
        let origin = if self.given { "as given".to_owned() } else { format!("by {unit}") };
        let [train, validation, test] = [self.train_part, self.validation_part, self.test_part]
            .map(|part| (part.n_tracks, part.n_segments));
        write!(
            f,
            "split {origin}: {} tracks ({} segments) to learn from, {} ({}) to choose by, {} ({}) to examine with",
            train.0, train.1, validation.0, validation.1, test.0, test.1
        )
    }
}

fn tracks_of(store: &FeatureStore, segments: &[usize]) -> BTreeSet<usize> {
    segments.iter().map(|&segment| store.track_of(segment)).collect()
}

/// What may make the scores of a split look better than they are.
fn remarks(store: &FeatureStore, split: &SegmentSplit) -> Vec<String> {
    let mut remarks = Vec::new();
    if split.split.unit == Unit::Segment {
        remarks.push(
            "split by segment, as the lecture course does: pieces of one track were learnt from and examined with, \
             so these scores are too high; split by track for scores that hold for new songs"
                .to_owned(),
        );
    } else if !store.tracks_known() {
        remarks.push(
            "imported features do not say which segments belong to one track, so pieces of one track may stand on \
             both sides of the split, and the scores may be too high"
                .to_owned(),
        );
    } else {
        remarks.extend(shared_artists(&artists(store, &split.train), &artists(store, &split.test)));
    }
    remarks.extend(left_out(split));
    for (label, part) in &split.split.missing {
        remarks.push(format!("'{}' has no track in the {} part", store.labels()[*label], part_name(*part)));
    }
    remarks
}

/// Artists that were learnt from and examined with: a network that knows the singer need not know the genre.
pub(crate) fn shared_artists(learnt: &BTreeSet<String>, examined: &BTreeSet<String>) -> Option<String> {
    let n_shared = learnt.intersection(examined).count();
    (n_shared > 0).then(|| {
        format!(
            "{n_shared} artist{} both in the training and in the test part, which makes the scores too high for new \
             artists; `--group artist` keeps them apart",
            if n_shared == 1 { " is" } else { "s are" }
        )
    })
}

/// Artist tags of the tracks that some segments come from, without regard to case.
pub(crate) fn artists(store: &FeatureStore, segments: &[usize]) -> BTreeSet<String> {
    let artist =
        |track: usize| store.tracks()[track].artist.as_deref().map(|artist| artist.trim().to_lowercase());
    tracks_of(store, segments).into_iter().filter_map(artist).collect()
}

/// Tracks that a given split names in no part.
fn left_out(split: &SegmentSplit) -> Option<String> {
    let n = split.split.parts.iter().filter(|part| part.is_none()).count();
    let tracks = if n == 1 { "1 track is" } else { &format!("{n} tracks are") };
    (n > 0).then(|| format!("{tracks} in no part of the given split, and played no role"))
}

pub(crate) fn part_name(part: Part) -> &'static str {
    match part {
        Part::Train => "training",
        Part::Validation => "validation",
        Part::Test => "test",
    }
}
