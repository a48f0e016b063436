//! Scores where labels are tags, of which a track may have none or several.
//!
//! Accuracy and a confusion matrix need one label for each track. The main figure for tags is average precision: tracks are
//! ranked by the probability of a tag, and a random ranking has the share of tracks that have the tag. The figure for all
//! tags is the unweighted mean over tags, so that rare tags count as much as frequent ones.

mod ranking;
mod scores;

pub use ranking::{TagPaired, TagRanking, paired, paired_in_words};
pub use scores::{TagFigures, TagScore, TagScores, tag_probability, tag_scores};
