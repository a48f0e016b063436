//! Sliding windows of convolution and pooling: sizes, strides and padding.

use serde::{Deserialize, Serialize};

use super::LayerId;
use crate::error::Error;

/// The padding of an image at its borders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Padding {
    /// None: all windows are inside, and the output is smaller than the input.
    #[default]
    Valid,
    /// With strides of 1 the output is as large as the input. A convolution pads with zeros; a pooling ignores the padding.
    Same,
}

/// The windows on one axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Axis {
    /// Of the input.
    pub(super) len: usize,
    /// Of the window.
    pub(super) size: usize,
    pub(super) stride: usize,
    /// Padding before the input.
    pub(super) before: usize,
    /// Padding after the input.
    pub(super) after: usize,
    pub(super) n_windows: usize,
}

impl Axis {
    /// By TensorFlow's rule: for `Same`, ⌈len / stride⌉ windows, and the padding is divided between both ends.
    fn new(len: usize, size: usize, stride: usize, padding: Padding) -> Self {
        let (n_windows, missing) = match padding {
            Padding::Valid => ((len - size) / stride + 1, 0),
            Padding::Same => {
                let n_windows = len.div_ceil(stride);
                (n_windows, ((n_windows - 1) * stride + size).saturating_sub(len))
            }
        };
        Self { len, size, stride, before: missing / 2, after: missing - missing / 2, n_windows }
    }

    /// Length with padding.
    pub(super) fn padded(&self) -> usize {
        self.before + self.len + self.after
    }

    /// The positions of the input that window `i` covers, and the index of the first of them within the window.
    pub(super) fn inside(&self, i: usize) -> (std::ops::Range<usize>, usize) {
        let start = i * self.stride;
        let end = (start + self.size).saturating_sub(self.before).min(self.len);
        (start.saturating_sub(self.before)..end, self.before.saturating_sub(start))
    }
}

/// The windows on an image `[height, width, channels]`; returns both axes and the number of channels.
pub(super) fn window_axes(
    input_shape: &[usize],
    (size_name, size): (&'static str, [usize; 2]),
    strides: [usize; 2],
    padding: Padding,
    id: LayerId<'_>,
) -> Result<([Axis; 2], usize), Error> {
    let &[height, width, channels] = input_shape else {
        return Err(id.shape(input_shape, "[height, width, channels]"));
    };
    for (size, stride) in size.into_iter().zip(strides) {
        id.at_least_one(size_name, size)?;
        id.at_least_one("strides", stride)?;
    }
    if padding == Padding::Valid && (height < size[0] || width < size[1]) {
        return Err(id.shape(input_shape, format!("at least {} x {} positions", size[0], size[1])));
    }
    let axes =
        [Axis::new(height, size[0], strides[0], padding), Axis::new(width, size[1], strides[1], padding)];
    Ok((axes, channels))
}

/// The windows of a pooling layer.
#[derive(Debug)]
pub(super) struct PoolWindows {
    pub(super) down: Axis,
    pub(super) right: Axis,
    pub(super) channels: usize,
}

/// The default of Keras.
pub(super) fn default_pool_size() -> [usize; 2] {
    [2, 2]
}

impl PoolWindows {
    /// Windows of `pool_size`, with strides of the same size by default.
    pub(super) fn new(
        input_shape: &[usize],
        pool_size: [usize; 2],
        strides: Option<[usize; 2]>,
        padding: Padding,
        id: LayerId<'_>,
    ) -> Result<Self, Error> {
        let strides = strides.unwrap_or(pool_size);
        let ([down, right], channels) =
            window_axes(input_shape, ("pool_size", pool_size), strides, padding, id)?;
        Ok(Self { down, right, channels })
    }

    pub(super) fn output_shape(&self) -> [usize; 3] {
        [self.down.n_windows, self.right.n_windows, self.channels]
    }

    pub(super) fn input_len(&self) -> usize {
        self.down.len * self.row_len()
    }

    pub(super) fn output_len(&self) -> usize {
        self.output_shape().iter().product()
    }

    /// Length of a row of the input.
    pub(super) fn row_len(&self) -> usize {
        self.right.len * self.channels
    }

    /// Calls `visit(start in the input)` for each position of the window (p, q) inside the image, row by row.
    #[inline(always)]
    pub(super) fn for_each_position(&self, p: usize, q: usize, mut visit: impl FnMut(usize)) {
        let (rows, columns) = (self.down.inside(p).0, self.right.inside(q).0);
        for row in rows {
            for column in columns.clone() {
                visit((row * self.right.len + column) * self.channels);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_padding_is_split_with_the_larger_half_at_the_end() {
        let axis = Axis::new(128, 3, 2, Padding::Same);
        assert_eq!((axis.n_windows, axis.before, axis.after), (64, 0, 1));
        assert_eq!((axis.inside(0), axis.inside(63)), ((0..3, 0), (126..128, 0)));
        let axis = Axis::new(11, 3, 2, Padding::Same);
        assert_eq!((axis.n_windows, axis.before, axis.after), (6, 1, 1));
        assert_eq!((axis.inside(0), axis.inside(5)), ((0..2, 1), (9..11, 0)));
    }

    #[test]
    fn valid_windows_stay_inside() {
        let axis = Axis::new(10, 3, 2, Padding::Valid);
        assert_eq!((axis.n_windows, axis.padded(), axis.inside(3)), (4, 10, (6..9, 0)));
    }

    #[test]
    fn a_window_larger_than_the_image_is_rejected() {
        let id = LayerId { path: "layers.4", kind: "Conv2D" };
        let error =
            window_axes(&[5, 1, 32], ("kernel_size", [2, 2]), [1, 1], Padding::Valid, id).unwrap_err();
        assert_eq!(
            error.to_string(),
            "layers.4 (Conv2D) needs at least 2 x 2 positions, but its input has shape [5, 1, 32]"
        );
        assert!(window_axes(&[130, 13], ("kernel_size", [2, 2]), [1, 1], Padding::Valid, id).is_err());
    }
}
