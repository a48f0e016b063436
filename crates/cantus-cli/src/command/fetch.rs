//! `cantus fetch`: downloads a published data set.

use std::fs;
use std::path::{Path, PathBuf};

use cantus_fetch::gtzan::{self, Source};
use cantus_fetch::{Credentials, Error, Event, ProgressObserver};
use clap::{Args, ValueEnum};
use indicatif::{HumanBytes, ProgressBar};

use crate::global_options::Global;
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
      only the lists, for an existing copy

The credentials of Kaggle's own client are used, if there are any: KAGGLE_API_TOKEN, or \
KAGGLE_USERNAME with KAGGLE_KEY, or access_token or kaggle.json in KAGGLE_CONFIG_DIR or ~/.kaggle. \
A proxy is taken from HTTPS_PROXY or ALL_PROXY, but for the hosts in NO_PROXY. \
After Ctrl-C or a lost connection, the same command continues the download.")]
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
    /// Write only the metadata of the data set: lists, known faults, licence
    #[arg(long, conflicts_with_all = ["archive", "keep_archive"])]
    lists_only: bool,
}

/// The data sets.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Dataset {
    /// 1000 excerpts of 30 s in ten genres, as the lecture course uses them
    Gtzan,
}

/// Number of recordings in GTZAN.
const N_RECORDINGS: usize = 1000;

impl Fetch {
    pub fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let Dataset::Gtzan = self.dataset;
        let dir = self.dir.clone().unwrap_or_else(|| PathBuf::from("gtzan"));
        let note = |line: &str| {
            if !global.quiet {
                output::note(line)
            }
        };
        if self.lists_only {
            gtzan::write_metadata(&dir)?;
            note(&format!("lists and remarks in {}; see {}", dir.display(), dir.join("about.txt").display()));
            return Ok(Outcome::Done);
        }
        if gtzan::is_complete(&dir) {
            note(&format!("{} contains the data set already", dir.display()));
            return Ok(Outcome::Done);
        }
        note("GTZAN's licence is unclear: for study and research only, not to be passed on");
        note(
            "tracks of it are repeated, mislabelled, distorted (Sturm 2013, arXiv:1306.1461); lists of a split without them are included",
        );
        let source = self.source(&dir, &note)?;
        if let Err(error) = fetch(&dir, &source, self.keep_archive, global.quiet) {
            return match error {
                Error::Interrupted => Ok(stopped()),
                error => Err(with_advice(error)),
            };
        }
        note(&summary(&dir));
        Ok(Outcome::Done)
    }

    fn source(&self, dir: &Path, note: &impl Fn(&str)) -> Result<Source, Error> {
        if let Some(archive) = &self.archive {
            return Ok(Source::Archive(archive.clone()));
        }
        let archive = gtzan::archive_path(dir);
        if archive.is_file() {
            note(&format!("unpacking {}, which exists already", archive.display()));
            return Ok(Source::Archive(archive));
        }
        let found = Credentials::find()?;
        if let Some(warning) = &found.warning {
            note(&format!("warning: {warning}"));
        }
        // The same variable as of Kaggle's own client.
        let endpoint =
            std::env::var("KAGGLE_API_ENDPOINT").unwrap_or_else(|_| gtzan::KAGGLE_ENDPOINT.to_owned());
        let origin = if found.origin.is_empty() { "without credentials".to_owned() } else { found.origin };
        note(&format!("requesting {} from {endpoint} ({origin})", gtzan::KAGGLE_DATASET));
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
    let note = |line: String| {
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
            note(format!("continuing after the first {}", HumanBytes(n_bytes)));
            step("download", n_bytes, None);
            bar.reset_eta();
        }
        Event::Restarted { reason } => note(format!("{reason}; starting again")),
        Event::Retrying { reason, delay } => {
            note(format!("{reason}; retrying in {} s", delay.as_secs_f32().ceil()))
        }
        Event::Downloaded { n_bytes, total } => step("download", n_bytes, total),
        Event::Verifying => bar.set_prefix("check"),
        Event::Unpacked { n_bytes, total } => step("unpack", n_bytes, Some(total)),
    }
}

/// The number of recordings, and which commands to run next.
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

/// Number of WAV files in the subfolders of a folder.
fn n_recordings(dir: &Path) -> usize {
    let entries = |dir: &Path| fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_wav = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "wav");
    entries(dir).map(|genre| entries(&genre).filter(is_wav).count()).sum()
}

/// What to do after a download that failed but can be resumed.
fn with_advice(error: Error) -> anyhow::Error {
    match error {
        Error::GaveUp { .. } => anyhow::anyhow!("{error}; the same command continues where this one stopped"),
        error => error.into(),
    }
}

fn stopped() -> Outcome {
    output::note("stopped; the same command continues");
    Outcome::Interrupted
}
