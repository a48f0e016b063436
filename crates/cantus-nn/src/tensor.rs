//! A tensor of weights with its name, for import and export.

/// One tensor of a network.
///
/// Its name is its path in the architecture: `layers.3.kernel` is the kernel of the fourth layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Unique within a network.
    pub name: String,
    /// Row-major; Keras's layout.
    pub shape: Vec<usize>,
    /// The product of the shape.
    pub values: Vec<f32>,
}
