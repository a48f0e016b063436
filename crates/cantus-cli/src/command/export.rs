//! `cantus export`: writes a model as ONNX, with a model card.

use std::path::{Path, PathBuf};

use cantus::Model;
use cantus::Run;
use cantus::export::{EmbeddingExport, Input, OnnxExport};
use cantus::report::EvaluationReport;
use cantus_audio::regular_file;
use clap::Args;

use crate::global_options::Global;
use crate::output::{self, Outcome, WrongUsage};

/// Write a model as ONNX, with a model card beside it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cantus export run -o genre.onnx
      features in, probabilities out; the card is genre.card.md
  cantus export run -o genre.onnx --with-features
      samples in: the front end is part of the graph
  cantus export model.safetensors -o genre.onnx
      a card without scores
  cantus export run -o mine.onnx --embedding
      the network without its output layer, for `cantus extract --embedding mine.onnx`

docs/export.md describes inputs, outputs and metadata.")]
pub struct Export {
    /// Run folder or model file; the card of a run contains its scores
    model: PathBuf,
    /// Output file, .onnx
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Include the front end (STFT, mel filters, decibels, cosine transform, …) in the graph, whose input is then samples
    #[arg(long)]
    with_features: bool,
    /// Write the network without its output layer, as an embedding model, with its description (.toml) beside it
    #[arg(long, conflicts_with = "with_features")]
    embedding: bool,
}

impl Export {
    pub fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let file_name = self.file_name()?;
        let model = Model::load(&self.model)?;
        if self.embedding {
            return self.export_embedding(&model, global);
        }
        let input = if self.with_features { Input::Samples } else { Input::Features };
        let export = OnnxExport { model: &model, input };
        let card = export.model_card(&file_name, self.report()?.as_ref());
        output::save(&self.output, &export.to_bytes().map_err(with_advice)?)?;
        let card_path = self.output.with_extension("card.md");
        // A card is to be completed by hand, so one that was edited is kept.
        let keeps_card = regular_file::read(&card_path).is_ok_and(|there| there != card.as_bytes());
        if keeps_card {
            let path = card_path.display();
            output::note(&format!("{path} exists and is kept; delete it to have a new one written"));
        } else {
            output::save(&card_path, card.as_bytes())?;
        }
        if !global.quiet {
            let shape: Vec<String> = export.input_shape().iter().map(ToString::to_string).collect();
            output::note(&format!(
                "{} takes {} [batch, {}] and gives probabilities [batch, {}]; its card is {}",
                self.output.display(),
                input.name(),
                shape.join(", "),
                model.labels.len(),
                card_path.display()
            ));
        }
        Ok(Outcome::Done)
    }

    /// Writes an embedding model and its description.
    fn export_embedding(&self, model: &Model, global: &Global) -> anyhow::Result<Outcome> {
        let export = EmbeddingExport { model };
        let name = self.output.file_stem().unwrap_or_default().to_string_lossy();
        let description = export.description(&name)?;
        let path = self.output.with_extension("toml");
        // Licence and citation are to be completed by hand, so a description that was edited is kept.
        if path.exists() {
            output::note(&format!(
                "{} exists and is kept; delete it to have a new one written",
                path.display()
            ));
        } else {
            output::save(&path, toml::to_string(&description)?.as_bytes())?;
        }
        output::save(&self.output, &export.to_bytes()?)?;
        if !global.quiet {
            output::note(&format!(
                "{} takes samples [patch, {}] and gives {} values of each; its description is {}",
                self.output.display(),
                description.patch.length,
                description.output.size,
                path.display()
            ));
        }
        Ok(Outcome::Done)
    }

    fn file_name(&self) -> anyhow::Result<String> {
        let is_onnx = self.output.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("onnx"));
        match self.output.file_name() {
            Some(name) if is_onnx => Ok(name.to_string_lossy().into_owned()),
            _ => {
                Err(WrongUsage(format!("{}: the output file must end in .onnx", self.output.display()))
                    .into())
            }
        }
    }

    /// The report of a run; a model file alone has none.
    fn report(&self) -> anyhow::Result<Option<EvaluationReport>> {
        if !Path::is_dir(&self.model) {
            return Ok(None);
        }
        Ok(Some(Run::open(&self.model)?.report()?))
    }
}

/// An error of the front end, with the option that put it into the graph.
fn with_advice(error: cantus::Error) -> anyhow::Error {
    match &error {
        cantus::Error::Export(reason) if reason.is_of_front_end() => {
            anyhow::anyhow!("{error} (without --with-features)")
        }
        _ => error.into(),
    }
}
