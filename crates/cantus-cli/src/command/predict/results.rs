//! Output formats of `cantus predict`: a table, one JSON document, or CSV.

use std::path::Path;

use anyhow::Context;
use cantus::Prediction;
use cantus::input_files::Failed;
use cantus_dataset::BACKGROUND_LABEL;
use serde::Serialize;

use crate::output;

/// The label of a track whose probability is below `--min-confidence`.
pub const UNKNOWN: &str = "unknown";

/// A label in text: that of the background is "none of these".
pub fn in_words(label: &str) -> String {
    if label == BACKGROUND_LABEL { "none of these".to_owned() } else { output::printable(label) }
}

/// Level of detail of the output.
#[derive(Debug, Clone, Copy)]
pub struct Detail {
    /// Number of labels, the most probable first; `None` for up to two further ones of at least 5 %.
    pub top: Option<usize>,
    /// Below this probability the label is [`UNKNOWN`].
    pub min_confidence: f32,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
pub struct Document {
    pub tracks: Vec<Track>,
    pub failed: Vec<Failed>,
}

/// The prediction of one track.
#[derive(Debug, Serialize)]
pub struct Track {
    pub path: String,
    #[serde(flatten)]
    pub prediction: Prediction,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top: Option<Vec<Ranked>>,
    /// Whether the probability reaches the minimum confidence; if not, the label is [`UNKNOWN`].
    #[serde(skip)]
    pub is_known: bool,
}

/// A label and its probability.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ranked {
    pub label: String,
    pub probability: f32,
}

impl Track {
    pub fn new(path: &Path, mut prediction: Prediction, detail: Detail) -> Self {
        let is_known = prediction.probability >= detail.min_confidence;
        if !is_known {
            prediction.label = UNKNOWN.to_owned();
        }
        if let Some(tags) = &mut prediction.tags {
            let named = prediction.probabilities.0.iter();
            let confident = named.filter(|(_, probability)| *probability >= detail.min_confidence);
            let confident: Vec<&String> = confident.map(|(label, _)| label).collect();
            tags.retain(|tag| confident.contains(&tag));
        }
        let top = detail.top.map(|n| ranked(&prediction).into_iter().take(n).collect());
        Self { path: path.display().to_string(), prediction, top, is_known }
    }
}

/// All labels, the most probable first.
fn ranked(prediction: &Prediction) -> Vec<Ranked> {
    let mut ranked: Vec<Ranked> = prediction
        .probabilities
        .0
        .iter()
        .map(|(label, probability)| Ranked { label: label.clone(), probability: *probability })
        .collect();
    ranked.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    ranked
}

/// A line for each track: its label, and further probable labels.
pub fn table(tracks: &[Track]) -> String {
    let paths: Vec<String> = tracks.iter().map(|track| output::printable(&track.path)).collect();
    let path_width = paths.iter().map(|path| path.chars().count()).max().unwrap_or(0);
    let label_width =
        tracks.iter().map(|track| in_words(&track.prediction.label).chars().count()).max().unwrap_or(0);
    let row = |(track, path): (&Track, &String)| {
        if let Some(tags) = &track.prediction.tags {
            return format!("{path:path_width$}  {}\n", of_tags(track, tags));
        }
        let (label, probability) = (in_words(&track.prediction.label), track.prediction.probability);
        let line = format!(
            "{path:path_width$}  {label:label_width$}  {:>5.1} %  {}",
            100.0 * probability,
            others(track)
        );
        format!("{}\n", line.trim_end())
    };
    tracks.iter().zip(&paths).map(row).collect()
}

/// The predicted tags, followed by others: as many as `--top` allows, or the next two of at least 5 %.
fn of_tags(track: &Track, tags: &[String]) -> String {
    let (given, others): (Vec<Ranked>, Vec<Ranked>) =
        ranked(&track.prediction).into_iter().partition(|ranked| tags.contains(&ranked.label));
    let others: Vec<Ranked> = match &track.top {
        Some(top) => others.into_iter().take(top.len().saturating_sub(given.len())).collect(),
        None => others.into_iter().take(2).filter(|other| other.probability >= 0.05).collect(),
    };
    let words = |ranked: &[Ranked]| {
        let word = |ranked: &Ranked| {
            format!("{} {:.0} %", output::printable(&ranked.label), 100.0 * ranked.probability)
        };
        ranked.iter().map(word).collect::<Vec<_>>().join(", ")
    };
    let given = if given.is_empty() { "–".to_owned() } else { words(&given) };
    if others.is_empty() { given } else { format!("{given}  ({})", words(&others)) }
}

/// Further labels: as many as `--top` allows, or the next two of at least 5 %. For an unknown track, the most probable one
/// too.
fn others(track: &Track) -> String {
    let ranked = ranked(&track.prediction);
    let shown: Vec<&Ranked> = match &track.top {
        Some(top) => ranked.iter().take(top.len()).skip(usize::from(track.is_known)).collect(),
        None => {
            let from = usize::from(track.is_known);
            ranked.iter().take(3).skip(from).filter(|other| other.probability >= 0.05).collect()
        }
    };
    let word = |other: &&Ranked| format!("{} {:.0} %", in_words(&other.label), 100.0 * other.probability);
    let words: Vec<String> = shown.iter().map(word).collect();
    if words.is_empty() { String::new() } else { format!("({})", words.join(", ")) }
}

/// A row for each track: the tags, if the model predicts them; a column for each label, or two for each of the `top` most
/// probable ones.
pub fn csv(labels: &[String], tracks: &[Track], top: Option<usize>) -> anyhow::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut start = ["path", "label", "probability"].map(str::to_owned).to_vec();
    if tracks.iter().any(|track| track.prediction.tags.is_some()) {
        start.push("tags".to_owned());
    }
    match top {
        None => writer.write_record(start.iter().chain(labels))?,
        Some(n) => {
            let columns =
                (1..=n.min(labels.len())).flat_map(|n| [format!("label_{n}"), format!("probability_{n}")]);
            writer.write_record(start.into_iter().chain(columns))?;
        }
    }
    for Track { path, prediction, top, .. } in tracks {
        let row = [path.clone(), prediction.label.clone(), prediction.probability.to_string()];
        let rest: Vec<String> = match top {
            None => {
                prediction.probabilities.0.iter().map(|(_, probability)| probability.to_string()).collect()
            }
            Some(top) => {
                top.iter().flat_map(|entry| [entry.label.clone(), entry.probability.to_string()]).collect()
            }
        };
        let tags = prediction.tags.as_ref().map(|tags| tags.join(";"));
        writer.write_record(row.into_iter().chain(tags).chain(rest))?;
    }
    String::from_utf8(writer.into_inner()?).context("a path is not UTF-8")
}

#[cfg(test)]
mod tests {
    use cantus::Probabilities;

    use super::*;

    fn track(min_confidence: f32, top: Option<usize>) -> Track {
        let probabilities = [("jazz", 0.15), ("pop", 0.04), ("rock", 0.81)].map(|(l, p)| (l.to_owned(), p));
        let prediction = Prediction {
            label: "rock".to_owned(),
            probability: 0.81,
            probabilities: Probabilities(probabilities.to_vec()),
            tags: None,
            duration_s: 30.0,
            segments: Vec::new(),
            warnings: Vec::new(),
        };
        Track::new(Path::new("a.wav"), prediction, Detail { top, min_confidence })
    }

    #[test]
    fn further_probable_labels_follow_the_label() {
        assert_eq!(table(&[track(0.0, None)]), "a.wav  rock   81.0 %  (jazz 15 %)\n");
        assert_eq!(table(&[track(0.0, Some(3))]), "a.wav  rock   81.0 %  (jazz 15 %, pop 4 %)\n");
        assert_eq!(table(&[track(0.0, Some(1))]), "a.wav  rock   81.0 %\n");
    }

    #[test]
    fn a_label_below_the_minimum_confidence_is_unknown_and_its_candidates_are_listed() {
        assert_eq!(table(&[track(0.9, None)]), "a.wav  unknown   81.0 %  (rock 81 %, jazz 15 %)\n");
        assert_eq!(track(0.81, None).prediction.label, "rock");
        let json = serde_json::to_value(track(0.9, Some(2))).unwrap();
        assert_eq!((&json["label"], &json["top"][0]["label"]), (&"unknown".into(), &"rock".into()));
        assert_eq!(json["top"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn the_background_is_none_of_these_in_the_table_only() {
        let mut track = track(0.0, None);
        track.prediction.label = BACKGROUND_LABEL.to_owned();
        track.prediction.probabilities.0[2].0 = BACKGROUND_LABEL.to_owned();
        assert_eq!(table(std::slice::from_ref(&track)), "a.wav  none of these   81.0 %  (jazz 15 %)\n");
        track.prediction.probabilities.0[0].1 = 0.9;
        track.prediction.label = "jazz".to_owned();
        assert_eq!(table(std::slice::from_ref(&track)), "a.wav  jazz   81.0 %  (none of these 81 %)\n");
        assert_eq!(serde_json::to_value(&track).unwrap()["probabilities"][BACKGROUND_LABEL], 0.81_f32);
    }

    #[test]
    fn tags_are_listed_except_those_below_the_minimum_confidence() {
        let tagged = |min_confidence, top| {
            let mut prediction = track(0.0, None).prediction;
            prediction.probabilities.0[0].1 = 0.6;
            prediction.tags = Some(vec!["rock".to_owned(), "jazz".to_owned()]);
            Track::new(Path::new("a.wav"), prediction, Detail { top, min_confidence })
        };
        assert_eq!(table(&[tagged(0.0, None)]), "a.wav  rock 81 %, jazz 60 %\n");
        assert_eq!(table(&[tagged(0.0, Some(3))]), "a.wav  rock 81 %, jazz 60 %  (pop 4 %)\n");
        assert_eq!(table(&[tagged(0.7, None)]), "a.wav  rock 81 %  (jazz 60 %)\n");
        assert_eq!(table(&[tagged(0.9, None)]), "a.wav  –  (rock 81 %, jazz 60 %)\n");
        let labels = ["jazz", "pop", "rock"].map(str::to_owned);
        let text = csv(&labels, &[tagged(0.0, None)], None).unwrap();
        assert_eq!(
            text,
            "path,label,probability,tags,jazz,pop,rock\na.wav,rock,0.81,rock;jazz,0.6,0.04,0.81\n"
        );
    }

    #[test]
    fn the_most_probable_labels_have_two_columns_each() {
        let labels = ["jazz", "pop", "rock"].map(str::to_owned);
        let text = csv(&labels, &[track(0.0, Some(2))], Some(2)).unwrap();
        let expected = "path,label,probability,label_1,probability_1,label_2,probability_2\na.wav,rock,0.81,rock,0.81,jazz,0.15\n";
        assert_eq!(text, expected);
    }
}
