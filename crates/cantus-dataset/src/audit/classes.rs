//! What is wrong with a data set as a whole: unequal classes, artists in several of them, artists with many tracks.

use std::collections::{BTreeMap, BTreeSet};

use super::Subject;

/// From this ratio of the largest class to the smallest on, accuracy says little about the small one.
const MAX_RATIO: f64 = 3.0;
/// From this many tracks on, an artist may be learnt instead of the label.
const MANY_TRACKS: usize = 3;
/// Artists that are named; of more, the number is told.
const MAX_NAMED: usize = 3;

/// A line for each thing that is worth one.
pub(super) fn remarks(subjects: &[Subject]) -> Vec<String> {
    [imbalance(subjects), several_classes(subjects), many_tracks(subjects)].into_iter().flatten().collect()
}

fn imbalance(subjects: &[Subject]) -> Option<String> {
    let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
    subjects
        .iter()
        .filter_map(|subject| subject.label.as_deref())
        .for_each(|label| *sizes.entry(label).or_default() += 1);
    let (small, n_small) = sizes.iter().min_by_key(|(_, n)| **n)?;
    let (large, n_large) = sizes.iter().max_by_key(|(_, n)| **n)?;
    (*n_large as f64 >= MAX_RATIO * *n_small as f64).then(|| {
        format!(
            "unequal classes: {large} has {n_large} files, {small} {n_small}; look at the balanced accuracy of what \
             is trained on them"
        )
    })
}

fn several_classes(subjects: &[Subject]) -> Option<String> {
    let mut classes: BTreeMap<String, (&str, BTreeSet<&str>)> = BTreeMap::new();
    for (artist, subject) in with_artist(subjects) {
        if let Some(label) = &subject.label {
            classes.entry(folded(artist)).or_insert((artist, BTreeSet::new())).1.insert(label);
        }
    }
    let several: Vec<String> = classes
        .values()
        .filter(|(_, labels)| labels.len() > 1)
        .map(|(artist, labels)| {
            format!("{artist} ({})", labels.iter().copied().collect::<Vec<_>>().join(", "))
        })
        .collect();
    (!several.is_empty()).then(|| format!("artists in several classes: {}", named(&several)))
}

fn many_tracks(subjects: &[Subject]) -> Option<String> {
    let mut tracks: BTreeMap<String, (&str, usize)> = BTreeMap::new();
    for (artist, _) in with_artist(subjects) {
        tracks.entry(folded(artist)).or_insert((artist, 0)).1 += 1;
    }
    let n_artists = tracks.len();
    let mut many: Vec<(&str, usize)> = tracks.into_values().filter(|(_, n)| *n >= MANY_TRACKS).collect();
    many.sort_by_key(|(artist, n)| (std::cmp::Reverse(*n), *artist));
    let named_tracks: Vec<String> = many.iter().map(|(artist, n)| format!("{artist} ({n})")).collect();
    (!many.is_empty()).then(|| {
        format!(
            "{} of {n_artists} artists have {MANY_TRACKS} files or more: {}; keep each on one side of the split: \
             cantus train … --group artist",
            many.len(),
            named(&named_tracks)
        )
    })
}

fn with_artist(subjects: &[Subject]) -> impl Iterator<Item = (&str, &Subject)> {
    subjects.iter().filter_map(|subject| Some((subject.artist.as_deref()?, subject)))
}

/// Upper and lower case name one artist, as `--group artist` has it.
fn folded(artist: &str) -> String {
    artist.trim().to_lowercase()
}

fn named(names: &[String]) -> String {
    let more = names.len().saturating_sub(MAX_NAMED);
    let named = names[..names.len() - more].join(", ");
    if more > 0 { format!("{named} and {more} more") } else { named }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(label: &str, artist: &str) -> Subject {
        Subject {
            path: String::new(),
            label: Some(label.to_owned()),
            artist: (!artist.is_empty()).then(|| artist.to_owned()),
            evidence: Err(String::new()),
        }
    }

    #[test]
    fn a_small_class_and_an_artist_of_two_classes_are_named() {
        let mut subjects = vec![subject("rock", "Ella"), subject("jazz", " ella"), subject("rock", "ELLA")];
        subjects.extend((0..4).map(|_| subject("rock", "")));
        let remarks = remarks(&subjects);
        assert_eq!(remarks.len(), 3, "{remarks:?}");
        assert!(remarks[0].contains("rock has 6 files, jazz 1"));
        assert!(remarks[1].contains("Ella (jazz, rock)"));
        assert!(remarks[2].contains("1 of 1 artists have 3 files or more: Ella (3)"));
    }

    #[test]
    fn equal_classes_of_many_artists_are_worth_no_word() {
        let subjects: Vec<Subject> =
            (0..10).map(|n| subject(["a", "b"][n % 2], &format!("artist {}", n / 2 * 2 + n % 2))).collect();
        assert_eq!(remarks(&subjects), Vec::<String>::new());
    }

    #[test]
    fn of_many_names_the_rest_is_counted() {
        let names: Vec<String> = (0..5).map(|n| n.to_string()).collect();
        assert_eq!(named(&names), "0, 1, 2 and 2 more");
    }
}
