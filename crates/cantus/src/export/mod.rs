//! A model for other programs: ONNX.
//!
//! [`to_onnx`] writes what [`Model`] does between the features (or, with [`Input::Samples`], the sound) of segments and
//! their calibrated probabilities, and those of the track that they make up: front end, normalisation, crops, network,
//! calibration, vote. Any runtime of ONNX then predictions as Cantus does. `docs/export.md` says how it is used, and how far
//! the predictions differ.
//!
//! [`model_card`] writes the README that goes with it, in the form that the Hugging Face hub reads.
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

/// The operator set that graphs are written for: the first with STFT, and one that every runtime has by now.
const OPSET: i64 = 17;
/// The version of the file format that goes with it.
const IR_VERSION: i64 = 8;

/// What an exported graph is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// `features` `[batch, n_frames, n_bins]`, as the model's specification has them.
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

    /// What it is, in words.
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

/// The model as an ONNX file: [`Input`] of any number of segments in, their `probabilities` `[batch, n_labels]` and the
/// `track_probabilities` `[n_labels]` of the track that they make up out.
///
/// Labels, feature specification, sample rate and provenance stand in the file's metadata. Equal models are equal files.
///
/// # Errors
/// If a feature has no form in the graph, or the model's parts do not fit each other.
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

/// What a program has to know beside the graph.
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
