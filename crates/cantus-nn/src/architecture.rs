//! The architecture of a network as plain data, as stored in a model file or a TOML file.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::layer::LayerSpec;
use crate::sequential::Sequential;

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

impl Architecture {
    /// Checks that a network can be built from it, without allocating its weights; returns its output shape, of one example.
    ///
    /// # Errors
    /// As [`Network::new`](crate::Network::new).
    pub fn output_shape(&self) -> Result<Vec<usize>, Error> {
        Ok(Sequential::new(self)?.output_shape().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Activation;
    use crate::layer::{Dense, Flatten, Lstm};

    fn error(input_shape: &[usize], layers: Vec<LayerSpec>) -> String {
        let architecture = Architecture { input_shape: input_shape.to_vec(), layers };
        architecture.output_shape().unwrap_err().to_string()
    }

    #[test]
    fn a_network_whose_layers_are_within_their_limits_may_be_too_large_as_a_whole() {
        let dense = |units| LayerSpec::Dense(Dense::new(units, Activation::Relu));
        let weights = error(&[1 << 14], vec![dense(1 << 14), dense(1 << 14), dense(1 << 14)]);
        assert_eq!(weights, "the network is too large: more than 536870912 numbers");
        let example = error(&[1 << 10, 1], vec![dense(1 << 16), dense(1 << 10), dense(1 << 16)]);
        assert!(example.starts_with("what the network computes for one example is too large"), "{example}");
        let steps = error(&[1 << 16, 16], vec![LayerSpec::Lstm(Lstm::new(512, false))]);
        assert!(steps.contains("for one example"), "{steps}");
    }

    #[test]
    fn the_output_shape_is_that_of_the_last_layer() {
        let layers =
            vec![LayerSpec::Flatten(Flatten {}), LayerSpec::Dense(Dense::new(7, Activation::Linear))];
        assert_eq!(Architecture { input_shape: vec![4, 5], layers }.output_shape(), Ok(vec![7]));
    }
}
