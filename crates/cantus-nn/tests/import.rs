//! Networks with weights imported from Keras 3 and PyTorch have the outputs of the original models.
//!
//! `tests/reference/import.py` made the weights, inputs and outputs.

#![expect(clippy::unwrap_used, reason = "a failed precondition fails the test")]

use cantus_nn::{Architecture, Network};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView, serialize};

fn file(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/import");
    std::fs::read(format!("{folder}/{name}.safetensors")).unwrap()
}

fn tensor(name: &str) -> Vec<f32> {
    let bytes = file("answers");
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    tensors.tensor(name).unwrap().data().as_chunks::<4>().0.iter().map(|x| f32::from_le_bytes(*x)).collect()
}

fn network(architecture: &str) -> Network {
    let architecture: Architecture = toml::from_str(architecture).unwrap();
    Network::new(&architecture, 0).unwrap()
}

/// Both frameworks and we compute in f32, in different orders: outputs may differ by 1e-5.
#[track_caller]
fn assert_equal_outputs(name: &str, architecture: &str) {
    let mut network = network(architecture);
    network.import_weights(&file(name)).unwrap();
    let outputs = network.predict(&tensor(&format!("{name}.inputs"))).unwrap();
    let expected = tensor(&format!("{name}.outputs"));
    assert_eq!(outputs.len(), expected.len());
    for (i, (ours, theirs)) in outputs.iter().zip(&expected).enumerate() {
        assert!((ours - theirs).abs() < 1e-5, "{name} at {i}: {ours}, expected {theirs}");
    }
}

const TORCH_MLP: &str = r#"input_shape = [2, 3]
    layers = [
        { type = "Flatten" },
        { type = "Dense", units = 5, activation = "tanh" },
        { type = "Dense", units = 4, activation = "tanh" },
        { type = "Dense", units = 2, activation = "softmax" },
    ]"#;

#[test]
fn perceptrons_equal_keras_and_pytorch() {
    let hidden = |units| format!(r#"{{ type = "Dense", units = {units}, activation = "tanh" }},"#);
    let hidden = [5, 4, 5, 4, 5, 4, 5, 4, 5, 4, 5].map(hidden).concat();
    let keras = format!(
        r#"input_shape = [2, 3]
        layers = [{{ type = "Flatten" }}, {hidden} {{ type = "Dense", units = 2, activation = "softmax" }}]"#
    );
    assert_equal_outputs("keras_mlp", &keras);
    assert_equal_outputs("torch_mlp", TORCH_MLP);
}

#[test]
fn convolutional_networks_equal_keras_and_pytorch() {
    assert_equal_outputs(
        "keras_cnn",
        r#"input_shape = [9, 8, 2]
        layers = [
            { type = "Conv2D", filters = 3, kernel_size = [3, 2], activation = "relu" },
            { type = "BatchNormalization" },
            { type = "MaxPool2D", pool_size = [2, 2] },
            { type = "Conv2D", filters = 4, kernel_size = [2, 2], activation = "relu" },
            { type = "BatchNormalization" },
            { type = "Flatten" },
            { type = "Dense", units = 5, activation = "relu" },
            { type = "Dropout", rate = 0.3 },
            { type = "Dense", units = 3, activation = "softmax" },
        ]"#,
    );
    assert_equal_outputs(
        "torch_cnn",
        r#"input_shape = [9, 8, 2]
        layers = [
            { type = "Conv2D", filters = 3, kernel_size = [3, 2], activation = "relu" },
            { type = "BatchNormalization" },
            { type = "MaxPool2D", pool_size = [2, 2] },
            { type = "Conv2D", filters = 4, kernel_size = [2, 2], activation = "relu" },
            { type = "BatchNormalization" },
            { type = "Flatten" },
            { type = "BatchNormalization" },
            { type = "Dense", units = 5, activation = "relu" },
            { type = "Dropout", rate = 0.3 },
            { type = "Dense", units = 3, activation = "softmax" },
        ]"#,
    );
}

#[test]
fn recurrent_networks_equal_keras_and_pytorch() {
    for (name, kind) in [("lstm", "LSTM"), ("gru", "GRU")] {
        let architecture = format!(
            r#"input_shape = [6, 4]
            layers = [
                {{ type = "{kind}", units = 5, return_sequences = true }},
                {{ type = "{kind}", units = 5 }},
                {{ type = "Dense", units = 3 }},
            ]"#
        );
        assert_equal_outputs(&format!("keras_{name}"), &architecture);
        assert_equal_outputs(&format!("torch_{name}"), &architecture);
    }
    let simple = r#"input_shape = [6, 4]
        layers = [{ type = "SimpleRNN", units = 5 }, { type = "Dense", units = 3 }]"#;
    assert_equal_outputs("keras_rnn", simple);
    assert_equal_outputs("torch_rnn", simple);
}

#[test]
fn bidirectional_networks_equal_keras_and_pytorch() {
    let lstm = r#"{ type = "Bidirectional", layer = { type = "LSTM", units = 5 } }"#;
    let dense = r#"{ type = "Dense", units = 3 }"#;
    assert_equal_outputs(
        "keras_bidirectional",
        &format!("input_shape = [6, 4]\nlayers = [{lstm}, {{ type = \"LayerNormalization\" }}, {dense}]"),
    );
    assert_equal_outputs("torch_bidirectional", &format!("input_shape = [6, 4]\nlayers = [{lstm}, {dense}]"));
}

#[test]
fn weights_of_this_crate_are_imported_too() {
    let architecture: Architecture = toml::from_str(
        r#"input_shape = [4, 6]
        layers = [
            { type = "Residual", layers = [{ type = "Dense", units = 6 }, { type = "LayerNormalization" }] },
            { type = "Bidirectional", layer = { type = "LSTM", units = 3, return_sequences = true } },
            { type = "MultiTimescaleLSTM", units = 2 },
            { type = "LayerNormalization" },
            { type = "Dense", units = 6 },
        ]"#,
    )
    .unwrap();
    let network_of = |seed| Network::new(&architecture, seed).unwrap();
    let (from, mut to) = (network_of(1), network_of(2));
    let tensors: Vec<_> = from.weights();
    let bytes: Vec<Vec<u8>> =
        tensors.iter().map(|tensor| tensor.values.iter().flat_map(|x| x.to_le_bytes()).collect()).collect();
    let views = tensors.iter().zip(&bytes).map(|(tensor, bytes)| {
        (&*tensor.name, TensorView::new(Dtype::F32, tensor.shape.clone(), bytes).unwrap())
    });
    to.import_weights(&serialize(views, None).unwrap()).unwrap();
    assert_eq!(from.weights(), to.weights());
}

#[test]
fn weights_that_do_not_fit_are_rejected_and_nothing_is_replaced() {
    let rejected = |architecture: &str, file: &[u8]| {
        let mut network = network(architecture);
        let before = network.weights();
        let error = network.import_weights(file).unwrap_err();
        assert_eq!(network.weights(), before);
        error
    };
    let wider = TORCH_MLP.replace("units = 4", "units = 7");
    let error = rejected(&wider, &file("torch_mlp"));
    let expected =
        "cannot import these weights: 3.weight has shape [4, 5], but for layers.2.kernel it must be [7, 5]";
    assert_eq!(error.to_string(), expected);

    let message = |architecture: &str, file: &[u8]| rejected(architecture, file).to_string();
    assert_eq!(
        message(TORCH_MLP, &file("keras_rnn")),
        "cannot import these weights: the file has 1 Dense layers (sequential_4/dense_16), the network 3 (layers.1, layers.2, layers.3)"
    );
    assert!(message(TORCH_MLP, b"no such file").starts_with("cannot import these weights: "));

    let named = |names: [&str; 3], dtype, bytes: &[u8]| {
        let views = names.map(|name| (name, TensorView::new(dtype, vec![2, 2], bytes).unwrap()));
        message(TORCH_MLP, &serialize(views, None).unwrap())
    };
    let names = ["hidden.weight", "out.weight", "between.weight"];
    assert!(named(names, Dtype::F32, &[0; 16]).contains("do not say which layer is first"));
    assert!(named(names, Dtype::F16, &[0; 8]).contains("numbers of type F16; save it as float32"));
    let projected = ["rnn.weight_ih_l0", "rnn.weight_hh_l0", "rnn.weight_hr_l0"];
    assert!(named(projected, Dtype::F32, &[0; 16]).contains("rnn.weight_hr_l0 is no weight of a layer"));
    let alone = ["0.weight", "1.weight", "2.bias"];
    assert!(named(alone, Dtype::F32, &[0; 16]).contains("no known layer has 2.bias [2, 2]"));
    let extra = ["0.weight", "1.weight", "2.weight"];
    assert!(
        named(extra, Dtype::F32, &[0; 16])
            .contains("0.weight has shape [2, 2], but for layers.1.kernel it must be [5, 6]")
    );
}

#[test]
fn a_damaged_file_never_panics() {
    let mut network = network(
        r#"input_shape = [6, 4]
        layers = [{ type = "SimpleRNN", units = 5 }, { type = "Dense", units = 3 }]"#,
    );
    let bytes = file("torch_rnn");
    for at in 0..bytes.len() {
        assert!(network.import_weights(&bytes[..at]).is_err(), "{at} bytes");
        for flip in [1, 8, 0x80] {
            let mut damaged = bytes.clone();
            damaged[at] ^= flip;
            // A flipped bit of a number is a number too.
            let _ = network.import_weights(&damaged);
        }
    }
}
