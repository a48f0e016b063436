//! Options that change a feature specification: librosa's parameters under librosa's names.

use std::str::FromStr;

use cantus_audio::feature::{DctNorm, DctType, FeatureKind, FeatureSpec, MelNorm};
use cantus_audio::transform::{PadMode, Window};
use clap::{ArgAction, Args};
use serde::de::value::{Error, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};

use super::kind_options::KindOptions;
use super::pitch_options::PitchOptions;

/// Names of the options of [`SpecOptions`] but those of single kinds, for options that exclude them: clap makes no group of a struct that
/// contains others.
pub const OPTIONS: [&str; 18] = [
    "sr",
    "n_fft",
    "hop_length",
    "win_length",
    "window",
    "center",
    "pad_mode",
    "n_mels",
    "fmin",
    "fmax",
    "htk",
    "norm",
    "power",
    "top_db",
    "n_mfcc",
    "dct_type",
    "dct_norm",
    "lifter",
];

/// librosa's parameters; those that are not given are not changed.
#[derive(Debug, Args)]
#[command(next_help_heading = "Features (librosa's parameters)")]
pub struct SpecOptions {
    /// Sample rate to resample to, in Hz [default: 22050]
    #[arg(long, value_name = "HZ")]
    sr: Option<u32>,
    /// Length of the FFT, and of the frames of samples, in samples [default: 2048]
    #[arg(long, value_name = "SAMPLES")]
    n_fft: Option<usize>,
    /// Samples from one frame to the next [default: 512]
    #[arg(long, value_name = "SAMPLES")]
    hop_length: Option<usize>,
    /// Length of the window, in samples [default: n_fft]
    #[arg(long, value_name = "SAMPLES")]
    win_length: Option<usize>,
    /// hann, hamming, blackman, blackmanharris, nuttall, flattop, bartlett or boxcar [default: hann]
    #[arg(long, value_parser = word::<Window>)]
    window: Option<Window>,
    /// Whether frame t is centred at sample t · hop_length [default: true]
    #[arg(long, value_name = "BOOL", action = ArgAction::Set, num_args = 0..=1, default_missing_value = "true")]
    center: Option<bool>,
    /// Padding beyond both ends: constant, edge, reflect or symmetric [default: constant]
    #[arg(long, value_parser = word::<PadMode>)]
    pad_mode: Option<PadMode>,
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
    /// Scaling of the mel filters: slaney, none, 1, 2 or inf [default: slaney]
    #[arg(long, value_parser = word::<MelNorm>)]
    norm: Option<MelNorm>,
    /// Exponent of the magnitude: 1 for amplitude, 2 for power [default: 2]
    #[arg(long, value_name = "EXPONENT")]
    power: Option<f32>,
    /// Decibels are clipped this far below the maximum, or `none` [default: 80]
    #[arg(long, value_name = "DB")]
    top_db: Option<TopDb>,
    /// Number of MFCCs [default: 20; 13 in the preset `course`]
    #[arg(long, value_name = "N")]
    n_mfcc: Option<usize>,
    /// Type of the cosine transform of MFCCs, 1 to 4 [default: 2]
    #[arg(long, value_name = "TYPE", value_parser = dct_type)]
    dct_type: Option<DctType>,
    /// Scaling of the cosine transform: ortho or none [default: ortho]
    #[arg(long, value_parser = word::<DctNorm>)]
    dct_norm: Option<DctNorm>,
    /// Cepstral lifter [default: none]
    #[arg(long, value_name = "N")]
    lifter: Option<f32>,
    #[command(flatten)]
    of_kinds: KindOptions,
    #[command(flatten)]
    pitch: PitchOptions,
}

impl SpecOptions {
    /// The specification with what was given on the command line.
    pub fn change(&self, spec: FeatureSpec) -> FeatureSpec {
        let spec = self.pitch.change(spec);
        self.of_kinds.change(FeatureSpec {
            sample_rate: self.sr.unwrap_or(spec.sample_rate),
            n_fft: self.n_fft.unwrap_or(spec.n_fft),
            hop_length: self.hop_length.unwrap_or(spec.hop_length),
            win_length: self.win_length.or(spec.win_length),
            window: self.window.unwrap_or(spec.window),
            center: self.center.unwrap_or(spec.center),
            pad_mode: self.pad_mode.unwrap_or(spec.pad_mode),
            n_mels: self.n_mels.unwrap_or(spec.n_mels),
            f_min: self.fmin.unwrap_or(spec.f_min),
            f_max: self.fmax.or(spec.f_max),
            htk: self.htk || spec.htk,
            norm: self.norm.unwrap_or(spec.norm),
            power: self.power.unwrap_or(spec.power),
            top_db: self.top_db.map_or(spec.top_db, |top_db| top_db.0),
            n_mfcc: self.n_mfcc.unwrap_or(spec.n_mfcc),
            dct_type: self.dct_type.unwrap_or(spec.dct_type),
            dct_norm: self.dct_norm.unwrap_or(spec.dct_norm),
            lifter: self.lifter.unwrap_or(spec.lifter),
            ..spec
        })
    }
}

/// A number of decibels, or `none`.
#[derive(Debug, Clone, Copy)]
struct TopDb(Option<f32>);

impl FromStr for TopDb {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self(None));
        }
        let number = text.parse().map_err(|_| "a number of decibels or `none` is expected".to_owned());
        number.map(|top_db| Self(Some(top_db)))
    }
}

/// A kind of feature by its name, with `-` or `_`.
pub fn kind(text: &str) -> Result<FeatureKind, String> {
    let name = text.replace('-', "_");
    FeatureKind::ALL.iter().copied().find(|kind| kind.name() == name).ok_or_else(|| {
        let names: Vec<_> = FeatureKind::ALL.iter().map(|kind| kind.name().replace('_', "-")).collect();
        format!("no such kind; there are {}", names.join(", "))
    })
}

/// Parses a variant of an enum by its name in a specification.
fn word<Word: DeserializeOwned>(text: &str) -> Result<Word, String> {
    let deserializer: StrDeserializer<'_, Error> = text.into_deserializer();
    Word::deserialize(deserializer).map_err(|error| error.to_string())
}

fn dct_type(text: &str) -> Result<DctType, String> {
    let number: u8 = text.parse().map_err(|_| "a number from 1 to 4 is expected".to_owned())?;
    DctType::try_from(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_is_named_or_in_the_group_of_single_kinds() {
        let command = SpecOptions::augment_args(clap::Command::new("cantus"));
        let groups = ["KindOptions", "PitchOptions"]
            .map(|name| command.get_groups().find(|group| group.get_id() == name).unwrap());
        let grouped: Vec<_> = groups.iter().flat_map(|group| group.get_args()).collect();
        let ungrouped = command.get_arguments().map(|arg| arg.get_id()).filter(|id| !grouped.contains(id));
        assert_eq!(ungrouped.map(|id| id.as_str()).collect::<Vec<_>>(), OPTIONS);
        assert!(grouped.len() > 20);
    }
}
