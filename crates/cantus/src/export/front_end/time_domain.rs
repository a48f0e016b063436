//! Time-domain features in the graph, frame by frame: `[batch, n_frames, 1]`.

use super::builder::FrontEndBuilder;
use crate::export::graph::{Attribute, Value};

/// Samples below minus this value count as negative: librosa's threshold.
const ZERO: f32 = 1e-10;

/// The largest sample of each frame.
pub(super) fn amplitude_envelope(builder: &mut FrontEndBuilder<'_>) -> Value {
    let padded = builder.padded();
    pool(builder, "MaxPool", &padded)
}

/// Root mean square of each frame.
pub(super) fn rms(builder: &mut FrontEndBuilder<'_>) -> Value {
    let padded = builder.padded();
    let squares = builder.graph.node("Mul", [&padded, &padded]);
    let mean = pool(builder, "AveragePool", &squares);
    builder.graph.node("Sqrt", [&mean])
}

/// One number for each frame of `[batch, n]`.
fn pool(builder: &mut FrontEndBuilder<'_>, op: &str, signal: &Value) -> Value {
    let window = [
        ("kernel_shape", Attribute::sizes(&[builder.spec.n_fft])),
        ("strides", Attribute::sizes(&[builder.spec.hop_length])),
    ];
    let channel = builder.graph.unsqueeze(signal, 1);
    let frames = builder.graph.node_with(op, [&channel], &window); // [batch, 1, n_frames]
    builder.graph.transpose(&frames, &[0, 2, 1])
}

/// Zero crossings per sample: the cumulative count at a frame's last sample minus that at its first. The padding has no
/// crossings.
pub(super) fn zero_crossing_rate(builder: &mut FrontEndBuilder<'_>) -> Value {
    let (n_samples, n_fft, padding) =
        (builder.spec.segment_samples(), builder.spec.n_fft, builder.padding() as i64);
    let starts: Vec<i64> =
        (0..builder.spec.frames_per_segment()).map(|t| (t * builder.spec.hop_length) as i64).collect();
    let ends: Vec<i64> = starts.iter().map(|start| start + n_fft as i64 - 1).collect();
    let graph = &mut *builder.graph;
    let least = graph.number(-ZERO);
    let negative = graph.node("Less", [builder.samples, &least]);
    let negative = graph.as_float(&negative);
    let (before, now) =
        (graph.slice(&negative, 1, 0..n_samples - 1), graph.slice(&negative, 1, 1..n_samples));
    let change = graph.node("Sub", [&now, &before]);
    let crossing = graph.node("Abs", [&change]);
    let pads = graph.integers(&[0, padding + 1, 0, padding]);
    let crossings = graph.node("Pad", [&crossing, &pads]);
    let axis = graph.integer(1);
    let so_far = graph.node("CumSum", [&crossings, &axis]);
    let (starts, ends) = (graph.integers(&starts), graph.integers(&ends));
    let along = [("axis", Attribute::Int(1))];
    let (from, to) = (
        graph.node_with("Gather", [&so_far, &starts], &along),
        graph.node_with("Gather", [&so_far, &ends], &along),
    );
    let count = graph.node("Sub", [&to, &from]);
    let rate = graph.times(&count, 1.0 / n_fft as f32);
    graph.unsqueeze(&rate, 2)
}
