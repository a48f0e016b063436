//! A selection of the bins of a segment's features: those that one network of an ensemble reads.

use std::borrow::Cow;

use cantus_audio::feature::{FeatureKind, FeatureSpec};

use crate::Normalization;

/// Ranges of bins, concatenated in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BinSelection {
    /// Bins of the features.
    n_all: usize,
    /// Start and end of each range.
    ranges: Vec<[usize; 2]>,
}

impl BinSelection {
    /// The bins of some kinds of features, in the order of the kinds; kinds that the features do not have are left out.
    pub(crate) fn new(features: &FeatureSpec, kinds: &[FeatureKind]) -> Self {
        let columns: Vec<_> = features.columns().collect();
        let range = |kind| {
            let (_, range) = columns.iter().find(|(column, _)| column == kind)?;
            Some([range.start, range.end])
        };
        Self { n_all: features.n_bins(), ranges: kinds.iter().filter_map(range).collect() }
    }

    /// All bins.
    pub(crate) fn all(n_bins: usize) -> Self {
        Self { n_all: n_bins, ranges: vec![[0, n_bins]] }
    }

    /// Number of selected bins.
    pub(crate) fn n_bins(&self) -> usize {
        self.ranges.iter().map(|[start, end]| end - start).sum()
    }

    /// Start and end of each range.
    pub(crate) fn ranges(&self) -> &[[usize; 2]] {
        &self.ranges
    }

    /// Whether it is all bins in their order.
    pub(crate) fn is_all(&self) -> bool {
        self.ranges == [[0, self.n_all]]
    }

    /// The selected bins of each frame.
    ///
    /// # Shapes
    /// - `features`: `[n_frames, n_all]`
    /// - returns: `[n_frames, n_bins]`
    pub(crate) fn of<'a>(&self, features: &'a [f32]) -> Cow<'a, [f32]> {
        if self.is_all() {
            return Cow::Borrowed(features);
        }
        let frames = features.chunks_exact(self.n_all.max(1));
        let ranges = |frame: &'a [f32]| self.ranges.iter().map(move |&[start, end]| &frame[start..end]);
        frames.flat_map(ranges).flatten().copied().collect::<Vec<_>>().into()
    }

    /// The normalisation of the selected bins.
    pub(crate) fn of_normalization(&self, normalization: &Normalization) -> Normalization {
        let Normalization { mean, deviation } = normalization;
        Normalization { mean: self.of(mean).into_owned(), deviation: self.of(deviation).into_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_those_of_the_kinds_in_their_order() {
        let kinds = vec![FeatureKind::LogMel, FeatureKind::Rms, FeatureKind::Mfcc];
        let features = FeatureSpec { kinds, n_mels: 3, n_mfcc: 2, ..FeatureSpec::default() };
        let selection = BinSelection::new(&features, &[FeatureKind::Mfcc, FeatureKind::LogMel]);
        assert_eq!((selection.n_bins(), selection.ranges()), (5, &[[4, 6], [0, 3]][..]));
        let frames = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0];
        assert_eq!(*selection.of(&frames), [4.0, 5.0, 0.0, 1.0, 2.0, 14.0, 15.0, 10.0, 11.0, 12.0]);
        assert!(matches!(BinSelection::all(6).of(&frames), Cow::Borrowed(_)));
        assert!(matches!(BinSelection::new(&features, &features.kinds).of(&frames), Cow::Owned(_)));
    }
}
