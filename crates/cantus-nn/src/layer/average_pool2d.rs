//! AveragePool2D: the mean of each window.
//!
//! Forward: y[p, q, c] = mean over the window of x[·, ·, c], without padding.
//! Backward: for each number of a window of n, ∂E/∂x += ∂E/∂y / n.

use serde::{Deserialize, Serialize};

use super::window::{Padding, PoolWindows, default_pool_size};
use super::{BackwardReads, BatchContext, ForwardCache, GradientIo, Layer, LayerId, Weights};
use crate::elementwise::add_scaled;
use crate::error::Error;

/// The mean of each window, channel by channel.
///
/// # Shapes
/// - input `[height, width, channels]`, output `[height', width', channels]`
///
/// # Reference
/// Equals `keras.layers.AveragePooling2D`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AveragePool2D {
    /// Height and width of a window.
    #[serde(default = "default_pool_size")]
    pub pool_size: [usize; 2],
    /// Distance of windows; by default their size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strides: Option<[usize; 2]>,
    /// The padding at the borders.
    #[serde(default)]
    pub padding: Padding,
}

impl AveragePool2D {
    pub(crate) fn build(self, input_shape: &[usize], id: LayerId<'_>) -> Result<AveragePool2DLayer, Error> {
        let windows = PoolWindows::new(input_shape, self.pool_size, self.strides, self.padding, id)?;
        let output_shape = windows.output_shape().to_vec();
        Ok(AveragePool2DLayer { windows, output_shape })
    }
}

/// Averages over the whole image: `[height, width, channels]` → `[channels]`. Equals
/// `keras.layers.GlobalAveragePooling2D`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlobalAveragePooling2D {}

/// Averages over time: `[time, channels]` → `[channels]`. Equals `keras.layers.GlobalAveragePooling1D`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlobalAveragePooling1D {}

impl GlobalAveragePooling2D {
    /// One window of the size of the image.
    pub(crate) fn build(self, input_shape: &[usize], id: LayerId<'_>) -> Result<AveragePool2DLayer, Error> {
        let &[height, width, channels] = input_shape else {
            return Err(id.shape(input_shape, "[height, width, channels]"));
        };
        let whole = AveragePool2D { pool_size: [height, width], strides: None, padding: Padding::Valid };
        Ok(AveragePool2DLayer { output_shape: vec![channels], ..whole.build(input_shape, id)? })
    }
}

impl GlobalAveragePooling1D {
    /// One window over all steps.
    pub(crate) fn build(self, input_shape: &[usize], id: LayerId<'_>) -> Result<AveragePool2DLayer, Error> {
        let &[time, channels] = input_shape else {
            return Err(id.shape(input_shape, "[time, channels]"));
        };
        GlobalAveragePooling2D {}.build(&[time, 1, channels], id)
    }
}

/// An [`AveragePool2D`] layer for one input shape.
#[derive(Debug)]
pub(crate) struct AveragePool2DLayer {
    windows: PoolWindows,
    output_shape: Vec<usize>,
}

impl AveragePool2DLayer {
    /// Calls `visit(start in the output, start in the input, factor)` for each position of each window.
    fn for_each_position(&self, mut visit: impl FnMut(usize, usize, f32)) {
        let PoolWindows { down, right, channels } = &self.windows;
        for (p, q) in (0..down.n_windows).flat_map(|p| (0..right.n_windows).map(move |q| (p, q))) {
            let factor = 1.0 / (down.inside(p).0.len() * right.inside(q).0.len()) as f32;
            let output = (p * right.n_windows + q) * channels;
            self.windows.for_each_position(p, q, |input| visit(output, input, factor));
        }
    }
}

impl Layer for AveragePool2DLayer {
    fn output_shape(&self) -> &[usize] {
        &self.output_shape
    }

    fn backward_reads(&self) -> BackwardReads {
        BackwardReads::NEITHER
    }

    fn forward(&self, _: &BatchContext, _: Weights<'_>, x: &[f32], y: &mut [f32], _: ForwardCache<'_>) {
        let channels = self.windows.channels;
        y.fill(0.0);
        for (x, y) in
            x.chunks_exact(self.windows.input_len()).zip(y.chunks_exact_mut(self.windows.output_len()))
        {
            self.for_each_position(|output, input, factor| {
                add_scaled(&mut y[output..output + channels], &x[input..input + channels], factor);
            });
        }
    }

    fn backward(
        &self,
        _: &BatchContext,
        _: Weights<'_>,
        io: GradientIo<'_>,
        _: &mut [f32],
        _: ForwardCache<'_>,
    ) {
        let Some(dx) = io.dx else { return };
        let channels = self.windows.channels;
        dx.fill(0.0);
        for (dx, dy) in
            dx.chunks_exact_mut(self.windows.input_len()).zip(io.dy.chunks_exact(self.windows.output_len()))
        {
            self.for_each_position(|output, input, factor| {
                add_scaled(&mut dx[input..input + channels], &dy[output..output + channels], factor);
            });
        }
    }

    fn is_fixed(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::LayerSpec;
    use crate::testing::{assert_close, gradients_match_differences, run_forward};

    #[test]
    fn padding_is_ignored() {
        let pool = AveragePool2D { pool_size: [2, 2], strides: None, padding: Padding::Same };
        let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];
        assert_close(
            &run_forward(&LayerSpec::AveragePool2D(pool), &[3, 3, 1], &[], &x),
            &[3.0, 4.5, 7.5, 9.0],
            1e-6,
        );
    }

    #[test]
    fn global_means_are_means_of_all() {
        let x = [1.0, 10.0, 2.0, 20.0, 3.0, 30.0, 4.0, 40.0];
        let image = LayerSpec::GlobalAveragePooling2D(GlobalAveragePooling2D {});
        assert_close(&run_forward(&image, &[2, 2, 2], &[], &x), &[2.5, 25.0], 1e-6);
        let sequence = LayerSpec::GlobalAveragePooling1D(GlobalAveragePooling1D {});
        assert_close(&run_forward(&sequence, &[4, 2], &[], &x), &[2.5, 25.0], 1e-6);
    }

    #[test]
    fn gradients_equal_central_differences() {
        let pool = AveragePool2D { pool_size: [3, 2], strides: Some([2, 1]), padding: Padding::Same };
        gradients_match_differences(&LayerSpec::AveragePool2D(pool), &[5, 4, 3], 2);
        gradients_match_differences(
            &LayerSpec::GlobalAveragePooling1D(GlobalAveragePooling1D {}),
            &[5, 3],
            2,
        );
    }
}
