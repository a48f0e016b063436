//! Embeddings of segments: the embedding model's front end, its graph for all patches of all segments, and their pooling.
//!
//! The steps are those of `cantus_audio::feature::embedding`: scaling, pre-emphasis, mel spectrogram, compression, patches, the graph,
//! the mean over the rows of a patch, statistics over the patches.

use cantus_audio::feature::{
    Compression, Embedding, EmbeddingDescription, FeatureKind, FeatureSpec, InputAxis, MelInput, Patch,
    PatchPooling,
};

use super::builder::FrontEndBuilder;
use super::check_padding;
use crate::export::graph::{Graph, Value};
use crate::export::{ExportError, embedded_graph};

/// Maximum number of patches of a segment, each of which is cut by nodes of its own.
const MAX_PATCHES: usize = 4096;
/// Largest finite number of 16-bit floating point.
const MAX_HALF: f32 = 65_504.0;

/// `samples` `[batch, segment_samples]` → the values of all embedding models, `[batch, 1, n_values]`.
///
/// # Errors
/// If a model cannot be exported.
pub(super) fn values(graph: &mut Graph, spec: &FeatureSpec, samples: &Value) -> Result<Value, ExportError> {
    let models = spec.embeddings.iter().enumerate();
    let values = models.map(|(number, embedding)| of_model(graph, spec, embedding, number, samples));
    let values = values.collect::<Result<Vec<Value>, _>>()?;
    let values = graph.concat(values, 1);
    Ok(graph.unsqueeze(&values, 1))
}

/// The values of one model, `[batch, n_values]`.
fn of_model(
    graph: &mut Graph,
    spec: &FeatureSpec,
    embedding: &Embedding,
    number: usize,
    samples: &Value,
) -> Result<Value, ExportError> {
    let description = &embedding.description;
    let refuse =
        |reason: String| ExportError::UnsupportedEmbedding { name: description.name.clone(), reason };
    let sample_rate = description.input.sample_rate;
    if sample_rate != spec.sample_rate {
        return Err(refuse(format!(
            "its samples have {sample_rate} Hz, those of the segments {} Hz, and ONNX has no resampling",
            spec.sample_rate
        )));
    }
    let n_samples = spec.segment_samples();
    let scaled = scale(graph, description, n_samples, samples);
    let (input, n_positions) = match &description.input.mel {
        None => (scaled, n_samples),
        Some(mel) => mel_spectrogram(graph, mel, sample_rate, n_samples, &scaled)?,
    };
    let Patch { length, hop, .. } = description.patch;
    let n_patches = n_positions.checked_sub(length).map_or(0, |rest| rest / hop + 1);
    if !(1..=MAX_PATCHES).contains(&n_patches) {
        return Err(refuse(format!("a segment has {n_patches} patches, not from 1 to {MAX_PATCHES}")));
    }
    let patches = cut_patches(graph, description, n_patches, &input);
    let rows = embedded_graph::add(graph, embedding, number, &patches)?;
    let values = graph.mean(&rows, &[1], false);
    let values = graph.reshape(&values, &[-1, n_patches as i64, description.output.size as i64]);
    let pooled = description.output.pooling.iter().map(|&pooling| pool(graph, pooling, &values)).collect();
    Ok(graph.concat(pooled, 1))
}

/// Samples `[batch, n_samples]` times the gain, with pre-emphasis.
fn scale(graph: &mut Graph, description: &EmbeddingDescription, n_samples: usize, samples: &Value) -> Value {
    let (gain, preemphasis) = (description.input.gain, description.input.preemphasis);
    let scaled = if gain == 1.0 { samples.clone() } else { graph.times(samples, gain) };
    if preemphasis == 0.0 {
        return scaled;
    }
    let first = graph.slice(&scaled, 1, 0..1);
    let (earlier, later) = (graph.slice(&scaled, 1, 0..n_samples - 1), graph.slice(&scaled, 1, 1..n_samples));
    let weighted = graph.times(&earlier, preemphasis);
    let later = graph.node("Sub", [&later, &weighted]);
    graph.concat(vec![first, later], 1)
}

/// The compressed mel spectrogram, `[batch, n_frames, n_mels]`, and its number of frames.
fn mel_spectrogram(
    graph: &mut Graph,
    mel: &MelInput,
    sample_rate: u32,
    n_samples: usize,
    samples: &Value,
) -> Result<(Value, usize), ExportError> {
    let spec = FeatureSpec {
        kinds: vec![FeatureKind::Mel],
        sample_rate,
        n_fft: mel.n_fft,
        hop_length: mel.hop_length,
        win_length: mel.win_length,
        window: mel.window,
        center: mel.center,
        pad_mode: mel.pad_mode,
        power: mel.power,
        n_mels: mel.n_mels,
        f_min: mel.f_min,
        f_max: mel.f_max,
        htk: mel.htk,
        norm: mel.norm,
        ..FeatureSpec::default()
    };
    check_padding(&spec, n_samples)?;
    let mut values = FrontEndBuilder::new(graph, &spec, samples).mel();
    if mel.half_precision {
        let max = graph.number(MAX_HALF);
        values = graph.node("Min", [&values, &max]);
        values = graph.as_half(&values);
        values = graph.as_float(&values);
    }
    values = compress(graph, mel.compression, &values);
    if (mel.mean, mel.deviation) != (0.0, 1.0) {
        let (mean, deviation) = (graph.number(mel.mean), graph.number(mel.deviation));
        values = graph.node("Sub", [&values, &mean]);
        values = graph.node("Div", [&values, &deviation]);
    }
    Ok((values, spec.n_frames(n_samples)))
}

fn compress(graph: &mut Graph, compression: Compression, values: &Value) -> Value {
    let logarithm = |graph: &mut Graph, factor: f32, offset: f32| {
        let scaled = if factor == 1.0 { values.clone() } else { graph.times(values, factor) };
        let offset = graph.number(offset);
        let raised = graph.node("Add", [&scaled, &offset]);
        graph.node("Log", [&raised])
    };
    match compression {
        Compression::None => values.clone(),
        Compression::Ln { factor, offset } => logarithm(graph, factor, offset),
        Compression::Log10 { factor, offset } => {
            let natural = logarithm(graph, factor, offset);
            graph.times(&natural, std::f32::consts::LOG10_E)
        }
        Compression::Db { amin, top_db } => {
            let clamped = graph.at_least(values, amin);
            let natural = graph.node("Log", [&clamped]);
            let level = graph.times(&natural, 10.0 * std::f32::consts::LOG10_E);
            let Some(top_db) = top_db else { return level };
            let loudest = graph.max(&level, &[1, 2]);
            let range = graph.number(top_db);
            let floor = graph.node("Sub", [&loudest, &range]);
            graph.node("Max", [&level, &floor])
        }
    }
}

/// The patches of all segments in the shape of the graph's input, `[batch · n_patches, ...]`.
fn cut_patches(
    graph: &mut Graph,
    description: &EmbeddingDescription,
    n_patches: usize,
    input: &Value,
) -> Value {
    let Patch { length, hop, .. } = description.patch;
    let patch = |number: usize| {
        let patch = graph.slice(input, 1, number * hop..number * hop + length);
        graph.unsqueeze(&patch, 1)
    };
    let patches = (0..n_patches).map(patch).collect();
    let mut patches = graph.concat(patches, 1); // [batch, n_patches, length] or [batch, n_patches, length, n_bands]
    let shape = &description.input.shape;
    let position = |wanted: InputAxis| shape.iter().position(|&axis| axis == wanted);
    if position(InputAxis::Band) < position(InputAxis::Frame) {
        patches = graph.transpose(&patches, &[0, 1, 3, 2]);
    }
    let sizes = description.input_shape();
    let sizes = shape.iter().zip(sizes).map(|(axis, size)| match axis {
        InputAxis::Patch => -1,
        _ => size as i64,
    });
    let sizes: Vec<i64> = sizes.collect();
    graph.reshape(&patches, &sizes)
}

/// A statistic over the patches: `values` `[batch, n_patches, size]` → `[batch, size]`.
fn pool(graph: &mut Graph, pooling: PatchPooling, values: &Value) -> Value {
    match pooling {
        PatchPooling::Mean => graph.mean(values, &[1], false),
        PatchPooling::Deviation => {
            let mean = graph.mean(values, &[1], true);
            let centred = graph.node("Sub", [values, &mean]);
            let squares = graph.node("Mul", [&centred, &centred]);
            let variance = graph.mean(&squares, &[1], false);
            graph.node("Sqrt", [&variance])
        }
        PatchPooling::Max => {
            let max = graph.max(values, &[1]);
            graph.squeeze(&max, 1)
        }
    }
}
