//! The embedding model of a network, run by tract, against the network's last hidden layer.

use cantus_nn::{Architecture, Network, Tensor};
use tract_onnx::prelude::*;

use super::{architecture, assert_close, model, noise, small_model, spec};
use crate::export::EmbeddingExport;
use crate::{Crops, Model};
use cantus_audio::feature::FeatureKind;

/// The values of the last hidden layer of each segment, by `cantus-nn`; of crops, their mean.
fn hidden(model: &Model, features: &[f32]) -> Vec<f32> {
    let Architecture { input_shape, mut layers } = model.network.architecture().clone();
    let output = format!("layers.{}.", layers.len() - 1);
    layers.pop();
    let is_hidden = |tensor: &Tensor| !tensor.name.starts_with(&output);
    let weights: Vec<Tensor> = model.network.weights().into_iter().filter(is_hidden).collect();
    let network = Network::with_weights(&Architecture { input_shape, layers }, &weights).unwrap();
    let mut normalised = features.to_vec();
    model.normalization.apply(&mut normalised);
    let Some(crops) = model.crops else { return network.predict(&normalised).unwrap() };
    let (n_frames, n_bins) = (model.features.frames_per_segment(), model.features.n_bins());
    let n_crops = normalised.len() / (n_frames * n_bins) * crops.n_crops;
    let size: usize = network.output_shape().iter().product();
    let of_crops = network.predict(&crops.cut(&normalised, n_frames, n_bins, 0..n_crops)).unwrap();
    crate::crops::mean_over_crops(&of_crops, crops.n_crops, size)
}

#[track_caller]
fn assert_embedding_equals(model: &Model) {
    let n_samples = model.features.segment_samples();
    let samples = noise(2 * n_samples, 5);
    let mut extractor = model.features.extractor().unwrap();
    let features: Vec<f32> =
        samples.chunks_exact(n_samples).flat_map(|segment| extractor.extract(segment).values).collect();
    let export = EmbeddingExport { model };
    let description = export.description("small").unwrap();
    description.validate().unwrap();
    assert_eq!(description.patch.length, n_samples);
    let graph = onnx().model_for_read(&mut &*export.to_bytes().unwrap()).unwrap();
    let graph = graph.with_input_fact(0, f32::fact([2, n_samples]).into()).unwrap();
    let graph = graph.into_typed().unwrap().into_runnable().unwrap();
    let input = tract_onnx::prelude::Tensor::from_shape(&[2, n_samples], &samples).unwrap();
    let outputs = graph.run(tvec!(input.into())).unwrap();
    assert_eq!(outputs[0].shape(), [2, description.output.size]);
    let found: Vec<f32> = outputs[0].to_array_view::<f32>().unwrap().iter().copied().collect();
    let expected = hidden(model, &features);
    assert!(expected.iter().any(|value| value.abs() > 0.1), "all values are nearly 0");
    assert_close(&found, &expected);
}

const HIDDEN: &str =
    "[[layers]]\ntype = 'Flatten'\n[[layers]]\ntype = 'Dense'\nunits = 7\nactivation = 'tanh'";

#[test]
fn an_embedding_is_the_last_hidden_layer_of_a_segment() {
    assert_embedding_equals(&model(&spec(vec![FeatureKind::Mfcc]), &architecture(&[26, 6], HIDDEN)));
}

#[test]
fn an_embedding_of_crops_is_their_mean() {
    let crops = Some(Crops { n_frames: 20, n_crops: 3 });
    let whole = model(&spec(vec![FeatureKind::Mfcc]), &architecture(&[20, 6], HIDDEN));
    assert_embedding_equals(&Model { crops, ..whole });
}

#[test]
fn a_network_without_a_hidden_layer_gives_no_embedding() {
    let mut model = small_model();
    let Architecture { input_shape, mut layers } = model.network.architecture().clone();
    layers.remove(0);
    let flat = Architecture { input_shape: vec![input_shape.iter().product()], layers };
    model.network = Network::new(&flat, 0).unwrap();
    let error = EmbeddingExport { model: &model }.description("none").unwrap_err().to_string();
    assert!(error.contains("no layer before its output layer"), "{error}");
}
