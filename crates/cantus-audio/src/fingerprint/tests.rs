//! Fingerprints of synthesised music: agreement with Chromaprint, and independence of blocks, rate and gain.

use std::f64::consts::PI;

use super::*;

/// Music of three voices; the same as in `tests/reference/fingerprint.py`.
fn music(seed: u64, sample_rate: u32, duration_s: f64) -> Vec<f32> {
    let sample = |n: usize| {
        let t = n as f64 / f64::from(sample_rate);
        let mut sum = 0.0;
        for voice in 0..3_u32 {
            let note = (t * f64::from(2 + voice)) as u64;
            let semitone = (note * 7 + note * note * 3 + 5 * u64::from(voice) + 11 * seed) % 24;
            let frequency = 110.0 * 2.0_f64.powf(f64::from(voice) + semitone as f64 / 12.0);
            for harmonic in (1..=6).map(f64::from).filter(|harmonic| frequency * harmonic < 4000.0) {
                sum += (2.0 * PI * frequency * harmonic * t).sin() / harmonic;
            }
        }
        (0.1 * sum) as f32
    };
    (0..(duration_s * f64::from(sample_rate)) as usize).map(sample).collect()
}

fn fingerprint(samples: &[f32], sample_rate: u32, block_len: usize) -> Vec<u32> {
    let mut fingerprinter = Fingerprinter::new(sample_rate);
    samples.chunks(block_len).for_each(|block| fingerprinter.consume(block));
    fingerprinter.finish()
}

fn bit_error_rate(a: &[u32], b: &[u32]) -> f64 {
    let n_errors: u32 = a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum();
    f64::from(n_errors) / (32 * a.len().min(b.len())) as f64
}

#[test]
fn the_fingerprint_is_chromaprints_but_for_a_few_bits() {
    let chromaprint: Vec<Vec<u32>> =
        serde_json::from_str(include_str!("../../tests/reference/fingerprint.json")).unwrap();
    for (seed, expected) in chromaprint.iter().enumerate() {
        for sample_rate in [22_050, 44_100, 48_000] {
            let found = fingerprint(&music(seed as u64, sample_rate, 20.0), sample_rate, 4096);
            assert_eq!(found.len(), expected.len());
            let rate = bit_error_rate(&found, expected);
            assert!(rate < 0.06, "{seed} at {sample_rate} Hz: {rate}");
        }
        assert!(bit_error_rate(expected, &chromaprint[(seed + 1) % chromaprint.len()]) > 0.25);
    }
}

#[test]
fn the_fingerprint_does_not_depend_on_block_lengths() {
    for sample_rate in [22_050, 48_000, 8000, 44_101] {
        let samples = music(0, sample_rate, 40.0);
        let whole = fingerprint(&samples, sample_rate, samples.len());
        for block_len in [1, 997, 8192, 100_000] {
            assert_eq!(whole, fingerprint(&samples, sample_rate, block_len), "{sample_rate} Hz, {block_len}");
        }
        // A frame of 2048 every 682.5 samples; 5 frames are smoothed to one, and 16 of these make a number.
        assert_eq!(whole.len(), (40 * 11_025 - 4096) / 1365 + 1 - 4 - 15);
    }
}

#[test]
fn sample_rate_and_gain_change_few_bits_and_another_melody_many() {
    let original = fingerprint(&music(0, 44_100, 20.0), 44_100, 4096);
    for sample_rate in [8000, 11_025, 16_000, 32_000, 44_101, 96_000, 192_000] {
        let quiet: Vec<f32> = music(0, sample_rate, 20.0).iter().map(|sample| sample * 0.3).collect();
        let same = bit_error_rate(&original, &fingerprint(&quiet, sample_rate, 4096));
        assert!(same < 0.02, "{sample_rate} Hz: {same}");
    }
    let different = bit_error_rate(&original, &fingerprint(&music(1, 44_100, 20.0), 44_100, 4096));
    assert!(different > 0.25, "{different}");
}

#[test]
fn the_start_of_a_recording_has_the_start_of_its_fingerprint() {
    let samples = music(2, 22_050, 30.0);
    let (whole, start) =
        (fingerprint(&samples, 22_050, 4096), fingerprint(&samples[..441_000], 22_050, 4096));
    // But for the last number, which the padded end may change.
    let n = start.len() - 1;
    assert!(n > 100);
    assert_eq!(start[..n], whole[..n]);
}

#[test]
fn short_and_non_finite_input_does_not_panic() {
    assert!(fingerprint(&[], 44_100, 1).is_empty());
    assert!(fingerprint(&[0.5; 1000], 8000, 100).is_empty());
    for value in [1e30, f32::NAN, f32::INFINITY] {
        assert!(!fingerprint(&vec![value; 100_000], 11_025, 4096).is_empty());
    }
    for sample_rate in [1, 7, 1000, 768_000, 10_000_000] {
        let numbers = fingerprint(&[0.5; 100], sample_rate, 4096);
        assert_eq!(numbers.is_empty(), sample_rate > 30, "{sample_rate} Hz");
    }
}

#[test]
fn memory_does_not_grow_with_the_recording() {
    let mut fingerprinter = Fingerprinter::new(48_000);
    for _ in 0..3000 {
        fingerprinter.consume(&[0.5; 1152]);
        assert!(fingerprinter.samples.len() < FRAME + (LANES + 2) * 700 + 1000);
    }
}
