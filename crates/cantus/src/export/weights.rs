//! The weights of a network by name.

use cantus_nn::Tensor;

use super::ExportError;

/// A network's weights by name.
pub(super) struct Weights<'a>(pub(super) &'a [Tensor]);

impl<'a> Weights<'a> {
    /// The values of the tensor `name` of the layer at `path`.
    ///
    /// # Errors
    /// If the network has none of that name.
    pub(super) fn get(&self, path: &str, name: &str) -> Result<&'a [f32], ExportError> {
        let full_name = format!("{path}.{name}");
        let tensor = self.0.iter().find(|tensor| tensor.name == full_name);
        tensor.map(|tensor| &*tensor.values).ok_or(ExportError::MissingWeight { name: full_name })
    }
}
