//! Import of weights from safetensors files of Keras and PyTorch.
#![no_main]

use std::sync::LazyLock;

use cantus_fuzz::files::check_message;
use cantus_fuzz::model::model;
use cantus_nn::Network;

static NETWORK: LazyLock<Network> = LazyLock::new(|| model().network);

/// A header with the names of Keras and one with those of PyTorch, each with data.
fn seeds() -> Vec<Vec<u8>> {
    let names = [("dense/kernel:0", "dense/bias:0"), ("fc.weight", "fc.bias")];
    let header = |(kernel, bias)| {
        format!(
            r#"{{"{kernel}":{{"dtype":"F32","shape":[4,3],"data_offsets":[0,48]}},"{bias}":{{"dtype":"F32","shape":[3],"data_offsets":[48,60]}}}}"#
        )
    };
    names.map(|names| [header(names).as_bytes(), &[0; 60]].concat()).to_vec()
}

cantus_fuzz::target!(256, seeds: seeds(), |bytes| {
    let mut network = Network::new(NETWORK.architecture(), 0).expect("a valid architecture");
    // With the length of the header in front, which a mutation would rarely match.
    let header = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let length = (header as u64).to_le_bytes();
    for file in [bytes.to_vec(), [&length, bytes].concat()] {
        if let Err(error) = network.import_weights(&file) {
            check_message(&error);
        }
    }
});
