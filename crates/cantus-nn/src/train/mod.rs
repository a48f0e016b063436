//! Training: batches, epochs, validation, early stopping and checkpoints.
//!
//! `fit` is the loop of a textbook: shuffle, take a batch, step, and validate at the end of an epoch. The modules that
//! make a step fast:
//!
//! - `leading_layers`: layers without weights at the start of the network, computed once for each example;
//! - `plan`: which layers a micro-batch passes without waiting, and where the whole batch must be reduced;
//! - `batch_shard`: the activations and gradients of a part of the batch;
//! - `trained_weights`: the weights of a layer and their updates, in one of two forms: `parameter_block`, `column_parallel`;
//! - `engine`: the phases of a step, run by a pool of threads.

mod batch_shard;
mod checkpoint;
mod column_parallel;
mod engine;
mod fit;
mod leading_layers;
mod parameter_block;
mod plan;
mod progress;
mod state;
mod step;
mod trained_weights;
mod training;

pub(crate) use fit::{NetworkParts, fit};
pub use progress::{EpochEnd, Progress};
pub use training::{Batching, Clipping, EarlyStopping, Training};
