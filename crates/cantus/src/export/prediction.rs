//! The graph from features to calibrated probabilities of segments and of their track, as in [`Model::predict_segments`].

use cantus_nn::Architecture;

use super::graph::{Graph, Value};
use super::{ExportError, layers};
use crate::{Crops, Error, Model, Normalization, Task};

/// Smaller probabilities are raised to this value, as in [`Calibration`](crate::Calibration).
const MIN_PROBABILITY: f32 = 1e-12;

/// Features as extracted, `[batch, n_frames, n_bins]`, to the graph's outputs.
pub(super) fn predictions(graph: &mut Graph, model: &Model, features: &Value) -> Result<(), Error> {
    let normalised = normalise(graph, &model.normalization, features);
    let predictions = match model.crops {
        None => network(graph, model, &normalised)?,
        Some(crops) => {
            let cropped = cut_crops(graph, crops, model.features.frames_per_segment(), &normalised);
            let predictions = network(graph, model, &cropped)?; // [batch * n_crops, n_labels]
            let of_segments =
                graph.reshape(&predictions, &[-1, crops.n_crops as i64, model.labels.len() as i64]);
            graph.mean(&of_segments, &[1], false)
        }
    };
    let (labels, n_labels) = (model.labels.join(", "), model.labels.len());
    let segments = at_temperature(graph, &predictions, model.calibration.segment_temperature, model.task());
    graph.output(segments, "probabilities", &["batch".into(), n_labels.into()], &labels);
    // The mean is taken over uncalibrated probabilities, as in `cantus predict`.
    let mean = graph.mean(&predictions, &[0], false);
    let track = at_temperature(graph, &mean, model.calibration.track_temperature, model.task());
    graph.output(track, "track_probabilities", &[n_labels.into()], &labels);
    Ok(())
}

/// Features as extracted, `[batch, n_frames, n_bins]`, to the output of the network's last hidden layer, `[batch, size]`; of
/// crops, the mean.
///
/// # Errors
/// Those of [`embedding_shape`], and of layers that cannot be exported.
pub(super) fn embedding(graph: &mut Graph, model: &Model, features: &Value, name: &str) -> Result<(), Error> {
    let size: usize = embedding_shape(model)?.iter().product();
    let normalised = normalise(graph, &model.normalization, features);
    let hidden = match model.crops {
        None => {
            let input = as_input(graph, model, &normalised);
            let hidden = layers::without_last(graph, &model.network, &input)?;
            graph.reshape(&hidden, &[-1, size as i64])
        }
        Some(crops) => {
            let cropped = cut_crops(graph, crops, model.features.frames_per_segment(), &normalised);
            let input = as_input(graph, model, &cropped);
            let hidden = layers::without_last(graph, &model.network, &input)?;
            let of_segments = graph.reshape(&hidden, &[-1, crops.n_crops as i64, size as i64]);
            graph.mean(&of_segments, &[1], false)
        }
    };
    graph.output(hidden, name, &["batch".into(), size.into()], "values of the last hidden layer");
    Ok(())
}

/// Shape of the network's last hidden layer.
///
/// # Errors
/// [`ExportError::NoHiddenLayer`] if there is none.
pub(super) fn embedding_shape(model: &Model) -> Result<Vec<usize>, Error> {
    let Architecture { input_shape, layers } = model.network.architecture();
    let hidden = layers.len().saturating_sub(1);
    if hidden == 0 {
        return Err(ExportError::NoHiddenLayer.into());
    }
    let shape =
        layers[..hidden].iter().try_fold(input_shape.clone(), |shape, layer| layer.output_shape(&shape));
    Ok(shape?)
}

/// Subtracts the mean and divides by the deviation of each bin.
fn normalise(graph: &mut Graph, normalization: &Normalization, features: &Value) -> Value {
    let Normalization { mean, deviation } = normalization;
    let (mean, deviation) = (graph.floats(&[mean.len()], mean), graph.floats(&[deviation.len()], deviation));
    let centred = graph.node("Sub", [features, &mean]);
    graph.node("Div", [&centred, &deviation])
}

/// The crops of each segment, `[batch, n_crops, crops.n_frames, n_bins]`.
fn cut_crops(graph: &mut Graph, crops: Crops, n_frames: usize, segments: &Value) -> Value {
    let crop = |number: usize| {
        let first = crops.first_frame(number, n_frames);
        let frames = graph.slice(segments, 1, first..first + crops.n_frames);
        graph.unsqueeze(&frames, 1)
    };
    let all = (0..crops.n_crops).map(crop).collect();
    graph.concat(all, 1)
}

/// Network outputs `[n, n_labels]` for n segments or crops `[..., n_frames, n_bins]`.
fn network(graph: &mut Graph, model: &Model, segments: &Value) -> Result<Value, Error> {
    let input = as_input(graph, model, segments);
    layers::network(graph, &model.network, &input)
}

/// Segments or crops `[..., n_frames, n_bins]` in the shape of the network's input.
fn as_input(graph: &mut Graph, model: &Model, segments: &Value) -> Value {
    let shape: Vec<i64> = model.network.input_shape().iter().map(|&size| size as i64).collect();
    graph.reshape(segments, &[&[-1], &shape[..]].concat())
}

/// Temperature scaling along the last axis: p^(1/T), renormalised to a sum of 1; for tags, each odds p / (1 - p) to the
/// power 1/T.
fn at_temperature(graph: &mut Graph, probabilities: &Value, temperature: f32, task: Task) -> Value {
    if temperature == 1.0 {
        return probabilities.clone();
    }
    if task == Task::Tagging {
        let one = graph.number(1.0);
        let rest = graph.node("Sub", [&one, probabilities]);
        let [yes, no] = [probabilities, &rest].map(|p| {
            let clamped = graph.at_least(p, MIN_PROBABILITY);
            graph.node("Log", [&clamped])
        });
        let log_odds = graph.node("Sub", [&yes, &no]);
        let scaled = graph.times(&log_odds, 1.0 / temperature);
        return graph.node("Sigmoid", [&scaled]);
    }
    let clamped = graph.at_least(probabilities, MIN_PROBABILITY);
    let logarithm = graph.node("Log", [&clamped]);
    let scaled = graph.times(&logarithm, 1.0 / temperature);
    graph.softmax(&scaled)
}
