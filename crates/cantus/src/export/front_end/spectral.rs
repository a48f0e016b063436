//! Spectral features and MFCC deltas in the graph, frame by frame: `[batch, n_frames, ...]`.

use cantus_audio::feature::delta::Delta;

use super::builder::FrontEndBuilder;
use crate::export::graph::Value;

/// The spectrogram in dB; its minimum power is the square of the minimum amplitude.
pub(super) fn spectrogram_db(builder: &mut FrontEndBuilder<'_>) -> Value {
    let power = builder.power();
    builder.decibel(&power)
}

/// Centre of mass of the spectrum, in Hz.
pub(super) fn centroid(builder: &mut FrontEndBuilder<'_>) -> Value {
    let magnitude = builder.magnitude();
    let (n_bins, hertz) = (builder.n_bins(), bin_frequencies(builder));
    let hertz = builder.graph.floats(&[n_bins, 1], &hertz);
    let weighted = builder.graph.node("MatMul", [&magnitude, &hertz]);
    let total = total(builder, &magnitude);
    builder.graph.node("Div", [&weighted, &total])
}

/// Spread of the spectrum about its centroid.
pub(super) fn bandwidth(builder: &mut FrontEndBuilder<'_>) -> Value {
    let (magnitude, centroid) = (builder.magnitude(), centroid(builder));
    let (n_bins, hertz, config) = (builder.n_bins(), bin_frequencies(builder), builder.spec.bandwidth);
    let hertz = builder.graph.floats(&[n_bins], &hertz);
    let distance = builder.graph.node("Sub", [&hertz, &centroid]);
    let distance = builder.graph.node("Abs", [&distance]);
    let distance = builder.raise(&distance, config.p);
    let weighted = builder.graph.node("Mul", [&magnitude, &distance]);
    let mut spread = builder.graph.sum(&weighted);
    if config.norm {
        let total = total(builder, &magnitude);
        spread = builder.graph.node("Div", [&spread, &total]);
    }
    builder.raise(&spread, 1.0 / config.p)
}

/// Roll-off: the lowest frequency below which a share of the spectrum lies, as the number of bins below it.
pub(super) fn rolloff(builder: &mut FrontEndBuilder<'_>) -> Value {
    let magnitude = builder.magnitude();
    let (n_bins, bin_hz, share) = (builder.n_bins(), builder.bin_hz(), builder.spec.rolloff.roll_percent);
    let graph = &mut *builder.graph;
    let axis = graph.integer(2);
    let so_far = graph.node("CumSum", [&magnitude, &axis]);
    let total = graph.slice(&so_far, 2, n_bins - 1..n_bins);
    let threshold = graph.times(&total, share);
    let below = graph.node("Less", [&so_far, &threshold]);
    let below = graph.as_float(&below);
    let bin = graph.sum(&below);
    graph.times(&bin, bin_hz as f32)
}

/// Geometric over arithmetic mean, as a difference of logarithms.
pub(super) fn flatness(builder: &mut FrontEndBuilder<'_>) -> Value {
    let config = builder.spec.flatness;
    let spectrum = builder.raised(config.power);
    let graph = &mut *builder.graph;
    let spectrum = graph.at_least(&spectrum, config.amin);
    let mean = graph.mean(&spectrum, &[2], true);
    let (of_mean, logarithms) = (graph.node("Log", [&mean]), graph.node("Log", [&spectrum]));
    let mean_log = graph.mean(&logarithms, &[2], true);
    let quotient = graph.node("Sub", [&mean_log, &of_mean]);
    graph.node("Exp", [&quotient])
}

/// Euclidean distance of each spectrum from the previous one; 0 for the first.
pub(super) fn flux(builder: &mut FrontEndBuilder<'_>) -> Value {
    let magnitude = builder.magnitude();
    let n_frames = builder.spec.frames_per_segment();
    let graph = &mut *builder.graph;
    let first = graph.slice(&magnitude, 1, 0..1);
    let earlier = graph.slice(&magnitude, 1, 0..n_frames - 1);
    let before = graph.concat(vec![first, earlier], 1);
    let change = graph.node("Sub", [&magnitude, &before]);
    let squares = graph.node("Mul", [&change, &change]);
    let sum = graph.sum(&squares);
    graph.node("Sqrt", [&sum])
}

/// Deltas of the MFCCs by a matrix whose columns are the deltas of unit vectors.
pub(super) fn mfcc_delta(builder: &mut FrontEndBuilder<'_>, order: usize) -> Value {
    let mfcc = builder.mfcc();
    let n_frames = builder.spec.frames_per_segment();
    let mut units = vec![0.0; n_frames * n_frames];
    units.iter_mut().step_by(n_frames + 1).for_each(|unit| *unit = 1.0);
    let mut matrix = vec![0.0; n_frames * n_frames];
    Delta::new(builder.spec.delta.width, order).apply(&units, n_frames, matrix.chunks_exact_mut(n_frames));
    let matrix = builder.graph.floats(&[n_frames, n_frames], &matrix);
    builder.graph.node("MatMul", [&matrix, &mfcc])
}

/// The frequencies of the bins, in Hz.
fn bin_frequencies(builder: &FrontEndBuilder<'_>) -> Vec<f32> {
    (0..builder.n_bins()).map(|bin| (bin as f64 * builder.bin_hz()) as f32).collect()
}

/// The sum of each spectrum, raised above 0 to be used as a divisor.
fn total(builder: &mut FrontEndBuilder<'_>, magnitude: &Value) -> Value {
    let total = builder.graph.sum(magnitude);
    builder.graph.at_least(&total, f32::MIN_POSITIVE)
}
