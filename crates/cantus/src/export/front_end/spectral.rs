//! Spectral features and MFCC deltas in the graph, frame by frame: `[batch, n_frames, ...]`.

use cantus_audio::feature::delta::Delta;

use super::sound::Sound;
use crate::export::graph::Value;

/// The spectrogram in dB; its minimum power is the square of the minimum amplitude.
pub(super) fn level(sound: &mut Sound<'_>) -> Value {
    let power = sound.power();
    sound.decibel(&power)
}

/// Centre of mass of the spectrum, in Hz.
pub(super) fn centroid(sound: &mut Sound<'_>) -> Value {
    let magnitude = sound.magnitude();
    let (n_bins, hertz) = (sound.n_bins(), hertz(sound));
    let hertz = sound.graph.floats(&[n_bins, 1], &hertz);
    let weighted = sound.graph.node("MatMul", [&magnitude, &hertz]);
    let total = total(sound, &magnitude);
    sound.graph.node("Div", [&weighted, &total])
}

/// Spread of the spectrum about its centroid.
pub(super) fn bandwidth(sound: &mut Sound<'_>) -> Value {
    let (magnitude, centroid) = (sound.magnitude(), centroid(sound));
    let (n_bins, hertz, config) = (sound.n_bins(), hertz(sound), sound.spec.bandwidth);
    let hertz = sound.graph.floats(&[n_bins], &hertz);
    let distance = sound.graph.node("Sub", [&hertz, &centroid]);
    let distance = sound.graph.node("Abs", [&distance]);
    let distance = sound.raise(&distance, config.p);
    let weighted = sound.graph.node("Mul", [&magnitude, &distance]);
    let mut spread = sound.graph.sum(&weighted);
    if config.norm {
        let total = total(sound, &magnitude);
        spread = sound.graph.node("Div", [&spread, &total]);
    }
    sound.raise(&spread, 1.0 / config.p)
}

/// Roll-off: the lowest frequency below which a share of the spectrum lies, as the number of bins below it.
pub(super) fn rolloff(sound: &mut Sound<'_>) -> Value {
    let magnitude = sound.magnitude();
    let (n_bins, bin_hz, share) = (sound.n_bins(), sound.bin_hz(), sound.spec.rolloff.roll_percent);
    let graph = &mut *sound.graph;
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
pub(super) fn flatness(sound: &mut Sound<'_>) -> Value {
    let config = sound.spec.flatness;
    let strength = sound.raised(config.power);
    let graph = &mut *sound.graph;
    let strength = graph.at_least(&strength, config.amin);
    let mean = graph.mean(&strength, &[2], true);
    let (of_mean, logarithms) = (graph.node("Log", [&mean]), graph.node("Log", [&strength]));
    let mean_log = graph.mean(&logarithms, &[2], true);
    let quotient = graph.node("Sub", [&mean_log, &of_mean]);
    graph.node("Exp", [&quotient])
}

/// Euclidean distance of each spectrum from the previous one; 0 for the first.
pub(super) fn flux(sound: &mut Sound<'_>) -> Value {
    let magnitude = sound.magnitude();
    let n_frames = sound.spec.frames_per_segment();
    let graph = &mut *sound.graph;
    let first = graph.slice(&magnitude, 1, 0..1);
    let earlier = graph.slice(&magnitude, 1, 0..n_frames - 1);
    let before = graph.concat(vec![first, earlier], 1);
    let change = graph.node("Sub", [&magnitude, &before]);
    let squares = graph.node("Mul", [&change, &change]);
    let sum = graph.sum(&squares);
    graph.node("Sqrt", [&sum])
}

/// Deltas of the MFCCs by a matrix whose columns are the deltas of unit vectors.
pub(super) fn mfcc_delta(sound: &mut Sound<'_>, order: usize) -> Value {
    let mfcc = sound.mfcc();
    let n_frames = sound.spec.frames_per_segment();
    let mut units = vec![0.0; n_frames * n_frames];
    units.iter_mut().step_by(n_frames + 1).for_each(|unit| *unit = 1.0);
    let mut matrix = vec![0.0; n_frames * n_frames];
    Delta::new(sound.spec.delta.width, order).apply(&units, n_frames, matrix.chunks_exact_mut(n_frames));
    let matrix = sound.graph.floats(&[n_frames, n_frames], &matrix);
    sound.graph.node("MatMul", [&matrix, &mfcc])
}

fn hertz(sound: &Sound<'_>) -> Vec<f32> {
    (0..sound.n_bins()).map(|bin| (bin as f64 * sound.bin_hz()) as f32).collect()
}

/// The sum of each spectrum, raised above 0 to be used as a divisor.
fn total(sound: &mut Sound<'_>, magnitude: &Value) -> Value {
    let total = sound.graph.sum(magnitude);
    sound.graph.at_least(&total, f32::MIN_POSITIVE)
}
