//! Facts of a report's last section: recipe, parameters, seed, split, epochs and data checksum. Not the training time: equal runs write equal reports.

use cantus_dataset::Unit;

use super::format::thousands;
use super::{ReportContext, SplitSummary};

/// Name and value of each fact.
pub(super) fn facts(context: &ReportContext<'_>) -> Vec<(&'static str, String)> {
    let model = context.model;
    let mut facts = vec![
        ("Recipe", model.recipe.clone()),
        ("Parameters", thousands(model.n_parameters)),
        ("Seed", model.seed.to_string()),
        ("Split", split(context.split)),
    ];
    if let Some(n) = model.n_networks {
        facts.push(("Networks", format!("{n}, trained separately; the probabilities are their mean")));
    }
    match (model.best_epoch, model.n_epochs) {
        (Some(_), Some(n)) if model.n_networks.is_some() => {
            facts.push(("Epochs", format!("{n}, of all networks")));
        }
        (Some(best), Some(n)) => {
            facts.push(("Epochs", format!("{n}; the weights are those of epoch {best}")));
        }
        _ => {}
    }
    facts.extend(model.embeddings.iter().map(|embedding| ("Embedding", embedding.in_a_line())));
    facts.extend(model.start.iter().map(|start| ("Started from", start.in_a_line())));
    facts.push(("Test segments", thousands(context.n_segments)));
    facts.push(("Trained by", format!("cantus {}", context.cantus_version)));
    facts.push(("SHA-256 of the features", model.data_sha256.clone()));
    facts
}

fn split(split: &SplitSummary) -> String {
    let unit = match split.spec.by {
        Unit::Track => "track",
        Unit::Group => "group",
        Unit::Segment => "segment, which leaks",
    };
    let how =
        if split.given { "as given".to_owned() } else { format!("by {unit}, seed {}", split.spec.seed) };
    let parts = [
        (split.train_part, "for training"),
        (split.validation_part, "for validation"),
        (split.test_part, "for test"),
    ];
    let parts =
        parts.map(|(part, what)| format!("{} tracks ({} segments) {what}", part.n_tracks, part.n_segments));
    format!("{how}: {}", parts.join(", "))
}
