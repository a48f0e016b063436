//! Embedding models for tests: descriptions, and a graph that computes known numbers.

use std::sync::Arc;

use super::{Embedding, EmbeddingDescription, EmbeddingGraph, PlannedGraph};

/// A model of mel bands; patches of 20 frames of 8 bands, adjacent.
pub(crate) const MEL_MODEL: &str = r#"
name = "mel test model"
source = "made for tests"
licence = "MIT OR Apache-2.0"
citation = "none"
training_data = ["nothing"]

[input]
name = "mel"
shape = ["patch", "frame", "band"]
sample_rate = 16000

[input.mel]
n_fft = 512
hop_length = 256
n_mels = 8
half_precision = true
compression = { type = "log10", factor = 10000, offset = 1 }

[patch]
length = 20
hop = 20

[output]
name = "values"
size = 4
"#;

/// A model of samples; patches of half a second that overlap, two in each run.
pub(crate) const WAVEFORM_MODEL: &str = r#"
name = "waveform test model"
source = "made for tests"
licence = "MIT OR Apache-2.0"
citation = "none"
training_data = []

[input]
name = "samples"
shape = ["patch", 1, "sample"]
sample_rate = 8000

[patch]
length = 4000
hop = 2000
per_run = 2

[output]
name = "values"
size = 2
pooling = ["mean", "deviation", "max"]
"#;

/// `n` pseudo-random samples in [-1, 1), the same each time.
pub(crate) fn noise(n: usize) -> Vec<f32> {
    let mut state = 1u32;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    })
    .take(n)
    .collect()
}

pub(crate) fn description(text: &str) -> EmbeddingDescription {
    toml::from_str(text).unwrap()
}

/// Value k of a patch is the sum of its elements k, k + size, k + 2 size, ….
#[derive(Debug)]
struct StridedSums {
    per_run: usize,
    size: usize,
}

impl PlannedGraph for StridedSums {
    fn run(&self, input: &[f32]) -> Vec<f32> {
        let sums = |patch: &[f32]| -> Vec<f32> {
            (0..self.size).map(|k| patch.iter().skip(k).step_by(self.size).sum()).collect()
        };
        input.chunks_exact(input.len() / self.per_run).flat_map(sums).collect()
    }
}

#[derive(Debug)]
struct TestGraph;

impl EmbeddingGraph for TestGraph {
    fn bytes(&self) -> &[u8] {
        b"test"
    }

    fn plan(&self, description: &EmbeddingDescription) -> Result<Arc<dyn PlannedGraph>, String> {
        Ok(Arc::new(StridedSums { per_run: description.patch.per_run, size: description.output.size }))
    }
}

/// A model that can be run.
pub(crate) fn embedding(text: &str) -> Embedding {
    Embedding { description: description(text), graph: Some(Arc::new(TestGraph)) }
}
