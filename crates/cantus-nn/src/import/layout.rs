//! From PyTorch's order of axes and gates to ours, which is Keras's.

use super::file::{Family, Group};
use super::problem;
use crate::error::Error;
use crate::tensor::Tensor;

/// Where imported numbers go.
pub(super) struct Place<'a> {
    /// Of our tensor.
    pub(super) name: &'a str,
    /// The last part of its name.
    pub(super) leaf: &'a str,
    /// Of our layer.
    pub(super) family: Family,
    pub(super) shape: &'a [usize],
    /// Height, width and channels, where the layer's inputs are a flattened image.
    pub(super) flattened: Option<[usize; 3]>,
}

/// The numbers of one of our tensors, from the tensors of the layer that corresponds to ours.
pub(super) fn convert(place: &Place<'_>, theirs: &Group) -> Result<Vec<f32>, Error> {
    if let Some(tensor) = theirs.tensors.get(place.leaf) {
        return Ok(checked(place, tensor, place.shape)?.to_vec());
    }
    let of = |leaf: &str| theirs.tensors.get(leaf);
    match (place.leaf, place.family) {
        ("kernel", Family::Dense) => required(theirs, "weight").and_then(|tensor| dense(place, tensor)),
        ("kernel", Family::Conv2D) => {
            required(theirs, "weight").and_then(|tensor| convolution(place, tensor))
        }
        ("kernel", _) => required(theirs, "weight_ih").and_then(|tensor| gates(place, tensor)),
        ("recurrent_kernel", _) => required(theirs, "weight_hh").and_then(|tensor| gates(place, tensor)),
        ("bias", Family::Gru) => both_biases(place, of("bias_ih"), of("bias_hh")),
        ("bias", _) => sum_of_biases(place, of("bias_ih"), of("bias_hh")),
        ("gamma", _) => features(place, of("weight"), 1.0),
        ("beta", _) => features(place, of("bias"), 0.0),
        ("moving_mean", _) => features(place, Some(required(theirs, "running_mean")?), 0.0),
        ("moving_variance", _) => features(place, Some(required(theirs, "running_var")?), 1.0),
        _ => Err(unexpected(place)),
    }
}

fn required<'a>(theirs: &'a Group, leaf: &str) -> Result<&'a Tensor, Error> {
    theirs.tensors.get(leaf).ok_or_else(|| problem(format!("{} has no {leaf}", theirs.name)))
}

/// A tensor's numbers, if it has the shape that is wanted.
fn checked<'a>(place: &Place<'_>, tensor: &'a Tensor, wanted: &[usize]) -> Result<&'a [f32], Error> {
    if tensor.shape == wanted {
        return Ok(&tensor.values);
    }
    Err(problem(format!(
        "{} has shape {:?}, but for {} it must be {wanted:?}",
        tensor.name, tensor.shape, place.name
    )))
}

/// `[out, in]`; behind a flattened image, in is channels × height × width.
fn dense(place: &Place<'_>, tensor: &Tensor) -> Result<Vec<f32>, Error> {
    let &[n_inputs, n_outputs] = place.shape else { return Err(unexpected(place)) };
    let values = checked(place, tensor, &[n_outputs, n_inputs])?;
    Ok(match place.flattened {
        // A dense layer on an image is a convolution whose kernel is as large as the image.
        Some([height, width, channels]) => {
            permute(values, &[n_outputs, channels, height, width], &[2, 3, 1, 0])
        }
        None => permute(values, &[n_outputs, n_inputs], &[1, 0]),
    })
}

/// `[out, in, height, width]`
fn convolution(place: &Place<'_>, tensor: &Tensor) -> Result<Vec<f32>, Error> {
    let &[height, width, channels, filters] = place.shape else { return Err(unexpected(place)) };
    let theirs = [filters, channels, height, width];
    Ok(permute(checked(place, tensor, &theirs)?, &theirs, &[2, 3, 1, 0]))
}

/// `[gates × units, in]`
fn gates(place: &Place<'_>, tensor: &Tensor) -> Result<Vec<f32>, Error> {
    let &[n_inputs, width] = place.shape else { return Err(unexpected(place)) };
    let values = in_our_order(place.family, checked(place, tensor, &[width, n_inputs])?);
    Ok(permute(&values, &[width, n_inputs], &[1, 0]))
}

/// PyTorch's reset gate comes before its update gate; the other families agree.
fn in_our_order(family: Family, values: &[f32]) -> Vec<f32> {
    let third = values.len() / 3;
    if family != Family::Gru || third == 0 {
        return values.to_vec();
    }
    let gates: Vec<&[f32]> = values.chunks(third).collect();
    [1, 0, 2].map(|gate| gates[gate]).concat()
}

/// b_ih and b_hh are only ever added.
fn sum_of_biases(
    place: &Place<'_>,
    of_input: Option<&Tensor>,
    of_state: Option<&Tensor>,
) -> Result<Vec<f32>, Error> {
    let mut sum = vec![0.0; place.shape.iter().product()];
    for tensor in [of_input, of_state].into_iter().flatten() {
        sum.iter_mut().zip(checked(place, tensor, place.shape)?).for_each(|(sum, bias)| *sum += bias);
    }
    Ok(sum)
}

/// The reset gate acts on b_hh, and not on b_ih: they have to stay apart.
fn both_biases(
    place: &Place<'_>,
    of_input: Option<&Tensor>,
    of_state: Option<&Tensor>,
) -> Result<Vec<f32>, Error> {
    let &[_, width] = place.shape else { return Err(unexpected(place)) };
    let one = |tensor: Option<&Tensor>| match tensor {
        Some(tensor) => Ok(in_our_order(place.family, checked(place, tensor, &[width])?)),
        None => Ok(vec![0.0; width]),
    };
    Ok([one(of_input)?, one(of_state)?].concat())
}

/// One number for each feature.
fn features(place: &Place<'_>, tensor: Option<&Tensor>, otherwise: f32) -> Result<Vec<f32>, Error> {
    let Some(tensor) = tensor else { return Ok(vec![otherwise; place.shape.iter().product()]) };
    let values = checked(place, tensor, place.shape)?;
    Ok(match place.flattened {
        Some([height, width, channels]) => permute(values, &[channels, height, width], &[1, 2, 0]),
        None => values.to_vec(),
    })
}

fn unexpected(place: &Place<'_>) -> Error {
    problem(format!("{} of {} cannot be imported: its shape is {:?}", place.name, place.family, place.shape))
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
    fn axes_move_as_numpy_moves_them() {
        let values: Vec<f32> = (0..24_u8).map(f32::from).collect();
        let moved = permute(&values, &[2, 3, 4], &[2, 0, 1]);
        assert_eq!(moved[..8], [0.0, 4.0, 8.0, 12.0, 16.0, 20.0, 1.0, 5.0]);
        assert_eq!(permute(&values, &[24], &[0]), values);
    }
}
