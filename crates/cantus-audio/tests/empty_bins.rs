//! Features that depend on nearly empty bins, of tones and band-limited sound, equal librosa's.
//!
//! The expected numbers are those of `reference/empty_bins.py`.

use std::collections::BTreeMap;
use std::f64::consts::TAU;

use cantus_audio::feature::{FeatureKind, FeatureSpec};

const SAMPLE_RATE: f64 = 22_050.0;
const N_SAMPLES: usize = 8192;

/// Kind, tolerance relative to the value, and absolute tolerance.
const KINDS: [(FeatureKind, f64, f64); 5] = [
    (FeatureKind::SpectralContrast, 0.0, 0.01),
    (FeatureKind::SpectralFlatness, 1e-4, 0.0),
    (FeatureKind::SpectralBandwidth, 1e-4, 0.0),
    (FeatureKind::SpectralCentroid, 1e-4, 0.0),
    (FeatureKind::Mfcc, 0.0, 2e-3),
];

/// The signal of that name in `empty_bins.py`.
fn signal(name: &str) -> Vec<f32> {
    let at = |t: f64| match name {
        "tone" => 0.5 * (TAU * 440.0 * t).sin(),
        "tone_at_bin" => 0.5 * (TAU * (SAMPLE_RATE / 2048.0 * 100.0) * t).sin(),
        "chord" => 0.2 * [220.0, 277.18, 329.63].map(|hertz| (TAU * hertz * t).sin()).iter().sum::<f64>(),
        "chirp" => 0.5 * (TAU * (100.0 * t + 2000.0 * t * t)).sin(),
        _ => (1..=400).map(f64::from).map(|k| (TAU * (7.0 * k * t + 0.1 * k * k)).sin()).sum::<f64>() / 100.0,
    };
    (0..N_SAMPLES).map(|n| at(n as f64 / SAMPLE_RATE) as f32).collect()
}

#[test]
fn features_of_tones_and_band_limited_sound_equal_librosas() {
    let reference: BTreeMap<String, BTreeMap<String, Vec<f64>>> =
        serde_json::from_str(include_str!("reference/empty_bins.json")).unwrap();
    assert_eq!(reference.len(), 5);
    let mut too_far = Vec::new();
    for (name, expected) in &reference {
        for (kind, relative, absolute) in KINDS {
            let top_db = (kind != FeatureKind::Mfcc).then_some(80.0);
            let spec = FeatureSpec { kinds: vec![kind], n_mfcc: 5, top_db, ..FeatureSpec::default() };
            let found = spec.extractor().unwrap().extract(&signal(name)).values;
            let expected = &expected[kind.name()];
            assert_eq!(found.len(), expected.len(), "{name}: {}", kind.name());
            let excess = found.iter().zip(expected).map(|(found, expected)| {
                (f64::from(*found) - expected).abs() / (relative * expected.abs() + absolute)
            });
            let worst = excess.fold(0.0, f64::max);
            if worst > 1.0 {
                too_far.push(format!("{name}: {}: {worst:.1} times the tolerance", kind.name()));
            }
        }
    }
    assert!(too_far.is_empty(), "{too_far:#?}");
}
