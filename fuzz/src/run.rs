//! A finished run of a small training, as a document of its JSON files.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use cantus::comparison::Comparison;
use cantus::{Run, RunOptions, TrainOptions};
use cantus_dataset::FeatureStore;
use cantus_plot::Theme;
use serde_json::{Map, Value};

use crate::files::{check_message, folder, removed};
use crate::model::recipe;
use crate::store;

/// The files that are values of the document.
const DOCUMENTS: [&str; 3] = ["report.json", "history.json", "time.json"];

/// The folder of the run.
fn path() -> &'static Path {
    static RUN: LazyLock<PathBuf> = LazyLock::new(|| {
        let store = FeatureStore::open(store::path()).expect("a store");
        let dir = folder().join("run");
        let run = Run::create(&dir, RunOptions::default()).expect("a run");
        let options = TrainOptions { n_threads: 1, ..TrainOptions::default() };
        run.train(&store, &recipe(), &options).expect("a training");
        dir
    });
    &RUN
}

/// The content of each file by its name.
pub fn document() -> &'static Value {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
        let read = |name: &str| {
            let text = fs::read_to_string(path().join(name)).expect("a file of the run");
            (name.to_owned(), serde_json::from_str(&text).expect("JSON"))
        };
        Value::Object(Map::from_iter(DOCUMENTS.map(read)))
    });
    &DOCUMENT
}

/// A run with this document in place of its files, and with `predictions` as its table of predictions, if they are given.
pub fn write(document: &Value, predictions: Option<&[u8]>) -> PathBuf {
    let dir = removed("changed-run");
    fs::create_dir(&dir).expect("a folder");
    for entry in fs::read_dir(path()).expect("the run").map(|entry| entry.expect("a file of the run")) {
        if entry.path().is_file() {
            fs::copy(entry.path(), dir.join(entry.file_name())).expect("a copy");
        }
    }
    for name in DOCUMENTS {
        fs::write(dir.join(name), document[name].to_string()).expect("a file of the run");
    }
    if let Some(predictions) = predictions {
        fs::write(dir.join("predictions.csv"), predictions).expect("a table");
    }
    dir
}

/// Opens a run, and draws, prints and compares what it contains.
pub fn check(dir: &Path) {
    let run = match Run::open(dir) {
        Ok(run) => run,
        Err(error) => return check_message(&error),
    };
    match run.report() {
        Ok(report) => {
            let _ = (report.to_text(), report.to_markdown(&[]), report.to_html(&[]), report.headline());
        }
        Err(error) => check_message(&error),
    }
    for picture in [run.confusion_picture(), run.history_picture()] {
        match picture {
            Ok(picture) => drop(picture.to_svg(Theme::Light)),
            Err(error) => check_message(&error),
        }
    }
    let runs = [path().to_owned(), dir.to_owned()];
    let _ = Comparison::of(&runs, true).map_err(|error| check_message(&error));
}
