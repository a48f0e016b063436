//! Neural networks from scratch, described as in Keras.
//!
//! A network is described as data ([`Architecture`]), built ([`Network::new`]), trained ([`Network::fit`]) and used
//! ([`Network::predict`]). There is no graph and no automatic differentiation: each layer has its forward and backward
//! pass written out below its formulas, in a file of its own under `layer`. To study backpropagation, read [`neuron`],
//! [`perceptron`] and `layer/dense.rs`, in this order; to study how training is distributed over threads without changing
//! a bit of the result, read `train`.
//!
//! [`Network::import_weights`] reads weights trained with Keras or PyTorch; [`Network::drawing`] draws the architecture.
//!
//! The crate is independent of audio, files and terminals.

mod activation;
mod architecture;
mod averaging;
#[cfg(test)]
mod backward_reads_tests;
pub mod drawing;
mod elementwise;
mod epoch_order;
mod error;
mod evaluation;
mod examples;
mod history;
mod import;
mod inference;
mod initializer;
pub mod layer;
mod loss;
mod matmul;
mod micro_batch;
mod network;
pub mod neuron;
pub mod optimizer;
pub mod perceptron;
mod regularizer;
mod rng_streams;
mod schedule;
mod sequential;
mod summary;
mod sync;
mod tensor;
#[cfg(test)]
mod testing;
mod thread_pool;
mod train;

pub use activation::Activation;
pub use architecture::Architecture;
pub use averaging::Averaging;
pub use error::Error;
pub use examples::{Examples, InMemory, Target};
pub use history::{EpochLog, History, Scores};
pub use initializer::Initializer;
pub use layer::LayerSpec;
pub use loss::Loss;
pub use network::Network;
pub use optimizer::Optimizer;
pub use regularizer::Regularizer;
pub use schedule::Schedule;
pub use tensor::Tensor;
pub use train::{Batching, Clipping, EarlyStopping, EpochEnd, Progress, Training};

/// Compiles the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
