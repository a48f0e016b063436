//! Onset detection by the rise of high-frequency energy, to within a sample for clicks.
//!
//! An onset is where the power of the signal's first difference, which emphasises the high frequencies of attacks, rises
//! to four times its mean over the preceding 46 ms. Steady tones and noise do not reach that.
//!
//! # Reference
//! The energy-rise detectors of Bello et al., "A tutorial on onset detection in music signals", 2005, sections III.A and
//! B, with a time resolution of 64 samples, as a phase vocoder needs it.

/// Length of a block, in samples.
const BLOCK: usize = 64;
/// Number of preceding blocks that a block is compared with: 46 ms at 22 050 Hz.
const N_PRECEDING: usize = 16;
/// Length of an attack, in blocks.
const N_ATTACK: usize = 2;
/// Smallest ratio of the power to the preceding power.
const MIN_RISE: f64 = 4.0;
/// Distance in blocks within which only the largest rise is an onset: 23 ms at 22 050 Hz.
const MIN_DISTANCE: usize = 8;
/// Threshold relative to the mean power: -30 dB.
const RELATIVE_FLOOR: f64 = 1e-3;

/// Positions of the onsets of a signal, in samples, ascending.
pub(super) fn onsets(samples: &[f32]) -> Vec<usize> {
    let difference = |n: usize| f64::from(samples[n]) - if n > 0 { f64::from(samples[n - 1]) } else { 0.0 };
    let powers: Vec<f64> = (0..samples.len() / BLOCK)
        .map(|block| (block * BLOCK..(block + 1) * BLOCK).map(|n| difference(n).powi(2)).sum())
        .collect();
    let floor = RELATIVE_FLOOR * powers.iter().sum::<f64>() / powers.len().max(1) as f64;
    let rises: Vec<f64> = (0..powers.len()).map(|block| rise(&powers, block, floor)).collect();
    let is_onset = |block: &usize| {
        let near = block.saturating_sub(MIN_DISTANCE)..(block + MIN_DISTANCE + 1).min(rises.len());
        // Of equal rises, the first.
        let is_first =
            |other: usize| rises[other] < rises[*block] || other >= *block && rises[other] == rises[*block];
        rises[*block] > MIN_RISE && near.into_iter().all(is_first)
    };
    let steepest = |block: usize| {
        let range = block * BLOCK..((block + N_ATTACK) * BLOCK).min(samples.len());
        range.fold(
            block * BLOCK,
            |best, n| if difference(n).abs() > difference(best).abs() { n } else { best },
        )
    };
    (0..rises.len()).filter(is_onset).map(steepest).collect()
}

/// Ratio of the power of an attack that begins at `block` to the preceding power.
fn rise(powers: &[f64], block: usize, floor: f64) -> f64 {
    let mean = |powers: &[f64]| powers.iter().sum::<f64>() / powers.len().max(1) as f64;
    let preceding = mean(&powers[block.saturating_sub(N_PRECEDING)..block]);
    let attack = mean(&powers[block..(block + N_ATTACK).min(powers.len())]);
    if attack > floor { attack / (preceding + floor) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clicks_are_found_within_a_sample() {
        let mut samples: Vec<f32> = (0..44_100).map(|n| 0.01 * (n as f32 * 0.06).sin()).collect();
        let positions = [5000, 7321, 20_000, 43_007];
        positions.iter().for_each(|&position| samples[position] += 0.8);
        let found = onsets(&samples);
        assert_eq!(found.len(), positions.len(), "{found:?}");
        assert!(
            found.iter().zip(positions).all(|(found, position)| found.abs_diff(position) <= 1),
            "{found:?}"
        );
    }

    #[test]
    fn steady_tones_and_noise_have_onsets_only_at_their_start() {
        for step in [0.01, 0.05, 0.3, 1.0] {
            let tone: Vec<f32> = (0..44_100).map(|n| (n as f32 * step).sin()).collect();
            assert!(
                onsets(&tone).iter().all(|position| *position < 2 * BLOCK),
                "{step}: {:?}",
                onsets(&tone)
            );
        }
        let mut rng = cantus_random::KeyedRng::new([1, 0, 0, 0]);
        let noise: Vec<f32> = (0..44_100).map(|_| rng.normal() as f32).collect();
        assert!(onsets(&noise).iter().all(|position| *position < 2 * BLOCK), "{:?}", onsets(&noise));
    }

    #[test]
    fn a_plucked_string_over_a_sustained_chord_is_found() {
        let samples: Vec<f32> = (0..44_100)
            .map(|n| {
                let t = n as f32 / 22_050.0;
                let chord = 0.1 * (1400.0 * t).sin() + 0.1 * (1760.0 * t).sin();
                let string =
                    if t > 1.0 { 0.3 * (5000.0 * (t - 1.0)).sin() * (-8.0 * (t - 1.0)).exp() } else { 0.0 };
                chord + string
            })
            .collect();
        let found: Vec<usize> =
            onsets(&samples).into_iter().filter(|position| *position >= 2 * BLOCK).collect();
        assert!(matches!(found[..], [position] if position.abs_diff(22_050) < 150), "{found:?}");
    }

    #[test]
    fn short_silent_and_non_finite_signals_have_no_onsets() {
        for samples in [vec![], vec![1.0], vec![0.0; 5000], vec![f32::NAN; 5000]] {
            assert_eq!(onsets(&samples), [0; 0]);
        }
    }
}
