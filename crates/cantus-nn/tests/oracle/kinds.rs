//! Which kinds of layers a network has, those within blocks included.

use std::collections::BTreeSet;

use cantus_nn::LayerSpec;

/// How many kinds there are, without Average, which is not trained: a test of the layer compares it with its branches.
pub const N: usize = 23;

pub fn kinds(layers: &[LayerSpec]) -> BTreeSet<&'static str> {
    let mut all = BTreeSet::new();
    for layer in layers {
        all.insert(layer.kind());
        match layer {
            LayerSpec::Bidirectional(both) => all.extend(kinds(std::slice::from_ref(&both.layer))),
            LayerSpec::TimeDistributed(each) => all.extend(kinds(std::slice::from_ref(&each.layer))),
            LayerSpec::Residual(block) => all.extend(kinds(&block.layers)),
            _ => {}
        }
    }
    all
}
