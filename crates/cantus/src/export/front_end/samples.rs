//! Time-domain features in the graph, frame by frame: `[batch, n_frames, 1]`.

use super::sound::Sound;
use crate::export::graph::{Attribute, Value};

/// Samples below minus this value count as negative: librosa's threshold.
const ZERO: f32 = 1e-10;

/// The largest sample of each frame.
pub(super) fn amplitude_envelope(sound: &mut Sound<'_>) -> Value {
    let padded = sound.padded();
    pool(sound, "MaxPool", &padded)
}

/// Root mean square of each frame.
pub(super) fn rms(sound: &mut Sound<'_>) -> Value {
    let padded = sound.padded();
    let squares = sound.graph.node("Mul", [&padded, &padded]);
    let mean = pool(sound, "AveragePool", &squares);
    sound.graph.node("Sqrt", [&mean])
}

/// One number for each frame of `[batch, n]`.
fn pool(sound: &mut Sound<'_>, op: &str, signal: &Value) -> Value {
    let window = [
        ("kernel_shape", Attribute::sizes(&[sound.spec.n_fft])),
        ("strides", Attribute::sizes(&[sound.spec.hop_length])),
    ];
    let channel = sound.graph.unsqueeze(signal, 1);
    let frames = sound.graph.node_with(op, [&channel], &window); // [batch, 1, n_frames]
    sound.graph.transpose(&frames, &[0, 2, 1])
}

/// Zero crossings per sample: the cumulative count at a frame's last sample minus that at its first. The padding has no
/// crossings.
pub(super) fn zero_crossing_rate(sound: &mut Sound<'_>) -> Value {
    let (n_samples, n_fft, padding) =
        (sound.spec.segment_samples(), sound.spec.n_fft, sound.padding() as i64);
    let starts: Vec<i64> =
        (0..sound.spec.frames_per_segment()).map(|t| (t * sound.spec.hop_length) as i64).collect();
    let ends: Vec<i64> = starts.iter().map(|start| start + n_fft as i64 - 1).collect();
    let graph = &mut *sound.graph;
    let least = graph.number(-ZERO);
    let negative = graph.node("Less", [sound.samples, &least]);
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
