#![doc = include_str!("../README.md")]

pub mod aggregate;
mod class_scores;
mod curves;
mod error;
mod interval;
mod label_errors;
mod paired;
#[cfg(test)]
mod reference;
mod reliability;
mod scores;
mod sign_flip;
pub mod tagging;
mod top_k;
mod tracks;

pub use class_scores::{ClassScores, macro_average, weighted_average};
pub use curves::{Curves, curves};
pub use error::ScoresError;
pub use interval::{Interval, bootstrap_interval, wilson_interval};
pub use label_errors::probable_label_errors;
pub use paired::{Paired, paired, paired_in_words};
pub use reliability::{Reliability, ReliabilityBin, reliability};
pub use scores::{Scores, scores, scores_of_tracks};
pub use tracks::{SegmentResult, TrackDecision, track_decisions};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_types_can_be_shared_between_threads() {
        fn is_send_and_sync<T: Send + Sync>() {}
        is_send_and_sync::<Scores>();
        is_send_and_sync::<ScoresError>();
        is_send_and_sync::<SegmentResult<'_>>();
        is_send_and_sync::<TrackDecision>();
        is_send_and_sync::<tagging::TagRanking>();
        is_send_and_sync::<tagging::TagScores>();
    }
}
