//! A feature specification, planned: sound in, features out.
//!
//! All kinds of a specification share one STFT. Two passes over the segment: the first goes from samples to mel
//! bands, frame by frame; the second needs all frames, because `top_db` counts from the loudest band of the segment.
//!
//! The course's MFCCs of a 30 s track, in ten segments, take 4.3 ms on one thread of a Zen 4, of which the FFT is 2.6
//! (`cargo run --release -p cantus-audio --example mfcc_speed`).
//! Loops over plain slices are enough: the whole of it compiled for AVX2 gains a tenth, which is not worth a second
//! code path chosen at run time.

use super::mel::MelFilterBank;
use super::mfcc::Mfcc;
use super::{FeatureKind, FeatureSpec, Features};
use crate::Error;
use crate::signal::decibel::{Decibel, power_to_db};
use crate::signal::{Complex32, Stft, stft};

/// Computes the features that a [`FeatureSpec`] describes; made by [`FeatureSpec::extractor`].
///
/// Planned once for any number of segments; working space is kept from one segment to the next. One extractor serves
/// one thread: clone it for others.
#[derive(Debug, Clone)]
pub struct FeatureExtractor {
    spec: FeatureSpec,
    stft: Stft,
    mel_filters: MelFilterBank,
    mfcc: Mfcc,
    /// `[n_fft / 2 + 1]`, of the frame at hand.
    magnitude: Vec<f32>,
    /// `[n_frames, n_mels]`
    mel: Vec<f32>,
    /// `[n_frames, n_mels]`, dB
    log_mel: Vec<f32>,
}

impl FeatureExtractor {
    pub(super) fn new(spec: FeatureSpec) -> Result<Self, Error> {
        spec.validate()?;
        let stft = Stft::new(spec.stft_config())?;
        Ok(Self {
            mel_filters: MelFilterBank::new(&spec.mel_config()),
            mfcc: Mfcc::new(spec.n_mels, spec.n_mfcc, spec.dct_type, spec.lifter),
            magnitude: vec![0.0; stft.n_bins()],
            mel: Vec::new(),
            log_mel: Vec::new(),
            stft,
            spec,
        })
    }

    /// What it was planned from.
    pub fn spec(&self) -> &FeatureSpec {
        &self.spec
    }

    /// Features of a segment, however long it is.
    ///
    /// `top_db` counts from the loudest value of this segment. Silence gives finite numbers.
    ///
    /// # Shapes
    /// - `samples`: at the specification's sample rate
    /// - returns: `[spec.n_frames(samples.len()), spec.n_bins()]`; no frames of no samples
    ///   (librosa: one, silent)
    pub fn extract(&mut self, samples: &[f32]) -> Features {
        let mut values = Vec::new();
        self.extract_into(samples, &mut values);
        Features { values, n_frames: self.spec.n_frames(samples.len()), n_bins: self.spec.n_bins() }
    }

    /// [`Self::extract`] into a buffer that is used again: its contents are replaced.
    pub fn extract_into(&mut self, samples: &[f32], values: &mut Vec<f32>) {
        let n_bins = self.spec.n_bins();
        values.clear();
        values.resize(self.spec.n_frames(samples.len()) * n_bins, 0.0);
        self.transform(samples, values);
        self.log_mel();
        for (kind, columns) in self.spec.columns() {
            let rows = values.chunks_exact_mut(n_bins).map(|row| &mut row[columns.clone()]);
            match kind {
                FeatureKind::Stft => {} // written by the first pass
                FeatureKind::Mel => copy_rows(&self.mel, rows),
                FeatureKind::LogMel => copy_rows(&self.log_mel, rows),
                FeatureKind::Mfcc => {
                    let frames = self.log_mel.chunks_exact(self.spec.n_mels);
                    frames.zip(rows).for_each(|(log_mel, row)| self.mfcc.apply(log_mel, row));
                }
            }
        }
    }

    /// First pass: samples to mel bands, and the magnitudes themselves where they are wanted.
    fn transform(&mut self, samples: &[f32], values: &mut [f32]) {
        let Self { spec, stft, mel_filters, magnitude, mel, .. } = self;
        let n_bins = spec.n_bins();
        let magnitude_columns = spec.columns().find(|(kind, _)| *kind == FeatureKind::Stft).map(|(_, c)| c);
        let wants_mel = spec.kinds.iter().any(|kind| *kind != FeatureKind::Stft);
        mel.clear();
        mel.resize(if wants_mel { spec.n_frames(samples.len()) * spec.n_mels } else { 0 }, 0.0);
        stft.for_each_frame(samples, |t, spectrum| {
            if let Some(columns) = &magnitude_columns {
                stft::magnitude(spectrum, &mut values[t * n_bins..(t + 1) * n_bins][columns.clone()]);
            }
            if wants_mel {
                raise(spectrum, spec.power, magnitude);
                mel_filters.apply(magnitude, &mut mel[t * spec.n_mels..(t + 1) * spec.n_mels]);
            }
        });
    }

    /// Second pass: mel bands to dB, where a kind wants it.
    fn log_mel(&mut self) {
        self.log_mel.clear();
        if self.spec.kinds.iter().any(|kind| matches!(kind, FeatureKind::LogMel | FeatureKind::Mfcc)) {
            self.log_mel.extend_from_slice(&self.mel);
            power_to_db(&mut self.log_mel, &Decibel { top_db: self.spec.top_db, ..Decibel::POWER });
        }
    }
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

fn copy_rows<'a>(source: &[f32], rows: impl Iterator<Item = &'a mut [f32]>) {
    let mut rest = source;
    for row in rows {
        let (head, tail) = rest.split_at(row.len());
        row.copy_from_slice(head);
        rest = tail;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_close::assert_close;

    fn chirp(n_samples: usize) -> Vec<f32> {
        (0..n_samples).map(|n| (n as f32 * n as f32 * 2e-5).sin() * 0.5).collect()
    }

    const ALL: [FeatureKind; 4] =
        [FeatureKind::LogMel, FeatureKind::Stft, FeatureKind::Mfcc, FeatureKind::Mel];

    fn spec_of(kinds: &[FeatureKind]) -> FeatureSpec {
        FeatureSpec {
            kinds: kinds.to_vec(),
            n_fft: 512,
            hop_length: 128,
            n_mels: 40,
            ..FeatureSpec::default()
        }
    }

    #[test]
    fn kinds_side_by_side_are_each_kind_alone() {
        let samples = chirp(3000);
        let spec = spec_of(&ALL);
        let together = spec.extractor().unwrap().extract(&samples);
        assert_eq!(together.values.len(), together.n_frames * together.n_bins);
        for (kind, columns) in spec.columns() {
            let alone = spec_of(&[kind]).extractor().unwrap().extract(&samples);
            let rows = together.values.chunks_exact(together.n_bins);
            let found: Vec<f32> = rows.flat_map(|row| &row[columns.clone()]).copied().collect();
            assert_eq!(found, alone.values, "{kind:?}");
        }
    }

    #[test]
    fn the_same_sound_gives_the_same_bits_whatever_came_before() {
        let mut used = FeatureSpec::course().extractor().unwrap();
        let mut values = used.extract(&chirp(50_000)).values;
        used.extract_into(&chirp(5000), &mut values);
        let mut fresh = FeatureSpec::course().extractor().unwrap();
        assert_eq!(values, fresh.extract(&chirp(5000)).values);
        assert_eq!(values, used.clone().extract(&chirp(5000)).values);
    }

    #[test]
    fn a_buffer_that_is_large_enough_is_not_allocated_anew() {
        let mut extractor = spec_of(&ALL).extractor().unwrap();
        let samples = chirp(3000);
        let mut values = Vec::new();
        extractor.extract_into(&samples, &mut values);
        let buffers = |e: &FeatureExtractor, v: &Vec<f32>| [v.as_ptr(), e.mel.as_ptr(), e.log_mel.as_ptr()];
        let before = buffers(&extractor, &values);
        extractor.extract_into(&samples[..2000], &mut values);
        extractor.extract_into(&samples, &mut values);
        assert_eq!(buffers(&extractor, &values), before);
    }

    #[test]
    fn silence_is_finite() {
        let mfcc = FeatureSpec::course().extractor().unwrap().extract(&[0.0; 66_150]);
        let rows: Vec<&[f32]> = mfcc.values.chunks_exact(13).collect();
        // librosa.feature.mfcc(y=np.zeros(66150), n_mfcc=13)[:, 0]: the others are 0
        assert_close(&rows[0][..1], &[-1_131.370_85], 1e-2);
        assert!(rows.iter().all(|row| row[1..].iter().all(|x| x.abs() < 1e-3)));
    }

    #[test]
    fn no_length_of_sound_is_refused() {
        for center in [true, false] {
            let mut extractor = FeatureSpec { center, ..spec_of(&ALL) }.extractor().unwrap();
            for n_samples in [0, 1, 2, 127, 128, 511, 512, 513] {
                let features = extractor.extract(&chirp(n_samples));
                assert_eq!(features.n_frames, extractor.spec().n_frames(n_samples));
                assert_eq!(features.values.len(), features.n_frames * features.n_bins);
                assert!(features.values.iter().all(|x| x.is_finite()));
            }
        }
    }

    #[test]
    fn samples_that_are_no_sound_still_have_finite_mfccs() {
        let mut extractor = FeatureSpec::course().extractor().unwrap();
        for sample in [f32::NAN, f32::INFINITY, f32::MAX, 1e20] {
            assert!(extractor.extract(&[sample; 5000]).values.iter().all(|x| x.is_finite()), "{sample}");
        }
    }
}
