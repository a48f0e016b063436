//! Checks of a recipe: its settings by themselves, and with the shape of the features.

use cantus_audio::augment::AugmentSpec;
use cantus_audio::feature::FeatureSpec;

use cantus_nn::Network;

use super::Recipe;
use crate::Error;
use crate::crops::n_crops_problem;
use crate::error::OptionProblem;

impl Recipe {
    /// Error text for settings that are invalid for any data; `None` if all are valid.
    pub(super) fn problem(&self) -> Option<String> {
        if self.crop_frames.is_none() && self.n_crops != 1 {
            return Some("n_crops without crop_frames: set the number of frames of a crop".to_owned());
        }
        if let Some(problem) = n_crops_problem(self.n_crops) {
            return Some(problem);
        }
        if self.augmentation.spec_augment.is_some() && !self.normalize {
            return Some("spec_augment masks with 0, which is the mean only if normalize = true".to_owned());
        }
        self.augmentation.problem()
    }

    /// The augmented copies that the recipe defines, for an extraction.
    ///
    /// # Errors
    /// If it defines none.
    pub fn required_copies(&self) -> Result<AugmentSpec, Error> {
        let copies = self.augmentation.copy_spec();
        match copies.copies {
            0 => Err(OptionProblem::NoCopies { recipe: self.name.clone() }.into()),
            _ => Ok(copies),
        }
    }

    /// Checks that the network can be built for segments of these features and this number of labels.
    ///
    /// # Errors
    /// [`Error::RecipeMisfit`] names the setting that does not fit.
    pub fn validate_for(&self, features: &FeatureSpec, n_labels: usize) -> Result<(), Error> {
        if self.is_ensemble() {
            return self.validate_members(features, n_labels);
        }
        let (n_frames, n_bins) = (features.frames_per_segment(), features.n_bins());
        let refuse = |reason| Err(Error::RecipeMisfit { name: self.name.clone(), reason });
        if let Some(reason) = self.misfit(n_frames, n_bins) {
            return refuse(reason);
        }
        let architecture = self.architecture(n_frames, n_bins, n_labels);
        match architecture.output_shape() {
            Ok(_) => Ok(()),
            Err(error) => refuse(format!("{error} (segments of {n_frames} frames of {n_bins} values)")),
        }
    }

    /// [`validate_for`](Self::validate_for) for an ensemble.
    fn validate_members(&self, features: &FeatureSpec, n_labels: usize) -> Result<(), Error> {
        let members = self.members_with(features);
        let build = |member: &Self| {
            member.validate_for(&member.features, n_labels)?;
            let spec = &member.features;
            let architecture = member.architecture(spec.frames_per_segment(), spec.n_bins(), n_labels);
            Ok(Network::new(&architecture, 0)?)
        };
        let networks = members.iter().map(build).collect::<Result<Vec<_>, Error>>()?;
        self.averaged(features, n_labels, &networks.iter().collect::<Vec<_>>()).map(drop)
    }

    /// Error text if the recipe does not fit segments of this shape; `None` if it does.
    pub(crate) fn misfit(&self, n_frames: usize, n_bins: usize) -> Option<String> {
        let crops = || self.crops().and_then(|crops| crops.misfit(n_frames));
        if let Some(problem) = self.problem().or_else(crops) {
            return Some(problem);
        }
        let n_input_frames = self.crop_frames.unwrap_or(n_frames);
        self.augmentation.spec_augment.and_then(|masks| masks.misfit(n_input_frames, n_bins))
    }
}
