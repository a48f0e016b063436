//! Which recordings are one and the same: by the hash of their samples, or nearly so by their fingerprints.

use std::collections::HashMap;

use rayon::prelude::*;

use super::Evidence;
use super::alignment::{Fit, fit, is_telling};
use super::index::{Candidate, Index};
use crate::disjoint::DisjointSets;

/// Up to this share of different bits two fingerprints are of one recording.
///
/// Haitsma & Kalker (2002) have 0.35 for their own fingerprint; Chromaprint's numbers are fewer and more alike. Measured
/// by `tests/reference/duplicates.py` with every eighth of the 298 recordings of emotify and gtzan-clips, at the best of all
/// offsets: of 266 copies (MP3, Vorbis, cut, moved, 16 kHz and quieter) the largest rate was 0.081; of 44 253 pairs of
/// recordings, whose 1 % quantile is 0.364, three had less than 0.2: 0.017, 0.040 and 0.175.
pub const MAX_BIT_ERROR_RATE: f64 = 0.125;
/// Numbers that have to lie over each other: with the three seconds that the first one takes, seven seconds of sound.
const MIN_OVERLAP: usize = 32;
/// Different numbers that have to be among them.
const MIN_DIFFERENT: usize = 12;

/// Two files with one recording.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Match {
    /// Place of the first.
    pub first: usize,
    /// Place of the second.
    pub second: usize,
    /// How they are the same.
    pub likeness: Likeness,
}

/// How two files are the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Likeness {
    /// Sample for sample, whatever their names and encodings.
    Exact,
    /// The same recording encoded anew, cut, or moved in time.
    Near {
        /// Share of the fingerprints' bits that differ, from 0 to 1.
        bit_error_rate: f64,
        /// Where the second begins in the first, in seconds; negative if the first begins in the second.
        offset_s: f64,
        /// How long both go together, in seconds.
        overlap_s: f64,
    },
}

/// All pairs of files with one recording, sorted; of many exact copies each with the first only.
///
/// Silent files and files without evidence are of no recording.
pub fn matches(evidence: &[Option<&Evidence>]) -> Vec<Match> {
    let mut found = exact(evidence);
    let is_copy: std::collections::HashSet<usize> = found.iter().map(|pair| pair.second).collect();
    let places: Vec<usize> = (0..evidence.len())
        .filter(|place| !is_copy.contains(place) && sounding(evidence[*place]).is_some())
        .collect();
    let fingerprints: Vec<&[u32]> =
        places.iter().filter_map(|place| evidence[*place]).map(|known| &known.fingerprint[..]).collect();
    let near: Vec<Match> = Index::new(&fingerprints)
        .candidates()
        .par_iter()
        .filter_map(|candidate| verified(&fingerprints, candidate).map(|fit| (candidate, fit)))
        .map(|(candidate, fit)| near(places[candidate.first], places[candidate.second], &fit))
        .collect();
    found.extend(near);
    found.sort_by_key(|pair| (pair.first, pair.second));
    found
}

/// The recording of each file: the smallest place among the files that are the same, directly or by way of others.
pub fn recordings(n_files: usize, matches: &[Match]) -> Vec<usize> {
    let mut sets = DisjointSets::new(n_files);
    matches.iter().for_each(|pair| sets.join(pair.first, pair.second));
    (0..n_files).map(|place| sets.find(place)).collect()
}

fn sounding(evidence: Option<&Evidence>) -> Option<&Evidence> {
    evidence.filter(|known| known.peak > 0.0)
}

fn exact(evidence: &[Option<&Evidence>]) -> Vec<Match> {
    let mut first_of: HashMap<&str, usize> = HashMap::new();
    let mut found = Vec::new();
    for (place, known) in evidence.iter().enumerate() {
        let Some(known) = sounding(*known) else { continue };
        let first = *first_of.entry(&known.sha256).or_insert(place);
        if first != place {
            found.push(Match { first, second: place, likeness: Likeness::Exact });
        }
    }
    found
}

/// The best fit of a candidate, if it is one recording.
fn verified(fingerprints: &[&[u32]], candidate: &Candidate) -> Option<Fit> {
    let (a, b) = (fingerprints[candidate.first], fingerprints[candidate.second]);
    candidate
        .offsets
        .iter()
        .flat_map(|offset| offset - 1..=offset + 1)
        .filter_map(|offset| fit(a, b, offset))
        .filter(|fit| fit.n_overlapping >= MIN_OVERLAP && fit.bit_error_rate <= MAX_BIT_ERROR_RATE)
        .filter(|fit| is_telling(a, b, fit, MIN_DIFFERENT))
        .min_by(|a, b| a.bit_error_rate.total_cmp(&b.bit_error_rate))
}

fn near(first: usize, second: usize, fit: &Fit) -> Match {
    let seconds = |n: f64| n * cantus_audio::fingerprint::STEP_S;
    let likeness = Likeness::Near {
        bit_error_rate: fit.bit_error_rate,
        offset_s: seconds(-fit.offset as f64),
        overlap_s: seconds(fit.n_overlapping as f64),
    };
    Match { first, second, likeness }
}
