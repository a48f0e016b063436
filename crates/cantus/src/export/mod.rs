//! Export of a model to ONNX, with a model card: [`OnnxExport`].
//!
//! The graph is the computation of [`Model`] from the features (or, with [`Input::Samples`], the samples) of segments to their
//! calibrated probabilities and those of their track: front end, normalisation, crops, network, calibration, aggregation. Any
//! ONNX runtime then predicts as Cantus does. `docs/export.md` describes the use, and how far the predictions differ.
//!
//! # Reference
//! The operators of ONNX 1.12 (operator set 17), <https://onnx.ai/onnx/operators>; of a later set if an embedding model has it.

mod activation;
mod convolution;
mod embedded_graph;
mod embedding;
mod error;
mod front_end;
mod graph;
mod layers;
mod model_card;
mod normalization;
mod operator_versions;
mod prediction;
mod proto;
mod recurrent;
mod statistics;
mod weights;

use prost::Message;

pub use self::embedding::EmbeddingExport;
pub use self::error::ExportError;

use self::graph::Graph;
use self::operator_versions::OPSET;
use self::proto::{ModelProto, OperatorSetIdProto, StringStringEntryProto};
use crate::report::EvaluationReport;
use crate::{Error, Model, model_file};

/// The version of the file format for this operator set.
const IR_VERSION: i64 = 8;

/// The input of an exported graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// `features` `[batch, n_frames, n_bins]`, as the model's specification defines them.
    Features,
    /// `samples` `[batch, segment_samples]`, mono, at the model's sample rate.
    Samples,
}

impl Input {
    /// The name of the graph's input.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Features => "features",
            Self::Samples => "samples",
        }
    }

    /// Its shape for one segment.
    fn shape(self, model: &Model) -> Vec<usize> {
        let spec = &model.features;
        match self {
            Self::Features => vec![spec.frames_per_segment(), spec.n_bins()],
            Self::Samples => vec![spec.segment_samples()],
        }
    }

    /// Its description in the graph.
    fn description(self, model: &Model) -> String {
        match self {
            Self::Features => "features of segments, as the metadata `features` describes them".to_owned(),
            Self::Samples => {
                let hertz = model.features.sample_rate;
                format!("samples of segments, mono, {hertz} Hz, from -1 to 1")
            }
        }
    }
}

/// A model to export, and the options of its export.
///
/// ```no_run
/// use cantus::export::{Input, OnnxExport};
///
/// let model = cantus::Model::load("model.safetensors")?;
/// let export = OnnxExport { model: &model, input: Input::Features };
/// std::fs::write("genre.onnx", export.to_bytes()?)?;
/// std::fs::write("genre.card.md", export.model_card("genre.onnx", None))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct OnnxExport<'a> {
    /// The model.
    pub model: &'a Model,
    /// The input of the graph.
    pub input: Input,
}

impl OnnxExport<'_> {
    /// The model as an ONNX file. Input: [`Input`] of any number of segments; outputs: their `probabilities`
    /// `[batch, n_labels]` and the `track_probabilities` `[n_labels]` of the track that they form.
    ///
    /// Labels, feature specification, sample rate and provenance are in the file's metadata. Equal models are equal files.
    ///
    /// # Errors
    /// [`Error::Export`] if the graph cannot express the model, an error of the model file if a number of the model is not
    /// finite.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let Self { model, input } = *self;
        model_file::check_finite(model)?;
        let operator_set = match input {
            Input::Features => OPSET,
            Input::Samples => front_end::operator_set(&model.features),
        };
        let mut graph = Graph::new("cantus", operator_set);
        let value = graph.input(input.name(), &input.shape(model), &input.description(model));
        let features = match input {
            Input::Features => value,
            Input::Samples => front_end::features(&mut graph, &model.features, &value)?,
        };
        prediction::predictions(&mut graph, model, &features)?;
        Ok(model_proto(graph, model)?.encode_to_vec())
    }

    /// The model card: the README of the exported model in the format of the Hugging Face hub. `file_name` is that of the
    /// ONNX file; the card contains the scores if the `report` of the model's run is given.
    #[must_use]
    pub fn model_card(&self, file_name: &str, report: Option<&EvaluationReport>) -> String {
        model_card::model_card(self.model, report, file_name, self.input)
    }

    /// Shape of the graph's input without the batch axis.
    #[must_use]
    pub fn input_shape(&self) -> Vec<usize> {
        self.input.shape(self.model)
    }
}

/// The file of a finished graph.
fn model_proto(graph: Graph, model: &Model) -> Result<ModelProto, Error> {
    Ok(ModelProto {
        ir_version: IR_VERSION,
        producer_name: "cantus".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version: graph.operator_set() }],
        graph: Some(graph.finish()),
        metadata_props: metadata(model)?,
    })
}

/// Metadata that a program needs beside the graph.
fn metadata(model: &Model) -> Result<Vec<StringStringEntryProto>, Error> {
    let json = |value: serde_json::Result<String>| {
        value.map_err(|error| Error::Unwritable { reason: error.to_string() })
    };
    let spec = &model.features;
    let entries = [
        ("cantus_version", env!("CARGO_PKG_VERSION").to_owned()),
        ("labels", json(serde_json::to_string(&model.labels))?),
        ("sample_rate", spec.sample_rate.to_string()),
        ("segment_samples", spec.segment_samples().to_string()),
        ("features", json(serde_json::to_string(spec))?),
        ("provenance", json(serde_json::to_string(&model.provenance))?),
    ];
    let entry = |(key, value): (&str, String)| StringStringEntryProto { key: key.to_owned(), value };
    Ok(entries.into_iter().map(entry).collect())
}

#[cfg(test)]
pub(crate) mod tests;
