//! Durations and sample rates of the recordings of a data set, and segments that fit them.

mod fit;

use cantus_audio::decode::measure_duration;
use rayon::prelude::*;

pub use self::fit::SegmentFit;

use crate::{BACKGROUND_LABEL, Catalog, Track};

/// Maximum number of recordings that are measured; of more, as many at equal distances in the catalog.
const MAX_MEASURED: usize = 400;
/// A file whose header does not declare its length is decoded up to this duration, in seconds: more makes no difference for
/// the choice of segments.
const MAX_DECODED_S: f64 = 120.0;

/// Durations and sample rates of recordings.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Durations {
    /// Of the measured recordings, ascending, in seconds.
    seconds: Vec<f64>,
    /// Highest sample rate of their files, in Hz; 0 if it is not known.
    max_sample_rate: u32,
    /// Number of recordings, measured or not.
    n_recordings: usize,
}

impl Durations {
    /// The durations of measured recordings. What is not finite is left out.
    #[must_use]
    pub fn from_seconds(seconds: impl IntoIterator<Item = f64>) -> Self {
        let mut seconds: Vec<f64> = seconds.into_iter().filter(|seconds| seconds.is_finite()).collect();
        seconds.sort_by(f64::total_cmp);
        Self { n_recordings: seconds.len(), seconds, max_sample_rate: 0 }
    }

    /// Measures the recordings of a catalog, in parallel, by their headers where these declare the length; of more than 400,
    /// as many at equal distances. A file that cannot be read is not counted, and neither is the background, whose recordings
    /// may be far longer than those of the classes.
    #[must_use]
    pub fn of_catalog(catalog: &Catalog) -> Self {
        let background = catalog.labels.iter().position(|label| label == BACKGROUND_LABEL);
        let is_of_class = |track: &&Track| background.is_none_or(|label| !track.labels.contains(&label));
        let tracks: Vec<&Track> = catalog.tracks.iter().filter(is_of_class).collect();
        let n_recordings = tracks.len();
        let step = n_recordings.div_ceil(MAX_MEASURED).max(1);
        let chosen: Vec<_> = tracks.into_iter().step_by(step).collect();
        let measured = chosen.par_iter().with_max_len(1).filter_map(|track| {
            let (seconds, source) = measure_duration(&catalog.path_of(track), MAX_DECODED_S).ok()?;
            Some((seconds, source.sample_rate))
        });
        let (seconds, rates): (Vec<f64>, Vec<u32>) = measured.unzip();
        let max_sample_rate = rates.into_iter().max().unwrap_or(0);
        Self { n_recordings, max_sample_rate, ..Self::from_seconds(seconds) }
    }

    /// The duration that a share `q` of the recordings does not exceed, in seconds; `None` without recordings.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let last = self.seconds.len().checked_sub(1)?;
        self.seconds.get((q.clamp(0.0, 1.0) * last as f64).round() as usize).copied()
    }

    /// Number of measured recordings that are shorter than a duration in seconds.
    #[must_use]
    pub fn n_shorter_than(&self, seconds: f64) -> usize {
        self.seconds.partition_point(|&other| other < seconds)
    }

    /// Number of measured recordings.
    #[must_use]
    pub fn n_measured(&self) -> usize {
        self.seconds.len()
    }

    /// The distribution in a line: `0.15 to 1.14 s: a tenth up to 0.28 s, half up to 0.42 s, nine tenths up to 0.61 s`.
    #[must_use]
    pub fn in_words(&self) -> String {
        let at = |q: f64| seconds_in_words(self.quantile(q).unwrap_or(0.0));
        let (min, max) = (at(0.0), at(1.0));
        let sampled = match self.n_measured() {
            0 => return "no recording can be read".to_owned(),
            n if n < self.n_recordings => format!(" ({n} of {} measured)", self.n_recordings),
            _ => String::new(),
        };
        if min == max {
            return format!("all {min}{sampled}");
        }
        let [tenth, half, most] = [0.1, 0.5, 0.9].map(at);
        format!("{min} to {max}: a tenth up to {tenth}, half up to {half}, nine tenths up to {most}{sampled}")
    }
}

/// A duration with two decimals below ten seconds, in minutes or hours if it is long.
fn seconds_in_words(seconds: f64) -> String {
    match seconds {
        s if s < 9.995 => format!("{s:.2} s"),
        s if s < 119.5 => format!("{s:.0} s"),
        s if s < 7170.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_and_words_are_those_of_the_distribution() {
        let durations = Durations::from_seconds((1..=101).rev().map(|n| f64::from(n) / 10.0));
        assert_eq!(durations.quantile(0.5), Some(5.1));
        assert_eq!((durations.quantile(0.0), durations.quantile(1.0)), (Some(0.1), Some(10.1)));
        assert_eq!(durations.n_shorter_than(1.0), 9);
        let words = "0.10 s to 10 s: a tenth up to 1.10 s, half up to 5.10 s, nine tenths up to 9.10 s";
        assert_eq!(durations.in_words(), words);
        assert_eq!(Durations::from_seconds([3600.0, 3600.0]).in_words(), "all 60 min");
        let none = Durations::from_seconds([f64::NAN]);
        assert_eq!((none.quantile(0.5), none.in_words()), (None, "no recording can be read".to_owned()));
    }
}
