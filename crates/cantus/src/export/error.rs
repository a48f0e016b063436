//! The reasons for which a model cannot be exported.

use cantus_audio::feature::FeatureKind;

/// What a model contains that the ONNX graph cannot express.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// A kind of feature has no ONNX form.
    #[error(
        "there is no ONNX form of the feature {}; these can be exported: {}; export the model with features as its input",
        kind.name(),
        supported.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ")
    )]
    UnsupportedFeature {
        /// The kind.
        kind: FeatureKind,
        /// The kinds that can be exported.
        supported: Vec<FeatureKind>,
    },
    /// The graph of an embedding model cannot be a part of the exported graph.
    #[error(
        "the graph of the embedding model {name} cannot be a part of the exported graph: {reason}; export the model with features \
         as its input"
    )]
    UnsupportedEmbedding {
        /// Name of the embedding model.
        name: String,
        /// Why, in a line.
        reason: String,
    },
    /// The features pad segments symmetrically, which ONNX cannot.
    #[error(
        "ONNX has no padding as pad_mode = \"symmetric\" has it; export the model with features as its input"
    )]
    SymmetricPadding,
    /// The features pad segments by reflection with more samples than a segment has.
    #[error(
        "ONNX cannot mirror a segment of {segment_samples} samples to pad it with {padding}; export the model with \
         features as its input"
    )]
    ReflectPaddingTooLong {
        /// Samples of a segment.
        segment_samples: usize,
        /// Samples of padding at each end.
        padding: usize,
    },
    /// The network has no layer before its output layer, whose values could be an embedding.
    #[error("the network has no layer before its output layer, so that it gives no embedding")]
    NoHiddenLayer,
    /// The network lacks a weight that its architecture requires.
    #[error("the network has no weight {name}")]
    MissingWeight {
        /// The weight.
        name: String,
    },
    /// The layer in a bidirectional layer is not recurrent.
    #[error("{path}: {layer} is not recurrent")]
    NotRecurrent {
        /// Path of the layer in the network.
        path: String,
        /// Kind of the layer.
        layer: &'static str,
    },
}

impl ExportError {
    /// Whether the front end is the reason, so that the model can be exported with
    /// [`Input::Features`](super::Input::Features).
    #[must_use]
    pub fn is_of_front_end(&self) -> bool {
        matches!(
            self,
            Self::UnsupportedFeature { .. }
                | Self::UnsupportedEmbedding { .. }
                | Self::SymmetricPadding
                | Self::ReflectPaddingTooLong { .. }
        )
    }
}
