//! Names and maximum number of pitch classes.

use super::frame_level::Bins;
use super::range_check::require;
use crate::Error;

/// The twelve pitch classes from C on.
const NAMES: [&str; 12] = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"];
/// Maximum number of pitch classes per octave.
const MAX_N_CHROMA: usize = 1200;

/// The axis of chroma: names from C or from A on, or numbers if there are not twelve.
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
    fn twelve_pitch_classes_are_named_and_others_numbered() {
        let Bins::Named(_, names) = pitch_classes(12, false) else { panic!("names are expected") };
        assert_eq!(names[..4], ["A", "A♯", "B", "C"]);
        assert_eq!(pitch_classes(24, true), Bins::Numbered("Pitch class"));
    }
}
