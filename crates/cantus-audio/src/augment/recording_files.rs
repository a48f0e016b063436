//! Loads the noise recordings and impulse responses of an augmentation when it is planned.

use std::path::{Path, PathBuf};

use crate::{Error, decode};

/// Limit on the total number of samples: 1 GiB, or 3.4 hours at 22 050 Hz.
const MAX_SAMPLES: usize = 1 << 28;

/// The recording at a path, or all recordings of a folder in order of their names, resampled to one rate.
///
/// # Errors
/// If there is no such path, the folder has no files, a file cannot be decoded, or they are over the limit together.
pub(super) fn load(path: &Path, sample_rate: u32) -> Result<Vec<Vec<f32>>, Error> {
    let mut recordings = Vec::new();
    let mut n_samples = 0;
    for file in files(path)? {
        let samples = decode::load(&file, sample_rate)?.audio.samples;
        n_samples += samples.len();
        if n_samples > MAX_SAMPLES {
            let (found, limit) = (n_samples as u64, MAX_SAMPLES as u64);
            let quantity = "total number of samples";
            return Err(Error::TooLarge { path: path.to_owned(), quantity, found, limit });
        }
        recordings.push(samples);
    }
    Ok(recordings)
}

/// The path itself if it is a file, otherwise the files of the folder without hidden files and subfolders.
fn files(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let failed = |source| Error::Io { path: path.to_owned(), source };
    if !std::fs::metadata(path).map_err(failed)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
        if !is_hidden && entry.path().is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(Error::EmptyFolder { path: path.to_owned() });
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Audio;
    use crate::write_wav;

    fn write(path: &Path, value: f32) {
        let audio = Audio { samples: vec![value; 1000], sample_rate: 22_050 };
        write_wav(path, &audio).unwrap();
    }

    #[test]
    fn a_file_is_one_recording_and_a_folder_all_of_its_files_by_name() {
        let dir = tempfile::tempdir().unwrap();
        assert!(load(dir.path(), 22_050).unwrap_err().to_string().contains("no files"));
        write(&dir.path().join("b.wav"), 0.25);
        write(&dir.path().join("a.wav"), 0.5);
        std::fs::create_dir(dir.path().join("folder")).unwrap();
        std::fs::write(dir.path().join(".hidden"), "no audio").unwrap();
        let firsts = |path: &Path| -> Vec<f32> {
            load(path, 22_050).unwrap().iter().map(|recording| (recording[500] * 100.0).round()).collect()
        };
        assert_eq!(firsts(dir.path()), [50.0, 25.0]);
        assert_eq!(firsts(&dir.path().join("b.wav")), [25.0]);
        assert_eq!(load(dir.path(), 11_025).unwrap()[0].len(), 500);
        std::fs::write(dir.path().join("c.txt"), "no audio").unwrap();
        assert!(load(dir.path(), 22_050).unwrap_err().to_string().contains("c.txt"));
        assert!(load(&dir.path().join("none"), 22_050).unwrap_err().to_string().contains("none"));
    }
}
