//! `cantus features`: computes features of recordings and writes them as arrays, tables or pictures.

mod content;
mod embedding;
mod format;
mod kind;
mod list;
mod npy;
mod picture;
mod samples;
mod stream;
mod table;

use std::mem::discriminant;
use std::path::{Path, PathBuf};

use anyhow::Context;
use cantus::input_files::Failed;
use cantus_audio::decode::DecodeWarning;
use cantus_audio::feature::{FeatureExtractor, FeatureSpec, SpecWarning};
use clap::{Args, ValueEnum};
use rayon::prelude::*;

use self::content::Content;
use self::embedding::PatchFeatures;
use self::format::Format;
use self::kind::{Kind, Kinds};
use self::picture::PictureOptions;
use super::output_path::{self, Formats, Job, Jobs};
use super::spec::{self, SpecOptions};
use super::theme::ThemeName;
use crate::global_options::Global;
use crate::output::{self, Outcome, WrongUsage};
use crate::{interrupt, progress};

/// Compute features of recordings, with librosa's parameters, names and values
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cantus features song.mp3 -k mfcc --n-mfcc 13 -o song.npy
      then numpy.load(\"song.npy\"): [n_frames, 13], f32
  cantus features song.mp3 -k log-mel -o song.png
      a picture of it; --theme dark for a dark one
  cantus features song.mp3 -k stft -o song.png --raw
      the spectrogram with linear magnitudes; without --raw it is drawn in dB
  cantus features song.mp3 -k mfcc,rms -o song.csv
      several in one table, with the time of each frame
  cantus features song.mp3 -k mfcc,waveform -o song.npz
      an array for each kind, under its name
  cantus features MUSIC -k mfcc -o mfcc --format npy
      MUSIC/jazz/a.mp3 → mfcc/jazz/a.npy, on all cores
  cantus features a.mp3 b.wav -o 'out/{name}-{ext}.csv'
      a name for each: {name}, {ext} and {dir} of the recording
  cantus features song.mp3 --embedding model.onnx -o song.npy
      the values of an embedding model: [n_patches, size], f32
  cantus features --list
      every kind, with shape and unit

A file that cannot be read is reported and skipped; then the exit code is 3. Levels, spectrograms, mel bands, spectral \
shapes, embeddings and, with --top-db none, MFCCs are written to .npy and .csv as they are computed; other kinds need \
the whole recording in memory, up to 3 h 22 min at 22,050 Hz.")]
pub struct FeaturesOf {
    /// Audio files, or folders of them
    #[arg(required_unless_present = "list", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Kinds to compute [default: mfcc]; `--list` shows all
    #[arg(long, short, value_parser = Kind::parse, value_delimiter = ',', value_name = "KIND")]
    kind: Vec<Kind>,
    /// Instead of kinds, the values of an embedding model for each of its patches: an ONNX file with its description beside it, or
    /// the name of one that `cantus embeddings add` has added
    #[arg(
        long,
        value_name = "MODEL",
        conflicts_with_all = spec::OPTIONS.iter().chain(&["kind", "list", "KindOptions", "PitchOptions"])
    )]
    embedding: Option<String>,
    /// Output: a file (.npy, .npz, .csv, .json, .arrow, .png, .svg), a folder, or a name with {name}, {ext}, {dir}
    #[arg(long, short, value_name = "OUT", required_unless_present = "list")]
    output: Option<PathBuf>,
    /// Format of the files in a folder [default: the extension of the output; npy]
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
    /// Colours of a picture
    #[arg(long, value_enum, default_value = "light")]
    theme: ThemeName,
    /// In a picture, a logarithmic axis of frequencies
    #[arg(long)]
    log_axis: bool,
    /// In a picture, the values as computed: linear magnitudes and powers, not in dB; MFCCs, not standardised
    #[arg(long)]
    raw: bool,
    /// Show the kinds of features, their shapes and units, and stop
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    spec: SpecOptions,
}

/// The warnings about one recording.
struct Warnings {
    decoding: Vec<DecodeWarning>,
    settings: Vec<SpecWarning>,
}

/// Result for one recording.
type Done = Result<Warnings, Failed>;

impl FeaturesOf {
    pub fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let kinds = Kinds::new(&self.kind);
        let spec = FeatureSpec { kinds: kinds.framed.clone(), ..self.spec.change(FeatureSpec::default()) };
        if self.list {
            output::print(&list::table(&self.spec.change(FeatureSpec::default())))?;
            return Ok(Outcome::Done);
        }
        let Some(output) = &self.output else { return Ok(Outcome::WrongUsage) };
        if let Some(model) = &self.embedding {
            let patches = PatchFeatures::load(model)?;
            return self.run_on(
                output,
                &Kinds::of_embedding(),
                global,
                patches,
                |patches, job, format, options| patches.write(job, format, options),
            );
        }
        // An extractor needs a frame-level kind, also if only track-level kinds are requested.
        let plan = if spec.kinds.is_empty() { FeatureSpec::default().kinds } else { spec.kinds.clone() };
        let spec = FeatureSpec { kinds: plan, ..spec };
        let extractor = spec.extractor()?;
        self.run_on(output, &kinds, global, extractor, |extractor, job, format, options| {
            one(job, format, extractor, &kinds, options)
        })
    }

    /// Computes and writes the features of all recordings by a function, which has an `extractor` in each thread.
    fn run_on<T: Clone + Send + Sync>(
        &self,
        output: &Path,
        kinds: &Kinds,
        global: &Global,
        extractor: T,
        write: impl Fn(&mut T, &Job, Format, PictureOptions) -> anyhow::Result<Warnings> + Sync,
    ) -> anyhow::Result<Outcome> {
        let known: Vec<&str> = Format::value_variants().iter().map(|format| format.extension()).collect();
        let given = self.format.map(Format::extension);
        let formats = Formats { what: "features", known: &known, given, default: Format::Npy.extension() };
        let Jobs { jobs, mut failed } = output_path::jobs(&self.paths, output, formats)?;
        if let Some(format) = jobs.first().and_then(|job| Format::with(&job.format)) {
            format.check(kinds)?;
        }
        let options = PictureOptions { theme: self.theme.into(), log_axis: self.log_axis, raw: self.raw };
        let write = |extractor: &mut T, job: &Job| {
            let format = Format::with(&job.format).context("no format has this extension")?;
            write(extractor, job, format, options)
        };
        let Some(results) = run_all(&jobs, &extractor, write, global) else { return Ok(output::stopped()) };
        let n_done = results.iter().filter(|result| result.is_ok()).count();
        let mut settings = Vec::new();
        for (job, result) in jobs.iter().zip(results) {
            match result {
                Ok(warnings) => {
                    print_warnings(&job.input, &warnings.decoding);
                    settings
                        .extend(warnings.settings.into_iter().map(|warning| (job.input.as_path(), warning)));
                }
                Err(failure) => failed.push(failure),
            }
        }
        print_once(&settings);
        output::failures(&failed);
        if !global.quiet && jobs.len() > 1 {
            output::note(&format!("{n_done} files written"));
        }
        Ok(Outcome::of_job(n_done, failed.len()))
    }
}

/// All recordings, in parallel with one progress bar; `None` if Ctrl-C stopped it.
fn run_all<T: Clone + Send + Sync>(
    jobs: &[Job],
    extractor: &T,
    write: impl Fn(&mut T, &Job) -> anyhow::Result<Warnings> + Sync,
    global: &Global,
) -> Option<Vec<Done>> {
    let bar = progress::bar("features", jobs.len(), global.quiet);
    let results: Vec<Done> = jobs
        .par_iter()
        .with_max_len(1)
        .filter(|_| !interrupt::requested())
        .map_init(
            || extractor.clone(),
            |extractor, job| {
                let done = write(extractor, job).map_err(|error| output::failure(&job.input, &error));
                bar.inc(1);
                done
            },
        )
        .collect();
    bar.finish_and_clear();
    (!interrupt::requested()).then_some(results)
}

/// Decodes one recording, computes its features and writes them.
fn one(
    job: &Job,
    format: Format,
    extractor: &mut FeatureExtractor,
    kinds: &Kinds,
    options: PictureOptions,
) -> anyhow::Result<Warnings> {
    if stream::is_possible(extractor.spec(), kinds, format) {
        let (n_samples, decoding) = stream::run(job, format, extractor)?;
        return Ok(Warnings { decoding, settings: kinds.warnings(extractor.spec(), n_samples) });
    }
    let (samples, decoding) = samples::load(&job.input, extractor.spec().sample_rate)?;
    let settings = kinds.warnings(extractor.spec(), samples.len());
    let content = Content::of(&samples, extractor, kinds)?;
    job.save(&format.write(&content, options)?)?;
    Ok(Warnings { decoding, settings })
}

/// One line for each kind of warning, with its first recording and the number of the others.
fn print_once(warnings: &[(&Path, SpecWarning)]) {
    let mut rest = warnings.to_vec();
    while let Some(&(path, first)) = rest.first() {
        let n_before = rest.len();
        rest.retain(|(_, other)| discriminant(other) != discriminant(&first));
        let others = match n_before - rest.len() - 1 {
            0 => String::new(),
            n => format!(" (and {n} more)"),
        };
        output::note(&format!("{}{others}: {first}", path.display()));
    }
}

fn print_warnings(path: &Path, warnings: &[DecodeWarning]) {
    for warning in warnings {
        output::note(&format!("{}: {warning}", path.display()));
    }
}

/// An error of wrong usage.
fn wrong(what: impl Into<String>) -> anyhow::Error {
    WrongUsage(what.into()).into()
}
