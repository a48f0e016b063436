//! Streaming parser of `data.json`: nested lists of numbers go directly into one flat list of f32.

use std::fmt;
use std::io::{BufRead, Read, Seek};

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
pub(super) fn read(mut reader: impl BufRead + Seek) -> Result<CourseData, String> {
    serde_json::from_reader(&mut reader).map_err(|error| {
        let text = error.to_string().replace("missing field", "no").replace('`', "'");
        non_finite_at(&mut reader, &error).unwrap_or(text)
    })
}

/// Words for numbers that are not finite: those that Python's `json` module writes, and those of `print` and of JavaScript.
const NON_FINITE: [&str; 4] = ["NaN", "Infinity", "inf", "undefined"];

/// The message of a syntax error at a word for a number that is not finite, which JSON does not have.
fn non_finite_at(reader: &mut (impl BufRead + Seek), error: &serde_json::Error) -> Option<String> {
    if !error.is_syntax() {
        return None;
    }
    reader.rewind().ok()?;
    for _ in 1..error.line() {
        reader.skip_until(b'\n').ok()?;
    }
    // The column is that of the word's first letter, or of the letter by which it differs from `null`.
    let first = error.column().saturating_sub(3);
    std::io::copy(&mut reader.by_ref().take(first as u64), &mut std::io::sink()).ok()?;
    let mut around = Vec::new();
    reader.by_ref().take(12).read_to_end(&mut around).ok()?;
    let around = String::from_utf8_lossy(&around).to_lowercase();
    let word = NON_FINITE.into_iter().find(|word| {
        let start = around.find(&word.to_lowercase());
        start.is_some_and(|start| start <= 3)
    })?;
    let (line, column) = (error.line(), error.column());
    Some(format!(
        "{word} at line {line} column {column}, where a number is expected; JSON has finite numbers only: \
         write the features without silent or damaged recordings"
    ))
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
        if names.iter().any(|name| name.trim().is_empty()) {
            return Err("a label of the mapping is empty".to_owned());
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
