//! Windows that slide over an image: the arithmetic that convolution and pooling share.

use serde::{Deserialize, Serialize};

use super::Site;
use crate::error::Error;

/// What happens at the border.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Padding {
    /// Windows lie wholly inside: the output is smaller than the input.
    #[default]
    Valid,
    /// As if the input went on beyond its border (with zeros, for a convolution): with strides of 1 the
    /// output is as large as the input.
    Same,
}

/// A window on one axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Axis {
    /// Of the input.
    pub(super) len: usize,
    /// Of the window.
    pub(super) size: usize,
    pub(super) stride: usize,
    /// How far the first window begins before the input.
    pub(super) before: usize,
    /// How far the last window ends behind the input.
    pub(super) after: usize,
    /// How many windows there are.
    pub(super) n_windows: usize,
}

impl Axis {
    /// Where windows lie, by TensorFlow's rule: for `Same`, ⌈len / stride⌉ windows, and what is missing is
    /// split between both ends.
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

    /// With the padding.
    pub(super) fn padded(&self) -> usize {
        self.before + self.len + self.after
    }

    /// Which positions of the input window `i` covers, and which of its own positions the first of them is.
    pub(super) fn inside(&self, i: usize) -> (std::ops::Range<usize>, usize) {
        let start = i * self.stride;
        let end = (start + self.size).saturating_sub(self.before).min(self.len);
        (start.saturating_sub(self.before)..end, self.before.saturating_sub(start))
    }
}

/// Places windows on an image `[height, width, channels]`; returns both axes and the number of channels.
pub(super) fn place(
    input_shape: &[usize],
    (size_name, size): (&'static str, [usize; 2]),
    strides: [usize; 2],
    padding: Padding,
    site: Site<'_>,
) -> Result<([Axis; 2], usize), Error> {
    let &[height, width, channels] = input_shape else {
        return Err(site.shape(input_shape, "[height, width, channels]"));
    };
    for (size, stride) in size.into_iter().zip(strides) {
        site.at_least_one(size_name, size)?;
        site.at_least_one("strides", stride)?;
    }
    if padding == Padding::Valid && (height < size[0] || width < size[1]) {
        return Err(site.shape(input_shape, format!("at least {} x {} positions", size[0], size[1])));
    }
    let axes =
        [Axis::new(height, size[0], strides[0], padding), Axis::new(width, size[1], strides[1], padding)];
    Ok((axes, channels))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_padding_splits_what_is_missing_with_the_larger_half_behind() {
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
    fn a_window_larger_than_the_image_is_refused() {
        let site = Site { path: "layers.4", kind: "Conv2D" };
        let error = place(&[5, 1, 32], ("kernel_size", [2, 2]), [1, 1], Padding::Valid, site).unwrap_err();
        assert_eq!(
            error.to_string(),
            "layers.4 (Conv2D) wants at least 2 x 2 positions, but gets an input of shape [5, 1, 32]"
        );
        assert!(place(&[130, 13], ("kernel_size", [2, 2]), [1, 1], Padding::Valid, site).is_err());
    }
}
