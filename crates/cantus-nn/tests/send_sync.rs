//! Public types can be moved to and shared among threads: checked when this file is compiled.

use cantus_nn::drawing::{Anchor, Drawing, Role, Shape};
use cantus_nn::layer::{
    ActivationLayer, Average, AveragePool2D, BatchNormalization, Bidirectional, Branch, Conv2D, Dense,
    Dropout, Flatten, GaussianNoise, GlobalAveragePooling1D, GlobalAveragePooling2D, Gru, Kernel,
    LayerNormalization, Lstm, MaxPool2D, MultiTimescaleLstm, Padding, RandomFourierFeatures, Reshape,
    Residual, SimpleRnn, SpatialDropout, StatisticsPooling1D, TimeDistributed,
};
use cantus_nn::optimizer::{Adam, AdamW, RmsProp, Sgd};
use cantus_nn::perceptron::Perceptron;
use cantus_nn::{
    Activation, Architecture, Averaging, Batching, Clipping, EarlyStopping, EpochEnd, EpochLog, Error,
    History, InMemory, Initializer, LayerSpec, Loss, Network, Optimizer, Progress, Regularizer, Schedule,
    Scores, Target, Tensor, Training,
};

const fn is_send_and_sync<T: Send + Sync>() {}

macro_rules! all_are_send_and_sync {
    ($($public:ty),* $(,)?) => { $(const _: () = is_send_and_sync::<$public>();)* };
}

all_are_send_and_sync!(
    Activation,
    Architecture,
    Averaging,
    Batching,
    Clipping,
    EarlyStopping,
    EpochEnd<'static>,
    EpochLog,
    Error,
    History,
    InMemory<'static>,
    Initializer,
    LayerSpec,
    Loss,
    Network,
    Optimizer,
    Progress<'static>,
    Regularizer,
    Schedule,
    Scores,
    Target<'static>,
    Tensor,
    Training,
);
all_are_send_and_sync!(
    ActivationLayer,
    Average,
    AveragePool2D,
    BatchNormalization,
    Bidirectional,
    Branch,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GaussianNoise,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    Gru,
    Kernel,
    LayerNormalization,
    Lstm,
    MaxPool2D,
    MultiTimescaleLstm,
    Padding,
    RandomFourierFeatures,
    Reshape,
    Residual,
    SimpleRnn,
    SpatialDropout,
    StatisticsPooling1D,
    TimeDistributed,
);
all_are_send_and_sync!(Adam, AdamW, RmsProp, Sgd, Perceptron<2, 1>, Anchor, Drawing, Role, Shape);
