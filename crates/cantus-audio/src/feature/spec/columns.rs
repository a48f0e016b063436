//! Columns of the feature matrix of a specification, and the features as it parametrises them.

use std::ops::Range;

use super::FeatureSpec;
use crate::Error;
use crate::feature::frame_level::{Bins, Quantity};
use crate::feature::registry::{FeatureKind, TrackFeatureKind};
use crate::feature::summary::Summary;
use crate::feature::track_level::TrackFeature;

impl FeatureKind {
    /// Number of columns of a row: the bins of a frame, the statistics of all of them with a summary, or the values of the
    /// embeddings.
    pub fn n_bins(self, spec: &FeatureSpec) -> usize {
        if self == Self::Embedding {
            return spec.embeddings.iter().map(|embedding| embedding.description.n_values()).sum();
        }
        let n_statistics = spec.summary.as_ref().map_or(1, Summary::n_statistics);
        self.n_frame_bins(spec) * n_statistics
    }

    /// Number of bins of a frame; 0 for embeddings.
    pub(in crate::feature) fn n_frame_bins(self, spec: &FeatureSpec) -> usize {
        self.n_bins_with(spec, &spec.frame_params())
    }

    /// The axis of the bins; of a valid specification.
    pub fn bins(self, spec: &FeatureSpec) -> Bins {
        self.bins_with(spec, &spec.frame_params())
    }

    /// The quantity that the values measure.
    pub fn quantity(self, spec: &FeatureSpec) -> Quantity {
        self.quantity_with(&spec.frame_params())
    }
}

impl TrackFeatureKind {
    /// Computes the feature of a recording.
    ///
    /// # Shapes
    /// - `samples`: `[n_samples]`, at the specification's sample rate
    ///
    /// # Errors
    /// Those of [`FeatureSpec::validate`], and [`Error::InvalidSpec`] if one of the feature's own settings is out of
    /// range.
    pub fn compute(self, samples: &[f32], spec: &FeatureSpec) -> Result<TrackFeature, Error> {
        spec.validate()?;
        self.compute_with(samples, spec, &spec.frame_params())
    }
}

impl FeatureSpec {
    /// Number of bins of all kinds together.
    pub fn n_bins(&self) -> usize {
        self.kinds.iter().map(|kind| kind.n_bins(self)).sum()
    }

    /// Each kind with its columns.
    pub fn columns(&self) -> impl Iterator<Item = (FeatureKind, Range<usize>)> + '_ {
        self.kinds.iter().scan(0, |next, &kind| {
            let start = *next;
            *next += kind.n_bins(self);
            Some((kind, start..*next))
        })
    }

    /// Names of the columns, such as `mfcc_0`, `mfcc_0_mean` or `embedding_0`: those of a table of features.
    pub fn bin_names(&self) -> Vec<String> {
        self.kinds.iter().flat_map(|&kind| self.names_of(kind)).collect()
    }

    fn names_of(&self, kind: FeatureKind) -> Vec<String> {
        let name = kind.name();
        match &self.summary {
            Some(summary) if kind != FeatureKind::Embedding => (0..kind.n_frame_bins(self))
                .flat_map(|bin| {
                    (0..summary.n_statistics()).map(move |index| (bin, summary.statistic_name(index)))
                })
                .map(|(bin, statistic)| format!("{name}_{bin}_{statistic}"))
                .collect(),
            _ => (0..kind.n_bins(self)).map(|bin| format!("{name}_{bin}")).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feature::Axis;

    #[test]
    fn kinds_are_concatenated_along_the_bins() {
        let kinds = vec![FeatureKind::Mfcc, FeatureKind::Stft, FeatureKind::LogMel];
        let spec = FeatureSpec { kinds, n_fft: 8, n_mels: 3, n_mfcc: 2, ..FeatureSpec::default() };
        let columns: Vec<_> = spec.columns().map(|(_, columns)| columns).collect();
        assert_eq!(columns, [0..2, 2..7, 7..10]);
        let names = spec.bin_names();
        assert_eq!(
            (names.len(), names[0].as_str(), names[9].as_str()),
            (spec.n_bins(), "mfcc_0", "log_mel_2")
        );
    }

    #[test]
    fn every_bin_is_described() {
        let spec = FeatureSpec::default();
        for &kind in FeatureKind::ALL {
            let n_described = match kind.bins(&spec) {
                Bins::One => 1,
                Bins::Numbered(_) => kind.n_bins(&spec),
                Bins::Hertz(hertz) => hertz.len(),
                Bins::Named(_, names) => names.len(),
            };
            assert_eq!(n_described, kind.n_bins(&spec), "{kind:?}");
        }
    }

    #[test]
    fn every_value_of_a_track_level_feature_has_a_position() {
        let samples: Vec<f32> = (0..3001).map(|n| (n as f32 * 0.1).sin()).collect();
        for kind in TrackFeatureKind::ALL {
            let feature = kind.compute(&samples, &FeatureSpec::default()).unwrap();
            let n_expected = if kind.axis() == Axis::Count { 0 } else { feature.values.len() };
            assert_eq!(feature.positions.len(), n_expected, "{}", kind.name());
        }
    }

    #[test]
    fn track_level_features_of_no_samples_are_finite() {
        for kind in TrackFeatureKind::ALL {
            let feature = kind.compute(&[], &FeatureSpec::default()).unwrap();
            assert!(feature.values.iter().all(|value| value.is_finite()), "{}", kind.name());
        }
    }
}
