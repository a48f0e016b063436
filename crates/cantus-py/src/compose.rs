//! The synthesised corpus of music.

use std::path::PathBuf;

use cantus_synth::{Corpus, TrackSpec};
use pyo3::prelude::*;
use rayon::prelude::*;

use crate::errors::Failure;
use crate::progress::Progress;

/// Adds the functions of this file to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(compose, module)?)
}

/// Writes `n_tracks` tracks of each genre below `folder`; returns their number.
#[pyfunction]
fn compose(
    py: Python<'_>,
    folder: PathBuf,
    n_tracks: usize,
    duration_s: f64,
    seed: u64,
    sample_rate: u32,
    on_progress: Option<Py<PyAny>>,
) -> PyResult<usize> {
    let tracks: Vec<TrackSpec> = Corpus::new(n_tracks, seed).collect();
    let progress = Progress::new(on_progress);
    let n_done = std::sync::atomic::AtomicUsize::new(0);
    progress.run(py, || {
        for track in &tracks {
            let path = folder.join(&track.file_name);
            let parent = path.parent().unwrap_or(&folder);
            cantus_audio::atomic_file::create_folder(parent)
                .map_err(|source| Failure::system(parent, source))?;
        }
        tracks.par_iter().filter(|_| !progress.is_stopped()).try_for_each(|track| {
            let audio = cantus_synth::compose(track.genre, track.seed, duration_s, sample_rate);
            cantus_audio::write_wav(folder.join(&track.file_name), &audio)?;
            let n_done = n_done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
            progress.show_recording(n_done, tracks.len(), &track.file_name);
            Ok::<(), Failure>(())
        })?;
        Ok(tracks.len())
    })
}
