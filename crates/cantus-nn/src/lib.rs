//! Neural networks from scratch, with Keras's words.
//!
//! A network is described as data ([`Architecture`]), built ([`Network::new`]), trained ([`Network::fit`])
//! and asked ([`Network::predict`]). There is no graph and no automatic differentiation: every layer has its
//! forward and its backward pass written out beneath its maths, in a file of its own under `layer`. To learn
//! how backpropagation works, read [`neuron`], [`perceptron`] and `layer/dense.rs`, in this order; to learn how
//! a fit shares its work among threads without changing a bit of the result, read `fit`.
//!
//! Weights that Keras or PyTorch trained come in by [`Network::import_weights`]; [`Network::drawing`] shows
//! what a network looks like.
//!
//! The crate knows nothing of sound, files or terminals.

mod activation;
mod architecture;
mod averaging;
mod chain;
mod crew;
pub mod drawing;
mod elementwise;
mod epoch_order;
mod error;
mod evaluate;
mod examples;
mod fit;
mod history;
mod import;
mod inference;
mod init;
pub mod layer;
mod loss;
mod matmul;
mod network;
pub mod neuron;
pub mod optimizer;
pub mod perceptron;
mod purpose;
mod regularizer;
mod schedule;
mod summary;
mod team;
#[cfg(test)]
mod testing;
mod weights;

pub use activation::Activation;
pub use architecture::Architecture;
pub use averaging::Averaging;
pub use error::Error;
pub use examples::{Examples, InMemory, Target};
pub use fit::{Batching, Clipping, EarlyStopping, EpochEnd, Progress, Training};
pub use history::{EpochLog, History, Scores};
pub use init::Initializer;
pub use layer::LayerSpec;
pub use loss::Loss;
pub use network::Network;
pub use optimizer::Optimizer;
pub use regularizer::Regularizer;
pub use schedule::Schedule;
pub use weights::Tensor;
