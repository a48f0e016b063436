//! What a false [`Layer::backward_reads`] comes to: no training with it ends well.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Training;
use crate::activation::Activation;
use crate::error::Error;
use crate::examples::InMemory;
use crate::layer::{BackwardReads, Flow, Layer, Meeting, Memory, Parameter, Pass, Tape, Weights};
use crate::network::Network;
use crate::testing::noise;

/// A layer that says that its backward pass reads neither input nor output.
#[derive(Debug)]
struct FalselyDeclared(Box<dyn Layer>);

impl Layer for FalselyDeclared {
    fn output_shape(&self) -> &[usize] {
        self.0.output_shape()
    }

    fn parameters(&self) -> Vec<Parameter> {
        self.0.parameters()
    }

    fn memory(&self) -> Memory {
        self.0.memory()
    }

    fn n_derived(&self) -> usize {
        self.0.n_derived()
    }

    fn derive(&self, weights: &[f32], derived: &mut [f32]) {
        self.0.derive(weights, derived);
    }

    fn forward(&self, pass: &Pass, weights: Weights<'_>, x: &[f32], y: &mut [f32], tape: Tape<'_>) {
        self.0.forward(pass, weights, x, y, tape);
    }

    fn backward(
        &self,
        pass: &Pass,
        weights: Weights<'_>,
        flow: Flow<'_>,
        gradient: &mut [f32],
        tape: Tape<'_>,
    ) {
        self.0.backward(pass, weights, flow, gradient, tape);
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

    fn wants_many_rows(&self) -> bool {
        self.0.wants_many_rows()
    }

    fn meeting(&self) -> Option<Meeting<'_>> {
        self.0.meeting()
    }
}

const DENSE: &str = r#"{ type = "Dense", units = 3, activation = "tanh" }"#;
const SEQUENCE: &str = r#"{ type = "Reshape", target_shape = [30, 3] }"#;

/// A network with a layer in front of a batch normalisation: its backward pass comes after all examples went forward.
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

/// Trains with a layer as it is, which succeeds, and falsely declared, which must not.
#[track_caller]
fn assert_noticed(before: &[&str], layer: &str) {
    assert_eq!(fit(&mut network(before, layer)), Ok(()), "{layer}");
    let mut network = network(before, layer);
    let place = before.len();
    let links = &mut network.chain.links;
    let shape = place.checked_sub(1).map_or(vec![6, 5, 3], |last| links[last].layer.output_shape().to_vec());
    let honest = network.architecture.layers[place].build(&shape, "").unwrap();
    let reads = BackwardReads::of(&*honest, false);
    assert_ne!(reads, BackwardReads::NEITHER, "{layer} has nothing to declare");
    links[place].layer = Box::new(FalselyDeclared(honest));
    let outcome = catch_unwind(AssertUnwindSafe(|| fit(&mut network)));
    assert!(!matches!(outcome, Ok(Ok(()))), "nobody noticed that {layer} declares too little");
}

#[test]
fn a_declaration_that_leaves_something_out_ends_every_training() {
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
        assert_noticed(&[DENSE], layer);
    }
    assert_noticed(&[DENSE, SEQUENCE], r#"{ type = "StatisticsPooling1D", scales = [1, 4] }"#);
    // Where no gradient of the input is wanted, that of the weights has to tell.
    for layer in with_weights {
        assert_noticed(&[], layer);
    }
}
