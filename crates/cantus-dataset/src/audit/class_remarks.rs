//! Remarks on a data set as a whole: class imbalance, artists in several classes, artists with many files.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Serialize, Serializer};

use super::file_analysis::AuditedFile;
use crate::catalog::artist_key;

/// Minimum ratio of the largest class to the smallest that is remarked: accuracy is then dominated by large classes.
const MIN_RATIO: f64 = 3.0;
/// Minimum number of files of an artist that is remarked: a model may recognise the artist instead of the label.
const MANY_FILES: usize = 3;
/// Maximum number of artists that are named; the others are counted.
const MAX_NAMED: usize = 3;

/// A remark on the classes and artists of a data set; its `Display` and its JSON are one line of text.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClassRemark {
    /// The largest class has at least three times as many files as the smallest.
    Imbalance {
        /// The largest class.
        largest: String,
        /// Its number of files.
        n_largest: usize,
        /// The smallest class.
        smallest: String,
        /// Its number of files.
        n_smallest: usize,
    },
    /// Artists with files in several classes.
    ArtistsInSeveralClasses {
        /// (artist, its classes)
        artists: Vec<(String, Vec<String>)>,
    },
    /// Artists with three files or more, which should not be separated by a split.
    ArtistsWithManyFiles {
        /// (artist, number of files), in descending order.
        artists: Vec<(String, usize)>,
        /// Number of artists.
        n_artists: usize,
    },
}

impl fmt::Display for ClassRemark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Imbalance { largest, n_largest, smallest, n_smallest } => write!(
                f,
                "unequal classes: {largest} has {n_largest} files, {smallest} {n_smallest}; use the balanced accuracy"
            ),
            Self::ArtistsInSeveralClasses { artists } => {
                let names: Vec<String> = artists
                    .iter()
                    .map(|(artist, classes)| format!("{artist} ({})", classes.join(", ")))
                    .collect();
                write!(f, "artists in several classes: {}", abbreviated(&names))
            }
            Self::ArtistsWithManyFiles { artists, n_artists } => {
                let names: Vec<String> =
                    artists.iter().map(|(artist, n)| format!("{artist} ({n})")).collect();
                write!(
                    f,
                    "{} of {n_artists} artists have {MANY_FILES} files or more: {}; do not separate them by a split",
                    artists.len(),
                    abbreviated(&names)
                )
            }
        }
    }
}

impl Serialize for ClassRemark {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// All remarks on a data set.
pub(super) fn class_remarks(files: &[AuditedFile]) -> Vec<ClassRemark> {
    [imbalance(files), several_classes(files), many_files(files)].into_iter().flatten().collect()
}

fn imbalance(files: &[AuditedFile]) -> Option<ClassRemark> {
    let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
    files
        .iter()
        .filter_map(|file| file.label.as_deref())
        .for_each(|label| *sizes.entry(label).or_default() += 1);
    let (smallest, n_smallest) = sizes.iter().min_by_key(|(_, n)| **n)?;
    let (largest, n_largest) = sizes.iter().max_by_key(|(_, n)| **n)?;
    (*n_largest as f64 >= MIN_RATIO * *n_smallest as f64).then(|| ClassRemark::Imbalance {
        largest: (*largest).to_owned(),
        n_largest: *n_largest,
        smallest: (*smallest).to_owned(),
        n_smallest: *n_smallest,
    })
}

fn several_classes(files: &[AuditedFile]) -> Option<ClassRemark> {
    let mut classes: BTreeMap<String, (&str, BTreeSet<&str>)> = BTreeMap::new();
    for (artist, file) in with_artist(files) {
        if let Some(label) = &file.label {
            classes.entry(artist_key(artist)).or_insert((artist, BTreeSet::new())).1.insert(label);
        }
    }
    let artists: Vec<(String, Vec<String>)> = classes
        .into_values()
        .filter(|(_, labels)| labels.len() > 1)
        .map(|(artist, labels)| (artist.to_owned(), labels.into_iter().map(str::to_owned).collect()))
        .collect();
    (!artists.is_empty()).then_some(ClassRemark::ArtistsInSeveralClasses { artists })
}

fn many_files(files: &[AuditedFile]) -> Option<ClassRemark> {
    let mut counts: BTreeMap<String, (&str, usize)> = BTreeMap::new();
    for (artist, _) in with_artist(files) {
        counts.entry(artist_key(artist)).or_insert((artist, 0)).1 += 1;
    }
    let n_artists = counts.len();
    let mut many: Vec<(&str, usize)> = counts.into_values().filter(|(_, n)| *n >= MANY_FILES).collect();
    many.sort_by_key(|(artist, n)| (std::cmp::Reverse(*n), *artist));
    let artists: Vec<(String, usize)> = many.into_iter().map(|(artist, n)| (artist.to_owned(), n)).collect();
    (!artists.is_empty()).then_some(ClassRemark::ArtistsWithManyFiles { artists, n_artists })
}

fn with_artist(files: &[AuditedFile]) -> impl Iterator<Item = (&str, &AuditedFile)> {
    files.iter().filter_map(|file| Some((file.artist.as_deref()?, file)))
}

/// The first names, and how many more there are.
fn abbreviated(names: &[String]) -> String {
    let more = names.len().saturating_sub(MAX_NAMED);
    let named = names[..names.len() - more].join(", ");
    if more > 0 { format!("{named} and {more} more") } else { named }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(label: &str, artist: &str) -> AuditedFile {
        AuditedFile {
            path: String::new(),
            label: Some(label.to_owned()),
            artist: (!artist.is_empty()).then(|| artist.to_owned()),
            analysis: Err(String::new()),
        }
    }

    #[test]
    fn imbalance_and_artists_of_several_classes_or_many_files_are_remarked() {
        let mut files = vec![file("rock", "Ella"), file("jazz", " ella"), file("rock", "ELLA")];
        files.extend((0..4).map(|_| file("rock", "")));
        let remarks: Vec<String> = class_remarks(&files).iter().map(ToString::to_string).collect();
        assert_eq!(remarks.len(), 3, "{remarks:?}");
        assert!(remarks[0].contains("rock has 6 files, jazz 1"));
        assert!(remarks[1].contains("Ella (jazz, rock)"));
        assert!(remarks[2].contains("1 of 1 artists have 3 files or more: Ella (3)"));
    }

    #[test]
    fn balanced_classes_of_many_artists_are_not_remarked() {
        let files: Vec<AuditedFile> =
            (0..10).map(|n| file(["a", "b"][n % 2], &format!("artist {}", n / 2 * 2 + n % 2))).collect();
        assert_eq!(class_remarks(&files), []);
    }

    #[test]
    fn names_beyond_the_third_are_counted() {
        let names: Vec<String> = (0..5).map(|n| n.to_string()).collect();
        assert_eq!(abbreviated(&names), "0, 1, 2 and 2 more");
    }
}
