//! A full disk: one line names the file, nothing is half-written or changed, and with room the same command ends as on a large disk.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::fetch_command::{self, kaggle, small_gtzan};
use crate::long_recordings::write_recording;
use crate::run::{Ran, command};
use crate::small_disk::{Files, SmallDisk, assert_no_temporary_file, files_of};

/// More than any of the commands needs.
const LARGE: u64 = 64 << 20;

/// Files take whole pages, and a size is rounded up to them.
const PAGE: u64 = 4096;

/// Shares of the bytes that a command writes, for which there is room: it fails at its first file, in the middle, and at its last.
const SHARES: [f64; 3] = [0.0, 0.4, 0.9];

const FULL: &str = "No space left on device";

/// A network whose training takes a moment.
const RECIPE: &str = r#"
[training]
epochs = 3
batching = { mini = 8 }
loss = "sparse_categorical_crossentropy"
optimizer = { type = "Adam", learning_rate = 1e-4 }
[[layers]]
type = "Flatten"
"#;

/// A command that writes to the disk, which is the current folder; `@` is the folder of what it reads.
struct Scenario {
    /// Lines that prepare the disk: of `cantus`, or `copy FROM TO`.
    before: &'static [&'static str],
    command: &'static str,
    /// What every message names.
    names: &'static str,
    /// Whether each recording has a message.
    is_by_recording: bool,
}

const fn scenario(command: &'static str, names: &'static str) -> Scenario {
    Scenario { before: &[], command, names, is_by_recording: false }
}

/// Recordings, features, a recipe and a run, in a folder that is not full.
fn prepared() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("r.toml"), RECIPE).unwrap();
    for line in [
        "compose @/music --tracks 4 --duration 3",
        "extract @/music -o @/f",
        "extract @/music -o @/s1 --shard 1/2",
        "extract @/music -o @/s2 --shard 2/2",
        "train @/f -m @/r.toml -o @/run",
    ] {
        run(dir.path(), dir.path(), line).ok();
    }
    dir
}

/// Runs a line on a disk, without messages other than errors; `@` is `dir`.
fn run(dir: &Path, disk: &Path, line: &str) -> Ran {
    let words = line.split_whitespace().map(|word| word.replace('@', dir.to_str().unwrap()));
    command().args(words).arg("-q").current_dir(disk).output().unwrap().into()
}

/// Copies a file, or a folder of files.
fn copy(from: &Path, to: &Path) {
    if from.is_file() {
        fs::copy(from, to).unwrap();
        return;
    }
    for (name, bytes) in files_of(from) {
        fs::create_dir_all(to.join(&name).parent().unwrap()).unwrap();
        fs::write(to.join(name), bytes).unwrap();
    }
}

impl Scenario {
    /// The disk as it is before the command.
    fn prepare(&self, dir: &Path, disk: &SmallDisk) {
        disk.resize(LARGE);
        disk.clear();
        // So that a disk may have no free page.
        fs::write(disk.path().join("filler"), "filler").unwrap();
        for line in self.before {
            match line.split_whitespace().collect::<Vec<_>>()[..] {
                ["copy", from, to] => {
                    copy(Path::new(&from.replace('@', dir.to_str().unwrap())), &disk.path().join(to))
                }
                _ => drop(run(dir, disk.path(), line).ok()),
            }
        }
    }

    /// Runs the command on disks of several sizes.
    fn try_sizes(&self, dir: &Path, disk: &SmallDisk, shares: &[f64]) {
        self.prepare(dir, disk);
        let (before, n_before) = (files_of(disk.path()), disk.n_bytes_used());
        run(dir, disk.path(), self.command).ok();
        let (expected, n_after) = (files_of(disk.path()), disk.n_bytes_used());
        for share in shares {
            let context = format!("{}, room for {share}", self.command);
            self.prepare(dir, disk);
            let n_pages = (share * n_after.saturating_sub(n_before) as f64) as u64 / PAGE;
            disk.resize(n_before + n_pages * PAGE);
            let ran = run(dir, disk.path(), self.command);
            self.check_failure(&ran, &context);
            check_files(&before, &files_of(disk.path()), &expected, &context);
            disk.resize(LARGE);
            let again = run(dir, disk.path(), self.command);
            assert_eq!(again.code, 0, "{context}, again: {}", again.stderr);
            let found = files_of(disk.path());
            let differing: Vec<_> = expected.keys().chain(found.keys()).collect();
            let differing: Vec<_> = differing
                .into_iter()
                .filter(|name| !is_time(name) && expected.get(*name) != found.get(*name))
                .collect();
            assert!(differing.is_empty(), "{context}: {differing:?}");
        }
    }

    #[track_caller]
    fn check_failure(&self, ran: &Ran, context: &str) {
        assert!(ran.code == 1 || ran.code == 3, "{context}: {}: {}", ran.code, ran.stderr);
        let n_lines = ran.stderr.lines().count();
        assert!(n_lines == 1 || self.is_by_recording && n_lines > 0, "{context}: {}", ran.stderr);
        for line in ran.stderr.lines() {
            assert!(line.contains(FULL) && line.contains(self.names), "{context}: {}", ran.stderr);
            assert!(!line.contains(" at path "), "{context}: {}", ran.stderr);
        }
    }
}

/// A duration differs between equal runs.
fn is_time(name: &Path) -> bool {
    name.ends_with("time.json")
}

/// Asserts that each file is as before or complete, that none is lost, and that none is temporary.
#[track_caller]
fn check_files(before: &Files, found: &Files, expected: &Files, context: &str) {
    assert_no_temporary_file(found, context);
    for name in before.keys() {
        assert!(found.contains_key(name), "{context}: {} is lost", name.display());
    }
    for (name, bytes) in found {
        let is_known = before.get(name) == Some(bytes) || expected.get(name) == Some(bytes);
        assert!(is_known || is_time(name) || is_unfinished(name, bytes), "{context}: {}", name.display());
    }
}

/// Whether a file says that its folder is not complete.
fn is_unfinished(name: &Path, bytes: &[u8]) -> bool {
    match name.file_name().unwrap().to_str().unwrap() {
        "store.toml" => String::from_utf8_lossy(bytes).contains("complete = false"),
        "checkpoint" => true,
        _ => bytes.is_empty(),
    }
}

fn try_all(scenarios: &[Scenario], shares: &[f64]) {
    let Some(disk) = SmallDisk::mount(LARGE) else { return };
    let dir = prepared();
    scenarios.iter().for_each(|scenario| scenario.try_sizes(dir.path(), &disk, shares));
}

#[test]
fn feature_stores_on_a_full_disk() {
    try_all(
        &[
            scenario("extract @/music -o f", "f/"),
            scenario("store merge @/s1 @/s2 -o merged", "merged"),
            scenario("store filter @/f -o some --label jazz,pop,rock", "some"),
            Scenario {
                before: &["store filter @/f -o f --label jazz,pop,rock"],
                ..scenario("store add f @/music", "f/")
            },
            scenario("store export @/f -o f.npz --format npz", "f.npz"),
            scenario("store export @/f -o f.arrow --format arrow", "f.arrow"),
            scenario("store export @/f -o tar --format webdataset", "tar"),
            scenario("extract @/f -o data.json", "data.json"),
        ],
        &SHARES,
    );
}

#[test]
fn trainings_on_a_full_disk() {
    try_all(
        &[
            scenario("train @/f -m @/r.toml -o run --resume", "run/"),
            scenario("train @/f -m @/r.toml -o run --folds 2 --final --resume", "run/"),
            scenario("train @/music -m @/r.toml -o run --resume", "run/"),
        ],
        &[0.0, 0.8],
    );
}

#[test]
fn single_files_on_a_full_disk() {
    try_all(
        &[
            Scenario { before: &["copy @/r.toml m.onnx"], ..scenario("export @/run -o m.onnx", "m.") },
            scenario("export @/run -o m.onnx --embedding", "m."),
            Scenario { before: &["copy @/r.toml h.png"], ..scenario("plot history @/run -o h.png", "h.png") },
            scenario("plot confusion @/run -o c.svg", "c.svg"),
            scenario("map @/f -o map.html", "map.html"),
            scenario("inspect @/music --exclusions bad.csv", "bad.csv"),
            scenario("features @/music/pop/pop.00000.wav -k stft -o s.npy", "s.npy"),
            scenario("features @/music/pop/pop.00000.wav -k rms -o s.csv", "s.csv"),
            Scenario {
                is_by_recording: true,
                ..scenario("features @/music/pop -k mfcc -o arrays", "arrays")
            },
            Scenario {
                is_by_recording: true,
                ..scenario("predict @/run @/music/pop --timeline when/{name}.csv", "when")
            },
            scenario("compose songs --tracks 1 --duration 1", "songs"),
            scenario("man pages", "pages"),
            scenario("lesson 3 -o lesson", "lesson"),
            scenario("fetch gtzan lists --lists-only", "lists"),
        ],
        &SHARES,
    );
}

/// The songs of a folder on the disk.
fn songs(disk: &SmallDisk) -> Files {
    files_of(&disk.path().join("songs"))
}

/// Four short songs and a long one on the disk, with their tags written if `command` does so; the bytes in use.
fn with_songs(dir: &Path, disk: &SmallDisk, command: Option<&str>) -> u64 {
    Scenario { before: &["copy @/music/pop songs"], ..scenario("", "") }.prepare(dir, disk);
    write_recording(&disk.path().join("songs/z.wav"), 20, 50);
    command.into_iter().for_each(|command| drop(run(dir, disk.path(), command).ok()));
    disk.n_bytes_used()
}

#[test]
fn genre_tags_on_a_full_disk_are_whole_and_can_be_undone() {
    let Some(disk) = SmallDisk::mount(LARGE) else { return };
    let dir = prepared();
    let (write, undo) =
        ("predict @/run songs --write-tags --undo-file undo.jsonl --jobs 1", "undo-tags undo.jsonl");
    with_songs(dir.path(), &disk, None);
    let before = songs(&disk);
    with_songs(dir.path(), &disk, Some(write));
    let tagged = songs(&disk);
    assert!(before.iter().all(|(name, bytes)| tagged[name] != *bytes));
    let check = |ran: &Ran, code: i32, n_failed: usize| {
        assert_eq!(ran.code, code, "{}", ran.stderr);
        assert_eq!(ran.stderr.matches(FULL).count(), n_failed, "{}", ran.stderr);
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
        assert_no_temporary_file(&files_of(disk.path()), &ran.stderr);
    };
    // A short song has 33 pages, and as many and a third are recorded of it. No room for the undo file; for no song; for what is recorded of
    // the first one, but not for its temporary file; for the short songs; also for what is recorded of the long one.
    let rooms = [(0, 1, 1, 0), (1, 3, 5, 0), (60, 3, 5, 0), (250, 3, 1, 4), (500, 3, 1, 4)];
    for (n_pages, code, n_failed, n_tagged) in rooms {
        disk.resize(with_songs(dir.path(), &disk, None) + n_pages * PAGE);
        check(&run(dir.path(), disk.path(), write), code, n_failed);
        let found = songs(&disk);
        assert!(found.iter().all(|(name, bytes)| before[name] == *bytes || tagged[name] == *bytes));
        assert_eq!(found.iter().filter(|(name, bytes)| tagged[*name] == **bytes).count(), n_tagged);
        assert_eq!(disk.path().join("undo.jsonl").exists(), n_tagged > 0, "room for {n_pages} pages");
        disk.resize(LARGE);
        if n_tagged > 0 {
            run(dir.path(), disk.path(), undo).ok();
            assert!(songs(&disk) == before);
            fs::remove_file(disk.path().join("undo.jsonl")).unwrap();
        }
        run(dir.path(), disk.path(), write).ok();
        assert!(songs(&disk) == tagged);
    }
    disk.resize(with_songs(dir.path(), &disk, Some(write)) + 40 * PAGE);
    check(&run(dir.path(), disk.path(), undo), 3, 1);
    let found = songs(&disk);
    assert!(
        found
            .iter()
            .all(|(name, bytes)| (if name.ends_with("z.wav") { &tagged } else { &before })[name] == *bytes)
    );
    disk.resize(LARGE);
    run(dir.path(), disk.path(), undo).ok();
    assert!(songs(&disk) == before);
}

#[test]
fn a_download_on_a_full_disk() {
    let Some(disk) = SmallDisk::mount(LARGE) else { return };
    let archive = small_gtzan();
    let (api, _storage) = kaggle(&archive, Duration::ZERO);
    let fetch = || {
        Ran::from(fetch_command::command(disk.path(), &api.url("127.0.0.1"), "gtzan -q").output().unwrap())
    };
    fetch().ok();
    let expected = files_of(&disk.path().join("gtzan"));
    // No room for the archive; then for the archive alone, which is kept.
    for (size, n_left) in [(archive.len() as u64 / 2, 0), (archive.len() as u64 + 9 * PAGE, 1)] {
        disk.clear();
        disk.resize(size);
        fetch().exits(1).says(&["more bytes are needed"]);
        let left = files_of(disk.path());
        assert_no_temporary_file(&left, "gtzan");
        assert!(left.len() == n_left && left.values().all(|bytes| *bytes == archive));
        disk.resize(LARGE);
        fetch().ok();
        assert!(files_of(&disk.path().join("gtzan")) == expected);
    }
    assert_eq!(api.requests().len(), 4, "the archive that is kept is not downloaded again");
}

#[test]
fn an_archive_on_a_full_disk() {
    let Some(disk) = SmallDisk::mount(LARGE) else { return };
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("gtzan.zip"), small_gtzan()).unwrap();
    let unpack = "fetch gtzan data --archive @/gtzan.zip";
    run(dir.path(), disk.path(), unpack).ok();
    let expected = files_of(disk.path());
    let n_bytes = disk.n_bytes_used();
    // Less than what the archive declares, and so little less than what is written that it is noticed in the last file.
    for (size, words) in [(n_bytes / 2, &["more bytes are needed"][..]), (n_bytes - PAGE, &["data", FULL])] {
        disk.clear();
        disk.resize(size);
        run(dir.path(), disk.path(), unpack).exits(1).says(words);
        assert!(files_of(disk.path()).is_empty());
        disk.resize(LARGE);
        run(dir.path(), disk.path(), unpack).ok();
        assert!(files_of(disk.path()) == expected);
    }
}
