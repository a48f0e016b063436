//! Paired comparison of runs on the same test tracks, with significance tests.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use cantus_audio::regular_file;
use serde::Serialize;

use crate::report::EvaluationReport;
use crate::run::Run;
use crate::{ComparisonProblem, Error, RunProblem};
use cantus_metrics::aggregate::arg_max;
use cantus_metrics::tagging::{self, TagRanking};
use cantus_metrics::tagging::{TagFigures, TagPaired};
use cantus_metrics::{Interval, Paired, TrackDecision, paired, scores_of_tracks};

/// A comparison of runs that were evaluated on the same tracks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Number of tracks that are in the test part of all runs.
    pub n_tracks: usize,
    /// Whether tracks that are not in all runs' test parts were left out.
    pub only_common: bool,
    /// The scores of each run on these tracks.
    pub runs: Vec<Contender>,
    /// Each further run compared with the first.
    pub against_first: Vec<Against>,
}

/// A run and its scores.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Contender {
    /// Its folder.
    pub run: PathBuf,
    /// The recipe that it was trained with.
    pub recipe: String,
    /// Seed of its training.
    pub seed: u64,
    /// Number of parameters.
    pub n_parameters: usize,
    /// Its scores.
    #[serde(flatten)]
    pub figures: Figures,
}

/// The scores of a run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Figures {
    /// Where labels are classes.
    Classes {
        /// Share of tracks predicted correctly.
        track_accuracy: f64,
        /// Over groups where they are known, over tracks otherwise.
        track_accuracy_interval: Interval,
        /// Mean recall of the classes that occur.
        track_balanced_accuracy: f64,
        /// Mean F1 of the classes that occur or were predicted.
        track_macro_f1: f64,
    },
    /// Where labels are tags.
    Tags {
        /// Mean average precision over the tags that some tracks have and others do not.
        track_macro_average_precision: f64,
        /// Over groups where they are known, over tracks otherwise.
        track_macro_average_precision_interval: Option<Interval>,
        /// Mean area under their ROC curves.
        track_macro_roc_auc: f64,
        /// Mean F1 of the tags that occur or were predicted.
        track_macro_f1: f64,
    },
}

/// A run compared with the first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Against {
    /// Its folder.
    pub run: PathBuf,
    /// This run's score minus the first run's.
    #[serde(flatten)]
    pub difference: Difference,
    /// The p-value, corrected for the number of runs (Holm 1979); `None` if there is none.
    pub p_value_corrected: Option<f64>,
}

/// The difference of two runs' scores.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Difference {
    /// In track accuracy.
    Classes(Paired),
    /// In macro average precision.
    Tags(TagPaired),
}

impl Difference {
    fn p_value(&self) -> Option<f64> {
        match self {
            Self::Classes(paired) => paired.p_value,
            Self::Tags(paired) => paired.p_value,
        }
    }
}

/// A row of `predictions.csv`: the prediction for one track.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    label: String,
    group: String,
    predicted: String,
    /// Probability of each label by its name.
    probabilities: BTreeMap<String, f64>,
}

impl Comparison {
    /// Compares runs; `only_common` leaves out tracks that are not in all of their test parts.
    ///
    /// # Errors
    /// If a run is not finished, the runs were evaluated on different tracks and `only_common` is false, a track has
    /// different labels in two runs, or some runs are classifiers and others taggers.
    pub fn of(runs: &[PathBuf], only_common: bool) -> Result<Self, Error> {
        let is_tagger = taggers(runs)?;
        let tables = runs.iter().map(|run| read(run)).collect::<Result<Vec<_>, _>>()?;
        let common = common(runs, &tables, only_common)?;
        let labels = labels(&tables, is_tagger);
        let decisions: Vec<Vec<TrackDecision>> =
            tables.iter().map(|table| decisions(&common, table, &tables[0], &labels, is_tagger)).collect();
        let contenders =
            runs.iter().zip(&decisions).map(|(run, tracks)| contender(run, tracks, &labels, is_tagger));
        let contenders = contenders.collect::<Result<Vec<_>, Error>>()?;
        let against_first = runs[1..].iter().zip(&decisions[1..]).map(|(run, tracks)| {
            let difference = difference(tracks, &decisions[0], labels.len(), is_tagger);
            Against { run: run.clone(), p_value_corrected: difference.p_value(), difference }
        });
        let mut against_first: Vec<Against> = against_first.collect();
        correct(&mut against_first);
        let only_common = tables.iter().any(|table| table.len() > common.len());
        Ok(Self { n_tracks: common.len(), only_common, runs: contenders, against_first })
    }
}

/// Whether the runs are taggers; an error if some are and others are not.
fn taggers(runs: &[PathBuf]) -> Result<bool, Error> {
    let is_tagger = |run: &PathBuf| Ok(matches!(Run::open(run)?.report()?, EvaluationReport::Tags(_)));
    let kinds = runs.iter().map(is_tagger).collect::<Result<Vec<bool>, Error>>()?;
    if let Some(place) = kinds.iter().position(|kind| *kind != kinds[0]) {
        let (run, first) = (runs[place].clone(), runs[0].clone());
        let problem = ComparisonProblem::Tasks { run, is_tagger: kinds[place], first };
        return Err(Error::NotComparable(problem.into()));
    }
    Ok(kinds.contains(&true))
}

/// The names of all labels, sorted.
fn labels(tables: &[BTreeMap<String, Row>], is_tagger: bool) -> Vec<String> {
    let of_row = |row: &Row| {
        if is_tagger {
            row.probabilities.keys().cloned().collect()
        } else {
            vec![row.label.clone(), row.predicted.clone()]
        }
    };
    let labels: BTreeSet<String> = tables.iter().flat_map(BTreeMap::values).flat_map(of_row).collect();
    labels.into_iter().collect()
}

/// The scores of `tracks` minus those of `others`, paired by track.
fn difference(
    tracks: &[TrackDecision],
    others: &[TrackDecision],
    n_labels: usize,
    is_tagger: bool,
) -> Difference {
    if is_tagger {
        return Difference::Tags(tagging::paired(tracks, others, n_labels, 0));
    }
    let pairs = tracks.iter().zip(others);
    let pairs: Vec<_> = pairs.map(|(own, other)| (other.group, own.is_right(), other.is_right())).collect();
    Difference::Classes(paired(&pairs, 0))
}

/// Paths of the tracks that are in the test part of all runs.
fn common(
    runs: &[PathBuf],
    tables: &[BTreeMap<String, Row>],
    only_common: bool,
) -> Result<Vec<String>, Error> {
    let is_common = |path: &&String| tables.iter().all(|table| table.contains_key(*path));
    let common: Vec<String> = tables[0].keys().filter(is_common).cloned().collect();
    for (run, table) in runs.iter().zip(tables) {
        if let Some(path) = common.iter().find(|path| table[*path].label != tables[0][*path].label) {
            let problem = ComparisonProblem::Labels {
                track: path.clone(),
                run: run.clone(),
                label: table[path].label.clone(),
                first: runs[0].clone(),
                first_label: tables[0][path].label.clone(),
            };
            return Err(Error::NotComparable(problem.into()));
        }
    }
    if common.is_empty() || (!only_common && tables.iter().any(|table| table.len() > common.len())) {
        let runs = runs.iter().cloned().zip(tables.iter().map(BTreeMap::len)).collect();
        let problem = ComparisonProblem::Tracks { runs, n_common: common.len() };
        return Err(Error::NotComparable(problem.into()));
    }
    Ok(common)
}

/// Reads `predictions.csv` by path; labels are matched by name, not by order.
fn read(run: &Path) -> Result<BTreeMap<String, Row>, Error> {
    let path = Run::open(run)?.path("predictions.csv");
    let malformed = |error: csv::Error| Error::Run {
        path: path.clone(),
        problem: RunProblem::Malformed(error.to_string()),
    };
    let mut rows = BTreeMap::new();
    let mut reader =
        csv::Reader::from_reader(regular_file::open(&path).map_err(csv::Error::from).map_err(malformed)?);
    let header = reader.headers().map_err(malformed)?.clone();
    for record in reader.into_records() {
        let record = record.map_err(malformed)?;
        // The first five columns are fixed; the others are named by the labels, which may be any text.
        let field = |column: usize| record.get(column).unwrap_or_default().to_owned();
        let named = header.iter().zip(&record).skip(5);
        let probabilities =
            named.map(|(label, p)| (label.to_owned(), p.parse().unwrap_or(f64::NAN))).collect();
        rows.insert(field(0), Row { label: field(1), group: field(2), predicted: field(4), probabilities });
    }
    Ok(rows)
}

/// A run's predictions for the common tracks; groups are those of the first run.
fn decisions(
    common: &[String],
    table: &BTreeMap<String, Row>,
    first: &BTreeMap<String, Row>,
    labels: &[String],
    is_tagger: bool,
) -> Vec<TrackDecision> {
    let mut groups: HashMap<&str, usize> = HashMap::new();
    let place = |label: &String| labels.binary_search(label).unwrap_or(0);
    let mut decisions = Vec::with_capacity(common.len());
    for (track, path) in common.iter().enumerate() {
        let (row, group) = (&table[path], first[path].group.as_str());
        let group = if group.is_empty() { track } else { *groups.entry(group).or_insert(track) };
        if is_tagger {
            let names: Vec<&str> = row.label.split(';').collect();
            let own = (0..labels.len()).filter(|&label| names.contains(&labels[label].as_str())).collect();
            // A label that a run does not have gets probability 0.
            let probabilities: Vec<f64> =
                labels.iter().map(|label| row.probabilities.get(label).copied().unwrap_or(0.0)).collect();
            let predicted = arg_max(&probabilities);
            decisions.push(TrackDecision { track, group, labels: own, predicted, probabilities });
            continue;
        }
        let (label, predicted) = (place(&row.label), place(&row.predicted));
        let mut probabilities = vec![0.0; labels.len()];
        probabilities[predicted] = 1.0;
        decisions.push(TrackDecision { track, group, labels: vec![label], predicted, probabilities });
    }
    decisions
}

fn contender(
    run: &Path,
    tracks: &[TrackDecision],
    labels: &[String],
    is_tagger: bool,
) -> Result<Contender, Error> {
    let report = Run::open(run)?.report()?;
    let model = report.model().clone();
    let figures = if is_tagger {
        let figures = TagFigures::of_tracks(tracks, labels.len())?;
        Figures::Tags {
            track_macro_average_precision: figures.macro_average_precision,
            track_macro_average_precision_interval: TagRanking::new(tracks, labels.len()).intervals(0).0,
            track_macro_roc_auc: figures.macro_roc_auc,
            track_macro_f1: figures.macro_f1,
        }
    } else {
        let scores = scores_of_tracks(&[], tracks, labels, 0)?;
        Figures::Classes {
            track_accuracy: scores.track_accuracy,
            track_accuracy_interval: scores.track_interval(),
            track_balanced_accuracy: scores.track_balanced_accuracy,
            track_macro_f1: scores.track_macro_f1,
        }
    };
    Ok(Contender {
        run: run.to_owned(),
        recipe: model.recipe,
        seed: model.seed,
        n_parameters: model.n_parameters,
        figures,
    })
}

/// Holm's correction: the smallest of m p-values times m, the next times m - 1, and so on, made non-decreasing.
fn correct(against: &mut [Against]) {
    let p_values: Vec<Option<f64>> = against.iter().map(|against| against.difference.p_value()).collect();
    let mut order: Vec<(usize, f64)> =
        p_values.iter().enumerate().filter_map(|(place, p)| Some((place, (*p)?))).collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    let (n, mut least) = (order.len(), 0.0_f64);
    for (rank, (place, p_value)) in order.into_iter().enumerate() {
        least = least.max(((n - rank) as f64 * p_value).min(1.0));
        against[place].p_value_corrected = Some(least);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `statsmodels.stats.multitest.multipletests([0.01, 0.04, 0.03, 0.5], method="holm")` is 0.04, 0.09, 0.09, 0.5.
    #[test]
    fn holm_corrected_p_values_match_statsmodels() {
        let against = |p_value| Against {
            run: PathBuf::new(),
            difference: Difference::Classes(Paired { p_value, ..paired(&[], 0) }),
            p_value_corrected: p_value,
        };
        let mut all = [Some(0.01), Some(0.04), None, Some(0.03), Some(0.5)].map(against);
        correct(&mut all);
        assert_eq!(all[2].p_value_corrected, None);
        let found = all.iter().filter_map(|against| against.p_value_corrected);
        for (found, expected) in found.zip([0.04, 0.09, 0.09, 0.5]) {
            assert!((found - expected).abs() < 1e-12, "{found}");
        }
    }
}
