//! The input of an embedding model: the samples of a segment, resampled and scaled, or their mel spectrogram, compressed.

use super::half::round_to_half;
use super::{Compression, EmbeddingDescription, MelInput};
use crate::Error;
use crate::feature::dct::{DctNorm, DctType};
use crate::feature::frame_params::FrameParams;
use crate::feature::front_end::{FrontEnd, Intermediate};
use crate::resample::Resampler;
use crate::transform::decibel::{Decibel, power_to_db};

/// Computes the input of an embedding model from segments; its buffers are reused.
#[derive(Debug, Clone)]
pub(super) struct InputPlan {
    /// `None` if segments have the model's sample rate.
    resampler: Option<Resampler>,
    gain: f32,
    preemphasis: f32,
    /// Number of samples of a patch: shorter segments are filled up with zeros.
    patch_samples: usize,
    mel: Option<MelPlan>,
    samples: Vec<f32>,
}

/// A planned mel spectrogram.
#[derive(Debug, Clone)]
struct MelPlan {
    front_end: FrontEnd,
    input: MelInput,
}

impl InputPlan {
    /// Plans the input of a valid description, for segments at `sample_rate`.
    ///
    /// # Errors
    /// [`Error::InvalidSpec`] if the spectrogram cannot be planned.
    pub(super) fn new(description: &EmbeddingDescription, sample_rate: u32) -> Result<Self, Error> {
        let input = &description.input;
        let mel = input.mel.as_ref().map(|mel| MelPlan::new(mel, input.sample_rate)).transpose()?;
        Ok(Self {
            resampler: Resampler::if_needed(sample_rate, input.sample_rate),
            gain: input.gain,
            preemphasis: input.preemphasis,
            patch_samples: description.patch_samples(),
            mel,
            samples: Vec::new(),
        })
    }

    /// The input of a segment.
    ///
    /// # Shapes
    /// - `segment`: `[n]`, at the rate that was planned for
    /// - returns: `[n_positions, n_bands]`: frames of bands, or samples; at least a patch
    pub(super) fn compute(&mut self, segment: &[f32]) -> &[f32] {
        let Self { resampler, gain, preemphasis, patch_samples, mel, samples } = self;
        samples.clear();
        match resampler {
            Some(resampler) => samples.extend(resampler.process(segment)),
            None => samples.extend_from_slice(segment),
        }
        if samples.len() < *patch_samples {
            samples.resize(*patch_samples, 0.0);
        }
        if *gain != 1.0 {
            samples.iter_mut().for_each(|x| *x *= *gain);
        }
        if *preemphasis != 0.0 {
            for n in (1..samples.len()).rev() {
                samples[n] -= *preemphasis * samples[n - 1];
            }
        }
        match mel {
            Some(mel) => mel.compute(samples),
            None => samples,
        }
    }
}

impl MelPlan {
    fn new(input: &MelInput, sample_rate: u32) -> Result<Self, Error> {
        let params = FrameParams {
            sample_rate,
            stft: input.stft_config(),
            power: input.power,
            mel: input.mel_config(sample_rate),
            // No limit: the transform is in double precision, as librosa's is.
            top_db: None,
            n_mfcc: 1,
            dct_type: DctType::II,
            dct_norm: DctNorm::Ortho,
            lifter: 0.0,
            segment_samples: 0,
        };
        Ok(Self { front_end: FrontEnd::new(&[Intermediate::Mel], params)?, input: input.clone() })
    }

    /// The compressed mel spectrogram of samples: `[n_frames, n_mels]`.
    fn compute(&mut self, samples: &[f32]) -> &[f32] {
        self.front_end.compute(samples);
        let mel = self.front_end.buffer_mut(Intermediate::Mel);
        let MelInput { half_precision, compression, mean, deviation, .. } = self.input;
        if half_precision {
            mel.iter_mut().for_each(|x| *x = round_to_half(*x));
        }
        compress(mel, compression);
        if (mean, deviation) != (0.0, 1.0) {
            mel.iter_mut().for_each(|x| *x = (*x - mean) / deviation);
        }
        mel
    }
}

/// Replaces mel values by their compressed ones. Logarithms are computed in double precision.
fn compress(mel: &mut [f32], compression: Compression) {
    let logarithm = |x: f32, factor: f32, offset: f32, log: fn(f64) -> f64| {
        log(f64::from(factor) * f64::from(x) + f64::from(offset)) as f32
    };
    match compression {
        Compression::None => {}
        Compression::Log10 { factor, offset } => {
            mel.iter_mut().for_each(|x| *x = logarithm(*x, factor, offset, f64::log10));
        }
        Compression::Ln { factor, offset } => {
            mel.iter_mut().for_each(|x| *x = logarithm(*x, factor, offset, f64::ln));
        }
        Compression::Db { amin, top_db } => power_to_db(mel, &Decibel { amin, top_db, ..Decibel::POWER }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{MEL_MODEL, WAVEFORM_MODEL, description};
    use super::*;
    use crate::assert_close::assert_close;

    fn tone(n: usize) -> Vec<f32> {
        (0..n).map(|n| (2.0 * std::f32::consts::PI * 440.0 * n as f32 / 16_000.0).sin()).collect()
    }

    /// The front end of MusiCNN with 8 bands:
    ///
    /// ```python
    /// y = np.sin(np.float32(2 * np.pi * 440) * np.arange(8000, dtype=np.float32) / np.float32(16000)).astype(np.float32)
    /// m = librosa.feature.melspectrogram(y=y, sr=16000, n_fft=512, hop_length=256, n_mels=8).T
    /// x = np.log10(10000 * m.astype(np.float16).astype(np.float32) + 1)
    /// x.shape, x[5], x[0, :3]
    /// ```
    #[test]
    fn a_mel_spectrogram_equals_that_of_librosa() {
        let mut plan = InputPlan::new(&description(MEL_MODEL), 16_000).unwrap();
        let input = plan.compute(&tone(8000));
        assert_eq!(input.len(), 32 * 8);
        assert_close(&input[5 * 8..6 * 8], &MEL_FRAME_5, 1e-3);
        assert_close(&input[..3], &MEL_FRAME_0, 1e-3);
    }

    const MEL_FRAME_5: [f32; 8] = [5.702_216, 5.360_548, 0.001_808_248_1, 0.0, 0.0, 0.0, 0.0, 0.0];
    const MEL_FRAME_0: [f32; 3] = [5.395_492, 5.039_852, 2.905_706];

    #[test]
    fn segments_are_resampled_to_the_rate_of_the_model() {
        let described = description(WAVEFORM_MODEL);
        let mut plan = InputPlan::new(&described, 16_000).unwrap();
        let expected = crate::resample::resample(&tone(10_000), 16_000, 8000);
        assert_eq!(plan.compute(&tone(10_000)), expected);
    }

    #[test]
    fn samples_are_scaled_and_a_short_segment_is_filled_up() {
        let mut described = description(WAVEFORM_MODEL);
        described.input.gain = 2.0;
        described.input.preemphasis = 0.5;
        let mut plan = InputPlan::new(&described, 8000).unwrap();
        let input = plan.compute(&[1.0, 0.5, 0.25]);
        assert_eq!((input.len(), &input[..5]), (4000, &[2.0, 0.0, 0.0, -0.25, 0.0][..]));
    }

    #[test]
    fn values_are_compressed_as_described() {
        let compressed = |compression| {
            let mut values = [0.0, 1.0, 100.0];
            compress(&mut values, compression);
            values
        };
        assert_eq!(compressed(Compression::None), [0.0, 1.0, 100.0]);
        assert_close(
            &compressed(Compression::Log10 { factor: 10_000.0, offset: 1.0 }),
            &[0.0, 4.000_043_4, 6.000_000_4],
            1e-6,
        );
        // np.log(x + 0.01): VGGish
        assert_close(
            &compressed(Compression::Ln { factor: 1.0, offset: 0.01 }),
            &[-4.605_170_2, 0.009_950_33, 4.605_270_2],
            1e-6,
        );
        assert_close(
            &compressed(Compression::Db { amin: 1e-10, top_db: Some(80.0) }),
            &[-60.0, 0.0, 20.0],
            1e-4,
        );
    }
}
