//! Options for the segments that recordings are cut into.

use cantus_audio::feature::{SegmentPadding, SegmentWindows, Segments};
use clap::{Args, ValueEnum};

use crate::output::WrongUsage;

/// How recordings are cut into segments; what is not given follows the recipe or preset.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Segments")]
pub struct SegmentOptions {
    /// Duration of a segment, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    segment: Option<f64>,
    /// Time from one segment to the next, in seconds; less than --segment for an overlap [default: the duration]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    hop: Option<f64>,
    /// How recordings that are shorter than a segment are padded: with zeros, repeated, or not, and left out
    #[arg(long, value_enum, value_name = "HOW")]
    pad: Option<Pad>,
    /// Most segments of a recording to train on; of longer ones, segments are taken at equal distances [default: 30]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    n_segments: Option<u32>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Pad {
    Zero,
    Repeat,
    None,
}

impl SegmentOptions {
    /// An error if any option was given, where none has an effect.
    pub fn refuse(&self, why: &str) -> anyhow::Result<()> {
        match self.settings().keys().next() {
            None => Ok(()),
            Some(name) => Err(WrongUsage(format!("--{}: {why}", name.replace('_', "-"))).into()),
        }
    }

    /// The duration of a segment, if it was given.
    pub fn segment(&self) -> Option<f64> {
        self.segment
    }

    /// The segments with what was given on the command line. The course's rule becomes windows of the same duration.
    pub fn change(&self, segments: Segments) -> anyhow::Result<Segments> {
        let Self { segment, hop, pad, n_segments } = self;
        if segment.is_none() && hop.is_none() && pad.is_none() && n_segments.is_none() {
            return Ok(segments);
        }
        let base = match segments {
            Segments::Windows(windows) => windows,
            Segments::Parts { track_duration_s, n_segments } => {
                SegmentWindows::adjacent(track_duration_s / n_segments.max(1) as f64)
            }
        };
        let duration_s = segment.unwrap_or(base.duration_s);
        let hop_s = hop.unwrap_or(if segment.is_some() { duration_s } else { base.hop_s });
        let max_segments = n_segments.map_or(base.max_segments, |n| n as usize);
        let padding = pad.map_or(base.padding, SegmentPadding::from);
        if duration_s > 86_400.0 || hop_s > 86_400.0 {
            return Err(
                WrongUsage("--segment and --hop must be at most a day, 86400 seconds".to_owned()).into()
            );
        }
        Ok(Segments::Windows(SegmentWindows { duration_s, hop_s, padding, max_segments }))
    }

    /// The options under their names, for `config.toml`.
    pub fn settings(&self) -> toml::Table {
        let mut table = toml::Table::new();
        let mut set = |name: &str, value: toml::Value| table.insert(name.to_owned(), value);
        self.segment.map(|seconds| set("segment", seconds.into()));
        self.hop.map(|seconds| set("hop", seconds.into()));
        self.pad.and_then(|pad| pad.to_possible_value()).map(|pad| set("pad", pad.get_name().into()));
        self.n_segments.map(|n| set("n_segments", i64::from(n).into()));
        table
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

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds.is_finite() => Ok(seconds),
        Ok(_) => Err("must be more than 0".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
