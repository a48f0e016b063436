//! Lengths, phase, pass band and stop band of the resampler, and overlap-save against direct convolution.

use std::f64::consts::PI;

use super::*;

const RATES: [(u32, u32); 16] = [
    (44_100, 22_050),
    (48_000, 22_050),
    (32_000, 22_050),
    (16_000, 22_050),
    (11_025, 22_050),
    (8_000, 22_050),
    (96_000, 22_050),
    (192_000, 22_050),
    (22_050, 44_100),
    (22_050, 16_000),
    (44_100, 48_000),
    (3, 2),
    (2, 3),
    (44_100, 14_700),
    (44_100, 44_101),
    (22_051, 11_025),
];

fn sine(n: usize, frequency: f64, rate: u32) -> Vec<f32> {
    let step = 2.0 * PI * frequency / f64::from(rate);
    (0..n).map(|i| (0.5 * (step * i as f64).sin()) as f32).collect()
}

/// Direct convolution, one output sample at a time.
fn direct(samples: &[f32], from: u32, to: u32) -> Vec<f32> {
    direct_at(samples, from, to, 0..n_computed(samples.len(), from, to))
}

/// The output samples at these positions.
fn direct_at(samples: &[f32], from: u32, to: u32, positions: impl Iterator<Item = usize>) -> Vec<f32> {
    let divisor = gcd(from, to);
    let filter = Filter::soxr_hq((to / divisor) as usize, (from / divisor) as usize);
    positions
        .map(|i| {
            let position = i as f64 * f64::from(from) / f64::from(to);
            let first = (position as usize).saturating_sub(filter.half_length());
            let near = samples.iter().enumerate().skip(first).take(2 * filter.half_length() + 2);
            let weight = |k: usize| filter.at((position - k as f64) / filter.period);
            let sum: f64 = near.map(|(k, &sample)| weight(k) * f64::from(sample)).sum();
            (sum * filter.cutoff / filter.period) as f32
        })
        .collect()
}

#[track_caller]
fn assert_close(found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len());
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() <= tolerance, "at {i}: {found} instead of {expected}");
    }
}

#[test]
fn overlap_save_equals_direct_convolution() {
    for (from, to) in [(44_100, 22_050), (48_000, 22_050), (16_000, 22_050), (100, 301), (301, 100)] {
        // Well below the lower Nyquist frequency; above it direct convolution has images, and overlap-save none.
        let samples = sine(6000, 0.3 * f64::from(from.min(to)), from);
        let expected = direct(&samples, from, to);
        assert_close(&resample(&samples, from, to)[..expected.len()], &expected, 2e-6);
    }
}

#[test]
fn thirty_seconds_equal_direct_convolution_in_every_block() {
    for (from, to) in [(44_100, 22_050), (48_000, 22_050), (22_050, 44_100), (11_025, 22_050)] {
        let rate = f64::from(from.min(to));
        let tones = sine(30 * from as usize + 1, 0.31 * rate, from).into_iter().zip(sine(
            30 * from as usize + 1,
            0.003 * rate,
            from,
        ));
        let samples: Vec<f32> = tones.map(|(a, b)| a + b).collect();
        let n_out = n_computed(samples.len(), from, to);
        let positions = || (0..n_out).step_by(509).chain(n_out - 300..n_out);
        let expected = direct_at(&samples, from, to, positions());
        let resampled = resample(&samples, from, to);
        assert_close(&positions().map(|i| resampled[i]).collect::<Vec<_>>(), &expected, 4e-6);
    }
}

#[test]
fn the_output_length_is_librosas_for_every_ratio() {
    for (from, to) in RATES {
        let plan = Resampler::new(from, to);
        for n in [0, 1, 2, 3, 999, 10_000] {
            let found = plan.process(&vec![0.25; n]);
            assert_eq!(found.len(), output_length(n, from, to), "{n} samples, {from} to {to}");
        }
    }
    // int(np.ceil(44100 * (48000.0 / 22050))): the product is 96000.00000000001.
    assert_eq!(output_length(44_100, 22_050, 48_000), 96_001);
    assert_eq!((output_length(3000, 44_100, 48_000), n_computed(3000, 44_100, 48_000)), (3266, 3265));
    assert_eq!(resample(&[0.5; 3000], 44_100, 48_000)[3265], 0.0, "appended by librosa");
}

#[test]
fn a_sine_keeps_its_phase_and_amplitude() {
    for (from, to) in RATES {
        let frequency = 0.4 * f64::from(from.min(to));
        let n = (from / 2).max(2000) as usize;
        let resampled = resample(&sine(n, frequency, from), from, to);
        let expected = sine(resampled.len(), frequency, to);
        // Without the ends, where the onset and end of the sine have content beyond the pass band.
        let edge = resampled.len() / 4;
        let middle = edge..resampled.len() - edge;
        assert_close(&resampled[middle.clone()], &expected[middle], 2e-6);
    }
}

#[test]
fn a_constant_is_unchanged() {
    for (from, to) in RATES {
        let resampled = resample(&vec![1.0; from.max(2000) as usize / 2], from, to);
        let edge = resampled.len() / 4;
        let middle = edge..resampled.len() - edge;
        assert_close(&resampled[middle.clone()], &vec![1.0; middle.len()], 1e-6);
    }
}

#[test]
fn frequencies_above_the_new_nyquist_frequency_are_removed() {
    for (from, to) in
        [(44_100, 22_050), (48_000, 22_050), (96_000, 22_050), (22_050, 8_000), (44_101, 22_050)]
    {
        for above in [1.0, 1.001, 1.05, 1.3] {
            let resampled = resample(&sine(from as usize, above * f64::from(to) / 2.0, from), from, to);
            let edge = resampled.len() / 4;
            let loudest = resampled[edge..resampled.len() - edge].iter().fold(0.0, |max, x| x.abs().max(max));
            assert!(20.0 * (loudest / 0.5).log10() < -110.0, "{from} to {to}: {loudest} is left of {above}");
        }
    }
}

#[test]
fn an_impulse_is_not_delayed_and_its_response_is_symmetric() {
    let mut samples = vec![0.0; 40_000];
    samples[20_000] = 1.0;
    let resampled = resample(&samples, 44_100, 22_050);
    for i in 0..200 {
        assert!((resampled[10_000 - i] - resampled[10_000 + i]).abs() < 1e-7);
    }
    assert!((resampled[10_000] - 0.478_435).abs() < 1e-5);
    assert!(resampled[..9800].iter().chain(&resampled[10_200..]).all(|x| x.abs() < 1e-7));
}

#[test]
fn equal_rates_leave_the_signal_unchanged() {
    assert_eq!(resample(&[1.0, -1.0, 0.5], 8000, 8000), [1.0, -1.0, 0.5]);
}
