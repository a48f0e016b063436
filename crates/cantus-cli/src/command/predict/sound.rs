//! Opens the audio of a recording: a file, or standard input.

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::Path;

use anyhow::Context;
use cantus_audio::decode::Decoder;

/// Whether a path is `-`, standard input.
pub fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-")
}

/// Opens a recording.
pub fn open(path: &Path) -> anyhow::Result<Decoder> {
    if is_standard_input(path) {
        let file = standard_input().context("standard input cannot be kept in a temporary file")?;
        return Ok(Decoder::from_file(path, file)?);
    }
    Ok(Decoder::open(path)?)
}

/// All of standard input, in a temporary file without a name, which is deleted when the process ends: format detection and
/// decoding need to seek, and hours of audio may not fit in memory.
fn standard_input() -> std::io::Result<File> {
    let mut file = tempfile::tempfile()?;
    std::io::copy(&mut std::io::stdin().lock(), &mut file)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}
