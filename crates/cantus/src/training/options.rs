//! Options of a training beside its recipe, and the events that its observer receives.

use std::fmt;
use std::ops::ControlFlow;

use cantus_dataset::SplitSpec;
use cantus_nn::Progress;

use super::StartingModel;
use crate::report::{EvaluationReport, SplitSummary};
use crate::{Calibration, Error};

/// A function that receives the events of a training; [`ControlFlow::Break`] stops it at the end of the epoch.
pub type Observer<'a> = dyn Fn(&TrainEvent<'_>) -> ControlFlow<()> + 'a;

/// Options of a training: the split, the seed, the number of threads and the observer.
///
/// ```
/// use std::ops::ControlFlow;
/// use cantus::{TrainEvent, TrainOptions};
///
/// let observer = |event: &TrainEvent<'_>| {
///     if let TrainEvent::Start(start) = event {
///         println!("{}", start.split);
///     }
///     ControlFlow::Continue(())
/// };
/// let options = TrainOptions { seed: 7, observer: Some(&observer), ..TrainOptions::default() };
/// # let _ = options;
/// ```
#[derive(Clone, Default)]
pub struct TrainOptions<'a> {
    /// How the tracks are split into training, validation and test part. A cross-validation uses its unit, validation
    /// share and seed. The default is by track; [`SplitSpec::by_known_groups`] splits by group where groups are known.
    pub split: SplitSpec,
    /// Seed of the initial weights, the order of examples, dropout and augmentation.
    pub seed: u64,
    /// Number of threads; 0 for one per core. Does not affect the result.
    pub n_threads: usize,
    /// Bytes for the features of the training and the validation part, and for what follows from them alone; of parts that are
    /// larger, features are read from the store as they are needed. `None` for 2 GiB. Does not affect the result.
    pub memory: Option<u64>,
    /// Temperatures of a model that has no validation part to fit them on, such as those of a [selection's
    /// trial](crate::selection::Trial::calibration); without them its probabilities are not calibrated.
    pub calibration: Option<Calibration>,
    /// The model that the training starts from; `None` for random initial weights. The recipe must have its layers and features:
    /// see [`StartingModel::adapted`].
    pub start: Option<&'a StartingModel>,
    /// Receives the events; `None` for no observer.
    pub observer: Option<&'a Observer<'a>>,
}

impl fmt::Debug for TrainOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrainOptions")
            .field("split", &self.split)
            .field("seed", &self.seed)
            .field("n_threads", &self.n_threads)
            .field("memory", &self.memory)
            .field("calibration", &self.calibration)
            .field("start", &self.start.map(|_| ".."))
            .field("observer", &self.observer.map(|_| ".."))
            .finish()
    }
}

impl TrainOptions<'_> {
    /// Sends an event to the observer.
    pub(crate) fn observe(&self, event: &TrainEvent<'_>) -> ControlFlow<()> {
        self.observer.map_or(ControlFlow::Continue(()), |observer| observer(event))
    }

    /// Sends an event between trainings.
    ///
    /// # Errors
    /// [`Error::Interrupted`] if the observer stops.
    pub(crate) fn notify(&self, event: &TrainEvent<'_>) -> Result<(), Error> {
        match self.observe(event) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::Interrupted),
        }
    }
}

/// An event of a training or of a cross-validation, in the order in which they occur.
#[non_exhaustive]
pub enum TrainEvent<'a> {
    /// A network is built and its training begins.
    Start(&'a TrainingStart<'a>),
    /// Some batches, or an epoch with its validation, are done.
    Progress(&'a Progress<'a>),
    /// The training ended.
    End,
    /// A fold of a cross-validation is evaluated, by this call or by one that it resumes.
    FoldEvaluated {
        /// Counted from 0.
        fold: usize,
        /// Its name: its number from 1, or the manifest's name.
        name: &'a str,
        /// Number of folds.
        n_folds: usize,
        /// The report of the fold's test part.
        report: &'a EvaluationReport,
    },
}

/// A training before its first epoch.
pub struct TrainingStart<'a> {
    /// Which of several trainings it is.
    pub stage: Stage,
    /// Which network of an ensemble it is; `None` for the only one.
    pub member: Option<EnsembleMember<'a>>,
    /// Maximum number of epochs.
    pub n_epochs: usize,
    /// The network's layers and parameters, in the layout of Keras.
    pub network: String,
    /// Specification and sizes of the split.
    pub split: SplitSummary,
    /// Segments of augmented copies that are added to the training part.
    pub n_copied_segments: usize,
    /// Segments of synthesised sounds that are added to the training part's `_background_`; 0 without that label.
    pub n_background_segments: usize,
    /// Recordings whose copies are in several parts of a given split, which biases the scores upwards.
    pub duplicates_across_split: Vec<&'a str>,
    /// Whether it continues an interrupted training.
    pub is_resumed: bool,
}

/// One of the networks of an ensemble, each of which has a training of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnsembleMember<'a> {
    /// The recipe of the network.
    pub recipe: &'a str,
    /// Its place among the networks, counted from 0.
    pub index: usize,
    /// Number of networks.
    pub n_members: usize,
}

impl fmt::Display for EnsembleMember<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} of {})", self.recipe, self.index + 1, self.n_members)
    }
}

/// The training that an event belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// The only training.
    Single,
    /// The training that accompanies one whose split leaks: by track beside by segment, by group beside by track.
    WithoutLeak,
    /// The training of a fold of a cross-validation.
    Fold {
        /// Counted from 0.
        fold: usize,
    },
    /// The final model after a cross-validation.
    Final,
    /// The training of a fold of a trial, in a selection of recipes.
    Trial {
        /// Counted from 0.
        fold: usize,
    },
}
