//! Tests of exported graphs, run by tract, against the model's own predictions.

mod embedded;
mod embedding;
mod front_end;
mod layers;

use cantus_audio::feature::{ContrastConfig, FeatureKind, FeatureSpec, Segments};
use cantus_nn::{Architecture, Network, Tensor};
use tract_onnx::prelude::*;

use super::{Input, OnnxExport};
use crate::model::Provenance;
use crate::{Calibration, Model, Normalization};

const LABELS: usize = 3;
/// Largest allowed difference of a probability.
const TOLERANCE: f32 = 1e-4;

/// Pseudo-random numbers in [-1, 1).
fn noise(n: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

/// A specification of small segments.
fn spec(kinds: Vec<FeatureKind>) -> FeatureSpec {
    FeatureSpec {
        kinds,
        sample_rate: 8000,
        n_fft: 256,
        hop_length: 128,
        n_mels: 20,
        n_mfcc: 6,
        lifter: 5.0,
        // The default bands end above half of this sample rate.
        contrast: ContrastConfig { n_bands: 4, quantile: 0.1, ..ContrastConfig::default() },
        segments: Segments::Parts { track_duration_s: 0.4, n_segments: 1 },
        ..FeatureSpec::default()
    }
}

/// A network with random biases and moving statistics: their initial values, 0 and 1, would hide mistakes.
fn network(architecture: &Architecture) -> Network {
    let mut network = Network::new(architecture, 7).unwrap();
    let drawn = |(number, tensor): (usize, Tensor)| {
        let noise = noise(tensor.values.len(), number as u32);
        let last = tensor.name.rsplit('.').next().unwrap();
        let values = match last {
            "kernel" | "recurrent_kernel" => tensor.values,
            "moving_variance" => noise.iter().map(|x| x.abs() + 0.5).collect(),
            "gamma" => noise.iter().map(|x| 1.0 + 0.5 * x).collect(),
            _ => noise.iter().map(|x| 0.5 * x).collect(),
        };
        Tensor { values, ..tensor }
    };
    let weights: Vec<Tensor> = network.weights().into_iter().enumerate().map(drawn).collect();
    network.set_weights(&weights).unwrap();
    network
}

/// A model of some layers followed by a softmax layer, with probabilities that are neither certain nor uniform.
fn model(spec: &FeatureSpec, architecture: &Architecture) -> Model {
    let n_bins = spec.n_bins();
    Model {
        labels: ["a", "b", "c"].map(str::to_owned).to_vec(),
        features: spec.clone(),
        normalization: Normalization { mean: noise(n_bins, 1), deviation: vec![0.6; n_bins] },
        crops: None,
        calibration: Calibration { segment_temperature: 0.7, track_temperature: 1.6 },
        provenance: Provenance { recipe: "tried".to_owned(), ..Provenance::default() },
        network: network(architecture),
    }
}

fn architecture(input_shape: &[usize], layers: &str) -> Architecture {
    let text = format!(
        "input_shape = {input_shape:?}\n{layers}\n[[layers]]\ntype = 'Dense'\nunits = {LABELS}\nactivation = 'softmax'\n"
    );
    toml::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// A model of 26 frames of 6 MFCCs, of which a segment has 3200 samples.
pub(crate) fn small_model() -> Model {
    model(&spec(vec![FeatureKind::Mfcc]), &architecture(&[26, 6], "[[layers]]\ntype = 'Flatten'"))
}

/// The outputs of tract for a batch: the probabilities of the segments, and of the track.
///
/// Graphs with a front end are run without optimisation: the optimiser of tract 0.22 fails on overlapping slices ("running
/// pass PushSliceUp").
fn run(onnx: &[u8], input: Input, shape: &[usize], values: &[f32]) -> [Vec<f32>; 2] {
    let graph = tract_onnx::onnx().model_for_read(&mut &*onnx).unwrap();
    let graph = graph.with_input_fact(0, f32::fact(shape).into()).unwrap();
    let graph = match input {
        Input::Features => graph.into_optimized(),
        Input::Samples => graph.into_typed(),
    };
    let graph = graph.unwrap().into_runnable().unwrap();
    let input = tract_onnx::prelude::Tensor::from_shape(shape, values).unwrap();
    let outputs = graph.run(tvec!(input.into())).unwrap();
    [0, 1].map(|i| outputs[i].to_array_view::<f32>().unwrap().iter().copied().collect())
}

#[track_caller]
fn assert_close(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len(), "lengths");
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() <= TOLERANCE, "at {i}: {found}, expected {expected}");
    }
}

/// Asserts for segments whose input is `values` that graph and model predict the same, and that the predictions are neither all the same nor
/// all certain.
#[track_caller]
fn assert_predictions_equal(
    model: &Model,
    input: Input,
    values: &[f32],
    features: &[f32],
    n_segments: usize,
) {
    let onnx = OnnxExport { model, input }.to_bytes().unwrap();
    let expected = model.predict_segments(features).unwrap();
    let n_labels = model.labels.len();
    assert!(expected.iter().any(|p| (0.05..0.95).contains(p)), "all predictions are certain: {expected:?}");
    let spread = (0..n_labels).map(|label| {
        let of_label = || expected.iter().skip(label).step_by(n_labels).copied();
        of_label().fold(0.0, f32::max) - of_label().fold(1.0, f32::min)
    });
    assert!(spread.fold(0.0, f32::max) > 20.0 * TOLERANCE, "all predictions are the same: {expected:?}");
    let shape = [&[n_segments], &*input.shape(model)].concat();
    let [segments, track] = run(&onnx, input, &shape, values);
    assert_close(&segments, &expected);
    let uncalibrated = model.predict_uncalibrated(features).unwrap();
    let expected = model.aggregate(&uncalibrated.chunks_exact(n_labels).collect::<Vec<_>>());
    assert_close(&track, &expected.iter().map(|&p| p as f32).collect::<Vec<_>>());
}

/// The same for three segments of random features.
#[track_caller]
fn assert_equal_for_noise(model: &Model) {
    let (n_frames, n_bins) = (model.features.frames_per_segment(), model.features.n_bins());
    let segments = noise(3 * n_frames * n_bins, 99);
    assert_predictions_equal(model, Input::Features, &segments, &segments, 3);
}
