//! The graphs of a store's embedding models, in the folder `embeddings` beside the parts: a store can be used on any machine.
//!
//! A graph that is held by reference is not in the store; it is looked up in the user's library of embeddings.

use std::fs;
use std::path::{Path, PathBuf};

use cantus_audio::atomic_file;
use cantus_audio::feature::{Embedding, FeatureSpec};
use cantus_audio::regular_file;
use cantus_embedding::Library;

use super::file_names::GRAPHS;
use crate::Error;

/// Writes the graphs of a specification, unless they are in the folder already, and removes those of a store that was
/// overwritten.
pub(crate) fn write(dir: &Path, spec: &FeatureSpec) -> Result<(), Error> {
    let is_kept = |path: &Path| {
        let mut kept = spec.embeddings.iter().filter(|embedding| !embedding.description.by_reference);
        kept.any(|embedding| path == graph_path(dir, &embedding.description.sha256))
    };
    for entry in fs::read_dir(dir.join(GRAPHS)).into_iter().flatten().flatten() {
        if !is_kept(&entry.path()) {
            fs::remove_file(entry.path()).map_err(Error::io(&entry.path()))?;
        }
    }
    for Embedding { description, graph } in &spec.embeddings {
        let Some(graph) = graph.as_ref().filter(|_| !description.by_reference) else { continue };
        let path = graph_path(dir, &description.sha256);
        let size = graph.bytes().len() as u64;
        if fs::metadata(&path).is_ok_and(|file| file.len() == size) {
            continue;
        }
        atomic_file::create_folder(&dir.join(GRAPHS)).map_err(Error::io(dir))?;
        atomic_file::write(&path, graph.bytes()).map_err(Error::io(&path))?;
    }
    Ok(())
}

/// Loads the graphs of a specification from the store's folder or the user's library. A graph that is in neither stays
/// unloaded, and so do all in a build that cannot run them: the features can be used, and others with them cannot be extracted.
pub(crate) fn load(dir: &Path, spec: &mut FeatureSpec) -> Result<(), Error> {
    for embedding in &mut spec.embeddings {
        let Some(path) = find(dir, &embedding.description.sha256)? else { continue };
        let bytes = regular_file::read(&path).map_err(Error::io(&path))?;
        match cantus_embedding::from_parts(bytes.into(), embedding.description.clone()) {
            Ok(loaded) => *embedding = loaded,
            Err(cantus_embedding::Error::NoRuntime) => {}
            Err(source) => return Err(Error::Embedding { path, source: source.into() }),
        }
    }
    Ok(())
}

fn find(dir: &Path, sha256: &str) -> Result<Option<PathBuf>, Error> {
    let path = graph_path(dir, sha256);
    if path.is_file() {
        return Ok(Some(path));
    }
    // A library that cannot be read is no reason to refuse the store.
    Ok(Library::of_user().and_then(|library| library.by_sha256(sha256)).unwrap_or_default())
}

/// Path of the graph with that SHA-256.
fn graph_path(dir: &Path, sha256: &str) -> PathBuf {
    dir.join(GRAPHS).join(format!("{sha256}.onnx"))
}
