//! Options of single kinds of feature: librosa's names, with the kind as prefix.

use cantus_audio::feature::{
    BandwidthConfig, ContrastConfig, DeltaConfig, FeatureSpec, FlatnessConfig, PcenConfig, RolloffConfig,
};
use clap::{ArgAction, Args};

/// Parameters of single kinds; those that are not given are not changed.
#[derive(Debug, Args)]
#[command(next_help_heading = "Parameters of single kinds")]
pub struct KindOptions {
    /// Width of the window of deltas, in frames, odd [default: 9]
    #[arg(long, value_name = "FRAMES")]
    delta_width: Option<usize>,
    /// Exponent of the smoothed energy that a band is divided by [default: 0.98]
    #[arg(long, value_name = "X")]
    pcen_gain: Option<f64>,
    /// Added before the root [default: 2]
    #[arg(long, value_name = "X")]
    pcen_bias: Option<f64>,
    /// Exponent of the root, 0 for a logarithm [default: 0.5]
    #[arg(long, value_name = "X")]
    pcen_power: Option<f64>,
    /// Time constant of the smoothing, in seconds [default: 0.4]
    #[arg(long, value_name = "SECONDS")]
    pcen_time_constant: Option<f64>,
    /// Added to the smoothed energy [default: 1e-6]
    #[arg(long, value_name = "X")]
    pcen_eps: Option<f64>,
    /// Weight of the newest frame in the smoothing [default: computed from the time constant]
    #[arg(long, value_name = "X")]
    pcen_b: Option<f64>,
    /// Width of the maximum filter over bands, in bands [default: 1]
    #[arg(long, value_name = "BANDS")]
    pcen_max_size: Option<usize>,
    /// Factor of the mel bands before PCEN; 2147483648 in the paper [default: 1]
    #[arg(long, value_name = "X")]
    pcen_scale: Option<f64>,
    /// Exponent of the distance from the centroid [default: 2]
    #[arg(long, value_name = "P")]
    bandwidth_p: Option<f32>,
    /// Whether the bandwidth is of the spectrum normalised to sum 1 [default: true]
    #[arg(long, value_name = "BOOL", action = ArgAction::Set)]
    bandwidth_norm: Option<bool>,
    /// Fraction of the spectrum below the roll-off [default: 0.85]
    #[arg(long, value_name = "SHARE")]
    roll_percent: Option<f32>,
    /// Lower bound of the spectrum in the flatness [default: 1e-10]
    #[arg(long, value_name = "X")]
    flatness_amin: Option<f32>,
    /// Exponent of the magnitude in the flatness [default: 2]
    #[arg(long, value_name = "EXPONENT")]
    flatness_power: Option<f32>,
    /// Upper edge of the lowest band of the contrast, in Hz [default: 200]
    #[arg(long, value_name = "HZ")]
    contrast_fmin: Option<f32>,
    /// Number of octave bands of the contrast above it [default: 6]
    #[arg(long, value_name = "N")]
    n_bands: Option<usize>,
    /// Fraction of a band's bins for its peak and for its valley [default: 0.02]
    #[arg(long, value_name = "SHARE")]
    quantile: Option<f64>,
    /// Contrast as a difference of magnitudes instead of in dB
    #[arg(long)]
    linear: bool,
}

impl KindOptions {
    /// The specification with what was given on the command line.
    pub fn change(&self, spec: FeatureSpec) -> FeatureSpec {
        FeatureSpec {
            delta: DeltaConfig { width: self.delta_width.unwrap_or(spec.delta.width) },
            pcen: self.pcen(&spec.pcen),
            bandwidth: BandwidthConfig {
                p: self.bandwidth_p.unwrap_or(spec.bandwidth.p),
                norm: self.bandwidth_norm.unwrap_or(spec.bandwidth.norm),
            },
            rolloff: RolloffConfig { roll_percent: self.roll_percent.unwrap_or(spec.rolloff.roll_percent) },
            flatness: FlatnessConfig {
                amin: self.flatness_amin.unwrap_or(spec.flatness.amin),
                power: self.flatness_power.unwrap_or(spec.flatness.power),
            },
            contrast: ContrastConfig {
                f_min: self.contrast_fmin.unwrap_or(spec.contrast.f_min),
                n_bands: self.n_bands.unwrap_or(spec.contrast.n_bands),
                quantile: self.quantile.unwrap_or(spec.contrast.quantile),
                linear: self.linear || spec.contrast.linear,
            },
            ..spec
        }
    }

    fn pcen(&self, pcen: &PcenConfig) -> PcenConfig {
        PcenConfig {
            gain: self.pcen_gain.unwrap_or(pcen.gain),
            bias: self.pcen_bias.unwrap_or(pcen.bias),
            power: self.pcen_power.unwrap_or(pcen.power),
            time_constant: self.pcen_time_constant.unwrap_or(pcen.time_constant),
            eps: self.pcen_eps.unwrap_or(pcen.eps),
            b: self.pcen_b.or(pcen.b),
            max_size: self.pcen_max_size.unwrap_or(pcen.max_size),
            scale: self.pcen_scale.unwrap_or(pcen.scale),
        }
    }
}
