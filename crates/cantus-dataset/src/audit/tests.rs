//! Audits of small catalogs: issues of single files, and duplicates.

use cantus_audio::decode::{AudioSource, CHANNELS_CANCEL, DecodeWarning, NON_FINITE};
use cantus_audio::feature::{SegmentPadding, SegmentWindows, Segments};
use cantus_audio::level::{ChannelLevels, Levels};

use super::*;

/// Analysis of a recording of half a minute without issues.
fn valid(seed: u32) -> FileAnalysis {
    let channel = ChannelLevels { peak: 0.5, rms: 0.1, ..ChannelLevels::default() };
    FileAnalysis {
        source: AudioSource { codec: "mp3".to_owned(), sample_rate: 44_100, n_channels: 2 },
        n_samples: 30 * 44_100,
        peak: 0.5,
        rms: 0.1,
        silence: 0.0,
        levels: Levels { n_samples: 30 * 44_100, channels: vec![channel; 2], correlation: Some(0.9) },
        hash: format!("{seed:08x}"),
        fingerprint: (0..200).map(|n: u32| (n + 1000 * seed).wrapping_mul(2_654_435_761)).collect(),
        faults: Vec::new(),
    }
}

fn file(path: &str, analysis: FileAnalysis) -> AuditedFile {
    let label = path.split('/').next().map(str::to_owned);
    AuditedFile { path: path.to_owned(), label, artist: None, analysis: Ok(analysis) }
}

fn kinds(change: impl FnOnce(&mut FileAnalysis)) -> Vec<IssueKind> {
    let mut analysis = valid(1);
    change(&mut analysis);
    let found = audit(&[file("a/1.mp3", analysis)], &FeatureSpec::course());
    found.issues.iter().map(|issue| issue.kind).collect()
}

#[test]
fn a_short_recording_is_an_issue_only_if_it_is_not_padded() {
    let short = |padding| {
        let windows = SegmentWindows { padding, ..SegmentWindows::adjacent(3.0) };
        let spec = FeatureSpec { segments: Segments::Windows(windows), ..FeatureSpec::course() };
        let analysis = FileAnalysis { n_samples: 44_100, ..valid(1) };
        audit(&[file("a/1.mp3", analysis)], &spec).issues.len()
    };
    assert_eq!([SegmentPadding::None, SegmentPadding::Zero, SegmentPadding::Repeat].map(short), [1, 0, 0]);
}

#[test]
fn a_silent_recording_says_why_it_is_silent() {
    let detail = |reason: Option<&str>| {
        let mut analysis = valid(1);
        (analysis.silence, analysis.peak) = (1.0, 0.0);
        analysis.faults.extend(reason.map(|reason| DecodeWarning {
            position: 0,
            n_samples: analysis.n_samples,
            count: 1,
            reason: reason.into(),
            is_end: false,
        }));
        let found = audit(&[file("a/1.mp3", analysis)], &FeatureSpec::course());
        found.issues.into_iter().find(|issue| issue.kind == IssueKind::Silent).unwrap().detail
    };
    assert_eq!(detail(None), "from beginning to end");
    assert_eq!(detail(Some(CHANNELS_CANCEL)), "the channels cancel each other");
    assert_eq!(detail(Some(NON_FINITE)), "its samples are NaN or infinite");
}

#[test]
fn a_valid_recording_has_no_issues_and_each_fault_has_its_own() {
    assert!(kinds(|_| ()).is_empty());
    assert_eq!(kinds(|e| (e.silence, e.peak) = (1.0, 0.0)), [IssueKind::Silent]);
    assert_eq!(kinds(|e| e.n_samples = 44_100), [IssueKind::TooShort]);
    assert_eq!(kinds(|e| e.levels.correlation = Some(-0.9)), [IssueKind::OutOfPhase]);
    assert_eq!(kinds(|e| e.levels.channels[1].peak = 0.0), [IssueKind::SilentChannel]);
    assert_eq!(kinds(|e| e.levels.channels.push(e.levels.channels[0])), [IssueKind::ManyChannels]);
    assert_eq!(kinds(|e| e.levels.channels[0].n_clipped = 30_000), [IssueKind::Clipped]);
    assert!(kinds(|e| e.levels.channels[0].n_clipped = 30).is_empty());
    assert_eq!(kinds(|e| e.levels.channels[1].offset = -0.02), [IssueKind::Offset]);
    let warning =
        |is_end| DecodeWarning { position: 7, n_samples: 1, count: 1, reason: "bad".to_owned(), is_end };
    assert_eq!(kinds(|e| e.faults.push(warning(true))), [IssueKind::Truncated]);
    assert_eq!(kinds(|e| e.faults.push(warning(false))), [IssueKind::Damaged]);
    let unreadable = AuditedFile { analysis: Err("no sound".to_owned()), ..file("a/1.mp3", valid(1)) };
    assert_eq!(audit(&[unreadable], &FeatureSpec::course()).issues[0].kind, IssueKind::Unreadable);
}

#[test]
fn duplicates_are_transitive_and_the_longest_is_kept() {
    let mut cut = valid(1);
    cut.hash = "cut".to_owned();
    cut.n_samples /= 2;
    cut.fingerprint = cut.fingerprint[60..160].to_vec();
    let mut again = cut.clone();
    again.fingerprint[5] ^= 1;
    let files = [
        file("a/cut.mp3", cut),
        file("a/other.mp3", valid(2)),
        file("a/whole.wav", valid(1)),
        file("a/cut again.wav", again),
    ];
    let found = audit(&files, &FeatureSpec::course());
    let [group] = &found.duplicates[..] else { panic!("{:?}", found.duplicates) };
    assert_eq!(group.paths, ["a/cut.mp3", "a/whole.wav", "a/cut again.wav"]);
    assert_eq!((group.kept.as_str(), group.exact), ("a/whole.wav", false));
    assert!(found.issues[0].detail.contains("the same samples as a/cut again.wav"), "{:?}", found.issues);
    let excluded: Vec<String> = found.exclusions().into_iter().map(|row| row.path).collect();
    assert_eq!(excluded, ["a/cut.mp3", "a/cut again.wav"]);
    assert_eq!(found.recordings().len(), 3);
}

#[test]
fn all_files_of_a_recording_with_two_labels_are_excluded() {
    let files = [file("jazz/1.mp3", valid(1)), file("rock/1.flac", valid(1)), file("rock/2.mp3", valid(2))];
    let found = audit(&files, &FeatureSpec::course());
    assert_eq!(found.counts(), [(IssueKind::TwoLabels, 2)]);
    assert_eq!(found.exclusions().len(), 2);
    assert_eq!(found.summary().as_deref(), Some("2 two labels"));
    assert!(found.issues[0].detail.contains("2 labels: jazz, rock"), "{:?}", found.issues);
}

#[test]
fn silence_and_sustained_sounds_are_not_duplicates() {
    let silent = || FileAnalysis { peak: 0.0, silence: 1.0, fingerprint: vec![627_964_279; 200], ..valid(1) };
    let mut hum = [valid(2), valid(3)];
    hum.iter_mut().for_each(|hum| hum.fingerprint = vec![7; 200]);
    let [one, other] = hum;
    let files = [file("a/1", silent()), file("a/2", silent()), file("a/3", one), file("a/4", other)];
    assert!(audit(&files, &FeatureSpec::course()).duplicates.is_empty());
}
