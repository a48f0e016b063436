//! A small feature store, and stores whose header, part and tables are others, with valid checksums.

use std::collections::HashMap;
use std::f32::consts::TAU;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::AtomicBool;

use arrow_array::{RecordBatch, cast::AsArray};
use arrow_ipc::reader::FileReader;
use arrow_ipc::writer::FileWriter;
use cantus_audio::{Audio, write_wav};
use cantus_dataset::{
    Catalog, ExtractOptions, FeatureStore, SplitSpec, StoreFilter, StoreObserver, extract, filter_store,
    store_info, verify_store,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::changes::{from_toml, to_toml};
use crate::files::{check_message, folder, removed};
use crate::model::{LABELS, recipe};

/// Name of the only part.
const PART: &str = "part-00000.arrow";
/// Key of the part's record in the metadata of the Arrow schema.
const RECORD_KEY: &str = "cantus.part";
/// Key of the part's checksum there.
const CHECKSUM_KEY: &str = "cantus.crc32";

/// A store of four short tones for each label; returns its folder.
pub fn path() -> &'static Path {
    static STORE: LazyLock<PathBuf> = LazyLock::new(|| {
        let music = folder().join("music");
        for (i, label) in LABELS.iter().enumerate() {
            fs::create_dir_all(music.join(label)).expect("a folder");
            for n in 0..4 {
                let frequency = 200.0 * (i + 1) as f32 + 10.0 * n as f32;
                write_wav(music.join(format!("{label}/{n}.wav")), &tone(frequency)).expect("a recording");
            }
        }
        let recipe = recipe();
        let augmentation = Some(recipe.augmentation.copy_spec());
        let options = ExtractOptions { jobs: 1, augmentation, ..ExtractOptions::default() };
        let out = folder().join("store");
        let catalog = Catalog::open(&music).expect("a catalog");
        extract(&catalog, &recipe.features, &out, &options, &|_| ()).expect("an extraction");
        out
    });
    &STORE
}

/// 0.8 s of a tone.
pub fn tone(frequency: f32) -> Audio {
    let sample = |n: u32| (n as f32 * frequency * TAU / 8000.0).sin() * 0.5;
    Audio { samples: (0..6400).map(sample).collect(), sample_rate: 8000 }
}

/// The rows and the metadata of the part of the store.
struct ValidPart {
    rows: RecordBatch,
    /// Little-endian.
    features: Vec<u8>,
    record: Value,
}

fn part() -> &'static ValidPart {
    static PART_OF_STORE: LazyLock<ValidPart> = LazyLock::new(|| {
        let file = BufReader::new(File::open(path().join(PART)).expect("a part"));
        let reader = FileReader::try_new(file, None).expect("an Arrow file");
        let record = serde_json::from_str(&reader.schema().metadata()[RECORD_KEY]).expect("a record");
        let rows = reader.last().expect("a batch").expect("a valid batch");
        let values = rows.column(rows.num_columns() - 1).as_fixed_size_list().values();
        let values = values.as_primitive::<arrow_array::types::Float32Type>().values();
        let features = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        ValidPart { rows, features, record }
    });
    &PART_OF_STORE
}

/// The store as a document: `header`, the content of `store.toml`, and `record`, that of the part.
pub fn document() -> &'static Value {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
        let header = fs::read_to_string(path().join("store.toml")).expect("a header");
        json!({ "header": from_toml(&header), "record": part().record })
    });
    &DOCUMENT
}

/// The bytes of the part with another record, and its checksum.
pub fn part_with(record: &Value) -> (Vec<u8>, String) {
    let ValidPart { rows, features, .. } = part();
    let json = record.to_string();
    let mut crc32 = crc32fast::Hasher::new();
    crc32.update(json.as_bytes());
    crc32.update(features);
    let crc32 = format!("{:08x}", crc32.finalize());
    let metadata = HashMap::from([(RECORD_KEY.to_owned(), json), (CHECKSUM_KEY.to_owned(), crc32.clone())]);
    let schema = rows.schema().as_ref().clone().with_metadata(metadata);
    let mut bytes = Vec::new();
    let mut writer = FileWriter::try_new(&mut bytes, &schema).expect("a writer");
    writer.write(rows).expect("rows");
    writer.finish().expect("a part");
    drop(writer);
    (bytes, crc32)
}

/// The header with the hashes of a part, whose checksum is `crc32`.
pub fn with_hashes(header: &Value, part: &[u8], crc32: &str) -> Value {
    let mut header = header.clone();
    if let Some(fields) = header.as_object_mut() {
        let sha256: String = Sha256::digest(part).iter().map(|byte| format!("{byte:02x}")).collect();
        fields.insert("parts".to_owned(), json!([{ "crc32": crc32, "sha256": sha256 }]));
    }
    header
}

/// The header of the valid store in the last format without hashes, so that a part is not compared with them.
pub fn without_hashes() -> Value {
    let mut header = document()["header"].clone();
    if let Some(fields) = header.as_object_mut() {
        fields.remove("parts");
        fields.insert("format".to_owned(), 5.into());
    }
    header
}

/// A store of these files, and the tables of the valid store where there are none.
pub fn write(header: &Value, part: &[u8], tables: &[(&str, &[u8])]) -> PathBuf {
    let dir = removed("changed-store");
    fs::create_dir(&dir).expect("a folder");
    for table in ["failures.csv", "warnings.csv"] {
        fs::copy(path().join(table), dir.join(table)).expect("a table");
    }
    let files = [("store.toml", to_toml(header).into_bytes()), (PART, part.to_vec())];
    files.iter().for_each(|(name, bytes)| fs::write(dir.join(name), bytes).expect("a file of the store"));
    tables.iter().for_each(|(name, bytes)| fs::write(dir.join(name), bytes).expect("a table"));
    dir
}

/// Opens, reads, splits, verifies, describes and copies a store.
pub fn check(dir: &Path) {
    let observer = StoreObserver { cancel: &AtomicBool::new(false), on_progress: &|_, _| () };
    let _ = store_info(dir).map_err(|error| check_message(&error));
    let _ = verify_store(dir, observer).map_err(|error| check_message(&error));
    let mut store = match FeatureStore::open(dir) {
        Ok(store) => store,
        Err(error) => return check_message(&error),
    };
    let labels = store.labels().to_vec();
    let split = SplitSpec::default().by_known_groups(store.tracks_mut(), &labels);
    let _ = store.split(&split).map_err(|error| check_message(&error));
    for segment in 0..store.n_segments().min(8) {
        let _ = (store.segment_start_s(segment), store.labels_of(segment), store.track_of(segment));
        let _ = store.read_segments(&[segment]).map_err(|error| check_message(&error));
    }
    for track in 0..store.tracks().len() {
        let _ = (store.segments_of(track), store.copies_of(track).count());
    }
    let _ = filter_store(dir, &removed("filtered-store"), &StoreFilter::default(), observer)
        .map_err(|error| check_message(&error));
}
