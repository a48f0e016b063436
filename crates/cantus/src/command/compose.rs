//! `cantus compose`: the demonstration corpus, as WAV files.

use std::path::{Path, PathBuf};

use anyhow::ensure;
use cantus_audio::synth;
use clap::Args;
use rayon::prelude::*;

use crate::cli::Global;
use crate::output::{self, Outcome};
use crate::{interrupt, progress};

/// Compose a labelled corpus of music: ten genres, every track another
#[derive(Debug, Args)]
#[command(after_help = "Example: cantus compose music --tracks 5 --duration 10    then listen to music/jazz/jazz.00000.wav")]
pub struct Compose {
    /// Folder to write to: DIR/<genre>/<genre>.00000.wav, …
    dir: PathBuf,
    /// Tracks of each genre
    #[arg(long, default_value_t = 20, value_name = "N")]
    tracks: usize,
    /// Length of a track, in seconds
    #[arg(long, default_value_t = 30.0, value_name = "SECONDS")]
    duration: f64,
    /// The same seed composes the same music
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,
    /// Sample rate, in Hz
    #[arg(long, default_value_t = 22_050, value_name = "HZ")]
    sr: u32,
}
