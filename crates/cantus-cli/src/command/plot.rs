//! `cantus plot`: pictures of a trained model or of its run.

use std::path::{Path, PathBuf};

use anyhow::bail;
use cantus::Model;
use cantus::Run;
use cantus_nn::Activation;
use cantus_plot::Picture;
use clap::{Args, ValueEnum};

use super::theme::ThemeName;
use crate::output::{self, Outcome, WrongUsage};

/// Draw kernels or architecture of a model, or history or confusion matrix of a run
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cantus plot kernels run -o kernels.png
      the kernels of the first convolution of a CNN
  cantus plot kernels run --layer 3 -o deeper.svg
      the convolution at layers.3
  cantus plot network run -o network.png
      the network, neuron by neuron or layer by layer
  cantus plot history run -o history.svg --theme dark
  cantus plot confusion run -o confusion.png
  cantus plot activations -o activations.png
      activation functions")]
pub struct Plot {
    /// What to draw
    #[arg(value_enum)]
    what: What,
    /// Run folder, as `cantus train` writes it; for kernels and network, also a model file
    run: Option<PathBuf>,
    /// Output file, .png or .svg
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Number of the convolution's layer, as in the network's summary, or its path [default: the first convolution]
    #[arg(long, value_name = "N")]
    layer: Option<String>,
    /// Colours of the picture
    #[arg(long, value_enum, default_value = "light")]
    theme: ThemeName,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// The trained kernels of a convolution
    Kernels,
    /// The network: neurons and weights where they are few, else a block for each layer
    Network,
    /// Accuracy and loss by epoch
    History,
    /// Confusion matrix of the held-out tracks
    Confusion,
    /// Activation functions; needs no run
    Activations,
}

impl Plot {
    pub fn run(&self) -> anyhow::Result<Outcome> {
        if self.layer.is_some() && self.what != What::Kernels {
            bail!(WrongUsage("--layer is for kernels".to_owned()));
        }
        if let (What::Activations, Some(run)) = (self.what, &self.run) {
            bail!(WrongUsage(format!("{}: activations are drawn without a run", run.display())));
        }
        output::save(&self.output, &self.picture()?.encode(&self.output, self.theme.into())?)?;
        Ok(Outcome::Done)
    }

    fn picture(&self) -> anyhow::Result<Picture> {
        Ok(match self.what {
            What::Kernels => self.kernels(&Model::load(self.subject()?)?)?,
            What::Network => cantus_plot::network(&Model::load(self.subject()?)?.network.drawing()),
            What::History => Run::open(self.subject()?)?.history_picture()?,
            What::Confusion => Run::open(self.subject()?)?.confusion_picture()?,
            What::Activations => activations()?,
        })
    }

    /// The given run or model.
    fn subject(&self) -> anyhow::Result<&Path> {
        match &self.run {
            Some(run) => Ok(run),
            None => {
                bail!(WrongUsage("no run given; give the folder that `cantus train -o` wrote".to_owned()))
            }
        }
    }

    fn kernels(&self, model: &Model) -> anyhow::Result<Picture> {
        let mut kernels = cantus_plot::kernels(&model.network);
        if kernels.is_empty() {
            bail!("this network has no convolution, and so no kernels; train one with `-m cnn`");
        }
        let wanted = match &self.layer {
            None => kernels[0].0.clone(),
            Some(layer) if layer.starts_with("layers.") => layer.clone(),
            Some(number) => format!("layers.{number}"),
        };
        match kernels.iter().position(|(path, _)| *path == wanted) {
            Some(at) => Ok(kernels.swap_remove(at).1),
            None => {
                let known: Vec<&str> = kernels.iter().map(|(path, _)| path.as_str()).collect();
                bail!(WrongUsage(format!("{wanted} is no convolution; there are {}", known.join(", "))))
            }
        }
    }
}

fn activations() -> anyhow::Result<Picture> {
    Ok(cantus_plot::activations(&[
        Activation::Sigmoid,
        Activation::Tanh,
        Activation::Relu,
        Activation::LeakyRelu,
        Activation::Elu,
        Activation::Gelu,
        Activation::Silu,
    ])?)
}
