//! The architecture of a network as plain data, as stored in a model file or a TOML file.

use serde::{Deserialize, Serialize};

use crate::layer::LayerSpec;

/// The layers of a network, in order, and its input shape.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let architecture: cantus_nn::Architecture = toml::from_str(r#"
///     input_shape = [130, 13]
///     [[layers]]
///     type = "Flatten"
///     [[layers]]
///     type = "Dense"
///     units = 512
///     activation = "relu"
///     kernel_regularizer = { l2 = 0.001 }
///     [[layers]]
///     type = "Dropout"
///     rate = 0.3
///     [[layers]]
///     type = "Dense"
///     units = 10
///     activation = "softmax"
/// "#)?;
/// let network = cantus_nn::Network::new(&architecture, 0)?;
/// assert_eq!(network.output_shape(), [10]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Architecture {
    /// Of one example: `[n_frames, n_bins]` for features, `[height, width, channels]` for images.
    pub input_shape: Vec<usize>,
    /// First to last.
    pub layers: Vec<LayerSpec>,
}
