//! Detection of duplicate recordings: exact by the hash and number of their samples, near by their fingerprints.

use std::collections::{HashMap, HashSet};

use rayon::prelude::*;

use super::alignment::{Alignment, align, is_distinctive};
use super::file_analysis::FileAnalysis;
use super::index::{Candidate, Index};
use crate::disjoint_sets::DisjointSets;

/// Maximum bit error rate at which two fingerprints are of one recording.
///
/// Haitsma & Kalker (2002) use 0.35 for their fingerprint; ours has fewer and more similar sub-fingerprints. Measured by
/// `bench/audio/duplicates.py`, at the best offset: of 500 copies of 25 recordings of emotify (MP3, Vorbis, 8 bits, cut, shifted,
/// resampled, louder, quieter, with noise) the largest rate was 0.117, with 12 dB of clipping, and 0.082 without; of 46 056 pairs
/// of 304 recordings, with a 1 % quantile of 0.363, three had less than 0.2: 0.017 and 0.039, which are excerpts of one
/// recording, and 0.180. Chromaprint's own fingerprints have the same rates within 0.005.
pub const MAX_BIT_ERROR_RATE: f64 = 0.125;
/// Minimum overlap in sub-fingerprints. The first one spans three seconds, so this is seven seconds of audio.
const MIN_OVERLAP: usize = 32;
/// Minimum number of distinct sub-fingerprints in the overlap.
const MIN_DISTINCT: usize = 12;

/// Two files of one recording.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct DuplicatePair {
    /// Index of the first.
    pub(super) first: usize,
    /// Index of the second.
    pub(super) second: usize,
    /// Whether they are exact or near duplicates.
    pub(super) kind: DuplicateKind,
}

/// How two files are duplicates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum DuplicateKind {
    /// Equal samples.
    Exact,
    /// The same recording, re-encoded, cut, or shifted in time.
    Near {
        /// Share of fingerprint bits that differ, from 0 to 1.
        bit_error_rate: f64,
        /// Start of the second file in the first, in seconds; negative if the first starts within the second.
        offset_s: f64,
        /// Length of the overlap, in seconds.
        overlap_s: f64,
    },
}

/// All pairs of duplicate files, sorted; several exact duplicates are each paired with the first only.
///
/// Silent files and files without an analysis are excluded.
pub(super) fn duplicate_pairs(analyses: &[Option<&FileAnalysis>]) -> Vec<DuplicatePair> {
    let mut found = exact_duplicates(analyses);
    let is_exact: HashSet<usize> = found.iter().map(|pair| pair.second).collect();
    let files: Vec<usize> = (0..analyses.len())
        .filter(|file| !is_exact.contains(file) && not_silent(analyses[*file]).is_some())
        .collect();
    let fingerprints: Vec<&[u32]> =
        files.iter().filter_map(|file| analyses[*file]).map(|analysis| &analysis.fingerprint[..]).collect();
    let near: Vec<DuplicatePair> = Index::new(&fingerprints)
        .candidates()
        .par_iter()
        .filter_map(|candidate| best_alignment(&fingerprints, candidate).map(|best| (candidate, best)))
        .map(|(candidate, best)| near_duplicate(files[candidate.first], files[candidate.second], &best))
        .collect();
    found.extend(near);
    found.sort_by_key(|pair| (pair.first, pair.second));
    found
}

/// The recording of each file: the smallest index among its duplicates, direct and indirect.
pub(super) fn recordings(n_files: usize, pairs: &[DuplicatePair]) -> Vec<usize> {
    let mut sets = DisjointSets::new(n_files);
    pairs.iter().for_each(|pair| sets.join(pair.first, pair.second));
    (0..n_files).map(|file| sets.find(file)).collect()
}

fn not_silent(analysis: Option<&FileAnalysis>) -> Option<&FileAnalysis> {
    analysis.filter(|analysis| analysis.peak > 0.0)
}

fn exact_duplicates(analyses: &[Option<&FileAnalysis>]) -> Vec<DuplicatePair> {
    let mut first_of: HashMap<(&str, u64), usize> = HashMap::new();
    let mut found = Vec::new();
    for (file, analysis) in analyses.iter().enumerate() {
        let Some(analysis) = not_silent(*analysis) else { continue };
        let first = *first_of.entry((&analysis.hash, analysis.n_samples)).or_insert(file);
        if first != file {
            found.push(DuplicatePair { first, second: file, kind: DuplicateKind::Exact });
        }
    }
    found
}

/// The best alignment of a candidate; `None` if the two are not of one recording.
fn best_alignment(fingerprints: &[&[u32]], candidate: &Candidate) -> Option<Alignment> {
    let (a, b) = (fingerprints[candidate.first], fingerprints[candidate.second]);
    candidate
        .offsets
        .iter()
        .flat_map(|offset| offset - 1..=offset + 1)
        .filter_map(|offset| align(a, b, offset))
        .filter(|found| found.n_overlapping >= MIN_OVERLAP && found.bit_error_rate <= MAX_BIT_ERROR_RATE)
        .filter(|found| is_distinctive(a, b, found, MIN_DISTINCT))
        .min_by(|a, b| a.bit_error_rate.total_cmp(&b.bit_error_rate))
}

fn near_duplicate(first: usize, second: usize, alignment: &Alignment) -> DuplicatePair {
    let seconds = |n: f64| n * cantus_audio::fingerprint::STEP_S;
    let kind = DuplicateKind::Near {
        bit_error_rate: alignment.bit_error_rate,
        offset_s: seconds(-alignment.offset as f64),
        overlap_s: seconds(alignment.n_overlapping as f64),
    };
    DuplicatePair { first, second, kind }
}
