//! Export of a model to ONNX, with a model card.
//!
//! [`to_onnx`] writes the computation of [`Model`] from the features (or, with [`Input::Samples`], the samples) of segments to
//! their calibrated probabilities and those of their track: front end, normalisation, crops, network, calibration,
//! aggregation. Any ONNX runtime then predicts as Cantus does. `docs/export.md` describes the use, and how far the
//! predictions differ.
//!
//! [`model_card`] writes the README of the exported model in the format of the Hugging Face hub.
//!
//! # Reference
//! The operators of ONNX 1.12 (operator set 17), <https://onnx.ai/onnx/operators>.

mod answer;
mod card;
mod front_end;
mod graph;
mod layers;
mod proto;
mod recurrent;
mod statistics;
mod windows;

use prost::Message;

pub use card::model_card;

use self::graph::Graph;
use self::proto::{ModelProto, OperatorSetIdProto, StringStringEntryProto};
use crate::{Error, Model, model_file};

/// The operator set of the graphs: the first with STFT, supported by all current runtimes.
const OPSET: i64 = 17;
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
    pub fn name(self) -> &'static str {
        match self {
            Self::Features => "features",
            Self::Samples => "samples",
        }
    }

    /// Its shape for one segment.
    pub fn shape(self, model: &Model) -> Vec<usize> {
        let spec = &model.features;
        match self {
            Self::Features => vec![spec.frames_per_segment(), spec.n_bins()],
            Self::Samples => vec![spec.segment_samples()],
        }
    }

    /// Its description in the graph.
    fn meaning(self, model: &Model) -> String {
        match self {
            Self::Features => "features of segments, as the metadata `features` describes them".to_owned(),
            Self::Samples => {
                let hertz = model.features.sample_rate;
                format!("samples of segments, mono, {hertz} Hz, from -1 to 1")
            }
        }
    }
}

/// The model as an ONNX file. Input: [`Input`] of any number of segments; outputs: their `probabilities`
/// `[batch, n_labels]` and the `track_probabilities` `[n_labels]` of the track that they form.
///
/// Labels, feature specification, sample rate and provenance are in the file's metadata. Equal models are equal files.
///
/// # Errors
/// If a feature cannot be exported, or the model's parts do not fit each other.
pub fn to_onnx(model: &Model, input: Input) -> Result<Vec<u8>, Error> {
    model_file::check_finite(model)?;
    let mut graph = Graph::new("cantus");
    let given = graph.input(input.name(), &input.shape(model), &input.meaning(model));
    let features = match input {
        Input::Features => given,
        Input::Samples => front_end::features(&mut graph, &model.features, &given)?,
    };
    answer::predictions(&mut graph, model, &features)?;
    let proto = ModelProto {
        ir_version: IR_VERSION,
        producer_name: "cantus".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        graph: Some(graph.finish()),
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version: OPSET }],
        metadata_props: metadata(model)?,
    };
    Ok(proto.encode_to_vec())
}

/// Metadata that a program needs beside the graph.
fn metadata(model: &Model) -> Result<Vec<StringStringEntryProto>, Error> {
    let json = |value: serde_json::Result<String>| {
        value.map_err(|error| Error::Export { reason: error.to_string() })
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
