//! Import of weights from Keras 3 or PyTorch, in a safetensors file.
//!
//! A safetensors file has named tensors but not their order. So layers are recognised by their tensors, and those of one
//! family (dense, convolution, LSTM, …) are sorted by the numbers in their names: `dense`, `dense_1`,
//! `dense_2`; `0`, `3`, `4`; `fc1`, `fc2`; `lstm.weight_ih_l0`, `…_l1`. The first one of a family is assigned to the
//! network's first one, and so on. Names without an order, such as `hidden` and `out`, are rejected. If all layers of a family
//! have the names that they have in the network (`layers.3.weight`, `layers.3.kernel`), they are matched by name.
//!
//! | here and in Keras | Keras, layout | PyTorch | conversion from PyTorch |
//! |---|---|---|---|
//! | Dense `kernel` | `[in, out]` | `weight [out, in]` | transposed; after a Flatten of an image also from channels first to channels last |
//! | Conv2D `kernel` | `[height, width, in, out]` | `weight [out, in, height, width]` | axes moved |
//! | SimpleRNN, LSTM, GRU `kernel` | `[in, gates × units]` | `weight_ih [gates × units, in]` | transposed; GRU's gates from r, z, n to z, r, h |
//! | … `recurrent_kernel` | `[units, gates × units]` | `weight_hh [gates × units, units]` | the same |
//! | … `bias` | `[gates × units]`; GRU `[2, 3 units]` | `bias_ih`, `bias_hh` | summed; for GRU both are kept, gates as above |
//! | normalisations `gamma`, `beta` | `[channels]` | `weight`, `bias` | |
//! | BatchNormalization `moving_mean`, `moving_variance` | `[channels]` | `running_mean`, `running_var` | |
//!
//! Both have the gates of an LSTM in the order i, f, g, o (Keras calls g the candidate c). A layer without bias gets zeros, a normalisation
//! without scale ones. PyTorch's stacked and bidirectional recurrent layers are separate layers here.
//!
//! What is not part of the weights must be correct in the architecture: activations, `epsilon` of a normalisation (PyTorch 1e-5, Keras 1e-3).
//! PyTorch's images are `[channels, height, width]`, ours `[height, width, channels]`.
//!
//! To write such a file:
//!
//! ```python
//! safetensors.torch.save_file(model.state_dict(), "weights.safetensors")  # PyTorch
//! safetensors.numpy.save_file({w.path: w.numpy() for w in model.weights}, "weights.safetensors")  # Keras
//! ```

mod file;
mod layout;

use file::{Family, Group};
use layout::TargetTensor;

use crate::error::Error;
use crate::network::Network;
use crate::sequential::Sequential;
use crate::tensor::Tensor;

impl Network {
    /// Replaces all weights by those of a safetensors file from Keras 3, PyTorch or this crate.
    ///
    /// Layers are matched by family and order, and layouts are converted. The table is at the head of `import/mod.rs`.
    ///
    /// # Errors
    /// If these are not the bytes of a safetensors file of f32 or f64 numbers; if its layers differ from the network's or have no
    /// order; if a tensor has the wrong shape; or if the network averages others ([`Average`](crate::layer::Average)). Nothing is replaced then.
    pub fn import_weights(&mut self, safetensors: &[u8]) -> Result<(), Error> {
        if self.model.check_trainable().is_err() {
            return Err(problem("import the weights of each network before they are averaged"));
        }
        let theirs = file::read(safetensors)?;
        let ours = file::groups(self.weights())?;
        let mut tensors = Vec::new();
        for family in Family::ALL {
            let of_family = |groups: &[Group]| -> Vec<Group> {
                groups.iter().filter(|group| group.family == family).cloned().collect()
            };
            let (ours, theirs) = (of_family(&ours), of_family(&theirs));
            if ours.len() != theirs.len() {
                let names = |groups: &[Group]| {
                    groups.iter().map(|group| group.name.clone()).collect::<Vec<_>>().join(", ")
                };
                return Err(problem(format!(
                    "the file has {} {family} layers ({}), the network {} ({})",
                    theirs.len(),
                    names(&theirs),
                    ours.len(),
                    names(&ours)
                )));
            }
            for (ours, theirs) in ours.iter().zip(in_order_of(&ours, theirs)?) {
                let flattened = flattened_image(&self.model, &ours.name);
                for (leaf, tensor) in &ours.tensors {
                    let target =
                        TargetTensor { name: &tensor.name, family, leaf, shape: &tensor.shape, flattened };
                    let values = layout::convert(&target, &theirs)?;
                    tensors.push(Tensor { name: tensor.name.clone(), shape: tensor.shape.clone(), values });
                }
            }
        }
        self.set_weights(&tensors)
    }
}

/// The file's layers in the order of the network's: by name if all names match, otherwise by number.
fn in_order_of(ours: &[Group], mut theirs: Vec<Group>) -> Result<Vec<Group>, Error> {
    let named = |group: &Group| theirs.iter().find(|theirs| theirs.name == group.name).cloned();
    if let Some(by_name) = ours.iter().map(named).collect() {
        return Ok(by_name);
    }
    file::sort(&mut theirs)?;
    Ok(theirs)
}

fn problem(problem: impl Into<String>) -> Error {
    Error::Import { problem: problem.into() }
}

/// Height, width and channels, if the input of the layer called `name` is a flattened image, whose channels are first in PyTorch.
fn flattened_image(model: &Sequential, name: &str) -> Option<[usize; 3]> {
    let own =
        |path: &str| name.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    let at = model.layers.iter().position(|built| own(&built.path))?;
    let keeps_order = |kind| {
        matches!(
            kind,
            "Dropout" | "GaussianNoise" | "Activation" | "BatchNormalization" | "LayerNormalization"
        )
    };
    let before = model.layers[..at].iter().rposition(|built| !keeps_order(built.kind))?;
    if model.layers[before].kind != "Flatten" {
        return None;
    }
    let input = match before {
        0 => &model.input_shape,
        _ => model.layers[before - 1].layer.output_shape(),
    };
    input.try_into().ok()
}
