//! Windows, mel filters, decibels, cosine transforms and whole features of a synthetic signal, compared with
//! librosa 0.11 and SciPy: the numbers in `reference/features.json` and `kinds.json`, made by the scripts beside them.

#[path = "../src/assert_close.rs"]
mod assert_close;

use std::collections::BTreeMap;
use std::f64::consts::TAU;

use assert_close::assert_close;
use cantus_audio::feature::dct::Dct;
use cantus_audio::feature::mel::{MelConfig, MelFilterBank, mel_frequencies};
use cantus_audio::feature::spectrum::{magnitude_spectrum, power_spectrum};
use cantus_audio::feature::{DctType, FeatureKind, FeatureSpec, MelNorm};
use cantus_audio::transform::Window;
use cantus_audio::transform::decibel::{
    Decibel, Reference, amplitude_to_db, db_to_amplitude, db_to_power, power_to_db,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

#[expect(clippy::unwrap_used, reason = "a reference that cannot be read fails the test, as it should")]
fn reference<T: DeserializeOwned>(key: &str) -> T {
    let all: Value = serde_json::from_str(include_str!("reference/features.json")).unwrap();
    serde_json::from_value(all[key].clone()).unwrap()
}

/// The numbers of `reference/kinds.py`.
#[expect(clippy::unwrap_used, reason = "as above")]
fn kinds<T: DeserializeOwned>(key: &str) -> T {
    let all: Value = serde_json::from_str(include_str!("reference/kinds.json")).unwrap();
    serde_json::from_value(all[key].clone()).unwrap()
}

/// The signal of `features.py`: a falling tone, a steady one that starts late, and noise, in whole 1/32768.
fn signal(n_samples: usize) -> Vec<f32> {
    let mut state = 1u32;
    (0..n_samples)
        .map(|n| {
            let time = n as f64;
            let tone = 9000.0 * (TAU * 440.0 * time / 22_050.0).sin() * (-time / 2000.0).exp();
            let late = if n >= 3000 { 5000.0 * (TAU * 3520.0 * time / 22_050.0).sin() } else { 0.0 };
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = f64::from(state >> 16) / 64.0 - 512.0;
            ((tone + late + noise).round_ties_even() / 32_768.0) as f32
        })
        .collect()
}

#[test]
fn the_test_signal_equals_that_of_the_script() {
    let found: Vec<f64> = signal(6615).iter().step_by(601).map(|x| f64::from(*x) * 32_768.0).collect();
    assert_eq!(found, reference::<Vec<f64>>("samples_1_32768"));
}

#[test]
fn windows_equal_scipys() {
    for (window, lengths) in reference::<BTreeMap<String, BTreeMap<usize, Vec<f64>>>>("windows") {
        let window: Window = serde_json::from_value(Value::String(window)).unwrap();
        for (win_length, expected) in lengths {
            assert_close(&window.weights(win_length), &expected, 1e-15);
        }
    }
}

#[derive(Deserialize)]
struct MelCase {
    htk: bool,
    norm: MelNorm,
    centres_hz: Vec<f64>,
    sum_of_rows: Vec<f64>,
    sum_of_columns: Vec<f64>,
}

#[test]
fn mel_filters_equal_librosas() {
    for case in reference::<Vec<MelCase>>("mel_filters") {
        assert_close(&mel_frequencies(40, 20.0, 10_000.0, case.htk), &case.centres_hz, 1e-7);
        let bank = MelFilterBank::new(&MelConfig {
            sample_rate: 22_050,
            n_fft: 256,
            n_mels: 40,
            f_min: 20.0,
            f_max: Some(10_000.0),
            htk: case.htk,
            norm: case.norm,
        });
        let dense = bank.to_dense();
        let rows = dense.chunks_exact(129);
        let columns: Vec<f32> = (0..129).map(|k| dense.iter().skip(k).step_by(129).sum()).collect();
        assert_close(&rows.map(|row| row.iter().sum()).collect::<Vec<f32>>(), &case.sum_of_rows, 2e-6);
        assert_close(&columns, &case.sum_of_columns, 1e-6);
    }
}

#[derive(Deserialize)]
struct DecibelCase {
    #[serde(rename = "ref")]
    reference: Value,
    amin: f32,
    top_db: Option<f32>,
    strengths: Vec<f32>,
    power_to_db: Vec<f32>,
    amplitude_to_db: Vec<f32>,
}

#[test]
fn decibels_equal_librosas() {
    for case in reference::<Vec<DecibelCase>>("decibels") {
        let reference =
            case.reference.as_f64().map_or(Reference::Max, |value| Reference::Value(value as f32));
        let decibel = Decibel { reference, amin: case.amin, top_db: case.top_db };
        let mut powers = case.strengths.clone();
        power_to_db(&mut powers, &decibel);
        assert_close(&powers, &case.power_to_db, 2e-5);
        let mut amplitudes = case.strengths;
        amplitude_to_db(&mut amplitudes, &decibel);
        assert_close(&amplitudes, &case.amplitude_to_db, 4e-5);
    }
}

#[test]
fn levels_turn_into_strengths_as_librosas() {
    let levels: Vec<f32> = reference("levels");
    let relative = |found: &[f32], expected: Vec<f64>| -> Vec<f64> {
        found.iter().zip(expected).map(|(f, e)| f64::from(*f) / e).collect()
    };
    let mut powers = levels.clone();
    db_to_power(&mut powers, 2.0);
    assert_close(&relative(&powers, reference("db_to_power")), &[1.0; 4], 1e-6);
    let mut amplitudes = levels;
    db_to_amplitude(&mut amplitudes, 2.0);
    assert_close(&relative(&amplitudes, reference("db_to_amplitude")), &[1.0; 4], 1e-6);
}

#[test]
fn cosine_transforms_equal_scipys() {
    let curve: Vec<f32> = reference("curve");
    for (number, expected) in reference::<BTreeMap<u8, Vec<f64>>>("dct") {
        let mut found = vec![0.0; curve.len()];
        Dct::new(DctType::try_from(number).unwrap(), curve.len(), curve.len()).apply(&curve, &mut found);
        assert_close(&found, &expected, 2e-6);
    }
}

#[derive(Deserialize)]
struct Case {
    name: String,
    spec: FeatureSpec,
    n_samples: usize,
    n_frames: usize,
    frames: Vec<usize>,
    values: Vec<Vec<f64>>,
}

/// Tolerance of the difference from librosa: relative to the largest value of the frame for strengths, in dB otherwise.
fn tolerance(kind: FeatureKind, expected: &[f64]) -> f64 {
    use FeatureKind::*;
    let largest = expected.iter().fold(0.0, |a: f64, b| a.max(b.abs()));
    match kind {
        AmplitudeEnvelope | ZeroCrossingRate => 5e-7 * largest, // the precision of the reference
        Spectrogram | SpectralCentroid | SpectralBandwidth => 2e-6 * largest,
        SpectralFlatness | SpectralFlux => 1e-5 * largest,
        Pcen => 2e-5 * largest,
        LogMel => 1e-4,
        // Of a bin far below the loudest, a transform in f32 leaves few digits.
        SpectrogramDb => 1e-3,
        // As level in dB, and the small ones relative to the largest.
        SpectralContrast => 2e-4,
        Mfcc | MfccDelta | MfccDelta2 => 2e-4_f64.max(1e-6 * largest),
        _ => 1e-6 * largest,
    }
}

#[derive(Deserialize)]
struct SpectrumCase {
    magnitude: Vec<f64>,
    power: Vec<f64>,
}

#[test]
fn the_spectrum_of_a_whole_sound_equals_numpys() {
    let expected: SpectrumCase = kinds("spectrum");
    let of_every_37th = |values: Vec<f32>| values.into_iter().step_by(37).collect::<Vec<f32>>();
    let largest = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
    let magnitude = of_every_37th(magnitude_spectrum(&signal(999)));
    assert_close(&magnitude, &expected.magnitude, 1e-6 * largest(&expected.magnitude));
    let power = of_every_37th(power_spectrum(&signal(999)));
    assert_close(&power, &expected.power, 2e-6 * largest(&expected.power));
}

#[test]
fn features_equal_librosas() {
    for case in reference::<Vec<Case>>("cases").into_iter().chain(kinds::<Vec<Case>>("cases")) {
        let found = case.spec.extractor().unwrap().extract(&signal(case.n_samples));
        assert_eq!(found.n_frames, case.n_frames, "{}", case.name);
        for (t, expected) in case.frames.iter().zip(&case.values) {
            println!("{}, frame {t}", case.name);
            let row = &found.values[t * found.n_bins..(t + 1) * found.n_bins];
            assert_close(row, expected, tolerance(case.spec.kinds[0], expected));
        }
    }
}
