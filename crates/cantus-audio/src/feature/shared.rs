//! What several kinds of feature are made of: computed once for a segment, and only where a kind asks for it.
//!
//! ```text
//! samples ─▶ magnitude
//!        └─▶ mel ─▶ log-mel ─▶ mfcc
//! ```
//!
//! The first pass goes from samples to mel bands, frame by frame, while the spectrum is at hand; what follows needs all
//! frames, because `top_db` counts from the loudest band of the segment.

use super::FeatureSpec;
use super::mel::MelFilterBank;
use super::mfcc::Mfcc;
use crate::Error;
use crate::transform::decibel::{Decibel, power_to_db};
use crate::transform::{Complex32, Stft, fourier, stft};

/// Something that kinds of feature are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Intermediate {
    /// `[n_frames, n_fft / 2 + 1]`, magnitude of the STFT.
    Magnitude,
    /// `[n_frames, n_mels]`
    Mel,
    /// `[n_frames, n_mels]`, dB
    LogMel,
    /// `[n_frames, n_mfcc]`
    Mfcc,
}

impl Intermediate {
    /// Number of columns.
    pub fn n_bins(self, spec: &FeatureSpec) -> usize {
        match self {
            Self::Magnitude => fourier::n_bins(spec.n_fft),
            Self::Mel | Self::LogMel => spec.n_mels,
            Self::Mfcc => spec.n_mfcc,
        }
    }

    /// What it is made of itself.
    fn needs(self) -> &'static [Self] {
        match self {
            Self::Magnitude | Self::Mel => &[],
            Self::LogMel => &[Self::Mel],
            Self::Mfcc => &[Self::LogMel],
        }
    }
}

/// A segment and what was made of it: what a kind of feature is computed from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sound<'a> {
    /// The segment, at the specification's sample rate.
    pub samples: &'a [f32],
    /// Number of frames of every kind.
    pub n_frames: usize,
    /// How sound becomes numbers.
    pub spec: &'a FeatureSpec,
    /// The intermediates that kinds have asked for; the others are empty.
    pub shared: &'a Shared,
}

/// The intermediates, planned, with their buffers: kept from one segment to the next.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    wanted: Vec<Intermediate>,
    stft: Stft,
    mel_filters: MelFilterBank,
    mfcc_plan: Mfcc,
    /// `[n_fft / 2 + 1]`, of the frame at hand: working space.
    spectrum: Vec<f32>,
    /// [`Intermediate::Magnitude`]
    pub magnitude: Vec<f32>,
    /// [`Intermediate::Mel`]
    pub mel: Vec<f32>,
    /// [`Intermediate::LogMel`]
    pub log_mel: Vec<f32>,
    /// [`Intermediate::Mfcc`]
    pub mfcc: Vec<f32>,
}

impl Shared {
    /// Plans what the kinds of a valid specification need.
    pub fn new(spec: &FeatureSpec) -> Result<Self, Error> {
        let stft = Stft::new(spec.stft_config())?;
        Ok(Self {
            wanted: wanted(spec),
            mel_filters: MelFilterBank::new(&spec.mel_config()),
            mfcc_plan: Mfcc::new(spec.n_mels, spec.n_mfcc, spec.dct_type, spec.dct_norm, spec.lifter),
            spectrum: vec![0.0; stft.n_bins()],
            stft,
            magnitude: Vec::new(),
            mel: Vec::new(),
            log_mel: Vec::new(),
            mfcc: Vec::new(),
        })
    }

    /// Computes what is wanted of a segment of `n_frames`.
    pub fn compute(&mut self, samples: &[f32], spec: &FeatureSpec) {
        let n_frames = spec.n_frames(samples.len());
        self.make_room(n_frames, spec);
        if self.wants(Intermediate::Magnitude) || self.wants(Intermediate::Mel) {
            self.transform(samples, spec);
        }
        if self.wants(Intermediate::LogMel) {
            self.log_mel.copy_from_slice(&self.mel);
            power_to_db(&mut self.log_mel, &Decibel { top_db: spec.top_db, ..Decibel::POWER });
        }
        if self.wants(Intermediate::Mfcc) {
            let frames = self.log_mel.chunks_exact(spec.n_mels).zip(self.mfcc.chunks_exact_mut(spec.n_mfcc));
            frames.for_each(|(log_mel, mfcc)| self.mfcc_plan.apply(log_mel, mfcc));
        }
    }

    /// The buffer of an intermediate.
    pub fn buffer_mut(&mut self, intermediate: Intermediate) -> &mut Vec<f32> {
        match intermediate {
            Intermediate::Magnitude => &mut self.magnitude,
            Intermediate::Mel => &mut self.mel,
            Intermediate::LogMel => &mut self.log_mel,
            Intermediate::Mfcc => &mut self.mfcc,
        }
    }

    fn wants(&self, intermediate: Intermediate) -> bool {
        self.wanted.contains(&intermediate)
    }

    /// Every buffer as long as this segment needs it; nothing is allocated once they were long enough.
    fn make_room(&mut self, n_frames: usize, spec: &FeatureSpec) {
        let Self { wanted, magnitude, mel, log_mel, mfcc, .. } = self;
        let room = |buffer: &mut Vec<f32>, intermediate: Intermediate| {
            let n_bins = if wanted.contains(&intermediate) { intermediate.n_bins(spec) } else { 0 };
            buffer.resize(n_frames * n_bins, 0.0);
        };
        room(magnitude, Intermediate::Magnitude);
        room(mel, Intermediate::Mel);
        room(log_mel, Intermediate::LogMel);
        room(mfcc, Intermediate::Mfcc);
    }

    /// First pass: samples to magnitudes and mel bands.
    fn transform(&mut self, samples: &[f32], spec: &FeatureSpec) {
        let (wants_magnitude, wants_mel) =
            (self.wants(Intermediate::Magnitude), self.wants(Intermediate::Mel));
        let Self { stft, mel_filters, spectrum: strengths, magnitude, mel, .. } = self;
        let n_bins = stft.n_bins();
        stft.for_each_frame(samples, |t, spectrum| {
            if wants_magnitude {
                stft::magnitude(spectrum, &mut magnitude[t * n_bins..(t + 1) * n_bins]);
            }
            if wants_mel {
                raise(spectrum, spec.power, strengths);
                mel_filters.apply(strengths, &mut mel[t * spec.n_mels..(t + 1) * spec.n_mels]);
            }
        });
    }
}

/// What the kinds of a specification need, and what that needs in turn.
pub(super) fn wanted(spec: &FeatureSpec) -> Vec<Intermediate> {
    let mut wanted: Vec<Intermediate> = Vec::new();
    let mut open: Vec<Intermediate> = spec.kinds.iter().flat_map(|kind| kind.needs()).copied().collect();
    while let Some(intermediate) = open.pop() {
        if !wanted.contains(&intermediate) {
            wanted.push(intermediate);
            open.extend_from_slice(intermediate.needs());
        }
    }
    wanted
}

/// Writes `|spectrum|^power`.
fn raise(spectrum: &[Complex32], power: f32, out: &mut [f32]) {
    if power == 2.0 {
        return stft::power(spectrum, out);
    }
    stft::magnitude(spectrum, out);
    if power != 1.0 {
        out.iter_mut().for_each(|x| *x = x.powf(power));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feature::FeatureKind;

    #[test]
    fn nothing_is_computed_that_no_kind_asks_for() {
        let spec = FeatureSpec { kinds: vec![FeatureKind::Mel], ..FeatureSpec::default() };
        let mut shared = Shared::new(&spec).unwrap();
        shared.compute(&[0.5; 4096], &spec);
        assert_eq!(
            (shared.mel.len(), shared.magnitude.len(), shared.log_mel.len(), shared.mfcc.len()),
            (9 * 128, 0, 0, 0)
        );
    }

    #[test]
    fn what_is_needed_in_turn_is_computed_too() {
        let spec = FeatureSpec::default();
        assert_eq!(wanted(&spec), [Intermediate::Mfcc, Intermediate::LogMel, Intermediate::Mel]);
    }
}
