//! A network without its output layer as an embedding model: an ONNX graph from samples, and its description.

use cantus_audio::feature::{
    EmbeddingDescription, EmbeddingInput, EmbeddingOutput, InputAxis, Patch, PatchPooling,
};
use prost::Message;

use super::graph::Graph;
use super::{Input, front_end, model_proto, prediction};
use crate::{Error, Model, model_file};

/// Name of the graph's output.
const OUTPUT: &str = "embedding";

/// A model to export as an embedding model: what its last hidden layer gives for a segment.
///
/// ```no_run
/// let model = cantus::Model::load("run")?;
/// let export = cantus::export::EmbeddingExport { model: &model };
/// std::fs::write("mine.onnx", export.to_bytes()?)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct EmbeddingExport<'a> {
    /// The model.
    pub model: &'a Model,
}

impl EmbeddingExport<'_> {
    /// The graph as an ONNX file: `samples` `[batch, segment_samples]` in, `embedding` `[batch, size]` out.
    ///
    /// # Errors
    /// [`Error::Export`] if the graph cannot express the model's features, or its network has no layer before the output layer; an
    /// error of the model file if a number of the model is not finite.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let model = self.model;
        model_file::check_finite(model)?;
        let mut graph = Graph::new("cantus", front_end::operator_set(&model.features));
        let samples = graph.input(Input::Samples.name(), &Input::Samples.shape(model), "samples of segments");
        let features = front_end::features(&mut graph, &model.features, &samples)?;
        prediction::embedding(&mut graph, model, &features, OUTPUT)?;
        Ok(model_proto(graph, model)?.encode_to_vec())
    }

    /// The description of the graph, without its SHA-256. Licence and citation are for the model's maker to fill in.
    ///
    /// # Errors
    /// If the network has no layer before the output layer.
    pub fn description(&self, name: &str) -> Result<EmbeddingDescription, Error> {
        let Model { features, provenance, .. } = self.model;
        let input = EmbeddingInput {
            name: Input::Samples.name().to_owned(),
            shape: vec![InputAxis::Patch, InputAxis::Sample],
            sample_rate: features.sample_rate,
            gain: 1.0,
            preemphasis: 0.0,
            mel: None,
        };
        let output = EmbeddingOutput {
            name: OUTPUT.to_owned(),
            size: prediction::embedding_shape(self.model)?.iter().product(),
            pooling: vec![PatchPooling::Mean, PatchPooling::Deviation],
        };
        let own = format!(
            "{} recordings of its maker (SHA-256 of the features: {})",
            provenance.n_training_tracks, provenance.data_sha256
        );
        // The graph contains those of the embedding models that the network was trained on.
        let inner = || features.embeddings.iter().map(|embedding| &embedding.description);
        let licences =
            inner().map(|inner| format!("; of {}, which it contains: {}", inner.name, inner.licence));
        let citations: Vec<&str> = inner().map(|inner| &*inner.citation).collect();
        let training_data = inner().flat_map(|inner| inner.training_data.iter().cloned());
        let (length, hop) = (features.segment_samples(), features.segment_hop());
        Ok(EmbeddingDescription {
            name: name.to_owned(),
            source: format!("recipe {}, trained by cantus {}", provenance.recipe, env!("CARGO_PKG_VERSION")),
            licence: format!("not chosen yet{}", licences.collect::<String>()),
            citation: if citations.is_empty() { "none".to_owned() } else { citations.join("; ") },
            training_data: std::iter::once(own).chain(training_data).collect(),
            sha256: String::new(),
            by_reference: false,
            input,
            patch: Patch { length, hop, per_run: 1 },
            output,
        })
    }
}
