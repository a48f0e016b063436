//! `cantus map`: a page with a scatter plot of the tracks of a feature store.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use cantus::similarity::{MapMethod, SimilaritySearch};
use cantus_audio::regular_file;
use cantus_dataset::FeatureStore;
use clap::{Args, ValueEnum};
use serde::Deserialize;

use crate::global_options::Global;
use crate::output::{self, Outcome};

/// Points of a page at most: of more tracks, as many at equal distances in the store.
const MAX_POINTS: usize = 20_000;

/// Draw the tracks of a feature store as a map: a page with a point for each, similar ones near each other
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cantus map features -o MUSIC/map.html
      in the folder of the recordings, where a click on a point plays it
  cantus map features -o map.html --run run
      with a ring around the tracks that the run's model misclassified

  cantus map features -o map.html --method tsne
      similar tracks together, by t-SNE

A point is the mean of a track's features, standardised as by `cantus search`, along the first two principal components of \
all tracks, or by t-SNE. The page is one file without external scripts; of more than 20,000 tracks it shows 20,000.")]
pub struct Map {
    /// Feature store, as `cantus extract` writes it
    features: PathBuf,
    /// HTML file to write
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// How tracks are placed: by principal components (pca), whose axes are directions in which tracks differ most, or by t-SNE (tsne),
    /// which keeps similar tracks together
    #[arg(long, value_enum, default_value_t = Method::Pca)]
    method: Method,
    /// Number of neighbours that t-SNE keeps near, about; with fewer tracks, a third of them
    #[arg(long, value_name = "N", default_value_t = 30.0, value_parser = perplexity)]
    perplexity: f64,
    /// Run folder whose misclassified test tracks are marked
    #[arg(long, value_name = "RUN")]
    run: Option<PathBuf>,
}

/// How the features of tracks become points.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Method {
    Pca,
    Tsne,
}

fn perplexity(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(perplexity) if (1.0..=1000.0).contains(&perplexity) => Ok(perplexity),
        _ => Err("must be a number from 1 to 1000".to_owned()),
    }
}

/// The columns of `predictions.csv` that are used.
#[derive(Deserialize)]
struct PredictionRow {
    path: String,
    label: String,
    predicted: String,
}

impl Map {
    pub fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let store = FeatureStore::open(&self.features)?;
        let mistakes = self.run.as_deref().map(mistakes).transpose()?.unwrap_or_default();
        let search = SimilaritySearch::new(&store)?;
        ensure!(
            search.n_values() > 0,
            "{}: all segments have the same features, so that there is no map of them",
            self.features.display()
        );
        let method = match self.method {
            Method::Pca => MapMethod::PrincipalComponents,
            Method::Tsne => MapMethod::Tsne { perplexity: self.perplexity },
        };
        let map = search.map(method, MAX_POINTS)?;
        output::save(&self.output, map.to_html(&store, &title(&self.features), &mistakes)?.as_bytes())?;
        if !global.quiet {
            let tracks = output::count(map.tracks.len(), "track");
            output::note(&format!("{tracks} in {}", self.output.display()));
        }
        Ok(Outcome::Done)
    }
}

/// Name of the store's folder.
fn title(features: &Path) -> String {
    let full = features.canonicalize().unwrap_or_else(|_| features.to_owned());
    full.file_name().map_or_else(|| full.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// The predicted labels of the test tracks of a run that were misclassified, by path.
fn mistakes(run: &Path) -> anyhow::Result<HashMap<String, String>> {
    let path = run.join("predictions.csv");
    let rows = regular_file::open(&path).map(|file| csv::Reader::from_reader(file).into_deserialize());
    let rows = rows.with_context(|| format!("{}: no predictions of a finished run", path.display()))?;
    let mut mistakes = HashMap::new();
    for row in rows {
        let PredictionRow { path: track, label, predicted } =
            row.with_context(|| path.display().to_string())?;
        if label != predicted {
            mistakes.insert(track, predicted);
        }
    }
    Ok(mistakes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_the_tracks_with_another_predicted_label() {
        let dir = tempfile::tempdir().unwrap();
        let table =
            "path,label,group,fold,predicted,jazz,pop\na.wav,jazz,,,jazz,0.9,0.1\nb.wav,pop,,,jazz,0.6,0.4\n";
        std::fs::write(dir.path().join("predictions.csv"), table).unwrap();
        let expected = HashMap::from([("b.wav".to_owned(), "jazz".to_owned())]);
        assert_eq!(mistakes(dir.path()).unwrap(), expected);
        let error = mistakes(&dir.path().join("none")).unwrap_err();
        assert!(error.to_string().contains("predictions.csv"), "{error}");
    }
}
