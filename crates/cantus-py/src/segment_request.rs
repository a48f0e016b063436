//! The arguments of a call for segments and background: what is computed of which recordings.

use std::path::Path;

use cantus::SegmentChanges;
use cantus_audio::feature::SegmentPadding;
use cantus_dataset::Catalog;
use serde::Deserialize;

use crate::errors::Failure;

/// How recordings are cut into segments, under the names of the command line; what is not given follows the recipe.
#[derive(Deserialize, Clone, Copy, Default)]
#[serde(default)]
pub struct SegmentRequest {
    segment: Option<f64>,
    hop: Option<f64>,
    pad: Option<SegmentPadding>,
    n_segments: Option<usize>,
}

impl SegmentRequest {
    /// The segments that are given.
    pub fn changes(self) -> SegmentChanges {
        let Self { segment, hop, pad, n_segments } = self;
        SegmentChanges { duration_s: segment, hop_s: hop, padding: pad, max_segments: n_segments }
    }
}

/// The recordings of a folder or manifest, and of a folder of background.
///
/// # Errors
/// Those of [`Catalog::open_with_background`].
pub fn open_catalog(data: &Path, background: Option<&Path>) -> Result<Catalog, Failure> {
    Ok(match background {
        Some(background) => Catalog::open_with_background(data, background)?,
        None => Catalog::open(data)?,
    })
}
