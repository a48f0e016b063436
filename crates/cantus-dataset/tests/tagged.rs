//! Tracks with any number of labels (tags): extraction and store.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its files has failed")]

use std::fs;
use std::path::Path;

use cantus_audio::Audio;
use cantus_audio::feature::FeatureSpec;
use cantus_audio::write_wav;
use cantus_dataset::audit::IssueKind;
use cantus_dataset::{Catalog, Error, ExtractOptions, Extraction, FeatureStore, course_json, extract};
use cantus_synth::{Genre, compose};

fn write(path: &Path, audio: &Audio) {
    write_wav(path, audio).unwrap();
}

/// Four songs; the last is a duplicate of the first, with other labels.
fn music(columns: &str, labels: [&str; 4]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (number, genre) in [Genre::Jazz, Genre::Rock, Genre::Pop].into_iter().enumerate() {
        write(&dir.path().join(format!("{number}.wav")), &compose(genre, 3, 9.0, 22_050));
    }
    fs::copy(dir.path().join("0.wav"), dir.path().join("3.wav")).unwrap();
    manifest(dir.path(), columns, labels);
    dir
}

fn manifest(dir: &Path, columns: &str, labels: [&str; 4]) {
    let rows = labels.iter().enumerate().map(|(number, labels)| format!("{number}.wav,{labels}\n"));
    fs::write(dir.join("tracks.csv"), format!("{columns}\n{}", rows.collect::<String>())).unwrap();
}

fn run(music: &Path, out: &Path) -> Result<Extraction, Error> {
    let catalog = Catalog::open(&music.join("tracks.csv"))?;
    extract(&catalog, &FeatureSpec::course(), out, &ExtractOptions::default(), &|_| {})
}

#[test]
fn a_store_of_tags_has_the_labels_of_each_track() {
    let (music, out) =
        (music("path,labels", ["piano;swing", "loud", "", "piano;slow;swing"]), tempfile::tempdir().unwrap());
    let extraction = run(music.path(), out.path()).unwrap();
    let store = FeatureStore::open(out.path()).unwrap();
    assert!(store.is_tagged());
    assert_eq!(store.labels(), ["loud", "piano", "slow", "swing"]);
    let found: Vec<(&str, &[usize])> =
        store.tracks().iter().map(|track| (track.path.as_str(), track.labels.as_slice())).collect();
    let expected: [(&str, &[usize]); 4] =
        [("2.wav", &[]), ("1.wav", &[0]), ("3.wav", &[1, 2, 3]), ("0.wav", &[1, 3])];
    assert_eq!(found, expected);
    assert_eq!(store.labels_of(store.segments_of(3).start), [1, 3]);

    // Duplicates with different tags are duplicates; `TwoLabels` is for classes only.
    let kinds: Vec<IssueKind> =
        extraction.audit.unwrap().counts().into_iter().map(|(kind, _)| kind).collect();
    assert!(
        kinds.contains(&IssueKind::ExactDuplicate) && !kinds.contains(&IssueKind::TwoLabels),
        "{kinds:?}"
    );
    assert_eq!(store.tracks()[2].recording, store.tracks()[3].recording);

    let header = fs::read_to_string(out.path().join("store.toml")).unwrap();
    assert!(header.starts_with("format = 6\n") && header.contains("\ntagging = true\n"), "{header}");
    let again = run(music.path(), out.path()).unwrap();
    assert_eq!((again.n_parts_kept, again.n_parts), (1, 1));
    let json = out.path().join("data.json");
    assert!(matches!(course_json::export(&store, &json), Err(Error::TagsInCourseJson)) && !json.exists());
}

#[test]
fn a_store_of_classes_has_format_2_and_is_not_continued_with_tags() {
    let (music, out) = (music("path,label", ["jazz", "rock", "pop", "jazz"]), tempfile::tempdir().unwrap());
    run(music.path(), out.path()).unwrap();
    let header = fs::read_to_string(out.path().join("store.toml")).unwrap();
    assert!(header.starts_with("format = 6\n") && !header.contains("tagging"), "{header}");
    assert!(!FeatureStore::open(out.path()).unwrap().is_tagged());
    manifest(music.path(), "path,labels", ["jazz", "rock", "pop", "jazz"]);
    let error = run(music.path(), out.path()).unwrap_err().to_string();
    assert!(error.contains("made with other settings (whether labels are tags)"), "{error}");
}
