//! `cantus demo`: the whole pipeline (extract, train, evaluate, predict) on synthetic music.

use std::path::{Path, PathBuf};

use cantus::report::EvaluationReport;
use cantus::{Model, Prediction};
use cantus_audio::feature::FeatureSpec;
use cantus_synth::{Corpus, Genre, TrackSpec};
use clap::Args;
use rayon::prelude::*;

use super::compose::{compose_tracks, duration};
use super::extract::{Choices, extract_catalog, open_catalog, report_extraction};
use super::train::Train;
use crate::global_options::Global;
use crate::output::{self, Outcome};
use crate::{interrupt, progress};

/// Synthesise music, train on it, and predict the genre of tracks that were held back
#[derive(Debug, Args)]
#[command(after_help = "Example: cantus demo --tracks 10 --duration 15")]
pub struct Demo {
    /// Folder for all files of the demonstration
    #[arg(long, short, default_value = "cantus-demo", value_name = "DIR")]
    output: PathBuf,
    /// Tracks of each genre to train and test on
    #[arg(long, default_value_t = 40, value_name = "N", value_parser = clap::value_parser!(u16).range(4..=1000))]
    tracks: u16,
    /// Length of a track, in seconds
    #[arg(long, default_value_t = 30.0, value_name = "SECONDS", value_parser = duration)]
    duration: f64,
    /// Seed of the music and of the training
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,
}

/// Tracks of each genre that are in neither of the training, validation and test parts.
const N_HELD_BACK: usize = 3;
/// Sample rate in Hz, that of the course's tracks.
const SAMPLE_RATE: u32 = 22_050;

impl Demo {
    pub fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let n_tracks = usize::from(self.tracks);
        let (to_hold_back, to_train): (Vec<TrackSpec>, Vec<TrackSpec>) =
            Corpus::new(n_tracks + N_HELD_BACK, self.seed).partition(|track| track.index >= n_tracks);
        let (music, held_back) = (self.path("music"), self.path("held-back"));
        compose_tracks(&music, &to_train, self.duration, SAMPLE_RATE, global)?;
        compose_tracks(&held_back, &to_hold_back, self.duration, SAMPLE_RATE, global)?;
        if interrupt::requested() {
            return Ok(output::stopped());
        }
        let Some((model, report)) = self.train(&music, global)? else { return Ok(Outcome::Interrupted) };
        let predictions = predict_all(&model, &held_back, &to_hold_back, global)?;
        output::print(&format!("\n{}\n{}", report.to_text(), table(&predictions)))?;
        output::print(&self.next_steps())?;
        Ok(Outcome::Done)
    }

    /// Extracts and trains as `cantus extract` and `cantus train` do.
    fn train(&self, music: &Path, global: &Global) -> anyhow::Result<Option<(Model, EvaluationReport)>> {
        let features = self.path("features");
        let choices = Choices { overwrite: true, ..Choices::default() };
        let catalog = open_catalog(music, None, None, global)?;
        let Some(extraction) = extract_catalog(&catalog, &FeatureSpec::course(), &features, choices, global)?
        else {
            return Ok(None);
        };
        report_extraction(&extraction, &features, global);
        let run = self.path("run");
        let Some((report, _)) = Train::of_demo(features, run.clone(), self.seed).train(global)? else {
            return Ok(None);
        };
        Ok(Some((Model::load(run)?, report)))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.output.join(name)
    }

    /// Where the files are, and which commands to run next.
    fn next_steps(&self) -> String {
        let dir = self.output.display();
        format!(
            "\
Everything is in {dir}:
  music/       tracks for training, validation and test, one folder for each label
  held-back/   tracks in none of these parts
  features/    the feature store
  run/         model.safetensors, report, history, plots

Next, with recordings of your own in MUSIC/<label>/:
  cantus inspect MUSIC
  cantus extract MUSIC -o features
  cantus train features -m mlp-normalised -o run
  cantus predict run SONG
"
        )
    }
}

/// A held-back track and its prediction.
struct TrackPrediction<'a> {
    track: &'a TrackSpec,
    prediction: Prediction,
}

impl TrackPrediction<'_> {
    fn is_correct(&self) -> bool {
        self.prediction.label == self.track.genre.name()
    }
}

/// Predicts the held-back tracks.
fn predict_all<'a>(
    model: &Model,
    dir: &Path,
    tracks: &'a [TrackSpec],
    global: &Global,
) -> anyhow::Result<Vec<TrackPrediction<'a>>> {
    let bar = progress::bar("predict", tracks.len(), global.quiet);
    let predict = |track: &'a TrackSpec| {
        let prediction = model.predict_file(dir.join(&track.file_name))?;
        bar.inc(1);
        anyhow::Ok(TrackPrediction { track, prediction })
    };
    let predictions = tracks.par_iter().map(predict).collect();
    bar.finish_and_clear();
    predictions
}

/// A line for each held-back track, and how many were predicted correctly.
fn table(predictions: &[TrackPrediction<'_>]) -> String {
    let n_correct = predictions.iter().filter(|predicted| predicted.is_correct()).count();
    let share = 100.0 * n_correct as f64 / predictions.len().max(1) as f64;
    let row = |predicted: &TrackPrediction<'_>| {
        let Prediction { label, probability, .. } = &predicted.prediction;
        let mark = if predicted.is_correct() { "" } else { "  ✗" };
        format!("  {:<30} {label:<10} {:>5.1} %{mark}\n", predicted.track.file_name, 100.0 * probability)
    };
    let rows: String = predictions.iter().map(row).collect();
    let n = predictions.len();
    let chance = 100.0 / Genre::ALL.len() as f64;
    format!(
        "held-back tracks: {n_correct} of {n} predicted correctly, {share:.0} % (chance: {chance:.0} %)\n\n{rows}\n"
    )
}
