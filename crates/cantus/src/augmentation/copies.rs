//! Augmented copies of training tracks: selects their segments, and checks that the store holds the copies that the recipe
//! requires.

use cantus_audio::augment::AugmentSpec;
use cantus_dataset::FeatureStore;

/// Segments to train on: those of the training part, followed by those of the first `n_copies` copies of every track whose
/// segments are all in the training part.
///
/// Copies of a track that the split by segment puts into several parts are left out, since they would contain its
/// validation and test segments.
pub(crate) fn with_copies(store: &FeatureStore, training: &[usize], n_copies: usize) -> Vec<usize> {
    let mut n_train = vec![0; store.tracks().len()];
    training.iter().for_each(|&segment| n_train[store.track_of(segment)] += 1);
    let is_whole = |track: &usize| n_train[*track] == store.segments_of(*track).len();
    let whole = (0..n_train.len()).filter(|track| n_train[*track] > 0 && is_whole(track));
    let copies = whole.flat_map(|track| store.copies_of(track).take(n_copies).flatten());
    training.iter().copied().chain(copies).collect()
}

/// Error text if the store lacks the copies that the recipe requires; `None` if it has them.
pub(crate) fn misfit(store: &FeatureStore, required: &AugmentSpec) -> Option<String> {
    if required.copies == 0 {
        return None;
    }
    let Some(made) = store.augmentation() else {
        let copies = required.copies;
        return Some(format!("copies = {copies}, but the features hold no altered copies"));
    };
    if (made.seed, &made.audio) != (required.seed, &required.audio) {
        return Some("the features' copies were made by another [augmentation]".to_owned());
    }
    (made.copies < required.copies)
        .then(|| format!("copies = {}, but the features hold {}", required.copies, made.copies))
}
