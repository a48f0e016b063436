//! Progress of an extraction.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::Track;

/// Progress of an extraction, reported after each track by the thread that extracted it.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// Number of tracks done, including those that failed or were kept from an earlier extraction.
    pub n_done: usize,
    /// Number of tracks.
    pub n_tracks: usize,
    /// Number of tracks that failed in this extraction.
    pub n_failures: usize,
    /// Path of the last track.
    pub path: &'a str,
}

/// Counts tracks of all threads and reports the progress.
pub(super) struct ProgressCounter<'a> {
    n_tracks: usize,
    n_done: AtomicUsize,
    n_failures: AtomicUsize,
    on_progress: &'a (dyn Fn(Progress<'_>) + Sync),
}

impl<'a> ProgressCounter<'a> {
    pub(super) fn new(n_tracks: usize, on_progress: &'a (dyn Fn(Progress<'_>) + Sync)) -> Self {
        Self { n_tracks, n_done: AtomicUsize::new(0), n_failures: AtomicUsize::new(0), on_progress }
    }

    /// A track was extracted, or failed.
    pub(super) fn track_done(&self, track: &Track, failed: bool) {
        let n_failures =
            self.n_failures.fetch_add(usize::from(failed), Ordering::Relaxed) + usize::from(failed);
        let n_done = self.n_done.fetch_add(1, Ordering::Relaxed) + 1;
        (self.on_progress)(Progress { n_done, n_tracks: self.n_tracks, n_failures, path: &track.path });
    }

    /// The tracks of a part were kept from an earlier extraction.
    pub(super) fn part_kept(&self, tracks: &[Track]) {
        let n_done = self.n_done.fetch_add(tracks.len(), Ordering::Relaxed) + tracks.len();
        let n_failures = self.n_failures.load(Ordering::Relaxed);
        let path = tracks.last().map_or("", |track| &track.path);
        (self.on_progress)(Progress { n_done, n_tracks: self.n_tracks, n_failures, path });
    }
}
