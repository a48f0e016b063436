//! Streaming parser of `data.json`: nested lists of numbers go directly into one flat list of f32.

use std::fmt;
use std::io::Read;

use cantus_audio::feature::FeatureSpec;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, SeqAccess, Visitor};

/// The contents of a `data.json`.
#[derive(Debug, Deserialize)]
#[serde(expecting = "an object with mapping, labels and mfcc")]
pub(super) struct CourseData {
    pub(super) mapping: Vec<String>,
    pub(super) labels: Vec<usize>,
    pub(super) mfcc: Mfcc,
}

/// `[n_segments, n_frames, n_bins]`, flat.
#[derive(Debug, Default)]
pub(super) struct Mfcc {
    pub(super) values: Vec<f32>,
    pub(super) n_segments: usize,
    pub(super) n_frames: usize,
    pub(super) n_bins: usize,
}

/// Parses a `data.json`; the error is one line of text.
pub(super) fn read(reader: impl Read) -> Result<CourseData, String> {
    serde_json::from_reader(reader)
        .map_err(|error| error.to_string().replace("missing field", "no").replace('`', "'"))
}

impl CourseData {
    /// Checks that it is consistent and has the shape of `spec`.
    pub(super) fn check(&self, spec: &FeatureSpec) -> Result<(), String> {
        let Mfcc { n_segments, n_frames, n_bins, .. } = self.mfcc;
        if self.labels.len() != n_segments {
            return Err(format!("{} labels for {n_segments} segments", self.labels.len()));
        }
        if n_segments == 0 {
            return Err("no segments".to_owned());
        }
        let mut names: Vec<&String> = self.mapping.iter().collect();
        names.sort();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!("label '{}' is twice in the mapping", pair[0]));
        }
        if let Some((row, label)) = self.labels.iter().enumerate().find(|(_, label)| **label >= names.len()) {
            return Err(format!(
                "segment {row} has label {label}, but the mapping has {} names",
                names.len()
            ));
        }
        if (n_frames, n_bins) != (spec.frames_per_segment(), spec.n_bins()) {
            return Err(format!(
                "segments of {n_frames} x {n_bins}, but the feature specification has {} x {}; \
                 use the settings that it was made with",
                spec.frames_per_segment(),
                spec.n_bins(),
            ));
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Mfcc {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut mfcc = Self::default();
        List { of: Level::Segments, mfcc: &mut mfcc }.deserialize(deserializer)?;
        Ok(mfcc)
    }
}

/// A list of the given nesting level, appended to `mfcc`; its value is its length.
struct List<'a> {
    of: Level,
    mfcc: &'a mut Mfcc,
}

#[derive(Clone, Copy)]
enum Level {
    Segments,
    Frames,
    Bins,
}

impl<'de> DeserializeSeed<'de> for List<'_> {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.of {
            Level::Segments => "a list of segments",
            Level::Frames => "a list of frames",
            Level::Bins => "a list of numbers",
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<usize, A::Error> {
        let mfcc = self.mfcc;
        let mut n = 0;
        match self.of {
            Level::Segments => {
                while let Some(n_frames) = seq.next_element_seed(List { of: Level::Frames, mfcc })? {
                    check_size(&mut mfcc.n_frames, n_frames, n == 0, || {
                        format!("segment {n} has {n_frames} frames")
                    })?;
                    n += 1;
                }
                mfcc.n_segments = n;
            }
            Level::Frames => {
                while let Some(n_bins) = seq.next_element_seed(List { of: Level::Bins, mfcc })? {
                    let first = mfcc.values.len() == n_bins;
                    check_size(&mut mfcc.n_bins, n_bins, first, || format!("frame {n} has {n_bins} values"))?;
                    n += 1;
                }
            }
            Level::Bins => {
                while let Some(value) = seq.next_element::<f32>()? {
                    if !value.is_finite() {
                        return Err(A::Error::custom("a number beyond the range of f32"));
                    }
                    mfcc.values.push(value);
                    n += 1;
                }
                if n == 0 {
                    return Err(A::Error::custom("an empty frame"));
                }
            }
        }
        Ok(n)
    }
}

/// Sets the size from the first list, and fails if a later one differs.
fn check_size<E: serde::de::Error>(
    size: &mut usize,
    found: usize,
    first: bool,
    what: impl Fn() -> String,
) -> Result<(), E> {
    if first {
        *size = found;
    }
    if *size != found {
        return Err(E::custom(format!("{}, but the first has {size}", what())));
    }
    Ok(())
}
