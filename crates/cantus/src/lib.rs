//! Teach a computer to hear: folders of recordings in, a classifier that can be trusted out.
//!
//! The way of the sound, and where each step lives:
//!
//! ```text
//! file ─▶ Audio ─▶ segments ─▶ spectrum ─▶ features [n_frames, n_bins]   cantus_audio
//!                                             │
//!                                        feature store                   cantus_dataset
//!                                             │
//! answer ◀─ track vote ◀─ Network ◀─────── training                      cantus_nn, and here
//! ```
//!
//! A trained [`Model`] is one file with everything in it:
//!
//! ```no_run
//! let prediction = cantus::Model::load("model.safetensors")?.predict_file("song.mp3")?;
//! println!("{} ({:.0} %)", prediction.label, 100.0 * prediction.probability);
//! # Ok::<(), cantus::Error>(())
//! ```

mod augmentation;
mod baseline;
mod calibration;
mod chance_for;
mod class_balance;
pub mod comparison;
mod crops;
pub mod cross_validation;
mod error;
pub mod evaluation;
pub mod inspection;
pub mod lesson;
pub mod listing;
mod model;
pub mod model_file;
mod normalization;
mod part_examples;
pub mod plot;
mod prediction;
mod recipe;
pub mod report;
pub mod run;
mod toml_problem;
pub mod training;
mod vote;

pub use augmentation::{Augmentation, Mixup, SpecAugment};
pub use calibration::Calibration;
pub use class_balance::{ClassWeight, Rule};
pub use crops::Crops;
pub use error::Error;
pub use model::Model;
pub use normalization::{Normalization, Normalizer};
pub use prediction::{Prediction, Predictor, Probabilities, SegmentPrediction};
pub use recipe::Recipe;
pub use toml_problem::toml_problem;
