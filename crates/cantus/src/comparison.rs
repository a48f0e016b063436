//! Comparing runs: which is better on the same tracks, and whether that is more than chance.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::Error;
use crate::report::{Interval, Paired, TrackDecision, paired, scores_of_tracks};
use crate::run::Run;

/// Runs that were examined with the same tracks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Tracks that all of them were examined with.
    pub n_tracks: usize,
    /// Whether some of them were examined with more tracks, which play no role here.
    pub only_common: bool,
    /// What each run scores on these tracks.
    pub runs: Vec<Contender>,
    /// Every further run against the first.
    pub against_first: Vec<Against>,
}

/// A run, and what it scores.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Contender {
    /// Its folder.
    pub run: PathBuf,
    /// The recipe that it was trained by.
    pub recipe: String,
    /// Seed of its training.
    pub seed: u64,
    /// Number of parameters.
    pub n_parameters: usize,
    /// Share of right tracks.
    pub track_accuracy: f64,
    /// Over groups where they are known, over tracks otherwise.
    pub track_accuracy_interval: Interval,
    /// Mean recall of the classes that occur.
    pub track_balanced_accuracy: f64,
    /// Mean F1 of the classes that occur or were predicted.
    pub track_macro_f1: f64,
}

/// A run against the first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Against {
    /// Its folder.
    pub run: PathBuf,
    /// This run less the first.
    #[serde(flatten)]
    pub paired: Paired,
    /// The p-value, corrected for the number of runs (Holm 1979).
    pub p_value_corrected: f64,
}

/// What `predictions.csv` says of a track.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    label: String,
    group: String,
    predicted: String,
}

impl Comparison {
    /// Compares runs; `only_common` leaves tracks out that not all of them were examined with.
    ///
    /// # Errors
    /// If a run is not finished, the runs were examined with different tracks (and `only_common` is not asked for), or a
    /// track has different labels in two runs.
    pub fn of(runs: &[PathBuf], only_common: bool) -> Result<Self, Error> {
        let tables = runs.iter().map(|run| read(run)).collect::<Result<Vec<_>, _>>()?;
        let common = common(runs, &tables, only_common)?;
        let labels: Vec<String> = tables
            .iter()
            .flat_map(|table| table.values())
            .flat_map(|row| [row.label.clone(), row.predicted.clone()])
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let decisions: Vec<Vec<TrackDecision>> =
            tables.iter().map(|table| decisions(&common, table, &tables[0], &labels)).collect();
        let contenders = runs.iter().zip(&decisions).map(|(run, tracks)| contender(run, tracks, &labels));
        let contenders = contenders.collect::<Result<Vec<_>, Error>>()?;
        let against_first = runs[1..].iter().zip(&decisions[1..]).map(|(run, tracks)| {
            let is_right = |track: &TrackDecision| track.predicted == track.label;
            let pairs = tracks.iter().zip(&decisions[0]);
            let pairs: Vec<_> =
                pairs.map(|(own, first)| (first.group, is_right(own), is_right(first))).collect();
            let paired = paired(&pairs, 0);
            Against { run: run.clone(), p_value_corrected: paired.p_value, paired }
        });
        let mut against_first: Vec<Against> = against_first.collect();
        correct(&mut against_first);
        let only_common = tables.iter().any(|table| table.len() > common.len());
        Ok(Self { n_tracks: common.len(), only_common, runs: contenders, against_first })
    }
}

/// The tracks that all runs were examined with.
fn common(
    runs: &[PathBuf],
    tables: &[BTreeMap<String, Row>],
    only_common: bool,
) -> Result<Vec<String>, Error> {
    let is_common = |path: &&String| tables.iter().all(|table| table.contains_key(*path));
    let common: Vec<String> = tables[0].keys().filter(is_common).cloned().collect();
    let refuse = |reason| Err(Error::NotComparable { reason });
    for (run, table) in runs.iter().zip(tables) {
        if let Some(path) = common.iter().find(|path| table[*path].label != tables[0][*path].label) {
            let (own, first) = (&table[path].label, &tables[0][path].label);
            let (run, other) = (run.display(), runs[0].display());
            return refuse(format!("{path} is '{own}' in {run}, but '{first}' in {other}"));
        }
    }
    if common.is_empty() || (!only_common && tables.iter().any(|table| table.len() > common.len())) {
        let sizes =
            runs.iter().zip(tables).map(|(run, table)| format!("{} with {}", run.display(), table.len()));
        let remedy = if common.is_empty() { "" } else { ", or compare on these with --common" };
        return refuse(format!(
            "they were examined with different tracks: {}; {} are in all of them; train on the same split{remedy}",
            sizes.collect::<Vec<_>>().join(", "),
            common.len(),
        ));
    }
    Ok(common)
}

/// Reads `predictions.csv` by path; labels are told by their names, not by their order.
fn read(run: &Path) -> Result<BTreeMap<String, Row>, Error> {
    let path = Run::open(run)?.path("predictions.csv");
    let broken = |error: csv::Error| Error::Run { path: path.clone(), reason: error.to_string() };
    let mut rows = BTreeMap::new();
    for record in csv::Reader::from_path(&path).map_err(broken)?.into_records() {
        let record = record.map_err(broken)?;
        // The first five columns are fixed; those behind them are named by the labels, which may be any.
        let field = |column: usize| record.get(column).unwrap_or_default().to_owned();
        rows.insert(field(0), Row { label: field(1), group: field(2), predicted: field(4) });
    }
    Ok(rows)
}

/// What a run says of the common tracks; groups are those of the first run.
fn decisions(
    common: &[String],
    table: &BTreeMap<String, Row>,
    first: &BTreeMap<String, Row>,
    labels: &[String],
) -> Vec<TrackDecision> {
    let mut groups: HashMap<&str, usize> = HashMap::new();
    let place = |label: &String| labels.binary_search(label).unwrap_or(0);
    let mut decisions = Vec::with_capacity(common.len());
    for (track, path) in common.iter().enumerate() {
        let (row, group) = (&table[path], first[path].group.as_str());
        let group = if group.is_empty() { track } else { *groups.entry(group).or_insert(track) };
        let (label, predicted) = (place(&row.label), place(&row.predicted));
        let mut probabilities = vec![0.0; labels.len()];
        probabilities[predicted] = 1.0;
        decisions.push(TrackDecision { track, group, label, predicted, probabilities });
    }
    decisions
}

fn contender(run: &Path, tracks: &[TrackDecision], labels: &[String]) -> Result<Contender, Error> {
    let model = Run::open(run)?.report()?.model;
    let scores = scores_of_tracks(&[], tracks, labels, 0)?;
    Ok(Contender {
        run: run.to_owned(),
        recipe: model.recipe,
        seed: model.seed,
        n_parameters: model.n_parameters,
        track_accuracy: scores.track_accuracy,
        track_accuracy_interval: scores.track_interval(),
        track_balanced_accuracy: scores.track_balanced_accuracy,
        track_macro_f1: scores.track_macro_f1,
    })
}

/// Holm's correction: the smallest of m p-values counts m times, the next m - 1 times, and none less than one before it.
fn correct(against: &mut [Against]) {
    let mut order: Vec<usize> = (0..against.len()).collect();
    order.sort_by(|a, b| against[*a].paired.p_value.total_cmp(&against[*b].paired.p_value));
    let mut least = 0.0_f64;
    for (rank, place) in order.into_iter().enumerate() {
        let n_left = (against.len() - rank) as f64;
        least = least.max((n_left * against[place].paired.p_value).min(1.0));
        against[place].p_value_corrected = least;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `statsmodels.stats.multitest.multipletests([0.01, 0.04, 0.03, 0.5], method="holm")` is 0.04, 0.09, 0.09, 0.5.
    #[test]
    fn p_values_are_corrected_as_holm_does() {
        let against = |p_value| Against {
            run: PathBuf::new(),
            paired: Paired { p_value, ..paired(&[], 0) },
            p_value_corrected: p_value,
        };
        let mut all = [0.01, 0.04, 0.03, 0.5].map(against);
        correct(&mut all);
        for (found, expected) in all.iter().zip([0.04, 0.09, 0.09, 0.5]) {
            assert!((found.p_value_corrected - expected).abs() < 1e-12, "{}", found.p_value_corrected);
        }
    }
}
