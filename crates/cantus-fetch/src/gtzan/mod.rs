//! GTZAN, the data set of the lecture course: where it lies, what is wrong with it, and lists that help.
//!
//! The course takes it from Kaggle, through Kaggle's API: an archive with `Data/genres_original/<genre>/<genre>.00000.wav`,
//! pictures, and tables of features. Beside the archive's content this puts `about.txt`, the fault-filtered split as lists,
//! and a list of the file that cannot be decoded.
//!
//! The lists are those of Kereliuk, Sturm & Larsen 2015, "Deep Learning and Music Adversaries" (IEEE Trans. Multimedia
//! 17(11)). The authors publish them as numbers from 1 to 1000 in their repository (coreyker/dnn-mgr: `train_filtered.txt`,
//! `valid_filtered.txt`, `test_filtered.txt`); here they are file names, genres in alphabetical order, a hundred each:
//! number 30 is `blues/blues.00029.wav`. torchaudio 2.11 (`datasets/gtzan.py`) has the same names in the same order.

use std::fs;
use std::path::{Path, PathBuf};

use cantus_audio::atomic_file;

use super::{Credentials, Download, Error, Limits, Watch, unpack};

/// Kaggle, unless `KAGGLE_API_ENDPOINT` names another server.
pub const ENDPOINT: &str = "https://www.kaggle.com";

/// The data set as Kaggle names it: owner and name.
pub const NAME: &str = "andradaolteanu/gtzan-dataset-music-genre-classification";

/// The folder of the recordings below that of the data set.
pub const RECORDINGS: &str = "Data/genres_original";

/// Licence, faults, lists.
pub const ABOUT: &str = include_str!("about.txt");

/// The lists of the fault-filtered split, in the order of `cantus train --split-lists`.
pub const LISTS: [&str; 3] = ["train_filtered.txt", "valid_filtered.txt", "test_filtered.txt"];

/// The list of what cannot be decoded, for `cantus extract --exclude`.
pub const EXCLUSIONS: &str = "corrupt.csv";

/// What lies beside the data: names and contents.
const BESIDE: [(&str, &str); 5] = [
    ("about.txt", ABOUT),
    (LISTS[0], include_str!("train_filtered.txt")),
    (LISTS[1], include_str!("valid_filtered.txt")),
    (LISTS[2], include_str!("test_filtered.txt")),
    (EXCLUSIONS, include_str!("corrupt.csv")),
];

/// The archive has 1.2 GB and holds about 2000 files of 1.4 GB; a later version may have more.
const LIMITS: Limits = Limits { n_entries: 20_000, n_bytes: 8 << 30 };

/// Where GTZAN shall come from.
#[derive(Debug, Clone)]
pub enum Source {
    /// An archive that is here already.
    Archive(PathBuf),
    /// Kaggle's API at this endpoint.
    Kaggle {
        /// `https://…`, without a path.
        endpoint: String,
        /// Who asks.
        credentials: Credentials,
    },
}

/// Whether a folder has all of it.
pub fn is_there(dir: &Path) -> bool {
    dir.join(RECORDINGS).is_dir() && BESIDE.iter().all(|(name, _)| dir.join(name).is_file())
}

/// Fetches GTZAN to the folder `dir`, which has it all afterwards or is not there. A downloaded archive ([`archive_path`])
/// is removed unless `keep_archive`.
///
/// # Errors
/// If `dir` holds something else, or as [`Download::to`] and [`unpack`] say.
pub fn fetch(dir: &Path, source: &Source, keep_archive: bool, watch: &Watch<'_>) -> Result<(), Error> {
    if fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some()) || dir.is_file() {
        return Err(Error::Occupied { path: dir.to_owned() });
    }
    let folder = dir.parent().unwrap_or(dir);
    fs::create_dir_all(folder).map_err(Error::io(folder))?;
    let archive = match source {
        Source::Archive(archive) => archive.clone(),
        Source::Kaggle { endpoint, credentials } => {
            let url = format!("{}/api/v1/datasets/download/{NAME}", endpoint.trim_end_matches('/'));
            let archive = archive_path(dir);
            Download::new(&url, credentials.clone()).to(&archive, watch)?;
            archive
        }
    };
    unpack(&archive, dir, LIMITS, watch, write_beside)?;
    if matches!(source, Source::Kaggle { .. }) && !keep_archive {
        fs::remove_file(&archive).map_err(Error::io(&archive))?;
    }
    Ok(())
}

/// Where the archive of a folder is downloaded to: beside it, with `.zip` behind its name.
pub fn archive_path(dir: &Path) -> PathBuf {
    let name = dir.file_name().unwrap_or_default().to_string_lossy();
    dir.with_file_name(format!("{name}.zip"))
}

/// Writes what is known about GTZAN into a folder: `about.txt`, the lists of the split, the list of exclusions.
///
/// # Errors
/// If one of them cannot be written.
pub fn write_beside(dir: &Path) -> Result<(), Error> {
    fs::create_dir_all(dir).map_err(Error::io(dir))?;
    for (name, content) in BESIDE {
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
    fn the_lists_have_the_published_sizes_and_share_no_track() {
        let sizes: Vec<usize> = BESIDE[1..4].iter().map(|(_, list)| list.lines().count()).collect();
        assert_eq!(sizes, [443, 197, 290]);
        let tracks: BTreeSet<&str> = BESIDE[1..4].iter().flat_map(|(_, list)| list.lines()).collect();
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

    /// Numbers from the authors' lists, at genres' borders and where a single track is left out.
    #[test]
    fn the_lists_are_the_authors_numbers_as_names() {
        let is_in = |list: usize, number: usize| {
            let genre = GENRES[(number - 1) / 100];
            let name = format!("{genre}/{genre}.{:05}.wav", (number - 1) % 100);
            BESIDE[1 + list].1.lines().any(|line| line == name)
        };
        let (train, valid, test) =
            ([30, 200, 548, 739, 1000], [1, 61, 301, 900, 986], [13, 100, 401, 600, 991]);
        for (list, numbers) in [train, valid, test].into_iter().enumerate() {
            assert!(numbers.iter().all(|&number| is_in(list, number)), "list {list}");
        }
        for left_out in [143, 209, 253, 339, 351, 399, 543, 731, 804] {
            assert!((0..3).all(|list| !is_in(list, left_out)), "{left_out}");
        }
    }
}
