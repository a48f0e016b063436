//! An input or output of an ONNX graph: name, element type and shape.

use std::fmt;

/// An input or output of a graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GraphValue {
    pub(crate) name: String,
    pub(crate) is_f32: bool,
    /// Absent if the file does not say it.
    pub(crate) shape: Option<Vec<Dimension>>,
}

/// A dimension of an input or output.
#[cfg_attr(not(feature = "tract"), expect(dead_code, reason = "without a runtime, no graph is read"))]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Dimension {
    Fixed(usize),
    /// Any size; the name that the file gives it, or `?`.
    Any(String),
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(size) => size.fmt(f),
            Self::Any(name) => name.fmt(f),
        }
    }
}

impl GraphValue {
    /// The shape, with the element type if that is not f32.
    pub(crate) fn shape_text(&self) -> String {
        let dimensions = |shape: &Vec<Dimension>| shape.iter().map(ToString::to_string).collect::<Vec<_>>();
        let shape = self
            .shape
            .as_ref()
            .map_or_else(|| "unknown".to_owned(), |shape| format!("[{}]", dimensions(shape).join(", ")));
        if self.is_f32 { shape } else { format!("{shape} of a type other than f32") }
    }

    /// Whether a tensor of this shape fits.
    #[cfg(feature = "tract")]
    pub(crate) fn accepts(&self, shape: &[usize]) -> bool {
        let fits = |(dimension, &size): (&Dimension, &usize)| match dimension {
            Dimension::Fixed(fixed) => *fixed == size,
            Dimension::Any(_) => true,
        };
        let shape_fits =
            |known: &Vec<Dimension>| known.len() == shape.len() && known.iter().zip(shape).all(fits);
        self.is_f32 && self.shape.as_ref().is_none_or(shape_fits)
    }
}

impl fmt::Display for GraphValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.name, self.shape_text())
    }
}
