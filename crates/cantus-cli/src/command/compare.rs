//! `cantus compare`: compares runs on the same test tracks, with confidence intervals and p-values.

use std::path::PathBuf;

use cantus::comparison::{Against, Comparison, Contender, Difference, Figures};
use cantus_metrics::tagging::{TagPaired, paired_in_words as tag_paired_in_words};
use cantus_metrics::{Interval, Paired, paired_in_words};
use clap::Args;

use crate::output::{self, Outcome};

/// Compare runs on the same test tracks, with confidence intervals and p-values
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cantus compare run-mlp run-cnn
      the second against the first
  cantus compare run-mlp run-cnn run-lstm --json
  cantus compare run run-of-other-tracks --common
      only the tracks that both were tested on")]
pub struct Compare {
    /// Run folders; each is compared with the first
    #[arg(required = true, num_args = 2.., value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// Compare on the tracks that all runs were tested on, and leave out the others
    #[arg(long)]
    common: bool,
    /// One JSON document instead of a table
    #[arg(long)]
    json: bool,
}

impl Compare {
    pub fn run(&self) -> anyhow::Result<Outcome> {
        let comparison = Comparison::of(&self.runs, self.common)?;
        if self.json {
            output::json(&comparison)?
        } else {
            output::print(&text(&comparison))?
        }
        Ok(Outcome::Done)
    }
}

/// A table of the runs, then the difference of each to the first.
fn text(comparison: &Comparison) -> String {
    let note = if comparison.only_common { ", on which all of these runs were tested" } else { "" };
    let mut out = format!("{} tracks{note}\n\n", comparison.n_tracks);
    let names: Vec<String> = comparison.runs.iter().map(|run| run.run.display().to_string()).collect();
    let width = |texts: &[String]| texts.iter().map(|text| text.chars().count()).max().unwrap_or(0);
    let recipes: Vec<String> = comparison.runs.iter().map(|run| run.recipe.clone()).collect();
    let (first, second) = (width(&names).max(3), width(&recipes).max(6));
    let columns = match comparison.runs.first().map(|run| run.figures) {
        Some(Figures::Tags { .. }) => "macro AP of tracks    (95 % CI)  ROC AUC  macro F1",
        _ => "track accuracy  (95 % CI)  balanced  macro F1",
    };
    out += &format!("{:first$}  {:second$}  seed  parameters  {columns}\n", "run", "recipe");
    for (name, run) in names.iter().zip(&comparison.runs) {
        let Contender { recipe, seed, n_parameters, figures, .. } = run;
        out += &format!(
            "{name:first$}  {recipe:second$}  {seed:>4}  {n_parameters:>10}  {}\n",
            in_numbers(figures)
        );
    }
    out.push('\n');
    for (name, against) in names[1..].iter().zip(&comparison.against_first) {
        out +=
            &format!("{name} against {}: {}\n", names[0], in_words(against, comparison.against_first.len()));
    }
    out
}

/// The scores of a run, in the columns of the table.
fn in_numbers(figures: &Figures) -> String {
    match figures {
        Figures::Classes {
            track_accuracy,
            track_accuracy_interval: Interval { low, high },
            track_balanced_accuracy,
            track_macro_f1,
        } => {
            let interval = format!("({:.0}–{:.0})", 100.0 * low, 100.0 * high);
            format!(
                "{:>12.1} %  {interval:>9}  {:>6.1} %  {:>6.1} %",
                100.0 * track_accuracy,
                100.0 * track_balanced_accuracy,
                100.0 * track_macro_f1,
            )
        }
        Figures::Tags {
            track_macro_average_precision,
            track_macro_average_precision_interval,
            track_macro_roc_auc,
            track_macro_f1,
        } => {
            let interval = track_macro_average_precision_interval;
            let interval = interval.map(|i| format!("({:.2}–{:.2})", i.low, i.high)).unwrap_or_default();
            format!(
                "{track_macro_average_precision:>18.3}  {interval:>11}  {track_macro_roc_auc:>7.3}  {track_macro_f1:>8.3}"
            )
        }
    }
}

/// The difference and, of classes, the numbers of tracks that only one of the two predicted correctly; where several runs
/// are compared, the p-value is the corrected one.
fn in_words(against: &Against, n_compared: usize) -> String {
    let p_value = against.p_value_corrected;
    let is_corrected = n_compared > 1 && p_value.is_some();
    let corrected = if is_corrected { ", p corrected for multiple comparisons" } else { "" };
    match against.difference {
        Difference::Classes(paired) => format!(
            "{}{corrected}; correct only in this run: {} tracks, only in the first: {}",
            paired_in_words(&Paired { p_value, ..paired }),
            paired.n_only_first,
            paired.n_only_second
        ),
        Difference::Tags(paired) => {
            format!("{}{corrected}", tag_paired_in_words(&TagPaired { p_value, ..paired }))
        }
    }
}
