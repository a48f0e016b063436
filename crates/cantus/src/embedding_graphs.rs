//! The graphs of a model's embedding models, in its file or, by reference, in the user's library.

use std::path::Path;

use cantus_audio::feature::{Embedding, FeatureSpec};

use crate::Error;

/// Name of the tensor that holds the graph of an embedding.
fn tensor_name(index: usize) -> String {
    format!("embeddings.{index}.graph")
}

/// The graphs that are written to the file of a model with these features, with their names.
pub(crate) fn of_model(features: &FeatureSpec) -> impl Iterator<Item = (String, &[u8])> {
    features.embeddings.iter().enumerate().filter_map(|(index, Embedding { description, graph })| {
        let graph = graph.as_ref().filter(|_| !description.by_reference)?;
        Some((tensor_name(index), graph.bytes()))
    })
}

/// Loads the graphs of a model's features, from the tensors of its file or from the user's library.
///
/// # Errors
/// [`Error::Embedding`] if one is missing, is not the described one or cannot be run.
#[cfg(any(feature = "embeddings", feature = "train"))]
pub(crate) fn load<'a>(
    features: &mut FeatureSpec,
    graphs: impl Iterator<Item = (&'a str, &'a [u8])>,
    path: &Path,
) -> Result<(), Error> {
    let graphs: Vec<(&str, &[u8])> = graphs.collect();
    for (index, embedding) in features.embeddings.iter_mut().enumerate() {
        let name = tensor_name(index);
        let description = embedding.description.clone();
        let refuse = |reason: String| Error::Embedding { path: path.to_owned(), reason };
        let bytes = match graphs.iter().find(|(found, _)| *found == name) {
            Some((_, bytes)) => bytes.to_vec(),
            None => by_reference(&description.sha256).map_err(|reason| {
                refuse(format!("the embedding model {} is not in the file: {reason}", description.name))
            })?,
        };
        let loaded = cantus_embedding::from_parts(bytes.into(), description);
        *embedding = loaded.map_err(|error| refuse(error.to_string()))?;
    }
    Ok(())
}

/// The graph with that SHA-256 in the user's library.
#[cfg(any(feature = "embeddings", feature = "train"))]
fn by_reference(sha256: &str) -> Result<Vec<u8>, String> {
    let library = cantus_embedding::Library::of_user().map_err(|error| error.to_string())?;
    let found = library.by_sha256(sha256).map_err(|error| error.to_string())?;
    let found = found.ok_or_else(|| {
        format!("no model in {} has the SHA-256 {sha256}; add it to that folder", library.folder().display())
    })?;
    cantus_audio::regular_file::read(&found).map_err(|error| format!("{}: {error}", found.display()))
}

/// Refuses a model with embeddings, which this build cannot compute.
///
/// # Errors
/// [`Error::Embedding`] if there are any.
#[cfg(not(any(feature = "embeddings", feature = "train")))]
pub(crate) fn load<'a>(
    features: &mut FeatureSpec,
    _: impl Iterator<Item = (&'a str, &'a [u8])>,
    path: &Path,
) -> Result<(), Error> {
    match features.embeddings.first() {
        None => Ok(()),
        Some(Embedding { description, .. }) => {
            let reason = format!(
                "it needs the embedding model {}; build with the feature `embeddings`",
                description.name
            );
            Err(Error::Embedding { path: path.to_owned(), reason })
        }
    }
}
