//! Feature extraction planned from a specification: segments of samples in, feature matrices out.
//!
//! The front end (STFT, mel bands, decibels, MFCCs) is computed once per segment; then each feature writes its columns.
//!
//! The course's MFCCs of a 30 s track, in ten segments, take 3.1 ms on one thread of a Zen 4, of which the STFT is more
//! than 2 (`cargo run --release -p cantus-audio --example mfcc_speed`). Loops over plain slices are enough, where
//! `#[multiversion]` compiles them for several instruction sets; `bench/audio` measures each feature beside librosa's.

mod of_spectrogram;

use std::ops::Range;

use super::embedding::EmbeddingPlan;
use super::front_end::{FrontEnd, Intermediate};
use super::registry::{FeatureKind, FramePlan};
use super::rows::Rows;
use super::{FeatureSpec, Features};
use crate::Error;

/// Computes the features of a [`FeatureSpec`]; made by [`FeatureSpec::extractor`].
///
/// Planned once for any number of segments; working space is reused. One extractor serves one thread: clone it for
/// others.
#[derive(Debug, Clone)]
pub struct FeatureExtractor {
    spec: FeatureSpec,
    front_end: FrontEnd,
    /// One per frame-level kind of the specification, with its columns of a frame.
    plans: Vec<(FramePlan, Range<usize>)>,
    /// Number of bins of a frame.
    n_frame_bins: usize,
    embeddings: Vec<EmbeddingPlan>,
    /// Number of columns of a row.
    n_bins: usize,
    /// The columns of each kind in a row.
    columns: Vec<(FeatureKind, Range<usize>)>,
    /// Frames and statistics of a segment with a summary.
    frames: Vec<f32>,
    statistics: Vec<f32>,
}

impl FeatureSpec {
    /// Plans the extraction.
    ///
    /// # Errors
    /// Those of [`Self::validate`]; [`Error::Embedding`] if the graph of an embedding is not loaded or cannot be run.
    pub fn extractor(&self) -> Result<FeatureExtractor, Error> {
        self.validate()?;
        let params = self.frame_params();
        let (mut plans, mut n_frame_bins) = (Vec::new(), 0);
        for kind in &self.kinds {
            let first = n_frame_bins;
            n_frame_bins += kind.n_frame_bins(self);
            plans.extend(kind.plan(self, &params).map(|plan| (plan, first..n_frame_bins)));
        }
        let needs: Vec<Intermediate> = self.kinds.iter().flat_map(|kind| kind.needs()).copied().collect();
        let front_end = FrontEnd::new(&needs, params)?;
        let embeddings =
            self.embeddings.iter().map(|embedding| EmbeddingPlan::new(embedding, self.sample_rate));
        Ok(FeatureExtractor {
            spec: self.clone(),
            front_end,
            plans,
            n_frame_bins,
            embeddings: embeddings.collect::<Result<_, _>>()?,
            n_bins: self.n_bins(),
            columns: self.columns().collect(),
            frames: Vec::new(),
            statistics: Vec::new(),
        })
    }
}

impl FeatureExtractor {
    /// The specification that it was planned from.
    pub fn spec(&self) -> &FeatureSpec {
        &self.spec
    }

    /// Features of a segment of any length.
    ///
    /// `top_db` counts from the maximum of this segment. Silence gives finite numbers.
    ///
    /// # Shapes
    /// - `samples`: `[n_samples]`, at the specification's sample rate
    /// - returns: `[spec.n_frames(n_samples), spec.n_bins()]`; no frames for no samples (librosa: one, silent)
    pub fn extract(&mut self, samples: &[f32]) -> Features {
        let mut values = Vec::new();
        self.extract_into(samples, &mut values);
        Features { values, n_frames: self.spec.n_frames(samples.len()), n_bins: self.n_bins }
    }

    /// [`Self::extract`] into a buffer that is reused; its contents are replaced.
    pub fn extract_into(&mut self, samples: &[f32], values: &mut Vec<f32>) {
        if self.spec.has_one_row() {
            return self.extract_row(samples, values);
        }
        self.extract_frames(samples, values);
    }

    /// One row per frame.
    fn extract_frames(&mut self, samples: &[f32], values: &mut Vec<f32>) {
        self.front_end.compute(samples);
        if let [kind] = self.spec.kinds[..]
            && let Some(intermediate) = kind.equals()
        {
            // A single feature that is an intermediate: swap the buffers instead of copying.
            return std::mem::swap(self.front_end.buffer_mut(intermediate), values);
        }
        self.write_frames(samples, self.spec.stft_config().n_frames(samples.len()), values);
    }

    /// The columns of each kind, from the intermediates of the front end.
    fn write_frames(&mut self, samples: &[f32], n_frames: usize, values: &mut Vec<f32>) {
        let input = self.front_end.input_of_frames(samples, n_frames);
        values.clear();
        values.resize(input.n_frames * self.n_frame_bins, 0.0);
        for (plan, columns) in &mut self.plans {
            plan.compute(&input, Rows::new(values, self.n_frame_bins, columns.start, columns.len()));
        }
    }

    /// One row: statistics of the frames, and embeddings, in the order of the kinds.
    fn extract_row(&mut self, samples: &[f32], values: &mut Vec<f32>) {
        values.clear();
        if self.spec.n_frames(samples.len()) == 0 {
            return;
        }
        let mut frames = std::mem::take(&mut self.frames);
        self.statistics.clear();
        if self.spec.summary.is_some() {
            self.extract_frames(samples, &mut frames);
        }
        if let Some(summary) = &self.spec.summary {
            summary.compute(&frames, self.n_frame_bins, &mut self.statistics);
        }
        self.frames = frames;
        values.resize(self.n_bins, 0.0);
        let mut statistics = &self.statistics[..];
        for (kind, columns) in &self.columns {
            let values = &mut values[columns.clone()];
            if *kind == FeatureKind::Embedding {
                let mut rest = values;
                for embedding in &mut self.embeddings {
                    let (values, behind) = rest.split_at_mut(embedding.n_values());
                    embedding.compute(samples, values);
                    rest = behind;
                }
            } else {
                let (of_kind, rest) = statistics.split_at(values.len());
                values.copy_from_slice(of_kind);
                statistics = rest;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_close::assert_close;
    use crate::feature::embedding::testing::{MEL_MODEL, WAVEFORM_MODEL, embedding};
    use crate::feature::{Embedding, FeatureKind, Summary};

    fn chirp(n_samples: usize) -> Vec<f32> {
        (0..n_samples).map(|n| (n as f32 * n as f32 * 2e-5).sin() * 0.5).collect()
    }

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
    fn concatenated_features_equal_each_feature_alone() {
        let samples = chirp(3000);
        let spec = spec_of(FeatureKind::ALL);
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
    fn a_summary_and_embeddings_are_one_row_in_the_order_of_the_kinds() {
        let samples = chirp(22_050);
        let frames = spec_of(&[FeatureKind::Rms, FeatureKind::Mfcc]);
        let summary = Summary { scales: vec![1, 4], logarithm: true, ..Summary::default() };
        let alone = |spec: &FeatureSpec| spec.extractor().unwrap().extract(&samples);
        let models = vec![embedding(MEL_MODEL), embedding(WAVEFORM_MODEL)];
        let all = FeatureSpec {
            kinds: vec![FeatureKind::Rms, FeatureKind::Embedding, FeatureKind::Mfcc],
            summary: Some(summary.clone()),
            embeddings: models.clone(),
            ..frames.clone()
        };
        let found = alone(&all);
        assert_eq!((found.n_frames, found.n_bins), (1, 4 + 14 + 20 * 4));
        assert_eq!(all.bin_names().len(), 98);
        assert_eq!(all.bin_names()[3..6], ["rms_0_change_4", "embedding_0", "embedding_1"]);
        let mut expected = Vec::new();
        summary.compute(&alone(&frames).values, 21, &mut expected);
        let only = |model: &Embedding| FeatureSpec {
            kinds: vec![FeatureKind::Embedding],
            embeddings: vec![model.clone()],
            ..frames.clone()
        };
        let values = models.iter().flat_map(|model| alone(&only(model)).values);
        expected.splice(4..4, values);
        assert_eq!(found.values, expected);
        assert_eq!(alone(&only(&models[0])).n_frames, 1);
        assert_eq!(all.extractor().unwrap().extract(&[]).n_frames, 0);
    }

    #[test]
    fn features_do_not_depend_on_earlier_segments() {
        let mut used = FeatureSpec::course().extractor().unwrap();
        let mut values = used.extract(&chirp(50_000)).values;
        used.extract_into(&chirp(5000), &mut values);
        let mut fresh = FeatureSpec::course().extractor().unwrap();
        assert_eq!(values, fresh.extract(&chirp(5000)).values);
        assert_eq!(values, used.clone().extract(&chirp(5000)).values);
    }

    #[test]
    fn a_sufficient_buffer_is_not_reallocated() {
        let mut extractor = spec_of(FeatureKind::ALL).extractor().unwrap();
        let samples = chirp(3000);
        let mut values = Vec::new();
        extractor.extract_into(&samples, &mut values);
        let before = values.as_ptr();
        extractor.extract_into(&samples[..2000], &mut values);
        extractor.extract_into(&samples, &mut values);
        assert_eq!(values.as_ptr(), before);
    }

    #[test]
    fn features_of_silence_are_finite() {
        let mfcc = FeatureSpec::course().extractor().unwrap().extract(&[0.0; 66_150]);
        let rows: Vec<&[f32]> = mfcc.values.chunks_exact(13).collect();
        // librosa.feature.mfcc(y=np.zeros(66150), n_mfcc=13)[:, 0]: the others are 0
        assert_close(&rows[0][..1], &[-1_131.370_85], 1e-2);
        assert!(rows.iter().all(|row| row[1..].iter().all(|x| x.abs() < 1e-3)));
    }

    #[test]
    fn every_number_of_samples_is_accepted() {
        for center in [true, false] {
            let mut extractor = FeatureSpec { center, ..spec_of(FeatureKind::ALL) }.extractor().unwrap();
            for n_samples in [0, 1, 2, 127, 128, 511, 512, 513] {
                let features = extractor.extract(&chirp(n_samples));
                assert_eq!(features.n_frames, extractor.spec().n_frames(n_samples));
                assert_eq!(features.values.len(), features.n_frames * features.n_bins);
                assert!(features.values.iter().all(|x| x.is_finite()));
            }
        }
    }

    #[test]
    fn mfccs_of_non_finite_samples_are_finite() {
        let mut extractor = FeatureSpec::course().extractor().unwrap();
        for sample in [f32::NAN, f32::INFINITY, f32::MAX, 1e20] {
            assert!(extractor.extract(&[sample; 5000]).values.iter().all(|x| x.is_finite()), "{sample}");
        }
    }
}
