use cantus_audio::decode::{AudioSource, DecodeWarning};
use cantus_audio::level::{ChannelLevels, Levels};

use super::*;

/// A sound recording of half a minute, of which nothing bad can be said.
fn sound(seed: u32) -> Evidence {
    let channel = ChannelLevels { peak: 0.5, rms: 0.1, ..ChannelLevels::default() };
    Evidence {
        source: AudioSource { codec: "mp3".to_owned(), sample_rate: 44_100, n_channels: 2 },
        n_samples: 30 * 44_100,
        peak: 0.5,
        rms: 0.1,
        silence: 0.0,
        levels: Levels { n_samples: 30 * 44_100, channels: vec![channel; 2], correlation: Some(0.9) },
        sha256: format!("{seed:08x}"),
        fingerprint: (0..200).map(|n: u32| (n + 1000 * seed).wrapping_mul(2_654_435_761)).collect(),
        faults: Vec::new(),
    }
}

fn subject(path: &str, evidence: Evidence) -> Subject {
    let label = path.split('/').next().map(str::to_owned);
    Subject { path: path.to_owned(), label, artist: None, evidence: Ok(evidence) }
}

fn kinds(change: impl FnOnce(&mut Evidence)) -> Vec<Kind> {
    let mut evidence = sound(1);
    change(&mut evidence);
    let found = audit(&[subject("a/1.mp3", evidence)], &FeatureSpec::course());
    found.findings.iter().map(|finding| finding.kind).collect()
}

#[test]
fn a_sound_recording_gives_no_findings_and_each_fault_gives_its_own() {
    assert!(kinds(|_| ()).is_empty());
    assert_eq!(kinds(|e| (e.silence, e.peak) = (1.0, 0.0)), [Kind::Silent]);
    assert_eq!(kinds(|e| e.n_samples = 44_100), [Kind::TooShort]);
    assert_eq!(kinds(|e| e.levels.correlation = Some(-0.9)), [Kind::OutOfPhase]);
    assert_eq!(kinds(|e| e.levels.channels[1].peak = 0.0), [Kind::SilentChannel]);
    assert_eq!(kinds(|e| e.levels.channels.push(e.levels.channels[0])), [Kind::ManyChannels]);
    assert_eq!(kinds(|e| e.levels.channels[0].n_clipped = 30_000), [Kind::Clipped]);
    assert!(kinds(|e| e.levels.channels[0].n_clipped = 30).is_empty());
    assert_eq!(kinds(|e| e.levels.channels[1].offset = -0.02), [Kind::Offset]);
    let fault =
        |is_end| DecodeWarning { position: 7, n_samples: 1, count: 1, reason: "bad".to_owned(), is_end };
    assert_eq!(kinds(|e| e.faults.push(fault(true))), [Kind::Truncated]);
    assert_eq!(kinds(|e| e.faults.push(fault(false))), [Kind::Damaged]);
    let unreadable = Subject { evidence: Err("no sound".to_owned()), ..subject("a/1.mp3", sound(1)) };
    assert_eq!(audit(&[unreadable], &FeatureSpec::course()).findings[0].kind, Kind::Unreadable);
}

#[test]
fn copies_are_one_recording_by_way_of_each_other_and_the_longest_is_kept() {
    let mut cut = sound(1);
    cut.sha256 = "cut".to_owned();
    cut.n_samples /= 2;
    cut.fingerprint = cut.fingerprint[60..160].to_vec();
    let mut again = cut.clone();
    again.fingerprint[5] ^= 1;
    let subjects = [
        subject("a/cut.mp3", cut),
        subject("a/other.mp3", sound(2)),
        subject("a/whole.wav", sound(1)),
        subject("a/cut again.wav", again),
    ];
    let found = audit(&subjects, &FeatureSpec::course());
    let [copies] = &found.duplicates[..] else { panic!("{:?}", found.duplicates) };
    assert_eq!(copies.paths, ["a/cut.mp3", "a/whole.wav", "a/cut again.wav"]);
    assert_eq!((copies.kept.as_str(), copies.exact), ("a/whole.wav", false));
    assert!(found.findings[0].detail.contains("the same samples as a/cut again.wav"), "{:?}", found.findings);
    let kept_back: Vec<String> = found.exclusions().into_iter().map(|excluded| excluded.path).collect();
    assert_eq!(kept_back, ["a/cut.mp3", "a/cut again.wav"]);
    assert_eq!(found.recordings().len(), 3);
}

#[test]
fn one_recording_under_two_labels_is_excluded_altogether() {
    let subjects =
        [subject("jazz/1.mp3", sound(1)), subject("rock/1.flac", sound(1)), subject("rock/2.mp3", sound(2))];
    let found = audit(&subjects, &FeatureSpec::course());
    assert_eq!(found.counts(), [(Kind::TwoLabels, 2)]);
    assert_eq!(found.exclusions().len(), 2);
    assert_eq!(found.summary().as_deref(), Some("2 two labels"));
    assert!(found.findings[0].detail.contains("2 labels: jazz, rock"), "{:?}", found.findings);
}

#[test]
fn silence_and_sustained_sounds_are_nobody_s_copies() {
    let silent = || Evidence { peak: 0.0, silence: 1.0, fingerprint: vec![627_964_279; 200], ..sound(1) };
    let mut hum = [sound(2), sound(3)];
    hum.iter_mut().for_each(|hum| hum.fingerprint = vec![7; 200]);
    let [one, other] = hum;
    let subjects =
        [subject("a/1", silent()), subject("a/2", silent()), subject("a/3", one), subject("a/4", other)];
    assert!(audit(&subjects, &FeatureSpec::course()).duplicates.is_empty());
}
