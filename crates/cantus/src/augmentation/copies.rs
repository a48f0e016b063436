//! Altered copies of recordings, as training meets them: which there are to learn from, and whether they are those that
//! the recipe wants.

use cantus_audio::augment::AugmentSpec;
use cantus_dataset::FeatureStore;

/// Segments to learn from: those of the training part, and behind them those of the first `n_copies` copies of every track
/// that is learnt from as a whole.
///
/// Of a track that the course's leaky split tears apart no copy is heard, since a copy of it would hold what validation
/// and test ask for.
pub(crate) fn with_copies(store: &FeatureStore, training: &[usize], n_copies: usize) -> Vec<usize> {
    let mut n_learnt = vec![0; store.tracks().len()];
    training.iter().for_each(|&segment| n_learnt[store.track_of(segment)] += 1);
    let is_whole = |track: &usize| n_learnt[*track] == store.segments_of(*track).len();
    let whole = (0..n_learnt.len()).filter(|track| n_learnt[*track] > 0 && is_whole(track));
    let copies = whole.flat_map(|track| store.copies_of(track).take(n_copies).flatten());
    training.iter().copied().chain(copies).collect()
}

/// Why a store has not the copies that a recipe wants, in words; none if it has.
pub(crate) fn misfit(store: &FeatureStore, wanted: &AugmentSpec) -> Option<String> {
    if wanted.copies == 0 {
        return None;
    }
    let remedy = "extract them anew with --augment and this recipe, or train straight from the recordings";
    let Some(made) = store.augmentation() else {
        let copies = wanted.copies;
        return Some(format!("copies = {copies}, but the features hold no altered copies; {remedy}"));
    };
    if (made.seed, &made.audio) != (wanted.seed, &wanted.audio) {
        return Some(format!("the features' copies were made by another [augmentation]; {remedy}"));
    }
    (made.copies < wanted.copies)
        .then(|| format!("copies = {}, but the features hold {}; {remedy}", wanted.copies, made.copies))
}
