//! The values of an embedding model for each patch of a recording: rows of a table, as the frames of other kinds.

use anyhow::ensure;
use cantus_audio::decode::{DecodeWarning, Decoder, ResampledDecoder};
use cantus_audio::feature::{Embedding, FeatureKind, FeatureSpec, Features, PatchExtractor, PatchPooling};

use super::content::Content;
use super::format::Format;
use super::picture::PictureOptions;
use super::stream::Sink;
use super::{Warnings, samples};
use crate::command::embedding_options;
use crate::command::output_path::Job;

/// A planned embedding model, and the rows that it gives, described as frames.
#[derive(Clone)]
pub struct PatchFeatures {
    extractor: PatchExtractor,
    /// One column for each value of a patch; `hop_length` is that of the patches.
    spec: FeatureSpec,
}

impl PatchFeatures {
    /// Loads and plans a model: an ONNX file, or the name of one that has been added.
    ///
    /// # Errors
    /// If it is not found, has no description or cannot be run.
    pub fn load(model: &str) -> anyhow::Result<Self> {
        let Embedding { mut description, graph } = embedding_options::load(model)?;
        // One row per patch: the values are not pooled, and the mean of one patch has as many columns.
        description.output.pooling = vec![PatchPooling::Mean];
        let embedding = Embedding { description, graph };
        let extractor = embedding.patch_extractor()?;
        let spec = FeatureSpec {
            kinds: vec![FeatureKind::Embedding],
            sample_rate: embedding.description.input.sample_rate,
            hop_length: extractor.patch_hop_samples(),
            embeddings: vec![embedding],
            ..FeatureSpec::default()
        };
        Ok(Self { extractor, spec })
    }

    /// Decodes one recording, computes its patches and writes them; arrays and tables as they are computed.
    ///
    /// # Errors
    /// If it cannot be decoded, is shorter than a patch, has values that are not finite, or the file cannot be written.
    pub fn write(&self, job: &Job, format: Format, options: PictureOptions) -> anyhow::Result<Warnings> {
        let decoding = if matches!(format, Format::Npy | Format::Csv) {
            let mut sink = Sink::new(format, job, &self.spec)?;
            let warnings = self.compute(job, |patches| sink.write(patches))?;
            sink.finish()?;
            warnings
        } else {
            let mut values = Vec::new();
            let warnings = self.compute(job, |patches| {
                values.extend_from_slice(patches);
                Ok(())
            })?;
            let n_bins = self.spec.n_bins();
            let features = Features { n_frames: values.len() / n_bins, n_bins, values };
            let (framed, whole) = (Some(features), Vec::new());
            let content = Content { spec: &self.spec, framed, whole, samples: &[] };
            job.save(&format.write(&content, options)?)?;
            warnings
        };
        Ok(Warnings { decoding, settings: Vec::new() })
    }

    /// The patches of a recording, `[n, size]` at a time.
    fn compute(
        &self,
        job: &Job,
        mut write: impl FnMut(&[f32]) -> anyhow::Result<()>,
    ) -> anyhow::Result<Vec<DecodeWarning>> {
        // A recording that cannot be decoded to its end leaves samples in an extractor.
        let (mut extractor, spec) = (self.extractor.clone(), &self.spec);
        let (mut values, mut n_samples, mut has_patch) = (Vec::new(), 0, false);
        let mut take = |values: &mut Vec<f32>| {
            ensure!(values.iter().all(|value| value.is_finite()), "the embedding contains NaN or infinity");
            has_patch |= !values.is_empty();
            write(values)?;
            values.clear();
            Ok(())
        };
        let warnings = if extractor.is_streaming() {
            let mut stream = ResampledDecoder::new(Decoder::open(&job.input)?, spec.sample_rate);
            while let Some(block) = stream.next_block()? {
                n_samples += block.len();
                extractor.push(block, &mut values);
                take(&mut values)?;
            }
            stream.into_warnings()
        } else {
            let (samples, warnings) = samples::load(&job.input, spec.sample_rate)?;
            n_samples = samples.len();
            extractor.push(&samples, &mut values);
            warnings
        };
        extractor.finish(&mut values);
        take(&mut values)?;
        ensure!(
            has_patch,
            "too short: it lasts {:.2} s, and a patch of the embedding model takes {:.2} s",
            n_samples as f64 / f64::from(spec.sample_rate),
            extractor.description().patch_s()
        );
        Ok(warnings)
    }
}
