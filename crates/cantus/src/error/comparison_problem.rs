//! Why runs cannot be compared.

use std::path::PathBuf;

/// Why runs cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ComparisonProblem {
    /// One run is a tagger, the other a classifier.
    #[error("{} is a {}, but {} is a {}", run.display(), kind(*is_tagger), first.display(), kind(!*is_tagger))]
    Tasks {
        /// The run that differs from the first.
        run: PathBuf,
        /// Whether it is a tagger.
        is_tagger: bool,
        /// The first run.
        first: PathBuf,
    },
    /// A track has different labels in two runs.
    #[error("{track} is '{label}' in {}, but '{first_label}' in {}", run.display(), first.display())]
    Labels {
        /// Path of the track.
        track: String,
        /// The run that differs from the first.
        run: PathBuf,
        /// The label there.
        label: String,
        /// The first run.
        first: PathBuf,
        /// The label there.
        first_label: String,
    },
    /// The runs were evaluated on different tracks.
    #[error(
        "they were evaluated on different tracks: {}; {n_common} are in all of them; train on the same split",
        sizes(runs)
    )]
    Tracks {
        /// Each run with its number of test tracks.
        runs: Vec<(PathBuf, usize)>,
        /// Number of tracks that all of them were tested on.
        n_common: usize,
    },
}

fn kind(is_tagger: bool) -> &'static str {
    if is_tagger { "tagger" } else { "classifier" }
}

fn sizes(runs: &[(PathBuf, usize)]) -> String {
    let size = |(run, n): &(PathBuf, usize)| format!("{} with {n}", run.display());
    runs.iter().map(size).collect::<Vec<_>>().join(", ")
}
