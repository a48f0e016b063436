//! Recordings with everything that a store records: copies, failures, groups, parts of a split, tags, altered copies.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use cantus_audio::augment::AugmentSpec;
use cantus_audio::feature::{FeatureSpec, Segments};
use cantus_audio::{Audio, write_wav};
use cantus_dataset::{
    Catalog, Error, ExtractOptions, Extraction, FeatureStore, Shard, StoreObserver, extract,
};

static NEVER: AtomicBool = AtomicBool::new(false);

/// An observer that neither shows nor cancels anything.
pub fn observer() -> StoreObserver<'static> {
    StoreObserver { cancel: &NEVER, on_progress: &|_, _| {} }
}

/// Two segments of 0.1 s.
pub fn spec() -> FeatureSpec {
    let segments = Segments::Parts { track_duration_s: 0.2, n_segments: 2 };
    FeatureSpec { segments, ..FeatureSpec::course() }
}

/// Writes a tone.
pub fn write_tone(path: &Path, frequency: f32, duration_s: f32) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let sample = |n: usize| 0.4 * (n as f32 * frequency * std::f32::consts::TAU / 22_050.0).sin();
    let samples = (0..(duration_s * 22_050.0) as usize).map(sample).collect();
    write_wav(path, &Audio { samples, sample_rate: 22_050 }).unwrap();
}

/// 150 recordings of three labels, which are three parts: tones, some of a single segment, copies, and files that cannot be used.
pub fn recordings() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: String| dir.path().join(name);
    for (label, base) in [("high", 1000.0), ("low", 100.0), ("mid", 400.0)] {
        for n in 0..50 {
            let duration_s = if n % 9 == 4 { 0.15 } else { 0.22 };
            write_tone(&path(format!("{label}/{n:02}.wav")), base * (1.0 + n as f32 / 40.0), duration_s);
        }
    }
    fs::copy(path("low/03.wav".to_owned()), path("low/04.wav".to_owned())).unwrap();
    fs::copy(path("low/03.wav".to_owned()), path("mid/40.wav".to_owned())).unwrap();
    fs::copy(path("high/10.wav".to_owned()), path("high/11.wav".to_owned())).unwrap();
    for broken in ["high/20.wav", "low/21.wav", "mid/22.wav", "mid/23.wav"] {
        fs::write(path(broken.to_owned()), "no audio").unwrap();
    }
    write_tone(&path("low/30.wav".to_owned()), 300.0, 0.02);
    for loose in ["b.wav", "a.wav", "c.mp3"] {
        fs::write(path(loose.to_owned()), "").unwrap();
    }
    dir
}

/// A manifest of the same recordings with groups and parts of a split, of classes or of tags.
pub fn manifest(recordings: &Path, is_tagged: bool) -> PathBuf {
    let mut text = format!("path,{},group,split\n", if is_tagged { "labels" } else { "label" });
    for (index, label) in ["high", "low", "mid"].into_iter().enumerate() {
        for n in 0..50 {
            let tags = ["", "slow", "slow;piano", "loud"][(n + index) % 4];
            let label = if is_tagged { tags } else { label };
            let part = ["train", "train", "validation", "test"][n % 4];
            text += &format!("{}/{n:02}.wav,{label},group-{},{part}\n", ["high", "low", "mid"][index], n / 5);
        }
    }
    let path = recordings.join(if is_tagged { "tags.csv" } else { "classes.csv" });
    fs::write(&path, text).unwrap();
    path
}

/// Options with altered copies.
pub fn copies() -> ExtractOptions {
    let text = "copies = 2\naudio = [{ type = 'pitch_shift', range = [-3, 3] }, { type = 'random_crop', range = [0.5, 1] }]";
    let augmentation: AugmentSpec = toml::from_str(text).unwrap();
    ExtractOptions { augmentation: Some(augmentation), ..ExtractOptions::default() }
}

/// Extracts a data set, or a shard of it.
pub fn run(data: &Path, out: &Path, options: &ExtractOptions) -> Result<Extraction, Error> {
    extract(&Catalog::open(data)?, &spec(), out, options, &|_| {})
}

/// Extracts all shards of a data set; the store of shard `i` is the folder `i` of `out`.
pub fn shards(data: &Path, out: &Path, count: u32, options: &ExtractOptions) -> Vec<PathBuf> {
    let one = |index: u32| {
        let dir = out.join(format!("{index}"));
        let options = ExtractOptions { shard: Shard::new(index, count), ..options.clone() };
        run(data, &dir, &options).unwrap();
        dir
    };
    (1..=count).map(one).collect()
}

/// All files of a folder.
pub fn bytes(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(dir).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file());
    files.map(|file| (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap())).collect()
}

/// The names of files that differ between two folders.
pub fn differences(a: &Path, b: &Path) -> Vec<String> {
    let (a, b) = (bytes(a), bytes(b));
    let names: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    names.into_iter().filter(|name| a.get(*name) != b.get(*name)).cloned().collect()
}

/// Path and features of each track.
pub fn tracks(dir: &Path) -> BTreeMap<String, Vec<f32>> {
    let store = FeatureStore::open(dir).unwrap();
    let features = |track: usize| store.read_segments(&store.segments_of(track).collect::<Vec<_>>()).unwrap();
    store.tracks().iter().enumerate().map(|(number, track)| (track.path.clone(), features(number))).collect()
}
