//! A small untrained model, and model files with other content and a valid checksum.

use std::path::Path;
use std::sync::LazyLock;

use cantus::{Calibration, Model, Normalization, Provenance, Recipe, Task};
use cantus_nn::Network;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::files::{check_message, write_file};

/// A recipe with every group of settings.
pub const RECIPE: &str = include_str!("recipe.toml");
/// Its labels.
pub const LABELS: [&str; 3] = ["high", "low", "noise"];
/// Numbers up to which a model is run: a valid one may take hours.
const MAX_VALUES: usize = 1 << 16;

/// The recipe.
pub fn recipe() -> Recipe {
    let path = write_file("recipe.toml", RECIPE);
    Recipe::load(path.to_str().expect("a path in UTF-8")).expect("a valid recipe")
}

/// A model of that recipe.
pub fn model() -> Model {
    let recipe = recipe();
    let (features, crops) = (recipe.features.clone(), recipe.crops());
    let (n_frames, n_bins) = (features.frames_per_segment(), features.n_bins());
    let architecture = recipe.architecture(n_frames, n_bins, LABELS.len());
    Model {
        labels: LABELS.map(str::to_owned).to_vec(),
        normalization: Normalization { mean: vec![0.0; n_bins], deviation: vec![100.0; n_bins] },
        features,
        crops,
        calibration: Calibration::default(),
        provenance: Provenance { recipe: "untrained".to_owned(), ..Provenance::default() },
        network: Network::new(&architecture, 0).expect("a valid architecture"),
    }
}

/// The content of a model file as a document: `tensors`, the header of safetensors, and `cantus`, the metadata.
pub struct ModelDocument {
    /// Tensors and metadata.
    pub document: Value,
    data: Vec<u8>,
}

impl ModelDocument {
    /// The document of the bytes of a file; absent if they are not a container of that form.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (length, rest) = bytes.split_first_chunk::<8>()?;
        let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        let (header, data) = rest.split_at_checked(length)?;
        let mut tensors: Map<String, Value> = serde_json::from_slice(header).ok()?;
        let metadata = tensors.remove("__metadata__")?;
        let cantus: Value = serde_json::from_str(metadata.get("cantus")?.as_str()?).ok()?;
        Some(Self {
            document: serde_json::json!({ "tensors": tensors, "cantus": cantus }),
            data: data.to_vec(),
        })
    }

    /// The bytes of a file with this document and its checksum.
    pub fn write(&self, document: &Value) -> Vec<u8> {
        let mut tensors = document["tensors"].as_object().cloned().unwrap_or_default();
        let mut cantus = document["cantus"].clone();
        if let Some(fields) = cantus.as_object_mut() {
            fields.insert("checksum".to_owned(), "".into());
            let sum = self.checksum(&tensors, &Value::Object(fields.clone()));
            fields.insert("checksum".to_owned(), sum.into());
        }
        let metadata = serde_json::json!({ "cantus": cantus.to_string() });
        tensors.insert("__metadata__".to_owned(), metadata);
        let mut header = Value::Object(tensors).to_string();
        // The container requires that the data begin at a multiple of 8.
        header.push_str(&" ".repeat(header.len().next_multiple_of(8) - header.len()));
        [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &self.data].concat()
    }

    /// SHA-256 as the format defines it: over the metadata and every tensor in order of name.
    fn checksum(&self, tensors: &Map<String, Value>, cantus: &Value) -> String {
        let mut hash = Sha256::new();
        hash.update(cantus.to_string());
        let mut names: Vec<&String> = tensors.keys().collect();
        names.sort();
        for name in names {
            let tensor = &tensors[name];
            let shape: Vec<String> =
                tensor["shape"].as_array().into_iter().flatten().map(Value::to_string).collect();
            hash.update(format!(
                "\n{name} {} [{}]\n",
                tensor["dtype"].as_str().unwrap_or(""),
                shape.join(", ")
            ));
            let offset =
                |i: usize| tensor["data_offsets"][i].as_u64().and_then(|at| usize::try_from(at).ok());
            let range = offset(0).zip(offset(1)).and_then(|(start, end)| self.data.get(start..end));
            hash.update(range.unwrap_or_default());
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The document of the small model.
pub fn valid() -> &'static ModelDocument {
    static VALID: LazyLock<ModelDocument> = LazyLock::new(|| {
        let bytes = model().to_bytes().expect("a model that can be written");
        ModelDocument::read(&bytes).expect("a model file")
    });
    &VALID
}

/// Reads a model, describes it, writes it again and, if it is small, predicts.
pub fn check(bytes: &[u8]) {
    let path = Path::new("model.safetensors");
    let mut model = match Model::from_bytes(bytes, path) {
        Ok(model) => model,
        Err(error) => return check_message(&error),
    };
    model.network.set_threads(1);
    let _ = (model.task(), model.network.summary(), model.features.bin_names());
    let written = model.to_bytes().expect("a model that was read can be written");
    assert!(Model::from_bytes(&written, path).is_ok(), "a model that was written can be read");
    let n_crops = model.crops.map_or(1, |crops| crops.n_crops);
    let n_values = model.features.frames_per_segment().saturating_mul(model.features.n_bins());
    if n_values.saturating_mul(n_crops) > MAX_VALUES || model.network.n_parameters() > MAX_VALUES {
        return;
    }
    let probabilities = model.predict_segments(&vec![0.5; n_values]).expect("one segment");
    assert_eq!(probabilities.len(), model.labels.len());
    assert!(matches!(model.task(), Task::Classification | Task::Tagging));
}
