//! Facts of a report's last section: recipe, parameters, seed, split, epochs, training time and data checksum.

use cantus_dataset::Unit;

use super::{ModelSummary, Report, SplitSummary, TagReport};

/// The source of the facts.
pub(super) struct About<'a> {
    model: &'a ModelSummary,
    split: &'a SplitSummary,
    training_s: Option<f64>,
    n_segments: usize,
    cantus_version: &'a str,
}

impl Report {
    pub(super) fn about(&self) -> About<'_> {
        let Self { model, split, training_s, cantus_version, .. } = self;
        About { model, split, training_s: *training_s, n_segments: self.scores.n_segments, cantus_version }
    }
}

impl TagReport {
    pub(super) fn about(&self) -> About<'_> {
        let Self { model, split, training_s, cantus_version, .. } = self;
        About { model, split, training_s: *training_s, n_segments: self.scores.n_segments, cantus_version }
    }
}

/// Name and value of each fact.
pub(super) fn facts(report: &About<'_>) -> Vec<(&'static str, String)> {
    let model = report.model;
    let mut facts = vec![
        ("Recipe", model.recipe.clone()),
        ("Parameters", thousands(model.n_parameters)),
        ("Seed", model.seed.to_string()),
        ("Split", split(report.split)),
    ];
    if let (Some(best), Some(n)) = (model.best_epoch, model.n_epochs) {
        facts.push(("Epochs", format!("{n}; the weights are those of epoch {best}")));
    }
    if let Some(seconds) = report.training_s {
        facts.push(("Training time", format!("{seconds:.1} s")));
    }
    facts.push(("Test segments", thousands(report.n_segments)));
    facts.push(("Trained by", format!("cantus {}", report.cantus_version)));
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

/// A number with a comma between groups of three digits.
fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_are_grouped() {
        assert_eq!([0, 999, 1000, 1_013_828].map(thousands), ["0", "999", "1,000", "1,013,828"]);
    }
}
