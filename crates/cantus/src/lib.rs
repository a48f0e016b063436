//! Audio classification: trains, evaluates and applies classifiers and taggers of recordings.
//!
//! The pipeline, and the crate of each step:
//!
//! ```text
//! file ─▶ Audio ─▶ segments ─▶ spectrum ─▶ features [n_frames, n_bins]   cantus_audio
//!                                             │
//!                                        feature store                   cantus_dataset
//!                                             │
//! label ◀─ aggregation ◀─ Network ◀─────── training                      cantus_nn, and here
//! ```
//!
//! A trained [`Model`] is one file that holds all that prediction needs:
//!
//! ```no_run
//! let prediction = cantus::Model::load("model.safetensors")?.predict_file("song.mp3")?;
//! println!("{} ({:.0} %)", prediction.label, 100.0 * prediction.probability);
//! # Ok::<(), cantus::Error>(())
//! ```
//!
//! [`train`] makes one from a feature store, [`evaluate`] and [`cross_validate`] estimate its accuracy on tracks that it was not
//! trained on; [`Run`] does each of these with a run folder, with checkpoints and reports.
//!
//! # Features
//!
//! `train`, which is on by default, adds feature stores, training, evaluation, reports and export. Without it
//! (`default-features = false`) the crate only loads a [`Model`] and predicts.

#[cfg(feature = "train")]
mod augmentation;
#[cfg(feature = "train")]
mod baseline;
#[cfg(feature = "train")]
mod bin_selection;
mod calibration;
#[cfg(feature = "train")]
mod class_balance;
#[cfg(feature = "train")]
pub mod comparison;
mod crops;
#[cfg(feature = "train")]
mod cross_validation;
mod embedding_graphs;
mod error;
#[cfg(feature = "train")]
mod evaluation;
#[cfg(feature = "train")]
pub mod export;
#[cfg(feature = "train")]
mod file_lock;
#[cfg(feature = "train")]
pub mod genre_tags;
#[cfg(feature = "train")]
pub mod input_files;
#[cfg(feature = "train")]
pub mod inspection;
mod model;
mod model_file;
mod model_format;
#[cfg(feature = "train")]
mod noise;
mod normalization;
mod prediction;
#[cfg(feature = "train")]
mod predictions;
mod printable;
#[cfg(feature = "train")]
mod recipe;
#[cfg(feature = "train")]
mod recording_options;
#[cfg(feature = "train")]
pub mod report;
#[cfg(feature = "train")]
mod rng_streams;
#[cfg(feature = "train")]
mod run;
#[cfg(feature = "train")]
mod segment_choice;
#[cfg(feature = "train")]
mod segment_dataset;
#[cfg(feature = "train")]
pub mod selection;
#[cfg(feature = "train")]
pub mod similarity;
#[cfg(feature = "train")]
mod split_choice;
mod task;
#[cfg(feature = "train")]
mod toml_file;
#[cfg(feature = "train")]
mod training;

#[cfg(feature = "train")]
pub use augmentation::{Augmentation, Mixup, SpecAugment};
pub use calibration::Calibration;
#[cfg(feature = "train")]
pub use class_balance::{ClassWeight, ClassWeightRule};
pub use crops::Crops;
#[cfg(feature = "train")]
pub use cross_validation::cross_validate;
#[cfg(feature = "train")]
pub use error::{ComparisonProblem, GenreTagProblem, OptionProblem};
pub use error::{Error, RunProblem};
#[cfg(feature = "train")]
pub use evaluation::{Evaluated, evaluate};
pub use model::{Model, Provenance, StartingPoint};
pub use normalization::{Normalization, Normalizer};
pub use prediction::{Prediction, Predictor, Probabilities, SegmentPrediction};
#[cfg(feature = "train")]
pub use predictions::Predictions;
pub use printable::printable;
#[cfg(feature = "train")]
pub use recipe::Recipe;
#[cfg(feature = "train")]
pub use recording_options::RecordingOptions;
#[cfg(feature = "train")]
pub use run::{Run, RunOptions};
#[cfg(feature = "train")]
pub use segment_choice::{SegmentChanges, SegmentChoice};
#[cfg(feature = "train")]
pub use split_choice::{SplitChoice, SplitPurpose};
pub use task::Task;
#[cfg(feature = "train")]
pub use toml_file::parse_toml;
#[cfg(feature = "train")]
pub use training::{
    EnsembleMember, Observer, Stage, StartingModel, TrainEvent, TrainOptions, Trained, TrainingStart, train,
};

#[cfg(test)]
mod tests {
    /// Compiles only if these types can be moved to and shared between threads.
    #[test]
    fn models_results_and_errors_are_send_and_sync() {
        fn is_send_and_sync<T: Send + Sync>() {}
        is_send_and_sync::<crate::Model>();
        is_send_and_sync::<crate::Predictor<'_>>();
        is_send_and_sync::<crate::Prediction>();
        is_send_and_sync::<crate::Error>();
        #[cfg(feature = "train")]
        {
            is_send_and_sync::<crate::Recipe>();
            is_send_and_sync::<crate::Trained>();
            is_send_and_sync::<crate::Evaluated>();
            is_send_and_sync::<crate::Run>();
            is_send_and_sync::<crate::report::EvaluationReport>();
        }
    }
}

#[cfg(all(doctest, feature = "train"))]
#[doc = include_str!("../README.md")]
struct Readme;
