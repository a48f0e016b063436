//! The model file format: all that prediction needs, in one `model.safetensors`.
//!
//! The tensors are the network's weights (`layers.3.kernel`, …), the normalisation (`normalization.mean`,
//! `normalization.deviation`), the temperatures of segments and of tracks (`calibration.temperatures`), and, as bytes, the ONNX
//! graphs of embedding models (`embeddings.0.graph`, …) unless they are held by reference. The header's
//! `__metadata__` has one entry, `cantus`: a JSON document with the format number, the version that wrote it, labels,
//! feature specification, crops, architecture and provenance, and a SHA-256 over all of that and over every tensor. Any
//! reader of safetensors can open a model, and Cantus can verify its integrity. Equal models are equal files: nothing in
//! the file depends on the time or the machine.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use cantus_audio::atomic_file;
use cantus_audio::feature::FeatureSpec;
use cantus_audio::regular_file;
use cantus_nn::{Architecture, Network, Tensor};
use safetensors::tensor::{Dtype, SafeTensorError, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Calibration, Crops, Error, Model, Normalization, Provenance, RunProblem};
use crate::{embedding_graphs, model_format};

/// The entry of `__metadata__` that holds the [`Header`].
const ENTRY: &str = "cantus";

/// Names of the tensors that are not weights.
const MEAN: &str = "normalization.mean";
const DEVIATION: &str = "normalization.deviation";
const TEMPERATURES: &str = "calibration.temperatures";

/// All parts of a model that are not tensors.
#[derive(Serialize, Deserialize)]
struct Header {
    format: u64,
    version: String,
    checksum: String,
    labels: Vec<String>,
    features: FeatureSpec,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crops: Option<Crops>,
    architecture: Architecture,
    provenance: Provenance,
}

impl Model {
    /// Loads a model file, or the model of a run folder.
    ///
    /// # Errors
    /// If the file cannot be read, is not a model, is truncated or modified, or was written by a later version.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        let mut path = path.as_ref().to_owned();
        if path.is_dir() {
            let file = path.join(Self::FILE_NAME);
            if !file.exists() {
                let problem = RunProblem::unfinished(&path, Self::FILE_NAME);
                return Err(Error::Run { path, problem });
            }
            path = file;
        }
        if !path.exists() {
            return Err(Error::Run { path, problem: RunProblem::NoModel });
        }
        let bytes = regular_file::read(&path).map_err(Error::io(&path))?;
        from_bytes(&bytes, &path)
    }

    /// [`load`](Self::load) for the content of a model file; `path` is used in errors only.
    ///
    /// # Errors
    /// If the bytes are not a model, are truncated or modified, or were written by a later version.
    pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Self, Error> {
        from_bytes(bytes, path)
    }

    /// The model as the bytes of a `.safetensors` file.
    ///
    /// # Errors
    /// If the network's tensors cannot be serialised.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        to_bytes(self)
    }

    /// Writes the model file atomically.
    ///
    /// # Errors
    /// If the network's tensors cannot be serialised, or the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        atomic_file::write(path, &self.to_bytes()?).map_err(Error::io(path))
    }
}

/// The model as the bytes of its file.
///
/// # Errors
/// If a number of the model is not finite.
pub(crate) fn to_bytes(model: &Model) -> Result<Vec<u8>, Error> {
    serialize(model, finite_tensors(model)?)
}

/// Serialises a model's header with these tensors.
fn serialize(model: &Model, tensors: Vec<Tensor>) -> Result<Vec<u8>, Error> {
    let tensors: Vec<(Tensor, Vec<u8>)> = tensors.into_iter().map(with_bytes).collect();
    let weights = tensors.iter().map(|(tensor, bytes)| {
        Ok((tensor.name.clone(), TensorView::new(Dtype::F32, tensor.shape.clone(), bytes)?))
    });
    let graphs = embedding_graphs::of_model(&model.features);
    let graphs =
        graphs.map(|(name, bytes)| Ok((name, TensorView::new(Dtype::U8, vec![bytes.len()], bytes)?)));
    let views = weights.chain(graphs).collect::<Result<Vec<_>, SafeTensorError>>().map_err(unwritable)?;
    let header = Header {
        format: model_format::of(model),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        checksum: String::new(),
        labels: model.labels.clone(),
        features: model.features.clone(),
        crops: model.crops,
        architecture: model.network.architecture().clone(),
        provenance: model.provenance.clone(),
    };
    let mut header = serde_json::to_value(&header).map_err(unwritable)?;
    header["checksum"] = checksum(&header, &views).into();
    let metadata = HashMap::from([(ENTRY.to_owned(), header.to_string())]);
    safetensors::serialize(views, Some(metadata)).map_err(unwritable)
}

/// Checks that no number of a model is NaN or infinite, since it could not predict.
///
/// # Errors
/// If one is; the message names the tensor.
#[cfg(feature = "train")]
pub(crate) fn check_finite(model: &Model) -> Result<(), Error> {
    finite_tensors(model).map(drop)
}

/// All tensors of a model, if they are finite.
fn finite_tensors(model: &Model) -> Result<Vec<Tensor>, Error> {
    let tensors = tensors_of(model);
    match tensors.iter().find_map(not_finite) {
        Some((tensor, value)) => Err(Error::NotFinite { tensor: tensor.to_owned(), value }),
        None => Ok(tensors),
    }
}

/// The name of the tensor and its first value that is not finite, if there is one.
fn not_finite(tensor: &Tensor) -> Option<(&str, f32)> {
    let value = tensor.values.iter().find(|value| !value.is_finite())?;
    Some((&tensor.name, *value))
}

fn unwritable(error: impl std::fmt::Display) -> Error {
    Error::Unwritable { reason: error.to_string() }
}

/// Reads a model from the bytes of its file; `path` is for messages.
pub(crate) fn from_bytes(bytes: &[u8], path: &Path) -> Result<Model, Error> {
    let not_a_model = |reason: String| Error::NotAModel { path: path.to_owned(), reason };
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| {
        not_a_model(format!("{error}; the file is truncated or is not a safetensors file"))
    })?;
    let text = metadata.metadata().as_ref().and_then(|entries| entries.get(ENTRY));
    let text = text.ok_or_else(|| not_a_model("its header has no entry `cantus`".to_owned()))?;
    let header: serde_json::Value = serde_json::from_str(text)
        .map_err(|error| not_a_model(format!("its header is not JSON: {error}")))?;
    if !header.is_object() {
        return Err(not_a_model("its header is JSON, but not an object".to_owned()));
    }
    model_format::refuse_newer(&header, path)?;

    let file = SafeTensors::deserialize(bytes).map_err(|error| not_a_model(error.to_string()))?;
    let views = file.tensors();
    let expected = header["checksum"].as_str().unwrap_or_default();
    if expected != checksum(&header, &views) {
        return Err(Error::ModelTampered { path: path.to_owned() });
    }
    let header: Header = serde_json::from_value(header).map_err(|error| not_a_model(error.to_string()))?;
    assemble(header, &views, path)
}

/// Builds the model from header and tensors; `path` is for messages.
///
/// # Errors
/// [`Error::NotAModel`] if they do not fit; [`Error::Embedding`] if an embedding model cannot be loaded.
fn assemble(mut header: Header, views: &[(String, TensorView<'_>)], path: &Path) -> Result<Model, Error> {
    let not_a_model = |reason: String| Error::NotAModel { path: path.to_owned(), reason };
    header.features.validate().map_err(|error| not_a_model(error.to_string()))?;
    let (graphs, weights): (Vec<_>, Vec<_>) = views.iter().partition(|(_, view)| view.dtype() == Dtype::U8);
    let graphs = graphs.into_iter().map(|(name, view)| (name.as_str(), view.data()));
    embedding_graphs::load(&mut header.features, graphs, path)?;
    from_weights(header, &weights).map_err(not_a_model)
}

/// Builds the model from header and weights, or returns why they do not fit; the network checks names and shapes.
fn from_weights(header: Header, views: &[&(String, TensorView<'_>)]) -> Result<Model, String> {
    let mut tensors: Vec<Tensor> = views.iter().map(|(name, view)| tensor(name, view)).collect();
    if let Some((tensor, value)) = tensors.iter().find_map(not_finite) {
        return Err(format!(
            "`{tensor}` has a value that is not finite ({value}); train it again, with a smaller learning rate"
        ));
    }
    let n_bins = header.features.n_bins();
    let calibration = calibration(&mut tensors)?;
    let mut bins = |name: &str| {
        let place = tensors.iter().position(|tensor| tensor.name == name && tensor.values.len() == n_bins);
        place
            .map(|place| tensors.swap_remove(place).values)
            .ok_or_else(|| format!("`{name}` is missing or does not have {n_bins} values"))
    };
    let normalization = Normalization { mean: bins(MEAN)?, deviation: bins(DEVIATION)? };
    let network = Network::with_weights(&header.architecture, &tensors).map_err(|error| error.to_string())?;
    let Header { labels, features, crops, provenance, .. } = header;
    check_ends(&network, &labels, &features, crops)?;
    Ok(Model { labels, features, normalization, crops, calibration, provenance, network })
}

/// Takes the temperatures of segments and of tracks out of the tensors; models of format 1 have none.
fn calibration(tensors: &mut Vec<Tensor>) -> Result<Calibration, String> {
    let Some(place) = tensors.iter().position(|tensor| tensor.name == TEMPERATURES) else {
        return Ok(Calibration::default());
    };
    match tensors.swap_remove(place).values[..] {
        [segment, track] if [segment, track].iter().all(|t| t.is_finite() && *t > 0.0) => {
            Ok(Calibration { segment_temperature: segment, track_temperature: track })
        }
        ref other => Err(format!("`{TEMPERATURES}` is {other:?}, expected two numbers above 0")),
    }
}

/// Checks that the network's input shape fits the features and its output shape the labels; the checksum does not ensure it.
fn check_ends(
    network: &Network,
    labels: &[String],
    features: &FeatureSpec,
    crops: Option<Crops>,
) -> Result<(), String> {
    let n_frames = features.frames_per_segment();
    if let Some(problem) = crops.and_then(|crops| crops.misfit(n_frames)) {
        return Err(problem);
    }
    let segment = [crops.map_or(n_frames, |crops| crops.n_frames), features.n_bins()];
    // A convolution's input has a channel axis behind these two.
    if !matches!(network.input_shape(), [n_frames, n_bins] | [n_frames, n_bins, 1] if [*n_frames, *n_bins] == segment)
    {
        return Err(format!(
            "its network's input shape is {:?}, but its features have shape {segment:?}",
            network.input_shape()
        ));
    }
    if let Some(problem) = labels_problem(labels) {
        return Err(problem);
    }
    if labels.is_empty() || network.output_shape() != [labels.len()] {
        return Err(format!(
            "its network's output shape is {:?}, but it has {} labels",
            network.output_shape(),
            labels.len()
        ));
    }
    Ok(())
}

/// Error text if a label is blank or occurs twice, so that a prediction would be ambiguous; `None` if the labels are valid.
fn labels_problem(labels: &[String]) -> Option<String> {
    if labels.iter().any(|label| label.trim().is_empty()) {
        return Some("a label is empty".to_owned());
    }
    let mut seen = HashSet::new();
    labels.iter().find(|label| !seen.insert(label.as_str())).map(|label| format!("label '{label}' is twice"))
}

/// Weights, normalisation and temperatures of a model.
fn tensors_of(model: &Model) -> Vec<Tensor> {
    let mut tensors = model.network.weights();
    let Normalization { mean, deviation } = &model.normalization;
    let Calibration { segment_temperature, track_temperature } = model.calibration;
    let temperatures = vec![segment_temperature, track_temperature];
    for (name, values) in [(MEAN, mean), (DEVIATION, deviation), (TEMPERATURES, &temperatures)] {
        tensors.push(Tensor { name: name.to_owned(), shape: vec![values.len()], values: values.clone() });
    }
    tensors
}

fn tensor(name: &str, view: &TensorView<'_>) -> Tensor {
    Tensor { name: name.to_owned(), shape: view.shape().to_vec(), values: floats(view) }
}

/// SHA-256 over the header (its checksum left empty) and every tensor: name, shape and bytes, in order of name.
fn checksum(header: &serde_json::Value, views: &[(String, TensorView<'_>)]) -> String {
    let mut header = header.clone();
    header["checksum"] = "".into();
    let mut hash = Sha256::new();
    hash.update(header.to_string());
    let mut sorted: Vec<_> = views.iter().collect();
    sorted.sort_by(|a, b| a.0.cmp(&b.0));
    for (name, view) in sorted {
        let shape: Vec<String> = view.shape().iter().map(usize::to_string).collect();
        hash.update(format!("\n{name} {} [{}]\n", view.dtype(), shape.join(", ")));
        hash.update(view.data());
    }
    hex(&hash.finalize())
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A tensor with its values as little-endian bytes, as safetensors stores them.
fn with_bytes(tensor: Tensor) -> (Tensor, Vec<u8>) {
    let bytes = tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect();
    (tensor, bytes)
}

/// The f32 values of a tensor; empty if it has another type.
fn floats(view: &TensorView<'_>) -> Vec<f32> {
    if view.dtype() != Dtype::F32 {
        return Vec::new();
    }
    view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

#[cfg(all(test, feature = "train"))]
mod tests {
    use super::*;
    use crate::export::tests::small_model;
    use crate::export::{Input, OnnxExport};

    #[test]
    fn a_model_with_a_nonfinite_value_is_neither_written_nor_exported() {
        for value in [f32::NAN, f32::INFINITY] {
            let mut model = small_model();
            model.normalization.mean[2] = value;
            let expected =
                format!("cannot be written: `normalization.mean` has a value that is not finite ({value})");
            assert_eq!(to_bytes(&model).unwrap_err().to_string(), expected);
            let export = OnnxExport { model: &model, input: Input::Features };
            assert_eq!(export.to_bytes().unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn a_model_with_an_empty_or_a_repeated_label_is_not_loaded() {
        let empty = "a label is empty";
        for (label, expected) in [("", empty), (" \n", empty), ("twice", "'twice' is twice")] {
            let mut model = small_model();
            model.labels[0] = "twice".to_owned();
            model.labels[1] = label.to_owned();
            let error =
                from_bytes(&to_bytes(&model).unwrap(), Path::new("m.safetensors")).unwrap_err().to_string();
            assert!(error.ends_with(expected), "{error}");
        }
    }

    /// With a valid checksum, as earlier versions wrote them.
    #[test]
    fn a_file_with_a_nonfinite_value_is_not_loaded() {
        let model = small_model();
        for place in 0..tensors_of(&model).len() {
            let mut tensors = tensors_of(&model);
            tensors[place].values[0] = f32::NAN;
            let name = tensors[place].name.clone();
            let bytes = serialize(&model, tensors).unwrap();
            let error = from_bytes(&bytes, Path::new("m.safetensors")).unwrap_err().to_string();
            assert!(error.contains(&format!("`{name}` has a value that is not finite (NaN)")), "{error}");
        }
        assert!(from_bytes(&to_bytes(&model).unwrap(), Path::new("m.safetensors")).is_ok());
    }
}
