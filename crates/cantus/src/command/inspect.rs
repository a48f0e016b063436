//! `cantus inspect`: what a recording is, before anything is made of it.

use std::path::PathBuf;

use cantus::inspection::{Inspection, inspect};
use cantus::listing::{self, Listing};
use clap::Args;
use rayon::prelude::*;
use serde::Serialize;

use crate::cli::Global;
use crate::output::{self, Outcome};
use crate::{interrupt, progress};

/// Show what recordings are: codec, rate, channels, duration, peak, silence, tags, faults
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cantus inspect song.mp3
  cantus inspect MUSIC                  every recording below a folder
  cantus inspect MUSIC --json | jq '.tracks[] | select(.faults != [])'")]
pub struct Inspect {
    /// Sound files, or folders of them
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// One JSON document instead of a table
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Document {
    tracks: Vec<Inspection>,
    failed: Vec<listing::Failed>,
}

impl Inspect {
    pub fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let Listing { files, mut failed } = listing::recordings(&self.paths)?;
        let bar = progress::bar("inspect", files.len(), global.quiet);
        let results: Vec<_> = files
            .par_iter()
            .filter(|_| !interrupt::requested())
            .map(|path| (path, inspect(path)))
            .inspect(|_| bar.inc(1))
            .collect();
        bar.finish_and_clear();
        if interrupt::requested() {
            return Ok(output::stopped());
        }
        let mut tracks = Vec::new();
        for (path, result) in results {
            match result {
                Ok(track) => tracks.push(track),
                Err(error) => failed.push(listing::Failed::new(path, &error)),
            }
        }
        let document = Document { tracks, failed };
        if self.json {
            output::json(&document)?;
        } else {
            output::print(&table(&document.tracks))?;
            output::failures(&document.failed);
        }
        Ok(Outcome::of_job(document.tracks.len(), document.failed.len()))
    }
}

/// A line for each recording, and below it what is wrong with it.
fn table(tracks: &[Inspection]) -> String {
    if tracks.is_empty() {
        return String::new();
    }
    let width = tracks.iter().map(|track| track.path.chars().count()).max().unwrap_or(0).max(4);
    let mut text = format!(
        "{:width$}  {:<10} {:>7} {:>2} {:>8} {:>8} {:>7}  tags\n",
        "file", "codec", "Hz", "ch", "seconds", "peak dB", "silent"
    );
    for track in tracks {
        text += &row(track, width);
        for fault in &track.faults {
            text += &format!("  ! {fault}\n");
        }
    }
    text
}

fn row(track: &Inspection, width: usize) -> String {
    let peak = track.peak_db.map_or("-inf".to_owned(), |peak| format!("{peak:.1}"));
    let tags = [&track.tags.artist, &track.tags.title, &track.tags.album, &track.tags.genre];
    let tags: Vec<&str> = tags.into_iter().flatten().map(String::as_str).collect();
    let line = format!(
        "{:width$}  {:<10} {:>7} {:>2} {:>8.2} {:>8} {:>6.0}%  {}",
        track.path,
        track.codec,
        track.sample_rate,
        track.n_channels,
        track.duration_s,
        peak,
        100.0 * track.silence,
        tags.join(" · ")
    );
    format!("{}\n", line.trim_end())
}
