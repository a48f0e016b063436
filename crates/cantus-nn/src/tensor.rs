//! Weights by name: how they leave a network and come back.

/// One tensor of a network.
///
/// Its name says where the architecture has it: `layers.3.kernel` is the kernel of the fourth layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Unique within a network.
    pub name: String,
    /// Row-major; Keras's layout.
    pub shape: Vec<usize>,
    /// As many as the shape says.
    pub values: Vec<f32>,
}
