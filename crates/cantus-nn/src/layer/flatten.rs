//! Flatten and Reshape: the same numbers under another shape.
//!
//! Arrays are row-major, so no number moves: [130, 13] becomes [1690] in place. Both are built into a [`View`].

use serde::{Deserialize, Serialize};

use super::{BackwardReads, BatchContext, ForwardCache, GradientIo, Layer, LayerId, Weights, size};
use crate::error::Error;

/// Flattens all axes into one.
///
/// # Shapes
/// - input `[a, b, ...]`, output `[a · b · ...]`
///
/// # Reference
/// Equals `keras.layers.Flatten`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flatten {}

/// Gives the numbers another shape of the same size, such as `[130, 13]` → `[130, 13, 1]`.
///
/// # Reference
/// Equals `keras.layers.Reshape` (without -1 for an axis to be computed).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reshape {
    /// The new shape, without the batch.
    pub target_shape: Vec<usize>,
}

impl Flatten {
    pub(crate) fn build(self, input_shape: &[usize]) -> View {
        View(vec![input_shape.iter().product()])
    }
}

impl Reshape {
    pub(crate) fn build(&self, input_shape: &[usize], id: LayerId<'_>) -> Result<View, Error> {
        let (n_inputs, n_outputs) = (size(input_shape), size(&self.target_shape));
        if n_inputs != n_outputs {
            let wanted = format!("{n_outputs} numbers, for its target shape {:?}", self.target_shape);
            return Err(id.shape(input_shape, wanted));
        }
        Ok(View(self.target_shape.clone()))
    }
}

/// The input with this shape.
#[derive(Debug)]
pub(crate) struct View(pub(crate) Vec<usize>);

impl Layer for View {
    fn output_shape(&self) -> &[usize] {
        &self.0
    }

    fn backward_reads(&self) -> BackwardReads {
        BackwardReads::NEITHER
    }

    fn forward(&self, _: &BatchContext, _: Weights<'_>, x: &[f32], y: &mut [f32], _: ForwardCache<'_>) {
        y.copy_from_slice(x);
    }

    fn backward(
        &self,
        _: &BatchContext,
        _: Weights<'_>,
        io: GradientIo<'_>,
        _: &mut [f32],
        _: ForwardCache<'_>,
    ) {
        if let Some(dx) = io.dx {
            dx.copy_from_slice(io.dy);
        }
    }

    fn is_view(&self) -> bool {
        true
    }

    fn is_fixed(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITE: LayerId<'_> = LayerId { path: "layers.0", kind: "Reshape" };

    #[test]
    fn flatten_multiplies_the_axes() {
        assert_eq!(Flatten {}.build(&[130, 13]).output_shape(), [1690]);
    }

    #[test]
    fn reshape_rejects_another_size() {
        let reshape = Reshape { target_shape: vec![130, 13, 1] };
        assert_eq!(reshape.build(&[130, 13], SITE).unwrap().output_shape(), [130, 13, 1]);
        let message = reshape.build(&[64, 13], SITE).unwrap_err().to_string();
        assert_eq!(
            message,
            "layers.0 (Reshape) needs 1690 numbers, for its target shape [130, 13, 1], but its input has shape [64, 13]"
        );
    }
}
