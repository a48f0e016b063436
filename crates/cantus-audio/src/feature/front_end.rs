//! Front end shared by all features: STFT magnitudes, mel spectrogram, log-mel spectrogram and MFCCs of a segment.
//!
//! ```text
//! samples ─▶ magnitude
//!        └─▶ mel ─▶ log-mel ─▶ mfcc
//! ```
//!
//! Each is computed once per segment, and only if a feature needs it. Magnitudes and mel bands are computed frame by frame
//! in one pass over the STFT; log-mel needs all frames first, because `top_db` counts from the maximum of the segment.

use super::frame_params::FrameParams;
use super::mel::MelFilterBank;
use super::mfcc::Mfcc;
use super::spectrogram_input::SpectrogramInput;
use crate::Error;
use crate::transform::decibel::{Decibel, power_to_db};
use crate::transform::stft_f64::StftF64;
use crate::transform::{Complex32, Stft, stft};

/// An output of the front end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Intermediate {
    /// Magnitude of the STFT: `[n_frames, n_fft / 2 + 1]`.
    Magnitude,
    /// The same from a transform in double precision, for features to which nearly empty bins contribute.
    PreciseMagnitude,
    /// Mel spectrogram: `[n_frames, n_mels]`.
    Mel,
    /// Mel spectrogram in dB: `[n_frames, n_mels]`.
    LogMel,
    /// `[n_frames, n_mfcc]`
    Mfcc,
}

impl Intermediate {
    /// Number of columns.
    pub fn n_bins(self, params: &FrameParams) -> usize {
        match self {
            Self::Magnitude | Self::PreciseMagnitude => params.n_fft_bins(),
            Self::Mel | Self::LogMel => params.mel.n_mels,
            Self::Mfcc => params.n_mfcc,
        }
    }

    /// Whether it can be computed from a spectrogram.
    pub fn follows_from(self, spectrogram: SpectrogramInput<'_>) -> bool {
        match self {
            Self::Magnitude | Self::PreciseMagnitude => {
                matches!(spectrogram, SpectrogramInput::Magnitude(_))
            }
            Self::Mel => !matches!(spectrogram, SpectrogramInput::LogMel(_)),
            Self::LogMel | Self::Mfcc => true,
        }
    }

    /// The intermediates that this one is computed from.
    fn needs(self) -> &'static [Self] {
        match self {
            Self::Magnitude | Self::PreciseMagnitude | Self::Mel => &[],
            Self::LogMel => &[Self::Mel],
            Self::Mfcc => &[Self::LogMel],
        }
    }
}

/// The input of a feature: a segment and the front end's outputs for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct FrameInput<'a> {
    /// The segment, at `params.sample_rate`.
    pub samples: &'a [f32],
    /// Number of frames of every feature.
    pub n_frames: usize,
    /// The shared parameters.
    pub params: &'a FrameParams,
    /// [`Intermediate::Magnitude`]; each intermediate is empty if no feature needs it.
    pub magnitude: &'a [f32],
    /// [`Intermediate::PreciseMagnitude`]
    pub precise_magnitude: &'a [f32],
    /// [`Intermediate::Mel`]
    pub mel: &'a [f32],
    /// [`Intermediate::LogMel`]
    pub log_mel: &'a [f32],
    /// [`Intermediate::Mfcc`]
    pub mfcc: &'a [f32],
}

/// The planned front end with its buffers, which are reused from segment to segment.
#[derive(Debug, Clone)]
pub(super) struct FrontEnd {
    params: FrameParams,
    /// What is computed.
    required: Vec<Intermediate>,
    stft: Stft,
    /// In double precision; planned only if it is needed.
    stft_f64: Option<StftF64>,
    mel_filters: MelFilterBank,
    mfcc_plan: Mfcc,
    /// `[n_fft / 2 + 1]`, `|STFT|^power` of the current frame.
    spectrum: Vec<f32>,
    magnitude: Vec<f32>,
    precise_magnitude: Vec<f32>,
    mel: Vec<f32>,
    log_mel: Vec<f32>,
    mfcc: Vec<f32>,
}

impl FrontEnd {
    /// Plans the intermediates in `needs`, and those that they are computed from.
    ///
    /// # Errors
    /// Those of [`Stft::new`].
    pub fn new(needs: &[Intermediate], params: FrameParams) -> Result<Self, Error> {
        let stft = Stft::new(params.stft.clone())?;
        let required = required(needs);
        let has_precise = required.contains(&Intermediate::PreciseMagnitude) || params.measures_empty_bins();
        let stft_f64 = has_precise.then(|| StftF64::new(params.stft.clone())).transpose()?;
        let FrameParams { n_mfcc, dct_type, dct_norm, lifter, .. } = params;
        Ok(Self {
            required,
            mel_filters: MelFilterBank::new(&params.mel),
            mfcc_plan: Mfcc::new(params.mel.n_mels, n_mfcc, dct_type, dct_norm, lifter),
            spectrum: vec![0.0; stft.n_bins()],
            stft,
            stft_f64,
            magnitude: Vec::new(),
            precise_magnitude: Vec::new(),
            mel: Vec::new(),
            log_mel: Vec::new(),
            mfcc: Vec::new(),
            params,
        })
    }

    /// Computes the required intermediates of a segment.
    pub fn compute(&mut self, samples: &[f32]) {
        self.resize_buffers(self.params.n_frames(samples.len()));
        self.transform(samples);
        self.compute_levels();
        self.compute_mfcc();
    }

    /// Computes the required intermediates that follow from a spectrogram, and returns its number of frames.
    pub fn compute_from(&mut self, spectrogram: SpectrogramInput<'_>) -> usize {
        let n_frames = spectrogram.n_frames(&self.params);
        self.resize_buffers(n_frames);
        let fill = |buffer: &mut Vec<f32>, values: &[f32]| {
            let n = buffer.len();
            buffer.copy_from_slice(&values[..n]);
        };
        match spectrogram {
            SpectrogramInput::Magnitude(values) => {
                fill(&mut self.magnitude, values);
                fill(&mut self.precise_magnitude, values);
                self.compute_mel(values);
                self.compute_levels();
            }
            SpectrogramInput::Mel(values) => {
                fill(&mut self.mel, values);
                self.compute_levels();
            }
            SpectrogramInput::LogMel(values) => fill(&mut self.log_mel, values),
        }
        self.compute_mfcc();
        n_frames
    }

    /// The mel bands of magnitudes.
    fn compute_mel(&mut self, magnitude: &[f32]) {
        let power = self.params.power;
        let frames = magnitude.chunks_exact(self.spectrum.len());
        for (frame, mel) in frames.zip(self.mel.chunks_exact_mut(self.params.mel.n_mels)) {
            let raised = self.spectrum.iter_mut().zip(frame);
            raised.for_each(|(slot, x)| *slot = if power == 1.0 { *x } else { x.powf(power) });
            self.mel_filters.apply(&self.spectrum, mel);
        }
    }

    fn compute_levels(&mut self) {
        if self.requires(Intermediate::LogMel) {
            self.log_mel.copy_from_slice(&self.mel);
            power_to_db(&mut self.log_mel, &Decibel { top_db: self.params.top_db, ..Decibel::POWER });
        }
    }

    fn compute_mfcc(&mut self) {
        if self.requires(Intermediate::Mfcc) {
            let log_mel = self.log_mel.chunks_exact(self.params.mel.n_mels);
            let frames = log_mel.zip(self.mfcc.chunks_exact_mut(self.params.n_mfcc));
            frames.for_each(|(log_mel, mfcc)| self.mfcc_plan.apply(log_mel, mfcc));
        }
    }

    /// The input of features: `samples` and what [`Self::compute`] made of them.
    pub fn input<'a>(&'a self, samples: &'a [f32]) -> FrameInput<'a> {
        self.input_of_frames(samples, self.params.n_frames(samples.len()))
    }

    /// The same for `n_frames` frames, whose samples may be absent.
    pub fn input_of_frames<'a>(&'a self, samples: &'a [f32], n_frames: usize) -> FrameInput<'a> {
        let Self { params, magnitude, precise_magnitude, mel, log_mel, mfcc, .. } = self;
        FrameInput { samples, n_frames, params, magnitude, precise_magnitude, mel, log_mel, mfcc }
    }

    /// The buffer of an intermediate.
    pub fn buffer_mut(&mut self, intermediate: Intermediate) -> &mut Vec<f32> {
        match intermediate {
            Intermediate::Magnitude => &mut self.magnitude,
            Intermediate::PreciseMagnitude => &mut self.precise_magnitude,
            Intermediate::Mel => &mut self.mel,
            Intermediate::LogMel => &mut self.log_mel,
            Intermediate::Mfcc => &mut self.mfcc,
        }
    }

    fn requires(&self, intermediate: Intermediate) -> bool {
        self.required.contains(&intermediate)
    }

    /// Sizes every buffer for `n_frames`; allocates only for segments longer than all before.
    fn resize_buffers(&mut self, n_frames: usize) {
        let Self { params, required, magnitude, precise_magnitude, mel, log_mel, mfcc, .. } = self;
        let resize = |buffer: &mut Vec<f32>, intermediate: Intermediate| {
            let n_bins = if required.contains(&intermediate) { intermediate.n_bins(params) } else { 0 };
            buffer.resize(n_frames * n_bins, 0.0);
        };
        resize(magnitude, Intermediate::Magnitude);
        resize(precise_magnitude, Intermediate::PreciseMagnitude);
        resize(mel, Intermediate::Mel);
        resize(log_mel, Intermediate::LogMel);
        resize(mfcc, Intermediate::Mfcc);
    }

    /// Computes magnitudes and mel bands, in one pass over each STFT.
    fn transform(&mut self, samples: &[f32]) {
        let [has_magnitude, has_precise, has_mel] =
            [Intermediate::Magnitude, Intermediate::PreciseMagnitude, Intermediate::Mel]
                .map(|x| self.requires(x));
        let all_in_f64 = self.params.measures_empty_bins();
        let Self {
            params,
            stft,
            stft_f64,
            mel_filters,
            spectrum: strengths,
            magnitude,
            precise_magnitude,
            mel,
            ..
        } = self;
        let (n_bins, n_mels) = (stft.n_bins(), params.mel.n_mels);
        let mut write = |t: usize, spectrum: &[Complex32]| {
            if has_magnitude {
                stft::magnitude(spectrum, &mut magnitude[t * n_bins..(t + 1) * n_bins]);
            }
            if has_mel {
                raise(spectrum, params.power, strengths);
                mel_filters.apply(strengths, &mut mel[t * n_mels..(t + 1) * n_mels]);
            }
        };
        let mut write_precise = |t: usize, spectrum: &[Complex32]| {
            if has_precise {
                stft::magnitude(spectrum, &mut precise_magnitude[t * n_bins..(t + 1) * n_bins]);
            }
        };
        if !all_in_f64 && (has_magnitude || has_mel) {
            stft.for_each_frame(samples, &mut write);
        }
        let Some(stft_f64) = stft_f64 else { return };
        if has_precise || (all_in_f64 && (has_magnitude || has_mel)) {
            stft_f64.for_each_frame(samples, |t, spectrum| {
                write_precise(t, spectrum);
                if all_in_f64 {
                    write(t, spectrum);
                }
            });
        }
    }
}

/// The intermediates in `needs`, each once, and all that they are computed from.
pub(super) fn required(needs: &[Intermediate]) -> Vec<Intermediate> {
    let mut required: Vec<Intermediate> = Vec::new();
    let mut pending = needs.to_vec();
    while let Some(intermediate) = pending.pop() {
        if !required.contains(&intermediate) {
            required.push(intermediate);
            pending.extend_from_slice(intermediate.needs());
        }
    }
    required
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

    #[test]
    fn only_required_intermediates_are_computed() {
        let mut front_end = FrontEnd::new(&[Intermediate::Mel], FrameParams::default()).unwrap();
        front_end.compute(&[0.5; 4096]);
        let input = front_end.input(&[0.5; 4096]);
        assert_eq!((input.n_frames, input.mel.len()), (9, 9 * 128));
        assert_eq!((input.magnitude.len(), input.log_mel.len(), input.mfcc.len()), (0, 0, 0));
    }

    #[test]
    fn precise_magnitudes_have_no_rounding_errors_and_leave_the_others_as_they_are() {
        let samples: Vec<f32> = [0.0, 1.0, 0.0, -1.0].repeat(2048);
        let needs = [Intermediate::Magnitude, Intermediate::PreciseMagnitude];
        let mut both = FrontEnd::new(&needs, FrameParams::default()).unwrap();
        both.compute(&samples);
        let mut alone = FrontEnd::new(&needs[..1], FrameParams::default()).unwrap();
        alone.compute(&samples);
        assert_eq!(both.magnitude, alone.magnitude);
        // A frame that is not padded; the sine is at bin 512.
        let empty = 8 * 1025 + 600..8 * 1025 + 1000;
        assert!(both.precise_magnitude[empty.clone()].iter().all(|&x| x < 1e-10));
        // Without a limit of decibels, everything is precise.
        let unlimited = FrameParams { top_db: None, ..FrameParams::default() };
        let mut unlimited = FrontEnd::new(&needs, unlimited).unwrap();
        unlimited.compute(&samples);
        assert_eq!(unlimited.magnitude, both.precise_magnitude);
        assert_eq!(unlimited.magnitude, unlimited.precise_magnitude);
    }

    #[test]
    fn indirect_needs_are_required_too() {
        let expected = [Intermediate::Mfcc, Intermediate::LogMel, Intermediate::Mel];
        assert_eq!(required(&[Intermediate::Mfcc]), expected);
    }

    #[test]
    fn buffers_are_reused() {
        let mut front_end = FrontEnd::new(&[Intermediate::LogMel], FrameParams::default()).unwrap();
        front_end.compute(&[0.5; 4096]);
        let before = [front_end.mel.as_ptr(), front_end.log_mel.as_ptr()];
        front_end.compute(&[0.5; 2000]);
        front_end.compute(&[0.5; 4096]);
        assert_eq!([front_end.mel.as_ptr(), front_end.log_mel.as_ptr()], before);
    }
}
