//! Onset strength in the graph: the increase of the mel bands' levels, `[batch, n_frames, 1]`.

use cantus_audio::feature::onset::{Aggregate, detrend};

use super::builder::FrontEndBuilder;
use crate::export::graph::{Attribute, Value};

/// Onset strength of each frame.
pub(super) fn strength(builder: &mut FrontEndBuilder<'_>) -> Value {
    let log_mel = builder.log_mel();
    let config = builder.spec.onset_config();
    let (n_frames, n_mels) = (builder.spec.frames_per_segment(), builder.spec.n_mels);
    let n_pairs = n_frames.saturating_sub(config.shift());
    let filtered = max_filter(builder, &log_mel, config.max_size);
    let graph = &mut *builder.graph;
    let before = graph.slice(&filtered, 1, 0..n_pairs);
    let now = graph.slice(&log_mel, 1, config.lag.min(n_frames)..(config.lag + n_pairs).min(n_frames));
    let change = graph.node("Sub", [&now, &before]);
    let rises = graph.node("Relu", [&change]);
    let rise = match config.aggregate {
        Aggregate::Mean => graph.mean(&rises, &[2], true),
        Aggregate::Median => {
            let upper = graph.greatest(&rises, n_mels / 2 + 1);
            let middle = graph.slice(&upper, 2, (n_mels - 1) / 2..n_mels / 2 + 1);
            graph.mean(&middle, &[2], true)
        }
    };
    let pads = graph.integers(&[0, (n_frames - n_pairs) as i64, 0, 0, 0, 0]);
    let strength = graph.node("Pad", [&rise, &pads]);
    if config.detrend { detrended(builder, &strength, n_frames) } else { strength }
}

/// Maximum filter over the bands. (Reflection at the ends adds no value that the window does not contain already.)
fn max_filter(builder: &mut FrontEndBuilder<'_>, log_mel: &Value, size: usize) -> Value {
    if size == 1 {
        return log_mel.clone();
    }
    let window = [
        ("kernel_shape", Attribute::sizes(&[size])),
        ("strides", Attribute::sizes(&[1])),
        ("pads", Attribute::sizes(&[size / 2, size - 1 - size / 2])),
    ];
    builder.graph.node_with("MaxPool", [log_mel], &window)
}

/// The detrending recursive filter as a matrix whose columns are its responses to unit impulses.
fn detrended(builder: &mut FrontEndBuilder<'_>, strength: &Value, n_frames: usize) -> Value {
    let mut response = vec![0.0; n_frames];
    response[0] = 1.0;
    detrend(&mut response);
    let row = |t: usize| (0..n_frames).map(move |from| t.checked_sub(from));
    let matrix: Vec<f32> =
        (0..n_frames).flat_map(row).map(|lag| lag.map_or(0.0, |lag| response[lag])).collect();
    let matrix = builder.graph.floats(&[n_frames, n_frames], &matrix);
    builder.graph.node("MatMul", [&matrix, strength])
}
