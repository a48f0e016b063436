//! All layers by name: the entry of an architecture.

use serde::{Deserialize, Serialize};

use super::{
    Activate, BatchNormalization, Conv2D, Dense, Dropout, Flatten, Gru, Layer, Lstm, MaxPool2D, Reshape,
    SimpleRnn, Site,
};
use crate::error::Error;

/// One layer of an architecture, described in Keras's words: `type = "Dense"`, `units = 512`, `activation = "relu"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant is documented at the layer of its name")]
pub enum LayerSpec {
    Dense(Dense),
    Activation(Activate),
    BatchNormalization(BatchNormalization),
    Conv2D(Conv2D),
    #[serde(rename = "GRU")]
    Gru(Gru),
    #[serde(rename = "SimpleRNN")]
    SimpleRnn(SimpleRnn),
    #[serde(rename = "LSTM")]
    Lstm(Lstm),
    #[serde(alias = "MaxPooling2D")]
    MaxPool2D(MaxPool2D),
    Dropout(Dropout),
    Flatten(Flatten),
    Reshape(Reshape),
}

impl LayerSpec {
    /// Its name, as in Keras.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Dense(_) => "Dense",
            Self::Activation(_) => "Activation",
            Self::BatchNormalization(_) => "BatchNormalization",
            Self::Conv2D(_) => "Conv2D",
            Self::Gru(_) => "GRU",
            Self::SimpleRnn(_) => "SimpleRNN",
            Self::Lstm(_) => "LSTM",
            Self::MaxPool2D(_) => "MaxPool2D",
            Self::Dropout(_) => "Dropout",
            Self::Flatten(_) => "Flatten",
            Self::Reshape(_) => "Reshape",
        }
    }

    /// Makes a layer for inputs of this shape; `path` is where the architecture has it.
    pub(crate) fn build(&self, input_shape: &[usize], path: &str) -> Result<Box<dyn Layer>, Error> {
        let site = Site { path, kind: self.kind() };
        Ok(match self {
            Self::Dense(dense) => Box::new(dense.build(input_shape, site)?),
            Self::Activation(activate) => Box::new(activate.build(input_shape)),
            Self::BatchNormalization(batch) => Box::new(batch.build(input_shape, site)?),
            Self::Conv2D(conv) => Box::new(conv.build(input_shape, site)?),
            Self::Gru(gru) => Box::new(gru.build(input_shape, site)?),
            Self::SimpleRnn(rnn) => Box::new(rnn.build(input_shape, site)?),
            Self::Lstm(lstm) => Box::new(lstm.build(input_shape, site)?),
            Self::MaxPool2D(pool) => Box::new(pool.build(input_shape, site)?),
            Self::Dropout(dropout) => Box::new(dropout.build(input_shape, site)?),
            Self::Flatten(flatten) => Box::new(flatten.build(input_shape)),
            Self::Reshape(reshape) => Box::new(reshape.build(input_shape, site)?),
        })
    }
}
