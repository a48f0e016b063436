//! ActivationLayer: an activation function as a layer, y = f(x); backward ∂E/∂x = ∂E/∂y f'(x).

use serde::{Deserialize, Serialize};

use super::{BackwardReads, BatchContext, ForwardCache, GradientIo, Layer, Weights};
use crate::activation::{Activation, DerivativeReads};

/// An activation function as a layer.
///
/// # Shapes
/// - input and output: any; softmax is taken over the last axis
///
/// # Reference
/// Equals `keras.layers.Activation`, its name in architectures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivationLayer {
    /// f
    pub activation: Activation,
}

impl ActivationLayer {
    pub(crate) fn build(self, input_shape: &[usize]) -> BuiltActivation {
        BuiltActivation { activation: self.activation, shape: input_shape.to_vec() }
    }
}

/// An [`ActivationLayer`] layer for one shape.
#[derive(Debug)]
pub(crate) struct BuiltActivation {
    activation: Activation,
    shape: Vec<usize>,
}

impl BuiltActivation {
    fn width(&self) -> usize {
        self.shape.last().copied().unwrap_or(1)
    }
}

impl Layer for BuiltActivation {
    fn output_shape(&self) -> &[usize] {
        &self.shape
    }

    fn forward(&self, context: &BatchContext, _: Weights<'_>, x: &[f32], y: &mut [f32], _: ForwardCache<'_>) {
        y.copy_from_slice(x);
        context.activation(self.activation).forward(y, self.width());
    }

    fn backward(
        &self,
        context: &BatchContext,
        _: Weights<'_>,
        io: GradientIo<'_>,
        _: &mut [f32],
        _: ForwardCache<'_>,
    ) {
        let Some(dx) = io.dx else { return };
        dx.copy_from_slice(io.dy);
        context.activation(self.activation).backward(io.y, io.x, dx, self.width());
    }

    fn backward_reads(&self) -> BackwardReads {
        let input = self.activation.derivative_reads() == DerivativeReads::NetInput;
        BackwardReads { input, output: false }
    }

    fn last_activation(&self) -> Activation {
        self.activation
    }

    fn is_fixed(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::LayerSpec;
    use crate::testing::gradients_match_differences;

    #[test]
    fn gradients_equal_central_differences() {
        for activation in [Activation::Softmax, Activation::Silu, Activation::Tanh] {
            gradients_match_differences(&LayerSpec::Activation(ActivationLayer { activation }), &[2, 3], 3);
        }
    }
}
