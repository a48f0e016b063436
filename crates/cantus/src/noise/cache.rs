//! Features of the sounds of no class kept beside a feature store, where an embedding model takes a minute to compute them.
//!
//! `noise.safetensors` has the features, the number of segments of each sound, and a SHA-256 of the specification and the version
//! that they were computed with; with another one they are computed anew. A store that cannot be written to has no such file.

use std::collections::HashMap;
use std::path::PathBuf;

use cantus_audio::atomic_file;
use cantus_audio::regular_file;
use cantus_dataset::FeatureStore;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use sha2::{Digest, Sha256};

use super::sounds::{NoiseSounds, kinds};
use crate::model_file::hex;
use crate::{Error, rng_streams};

/// Names of the tensors and of the metadata entry.
const FEATURES: &str = "features";
const N_SEGMENTS: &str = "n_segments";
const KEY: &str = "key";

impl NoiseSounds {
    /// The sounds for models of a store's features.
    ///
    /// # Errors
    /// If the store's feature specification cannot be computed.
    pub(crate) fn extract(store: &FeatureStore) -> Result<Self, Error> {
        match store.spec().embeddings.is_empty() {
            true => Self::of(store.spec()),
            false => kept_beside(store),
        }
    }
}

/// The sounds from the file beside the store, or computed and written to it.
fn kept_beside(store: &FeatureStore) -> Result<NoiseSounds, Error> {
    let (path, key) = (path(store), key(store)?);
    if let Some(sounds) = read(&path, &key, store.n_frames() * store.n_bins()) {
        return Ok(sounds);
    }
    let sounds = NoiseSounds::of(store.spec())?;
    // Without the file, the next training takes longer.
    let _ = to_bytes(&sounds, &key).map(|bytes| atomic_file::write(&path, &bytes));
    Ok(sounds)
}

fn path(store: &FeatureStore) -> PathBuf {
    store.dir().join(FeatureStore::NOISE_FILE_NAME)
}

/// What the features depend on.
fn key(store: &FeatureStore) -> Result<String, Error> {
    let unwritable = |error: serde_json::Error| Error::Unwritable { reason: error.to_string() };
    let spec = serde_json::to_string(store.spec()).map_err(unwritable)?;
    let version = env!("CARGO_PKG_VERSION");
    Ok(hex(&Sha256::digest(format!("{version} {} {spec}", rng_streams::REPORT_NOISE))))
}

fn to_bytes(sounds: &NoiseSounds, key: &str) -> Result<Vec<u8>, safetensors::SafeTensorError> {
    let features: Vec<u8> = sounds.features.iter().flat_map(|value| value.to_le_bytes()).collect();
    let counts: Vec<u8> = sounds.sounds.iter().flat_map(|(_, n)| (*n as u32).to_le_bytes()).collect();
    let tensors = [
        (FEATURES, TensorView::new(Dtype::F32, vec![sounds.features.len()], &features)?),
        (N_SEGMENTS, TensorView::new(Dtype::U32, vec![sounds.sounds.len()], &counts)?),
    ];
    safetensors::serialize(tensors, Some(HashMap::from([(KEY.to_owned(), key.to_owned())])))
}

/// The sounds of a file with this key; `None` if it has another one or is damaged.
fn read(path: &std::path::Path, key: &str, segment_len: usize) -> Option<NoiseSounds> {
    let bytes = regular_file::read(path).ok()?;
    let (_, metadata) = SafeTensors::read_metadata(&bytes).ok()?;
    if metadata.metadata().as_ref()?.get(KEY)? != key {
        return None;
    }
    let file = SafeTensors::deserialize(&bytes).ok()?;
    let words = |name: &str, dtype: Dtype| {
        let view = file.tensor(name).ok().filter(|view| view.dtype() == dtype)?;
        Some(view.data().chunks_exact(4).map(|b| [b[0], b[1], b[2], b[3]]).collect::<Vec<_>>())
    };
    let features: Vec<f32> = words(FEATURES, Dtype::F32)?.into_iter().map(f32::from_le_bytes).collect();
    let counts = words(N_SEGMENTS, Dtype::U32)?.into_iter().map(|count| u32::from_le_bytes(count) as usize);
    let sounds: Vec<_> = kinds().zip(counts.collect::<Vec<_>>()).collect();
    let n_segments = sounds.iter().map(|(_, n)| *n).fold(0, usize::saturating_add);
    let is_whole = sounds.len() == kinds().count()
        && n_segments.checked_mul(segment_len) == Some(features.len())
        && features.iter().all(|value| value.is_finite());
    is_whole.then_some(NoiseSounds { sounds, features, segment_len })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::NoiseSounds;

    #[test]
    fn a_file_is_read_only_if_it_is_whole_and_has_the_key() {
        let spec = cantus_audio::feature::FeatureSpec::course();
        let sounds = NoiseSounds::of(&spec).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("noise.safetensors");
        let bytes = to_bytes(&sounds, "a").unwrap();
        std::fs::write(&path, &bytes).unwrap();
        let again = read(&path, "a", sounds.segment_len).unwrap();
        assert_eq!((&again.sounds, &again.features), (&sounds.sounds, &sounds.features));
        assert!(read(&path, "b", sounds.segment_len).is_none());
        assert!(read(&path, "a", sounds.segment_len + 1).is_none());
        std::fs::write(&path, &bytes[..bytes.len() - 4]).unwrap();
        assert!(read(&path, "a", sounds.segment_len).is_none());
        assert!(read(&dir.path().join("none"), "a", sounds.segment_len).is_none());
    }
}
