//! Options for the segments that recordings are cut into.

use cantus::{SegmentChanges, SegmentChoice};
use cantus_audio::feature::SegmentPadding;
use cantus_dataset::Durations;
use clap::{Args, ValueEnum};

use crate::global_options::Global;
use crate::{advice, output};

/// How recordings are cut into segments; what is not given follows the recipe or preset.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Segments")]
pub struct SegmentOptions {
    /// Duration of a segment, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = segment)]
    segment: Option<f64>,
    /// Time from one segment to the next, in seconds; less than --segment for an overlap [default: the duration]
    #[arg(long, value_name = "SECONDS", value_parser = hop)]
    hop: Option<f64>,
    /// How recordings that are shorter than a segment are padded: with zeros, repeated, or not, and left out
    #[arg(long, value_enum, value_name = "HOW")]
    pad: Option<Pad>,
    /// Most segments of a recording to train on; of longer ones, segments are taken at equal distances [default: 30]
    #[arg(long, value_name = "N", value_parser = number)]
    n_segments: Option<usize>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Pad {
    Zero,
    Repeat,
    None,
}

impl SegmentOptions {
    /// What was given on the command line.
    pub fn changes(&self) -> SegmentChanges {
        SegmentChanges {
            duration_s: self.segment,
            hop_s: self.hop,
            padding: self.pad.map(SegmentPadding::from),
            max_segments: self.n_segments,
        }
    }

    /// The options under their names, for `config.toml`.
    pub fn settings(&self) -> toml::Table {
        let mut table = toml::Table::new();
        let mut set = |name: &str, value: toml::Value| table.insert(name.to_owned(), value);
        self.segment.map(|seconds| set("segment", seconds.into()));
        self.hop.map(|seconds| set("hop", seconds.into()));
        self.pad.and_then(|pad| pad.to_possible_value()).map(|pad| set("pad", pad.get_name().into()));
        self.n_segments.and_then(|n| i64::try_from(n).ok()).map(|n| set("n_segments", n.into()));
        table
    }
}

/// Reports the durations of the recordings, which segments were chosen and why, and what is too short for them.
pub fn report_choice(choice: &SegmentChoice, durations: &Durations, global: &Global) {
    if !global.quiet {
        output::note(&format!("durations: {}", durations.in_words()));
        output::note(&choice.reason);
    }
    if let Some(left_out) = &choice.left_out {
        output::note(&format!("{left_out}; {}", advice::SHORT_RECORDINGS));
    }
}

impl From<Pad> for SegmentPadding {
    fn from(pad: Pad) -> Self {
        match pad {
            Pad::Zero => Self::Zero,
            Pad::Repeat => Self::Repeat,
            Pad::None => Self::None,
        }
    }
}

fn segment(text: &str) -> Result<f64, String> {
    let seconds = text.parse::<f64>().map_err(|error| error.to_string())?;
    checked(seconds, SegmentChanges { duration_s: Some(seconds), ..SegmentChanges::default() })
}

fn hop(text: &str) -> Result<f64, String> {
    let seconds = text.parse::<f64>().map_err(|error| error.to_string())?;
    checked(seconds, SegmentChanges { hop_s: Some(seconds), ..SegmentChanges::default() })
}

fn number(text: &str) -> Result<usize, String> {
    let n = text.parse::<usize>().map_err(|error| error.to_string())?;
    checked(n, SegmentChanges { max_segments: Some(n), ..SegmentChanges::default() })
}

/// A value, if the library accepts it.
fn checked<T>(value: T, changes: SegmentChanges) -> Result<T, String> {
    changes.validate().map(|()| value).map_err(|error| error.to_string())
}
