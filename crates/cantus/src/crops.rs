//! Crops: network inputs that are shorter than a stored segment.
//!
//! In training, each epoch crops every segment at a random frame, which makes more examples of the same recordings. In
//! validation and prediction, a segment's probabilities are the mean over a few evenly spaced crops. The model file stores
//! both numbers, so that prediction crops as training did.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// Maximum number of crops of a segment; a model file or a recipe with more would only cost time.
const MAX_CROPS: usize = 1000;

/// Length and number of the crops of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crops {
    /// Frames per crop, at least 1.
    pub n_frames: usize,
    /// Crops per segment whose predictions are averaged, from 1 to 1000.
    pub n_crops: usize,
}

impl Crops {
    /// Error text if segments of `n_frames` frames cannot be cropped so; `None` if they can.
    pub(crate) fn misfit(self, n_frames: usize) -> Option<String> {
        if self.n_frames == 0 {
            return Some("crop_frames = 0: must be at least 1".to_owned());
        }
        if let Some(problem) = n_crops_problem(self.n_crops) {
            return Some(problem);
        }
        (self.n_frames > n_frames).then(|| {
            let crop_frames = self.n_frames;
            format!("crop_frames = {crop_frames}, but a segment has {n_frames} frames; take at most that")
        })
    }

    /// The first frame of an evenly spaced crop: the first crop starts where the segment starts, the last one ends where it
    /// ends; a single crop is centred.
    #[must_use]
    pub fn first_frame(self, crop: usize, n_frames: usize) -> usize {
        let room = n_frames.saturating_sub(self.n_frames);
        match self.n_crops {
            0 | 1 => room / 2,
            n => (room * crop + (n - 1) / 2) / (n - 1),
        }
    }

    /// Some of the crops of some segments, evenly spaced; the crops of the first segment come first.
    ///
    /// # Shapes
    /// - `segments`: `[n_segments, n_frames, n_bins]`
    /// - `range`: within `0..n_segments * self.n_crops`
    /// - returns: `[range.len(), self.n_frames, n_bins]`
    pub(crate) fn cut(
        self,
        segments: &[f32],
        n_frames: usize,
        n_bins: usize,
        range: Range<usize>,
    ) -> Vec<f32> {
        let crop_len = self.n_frames * n_bins;
        let mut crops = Vec::with_capacity(range.len() * crop_len);
        for (segment, crop) in range.map(|i| (i / self.n_crops, i % self.n_crops)) {
            let first_frame = segment * n_frames + self.first_frame(crop, n_frames);
            crops.extend_from_slice(&segments[first_frame * n_bins..][..crop_len]);
        }
        crops
    }
}

/// Error text if a segment cannot have so many crops; `None` if it can.
pub(crate) fn n_crops_problem(n_crops: usize) -> Option<String> {
    match n_crops {
        0 => Some("n_crops = 0: must be at least 1".to_owned()),
        1..=MAX_CROPS => None,
        _ => Some(format!("n_crops = {n_crops}: must be at most {MAX_CROPS}")),
    }
}

/// The mean over the crops of each segment.
///
/// # Shapes
/// - `predictions`: `[n_segments, n_crops, n_labels]`
/// - returns: `[n_segments, n_labels]`
pub(crate) fn mean_over_crops(predictions: &[f32], n_crops: usize, n_labels: usize) -> Vec<f32> {
    let of_segment = |predictions: &[f32]| -> Vec<f32> {
        let sum = |label: usize| predictions.iter().skip(label).step_by(n_labels).sum::<f32>();
        (0..n_labels).map(|label| sum(label) / n_crops as f32).collect()
    };
    predictions.chunks_exact(n_crops * n_labels).flat_map(of_segment).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crops_are_evenly_spaced_from_the_first_frame_to_the_last() {
        let places = |n_crops, n_frames| -> Vec<usize> {
            let crops = Crops { n_frames: 100, n_crops };
            (0..n_crops).map(|crop| crops.first_frame(crop, n_frames)).collect()
        };
        assert_eq!(places(1, 130), [15]);
        assert_eq!(places(2, 130), [0, 30]);
        assert_eq!(places(4, 130), [0, 10, 20, 30]);
        assert_eq!(places(3, 100), [0, 0, 0]);
        assert_eq!(places(5, 106), [0, 2, 3, 5, 6]);
    }

    #[test]
    fn segments_are_cut_into_crops_and_predictions_are_averaged() {
        // Two segments of 4 frames of 2 bins; crops of 3 frames.
        let segments: Vec<f32> = (0..16_u8).map(f32::from).collect();
        let cropping = Crops { n_frames: 3, n_crops: 2 };
        let crops = cropping.cut(&segments, 4, 2, 0..4);
        let expected = [0, 1, 2, 3, 4, 5, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 10, 11, 12, 13, 14, 15];
        assert_eq!(crops, expected.map(|n: u8| f32::from(n)));
        assert_eq!(cropping.cut(&segments, 4, 2, 1..3), crops[6..18]);
        let predictions = [0.25, 0.75, 0.75, 0.25, 1.0, 0.0, 0.5, 0.5];
        assert_eq!(mean_over_crops(&predictions, 2, 2), [0.5, 0.5, 0.75, 0.25]);
    }

    #[test]
    fn invalid_crops_are_refused_with_a_reason() {
        let misfit = |n_frames, n_crops| Crops { n_frames, n_crops }.misfit(130).unwrap_or_default();
        assert_eq!(misfit(131, 1), "crop_frames = 131, but a segment has 130 frames; take at most that");
        assert!(misfit(0, 1).contains("crop_frames = 0") && misfit(1, 0).contains("n_crops = 0"));
        assert_eq!((misfit(130, 3), misfit(130, 1000)), (String::new(), String::new()));
        assert_eq!(misfit(130, 1_000_000_000), "n_crops = 1000000000: must be at most 1000");
    }
}
