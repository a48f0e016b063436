//! `cantus embeddings`: the user's folder of embedding models.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use cantus_audio::feature::{Embedding, EmbeddingDescription};
use cantus_audio::regular_file;
use cantus_embedding::{Library, LibraryEntry, check, check_path, describe, load, template};
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::global_options::Global;
use crate::output::{self, Outcome};

/// Largest difference from the outputs of another runtime that counts as equal.
const MAX_DIFFERENCE: f64 = 1e-4;

/// List, add, describe and check embedding models
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cantus embeddings template model.onnx > model.toml
      a description to fill in: what the model takes, its licence, its training data
  cantus embeddings add model.onnx
      from then on `--embedding model` finds it, and `cantus train MUSIC` tries it
  cantus embeddings check model
      its outputs beside those of another runtime, kept in model.check.json
  cantus extract MUSIC --embedding model.onnx -o features
  cantus train features -m embedding -o run")]
pub struct Embeddings {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// The models that have been added
    List {
        /// As one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Copy a model and its description to the folder of embedding models
    Add {
        /// ONNX file, with its description beside it
        model: PathBuf,
    },
    /// The description of a model: input, output, origin, licence, training data
    Show {
        /// ONNX file, or the name of a model that has been added
        model: String,
        /// As one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Compare the outputs of a model with those of another runtime, kept beside it
    Check {
        /// ONNX file, or the name of a model that has been added
        model: String,
        /// As one JSON document
        #[arg(long)]
        json: bool,
    },
    /// A description to fill in, with the names and shapes of the model's inputs and outputs
    Template {
        /// ONNX file
        model: PathBuf,
    },
}

/// A model of the list.
#[derive(Serialize)]
struct Listed {
    name: String,
    path: PathBuf,
    description: EmbeddingDescription,
}

impl Embeddings {
    pub fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        match &self.action {
            Action::List { json } => list(*json, global),
            Action::Add { model } => add(model.clone(), global),
            Action::Show { model, json } => show(model, *json),
            Action::Check { model, json } => check_model(model, *json),
            Action::Template { model } => {
                let bytes = regular_file::read(model).with_context(|| model.display().to_string())?;
                let text = template(&bytes).with_context(|| model.display().to_string())?;
                output::exact(&text)?;
                Ok(Outcome::Done)
            }
        }
    }
}

fn list(json: bool, global: &Global) -> anyhow::Result<Outcome> {
    let library = Library::of_user()?;
    let described = |LibraryEntry { name, path }: LibraryEntry| {
        anyhow::Ok(Listed { name, description: describe(&path)?, path })
    };
    let models = library.list()?.into_iter().map(described).collect::<anyhow::Result<Vec<_>>>()?;
    if json {
        output::json(&models)?;
        return Ok(Outcome::Done);
    }
    if models.is_empty() && !global.quiet {
        output::note(&format!(
            "no model in {}; add one by `cantus embeddings add`",
            library.folder().display()
        ));
    }
    let width = models.iter().map(|model| model.name.chars().count()).max().unwrap_or(0);
    for Listed { name, description, .. } in &models {
        let EmbeddingDescription { name: title, licence, .. } = description;
        output::print(&format!(
            "{name:<width$}  {title}, {} values, licence: {licence}\n",
            description.n_values()
        ))?;
    }
    Ok(Outcome::Done)
}

fn add(model: PathBuf, global: &Global) -> anyhow::Result<Outcome> {
    let LibraryEntry { name, path } = Library::of_user()?.add(&model)?;
    if !global.quiet {
        output::note(&format!("added as {}; use it by --embedding {name}", path.display()));
    }
    Ok(Outcome::Done)
}

fn show(model: &str, json: bool) -> anyhow::Result<Outcome> {
    let path = Library::of_user()?.find(model)?;
    let Embedding { description, .. } = load(&path)?;
    if json {
        output::json(&description)?;
    } else {
        output::exact(&toml::to_string(&description)?)?;
    }
    Ok(Outcome::Done)
}

fn check_model(model: &str, json: bool) -> anyhow::Result<Outcome> {
    let path = Library::of_user()?.find(model)?;
    let (embedding, expected) = (load(&path)?, check_path(&path));
    ensure!(
        expected.is_file(),
        "{}: no such file; it holds outputs of another runtime, as docs/embeddings.md describes",
        expected.display()
    );
    let report = check(&embedding, &expected)?;
    if json {
        output::json(&report)?;
    } else {
        output::print(&format!(
            "{}: {} values, largest difference from {}: {:.1e}\n",
            embedding.description.name, report.n_values, report.made_with, report.max_difference
        ))?;
    }
    Ok(if report.max_difference <= MAX_DIFFERENCE { Outcome::Done } else { Outcome::Failed })
}
