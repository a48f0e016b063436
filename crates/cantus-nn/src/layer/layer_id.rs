//! Which layer an error is about, and the checks of a layer's settings.

use super::{MAX_SIZE, size};
use crate::error::Error;

/// Largest count in an architecture: products of three of them cannot overflow.
const MAX_SETTING: usize = 1 << 20;

/// Identifies a layer in error messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LayerId<'a> {
    /// Such as `layers.2`.
    pub(crate) path: &'a str,
    /// Such as `LSTM`.
    pub(crate) kind: &'static str,
}

impl LayerId<'_> {
    fn layer(self) -> String {
        format!("{} ({})", self.path, self.kind)
    }

    /// Error: the input shape does not fit.
    pub(crate) fn shape(self, got: &[usize], wanted: impl Into<String>) -> Error {
        Error::Shape { layer: self.layer(), got: got.to_vec(), wanted: wanted.into() }
    }

    /// Checks that a count is between 1 and [`MAX_SETTING`].
    pub(crate) fn at_least_one(self, setting: &'static str, got: usize) -> Result<usize, Error> {
        match got {
            0 => Err(self.setting(setting, got, "at least 1")),
            1..=MAX_SETTING => Ok(got),
            _ => Err(self.too_large()),
        }
    }

    /// Error: the layer exceeds [`MAX_SIZE`].
    pub(crate) fn too_large(self) -> Error {
        Error::TooLarge { what: self.layer(), limit: MAX_SIZE }
    }

    /// Checks that a shape has at most [`MAX_SIZE`] elements, so that its axes can be multiplied.
    pub(crate) fn check_size(self, shape: &[usize]) -> Result<(), Error> {
        if size(shape) > MAX_SIZE { Err(self.too_large()) } else { Ok(()) }
    }

    /// Checks that a fraction is in [0, 1).
    pub(crate) fn fraction(self, setting: &'static str, got: f32) -> Result<f32, Error> {
        if (0.0..1.0).contains(&got) {
            Ok(got)
        } else {
            Err(self.setting(setting, got, "at least 0 and less than 1"))
        }
    }

    /// Error: a setting is out of range.
    pub(crate) fn setting(self, setting: &'static str, got: impl ToString, wanted: &'static str) -> Error {
        Error::Setting { layer: self.layer(), setting, got: got.to_string(), wanted }
    }
}
