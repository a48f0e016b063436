//! What can be wrong with a single file, and from which level on it is worth a word.

use cantus_audio::feature::FeatureSpec;
use cantus_audio::level::ChannelLevels;
use serde::Serialize;

use super::{Evidence, Subject};

/// From this share of samples in cut peaks on, a recording counts as clipped.
const MIN_CLIPPED: f64 = 1e-3;
/// A channel whose peak is lower, in full scales, is silent: −60 dB.
const SILENT_PEAK: f32 = 1e-3;
/// From this mean on there is direct current, in full scales: 1 %, −40 dB.
const MIN_OFFSET: f64 = 0.01;
/// Below this correlation two channels cancel each other: of two equally loud ones, the mix has 6 dB less.
const MIN_CORRELATION: f64 = -0.5;

/// Kinds of findings, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// Nothing of it can be decoded.
    Unreadable,
    /// There is nothing to hear.
    Silent,
    /// It ends before its first segment does.
    TooShort,
    /// The recording is there under another label, too.
    TwoLabels,
    /// The same samples are there under another name.
    ExactDuplicate,
    /// The same recording is there, encoded anew, cut or moved.
    NearDuplicate,
    /// The file ends before its time.
    Truncated,
    /// Damage inside the file was passed over.
    Damaged,
    /// Two channels cancel each other when they are mixed.
    OutOfPhase,
    /// One channel is silent, another is not.
    SilentChannel,
    /// More than two channels.
    ManyChannels,
    /// Peaks are cut at full scale.
    Clipped,
    /// The samples' mean is far from zero.
    Offset,
}

/// Something that is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The file.
    pub path: String,
    /// What sort of thing.
    pub kind: Kind,
    /// How much of it, where, or why.
    pub detail: String,
    /// Whether an exclusion list names the file because of it.
    pub excludes: bool,
}

impl Kind {
    /// All kinds, the gravest first.
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

    /// Its name in tables.
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

    /// Whether nothing can be learnt from a file of which this is true.
    fn excludes(self) -> bool {
        matches!(self, Self::Unreadable | Self::Silent | Self::TooShort)
    }
}

/// What is wrong with a file by itself.
pub(super) fn findings_of(subject: &Subject, spec: &FeatureSpec) -> Vec<Finding> {
    let found = match &subject.evidence {
        Err(reason) => vec![(Kind::Unreadable, reason.clone())],
        Ok(evidence) => weigh(evidence, spec),
    };
    let finding = |(kind, detail): (Kind, String)| Finding {
        path: subject.path.clone(),
        kind,
        detail,
        excludes: kind.excludes(),
    };
    found.into_iter().map(finding).collect()
}

fn weigh(evidence: &Evidence, spec: &FeatureSpec) -> Vec<(Kind, String)> {
    let mut found = faults(evidence);
    found.extend(too_short(evidence, spec).map(|detail| (Kind::TooShort, detail)));
    if evidence.levels.channels.len() > 2 {
        let detail = format!("{} channels, averaged into one", evidence.levels.channels.len());
        found.push((Kind::ManyChannels, detail));
    }
    if evidence.silence >= 1.0 {
        let detail = if evidence.peak == 0.0 {
            "from beginning to end".to_owned()
        } else {
            format!("nowhere above −60 dB; its peak is {:.0} dB", 20.0 * evidence.peak.log10())
        };
        // Two channels that cancel each other are silent as a mix, and then the reason is worth a word.
        found.push((Kind::Silent, detail));
    }
    found.extend(out_of_phase(evidence).map(|detail| (Kind::OutOfPhase, detail)));
    found.extend(silent_channel(evidence).map(|detail| (Kind::SilentChannel, detail)));
    found.extend(clipped(evidence).map(|detail| (Kind::Clipped, detail)));
    found.extend(offset(&evidence.levels.channels).map(|detail| (Kind::Offset, detail)));
    found
}

fn faults(evidence: &Evidence) -> Vec<(Kind, String)> {
    let rate = f64::from(evidence.source.sample_rate);
    let place = |position: u64| position as f64 / rate;
    let mut found = Vec::new();
    if let Some(end) = evidence.faults.iter().find(|fault| fault.is_end) {
        let missing = if end.n_samples > 0 {
            format!(", {:.2} s before its time", place(end.n_samples))
        } else {
            String::new()
        };
        found.push((Kind::Truncated, format!("{} at {:.2} s{missing}", end.reason, place(end.position))));
    }
    let damage: Vec<_> = evidence.faults.iter().filter(|fault| !fault.is_end).collect();
    if let Some(first) = damage.first() {
        let n: u64 = damage.iter().map(|fault| fault.count).sum();
        let times = if n > 1 { format!("{n} faults, the first: ") } else { String::new() };
        found.push((Kind::Damaged, format!("{times}{} at {:.2} s", first.reason, place(first.position))));
    }
    found
}

/// By the rule of [`cantus_audio::feature::FeatureExtractor::hear`].
fn too_short(evidence: &Evidence, spec: &FeatureSpec) -> Option<String> {
    let rates = (u128::from(spec.sample_rate), u128::from(evidence.source.sample_rate));
    let n_samples = (u128::from(evidence.n_samples) * rates.0).div_ceil(rates.1.max(1));
    let n_samples = usize::try_from(n_samples).unwrap_or(usize::MAX).min(spec.segment_samples());
    let segment_s = spec.segment_samples() as f64 / f64::from(spec.sample_rate);
    (spec.n_frames(n_samples) != spec.frames_per_segment())
        .then(|| format!("{:.2} s, and a segment takes {segment_s:.2} s", evidence.duration_s()))
}

fn out_of_phase(evidence: &Evidence) -> Option<String> {
    let correlation = evidence.levels.correlation.filter(|correlation| *correlation < MIN_CORRELATION)?;
    let channels = &evidence.levels.channels;
    let loudness = (channels.iter().map(|channel| channel.rms.powi(2)).sum::<f64>() / 2.0).sqrt();
    let loss = if evidence.rms > 0.0 {
        format!("loses {:.0} dB", 20.0 * (loudness / evidence.rms).log10())
    } else {
        "is silent".to_owned()
    };
    Some(format!("the channels' correlation is {correlation:.2}, so that their mix {loss}"))
}

fn silent_channel(evidence: &Evidence) -> Option<String> {
    let channels = &evidence.levels.channels;
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

fn clipped(evidence: &Evidence) -> Option<String> {
    let n_samples = evidence.levels.n_samples.max(1) as f64;
    let worst = evidence.levels.channels.iter().max_by_key(|channel| channel.n_clipped)?;
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
