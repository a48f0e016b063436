//! The layers of a weight file: their families and their order.

use std::collections::BTreeMap;
use std::fmt;

use safetensors::tensor::{Dtype, SafeTensors};

use super::problem;
use crate::error::Error;
use crate::tensor::Tensor;

/// Layers that have the same kinds of tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Dense,
    Conv2D,
    /// One gate.
    SimpleRnn,
    /// Three gates.
    Gru,
    /// Four gates.
    Lstm,
    BatchNormalization,
    LayerNormalization,
}

impl Family {
    pub(super) const ALL: [Self; 7] = [
        Self::Dense,
        Self::Conv2D,
        Self::SimpleRnn,
        Self::Gru,
        Self::Lstm,
        Self::BatchNormalization,
        Self::LayerNormalization,
    ];

    /// The family of a layer with these tensors.
    fn of(tensors: &BTreeMap<String, Tensor>) -> Option<Self> {
        let shape = |names: [&str; 2]| names.iter().find_map(|name| tensors.get(*name)).map(|t| &*t.shape);
        if let Some(&[a, b]) = shape(["recurrent_kernel", "weight_hh"]) {
            let (few, many) = (a.min(b).max(1), a.max(b));
            return match many / few {
                1 => Some(Self::SimpleRnn),
                3 => Some(Self::Gru),
                4 => Some(Self::Lstm),
                _ => None,
            };
        }
        if shape(["moving_mean", "running_mean"]).is_some() {
            return Some(Self::BatchNormalization);
        }
        match shape(["kernel", "weight"]).map(<[usize]>::len) {
            Some(2) => Some(Self::Dense),
            Some(4) => Some(Self::Conv2D),
            Some(1) => Some(Self::LayerNormalization),
            None => shape(["gamma", "beta"]).map(|_| Self::LayerNormalization),
            Some(_) => None,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SimpleRnn => "SimpleRNN",
            Self::Gru => "GRU",
            Self::Lstm => "LSTM",
            Self::Dense => "Dense",
            Self::Conv2D => "Conv2D",
            Self::BatchNormalization => "BatchNormalization",
            Self::LayerNormalization => "LayerNormalization",
        })
    }
}

/// The tensors of one layer.
#[derive(Debug, Clone)]
pub(super) struct Group {
    /// The common prefix of their names.
    pub(super) name: String,
    pub(super) family: Family,
    /// By the last component of their names.
    pub(super) tensors: BTreeMap<String, Tensor>,
}

/// The last parts of the names that Keras and PyTorch give to weights.
const WEIGHTS: [&str; 14] = [
    "kernel",
    "recurrent_kernel",
    "bias",
    "gamma",
    "beta",
    "moving_mean",
    "moving_variance",
    "weight",
    "running_mean",
    "running_var",
    "weight_ih",
    "weight_hh",
    "bias_ih",
    "bias_hh",
];

/// Tensors that are not weights.
const NO_WEIGHTS: [&str; 2] = ["num_batches_tracked", "seed_generator_state"];

/// The layers of a file, in no particular order.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Group>, Error> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| problem(error.to_string()))?;
    let mut tensors = Vec::new();
    for (name, view) in file.iter() {
        let leaf = split(name).1;
        if NO_WEIGHTS.contains(&&*leaf) {
            continue;
        }
        if !WEIGHTS.contains(&&*leaf) {
            return Err(problem(format!("{name} is no weight of a layer that can be imported")));
        }
        let values = match view.dtype() {
            Dtype::F32 => {
                view.data().as_chunks::<4>().0.iter().map(|word| f32::from_le_bytes(*word)).collect()
            }
            Dtype::F64 => {
                view.data().as_chunks::<8>().0.iter().map(|word| f64::from_le_bytes(*word) as f32).collect()
            }
            other => {
                return Err(problem(format!("{name} has numbers of type {other:?}; save it as float32")));
            }
        };
        tensors.push(Tensor { name: name.to_owned(), shape: view.shape().to_vec(), values });
    }
    groups(tensors)
}

/// Tensors by layer, in the order in which the layers first occur.
pub(super) fn groups(tensors: Vec<Tensor>) -> Result<Vec<Group>, Error> {
    let mut order: Vec<String> = Vec::new();
    let mut layers: BTreeMap<String, BTreeMap<String, Tensor>> = BTreeMap::new();
    for tensor in tensors {
        let (layer, leaf) = split(&tensor.name);
        if !layers.contains_key(&layer) {
            order.push(layer.clone());
        }
        layers.entry(layer).or_default().insert(leaf, tensor);
    }
    let group = |name: String| {
        let tensors = layers.remove(&name).unwrap_or_default();
        match Family::of(&tensors) {
            Some(family) => Ok(Group { name, family, tensors }),
            None => {
                let known = tensors.values().map(|t| format!("{} {:?}", t.name, t.shape)).collect::<Vec<_>>();
                Err(problem(format!("no known layer has {}", known.join(", "))))
            }
        }
    };
    order.into_iter().map(group).collect()
}

/// Layer and tensor of a name: `lstm/lstm_cell/kernel`, `layers.3.kernel`, and PyTorch's `lstm.weight_ih_l0_reverse`, whose layer is
/// `lstm.l0_reverse`.
fn split(name: &str) -> (String, String) {
    let name = name.strip_suffix(":0").unwrap_or(name);
    let (layer, leaf) = name.rsplit_once(['/', '.']).unwrap_or(("", name));
    let stacked = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"].iter().find_map(|start| {
        let layer_of_stack = leaf.strip_prefix(start)?.strip_prefix('_')?;
        Some((format!("{layer}.{layer_of_stack}"), (*start).to_owned()))
    });
    stacked.unwrap_or_else(|| (layer.to_owned(), leaf.to_owned()))
}

/// Sorts layers of one family by the numbers in their names.
pub(super) fn sort(groups: &mut [Group]) -> Result<(), Error> {
    let unordered = groups.windows(2).find(|pair| order_key(&pair[0].name).0 != order_key(&pair[1].name).0);
    if let Some([first, second]) = unordered {
        return Err(problem(format!(
            "the names {} and {} do not say which layer is first; number them, such as layers.0 and layers.1",
            first.name, second.name
        )));
    }
    groups.sort_by_key(|group| order_key(&group.name).1);
    Ok(())
}

/// A layer's name without its numbers and direction; and its sort key: the numbers in the name, then forward before backward.
fn order_key(name: &str) -> (String, (Vec<u64>, bool)) {
    let mut stem = String::new();
    let mut numbers = Vec::new();
    for part in name.split_inclusive(|c: char| !c.is_ascii_digit()) {
        let digits = part.trim_end_matches(|c: char| !c.is_ascii_digit());
        if let Ok(number) = digits.parse() {
            numbers.push(number);
            stem.truncate(stem.trim_end_matches('_').len());
        }
        stem.push_str(&part[digits.len()..]);
    }
    let backward = stem.contains("backward") || stem.contains("_reverse");
    let stem = stem.replace("backward", "forward").replace("_reverse", "");
    (stem, (numbers, backward))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(names: &[&str]) -> Vec<String> {
        let group =
            |name: &&str| Group { name: (*name).to_owned(), family: Family::Dense, tensors: BTreeMap::new() };
        let mut groups: Vec<Group> = names.iter().map(group).collect();
        sort(&mut groups).unwrap();
        groups.into_iter().map(|group| group.name).collect()
    }

    #[test]
    fn layers_are_sorted_by_the_numbers_in_their_names() {
        assert_eq!(sorted(&["dense_10", "dense_2", "dense"]), ["dense", "dense_2", "dense_10"]);
        assert_eq!(sorted(&["10", "2", "0"]), ["0", "2", "10"]);
        assert_eq!(sorted(&["net.fc2", "net.fc1"]), ["net.fc1", "net.fc2"]);
        assert_eq!(sorted(&["s/conv2d_1", "s/conv2d"]), ["s/conv2d", "s/conv2d_1"]);
        assert_eq!(
            sorted(&["rnn_1/lstm_cell", "rnn/lstm_cell", "rnn_2/lstm_cell"]),
            ["rnn/lstm_cell", "rnn_1/lstm_cell", "rnn_2/lstm_cell"]
        );
    }

    #[test]
    fn the_backward_direction_comes_after_the_forward_one() {
        assert_eq!(
            sorted(&["r.l1_reverse", "r.l0_reverse", "r.l1", "r.l0"]),
            ["r.l0", "r.l0_reverse", "r.l1", "r.l1_reverse"]
        );
        assert_eq!(
            sorted(&["b_1/forward_lstm", "b/backward_lstm", "b/forward_lstm", "b_1/backward_lstm"]),
            ["b/forward_lstm", "b/backward_lstm", "b_1/forward_lstm", "b_1/backward_lstm"]
        );
    }

    #[test]
    fn names_are_split_into_layer_and_tensor() {
        let cases = [
            ("sequential/lstm/lstm_cell/kernel", "sequential/lstm/lstm_cell", "kernel"),
            ("dense/kernel:0", "dense", "kernel"),
            ("layers.3.kernel", "layers.3", "kernel"),
            ("lstm.weight_ih_l0_reverse", "lstm.l0_reverse", "weight_ih"),
            ("0.running_var", "0", "running_var"),
            ("weight", "", "weight"),
        ];
        for (name, layer, leaf) in cases {
            assert_eq!(split(name), (layer.to_owned(), leaf.to_owned()), "{name}");
        }
    }
}
