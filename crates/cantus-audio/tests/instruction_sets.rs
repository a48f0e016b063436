//! Decoding, resampling, features, fingerprints, levels and augmentation have the same bits with every instruction set.
//!
//! The instruction set is fixed for a process, so the test starts itself with `CANTUS_ISA` for each. Not affected by it are the FFT
//! (rustfft) and the decoders (Symphonia, ropus), which select by the processor alone: their bits may differ between machines.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use cantus_audio::augment::AugmentSpec;
use cantus_audio::feature::{FeatureKind, FeatureSpec, TrackFeatureKind};
use cantus_audio::fingerprint::Fingerprinter;
use cantus_audio::level::LevelMeter;
use cantus_audio::{Audio, decode};
use cantus_random::KeyedRng;
use cantus_simd::InstructionSet;

/// Of the signal, in Hz.
const SAMPLE_RATE: u32 = 22_050;

/// Ten seconds of chords over noise, with a beat.
fn music() -> Vec<f32> {
    let mut rng = KeyedRng::new([1]);
    let at = |i: usize| {
        let t = i as f64 / f64::from(SAMPLE_RATE);
        let root = [220.0, 261.6, 196.0, 293.7][(t / 0.5) as usize % 4];
        let chord: f64 =
            [1.0, 1.25, 1.5].map(|ratio| (std::f64::consts::TAU * root * ratio * t).sin()).iter().sum();
        let beat = (-40.0 * (t % 0.5)).exp();
        (0.1 * chord + (0.02 + 0.4 * beat) * (rng.uniform() - 0.5)) as f32
    };
    (0..10 * SAMPLE_RATE as usize + 77).map(at).collect()
}

/// FNV-1a.
fn hash(bits: impl IntoIterator<Item = u32>) -> u64 {
    bits.into_iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, bits| (hash ^ u64::from(bits)).wrapping_mul(0x0100_0000_01b3))
}

fn hash_of(values: &[f32]) -> u64 {
    hash(values.iter().map(|x| x.to_bits()))
}

/// The hash of everything that is computed, by name.
fn hashes() -> BTreeMap<String, u64> {
    let samples = music();
    let mut hashes = BTreeMap::new();
    let mut spec = FeatureSpec { n_mfcc: 20, ..FeatureSpec::course() };
    for kind in FeatureKind::ALL {
        spec.kinds = vec![*kind];
        let features = spec.extractor().unwrap().extract(&samples);
        hashes.insert(kind.name().to_owned(), hash_of(&features.values));
    }
    for kind in TrackFeatureKind::ALL {
        let feature = kind.compute(&samples, &spec).unwrap();
        let positions = feature.positions.iter().map(|x| (*x as f32).to_bits());
        let values = feature.values.iter().map(|x| x.to_bits());
        hashes.insert(kind.name().to_owned(), hash(values.chain(positions)));
    }
    // Two channels at 44,100 Hz: downmix and resampling.
    for name in ["mp3.mp3", "flac.flac", "opus.opus", "pcm_s24le.wav"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
        for sample_rate in [SAMPLE_RATE, 16_000] {
            let recording = decode::load(&path, sample_rate).unwrap();
            hashes.insert(format!("{name} at {sample_rate}"), hash_of(&recording.audio.samples));
        }
    }
    let mut fingerprinter = Fingerprinter::new(SAMPLE_RATE);
    fingerprinter.consume(&samples);
    hashes.insert("fingerprint".to_owned(), hash(fingerprinter.finish()));
    let mut levels = LevelMeter::default();
    levels.add(&samples[1..], 2);
    hashes.insert("levels".to_owned(), hash(format!("{:?}", levels.finish()).bytes().map(u32::from)));
    let augmentation: AugmentSpec = toml::from_str(
        r#"copies = 1
        audio = [
            { type = "time_stretch", range = [0.9, 0.95] },
            { type = "pitch_shift", range = [1, 2] },
            { type = "low_pass", range = [3000, 6000] },
            { type = "gain", range = [-6, 6] },
        ]"#,
    )
    .unwrap();
    let mut augmenter = augmentation.plan(SAMPLE_RATE).unwrap();
    let copy = augmenter.copy(&Audio { samples, sample_rate: SAMPLE_RATE }, "music", 1);
    hashes.insert("augmentation".to_owned(), hash_of(&copy.samples));
    hashes
}

/// Set in the processes that this test starts.
const CHILD: &str = "CANTUS_TEST_HASHES";

#[test]
fn every_instruction_set_computes_the_same_bits() {
    if std::env::var_os(CHILD).is_some() {
        hashes().into_iter().for_each(|(name, hash)| println!("\nhash {name}: {hash:016x}"));
        return;
    }
    let sets = InstructionSet::ALL.into_iter().filter(|set| *set <= InstructionSet::of_processor());
    let outputs: Vec<(InstructionSet, Vec<String>)> = sets.map(|set| (set, lines_of_process(set))).collect();
    let (_, baseline) = &outputs[0];
    assert!(baseline.len() > FeatureKind::ALL.len() + TrackFeatureKind::ALL.len(), "{baseline:?}");
    for (set, lines) in &outputs[1..] {
        let differing: Vec<_> = baseline.iter().zip(lines).filter(|(a, b)| a != b).collect();
        assert!(differing.is_empty(), "{set} differs from baseline: {differing:?}");
    }
}

/// Starts this test again with an instruction set.
fn lines_of_process(set: InstructionSet) -> Vec<String> {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "every_instruction_set_computes_the_same_bits", "--nocapture"])
        .env(CHILD, "1")
        .env(cantus_simd::VARIABLE, set.name())
        .output()
        .unwrap();
    assert!(output.status.success(), "{set}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter(|line| line.starts_with("hash ")).map(str::to_owned).collect()
}
