//! Issues of single files: kinds, thresholds, and their detection from an analysis.

use cantus_audio::decode::{CHANNELS_CANCEL, NON_FINITE};
use cantus_audio::feature::{FeatureSpec, SegmentPadding, Segments};
use cantus_audio::level::ChannelLevels;
use cantus_audio::resample::output_length;
use serde::Serialize;

use super::file_analysis::{AuditedFile, FileAnalysis};

/// Minimum share of samples in clipped runs of a clipped recording.
const MIN_CLIPPED: f64 = 1e-3;
/// Channels whose peak is below this level are silent: −60 dB of full scale.
const SILENT_PEAK: f32 = 1e-3;
/// Minimum absolute mean of a recording with a DC offset: 1 % of full scale, −40 dB.
const MIN_OFFSET: f64 = 0.01;
/// Channels with a lower correlation cancel each other: the mix of two equally loud ones loses 6 dB.
const MIN_CORRELATION: f64 = -0.5;

/// Kinds of issues, the most severe first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum IssueKind {
    /// It cannot be decoded.
    Unreadable,
    /// It is silent throughout.
    Silent,
    /// It is shorter than a segment.
    TooShort,
    /// A duplicate has another label.
    TwoLabels,
    /// Another file has the same samples.
    ExactDuplicate,
    /// Another file has the same recording, re-encoded, cut or shifted.
    NearDuplicate,
    /// The file ends early.
    Truncated,
    /// The decoder tolerated damage inside the file.
    Damaged,
    /// Two channels cancel each other in the mono mix.
    OutOfPhase,
    /// Some but not all channels are silent.
    SilentChannel,
    /// More than two channels.
    ManyChannels,
    /// Peaks are clipped at full scale.
    Clipped,
    /// DC offset: the mean of the samples is far from zero.
    Offset,
}

/// An issue of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Issue {
    /// The file.
    pub path: String,
    /// Its kind.
    pub kind: IssueKind,
    /// Extent, position or cause.
    pub detail: String,
    /// Whether it puts the file on an exclusion list.
    pub excludes: bool,
}

impl IssueKind {
    /// All kinds, the most severe first.
    pub const ALL: [Self; 13] = [
        Self::Unreadable,
        Self::Silent,
        Self::TooShort,
        Self::TwoLabels,
        Self::ExactDuplicate,
        Self::NearDuplicate,
        Self::Truncated,
        Self::Damaged,
        Self::OutOfPhase,
        Self::SilentChannel,
        Self::ManyChannels,
        Self::Clipped,
        Self::Offset,
    ];

    /// Name in tables and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Silent => "silent",
            Self::TooShort => "too short",
            Self::TwoLabels => "two labels",
            Self::ExactDuplicate => "exact duplicate",
            Self::NearDuplicate => "near duplicate",
            Self::Truncated => "truncated",
            Self::Damaged => "damaged",
            Self::OutOfPhase => "out of phase",
            Self::SilentChannel => "silent channel",
            Self::ManyChannels => "many channels",
            Self::Clipped => "clipped",
            Self::Offset => "DC offset",
        }
    }

    /// Whether a file with it is useless for training.
    fn excludes(self) -> bool {
        matches!(self, Self::Unreadable | Self::Silent | Self::TooShort)
    }
}

/// Issues of a file by itself, without regard to duplicates.
pub(super) fn file_issues(file: &AuditedFile, spec: &FeatureSpec) -> Vec<Issue> {
    let found = match &file.analysis {
        Err(reason) => vec![(IssueKind::Unreadable, reason.clone())],
        Ok(analysis) => detect(analysis, spec),
    };
    let issue = |(kind, detail): (IssueKind, String)| Issue {
        path: file.path.clone(),
        kind,
        detail,
        excludes: kind.excludes(),
    };
    found.into_iter().map(issue).collect()
}

fn detect(analysis: &FileAnalysis, spec: &FeatureSpec) -> Vec<(IssueKind, String)> {
    let mut found = decode_issues(analysis);
    found.extend(too_short(analysis, spec).map(|detail| (IssueKind::TooShort, detail)));
    if analysis.levels.channels.len() > 2 {
        let detail = format!("{} channels, averaged into one", analysis.levels.channels.len());
        found.push((IssueKind::ManyChannels, detail));
    }
    if analysis.silence >= 1.0 {
        let has = |reason: &str| analysis.faults.iter().any(|warning| warning.reason == reason);
        let detail = if analysis.peak == 0.0 && has(CHANNELS_CANCEL) {
            "the channels cancel each other".to_owned()
        } else if analysis.peak == 0.0 && has(NON_FINITE) {
            "its samples are NaN or infinite".to_owned()
        } else if analysis.peak == 0.0 {
            "from beginning to end".to_owned()
        } else {
            format!("never above −60 dB; its peak is {:.0} dB", 20.0 * analysis.peak.log10())
        };
        // Not exclusive with the following: a mix may be silent because its channels cancel each other.
        found.push((IssueKind::Silent, detail));
    }
    found.extend(out_of_phase(analysis).map(|detail| (IssueKind::OutOfPhase, detail)));
    found.extend(silent_channel(analysis).map(|detail| (IssueKind::SilentChannel, detail)));
    found.extend(clipped(analysis).map(|detail| (IssueKind::Clipped, detail)));
    found.extend(offset(&analysis.levels.channels).map(|detail| (IssueKind::Offset, detail)));
    found
}

/// Truncation and damage, from the warnings of the decoder.
fn decode_issues(analysis: &FileAnalysis) -> Vec<(IssueKind, String)> {
    let rate = f64::from(analysis.source.sample_rate);
    let seconds = |position: u64| position as f64 / rate;
    let mut found = Vec::new();
    if let Some(end) = analysis.faults.iter().find(|warning| warning.is_end) {
        let missing = if end.n_samples > 0 {
            format!(", {:.2} s early", seconds(end.n_samples))
        } else {
            String::new()
        };
        found.push((
            IssueKind::Truncated,
            format!("{} at {:.2} s{missing}", end.reason, seconds(end.position)),
        ));
    }
    let damage: Vec<_> = analysis.faults.iter().filter(|warning| !warning.is_end).collect();
    if let Some(first) = damage.first() {
        let n: u64 = damage.iter().map(|warning| warning.count).sum();
        let times = if n > 1 { format!("{n} faults, the first: ") } else { String::new() };
        found.push((
            IssueKind::Damaged,
            format!("{times}{} at {:.2} s", first.reason, seconds(first.position)),
        ));
    }
    found
}

/// By the rule of the feature extractor.
fn too_short(analysis: &FileAnalysis, spec: &FeatureSpec) -> Option<String> {
    let n_samples = usize::try_from(analysis.n_samples).unwrap_or(usize::MAX);
    let n_samples = output_length(n_samples, analysis.source.sample_rate.max(1), spec.sample_rate);
    let n_samples = n_samples.min(spec.segment_samples());
    let segment_s = spec.segment_samples() as f64 / f64::from(spec.sample_rate);
    let is_left_out = match spec.segments {
        Segments::Parts { .. } => spec.n_frames(n_samples) != spec.frames_per_segment(),
        Segments::Windows(windows) => {
            windows.padding == SegmentPadding::None && n_samples < spec.segment_samples()
        }
    };
    is_left_out.then(|| format!("{:.2} s, but a segment has {segment_s:.2} s", analysis.duration_s()))
}

fn out_of_phase(analysis: &FileAnalysis) -> Option<String> {
    let correlation = analysis.levels.correlation.filter(|correlation| *correlation < MIN_CORRELATION)?;
    let channels = &analysis.levels.channels;
    let loudness = (channels.iter().map(|channel| channel.rms.powi(2)).sum::<f64>() / 2.0).sqrt();
    let loss = if analysis.rms > 0.0 {
        format!("loses {:.0} dB", 20.0 * (loudness / analysis.rms).log10())
    } else {
        "is silent".to_owned()
    };
    Some(format!("the channels' correlation is {correlation:.2}, so their mix {loss}"))
}

fn silent_channel(analysis: &FileAnalysis) -> Option<String> {
    let channels = &analysis.levels.channels;
    let is_silent = |channel: &ChannelLevels| channel.peak < SILENT_PEAK;
    let silent: Vec<String> = (1..=channels.len())
        .filter(|number| is_silent(&channels[number - 1]))
        .map(|number| name_of(number, channels.len()))
        .collect();
    (!silent.is_empty() && silent.len() < channels.len())
        .then(|| format!("{} of {}", silent.join(", "), channels.len()))
}

fn name_of(number: usize, n_channels: usize) -> String {
    match (number, n_channels) {
        (1, 2) => "the left one".to_owned(),
        (_, 2) => "the right one".to_owned(),
        _ => format!("channel {number}"),
    }
}

fn clipped(analysis: &FileAnalysis) -> Option<String> {
    let n_samples = analysis.levels.n_samples.max(1) as f64;
    let worst = analysis.levels.channels.iter().max_by_key(|channel| channel.n_clipped)?;
    let share = worst.n_clipped as f64 / n_samples;
    (share >= MIN_CLIPPED).then(|| {
        format!(
            "{:.2} % of samples at full scale in {} runs, the longest of {}",
            100.0 * share,
            worst.n_runs,
            worst.longest_run
        )
    })
}

fn offset(channels: &[ChannelLevels]) -> Option<String> {
    let worst = channels.iter().max_by(|a, b| a.offset.abs().total_cmp(&b.offset.abs()))?;
    (worst.offset.abs() >= MIN_OFFSET)
        .then(|| format!("the mean is {:+.1} % of full scale", 100.0 * worst.offset))
}
