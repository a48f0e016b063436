//! Lecture 12: from a folder of recordings to a data set.
//!
//!     cargo run --example lesson_12_data_set

use std::path::{Path, PathBuf};

use cantus::lesson::Sheet;
use cantus::plot::{ColourRange, HeatMap, Rows, heat_map};
use cantus_audio::feature::FeatureSpec;
use cantus_audio::synth::{Corpus, Genre, compose, write_wav};
use cantus_dataset::{Catalog, ExtractOptions, FeatureStore, SegmentSplit, SplitSpec, Unit, extract};

const GENRES: [Genre; 3] = [Genre::Classical, Genre::Disco, Genre::Metal];

/// Tracks, segments, labels, and who is learnt from.
pub fn lesson(sheet: &mut Sheet<'_>) -> Result<(), cantus::Error> {
    let music = match sheet.data() {
        Some(data) => data.to_owned(),
        None => composed(&sheet.folder().join("music"))?,
    };
    sheet.say(format_args!(
        "A data set begins as a folder with a folder for each label: {}.",
        music.display()
    ));
    let catalog = Catalog::open(&music)?;
    sheet.say(format_args!("  labels: {}", catalog.labels.join(", ")));
    sheet.result("tracks", catalog.tracks.len() as f64, "");

    sheet.say("A network wants many examples of one size. So each track is cut into segments of three seconds, and of");
    sheet.say("each segment 13 MFCCs in 130 frames are kept, with the number of its label:");
    let folder = sheet.folder().join("features");
    let options = ExtractOptions { overwrite: true, ..ExtractOptions::default() };
    extract(&catalog, &FeatureSpec::course(), &folder, &options, &|_| {})?;
    let store = FeatureStore::open(&folder)?;
    sheet.result("segments", store.n_segments() as f64, "");
    sheet.result("numbers in each", (store.n_frames() * store.n_bins()) as f64, "");
    let titles = store.labels().iter().enumerate();
    for (label, title) in titles {
        let Some(segment) = (0..store.n_segments()).find(|&segment| store.label_of(segment) == label) else {
            continue;
        };
        let (values, n_bins) = (&store.read_segments(&[segment])?[..], store.n_bins());
        let (frame_s, rows, unit) = (512.0 / 22_050.0, Rows::Numbered("MFCC"), "");
        let range = ColourRange::Standardised;
        sheet.picture(title, &heat_map(&HeatMap { title, values, n_bins, frame_s, rows, unit, range }))?;
    }

    sheet.say(
        "Before anything is learnt, some tracks are put aside to be judged by. Split segment by segment, as",
    );
    sheet.say("is often done, most tracks stand on both sides, and the judgement flatters:");
    for (by, name) in [(Unit::Segment, "split by segment"), (Unit::Track, "split by track")] {
        let split = store.split(&SplitSpec { by, ..SplitSpec::default() })?;
        sheet.result(&format!("tracks on both sides, {name}"), on_both_sides(&store, &split) as f64, "");
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

/// Tracks of which some segments are learnt from and others are judged by.
fn on_both_sides(store: &FeatureStore, split: &SegmentSplit) -> usize {
    let is_of =
        |track: usize, segments: &[usize]| segments.iter().any(|&segment| store.track_of(segment) == track);
    (0..store.tracks().len()).filter(|&track| is_of(track, &split.train) && is_of(track, &split.test)).count()
}

fn main() -> Result<(), cantus::Error> {
    lesson(&mut Sheet::new("cantus-lessons/12", &mut std::io::stdout()))
}
