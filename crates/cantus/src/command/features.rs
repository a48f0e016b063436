//! `cantus features`: one file's features, for numpy or to look at.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use cantus::plot::{self, ColourRange, HeatMap, Picture, Rows, Theme};
use cantus_audio::feature::{Bins, FeatureKind, FeatureSpec, Features, Quantity};
use cantus_audio::signal::decibel::{Decibel, Reference, amplitude_to_db, power_to_db};
use clap::Args;

use super::spec::SpecOptions;
use crate::output::{self, Outcome, WrongUsage};

/// Compute features of one file, with librosa's parameters, names and numbers
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cantus features song.mp3 -k mfcc --n-mfcc 13 -o song.npy      then numpy.load(\"song.npy\"): [n_frames, 13], f32
  cantus features song.mp3 -k log-mel -o song.png               a picture of it
  cantus features song.mp3 -k mfcc,log-mel -o song.csv          both, side by side")]
pub struct FeaturesOf {
    /// Sound file
    file: PathBuf,
    /// Where to: .npy, .csv, .json, .png or .svg
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    spec: SpecOptions,
}

impl FeaturesOf {
    pub fn run(&self) -> anyhow::Result<Outcome> {
        let format = Format::of(&self.output)?;
        let spec = self.spec.change(FeatureSpec::default());
        let mut extractor = spec.extractor()?;
        let recording = cantus_audio::decode::load(&self.file, spec.sample_rate)?;
        for fault in &recording.faults {
            output::note(&format!("{}: {}", self.file.display(), fault));
        }
        let features = extractor.extract(&recording.audio.samples);
        let content = format.write(&features, &spec)?;
        output::save(&self.output, &content)?;
        Ok(Outcome::Done)
    }
}

/// What the output's extension asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Npy,
    Csv,
    Json,
    Png,
    Svg,
}

impl Format {
    fn of(path: &Path) -> anyhow::Result<Self> {
        let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        Ok(match extension.as_str() {
            "npy" => Self::Npy,
            "csv" => Self::Csv,
            "json" => Self::Json,
            "png" => Self::Png,
            "svg" => Self::Svg,
            _ => {
                let what =
                    format!("{}: which format? name it .npy, .csv, .json, .png or .svg", path.display());
                bail!(WrongUsage(what))
            }
        })
    }

    /// The features as the content of a file.
    fn write(self, features: &Features, spec: &FeatureSpec) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Npy => Ok(npy(features)),
            Self::Csv => csv(features, &spec.bin_names()),
            Self::Json => json(features, &spec.bin_names()),
            Self::Png => Ok(picture(features, spec)?.to_png(Theme::Light)),
            Self::Svg => Ok(picture(features, spec)?.to_svg(Theme::Light).into_bytes()),
        }
    }
}

/// numpy's own format (NEP 1, version 1.0): `[n_frames, n_bins]`, little-endian f32, C order.
///
/// Written here because it is these ten lines: the crates that write it bring a parser of Python literals to read it.
fn npy(features: &Features) -> Vec<u8> {
    let shape = format!("({}, {})", features.n_frames, features.n_bins);
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
    let preamble = 10;
    let header_len = (preamble + header.len() + 1).next_multiple_of(64) - preamble;
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header_len as u16).to_le_bytes());
    bytes.extend(format!("{header:<width$}\n", width = header_len - 1).into_bytes());
    bytes.extend(features.values.iter().flat_map(|value| value.to_le_bytes()));
    bytes
}

/// One row per frame under the names of the bins.
fn csv(features: &Features, bin_names: &[String]) -> anyhow::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(bin_names)?;
    for frame in features.values.chunks_exact(features.n_bins) {
        writer.write_record(frame.iter().map(f32::to_string))?;
    }
    writer.into_inner().context("cannot write CSV")
}

/// The same as one JSON document.
fn json(features: &Features, bin_names: &[String]) -> anyhow::Result<Vec<u8>> {
    let frames: Vec<_> = features.values.chunks_exact(features.n_bins).collect();
    let document = serde_json::json!({
        "n_frames": features.n_frames, "n_bins": features.n_bins, "bins": bin_names, "features": frames,
    });
    Ok(serde_json::to_vec(&document)?)
}

/// Features over time as colours; one kind at a time, since each has an axis of its own.
fn picture(features: &Features, spec: &FeatureSpec) -> anyhow::Result<Picture> {
    let [kind] = spec.kinds[..] else {
        bail!(WrongUsage("a picture shows one kind of feature: give one to -k".to_owned()));
    };
    let bins = kind.bins(spec);
    let names: Vec<&str> = match &bins {
        Bins::Named(_, names) => names.iter().map(String::as_str).collect(),
        _ => Vec::new(),
    };
    let rows = match &bins {
        Bins::One => Rows::Numbered(""),
        Bins::Numbered(what) => Rows::Numbered(what),
        Bins::Hertz(hertz) => Rows::Hertz(hertz),
        Bins::Named(what, _) => Rows::Named(what, &names),
    };
    let (unit, range) = match kind.quantity(spec) {
        Quantity::Plain => (kind.unit(), ColourRange::Full),
        Quantity::Strength(_) => ("dB", ColourRange::Full),
        Quantity::Coefficients => ("", ColourRange::Standardised),
    };
    let frame_s = spec.hop_length as f64 / f64::from(spec.sample_rate);
    Ok(plot::heat_map(&HeatMap {
        title: kind.title(),
        values: &levels(features, kind, spec),
        n_bins: features.n_bins,
        frame_s,
        rows,
        unit,
        range,
    }))
}

/// Strengths in dB below the strongest, since on a linear scale all but the strongest are black; the rest as it is.
fn levels(features: &Features, kind: FeatureKind, spec: &FeatureSpec) -> Vec<f32> {
    let mut values = features.values.clone();
    let reference = Reference::Max;
    match kind.quantity(spec) {
        Quantity::Plain | Quantity::Coefficients => {}
        Quantity::Strength(2.0) => power_to_db(&mut values, &Decibel { reference, ..Decibel::POWER }),
        Quantity::Strength(_) => amplitude_to_db(&mut values, &Decibel { reference, ..Decibel::AMPLITUDE }),
    }
    values
}
