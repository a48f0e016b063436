//! The names of pitch classes, and how many there may be.

use super::kind::Bins;
use super::spec::require;
use crate::Error;

/// The twelve pitch classes from C on.
const NAMES: [&str; 12] = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"];
/// The most pitch classes that are accepted.
const MAX_N_CHROMA: usize = 1200;

/// Names for the bins of chroma, from C on, or from A; numbers, where there are not twelve.
pub(super) fn pitch_classes(n_chroma: usize, from_c: bool) -> Bins {
    if n_chroma != NAMES.len() {
        return Bins::Numbered("Pitch class");
    }
    let first = if from_c { 0 } else { 9 };
    Bins::Named("Pitch class", (first..first + 12).map(|class| NAMES[class % 12].to_owned()).collect())
}

/// Checks the number of pitch classes.
pub(super) fn validate_n_chroma(parameter: &'static str, n_chroma: usize) -> Result<(), Error> {
    let expected = || format!("from 1 to {MAX_N_CHROMA}");
    require((1..=MAX_N_CHROMA).contains(&n_chroma), parameter, n_chroma, expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pitch_classes_have_the_names_of_notes() {
        let Bins::Named(_, names) = pitch_classes(12, false) else { panic!("names are expected") };
        assert_eq!(names[..4], ["A", "A♯", "B", "C"]);
        assert_eq!(pitch_classes(24, true), Bins::Numbered("Pitch class"));
    }
}
