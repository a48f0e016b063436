//! Spectrogram of the STFT, as magnitude, power, and in dB.
//!
//! # Reference
//! `np.abs(librosa.stft(…))`, its `power`-th power, and `librosa.amplitude_to_db` of it; librosa 0.11.

use crate::feature::frame_level::{Bins, Feature, Quantity};
use crate::feature::frame_params::FrameParams;
use crate::feature::front_end::{FrameInput, Intermediate};
use crate::feature::rows::Rows;
use crate::transform::decibel::{Decibel, amplitude_to_db};

/// `|STFT|`: `[n_frames, n_fft / 2 + 1]`.
#[derive(Debug, Clone)]
pub(crate) struct Magnitude;

impl Feature for Magnitude {
    type Config = ();
    const NAME: &'static str = "stft";
    const TITLE: &'static str = "Spectrogram";
    const UNIT: &'static str = "";
    const NEEDS: &'static [Intermediate] = &[Intermediate::Magnitude];
    const EQUALS: Option<Intermediate> = Some(Intermediate::Magnitude);

    fn n_bins(_: &(), params: &FrameParams) -> usize {
        params.n_fft_bins()
    }

    fn bins(_: &(), params: &FrameParams) -> Bins {
        Bins::Hertz(params.fft_hz())
    }

    fn quantity(_: &FrameParams) -> Quantity {
        Quantity::Strength(1.0)
    }

    fn plan(_: &(), _: &FrameParams) -> Self {
        Self
    }

    fn compute(&mut self, input: &FrameInput<'_>, mut rows: Rows<'_>) {
        rows.copy_from(input.magnitude);
    }
}

/// `|STFT|^power`: `[n_frames, n_fft / 2 + 1]`; with `power = 2` the power spectrogram.
#[derive(Debug, Clone)]
pub(crate) struct Spectrogram;

impl Feature for Spectrogram {
    type Config = ();
    const NAME: &'static str = "spectrogram";
    const TITLE: &'static str = "Power spectrogram";
    const UNIT: &'static str = "";
    const NEEDS: &'static [Intermediate] = &[Intermediate::Magnitude];

    fn n_bins(_: &(), params: &FrameParams) -> usize {
        params.n_fft_bins()
    }

    fn bins(_: &(), params: &FrameParams) -> Bins {
        Bins::Hertz(params.fft_hz())
    }

    fn quantity(params: &FrameParams) -> Quantity {
        Quantity::Strength(params.power)
    }

    fn plan(_: &(), _: &FrameParams) -> Self {
        Self
    }

    fn compute(&mut self, input: &FrameInput<'_>, mut rows: Rows<'_>) {
        let magnitude = input.magnitude.chunks_exact(input.params.n_fft_bins());
        for (row, magnitude) in rows.iter_mut().zip(magnitude) {
            let bins = row.iter_mut().zip(magnitude);
            match input.params.power {
                2.0 => bins.for_each(|(slot, x)| *slot = x * x),
                power => bins.for_each(|(slot, x)| *slot = x.powf(power)),
            }
        }
    }
}

/// The spectrogram in dB, at most `top_db` below the maximum of the segment: `[n_frames, n_fft / 2 + 1]`.
#[derive(Debug, Clone)]
pub(crate) struct SpectrogramDb {
    /// `[n_frames, n_fft / 2 + 1]`: working space.
    levels: Vec<f32>,
}

impl Feature for SpectrogramDb {
    type Config = ();
    const NAME: &'static str = "spectrogram_db";
    const TITLE: &'static str = "Spectrogram";
    const UNIT: &'static str = "dB";
    const NEEDS: &'static [Intermediate] = &[Intermediate::Magnitude];

    fn n_bins(_: &(), params: &FrameParams) -> usize {
        params.n_fft_bins()
    }

    fn bins(_: &(), params: &FrameParams) -> Bins {
        Bins::Hertz(params.fft_hz())
    }

    fn plan(_: &(), _: &FrameParams) -> Self {
        Self { levels: Vec::new() }
    }

    fn compute(&mut self, input: &FrameInput<'_>, mut rows: Rows<'_>) {
        self.levels.clear();
        self.levels.extend_from_slice(input.magnitude);
        amplitude_to_db(&mut self.levels, &Decibel { top_db: input.params.top_db, ..Decibel::AMPLITUDE });
        rows.copy_from(&self.levels);
    }
}
