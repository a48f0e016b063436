//! Options of the kinds of pitch and rhythm: librosa's parameters under librosa's names.
//!
//! A parameter that two kinds share (tuning, lowest note) is one option for both.

use cantus_audio::feature::FeatureSpec;
use cantus_audio::transform::Norm;
use clap::{Args, ValueEnum};

/// librosa's parameters; those that are not given are not changed.
#[derive(Debug, Args)]
#[command(next_help_heading = "Pitch and rhythm (librosa's parameters)")]
pub struct PitchOptions {
    /// Deviation from standard tuning, in fractions of a bin [default: 0 for cqt, estimated for chroma and tonnetz]
    #[arg(long, value_name = "BINS", allow_negative_numbers = true)]
    tuning: Option<f64>,
    /// Number of pitch classes of chroma [default: 12]
    #[arg(long, value_name = "N")]
    n_chroma: Option<usize>,
    /// Scaling of each frame of chroma [default: max]
    #[arg(long, value_enum, value_name = "NORM")]
    chroma_norm: Option<ChromaNorm>,
    /// Lowest note of cqt, chroma-cqt and tonnetz, in Hz [default: 32.7, C1]
    #[arg(long, value_name = "HZ")]
    cqt_fmin: Option<f64>,
    /// Number of bins of cqt [default: 84]
    #[arg(long, value_name = "N")]
    n_bins: Option<usize>,
    /// Bins in an octave [default: 12 for cqt, 36 for chroma-cqt and tonnetz]
    #[arg(long, value_name = "N")]
    bins_per_octave: Option<usize>,
    /// Number of octaves of chroma-cqt and tonnetz [default: 7]
    #[arg(long, value_name = "N")]
    n_octaves: Option<usize>,
    /// Scale of cqt's filter lengths; below 1 finer in time, coarser in frequency [default: 1]
    #[arg(long, value_name = "FACTOR")]
    filter_scale: Option<f64>,
    /// Lag of the difference in onset strength, in frames [default: 1]
    #[arg(long, value_name = "FRAMES")]
    lag: Option<usize>,
    /// Width of the maximum filter over bands in onset strength [default: 1]
    #[arg(long, value_name = "BANDS")]
    max_size: Option<usize>,
    /// Length of the tempogram's window, in frames [default: 384]
    #[arg(long, value_name = "FRAMES")]
    tempogram_win_length: Option<usize>,
    /// Mode of the prior of the tempo, in beats per minute [default: 120]
    #[arg(long, value_name = "BPM")]
    start_bpm: Option<f64>,
    /// Highest tempo, in beats per minute; 0 for no limit [default: 320]
    #[arg(long, value_name = "BPM")]
    max_tempo: Option<f64>,
    /// Tempo of the beats, in beats per minute [default: estimated]
    #[arg(long, value_name = "BPM")]
    bpm: Option<f64>,
    /// Weight of a regular tempo in beat tracking [default: 100]
    #[arg(long, value_name = "FACTOR")]
    tightness: Option<f64>,
    /// Keep weak beats at the beginning and the end
    #[arg(long)]
    no_trim: bool,
    /// Length of HPSS's median filters, in frames and in bins [default: 31]
    #[arg(long, value_name = "N")]
    kernel_size: Option<usize>,
    /// Margin of HPSS; at least 1 [default: 1]
    #[arg(long, value_name = "FACTOR")]
    margin: Option<f32>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ChromaNorm {
    Max,
    L1,
    L2,
    None,
}

impl PitchOptions {
    /// The specification with what was given on the command line.
    pub fn change(&self, mut spec: FeatureSpec) -> FeatureSpec {
        self.change_pitch(&mut spec);
        self.change_rhythm(&mut spec);
        set(&mut spec.hpss.kernel_frames, self.kernel_size);
        set(&mut spec.hpss.kernel_bins, self.kernel_size);
        set(&mut spec.hpss.margin_harmonic, self.margin);
        set(&mut spec.hpss.margin_percussive, self.margin);
        spec
    }

    fn change_pitch(&self, spec: &mut FeatureSpec) {
        let (cqt, stft_chroma, cqt_chroma) = (&mut spec.cqt, &mut spec.chroma_stft, &mut spec.chroma_cqt);
        set(&mut cqt.tuning, self.tuning);
        stft_chroma.tuning = self.tuning.or(stft_chroma.tuning);
        cqt_chroma.tuning = self.tuning.or(cqt_chroma.tuning);
        set(&mut stft_chroma.n_chroma, self.n_chroma);
        set(&mut cqt_chroma.n_chroma, self.n_chroma);
        set(&mut stft_chroma.norm, self.chroma_norm.map(Norm::from));
        set(&mut cqt_chroma.norm, self.chroma_norm.map(Norm::from));
        set(&mut cqt.f_min, self.cqt_fmin);
        set(&mut cqt_chroma.f_min, self.cqt_fmin);
        set(&mut cqt.n_bins, self.n_bins);
        set(&mut cqt.bins_per_octave, self.bins_per_octave);
        set(&mut cqt_chroma.bins_per_octave, self.bins_per_octave);
        set(&mut cqt_chroma.n_octaves, self.n_octaves);
        set(&mut cqt.filter_scale, self.filter_scale);
    }

    fn change_rhythm(&self, spec: &mut FeatureSpec) {
        set(&mut spec.onset.lag, self.lag);
        set(&mut spec.onset.max_size, self.max_size);
        set(&mut spec.tempogram.win_length, self.tempogram_win_length);
        set(&mut spec.tempo.start_bpm, self.start_bpm);
        set(&mut spec.tempo.max_tempo, self.max_tempo);
        spec.beat.bpm = self.bpm.or(spec.beat.bpm);
        set(&mut spec.beat.tightness, self.tightness);
        spec.beat.trim &= !self.no_trim;
    }
}

fn set<T>(field: &mut T, given: Option<T>) {
    if let Some(value) = given {
        *field = value;
    }
}

impl From<ChromaNorm> for Norm {
    fn from(norm: ChromaNorm) -> Self {
        match norm {
            ChromaNorm::Max => Self::Max,
            ChromaNorm::L1 => Self::L1,
            ChromaNorm::L2 => Self::L2,
            ChromaNorm::None => Self::None,
        }
    }
}
