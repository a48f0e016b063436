//! `cantus fetch`: a data set from where it is published.

use std::fs;
use std::path::{Path, PathBuf};

use cantus_fetch::gtzan::{self, Source};
use cantus_fetch::{Credentials, Error, Event, ProgressObserver};
use clap::{Args, ValueEnum};
use indicatif::{HumanBytes, ProgressBar};

use crate::cli::Global;
use crate::output::{self, Outcome};
use crate::{interrupt, progress};

/// Download a data set: GTZAN, with the lists of its fault-filtered split
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cantus fetch gtzan
      1.2 GB from Kaggle, to the folder gtzan
  cantus fetch gtzan --archive archive.zip
      the same, downloaded with a browser
  cantus fetch gtzan lists --lists-only
      only the lists, for a copy that you have

The credentials of Kaggle's own client are used, if there are any: KAGGLE_API_TOKEN, or \
KAGGLE_USERNAME with KAGGLE_KEY, or access_token or kaggle.json in KAGGLE_CONFIG_DIR or ~/.kaggle. \
A proxy is taken from HTTPS_PROXY or ALL_PROXY, but for the hosts in NO_PROXY. \
What Ctrl-C or a cut connection has stopped, the same command goes on with.")]
pub struct Fetch {
    /// The data set
    dataset: Dataset,
    /// Folder to put it in [default: the data set's name]
    dir: Option<PathBuf>,
    /// Unpack this archive instead of downloading it
    #[arg(long, value_name = "FILE")]
    archive: Option<PathBuf>,
    /// Keep the downloaded archive, DIR.zip
    #[arg(long, conflicts_with = "archive")]
    keep_archive: bool,
    /// Write only what is known about the data set: lists, faults, licence
    #[arg(long, conflicts_with_all = ["archive", "keep_archive"])]
    lists_only: bool,
}

/// What there is to fetch.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Dataset {
    /// 1000 excerpts of 30 s in ten genres, as the lecture course uses them
    Gtzan,
}

/// As many recordings as GTZAN has.
const N_RECORDINGS: usize = 1000;

impl Fetch {
    pub fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let Dataset::Gtzan = self.dataset;
        let dir = self.dir.clone().unwrap_or_else(|| PathBuf::from("gtzan"));
        let say = |line: &str| {
            if !global.quiet {
                output::note(line)
            }
        };
        if self.lists_only {
            gtzan::write_metadata(&dir)?;
            say(&format!(
                "lists and remarks in {}; begin with {}",
                dir.display(),
                dir.join("about.txt").display()
            ));
            return Ok(Outcome::Done);
        }
        if gtzan::is_complete(&dir) {
            say(&format!("{} has it already", dir.display()));
            return Ok(Outcome::Done);
        }
        say("GTZAN's licence is unclear: for study and research only, not to be passed on");
        say(
            "tracks of it are repeated, mislabelled, distorted (Sturm 2013, arXiv:1306.1461); lists of a split without them come along",
        );
        let source = self.source(&dir, &say)?;
        if let Err(error) = fetch(&dir, &source, self.keep_archive, global.quiet) {
            return match error {
                Error::Interrupted => Ok(stopped()),
                error => Err(with_advice(error)),
            };
        }
        say(&summary(&dir));
        Ok(Outcome::Done)
    }

    fn source(&self, dir: &Path, say: &impl Fn(&str)) -> Result<Source, Error> {
        if let Some(archive) = &self.archive {
            return Ok(Source::Archive(archive.clone()));
        }
        let archive = gtzan::archive_path(dir);
        if archive.is_file() {
            say(&format!("unpacking {}, which is here already", archive.display()));
            return Ok(Source::Archive(archive));
        }
        let found = Credentials::find()?;
        if let Some(warning) = &found.warning {
            say(&format!("warning: {warning}"));
        }
        // As Kaggle's own client has it.
        let endpoint =
            std::env::var("KAGGLE_API_ENDPOINT").unwrap_or_else(|_| gtzan::KAGGLE_ENDPOINT.to_owned());
        let who = if found.origin.is_empty() { "without credentials".to_owned() } else { found.origin };
        say(&format!("asking {endpoint} for {} ({who})", gtzan::KAGGLE_DATASET));
        Ok(Source::Kaggle { endpoint, credentials: found.credentials })
    }
}

fn fetch(dir: &Path, source: &Source, keep_archive: bool, quiet: bool) -> Result<(), Error> {
    let bar = progress::bytes(quiet);
    let cancelled = interrupt::flag();
    let on_event = |event| show(&bar, event, quiet);
    let fetched = gtzan::fetch(
        dir,
        source,
        keep_archive,
        &ProgressObserver { cancelled: &cancelled, on_event: &on_event },
    );
    bar.finish_and_clear();
    fetched
}

fn show(bar: &ProgressBar, event: Event, quiet: bool) {
    let say = |line: String| {
        if !quiet {
            bar.suspend(|| output::note(&line));
        }
    };
    let step = |what: &'static str, n_bytes, total: Option<u64>| {
        bar.set_prefix(what);
        bar.set_length(total.unwrap_or(n_bytes));
        bar.set_position(n_bytes);
    };
    match event {
        Event::Resumed { n_bytes } => {
            say(format!("going on behind the first {}", HumanBytes(n_bytes)));
            step("download", n_bytes, None);
            bar.reset_eta();
        }
        Event::Restarted { reason } => say(format!("{reason}; beginning anew")),
        Event::Retrying { reason, delay } => {
            say(format!("{reason}; next try in {} s", delay.as_secs_f32().ceil()))
        }
        Event::Downloaded { n_bytes, total } => step("download", n_bytes, total),
        Event::Verifying => bar.set_prefix("check"),
        Event::Unpacked { n_bytes, total } => step("unpack", n_bytes, Some(total)),
    }
}

/// What is there now, and what to do with it.
fn summary(dir: &Path) -> String {
    let n = n_recordings(&dir.join(gtzan::RECORDINGS_DIR));
    let expected = if n == N_RECORDINGS { String::new() } else { format!(" ({N_RECORDINGS} were expected)") };
    let [train, valid, test] = gtzan::SPLIT_LISTS.map(|list| dir.join(list).display().to_string());
    let (recordings, exclusions) = (dir.join(gtzan::RECORDINGS_DIR), dir.join(gtzan::EXCLUSION_LIST));
    format!(
        "{n} recordings in {}{expected}; now:
  cantus extract {} --exclude {} -o features
  cantus train features -m mlp-normalised -o run --split-lists {train} {valid} {test}",
        recordings.display(),
        recordings.display(),
        exclusions.display(),
    )
}

/// WAV files in the folders of a folder.
fn n_recordings(dir: &Path) -> usize {
    let entries = |dir: &Path| fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_wav = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "wav");
    entries(dir).map(|genre| entries(&genre).filter(is_wav).count()).sum()
}

/// What to do after a download that failed but can be resumed.
fn with_advice(error: Error) -> anyhow::Error {
    match error {
        Error::GaveUp { .. } => anyhow::anyhow!("{error}, the same command goes on where this one was"),
        error => error.into(),
    }
}

fn stopped() -> Outcome {
    output::note("stopped; the same command goes on");
    Outcome::Interrupted
}
