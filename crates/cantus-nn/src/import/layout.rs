//! Conversion of PyTorch's order of axes and gates to Keras's, which this crate uses.

use super::file::{Family, Group};
use super::problem;
use crate::error::Error;
use crate::tensor::Tensor;

/// The tensor to be imported.
pub(super) struct TargetTensor<'a> {
    /// Its name in the network.
    pub(super) name: &'a str,
    /// The last part of its name.
    pub(super) leaf: &'a str,
    /// Of its layer.
    pub(super) family: Family,
    pub(super) shape: &'a [usize],
    /// Height, width and channels, if the layer's input is a flattened image.
    pub(super) flattened: Option<[usize; 3]>,
}

/// The values of a tensor, from the tensors of the corresponding layer in the file.
pub(super) fn convert(target: &TargetTensor<'_>, theirs: &Group) -> Result<Vec<f32>, Error> {
    if let Some(tensor) = theirs.tensors.get(target.leaf) {
        return Ok(checked(target, tensor, target.shape)?.to_vec());
    }
    let of = |leaf: &str| theirs.tensors.get(leaf);
    match (target.leaf, target.family) {
        ("kernel", Family::Dense) => required(theirs, "weight").and_then(|tensor| dense(target, tensor)),
        ("kernel", Family::Conv2D) => {
            required(theirs, "weight").and_then(|tensor| convolution(target, tensor))
        }
        ("kernel", _) => required(theirs, "weight_ih").and_then(|tensor| gates(target, tensor)),
        ("recurrent_kernel", _) => required(theirs, "weight_hh").and_then(|tensor| gates(target, tensor)),
        ("bias", Family::Gru) => both_biases(target, of("bias_ih"), of("bias_hh")),
        ("bias", _) => sum_of_biases(target, of("bias_ih"), of("bias_hh")),
        ("gamma", _) => features(target, of("weight"), 1.0),
        ("beta", _) => features(target, of("bias"), 0.0),
        ("moving_mean", _) => features(target, Some(required(theirs, "running_mean")?), 0.0),
        ("moving_variance", _) => features(target, Some(required(theirs, "running_var")?), 1.0),
        _ => Err(unexpected(target)),
    }
}

fn required<'a>(theirs: &'a Group, leaf: &str) -> Result<&'a Tensor, Error> {
    theirs.tensors.get(leaf).ok_or_else(|| problem(format!("{} has no {leaf}", theirs.name)))
}

/// A tensor's values, if it has the expected shape.
fn checked<'a>(target: &TargetTensor<'_>, tensor: &'a Tensor, wanted: &[usize]) -> Result<&'a [f32], Error> {
    if tensor.shape == wanted {
        return Ok(&tensor.values);
    }
    Err(problem(format!(
        "{} has shape {:?}, but for {} it must be {wanted:?}",
        tensor.name, tensor.shape, target.name
    )))
}

/// `[out, in]`; after a flattened image, in is channels × height × width.
fn dense(target: &TargetTensor<'_>, tensor: &Tensor) -> Result<Vec<f32>, Error> {
    let &[n_inputs, n_outputs] = target.shape else { return Err(unexpected(target)) };
    let values = checked(target, tensor, &[n_outputs, n_inputs])?;
    Ok(match target.flattened {
        // A dense layer on an image is a convolution whose kernel is as large as the image.
        Some([height, width, channels]) => {
            permute(values, &[n_outputs, channels, height, width], &[2, 3, 1, 0])
        }
        None => permute(values, &[n_outputs, n_inputs], &[1, 0]),
    })
}

/// `[out, in, height, width]`
fn convolution(target: &TargetTensor<'_>, tensor: &Tensor) -> Result<Vec<f32>, Error> {
    let &[height, width, channels, filters] = target.shape else { return Err(unexpected(target)) };
    let theirs = [filters, channels, height, width];
    Ok(permute(checked(target, tensor, &theirs)?, &theirs, &[2, 3, 1, 0]))
}

/// `[gates × units, in]`
fn gates(target: &TargetTensor<'_>, tensor: &Tensor) -> Result<Vec<f32>, Error> {
    let &[n_inputs, width] = target.shape else { return Err(unexpected(target)) };
    let values = in_our_order(target.family, checked(target, tensor, &[width, n_inputs])?);
    Ok(permute(&values, &[width, n_inputs], &[1, 0]))
}

/// PyTorch's GRU has the reset gate before the update gate; the other families have the same order.
fn in_our_order(family: Family, values: &[f32]) -> Vec<f32> {
    let third = values.len() / 3;
    if family != Family::Gru || third == 0 {
        return values.to_vec();
    }
    let gates: Vec<&[f32]> = values.chunks(third).collect();
    [1, 0, 2].map(|gate| gates[gate]).concat()
}

/// b_ih + b_hh, which occur only as their sum.
fn sum_of_biases(
    target: &TargetTensor<'_>,
    of_input: Option<&Tensor>,
    of_state: Option<&Tensor>,
) -> Result<Vec<f32>, Error> {
    let mut sum = vec![0.0; target.shape.iter().product()];
    for tensor in [of_input, of_state].into_iter().flatten() {
        sum.iter_mut().zip(checked(target, tensor, target.shape)?).for_each(|(sum, bias)| *sum += bias);
    }
    Ok(sum)
}

/// Both biases of a GRU, whose reset gate applies to b_hh and not to b_ih.
fn both_biases(
    target: &TargetTensor<'_>,
    of_input: Option<&Tensor>,
    of_state: Option<&Tensor>,
) -> Result<Vec<f32>, Error> {
    let &[_, width] = target.shape else { return Err(unexpected(target)) };
    let one = |tensor: Option<&Tensor>| match tensor {
        Some(tensor) => Ok(in_our_order(target.family, checked(target, tensor, &[width])?)),
        None => Ok(vec![0.0; width]),
    };
    Ok([one(of_input)?, one(of_state)?].concat())
}

/// One number for each feature.
fn features(target: &TargetTensor<'_>, tensor: Option<&Tensor>, otherwise: f32) -> Result<Vec<f32>, Error> {
    let Some(tensor) = tensor else { return Ok(vec![otherwise; target.shape.iter().product()]) };
    let values = checked(target, tensor, target.shape)?;
    Ok(match target.flattened {
        Some([height, width, channels]) => permute(values, &[channels, height, width], &[1, 2, 0]),
        None => values.to_vec(),
    })
}

fn unexpected(target: &TargetTensor<'_>) -> Error {
    problem(format!(
        "{} of {} cannot be imported: its shape is {:?}",
        target.name, target.family, target.shape
    ))
}

/// Moves axes: axis i of the result is axis `axes[i]` of `values`.
fn permute(values: &[f32], shape: &[usize], axes: &[usize]) -> Vec<f32> {
    let stride = |axis: usize| shape[axis + 1..].iter().product::<usize>();
    let mut offsets = vec![0];
    for &axis in axes {
        let along = |offset: usize| (0..shape[axis]).map(move |i| offset + i * stride(axis));
        offsets = offsets.into_iter().flat_map(along).collect();
    }
    offsets.into_iter().map(|offset| values[offset]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `numpy.arange(24).reshape(2, 3, 4).transpose(2, 0, 1).ravel()`
    #[test]
    fn axes_are_permuted_as_in_numpy() {
        let values: Vec<f32> = (0..24_u8).map(f32::from).collect();
        let moved = permute(&values, &[2, 3, 4], &[2, 0, 1]);
        assert_eq!(moved[..8], [0.0, 4.0, 8.0, 12.0, 16.0, 20.0, 1.0, 5.0]);
        assert_eq!(permute(&values, &[24], &[0]), values);
    }
}
