//! Lecture 12: from a folder of recordings to a data set.
//!
//! Run it with `cantus lesson 12`.

use std::path::{Path, PathBuf};

use crate::output::LessonOutput;
use cantus_audio::feature::FeatureSpec;
use cantus_audio::write_wav;
use cantus_dataset::{Catalog, ExtractOptions, FeatureStore, SegmentSplit, SplitSpec, Unit, extract};
use cantus_plot::{ColourRange, HeatMap, Rows, heat_map};
use cantus_synth::{Corpus, Genre, compose};

const GENRES: [Genre; 3] = [Genre::Classical, Genre::Disco, Genre::Metal];

/// Tracks, labels and segments, and leakage by a split of segments.
pub fn lesson(out: &mut LessonOutput<'_>) -> Result<(), cantus::Error> {
    let music = match out.data() {
        Some(data) => data.to_owned(),
        None => composed(&out.folder().join("music"))?,
    };
    let catalog = Catalog::open(&music)?;
    out.say(format_args!(
        "A data set is a folder with a folder of recordings for each label: {}.",
        music.display()
    ));
    out.say("The targets of the network are numbers instead of labels. Number and label of each class:");
    for (number, label) in catalog.labels.iter().enumerate() {
        out.say(format_args!("  {number} = {label}"));
    }
    out.result("recordings (tracks)", catalog.tracks.len() as f64, "");

    let store = extracted(out, &catalog)?;
    segments(out, &store)?;
    split(out, &store)
}

/// Computes the features of all segments, into a feature store in the lesson's folder.
fn extracted(out: &LessonOutput<'_>, catalog: &Catalog) -> Result<FeatureStore, cantus::Error> {
    let folder = out.folder().join("features");
    let options = ExtractOptions { overwrite: true, ..ExtractOptions::default() };
    extract(catalog, &FeatureSpec::course(), &folder, &options, &|_| {})?;
    Ok(FeatureStore::open(&folder)?)
}

fn segments(out: &mut LessonOutput<'_>, store: &FeatureStore) -> Result<(), cantus::Error> {
    out.say("A network is trained on many examples of equal size. Each track is cut into segments of three seconds, which");
    out.say("at 22 050 Hz are 66 150 samples, and MFCCs are computed every 512 samples. 66 150 / 512, rounded up, is 130:");
    out.result("frames of a segment", store.n_frames() as f64, "");
    out.result("MFCCs of a frame", store.n_bins() as f64, "");
    out.result("numbers in a segment, frames times MFCCs", (store.n_frames() * store.n_bins()) as f64, "");
    out.result("segments of all tracks", store.n_segments() as f64, "");
    out.say("The course cuts a track of 30 seconds into ten segments. Of a shorter track, those beyond its end are left out:");
    out.result("segments left out", store.n_dropped() as f64, "");
    out.say("The first segment of each label:");
    for (label, name) in store.labels().iter().enumerate() {
        let Some(segment) = (0..store.n_segments()).find(|&segment| store.label_of(segment) == label) else {
            continue;
        };
        let (values, n_bins) = (&store.read_segments(&[segment])?[..], store.n_bins());
        let (frame_s, rows, unit) = (512.0 / 22_050.0, Rows::Numbered("MFCC (coefficient)"), "");
        let (title, range) = (&*format!("MFCCs of a segment, label {name}"), ColourRange::Standardised);
        out.picture(name, &heat_map(&HeatMap { title, values, n_bins, frame_s, rows, unit, range }))?;
    }
    Ok(())
}

/// A quarter as test part, split by segment and by track.
fn split(out: &mut LessonOutput<'_>, store: &FeatureStore) -> Result<(), cantus::Error> {
    out.say("Before training, a quarter is held out as test part. If single segments are drawn for it, as is often");
    out.say("done, a track has segments in the training part and in the test part. They sound alike, so the test score is");
    out.say("too high (leakage). If whole tracks are drawn, none is in both:");
    for (by, name) in [(Unit::Segment, "split by segment"), (Unit::Track, "split by track")] {
        let split = store.split(&SplitSpec { by, ..SplitSpec::default() })?;
        out.result(&format!("tracks in both parts, {name}"), in_both_parts(store, &split) as f64, "");
    }
    Ok(())
}

/// Composes four tracks of each genre.
fn composed(folder: &Path) -> Result<PathBuf, cantus::Error> {
    for track in Corpus::new(4, 0).filter(|track| GENRES.contains(&track.genre)) {
        let path = folder.join(&track.file_name);
        let parent = path.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent)
            .map_err(|source| cantus::Error::Io { path: parent.to_owned(), source })?;
        write_wav(&path, &compose(track.genre, track.seed, 15.0, 22_050))?;
    }
    Ok(folder.to_owned())
}

/// Tracks that have segments in the training part and in the test part.
fn in_both_parts(store: &FeatureStore, split: &SegmentSplit) -> usize {
    let is_of =
        |track: usize, segments: &[usize]| segments.iter().any(|&segment| store.track_of(segment) == track);
    (0..store.tracks().len()).filter(|&track| is_of(track, &split.train) && is_of(track, &split.test)).count()
}
