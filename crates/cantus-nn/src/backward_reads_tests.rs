//! Training fails if a layer's `backward_reads` omits a buffer that its backward pass reads.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::activation::Activation;
use crate::error::Error;
use crate::examples::InMemory;
use crate::layer::{
    BackwardReads, BatchContext, BatchReduction, BufferSizes, ForwardCache, GradientIo, Layer, Parameter,
    Weights,
};
use crate::network::Network;
use crate::testing::noise;
use crate::train::Training;

/// A layer that declares, wrongly, that its backward pass reads neither input nor output.
#[derive(Debug)]
struct Undeclared(Box<dyn Layer>);

impl Layer for Undeclared {
    fn output_shape(&self) -> &[usize] {
        self.0.output_shape()
    }

    fn parameters(&self) -> Vec<Parameter> {
        self.0.parameters()
    }

    fn buffer_sizes(&self) -> BufferSizes {
        self.0.buffer_sizes()
    }

    fn n_derived(&self) -> usize {
        self.0.n_derived()
    }

    fn derive(&self, weights: &[f32], derived: &mut [f32]) {
        self.0.derive(weights, derived);
    }

    fn forward(
        &self,
        context: &BatchContext,
        weights: Weights<'_>,
        x: &[f32],
        y: &mut [f32],
        cache: ForwardCache<'_>,
    ) {
        self.0.forward(context, weights, x, y, cache);
    }

    fn backward(
        &self,
        context: &BatchContext,
        weights: Weights<'_>,
        io: GradientIo<'_>,
        gradient: &mut [f32],
        cache: ForwardCache<'_>,
    ) {
        self.0.backward(context, weights, io, gradient, cache);
    }

    fn backward_reads(&self) -> BackwardReads {
        BackwardReads::NEITHER
    }

    fn last_activation(&self) -> Activation {
        self.0.last_activation()
    }

    fn selects(&self) -> bool {
        self.0.selects()
    }

    fn prefers_many_rows(&self) -> bool {
        self.0.prefers_many_rows()
    }

    fn batch_reduction(&self) -> Option<BatchReduction<'_>> {
        self.0.batch_reduction()
    }
}

const DENSE: &str = r#"{ type = "Dense", units = 3, activation = "tanh" }"#;
const SEQUENCE: &str = r#"{ type = "Reshape", target_shape = [30, 3] }"#;

/// A network with the layer before a batch normalisation, so that its backward pass follows the forward pass of all examples.
fn network(before: &[&str], layer: &str) -> Network {
    let layers = [before, &[layer]].concat().join(", ");
    let text = format!(
        r#"input_shape = [6, 5, 3]
        layers = [
            {layers},
            {{ type = "Flatten" }},
            {{ type = "BatchNormalization" }},
            {{ type = "Dense", units = 2, activation = "softmax" }},
        ]"#
    );
    Network::new(&toml::from_str(&text).unwrap(), 1).unwrap()
}

fn fit(network: &mut Network) -> Result<(), Error> {
    let (inputs, classes) = (noise(20 * 90, 2), (0..20).map(|i| i % 2).collect::<Vec<_>>());
    let train = InMemory::classes(&inputs, &classes);
    let training = Training { n_threads: 1, ..Training::default() };
    network.fit(&train, None, &training, |_| ControlFlow::Continue(())).map(drop)
}

/// Trains with the correct declaration, which must succeed, and with the wrong one, which must not.
#[track_caller]
fn assert_detected(before: &[&str], layer: &str) {
    assert_eq!(fit(&mut network(before, layer)), Ok(()), "{layer}");
    let mut network = network(before, layer);
    let place = before.len();
    let layers = &mut network.model.layers;
    let shape = place.checked_sub(1).map_or(vec![6, 5, 3], |last| layers[last].layer.output_shape().to_vec());
    let declared = network.architecture.layers[place].build(&shape, "").unwrap();
    let reads = BackwardReads::of(&*declared, false);
    assert_ne!(reads, BackwardReads::NEITHER, "{layer} has nothing to declare");
    layers[place].layer = Box::new(Undeclared(declared));
    let outcome = catch_unwind(AssertUnwindSafe(|| fit(&mut network)));
    assert!(!matches!(outcome, Ok(Ok(()))), "the missing declaration of {layer} is not detected");
}

#[test]
fn an_incomplete_declaration_ends_every_training() {
    let with_weights = [
        r#"{ type = "Conv2D", filters = 2, kernel_size = [2, 2] }"#,
        r#"{ type = "Dense", units = 4 }"#,
        r#"{ type = "LayerNormalization" }"#,
        r#"{ type = "Residual", layers = [{ type = "Dense", units = 3 }] }"#,
        r#"{ type = "TimeDistributed", layer = { type = "Dense", units = 4 } }"#,
    ];
    let others = [
        r#"{ type = "Activation", activation = "gelu" }"#,
        r#"{ type = "MaxPool2D" }"#,
        r#"{ type = "RandomFourierFeatures", units = 8 }"#,
    ];
    for layer in with_weights.iter().chain(&others) {
        assert_detected(&[DENSE], layer);
    }
    assert_detected(&[DENSE, SEQUENCE], r#"{ type = "StatisticsPooling1D", scales = [1, 4] }"#);
    // Without a gradient of the input, that of the weights must show it.
    for layer in with_weights {
        assert_detected(&[], layer);
    }
}
