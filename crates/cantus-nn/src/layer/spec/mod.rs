//! The layer descriptions of an architecture, by name, and the layers that contain others.

mod average;
mod bidirectional;
mod residual;
mod time_distributed;

pub use average::{Average, Branch};
pub use bidirectional::Bidirectional;
pub use residual::Residual;
use serde::{Deserialize, Serialize};
pub use time_distributed::TimeDistributed;

use super::{
    ActivationLayer, AveragePool2D, BatchNormalization, BufferSizes, Conv2D, Dense, Dropout, Flatten,
    GaussianNoise, GlobalAveragePooling1D, GlobalAveragePooling2D, Gru, Layer, LayerId, LayerNormalization,
    Lstm, MaxPool2D, MultiTimescaleLstm, RandomFourierFeatures, Reshape, SimpleRnn, SpatialDropout,
    StatisticsPooling1D,
};
use crate::error::Error;

/// One layer of an architecture, with the names of Keras: `type = "Dense"`, `units = 512`, `activation =
/// "relu"`.
///
/// Exhaustive, so that an exporter (such as to ONNX) does not compile without a case for a new layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
#[expect(missing_docs, reason = "each variant is documented at the layer of its name")]
pub enum LayerSpec {
    Activation(ActivationLayer),
    Average(Average),
    #[serde(alias = "AveragePooling2D")]
    AveragePool2D(AveragePool2D),
    BatchNormalization(BatchNormalization),
    Bidirectional(Bidirectional),
    Conv2D(Conv2D),
    Dense(Dense),
    Dropout(Dropout),
    Flatten(Flatten),
    GaussianNoise(GaussianNoise),
    GlobalAveragePooling1D(GlobalAveragePooling1D),
    GlobalAveragePooling2D(GlobalAveragePooling2D),
    #[serde(rename = "GRU")]
    Gru(Gru),
    LayerNormalization(LayerNormalization),
    #[serde(rename = "LSTM")]
    Lstm(Lstm),
    #[serde(alias = "MaxPooling2D")]
    MaxPool2D(MaxPool2D),
    #[serde(rename = "MultiTimescaleLSTM")]
    MultiTimescaleLstm(MultiTimescaleLstm),
    RandomFourierFeatures(RandomFourierFeatures),
    Reshape(Reshape),
    Residual(Residual),
    #[serde(rename = "SimpleRNN")]
    SimpleRnn(SimpleRnn),
    #[serde(alias = "SpatialDropout1D", alias = "SpatialDropout2D")]
    SpatialDropout(SpatialDropout),
    StatisticsPooling1D(StatisticsPooling1D),
    TimeDistributed(TimeDistributed),
}

impl LayerSpec {
    /// Its name, as in Keras.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Activation(_) => "Activation",
            Self::Average(_) => "Average",
            Self::AveragePool2D(_) => "AveragePool2D",
            Self::BatchNormalization(_) => "BatchNormalization",
            Self::Bidirectional(_) => "Bidirectional",
            Self::Conv2D(_) => "Conv2D",
            Self::Dense(_) => "Dense",
            Self::Dropout(_) => "Dropout",
            Self::Flatten(_) => "Flatten",
            Self::GaussianNoise(_) => "GaussianNoise",
            Self::GlobalAveragePooling1D(_) => "GlobalAveragePooling1D",
            Self::GlobalAveragePooling2D(_) => "GlobalAveragePooling2D",
            Self::Gru(_) => "GRU",
            Self::LayerNormalization(_) => "LayerNormalization",
            Self::Lstm(_) => "LSTM",
            Self::MaxPool2D(_) => "MaxPool2D",
            Self::MultiTimescaleLstm(_) => "MultiTimescaleLSTM",
            Self::RandomFourierFeatures(_) => "RandomFourierFeatures",
            Self::Reshape(_) => "Reshape",
            Self::Residual(_) => "Residual",
            Self::SimpleRnn(_) => "SimpleRNN",
            Self::SpatialDropout(_) => "SpatialDropout",
            Self::StatisticsPooling1D(_) => "StatisticsPooling1D",
            Self::TimeDistributed(_) => "TimeDistributed",
        }
    }

    /// The output shape for this input shape, both of one example.
    ///
    /// ```
    /// use cantus_nn::layer::Conv2D;
    /// use cantus_nn::{Activation, LayerSpec};
    ///
    /// let conv = LayerSpec::Conv2D(Conv2D::new(32, [3, 3], Activation::Relu));
    /// assert_eq!(conv.output_shape(&[130, 13, 1])?, [128, 11, 32]);
    /// # Ok::<(), cantus_nn::Error>(())
    /// ```
    ///
    /// # Errors
    /// If a setting is out of range, or the layer does not fit the shape.
    pub fn output_shape(&self, input: &[usize]) -> Result<Vec<usize>, Error> {
        Ok(self.build(input, "layer")?.output_shape().to_vec())
    }

    /// Builds the layer for inputs of this shape; `path` is its path in the architecture.
    pub(crate) fn build(&self, input: &[usize], path: &str) -> Result<Box<dyn Layer>, Error> {
        let id = LayerId { path, kind: self.kind() };
        let layer = self.build_unchecked(input, id)?;
        id.check_size(layer.output_shape())?;
        layer.parameters().iter().try_for_each(|parameter| id.check_size(&parameter.shape))?;
        // The largest product of two such sizes, that of a TimeDistributed layer, does not overflow.
        let BufferSizes { cached, scratch_per_row, scratch } = layer.buffer_sizes();
        [cached, scratch_per_row, scratch].into_iter().try_for_each(|len| id.check_size(&[len]))?;
        Ok(layer)
    }

    fn build_unchecked(&self, input: &[usize], id: LayerId<'_>) -> Result<Box<dyn Layer>, Error> {
        Ok(match self {
            Self::Activation(activation) => Box::new(activation.build(input)),
            Self::Average(average) => Box::new(average.build(input, id)?),
            Self::AveragePool2D(pool) => Box::new(pool.build(input, id)?),
            Self::BatchNormalization(normalization) => Box::new(normalization.build(input, id)?),
            Self::Bidirectional(bidirectional) => Box::new(bidirectional.build(input, id)?),
            Self::Conv2D(conv) => Box::new(conv.build(input, id)?),
            Self::Dense(dense) => Box::new(dense.build(input, id)?),
            Self::Dropout(dropout) => Box::new(dropout.build(input, id)?),
            Self::Flatten(flatten) => Box::new(flatten.build(input)),
            Self::GaussianNoise(noise) => Box::new(noise.build(input, id)?),
            Self::GlobalAveragePooling1D(pool) => Box::new(pool.build(input, id)?),
            Self::GlobalAveragePooling2D(pool) => Box::new(pool.build(input, id)?),
            Self::Gru(gru) => Box::new(gru.build(input, id)?),
            Self::LayerNormalization(normalization) => Box::new(normalization.build(input, id)?),
            Self::Lstm(lstm) => Box::new(lstm.build(input, id)?),
            Self::MaxPool2D(pool) => Box::new(pool.build(input, id)?),
            Self::MultiTimescaleLstm(lstm) => Box::new(lstm.build(input, id)?),
            Self::RandomFourierFeatures(features) => Box::new(features.build(input, id)?),
            Self::Reshape(reshape) => Box::new(reshape.build(input, id)?),
            Self::Residual(residual) => Box::new(residual.build(input, id)?),
            Self::SimpleRnn(rnn) => Box::new(rnn.build(input, id)?),
            Self::SpatialDropout(dropout) => Box::new(dropout.build(input, id)?),
            Self::StatisticsPooling1D(pool) => Box::new(pool.build(input, id)?),
            Self::TimeDistributed(distributed) => Box::new(distributed.build(input, id)?),
        })
    }
}
