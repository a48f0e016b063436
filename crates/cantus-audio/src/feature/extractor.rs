//! A feature specification, planned: sound in, features out.
//!
//! All kinds of a specification share one STFT. Two passes over the segment: the first goes from samples to mel
//! bands, frame by frame; the second needs all frames, because `top_db` counts from the loudest band of the segment.

use std::ops::Range;

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

impl FeatureSpec {
    /// Each kind with the columns in which it stands.
    pub fn columns(&self) -> impl Iterator<Item = (FeatureKind, Range<usize>)> + '_ {
        self.kinds.iter().scan(0, |next, &kind| {
            let start = *next;
            *next += kind.n_bins(self);
            Some((kind, start..*next))
        })
    }
}
