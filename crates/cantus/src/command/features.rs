//! `cantus features`: one file's features, for numpy or to look at.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use cantus::plot;
use cantus_audio::feature::{FeatureKind, FeatureSpec, Features, MelNorm};
use clap::{Args, ValueEnum};
use npyz::WriterBuilder;

use crate::output::{self, Outcome};

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
    /// What to compute; several are put side by side
    #[arg(long, short, value_enum, value_delimiter = ',', default_value = "mfcc")]
    kind: Vec<Kind>,
    /// Where to: .npy, .csv, .json, .png or .svg
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    parameters: Parameters,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Mfcc,
    Mel,
    LogMel,
    Stft,
}

/// librosa's parameters, as options.
#[derive(Debug, Args)]
struct Parameters {
    /// Sample rate to resample to, in Hz
    #[arg(long, default_value_t = 22_050, value_name = "HZ")]
    sr: u32,
    /// Length of the FFT, in samples
    #[arg(long, default_value_t = 2048, value_name = "SAMPLES")]
    n_fft: usize,
    /// Samples from one frame to the next
    #[arg(long, default_value_t = 512, value_name = "SAMPLES")]
    hop_length: usize,
    /// Length of the window, in samples [default: n_fft]
    #[arg(long, value_name = "SAMPLES")]
    win_length: Option<usize>,
    /// Number of MFCCs
    #[arg(long, default_value_t = 20, value_name = "N")]
    n_mfcc: usize,
    /// Number of mel bands
    #[arg(long, default_value_t = 128, value_name = "N")]
    n_mels: usize,
    /// Lowest frequency of the mel bands, in Hz
    #[arg(long, default_value_t = 0.0, value_name = "HZ")]
    fmin: f32,
    /// Highest frequency of the mel bands, in Hz [default: half the sample rate]
    #[arg(long, value_name = "HZ")]
    fmax: Option<f32>,
    /// HTK's mel scale instead of Slaney's
    #[arg(long)]
    htk: bool,
    /// Scaling of the mel filters
    #[arg(long, value_enum, default_value = "slaney")]
    norm: Norm,
    /// Exponent of the magnitude: 1 for amplitude, 2 for power
    #[arg(long, default_value_t = 2.0, value_name = "EXPONENT")]
    power: f32,
    /// Cepstral lifter; 0 for none
    #[arg(long, default_value_t = 0.0, value_name = "N")]
    lifter: f32,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Norm {
    Slaney,
    None,
}

impl FeaturesOf {
    pub fn run(&self) -> anyhow::Result<Outcome> {
        let format = Format::of(&self.output)?;
        let spec = self.spec();
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

    fn spec(&self) -> FeatureSpec {
        let p = &self.parameters;
        let kind = |kind: &Kind| match kind {
            Kind::Mfcc => FeatureKind::Mfcc,
            Kind::Mel => FeatureKind::Mel,
            Kind::LogMel => FeatureKind::LogMel,
            Kind::Stft => FeatureKind::Stft,
        };
        FeatureSpec {
            kinds: self.kind.iter().map(kind).collect(),
            sample_rate: p.sr,
            n_fft: p.n_fft,
            hop_length: p.hop_length,
            win_length: p.win_length,
            n_mfcc: p.n_mfcc,
            n_mels: p.n_mels,
            f_min: p.fmin,
            f_max: p.fmax,
            htk: p.htk,
            norm: match p.norm {
                Norm::Slaney => MelNorm::Slaney,
                Norm::None => MelNorm::None,
            },
            power: p.power,
            lifter: p.lifter,
            ..FeatureSpec::default()
        }
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
            _ => bail!("{}: what format? give a name that ends in .npy, .csv, .json, .png or .svg", path.display()),
        })
    }

    /// The features as the content of a file.
    fn write(self, features: &Features, spec: &FeatureSpec) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Npy => npy(features),
            Self::Csv => csv(features, &spec.bin_names()),
            Self::Json => json(features, &spec.bin_names()),
            Self::Png => Ok(picture(features, spec).to_png(plot::Theme::Light)?),
            Self::Svg => Ok(picture(features, spec).to_svg(plot::Theme::Light).into_bytes()),
        }
    }
}

/// numpy's own format: `[n_frames, n_bins]`, little-endian f32, C order.
fn npy(features: &Features) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let shape = [features.n_frames as u64, features.n_bins as u64];
    let mut writer = npyz::WriteOptions::new().default_dtype().shape(&shape).writer(&mut bytes).begin_nd()?;
    writer.extend(features.values.iter().copied())?;
    writer.finish()?;
    Ok(bytes)
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
