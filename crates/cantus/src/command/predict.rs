//! `cantus predict`: songs in, answers out.

use std::path::{Path, PathBuf};

use anyhow::Context;
use cantus::listing::{self, Failed, Listing};
use cantus::{Model, Prediction};
use clap::Args;
use indicatif::ProgressBar;
use rayon::prelude::*;
use serde::Serialize;

use crate::cli::Global;
use crate::output::{self, Outcome};
use crate::{interrupt, progress};

/// Name the label of songs
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cantus predict run song.mp3
  cantus predict model.safetensors MUSIC --csv > labels.csv
  cantus predict run MUSIC --json | jq -r '.tracks[] | [.path, .label] | @tsv'")]
pub struct Predict {
    /// Run folder or model file
    model: PathBuf,
    /// Sound files, or folders of them
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// One JSON document: every track with its label and all probabilities
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// CSV: path, label, probability, tags if the model gives them, and a column for each label
    #[arg(long)]
    csv: bool,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Document {
    tracks: Vec<Track>,
    failed: Vec<Failed>,
}

#[derive(Debug, Serialize)]
struct Track {
    path: String,
    #[serde(flatten)]
    prediction: Prediction,
}

impl Predict {
    pub fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let model = Model::load(&self.model)?;
        let listing = listing::recordings(&self.paths)?;
        let bar = progress::bar("predict", listing.files.len(), global.quiet);
        let document = predict(&model, listing, &bar)?;
        bar.finish_and_clear();
        if interrupt::requested() {
            return Ok(output::stopped());
        }
        self.print(&model, &document)?;
        Ok(Outcome::of_job(document.tracks.len(), document.failed.len()))
    }

    fn print(&self, model: &Model, document: &Document) -> anyhow::Result<()> {
        if self.json {
            return output::json(document);
        }
        output::print(&if self.csv {
            csv(&model.labels, &document.tracks)?
        } else {
            table(&document.tracks)
        })?;
        output::failures(&document.failed);
        Ok(())
    }
}

/// Predicts all files, each thread with its own plan.
fn predict(model: &Model, listing: Listing, bar: &ProgressBar) -> anyhow::Result<Document> {
    model.predictor()?;
    let hear = |predictor: &mut Option<_>, path: &PathBuf| {
        let predictor = match predictor {
            Some(predictor) => predictor,
            None => predictor.insert(model.predictor()?),
        };
        predictor.predict_file(path)
    };
    let predictions: Vec<_> = listing
        .files
        .par_iter()
        .filter(|_| !interrupt::requested())
        .map_init(|| None, |predictor, path| (path, hear(predictor, path)))
        .inspect(|_| bar.inc(1))
        .collect();
    let mut document = Document { tracks: Vec::new(), failed: listing.failed };
    for (path, prediction) in predictions {
        match prediction {
            Ok(prediction) => document.tracks.push(Track::new(path, prediction)),
            Err(error) => document.failed.push(Failed::new(path, &error)),
        }
    }
    Ok(document)
}

impl Track {
    fn new(path: &Path, prediction: Prediction) -> Self {
        for fault in &prediction.faults {
            tracing::warn!("{}: {fault}", path.display());
        }
        Self { path: path.display().to_string(), prediction }
    }
}

/// A line for each track: the answer, and what else it might be.
fn table(tracks: &[Track]) -> String {
    let path_width = tracks.iter().map(|track| track.path.chars().count()).max().unwrap_or(0);
    let label_width = tracks.iter().map(|track| track.prediction.label.chars().count()).max().unwrap_or(0);
    let row = |track: &Track| {
        if let Some(tags) = &track.prediction.tags {
            return format!("{:path_width$}  {}\n", track.path, of_tags(&track.prediction, tags));
        }
        let Prediction { label, probability, .. } = &track.prediction;
        let others = others(&track.prediction);
        let line = format!(
            "{:path_width$}  {label:label_width$}  {:>5.1} %  {others}",
            track.path,
            100.0 * probability
        );
        format!("{}\n", line.trim_end())
    };
    tracks.iter().map(row).collect()
}

/// The tags that are given, and the next two, if they are worth a word.
fn of_tags(prediction: &Prediction, tags: &[String]) -> String {
    let mut ranked: Vec<_> = prediction.probabilities.0.iter().collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    let words = |(label, probability): &&(String, f32)| format!("{label} {:.0} %", 100.0 * probability);
    let (given, others): (Vec<_>, Vec<_>) = ranked.into_iter().partition(|(label, _)| tags.contains(label));
    let given = match given.iter().map(words).collect::<Vec<_>>() {
        none if none.is_empty() => "–".to_owned(),
        given => given.join(", "),
    };
    let others: Vec<_> = others.iter().take(2).filter(|(_, p)| *p >= 0.05).map(words).collect();
    if others.is_empty() { given } else { format!("{given}  ({})", others.join(", ")) }
}

/// The next two labels, if they are worth a word.
fn others(prediction: &Prediction) -> String {
    let mut ranked = prediction.probabilities.0.clone();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    let worth_a_word = ranked.iter().skip(1).take(2).filter(|(_, probability)| *probability >= 0.05);
    let words: Vec<_> =
        worth_a_word.map(|(label, probability)| format!("{label} {:.0} %", 100.0 * probability)).collect();
    if words.is_empty() { String::new() } else { format!("({})", words.join(", ")) }
}

/// A row for each track, a column for each label.
fn csv(labels: &[String], tracks: &[Track]) -> anyhow::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let tags = tracks.iter().any(|track| track.prediction.tags.is_some()).then_some("tags");
    let header = ["path", "label", "probability"].into_iter().chain(tags);
    writer.write_record(header.chain(labels.iter().map(String::as_str)))?;
    for Track { path, prediction } in tracks {
        let probabilities = prediction.probabilities.0.iter().map(|(_, probability)| probability.to_string());
        let row = [path.clone(), prediction.label.clone(), prediction.probability.to_string()];
        let tags = prediction.tags.as_ref().map(|tags| tags.join(";"));
        writer.write_record(row.into_iter().chain(tags).chain(probabilities))?;
    }
    String::from_utf8(writer.into_inner()?).context("a path is not UTF-8")
}
