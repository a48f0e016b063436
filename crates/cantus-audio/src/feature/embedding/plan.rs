//! A planned embedding: the patches of a segment through the graph, and their pooling.

use std::sync::Arc;

use super::input::InputPlan;
use super::{Embedding, EmbeddingDescription, EmbeddingOutput, InputAxis, PatchPooling, PlannedGraph};
use crate::Error;

/// Computes an embedding of segments; its buffers are reused.
#[derive(Debug, Clone)]
pub(in crate::feature) struct EmbeddingPlan {
    description: EmbeddingDescription,
    input: InputPlan,
    graph: Arc<dyn PlannedGraph>,
    /// Whether the graph takes bands of frames instead of frames of bands.
    is_transposed: bool,
    /// The input of one run.
    run: Vec<f32>,
    /// `[n_patches, size]`
    values: Vec<f32>,
}

impl EmbeddingPlan {
    /// Plans a valid embedding for segments at `sample_rate`.
    ///
    /// # Errors
    /// [`Error::Embedding`] if its graph is not loaded, cannot be run or does not fit the description.
    pub(in crate::feature) fn new(embedding: &Embedding, sample_rate: u32) -> Result<Self, Error> {
        let Embedding { description, graph } = embedding;
        let refuse = |reason: String| Error::Embedding { name: description.name.clone(), reason };
        let graph = graph.as_ref().ok_or_else(|| refuse("its graph is not loaded".to_owned()))?;
        let position = |wanted: InputAxis| description.input.shape.iter().position(|&axis| axis == wanted);
        Ok(Self {
            input: InputPlan::new(description, sample_rate)?,
            graph: graph.plan(description).map_err(refuse)?,
            is_transposed: position(InputAxis::Band) < position(InputAxis::Frame),
            description: description.clone(),
            run: Vec::new(),
            values: Vec::new(),
        })
    }

    /// Number of values of a segment.
    pub(in crate::feature) fn n_values(&self) -> usize {
        self.description.n_values()
    }

    /// Writes the embedding of a segment: the pooled values, statistic by statistic.
    ///
    /// # Shapes
    /// - `segment`: `[n]`
    /// - `out`: `[n_values]`
    pub(in crate::feature) fn compute(&mut self, segment: &[f32], out: &mut [f32]) {
        let mut values = std::mem::take(&mut self.values);
        values.clear();
        self.push_patches(segment, 0, None, &mut values);
        let EmbeddingOutput { size, pooling, .. } = &self.description.output;
        for (pooling, out) in pooling.iter().zip(out.chunks_exact_mut(*size)) {
            pool(*pooling, &values, out);
        }
        self.values = values;
    }

    /// Appends the values of the patches of a segment, `[n_patches, size]`, and returns their number.
    ///
    /// Patches lie between position `start` (a frame, or a sample) and `end`; up to an `end`, their number is a multiple of
    /// `per_run`, so that each run but the last of a recording is full.
    pub(in crate::feature) fn push_patches(
        &mut self,
        segment: &[f32],
        start: usize,
        end: Option<usize>,
        values: &mut Vec<f32>,
    ) -> usize {
        let Self { description, input, graph, is_transposed, run, .. } = self;
        let EmbeddingDescription { patch, output, .. } = &*description;
        let n_bands = description.n_bands();
        let input = input.compute(segment);
        let n_positions = (input.len() / n_bands).min(end.unwrap_or(usize::MAX));
        let input = input.get(start.saturating_mul(n_bands)..n_positions * n_bands).unwrap_or_default();
        let hop = patch.hop.saturating_mul(n_bands);
        let mut patches: Vec<&[f32]> = input.windows(patch.length * n_bands).step_by(hop).collect();
        if end.is_some() {
            patches.truncate(patches.len() / patch.per_run * patch.per_run);
        }
        for patches in patches.chunks(patch.per_run) {
            run.clear();
            patches.iter().for_each(|patch| push_patch(patch, n_bands, *is_transposed, run));
            run.resize(patch.per_run * patch.length * n_bands, 0.0);
            let rows = graph.run(run);
            let n_rows = rows.len() / patch.per_run;
            for rows in rows.chunks_exact(n_rows.max(1)).take(patches.len()) {
                push_mean(rows, output.size, values);
            }
        }
        patches.len()
    }
}

/// Appends a patch `[n_frames, n_bands]`, transposed if the graph takes it so.
fn push_patch(patch: &[f32], n_bands: usize, is_transposed: bool, run: &mut Vec<f32>) {
    if is_transposed {
        (0..n_bands).for_each(|band| run.extend(patch.iter().skip(band).step_by(n_bands)));
    } else {
        run.extend_from_slice(patch);
    }
}

/// Appends the mean of rows `[n, size]`; NaN if there is none.
fn push_mean(rows: &[f32], size: usize, values: &mut Vec<f32>) {
    let n_rows = rows.len() / size;
    let mean =
        |k: usize| rows.iter().skip(k).step_by(size).map(|&x| f64::from(x)).sum::<f64>() / n_rows as f64;
    values.extend((0..size).map(|k| mean(k) as f32));
}

/// Writes a statistic over patches `[n_patches, size]`.
fn pool(pooling: PatchPooling, values: &[f32], out: &mut [f32]) {
    let size = out.len();
    let n = (values.len() / size) as f64;
    for (k, out) in out.iter_mut().enumerate() {
        let column = || values.iter().skip(k).step_by(size).map(|&x| f64::from(x));
        let mean = || column().sum::<f64>() / n;
        *out = match pooling {
            PatchPooling::Mean => mean() as f32,
            PatchPooling::Deviation => {
                let mean = mean();
                (column().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n).sqrt() as f32
            }
            // NaN stays NaN.
            PatchPooling::Max => {
                column().fold(f64::NEG_INFINITY, |max, x| if x > max || x.is_nan() { x } else { max }) as f32
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{MEL_MODEL, WAVEFORM_MODEL, description, embedding, noise};
    use super::*;
    use crate::assert_close::assert_close;

    /// Patches of 4000 samples from 0, 2000, 4000 and 6000, of which the test graph sums the even and the odd ones.
    #[test]
    fn patches_overlap_as_described_and_are_pooled() {
        let samples = noise(11_000);
        let mut plan = EmbeddingPlan::new(&embedding(WAVEFORM_MODEL), 8000).unwrap();
        let mut found = [0.0; 6];
        plan.compute(&samples, &mut found);
        let sum = |start: usize, odd: usize| -> f64 {
            samples[start..start + 4000].iter().skip(odd).step_by(2).map(|&x| f64::from(x)).sum()
        };
        for odd in 0..2 {
            let sums: Vec<f64> = [0, 2000, 4000, 6000].map(|start| sum(start, odd)).to_vec();
            let mean = sums.iter().sum::<f64>() / 4.0;
            let deviation = (sums.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 4.0).sqrt();
            let max = sums.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let expected = [mean as f32, deviation as f32, max as f32];
            assert_close(&[found[odd], found[2 + odd], found[4 + odd]], &expected, 1e-3);
        }
    }

    /// A number of patches that no run is full with gives the same as one patch per run.
    #[test]
    fn the_number_of_patches_of_a_run_changes_nothing() {
        let samples = noise(20_000);
        let of = |per_run: usize| {
            let mut model = embedding(WAVEFORM_MODEL);
            model.description.patch.per_run = per_run;
            let mut found = [0.0; 6];
            EmbeddingPlan::new(&model, 8000).unwrap().compute(&samples, &mut found);
            found
        };
        assert_eq!(of(1), of(2));
        assert_eq!(of(1), of(64));
    }

    #[test]
    fn a_transposed_patch_has_the_frames_of_each_band_together() {
        let mut run = Vec::new();
        push_patch(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2, true, &mut run);
        assert_eq!(run, [1.0, 3.0, 5.0, 2.0, 4.0, 6.0]);
        let (mut frames, mut bands) = (embedding(MEL_MODEL), embedding(MEL_MODEL));
        frames.description.output.size = 1;
        bands.description.output.size = 1;
        bands.description.input.shape.swap(1, 2);
        let of = |model: &Embedding| {
            let mut found = [0.0; 2];
            EmbeddingPlan::new(model, 16_000).unwrap().compute(&noise(16_000), &mut found);
            found
        };
        assert_close(&of(&frames), &of(&bands), 1e-3);
    }

    #[test]
    fn a_segment_shorter_than_a_patch_and_silence_give_finite_values() {
        for text in [MEL_MODEL, WAVEFORM_MODEL] {
            let model = embedding(text);
            let mut plan = EmbeddingPlan::new(&model, 22_050).unwrap();
            for n in [1, 100, 30_000] {
                let mut found = vec![f32::NAN; model.description.n_values()];
                plan.compute(&vec![0.0; n], &mut found);
                assert!(found.iter().all(|x| x.is_finite()), "{n}");
            }
        }
    }

    #[test]
    fn an_embedding_without_its_graph_is_an_error() {
        let error = EmbeddingPlan::new(&description(MEL_MODEL).into(), 16_000).unwrap_err();
        assert_eq!(error.to_string(), "embedding mel test model: its graph is not loaded");
    }
}
