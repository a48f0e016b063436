//! `cantus compose`: writes the synthetic demonstration corpus as WAV files.

use std::path::{Path, PathBuf};

use anyhow::Context;
use cantus_audio::atomic_file;
use cantus_synth::{Corpus, TrackSpec};
use clap::Args;
use rayon::prelude::*;

use crate::global_options::Global;
use crate::output::{self, Outcome};
use crate::{interrupt, progress};

/// Synthesise a labelled corpus of music: ten genres, every track different
#[derive(Debug, Args)]
#[command(after_help = "Example: cantus compose music --tracks 5 --duration 10
    the first track of jazz is music/jazz/jazz.00000.wav")]
pub struct Compose {
    /// Folder to write to: DIR/<genre>/<genre>.00000.wav, …
    dir: PathBuf,
    /// Tracks of each genre
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MAX_TRACKS))]
    tracks: u32,
    /// Length of a track, in seconds
    #[arg(long, default_value_t = 30.0, value_name = "SECONDS", value_parser = duration)]
    duration: f64,
    /// The same seed composes the same music
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,
    /// Sample rate, in Hz
    #[arg(long, default_value_t = 22_050, value_name = "HZ", value_parser = clap::value_parser!(u32).range(8_000..=192_000))]
    sr: u32,
}

/// File names number tracks with five digits.
const MAX_TRACKS: i64 = 100_000;

/// Parses a duration above 0 and up to 3600 s; a track is held in memory.
pub fn duration(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if seconds > 0.0 && seconds <= 3600.0 => Ok(seconds),
        Ok(_) => Err("must be more than 0 and at most 3600 seconds".to_owned()),
        Err(error) => Err(format!("{error}")),
    }
}

impl Compose {
    pub fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let tracks: Vec<TrackSpec> = Corpus::new(self.tracks as usize, self.seed).collect();
        compose_tracks(&self.dir, &tracks, self.duration, self.sr, global)?;
        if interrupt::requested() {
            return Ok(output::stopped());
        }
        if !global.quiet {
            output::note(&format!("{} tracks in {}", tracks.len(), self.dir.display()));
        }
        Ok(Outcome::Done)
    }
}

/// Composes tracks in parallel and writes them below `dir`.
pub fn compose_tracks(
    dir: &Path,
    tracks: &[TrackSpec],
    duration_s: f64,
    sample_rate: u32,
    global: &Global,
) -> anyhow::Result<()> {
    for track in tracks {
        let path = dir.join(&track.file_name);
        let folder = path.parent().unwrap_or(dir);
        atomic_file::create_folder(folder).with_context(|| folder.display().to_string())?;
    }
    let bar = progress::bar("compose", tracks.len(), global.quiet);
    tracks.par_iter().filter(|_| !interrupt::requested()).try_for_each(|track| {
        let audio = cantus_synth::compose(track.genre, track.seed, duration_s, sample_rate);
        bar.inc(1);
        cantus_audio::write_wav(dir.join(&track.file_name), &audio)
    })?;
    bar.finish_and_clear();
    Ok(())
}
