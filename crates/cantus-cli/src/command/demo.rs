//! `cantus demo`: all of it, on music composed on the spot.

use std::path::{Path, PathBuf};

use cantus::report::EvaluationReport;
use cantus::{Model, Prediction};
use cantus_audio::feature::FeatureSpec;
use cantus_synth::{Corpus, Genre, TrackSpec};
use clap::Args;
use rayon::prelude::*;

use super::compose::{compose_tracks, duration};
use super::extract::{Choices, extract_folder, tell};
use super::train::Train;
use crate::cli::Global;
use crate::output::{self, Outcome};
use crate::{interrupt, progress};

/// Compose music, train on it, and name the genre of tracks that were held back
#[derive(Debug, Args)]
#[command(after_help = "Example: cantus demo --tracks 10 --duration 15")]
pub struct Demo {
    /// Folder for everything that the demonstration makes
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

/// Tracks of each genre that neither training nor testing sees.
const N_HELD_BACK: usize = 3;
/// As the course's tracks.
const SAMPLE_RATE: u32 = 22_050;

impl Demo {
    pub fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let n_tracks = usize::from(self.tracks);
        let (to_hold_back, to_learn): (Vec<TrackSpec>, Vec<TrackSpec>) =
            Corpus::new(n_tracks + N_HELD_BACK, self.seed).partition(|track| track.index >= n_tracks);
        let (music, held_back) = (self.path("music"), self.path("held-back"));
        compose_tracks(&music, &to_learn, self.duration, SAMPLE_RATE, global)?;
        compose_tracks(&held_back, &to_hold_back, self.duration, SAMPLE_RATE, global)?;
        if interrupt::requested() {
            return Ok(output::stopped());
        }
        let Some((model, report)) = self.train(&music, global)? else { return Ok(Outcome::Interrupted) };
        let answers = hear(&model, &held_back, &to_hold_back, global)?;
        output::print(&format!("\n{}\n{}", report.to_text(), table(&answers)))?;
        output::print(&self.farewell())?;
        Ok(Outcome::Done)
    }

    /// Extracts and trains as `cantus extract` and `cantus train` do.
    fn train(&self, music: &Path, global: &Global) -> anyhow::Result<Option<(Model, EvaluationReport)>> {
        let features = self.path("features");
        let choices = Choices { overwrite: true, ..Choices::default() };
        let Some(extraction) = extract_folder(music, &FeatureSpec::course(), &features, choices, global)?
        else {
            return Ok(None);
        };
        tell(&extraction, &features, global);
        let trained = Train::of_demo(features, self.path("run"), self.seed).train(global)?;
        Ok(trained.map(|(trained, report, _)| (trained.model, report)))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.output.join(name)
    }

    /// Where everything lies, and what to type next.
    fn farewell(&self) -> String {
        let dir = self.output.display();
        format!(
            "\
Everything is in {dir}:
  music/       what was learnt from and examined with, one folder for each label: listen to it
  held-back/   what nobody has heard before
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

/// A held-back track and what the model says of it.
struct Answer<'a> {
    track: &'a TrackSpec,
    prediction: Prediction,
}

impl Answer<'_> {
    fn is_right(&self) -> bool {
        self.prediction.label == self.track.genre.name()
    }
}

/// Predicts the held-back tracks.
fn hear<'a>(
    model: &Model,
    dir: &Path,
    tracks: &'a [TrackSpec],
    global: &Global,
) -> anyhow::Result<Vec<Answer<'a>>> {
    let bar = progress::bar("predict", tracks.len(), global.quiet);
    let answer = |track: &'a TrackSpec| {
        let prediction = model.predict_file(dir.join(&track.file_name))?;
        bar.inc(1);
        anyhow::Ok(Answer { track, prediction })
    };
    let answers = tracks.par_iter().map(answer).collect();
    bar.finish_and_clear();
    answers
}

/// A line for each held-back track, and how many were named right.
fn table(answers: &[Answer<'_>]) -> String {
    let n_right = answers.iter().filter(|answer| answer.is_right()).count();
    let share = 100.0 * n_right as f64 / answers.len().max(1) as f64;
    let row = |answer: &Answer<'_>| {
        let Prediction { label, probability, .. } = &answer.prediction;
        let mark = if answer.is_right() { "" } else { "  ✗" };
        format!("  {:<30} {label:<10} {:>5.1} %{mark}\n", answer.track.file_name, 100.0 * probability)
    };
    let rows: String = answers.iter().map(row).collect();
    let n = answers.len();
    let chance = 100.0 / Genre::ALL.len() as f64;
    format!(
        "held-back tracks: {n_right} of {n} named right, {share:.0} % (chance: {chance:.0} %)\n\n{rows}\n"
    )
}
