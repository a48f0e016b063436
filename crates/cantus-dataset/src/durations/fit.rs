//! The choice of segments and frames by the durations of recordings.
//!
//! Segments keep the length of a given specification if nine tenths of the recordings are at least that long. Otherwise a
//! segment is about as long as half of the recordings. Shorter recordings are repeated, longer ones have several segments.
//! Frames become shorter with the segments, so that a segment has enough of them for statistics over time.

use cantus_audio::feature::mel::MelFilterBank;
use cantus_audio::feature::{FeatureSpec, SegmentWindows, Segments};

use super::{Durations, seconds_in_words};

/// Segment lengths to choose from, in seconds: no digits that suggest more exactness than there is.
const LENGTHS_S: [f64; 15] = [0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0];
/// Minimum number of frames of a segment, as far as frames can be made shorter.
const MIN_FRAMES: usize = 40;
/// Shortest FFT, in samples, to which frames are shortened.
const MIN_N_FFT: usize = 512;
/// Numbers of mel bands to choose from.
const N_MELS: [usize; 5] = [96, 64, 48, 40, 32];

/// A specification whose segments and frames fit the durations of recordings, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentFit {
    /// The specification.
    pub spec: FeatureSpec,
    /// The reason in one line, without the distribution of the durations.
    pub reason: String,
}

impl SegmentFit {
    /// Fits a specification to durations; without any recording it is unchanged.
    #[must_use]
    pub fn new(base: &FeatureSpec, durations: &Durations) -> Self {
        let base_s = base.segment_samples() as f64 / f64::from(base.sample_rate.max(1));
        if durations.n_measured() == 0 {
            return Self { spec: base.clone(), reason: format!("segments of {}", seconds_in_words(base_s)) };
        }
        let quantile = |q: f64| durations.quantile(q).unwrap_or(f64::INFINITY);
        let text = seconds_in_words;
        // Encoders and decoders differ by some milliseconds.
        let least_s = 0.97 * base_s;
        let repeated = |length_s: f64| match durations.n_shorter_than(length_s) {
            0 => String::new(),
            n => format!("; {n} of {} are shorter and are repeated", durations.n_measured()),
        };
        if quantile(0.1) < least_s {
            let median = quantile(0.5);
            let length_s = LENGTHS_S.into_iter().find(|&length| length >= median);
            let length_s = length_s.unwrap_or(base_s).min(base_s);
            let patch_s = longest_patch_s(base);
            let (length_s, why) = match length_s < patch_s {
                true => (patch_s, "as long as a patch of the embedding model"),
                false => (length_s, "about as long as half of the recordings"),
            };
            let repeated = repeated(length_s);
            let reason = format!("segments of {}, {why}{repeated}", text(length_s));
            return Self { spec: Self::with_length(base, length_s), reason };
        }
        let windows = || with_windows(base, SegmentWindows::adjacent(base_s));
        match base.segments {
            Segments::Parts { track_duration_s, .. } if quantile(0.9) > 2.0 * track_duration_s => {
                let reason = format!(
                    "segments of {} from the whole of each recording, since most last longer than {}{}",
                    text(base_s),
                    text(track_duration_s),
                    repeated(least_s)
                );
                Self { spec: windows(), reason }
            }
            Segments::Parts { .. } if durations.n_shorter_than(least_s) > 0 => {
                let reason = format!("segments of {}{}", text(base_s), repeated(least_s));
                Self { spec: windows(), reason }
            }
            _ => Self { spec: base.clone(), reason: format!("segments of {}", text(base_s)) },
        }
    }

    /// A specification with windows of `length_s` seconds that overlap by half, and frames short enough for them. Scales of a
    /// summary that such a window is too short for are left out.
    #[must_use]
    pub fn with_length(base: &FeatureSpec, length_s: f64) -> FeatureSpec {
        let windows = SegmentWindows { hop_s: length_s / 2.0, ..SegmentWindows::adjacent(length_s) };
        let mut spec = with_windows(base, windows);
        while spec.segment_samples() / spec.hop_length.max(1) < MIN_FRAMES
            && spec.n_fft / 2 >= MIN_N_FFT
            && spec.hop_length >= 2
        {
            spec.n_fft /= 2;
            spec.hop_length /= 2;
            spec.win_length = spec.win_length.map(|length| (length / 2).max(1));
        }
        if spec.n_fft != base.n_fft {
            reduce_mel_bands(&mut spec);
        }
        keep_fitting_scales(&mut spec);
        // A kind whose parameters do not allow these frames keeps the longer ones.
        if spec.validate().is_ok() {
            return spec;
        }
        let mut spec = with_windows(base, windows);
        keep_fitting_scales(&mut spec);
        spec
    }
}

fn with_windows(base: &FeatureSpec, windows: SegmentWindows) -> FeatureSpec {
    FeatureSpec { segments: Segments::Windows(windows), ..base.clone() }
}

/// The longest patch of a specification's embedding models, in seconds; 0 without any.
fn longest_patch_s(spec: &FeatureSpec) -> f64 {
    spec.embeddings.iter().map(|embedding| embedding.description.patch_s()).fold(0.0, f64::max)
}

/// Leaves out the scales of a summary for which a segment has too few frames.
fn keep_fitting_scales(spec: &mut FeatureSpec) {
    let n_frames = spec.stft_config().n_frames(spec.segment_samples());
    if let Some(summary) = &mut spec.summary {
        summary.scales.retain(|&scale| 2 * scale < n_frames);
    }
}

/// Reduces the number of mel bands until each contains a bin of the FFT.
fn reduce_mel_bands(spec: &mut FeatureSpec) {
    let n_empty = |spec: &FeatureSpec| MelFilterBank::new(&spec.mel_config()).n_empty();
    for n_mels in N_MELS.into_iter().filter(|&n| n < spec.n_mels).collect::<Vec<_>>() {
        if n_empty(spec) == 0 {
            break;
        }
        spec.n_mels = n_mels;
    }
    spec.n_mfcc = spec.n_mfcc.min(spec.n_mels);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(seconds: &[f64]) -> SegmentFit {
        SegmentFit::new(&FeatureSpec::course(), &Durations::from_seconds(seconds.iter().copied()))
    }

    #[test]
    fn songs_and_clips_that_are_long_enough_keep_the_courses_segments() {
        for seconds in [[29.9, 30.0, 30.1], [15.0, 18.0, 20.0], [2.95, 30.0, 50.0]] {
            assert_eq!(fit(&seconds).spec, FeatureSpec::course());
        }
        // A single short one is repeated.
        let mut songs = vec![30.0; 30];
        songs.push(1.0);
        let SegmentFit { spec, reason } = fit(&songs);
        assert_eq!(spec.segments, Segments::Windows(SegmentWindows::adjacent(3.0)));
        assert!(reason.ends_with("1 of 31 are shorter and are repeated"), "{reason}");
        assert_eq!(fit(&[]).spec, FeatureSpec::course());
    }

    #[test]
    fn long_recordings_are_sampled_from_beginning_to_end() {
        let spec = fit(&[30.0, 200.0, 3600.0]).spec;
        assert_eq!(spec.segments, Segments::Windows(SegmentWindows::adjacent(3.0)));
        assert_eq!((spec.n_fft, spec.hop_length), (2048, 512));
    }

    #[test]
    fn segments_are_about_as_long_as_half_of_the_short_recordings() {
        for (seconds, length_s, n_fft) in [
            ([0.15, 0.42, 1.1], 0.5, 1024),
            ([0.05, 0.09, 0.2], 0.1, 512),
            ([0.2, 1.0, 8.0], 1.0, 2048),
            ([1.0, 5.0, 8.0], 3.0, 2048),
        ] {
            let SegmentFit { spec, reason } = fit(&seconds);
            let Segments::Windows(windows) = spec.segments else { panic!("no windows") };
            assert_eq!((windows.duration_s, windows.hop_s), (length_s, length_s / 2.0), "{seconds:?}");
            assert_eq!(spec.n_fft, n_fft, "{seconds:?}");
            assert_eq!(spec.n_fft / spec.hop_length, 4);
            spec.validate().unwrap();
            assert!(spec.warnings(spec.segment_samples()).is_empty(), "{:?}", spec.warnings(1 << 14));
            assert!(reason.contains("shorter and are repeated"), "{reason}");
        }
    }

    #[test]
    fn frames_stay_as_they_are_where_a_kind_does_not_allow_shorter_ones() {
        let base = FeatureSpec { n_mfcc: 128, ..FeatureSpec::course() };
        let spec = SegmentFit::with_length(&base, 0.2);
        assert_eq!((spec.n_mfcc, spec.n_fft), (spec.n_mels.min(128), 512));
    }
}
