//! Audit during extraction: duplicates are found, recorded in the store, and not separated by splits.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its files has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use cantus_audio::Audio;
use cantus_audio::feature::FeatureSpec;
use cantus_audio::write_wav;
use cantus_dataset::audit::{Audit, Exclusions, IssueKind};
use cantus_dataset::{
    AuditMode, Catalog, Error, ExtractOptions, Extraction, FeatureStore, Part, SplitSpec, extract,
};
use cantus_synth::{Genre, compose};

fn song(genre: Genre, seed: u64) -> Audio {
    compose(genre, seed, 14.0, 22_050)
}

fn write(path: &Path, audio: &Audio) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    write_wav(path, audio).unwrap();
}

/// The 16-bit samples of a WAV file as another lossless file: Sun `.au`, big-endian.
fn as_au(wav: &Path, au: &Path) {
    let mut reader = hound::WavReader::open(wav).unwrap();
    let samples: Vec<i16> = reader.samples::<i16>().map(Result::unwrap).collect();
    let mut bytes = b".snd".to_vec();
    for field in [24, 2 * samples.len() as u32, 3, reader.spec().sample_rate, 1] {
        bytes.extend(field.to_be_bytes());
    }
    bytes.extend(samples.iter().flat_map(|sample| sample.to_be_bytes()));
    fs::write(au, bytes).unwrap();
}

/// Ten songs with two labels, and duplicates of some of them.
fn music() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    for number in 0..5 {
        write(&at(&format!("jazz/{number}.wav")), &song(Genre::Jazz, number));
        write(&at(&format!("rock/{number}.wav")), &song(Genre::Rock, number));
    }
    as_au(&at("jazz/0.wav"), &at("jazz/0 again.au"));
    // Without the first 1.5 s, at a third of its amplitude.
    let whole = song(Genre::Rock, 1);
    let samples = whole.samples[33_333..].iter().map(|sample| sample * 0.33).collect();
    write(&at("rock/1 cut.wav"), &Audio { samples, ..whole });
    // The same song with another label.
    fs::copy(at("rock/2.wav"), at("jazz/of rock 2.wav")).unwrap();
    dir
}

fn run(music: &Path, out: &Path, audit: AuditMode) -> Result<Extraction, Error> {
    let options = ExtractOptions { audit, ..ExtractOptions::default() };
    extract(&Catalog::open(music)?, &FeatureSpec::course(), out, &options, &|_| {})
}

fn groups(audit: &Audit) -> Vec<Vec<&str>> {
    audit.duplicates.iter().map(|group| group.paths.iter().map(String::as_str).collect()).collect()
}

#[test]
fn exact_near_and_differently_labelled_duplicates_are_found_and_nothing_else() {
    let (music, out) = (music(), tempfile::tempdir().unwrap());
    let audit = run(music.path(), out.path(), AuditMode::Report).unwrap().audit.unwrap();
    assert_eq!(
        groups(&audit),
        [
            vec!["jazz/0 again.au", "jazz/0.wav"],
            vec!["jazz/of rock 2.wav", "rock/2.wav"],
            vec!["rock/1 cut.wav", "rock/1.wav"],
        ]
    );
    let expected = [(IssueKind::TwoLabels, 2), (IssueKind::ExactDuplicate, 1), (IssueKind::NearDuplicate, 1)];
    assert_eq!(audit.counts(), expected);
    assert_eq!(audit.duplicates[2].kept, "rock/1.wav");
}

#[test]
fn duplicates_stay_together_in_every_split_also_after_a_repeated_extraction() {
    let (music, out) = (music(), tempfile::tempdir().unwrap());
    let first = run(music.path(), out.path(), AuditMode::Report).unwrap();
    let again = run(music.path(), out.path(), AuditMode::Report).unwrap();
    assert_eq!((again.n_parts_kept, &again.audit), (first.n_parts, &first.audit));
    let store = FeatureStore::open(out.path()).unwrap();
    let duplicates: Vec<usize> =
        (0..store.tracks().len()).filter(|index| store.tracks()[*index].recording.is_some()).collect();
    assert_eq!(duplicates.len(), 6);
    for seed in 0..20 {
        let spec = SplitSpec { validation: 0.2, test: 0.3, seed, ..SplitSpec::default() };
        let parts = store.split(&spec).unwrap().split.parts;
        for recording in duplicates.iter().map(|index| &store.tracks()[*index].recording) {
            let parts_of_recording: BTreeSet<Option<Part>> = (0..parts.len())
                .filter(|index| store.tracks()[*index].recording == *recording)
                .map(|index| parts[index])
                .collect();
            assert_eq!(parts_of_recording.len(), 1, "{recording:?} with seed {seed}");
        }
    }
}

#[test]
fn an_extraction_without_audit_removes_the_results_of_an_earlier_one() {
    let (music, out) = (music(), tempfile::tempdir().unwrap());
    run(music.path(), out.path(), AuditMode::Report).unwrap();
    assert!(out.path().join("recordings.csv").exists() && out.path().join("audit-00000.json").exists());
    let without = run(music.path(), out.path(), AuditMode::Off).unwrap();
    assert_eq!((without.n_parts_kept, without.audit), (without.n_parts, None));
    assert!(!out.path().join("recordings.csv").exists() && !out.path().join("audit-00000.json").exists());
    assert!(FeatureStore::open(out.path()).unwrap().tracks().iter().all(|track| track.recording.is_none()));
    // With an audit again, the tracks are extracted again, with the same features.
    let features = fs::read(out.path().join("part-00000.arrow")).unwrap();
    let audited = run(music.path(), out.path(), AuditMode::Report).unwrap();
    assert_eq!((audited.n_parts_kept, audited.audit.unwrap().duplicates.len()), (0, 3));
    assert!(features == fs::read(out.path().join("part-00000.arrow")).unwrap());
}

#[test]
fn a_strict_audit_leaves_the_store_unfinished_until_the_files_with_issues_are_excluded() {
    let (music, out) = (music(), tempfile::tempdir().unwrap());
    let error = run(music.path(), out.path(), AuditMode::Strict).unwrap_err().to_string();
    assert!(error.contains("2 two labels, 1 exact duplicate, 1 near duplicate"), "{error}");
    assert!(matches!(FeatureStore::open(out.path()), Err(Error::Incomplete { .. })));
    let report = run(music.path(), out.path(), AuditMode::Report).unwrap();
    assert_eq!(report.n_parts_kept, report.n_parts);
    let list = out.path().join("list.csv");
    Exclusions::write(&list, &report.audit.unwrap().exclusions()).unwrap();
    let exclusions = Exclusions::read(&list).unwrap();
    fs::remove_file(&list).unwrap();
    assert_eq!(exclusions.len(), 4);
    let mut catalog = Catalog::open(music.path()).unwrap();
    assert!(catalog.exclude(&exclusions).is_empty());
    let options = ExtractOptions { audit: AuditMode::Strict, ..ExtractOptions::default() };
    extract(&catalog, &FeatureSpec::course(), out.path(), &options, &|_| {}).unwrap();
    assert_eq!(FeatureStore::open(out.path()).unwrap().tracks().len(), 9);
}

#[test]
fn clips_of_gtzan_are_duplicates_of_their_tracks() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if !data.exists() {
        return eprintln!("skipped: {} is absent", data.display());
    }
    let music = tempfile::tempdir().unwrap();
    for genre in
        ["blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock"]
    {
        fs::create_dir_all(music.path().join(genre)).unwrap();
        let clips = format!("gtzan-clips/{genre}");
        for (folder, name) in [("gtzan-au", "00000.au"), (&clips, "00000.wav"), (&clips, "00001.wav")] {
            let file = format!("{genre}.{name}");
            fs::copy(data.join(folder).join(&file), music.path().join(genre).join(&file)).unwrap();
        }
    }
    let out = tempfile::tempdir().unwrap();
    let audit = run(music.path(), out.path(), AuditMode::Report).unwrap().audit.unwrap();
    assert_eq!(audit.duplicates.len(), 10);
    for group in &audit.duplicates {
        assert!(group.paths.iter().all(|path| path.contains(".00000.")), "{:?}", group.paths);
        assert_eq!((group.paths.len(), group.kept.ends_with(".au")), (2, true));
    }
}
