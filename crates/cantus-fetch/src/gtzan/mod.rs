//! The GTZAN data set: download from Kaggle, fault-filtered split, list of undecodable files.
//!
//! Kaggle's archive has `Data/genres_original/<genre>/<genre>.00000.wav`, pictures, and tables of features. Added to its
//! content are `about.txt`, the lists of the fault-filtered split, and a list of the file that cannot be decoded.
//!
//! The lists are those of Kereliuk, Sturm & Larsen 2015, "Deep Learning and Music Adversaries" (IEEE Trans. Multimedia
//! 17(11)). The authors publish them as numbers from 1 to 1000 in their repository (coreyker/dnn-mgr: `train_filtered.txt`,
//! `valid_filtered.txt`, `test_filtered.txt`); here they are file names, genres in alphabetical order, a hundred each:
//! number 30 is `blues/blues.00029.wav`. torchaudio 2.11 (`datasets/gtzan.py`) has the same names in the same order.

use std::fs;
use std::path::{Path, PathBuf};

use cantus_audio::atomic_file;

use crate::{ArchiveLimits, Credentials, Download, Error, ProgressObserver, unpack};

/// Default endpoint of Kaggle's API.
pub const KAGGLE_ENDPOINT: &str = "https://www.kaggle.com";

/// The data set on Kaggle: owner and name.
pub const KAGGLE_DATASET: &str = "andradaolteanu/gtzan-dataset-music-genre-classification";

/// Folder of the recordings, relative to that of the data set.
pub const RECORDINGS_DIR: &str = "Data/genres_original";

/// Licence, known faults, and description of the lists.
const ABOUT: &str = include_str!("about.txt");

/// File names of the fault-filtered split: train, validation, test.
pub const SPLIT_LISTS: [&str; 3] = ["train_filtered.txt", "valid_filtered.txt", "test_filtered.txt"];

/// File name of the list of recordings that cannot be decoded.
pub const EXCLUSION_LIST: &str = "corrupt.csv";

/// Names and contents of the files that are added to the data set.
const METADATA_FILES: [(&str, &str); 5] = [
    ("about.txt", ABOUT),
    (SPLIT_LISTS[0], include_str!("train_filtered.txt")),
    (SPLIT_LISTS[1], include_str!("valid_filtered.txt")),
    (SPLIT_LISTS[2], include_str!("test_filtered.txt")),
    (EXCLUSION_LIST, include_str!("corrupt.csv")),
];

/// The archive has about 2000 files of 1.4 GB; a later version may have more.
const LIMITS: ArchiveLimits = ArchiveLimits { max_entries: 20_000, max_bytes: 8 << 30 };

/// Source of the data set.
#[derive(Debug, Clone)]
pub enum Source {
    /// A zip archive on this computer.
    Archive(PathBuf),
    /// Kaggle's API at this endpoint.
    Kaggle {
        /// URL without a path.
        endpoint: String,
        /// Credentials for Kaggle.
        credentials: Credentials,
    },
}

/// Whether a folder has the recordings and all metadata files.
#[must_use]
pub fn is_complete(dir: &Path) -> bool {
    dir.join(RECORDINGS_DIR).is_dir() && METADATA_FILES.iter().all(|(name, _)| dir.join(name).is_file())
}

/// Downloads GTZAN and extracts it to the folder `dir`, atomically. The downloaded archive ([`archive_path`]) is removed
/// unless `keep_archive`.
///
/// # Errors
/// If `dir` is not empty, and those of [`Download::save_to`] and [`unpack`].
pub fn fetch(
    dir: &Path,
    source: &Source,
    keep_archive: bool,
    observer: &ProgressObserver<'_>,
) -> Result<(), Error> {
    if is_complete(dir) {
        // By another process, meanwhile.
        return Ok(());
    }
    if fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some()) || dir.is_file() {
        return Err(Error::Occupied { path: dir.to_owned() });
    }
    let folder = dir.parent().unwrap_or(dir);
    atomic_file::create_folder(folder).map_err(Error::io(folder))?;
    let archive = match source {
        Source::Archive(archive) => archive.clone(),
        Source::Kaggle { endpoint, credentials } => {
            let url = format!("{}/api/v1/datasets/download/{KAGGLE_DATASET}", endpoint.trim_end_matches('/'));
            let archive = archive_path(dir);
            Download::new(&url, credentials.clone()).save_to(&archive, observer)?;
            archive
        }
    };
    match unpack(&archive, dir, LIMITS, observer, write_metadata) {
        Err(Error::Occupied { .. }) if is_complete(dir) => {}
        unpacked => unpacked?,
    }
    if matches!(source, Source::Kaggle { .. }) && !keep_archive {
        fs::remove_file(&archive).map_err(Error::io(&archive))?;
    }
    Ok(())
}

/// Path that the archive of a data set folder is downloaded to: `DIR.zip`.
#[must_use]
pub fn archive_path(dir: &Path) -> PathBuf {
    let name = dir.file_name().unwrap_or_default().to_string_lossy();
    dir.with_file_name(format!("{name}.zip"))
}

/// Writes the metadata files to a folder: `about.txt`, the split lists, the exclusion list.
///
/// # Errors
/// If a file cannot be written.
pub fn write_metadata(dir: &Path) -> Result<(), Error> {
    atomic_file::create_folder(dir).map_err(Error::io(dir))?;
    for (name, content) in METADATA_FILES {
        let path = dir.join(name);
        atomic_file::write(&path, content.as_bytes()).map_err(Error::io(&path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const GENRES: [&str; 10] =
        ["blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock"];

    /// The sizes are those of the paper: 443 tracks to train, 197 to validate, 290 to test.
    #[test]
    fn the_lists_have_the_published_sizes_and_are_disjoint() {
        let sizes: Vec<usize> = METADATA_FILES[1..4].iter().map(|(_, list)| list.lines().count()).collect();
        assert_eq!(sizes, [443, 197, 290]);
        let tracks: BTreeSet<&str> = METADATA_FILES[1..4].iter().flat_map(|(_, list)| list.lines()).collect();
        assert_eq!(tracks.len(), 930);
        for track in tracks {
            let (genre, file) = track.split_once('/').unwrap();
            let number =
                file.strip_prefix(&format!("{genre}.")).and_then(|rest| rest.strip_suffix(".wav")).unwrap();
            assert!(
                GENRES.contains(&genre) && number.len() == 5 && number.parse::<u32>().unwrap() < 100,
                "{track}"
            );
        }
    }

    /// Numbers from the authors' lists, at the borders of genres and next to excluded tracks.
    #[test]
    fn the_lists_have_the_tracks_of_the_authors_lists() {
        let is_in = |list: usize, number: usize| {
            let genre = GENRES[(number - 1) / 100];
            let name = format!("{genre}/{genre}.{:05}.wav", (number - 1) % 100);
            METADATA_FILES[1 + list].1.lines().any(|line| line == name)
        };
        let (train, valid, test) =
            ([30, 200, 548, 739, 1000], [1, 61, 301, 900, 986], [13, 100, 401, 600, 991]);
        for (list, numbers) in [train, valid, test].into_iter().enumerate() {
            assert!(numbers.iter().all(|&number| is_in(list, number)), "list {list}");
        }
        for excluded in [143, 209, 253, 339, 351, 399, 543, 731, 804] {
            assert!((0..3).all(|list| !is_in(list, excluded)), "{excluded}");
        }
    }
}
