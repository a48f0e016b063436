//! Options that change a feature specification: librosa's parameters under librosa's names.

use cantus_audio::feature::{FeatureKind, FeatureSpec, MelNorm};
use clap::{Args, ValueEnum};

use super::pitch_options::PitchOptions;

/// librosa's parameters; those that are not given stay as they are.
#[derive(Debug, Args)]
#[command(next_help_heading = "Features (librosa's parameters)")]
pub struct SpecOptions {
    /// What to compute of each frame; several are put side by side
    #[arg(long, short, value_parser = kind, value_delimiter = ',', value_name = "KIND")]
    kind: Option<Vec<FeatureKind>>,
    /// Sample rate to resample to, in Hz [default: 22050]
    #[arg(long, value_name = "HZ")]
    sr: Option<u32>,
    /// Length of the FFT, in samples [default: 2048]
    #[arg(long, value_name = "SAMPLES")]
    n_fft: Option<usize>,
    /// Samples from one frame to the next [default: 512]
    #[arg(long, value_name = "SAMPLES")]
    hop_length: Option<usize>,
    /// Length of the window, in samples [default: n_fft]
    #[arg(long, value_name = "SAMPLES")]
    win_length: Option<usize>,
    /// Number of MFCCs [default: 20; 13 in the preset `course`]
    #[arg(long, value_name = "N")]
    n_mfcc: Option<usize>,
    /// Number of mel bands [default: 128]
    #[arg(long, value_name = "N")]
    n_mels: Option<usize>,
    /// Lowest frequency of the mel bands, in Hz [default: 0]
    #[arg(long, value_name = "HZ")]
    fmin: Option<f32>,
    /// Highest frequency of the mel bands, in Hz [default: half the sample rate]
    #[arg(long, value_name = "HZ")]
    fmax: Option<f32>,
    /// HTK's mel scale instead of Slaney's
    #[arg(long)]
    htk: bool,
    /// Scaling of the mel filters [default: slaney]
    #[arg(long, value_enum)]
    norm: Option<Norm>,
    /// Exponent of the magnitude: 1 for amplitude, 2 for power [default: 2]
    #[arg(long, value_name = "EXPONENT")]
    power: Option<f32>,
    /// Cepstral lifter [default: none]
    #[arg(long, value_name = "N")]
    lifter: Option<f32>,
    #[command(flatten)]
    pitch: PitchOptions,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Norm {
    Slaney,
    None,
}

impl SpecOptions {
    /// The specification with what was given on the command line.
    pub fn change(&self, spec: FeatureSpec) -> FeatureSpec {
        let spec = self.pitch.change(spec);
        FeatureSpec {
            kinds: self.kind.clone().unwrap_or(spec.kinds),
            sample_rate: self.sr.unwrap_or(spec.sample_rate),
            n_fft: self.n_fft.unwrap_or(spec.n_fft),
            hop_length: self.hop_length.unwrap_or(spec.hop_length),
            win_length: self.win_length.or(spec.win_length),
            n_mfcc: self.n_mfcc.unwrap_or(spec.n_mfcc),
            n_mels: self.n_mels.unwrap_or(spec.n_mels),
            f_min: self.fmin.unwrap_or(spec.f_min),
            f_max: self.fmax.or(spec.f_max),
            htk: self.htk || spec.htk,
            norm: self.norm.map_or(spec.norm, MelNorm::from),
            power: self.power.unwrap_or(spec.power),
            lifter: self.lifter.unwrap_or(spec.lifter),
            ..spec
        }
    }
}

/// A kind by its name, with `-` or `_`.
fn kind(text: &str) -> Result<FeatureKind, String> {
    let name = text.replace('-', "_");
    FeatureKind::ALL.iter().copied().find(|kind| kind.name() == name).ok_or_else(|| {
        let names: Vec<_> = FeatureKind::ALL.iter().map(|kind| kind.name().replace('_', "-")).collect();
        format!("no such kind; there are {}", names.join(", "))
    })
}

impl From<Norm> for MelNorm {
    fn from(norm: Norm) -> Self {
        match norm {
            Norm::Slaney => Self::Slaney,
            Norm::None => Self::None,
        }
    }
}
