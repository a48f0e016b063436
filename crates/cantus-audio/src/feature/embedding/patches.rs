//! The values of an embedding model for each patch of a recording of any length, computed as its samples arrive.
//!
//! The samples are processed in chunks. A frame of a mel spectrogram that lies inside of a chunk has the same samples there as in the
//! whole recording, and the same values to the bit, so each chunk begins some frames before its first patch, and a patch ends before
//! the frames that need later samples.

use super::plan::EmbeddingPlan;
use super::{Compression, Embedding, EmbeddingDescription};
use crate::Error;

/// Samples that a chunk has beside those that its patches need at least: 4 MiB.
const CHUNK_LEN: usize = 1 << 20;

/// Computes the values of each patch of recordings, not pooled; made by [`Embedding::patch_extractor`].
///
/// The patches are those of the whole recording: of its mel spectrogram, if the model takes one. What remains after the last whole
/// patch is left out. One extractor serves one thread: clone it for others, before or after a recording.
#[derive(Debug, Clone)]
pub struct PatchExtractor {
    plan: EmbeddingPlan,
    description: EmbeddingDescription,
    /// Samples from one position (a frame, or a sample) to the next, and those that it is computed from.
    hop_length: usize,
    frame_len: usize,
    chunk_len: usize,
    /// The samples from position `first` on.
    samples: Vec<f32>,
    first: usize,
    /// The next patch that is not computed yet.
    next_patch: usize,
}

impl Embedding {
    /// Plans the extraction of patches from recordings at the model's sample rate.
    ///
    /// # Errors
    /// Those of [`EmbeddingDescription::validate`]; [`Error::Embedding`] if the graph is not loaded or cannot be run.
    pub fn patch_extractor(&self) -> Result<PatchExtractor, Error> {
        let description = self.description.clone();
        description.validate()?;
        let mel = description.input.mel.as_ref();
        Ok(PatchExtractor {
            plan: EmbeddingPlan::new(self, description.input.sample_rate)?,
            hop_length: mel.map_or(1, |mel| mel.hop_length),
            frame_len: mel.map_or(1, |mel| mel.n_fft),
            description,
            chunk_len: CHUNK_LEN,
            samples: Vec::new(),
            first: 0,
            next_patch: 0,
        })
    }
}

impl PatchExtractor {
    /// The description of the model.
    pub fn description(&self) -> &EmbeddingDescription {
        &self.description
    }

    /// Samples from the start of one patch to that of the next, at the model's sample rate.
    pub fn patch_hop_samples(&self) -> usize {
        self.description.patch.hop.saturating_mul(self.hop_length)
    }

    /// Whether patches are computed as samples arrive, so that few are in memory. Decibels relative to the maximum of the recording
    /// need all of it.
    pub fn is_streaming(&self) -> bool {
        let compression = self.description.input.mel.as_ref().map(|mel| mel.compression);
        !matches!(compression, Some(Compression::Db { top_db: Some(_), .. }))
    }

    /// Takes the next samples of a recording; appends the values of the patches that are complete.
    ///
    /// # Shapes
    /// - `samples`: `[n]`, at the model's sample rate
    /// - `values`: grows by `[n_patches, size]`
    pub fn push(&mut self, samples: &[f32], values: &mut Vec<f32>) {
        if !self.is_streaming() {
            return self.samples.extend_from_slice(samples);
        }
        let chunk_len = self.chunk_samples();
        for block in samples.chunks(chunk_len) {
            self.samples.extend_from_slice(block);
            if self.samples.len() < chunk_len {
                continue;
            }
            let n_whole = (self.samples.len() - self.frame_len) / self.hop_length + 1;
            self.compute(Some(n_whole), values);
            self.discard();
        }
    }

    /// Ends the recording; appends the values of its last patches. The next samples are those of another recording.
    ///
    /// A recording that is shorter than [`EmbeddingDescription::patch_samples`] has no patch.
    pub fn finish(&mut self, values: &mut Vec<f32>) {
        // The plan fills up a segment that is shorter than a patch.
        if self.first > 0 || self.samples.len() >= self.description.patch_samples() {
            self.compute(None, values);
        }
        self.samples.clear();
        (self.first, self.next_patch) = (0, 0);
    }

    fn compute(&mut self, end: Option<usize>, values: &mut Vec<f32>) {
        let start = self.next_patch.saturating_mul(self.description.patch.hop) - self.first;
        self.next_patch += self.plan.push_patches(&self.samples, start, end, values);
    }

    /// Positions at the start of a chunk that are not used: frames there are padded, and pre-emphasis lacks the sample before.
    fn margin(&self) -> usize {
        self.frame_len.div_ceil(self.hop_length) + 1
    }

    /// Number of samples of a chunk: enough for a run of the graph.
    fn chunk_samples(&self) -> usize {
        let patch = self.description.patch;
        let n_positions = patch.hop.saturating_mul(patch.per_run).saturating_add(patch.length);
        let n_needed = n_positions.saturating_add(2 * self.margin()).saturating_mul(self.hop_length);
        n_needed.saturating_add(self.chunk_len)
    }

    /// Removes the samples that no further patch needs.
    fn discard(&mut self) {
        let first = self.next_patch.saturating_mul(self.description.patch.hop).saturating_sub(self.margin());
        let n_positions = (first - self.first).min(self.samples.len() / self.hop_length);
        self.samples.drain(..n_positions * self.hop_length);
        self.first += n_positions;
    }
}

#[cfg(test)]
mod tests {
    use super::super::PatchPooling;
    use super::super::testing::{MEL_MODEL, WAVEFORM_MODEL, embedding, noise};
    use super::*;
    use crate::transform::PadMode;

    /// The patches of a recording that is given in blocks of 1000, in chunks of about `chunk_len` samples.
    fn in_chunks(extractor: &mut PatchExtractor, samples: &[f32], chunk_len: usize) -> Vec<f32> {
        extractor.chunk_len = chunk_len;
        let mut values = Vec::new();
        samples.chunks(1000).for_each(|block| extractor.push(block, &mut values));
        extractor.finish(&mut values);
        values
    }

    /// The number of patches of `n` samples.
    fn n_patches(description: &EmbeddingDescription, n: usize) -> usize {
        let n_positions = match &description.input.mel {
            None => n,
            Some(mel) if mel.center => 1 + n / mel.hop_length,
            Some(mel) => (n + mel.hop_length).saturating_sub(mel.n_fft) / mel.hop_length,
        };
        let patch = description.patch;
        n_positions.checked_sub(patch.length).map_or(0, |rest| rest / patch.hop + 1)
    }

    type Change = fn(&mut EmbeddingDescription);

    const CHANGES: [Change; 7] = [
        |_| {},
        |d| (d.patch.length, d.patch.hop, d.patch.per_run) = (3, 7, 4),
        |d| (d.patch.length, d.patch.hop) = (20, 1),
        |d| d.input.preemphasis = 0.97,
        |d| {
            if let Some(mel) = &mut d.input.mel {
                (mel.center, mel.hop_length) = (false, 300);
            }
        },
        |d| {
            if let Some(mel) = &mut d.input.mel {
                (mel.pad_mode, mel.hop_length) = (PadMode::Reflect, 700);
            }
        },
        |d| {
            if let Some(mel) = &mut d.input.mel {
                mel.compression = Compression::Db { amin: 1e-10, top_db: Some(20.0) };
            }
        },
    ];

    #[test]
    fn chunks_give_the_patches_of_the_whole_recording_to_the_bit() {
        for (text, change) in [MEL_MODEL, WAVEFORM_MODEL].iter().flat_map(|text| CHANGES.map(|c| (text, c))) {
            let mut model = embedding(text);
            change(&mut model.description);
            let mut extractor = model.patch_extractor().unwrap();
            for n in [1, 3999, 4000, 6000, 30_000, 61_440] {
                let samples = noise(n);
                let whole = in_chunks(&mut extractor, &samples, usize::MAX);
                let n_expected = n_patches(&model.description, n);
                assert_eq!(whole.len(), n_expected * model.description.output.size, "{n}: {model:?}");
                for chunk_len in [0, 10_000] {
                    let found = in_chunks(&mut extractor, &samples, chunk_len);
                    assert!(found == whole, "{n} samples, chunks of {chunk_len}: {model:?}");
                }
            }
        }
    }

    /// A long recording is computed in chunks, none of which is larger than the buffer may become.
    #[test]
    fn few_samples_are_kept_unless_decibels_are_relative_to_the_maximum() {
        for (i, change) in CHANGES.into_iter().enumerate() {
            let mut model = embedding(MEL_MODEL);
            change(&mut model.description);
            let mut extractor = model.patch_extractor().unwrap();
            extractor.chunk_len = 0;
            let (mut values, mut most) = (Vec::new(), 0);
            for block in noise(200_000).chunks(1000) {
                extractor.push(block, &mut values);
                most = most.max(extractor.samples.len());
            }
            let is_last = i == CHANGES.len() - 1;
            assert_eq!(extractor.is_streaming(), !is_last);
            assert!(if is_last { most == 200_000 } else { most < 40_000 }, "{i}: {most}");
        }
    }

    /// The patches of a segment are what its embedding is pooled over.
    #[test]
    fn the_mean_of_the_patches_is_the_pooled_embedding() {
        let mut model = embedding(MEL_MODEL);
        model.description.output.pooling = vec![PatchPooling::Mean];
        let samples = noise(40_000);
        let patches = in_chunks(&mut model.patch_extractor().unwrap(), &samples, 0);
        let mut pooled = [0.0; 4];
        EmbeddingPlan::new(&model, 16_000).unwrap().compute(&samples, &mut pooled);
        let n_patches = patches.len() / 4;
        for (k, pooled) in pooled.iter().enumerate() {
            let sum: f64 = patches.iter().skip(k).step_by(4).map(|&x| f64::from(x)).sum();
            assert_eq!(*pooled, (sum / n_patches as f64) as f32);
        }
    }

    #[test]
    fn a_model_without_a_graph_or_with_a_wrong_description_is_refused() {
        let mut model = embedding(MEL_MODEL);
        model.description.patch.hop = 0;
        assert!(model.patch_extractor().unwrap_err().to_string().contains("embedding.patch.hop"));
        model.description.patch.hop = 20;
        model.graph = None;
        assert!(model.patch_extractor().unwrap_err().to_string().contains("not loaded"));
    }

    #[test]
    fn a_hop_beyond_every_recording_leaves_one_patch() {
        let mut model = embedding(MEL_MODEL);
        model.description.patch.hop = usize::MAX / 2;
        let found = in_chunks(&mut model.patch_extractor().unwrap(), &noise(60_000), 0);
        assert_eq!(found.len(), 4);
    }
}
