//! `cantus extract`: recordings → feature store.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::ensure;
use cantus::{Recipe, input_files};
use cantus_audio::augment::AugmentSpec;
use cantus_audio::feature::{FeatureKind, FeatureSpec};
use cantus_dataset::audit::Exclusions;
use cantus_dataset::{
    AuditMode, Catalog, Durations, Error, ExtractOptions, Extraction, Failure, FeatureStore, Progress, Shard,
    course_json, extract,
};
use clap::{Args, ValueEnum};

use super::embedding_options::{self, EmbeddingOptions};
use super::segment_options::{self, SegmentOptions};
use super::spec::{SpecOptions, kind};
use crate::global_options::Global;
use crate::output::{self, Outcome, WrongUsage};
use crate::{advice, interrupt, progress};

/// Turn a folder of labelled recordings into a feature store
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cantus extract MUSIC -o features
      MUSIC/<label>/**/<audio file>
  cantus extract tracks.csv -o features
      a manifest: path,label[,group,split]; path,labels for tags
  cantus extract MUSIC -o features -k log-mel
      log-mel spectrograms, as for a CNN
  cantus extract MUSIC -o features -m best
      the features of the recipe `best`
  cantus extract MUSIC -o features --embedding musicnn.onnx
      the output of a network that others have trained
  cantus extract MUSIC -o features --augment mine.toml
      augmented copies of each track, for training
  cantus extract data.json -o features
      import features computed by the lecture course's script
  cantus extract features -o data.json
      export in the same format
  cantus extract MUSIC -o features --exclude bad.csv
      leave out the files of a list (cantus inspect writes one)
  cantus extract MUSIC -o shard-1 --shard 1/8
      an eighth of the recordings, on one of eight machines; `cantus store merge` unites the shards
  cantus extract MUSIC -o features --background NOISE
      recordings of \"none of these\", the class _background_

If it is stopped or killed, the same command continues it. A file that cannot be used is reported and does not \
stop the others; then the exit code is 3.")]
pub struct Extract {
    /// Folder of label folders, manifest CSV, or the course's data.json
    data: PathBuf,
    /// Folder of the feature store
    #[arg(long, short, value_name = "FEATURES")]
    output: PathBuf,
    /// Base values of the parameters below [default: course, with segments that fit the durations of the recordings]
    #[arg(long, value_enum)]
    preset: Option<Preset>,
    /// Use the features of a recipe instead of a preset, and its augmented copies: its name, or a TOML file
    #[arg(long, short, value_name = "RECIPE", conflicts_with = "preset")]
    model: Option<String>,
    /// Features of each frame; several are concatenated. `cantus features --list` shows all
    #[arg(long, short, value_parser = kind, value_delimiter = ',', value_name = "KIND")]
    kind: Option<Vec<FeatureKind>>,
    /// Recipe whose [augmentation] table defines augmented copies of each track, for training
    #[arg(long, value_name = "RECIPE")]
    augment: Option<String>,
    /// Extract only one share of the recordings, number I of N by a hash of their paths; `cantus store merge` of all N
    /// gives the same feature store as without it
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// Discard a feature store of other settings in the output folder
    #[arg(long)]
    overwrite: bool,
    /// Leave out the files of a list: CSV, a path and a reason in each line
    #[arg(long, value_name = "FILE")]
    exclude: Option<PathBuf>,
    /// Folder of recordings that belong to none of the classes, of any depth: they are the class `_background_`
    #[arg(long, value_name = "FOLDER")]
    background: Option<PathBuf>,
    /// What to do with issues that the audit finds, such as damage and duplicates
    #[arg(long, value_enum, default_value = "note", value_name = "HOW")]
    audit: Audit,
    #[command(flatten)]
    embeddings: EmbeddingOptions,
    #[command(flatten)]
    segments: SegmentOptions,
    #[command(flatten)]
    spec: SpecOptions,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Audit {
    /// Report issues in a line, and keep copies of a recording in one part of every split
    Note,
    /// Leave the store unfinished if there are issues, and exit with 1
    Strict,
    /// No audit: faster, but copies may be in several parts of a split
    Off,
}

impl From<Audit> for AuditMode {
    fn from(audit: Audit) -> Self {
        match audit {
            Audit::Note => Self::Report,
            Audit::Strict => Self::Strict,
            Audit::Off => Self::Off,
        }
    }
}

/// Options of an extraction beside the feature specification.
#[derive(Debug, Clone, Copy, Default)]
pub struct Choices<'a> {
    pub overwrite: bool,
    pub exclude: Option<&'a Path>,
    /// Augmented copies to extract beside each track.
    pub augmentation: Option<&'a AugmentSpec>,
    pub audit: AuditMode,
    /// Which share of the recordings to extract.
    pub shard: Option<Shard>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Preset {
    /// The lecture course's: 13 MFCCs, 30 s tracks in 10 segments of 130 frames
    Course,
    /// librosa's defaults: 20 MFCCs, the rest the same
    Librosa,
}

impl Extract {
    pub fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        self.check_shard()?;
        if is_json(&self.output) && !is_json(&self.data) {
            return self.export(global);
        }
        let (base, fit) = self.base()?;
        if is_json(&self.data) {
            let segments = self.segments.changes().apply(&base.segments)?;
            return self.import(&FeatureSpec { segments, ..self.spec.change(base) }, global);
        }
        let augmentation = self.augmentation()?;
        let choices = Choices {
            overwrite: self.overwrite,
            exclude: self.exclude.as_deref(),
            augmentation: augmentation.as_ref(),
            audit: self.audit.into(),
            shard: self.shard,
        };

        let catalog = open_catalog(&self.data, self.background.as_deref(), choices.exclude, global)?;
        let durations = Durations::of_catalog(&catalog);
        let segments = self.segments.changes().choose(&base, fit, &durations)?;
        segment_options::report_choice(&segments, &durations, global);
        let spec = self.spec.change(segments.spec);
        match extract_catalog(&catalog, &spec, &self.output, choices, global)? {
            Some(extraction) => {
                report_extraction(&extraction, &self.output, global);
                Ok(Outcome::from_failures(extraction.failures.len()))
            }
            None => Ok(Outcome::Interrupted),
        }
    }

    /// Fails if a shard is to be extracted and something needs all recordings.
    fn check_shard(&self) -> anyhow::Result<()> {
        let Some(shard) = self.shard else { return Ok(()) };
        let is_whole = is_json(&self.data) || is_json(&self.output);
        ensure!(!is_whole, WrongUsage(format!("--shard {shard}: a data.json is not divided into shards")));
        let is_strict = matches!(self.audit, Audit::Strict);
        let why = "--audit strict needs all recordings; audit them by `cantus inspect` first";
        ensure!(!is_strict, WrongUsage(format!("--shard {shard}: {why}")));
        Ok(())
    }

    /// The specification of the recipe, preset or embedding models, before segments and parameters; whether segments that are
    /// not given follow the durations of the recordings.
    fn base(&self) -> anyhow::Result<(FeatureSpec, bool)> {
        let (base, fit) = match (&self.model, self.preset) {
            (Some(recipe), _) => {
                let recipe = self.embeddings.of_recipe(Recipe::load(recipe)?)?;
                (recipe.features, recipe.fit_segments)
            }
            (None, None) if !self.embeddings.is_empty() => {
                let recipe = self.embeddings.of_recipe(Recipe::load(embedding_options::RECIPE)?)?;
                (recipe.features, recipe.fit_segments)
            }
            (None, None) => (FeatureSpec::course(), true),
            (None, Some(Preset::Course)) => (FeatureSpec::course(), false),
            (None, Some(Preset::Librosa)) => (FeatureSpec::default(), false),
        };
        let Some(kinds) = self.kind.clone() else { return Ok((base, fit)) };
        ensure!(
            self.embeddings.is_empty(),
            WrongUsage(
                "--kind with --embedding: name a recipe with both, such as -m embedding-best".to_owned()
            )
        );
        Ok((FeatureSpec { kinds, ..base }, fit))
    }

    /// The augmented copies of the recipe of `--augment` or else of `--model`, if it has any.
    fn augmentation(&self) -> anyhow::Result<Option<AugmentSpec>> {
        let Some(name) = self.augment.as_ref().or(self.model.as_ref()) else { return Ok(None) };
        let recipe = Recipe::load(name).map_err(|error| WrongUsage(error.to_string()))?;
        if self.augment.is_some() {
            return Ok(Some(recipe.required_copies()?));
        }
        let copies = recipe.augmentation.copy_spec();
        Ok((copies.copies > 0).then_some(copies))
    }

    /// Imports features of the course's script (`data.json`) as a store.
    fn import(&self, spec: &FeatureSpec, global: &Global) -> anyhow::Result<Outcome> {
        let store = course_json::import(&self.data, spec, &self.output, self.overwrite)?;
        if !global.quiet {
            output::note(&format!("{} segments in {}", store.n_segments(), self.output.display()));
        }
        Ok(Outcome::Done)
    }

    /// Exports a store in the format of the course's `data.json`.
    fn export(&self, global: &Global) -> anyhow::Result<Outcome> {
        let store = FeatureStore::open(&self.data)?;
        course_json::export(&store, &self.output)?;
        if !global.quiet {
            output::note(&format!("{} segments in {}", store.n_segments(), self.output.display()));
        }
        Ok(Outcome::Done)
    }
}

fn is_json(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
}

/// Lists the recordings of a folder or manifest and of a folder of background, without those of an exclusion list.
pub fn open_catalog(
    data: &Path,
    background: Option<&Path>,
    exclusions: Option<&Path>,
    global: &Global,
) -> anyhow::Result<Catalog> {
    let mut catalog = match background {
        Some(background) => Catalog::open_with_background(data, background)?,
        None => Catalog::open(data)?,
    };
    if let Some(remark) = input_files::misnamed_remark(&catalog.ignored.misnamed) {
        output::note(&remark);
    }
    if let Some(list) = exclusions {
        exclude(&mut catalog, list, global)?;
    }
    Ok(catalog)
}

/// Extracts the recordings of a catalog with a progress bar; `None` if Ctrl-C stopped it.
pub fn extract_catalog(
    catalog: &Catalog,
    spec: &FeatureSpec,
    store: &Path,
    choices: Choices<'_>,
    global: &Global,
) -> anyhow::Result<Option<Extraction>> {
    for warning in spec.warnings(spec.segment_samples()) {
        output::note(&warning.to_string());
    }
    let bar = progress::bar("extract", catalog.tracks.len(), global.quiet);
    let jobs = global.n_threads();
    let options = ExtractOptions {
        jobs,
        augmentation: choices.augmentation.cloned(),
        overwrite: choices.overwrite,
        cancel: interrupt::flag(),
        audit: choices.audit,
        shard: choices.shard,
    };
    let on_progress = |progress: Progress<'_>| {
        bar.set_length(progress.n_tracks as u64);
        bar.set_position(progress.n_done as u64);
        bar.set_message(output::printable(progress.path));
    };
    let result = extract(catalog, spec, store, &options, &on_progress);
    bar.finish_and_clear();
    match result {
        Err(error @ Error::Cancelled { .. }) => {
            output::note(&output::in_one_line(&error.into()));
            Ok(None)
        }
        result => Ok(Some(result?)),
    }
}

/// Excludes the files of a list, and reports paths in it that are not tracks.
fn exclude(catalog: &mut Catalog, list: &Path, global: &Global) -> anyhow::Result<()> {
    let exclusions = Exclusions::read(list)?;
    let unknown = catalog.exclude(&exclusions);
    ensure!(
        exclusions.is_empty() || unknown.len() < exclusions.len(),
        "{}: none of its paths is a track of {}; expected lines of path,reason, as `cantus inspect --exclusions` writes them",
        list.display(),
        catalog.root.display()
    );
    for path in &unknown {
        output::note(&format!("{}: {path} is no track of {}", list.display(), catalog.root.display()));
    }
    if !global.quiet {
        let n_left_out = output::count(exclusions.len() - unknown.len(), "file");
        output::note(&format!("{n_left_out} left out by {}", list.display()));
    }
    Ok(())
}

/// Failed files that are reported one by one; more are grouped by reason.
const MAX_FAILURES: usize = 10;

/// Reports failed files: each, or if there are many, their number for each reason with an example.
pub fn report_failures(failures: &[Failure]) {
    if failures.len() <= MAX_FAILURES {
        for Failure { path, reason } in failures {
            output::note(&format!("lost: {path}: {reason}"));
        }
        return;
    }
    let mut by_kind: BTreeMap<&str, Vec<&Failure>> = BTreeMap::new();
    for failure in failures {
        by_kind.entry(failure.kind()).or_default().push(failure);
    }
    for (kind, failures) in by_kind {
        let Failure { path, reason } = failures[0];
        let n = output::count(failures.len(), "recording");
        output::note(&format!("lost: {n}, {kind}; the first: {path}: {reason}"));
    }
    output::note("failures.csv of the features lists all that are lost");
}

/// Reports failed files, warnings, the audit and the size of the store.
pub fn report_extraction(extraction: &Extraction, store: &Path, global: &Global) {
    report_failures(&extraction.failures);
    if extraction.failures.iter().any(Failure::is_too_short) && !global.quiet {
        output::note(advice::SHORT_RECORDINGS);
    }
    for warning in &extraction.warnings {
        output::note(&format!("{}: {}", warning.path, warning.reason));
    }
    if let Some(summary) = extraction.audit.as_ref().and_then(cantus_dataset::audit::Audit::summary)
        && !global.quiet
    {
        output::note(&format!("audit: {summary}; `cantus inspect` on the same recordings shows details"));
    }
    if !global.quiet {
        let Extraction { n_tracks, n_segments, n_copied_segments, n_dropped, .. } = extraction;
        let short = if *n_dropped > 0 { format!(" ({n_dropped} short ones dropped)") } else { String::new() };
        let copies = match n_copied_segments {
            0 => String::new(),
            n => format!(", and {n} of augmented copies,"),
        };
        output::note(&format!(
            "{}{short} of {}{copies} in {}",
            output::count(*n_segments, "segment"),
            output::count(*n_tracks, "track"),
            store.display()
        ));
    }
}
