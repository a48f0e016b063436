//! `cantus predict`: predicts the labels of recordings.

mod genre_tags;
mod results;
mod sound;
mod timeline;

use std::path::{Path, PathBuf};

use cantus::input_files::{self, Failed, Listing};
use cantus::{Model, Predictor};
use clap::Args;
use indicatif::ProgressBar;
use rayon::prelude::*;

use self::genre_tags::GenreTags;
use self::results::{Detail, Document, Track};
use super::output_path::{self, Formats, Job, Jobs};
use super::theme::ThemeName;
use crate::global_options::Global;
use crate::output::{self, Outcome, WrongUsage};
use crate::{interrupt, progress};

/// Predict the labels of recordings
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cantus predict run song.mp3
  cantus predict run song.mp3 --top 3 --min-confidence 0.6
      three labels; `unknown` below a probability of 0.6
  cantus predict model.safetensors MUSIC --csv > labels.csv
  cantus predict run MUSIC --json | jq -r '.tracks[] | [.path, .label] | @tsv'
  cantus predict run concert.flac --timeline concert.txt
      predictions over time, as labels for Audacity
  cantus predict run MUSIC --timeline 'when/{dir}/{name}.png'
      a picture of the timeline of each
  cantus predict run MUSIC --min-confidence 0.6 --write-tags --dry-run
      which genre tags would change, and to what
  ffmpeg -i video.mkv -f wav - | cantus predict run -

Memory use does not grow with the length of a recording.")]
pub struct Predict {
    /// Run folder or model file
    model: PathBuf,
    /// Audio files, or folders of them; - for standard input
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// One JSON document: every track with its label and all probabilities
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// CSV: path, label, probability, tags if the model predicts them, and a column for each label (or two for each of --top)
    #[arg(long)]
    csv: bool,
    /// Number of labels to show for each track, the most probable first
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    top: Option<u16>,
    /// Label a track `unknown` (or omit a tag) below this probability, from 0 to 1
    #[arg(long, value_name = "P", value_parser = probability, default_value = "0", hide_default_value = true)]
    min_confidence: f32,
    /// Write label and probabilities of each window with its time to a .csv, .json, .txt (labels for Audacity), .png or
    /// .svg; for several recordings give a folder, or a name with {name}, {ext}, {dir}
    #[arg(long, value_name = "OUT")]
    timeline: Option<PathBuf>,
    /// Colours of a picture
    #[arg(long, value_enum, default_value = "light")]
    theme: ThemeName,
    #[command(flatten)]
    genre_tags: GenreTags,
}

/// A recording to predict, and the output of its timeline.
struct Request {
    path: PathBuf,
    timeline: Option<Job>,
}

impl Predict {
    pub fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let mut model = Model::load(&self.model)?;
        let (requests, failed) = self.requests()?;
        // Threads are divided among recordings first; the rest of them is divided within each prediction.
        let n_threads = rayon::current_num_threads();
        model.network.set_threads(n_threads / requests.len().clamp(1, n_threads));
        self.genre_tags.check(&requests, model.task())?;
        let bar = progress::bar("predict", requests.len(), global.quiet);
        let mut document = self.predict(&model, &requests, failed, &bar)?;
        if interrupt::requested() {
            // Predictions that are finished are printed.
            self.print(&model, &document)?;
            let n_done = document.tracks.len() + document.failed.len();
            output::note(&format!(
                "stopped after {n_done} of {}",
                output::count(requests.len(), "recording")
            ));
            return Ok(Outcome::Interrupted);
        }
        let stopped = self.genre_tags.write(&document.tracks, &mut document.failed, global)?;
        self.print(&model, &document)?;
        if stopped {
            return Ok(output::stopped());
        }
        Ok(Outcome::of_job(document.tracks.len(), document.failed.len()))
    }

    fn print(&self, model: &Model, document: &Document) -> anyhow::Result<()> {
        if self.json {
            return output::json(document);
        }
        match self.csv {
            true => output::exact(&results::csv(&model.labels, &document.tracks, self.detail().top)?)?,
            false => output::print(&results::table(&document.tracks))?,
        }
        output::failures(&document.failed);
        Ok(())
    }

    fn detail(&self) -> Detail {
        Detail { top: self.top.map(usize::from), min_confidence: self.min_confidence }
    }

    /// The recordings to predict, and the inputs that failed.
    fn requests(&self) -> anyhow::Result<(Vec<Request>, Vec<Failed>)> {
        let hears_stdin = self.paths.iter().any(|path| sound::is_standard_input(path));
        if hears_stdin && self.paths.len() > 1 {
            let reason = "- is one recording, on standard input: give no other path beside it";
            return Err(WrongUsage(reason.to_owned()).into());
        }
        let Some(timeline) = &self.timeline else {
            let listing = if hears_stdin {
                Listing { files: self.paths.clone(), ..Listing::default() }
            } else {
                input_files::recordings(&self.paths)?
            };
            listing.remark().iter().for_each(|remark| output::note(remark));
            let request = |path| Request { path, timeline: None };
            return Ok((listing.files.into_iter().map(request).collect(), listing.failed));
        };
        let formats = Formats { what: "timelines", known: &timeline::FORMATS, given: None, default: "csv" };
        let jobs = if hears_stdin {
            Jobs { jobs: vec![output_path::one(&self.paths[0], timeline, formats)?], failed: Vec::new() }
        } else {
            output_path::jobs(&self.paths, timeline, formats)?
        };
        let request = |job: Job| Request { path: job.input.clone(), timeline: Some(job) };
        Ok((jobs.jobs.into_iter().map(request).collect(), jobs.failed))
    }

    /// Predicts all recordings; each thread has a predictor of its own.
    fn predict(
        &self,
        model: &Model,
        requests: &[Request],
        failed: Vec<Failed>,
        bar: &ProgressBar,
    ) -> anyhow::Result<Document> {
        model.predictor()?;
        let predict = |predictor: &mut Option<_>, request: &Request| {
            let predictor = match predictor {
                Some(predictor) => predictor,
                None => predictor.insert(model.predictor()?),
            };
            self.predict_one(model, predictor, request)
        };
        let predictions: Vec<_> = requests
            .par_iter()
            .with_max_len(1)
            .filter(|_| !interrupt::requested())
            .map_init(|| None, |predictor, request| (request, predict(predictor, request)))
            .inspect(|_| bar.inc(1))
            .collect();
        bar.finish_and_clear();
        let mut document = Document { tracks: Vec::new(), failed };
        for (request, track) in predictions {
            match track {
                Ok(track) => {
                    let warnings = track.prediction.warnings.iter();
                    warnings.for_each(|warning| output::note(&format!("{}: {warning}", track.path)));
                    document.tracks.push(track);
                }
                Err(error) => document.failed.push(output::failure(&request.path, &error)),
            }
        }
        Ok(document)
    }

    /// Predicts one recording and writes its timeline. The segments are not kept: there may be hours of them.
    fn predict_one(
        &self,
        model: &Model,
        predictor: &mut Predictor<'_>,
        request: &Request,
    ) -> anyhow::Result<Track> {
        let mut prediction = predictor.predict(&request.path, sound::open(&request.path)?)?;
        if let Some(job) = &request.timeline {
            let title = name(&request.path);
            let style = (title.as_str(), self.theme.into());
            job.save(&timeline::write(&job.format, &model.labels, &prediction, self.detail(), style)?)?;
        }
        prediction.segments = Vec::new();
        Ok(Track::new(&request.path, prediction, self.detail()))
    }
}

/// The title of a recording in a picture.
fn name(path: &Path) -> String {
    if sound::is_standard_input(path) {
        return "standard input".to_owned();
    }
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn probability(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => Err("a probability from 0 to 1 is expected, such as 0.6".to_owned()),
    }
}
