//! The choice of segments before an extraction: by the durations of the recordings, or as told, with what that leaves out.

use anyhow::bail;
use cantus::Recipe;
use cantus_audio::feature::{FeatureSpec, SegmentPadding};
use cantus_dataset::{Catalog, Durations, SegmentFit};

use super::segment_options::SegmentOptions;
use crate::advice;
use crate::global_options::Global;
use crate::output;

/// The segments that a recipe or preset, and the command line, ask for.
#[derive(Debug, Clone, Copy)]
pub struct SegmentChoice<'a> {
    /// What was given on the command line.
    pub options: &'a SegmentOptions,
    /// Whether segments that are not given follow the durations of the recordings.
    pub fit: bool,
}

impl SegmentChoice<'_> {
    /// The specification with segments for the recordings of a catalog. Shows the distribution of their durations, what was
    /// chosen and why.
    ///
    /// # Errors
    /// If every recording is shorter than a segment and would be left out.
    pub fn choose(
        &self,
        base: &FeatureSpec,
        catalog: &Catalog,
        global: &Global,
    ) -> anyhow::Result<FeatureSpec> {
        let durations = Durations::of_catalog(catalog);
        let (spec, reason) = self.fitted(base, &durations)?;
        spec.validate()?;
        let left_out = left_out(&spec, &durations)?;
        if !global.quiet {
            output::note(&format!("durations: {}", durations.in_words()));
            output::note(&reason);
        }
        left_out.iter().for_each(|warning| output::note(warning));
        Ok(spec)
    }

    fn fitted(&self, base: &FeatureSpec, durations: &Durations) -> anyhow::Result<(FeatureSpec, String)> {
        let told = |base: &FeatureSpec, why: &str| {
            let segments = self.options.change(base.segments.clone())?;
            let spec = FeatureSpec { segments, ..base.clone() };
            let reason = format!("segments of {:.2} s, {why}", segment_s(&spec));
            anyhow::Ok((spec, reason))
        };
        match self.options.segment() {
            Some(length_s) if self.fit => told(&SegmentFit::with_length(base, length_s), "by --segment"),
            Some(_) => told(base, "by --segment"),
            None if self.fit => {
                let SegmentFit { spec, reason } = SegmentFit::new(base, durations);
                let segments = self.options.change(spec.segments.clone())?;
                Ok((FeatureSpec { segments, ..spec }, reason))
            }
            None => told(base, "by the recipe or preset"),
        }
    }
}

/// A warning of recordings that will be left out; an error if that is all of them.
fn left_out(spec: &FeatureSpec, durations: &Durations) -> anyhow::Result<Option<String>> {
    if spec.segments.padding() != SegmentPadding::None {
        return Ok(None);
    }
    // A segment that lacks some samples, but no frame, counts.
    let least_s = segment_s(spec) - spec.hop_length as f64 / f64::from(spec.sample_rate);
    let (n_short, n) = (durations.n_shorter_than(least_s), durations.n_measured());
    if n_short == 0 {
        return Ok(None);
    }
    let what = format!("{n_short} of {n} recordings are shorter than a segment of {:.2} s", segment_s(spec));
    if n_short == n {
        bail!("{what}: {}; {}", durations.in_words(), advice::SHORT_RECORDINGS);
    }
    Ok(Some(format!("{what} and will be left out; {}", advice::SHORT_RECORDINGS)))
}

fn segment_s(spec: &FeatureSpec) -> f64 {
    spec.segment_samples() as f64 / f64::from(spec.sample_rate.max(1))
}

/// The recipe for the segments that were chosen.
///
/// # Errors
/// If no network can be built for them: said before anything is extracted.
pub fn fitted_recipe(recipe: &Recipe, spec: FeatureSpec, catalog: &Catalog) -> anyhow::Result<Recipe> {
    let recipe = recipe.with_features(spec);
    recipe.validate_for(&recipe.features, catalog.labels.len())?;
    Ok(recipe)
}
