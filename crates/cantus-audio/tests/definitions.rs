//! Features of long recordings, at many frame lengths, compared with their definitions in f64.
//!
//! The transforms and sums of the library take other paths for even and odd lengths, for lengths that fill the lanes of a
//! vector, for padded frames and for hops that divide the frame. Some frames of each recording are compared.

use std::f64::consts::TAU;

use cantus_audio::feature::{FeatureKind, FeatureSpec};

/// Length of a frame, hop, number of samples.
const CASES: [(usize, usize, usize); 9] = [
    (2048, 512, 661_500),
    (2048, 512, 661_501 + 255),
    (2048, 3000, 661_500), // a hop longer than the frame
    (1024, 256, 100_001),
    (1023, 341, 100_000),
    (1000, 250, 100_000),
    (1200, 77, 50_000),
    (441, 441, 50_000),
    (4098, 1366, 100_000),
];

/// A falling and a rising tone, noise from a fourth on, and a second of digital silence at a half.
fn recording(n_samples: usize) -> Vec<f32> {
    let mut state = 1u32;
    (0..n_samples)
        .map(|n| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = f64::from(state >> 8) / f64::from(1 << 23) - 1.0;
            let (t, share) = (n as f64 / 22_050.0, n as f64 / n_samples as f64);
            let tones =
                (TAU * (200.0 + 100.0 * share) * t).sin() + 0.3 * (TAU * (5000.0 - 900.0 * share) * t).sin();
            let is_silent = (0.5..0.5 + 22_050.0 / n_samples as f64).contains(&share);
            let level = if share > 0.25 { 0.01 } else { 0.0 };
            if is_silent { 0.0 } else { (0.4 * tones + level * noise) as f32 }
        })
        .collect()
}

/// Frame `t` of the signal, padded with zeros to its centre.
fn frame(samples: &[f32], n_fft: usize, hop_length: usize, t: usize) -> Vec<f64> {
    let sample = |n: usize| {
        let i = (t * hop_length + n).checked_sub(n_fft / 2)?;
        samples.get(i).map(|&x| f64::from(x))
    };
    (0..n_fft).map(|n| sample(n).unwrap_or(0.0)).collect()
}

/// Magnitudes of the DFT of a frame with a Hann window.
fn magnitudes(frame: &[f64]) -> Vec<f64> {
    let n_fft = frame.len();
    let turns: Vec<(f64, f64)> = (0..n_fft).map(|n| (TAU * n as f64 / n_fft as f64).sin_cos()).collect();
    let windowed: Vec<f64> = frame.iter().zip(&turns).map(|(x, (_, cos))| x * (0.5 - 0.5 * cos)).collect();
    let magnitude = |k: usize| {
        let (mut re, mut im) = (0.0, 0.0);
        for (n, x) in windowed.iter().enumerate() {
            let (sin, cos) = turns[k * n % n_fft];
            re += x * cos;
            im -= x * sin;
        }
        re.hypot(im)
    };
    (0..=n_fft / 2).map(magnitude).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Difference of the means of the largest and of the smallest bins of each octave from 200 Hz on, and of the bins below.
fn contrast(magnitudes: &[f64], n_fft: usize) -> Vec<f64> {
    let hertz = |k: usize| k as f64 * 22_050.0 / n_fft as f64;
    let edges = [0.0, 200.0, 400.0, 800.0, 1600.0, 3200.0, 6400.0, 12_800.0];
    let band = |b: usize| {
        let mut bins: Vec<usize> =
            (0..magnitudes.len()).filter(|&k| (edges[b]..=edges[b + 1]).contains(&hertz(k))).collect();
        if b > 0 {
            bins.insert(0, bins[0] - 1);
        }
        let n = (0.02 * bins.len() as f64).round_ties_even().max(1.0) as usize;
        if b < 6 {
            bins.pop();
        }
        let mut sorted: Vec<f64> = bins.iter().map(|&k| magnitudes[k]).collect();
        sorted.sort_by(f64::total_cmp);
        mean(&sorted[sorted.len() - n..]) - mean(&sorted[..n])
    };
    (0..7).map(band).collect()
}

/// Values by the definition, and the tolerance of each.
fn expected(kind: FeatureKind, frame: &[f64]) -> Vec<(f64, f64)> {
    let (magnitudes, n_fft) = (magnitudes(frame), frame.len());
    let largest = magnitudes.iter().copied().fold(0.0, f64::max);
    let weighted = |f: &dyn Fn(f64) -> f64| -> f64 {
        let total: f64 = magnitudes.iter().sum();
        let sum = magnitudes
            .iter()
            .enumerate()
            .map(|(k, m)| m * f(k as f64 * 22_050.0 / n_fft as f64))
            .sum::<f64>();
        if total > 0.0 { sum / total } else { 0.0 }
    };
    let relative = |value: f64, tolerance: f64| vec![(value, tolerance * value.abs())];
    match kind {
        FeatureKind::Stft => magnitudes.iter().map(|&m| (m, 1e-6 * largest)).collect(),
        FeatureKind::Spectrogram => magnitudes.iter().map(|&m| (m * m, 2e-6 * largest * largest)).collect(),
        FeatureKind::SpectralContrast => {
            contrast(&magnitudes, n_fft).into_iter().map(|x| (x, 1e-6 * x.abs())).collect()
        }
        FeatureKind::SpectralFlatness => {
            let powers: Vec<f64> = magnitudes.iter().map(|m| (m * m).max(1e-10)).collect();
            let logs: Vec<f64> = powers.iter().map(|p| p.ln()).collect();
            relative(mean(&logs).exp() / mean(&powers), 1e-5)
        }
        FeatureKind::SpectralBandwidth => {
            let centroid = weighted(&|f| f);
            relative(weighted(&|f| (f - centroid).powi(2)).sqrt(), 1e-5)
        }
        FeatureKind::SpectralCentroid => relative(weighted(&|f| f), 1e-4),
        FeatureKind::AmplitudeEnvelope => {
            relative(frame.iter().copied().fold(f64::NEG_INFINITY, f64::max), 0.0)
        }
        FeatureKind::Rms => relative(mean(&frame.iter().map(|x| x * x).collect::<Vec<_>>()).sqrt(), 1e-5),
        _ => Vec::new(), // which has not the length of a row
    }
}

#[test]
fn features_equal_their_definitions_at_every_frame_length() {
    for (n_fft, hop_length, n_samples) in CASES {
        let samples = recording(n_samples);
        for kind in [
            FeatureKind::Stft,
            FeatureKind::Spectrogram,
            FeatureKind::SpectralContrast,
            FeatureKind::SpectralFlatness,
            FeatureKind::SpectralBandwidth,
            FeatureKind::SpectralCentroid,
            FeatureKind::AmplitudeEnvelope,
            FeatureKind::Rms,
        ] {
            if kind == FeatureKind::SpectralContrast && n_fft < 1000 {
                continue; // the lowest octave has few bins
            }
            let mut spec = FeatureSpec { kinds: vec![kind], n_fft, hop_length, ..FeatureSpec::default() };
            spec.contrast.linear = true;
            let found = spec.extractor().unwrap().extract(&samples);
            assert_eq!(found.n_frames, 1 + (n_samples - n_fft % 2) / hop_length);
            // The padded frames at both ends, and some between.
            let step = (7350 / hop_length).max(1) * 7 + 1;
            for t in (0..found.n_frames).step_by(step).chain([1, found.n_frames - 2, found.n_frames - 1]) {
                let row = &found.values[t * found.n_bins..(t + 1) * found.n_bins];
                let expected = expected(kind, &frame(&samples, n_fft, hop_length, t));
                assert_eq!(row.len(), expected.len());
                for (k, (found, (expected, tolerance))) in row.iter().zip(expected).enumerate() {
                    let error = (f64::from(*found) - expected).abs();
                    assert!(
                        error <= tolerance + 1e-12,
                        "{} of {n_fft} every {hop_length}, frame {t}, bin {k}: {found} instead of {expected}",
                        kind.name()
                    );
                }
            }
        }
    }
}
