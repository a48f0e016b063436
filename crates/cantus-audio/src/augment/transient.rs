//! Transients: the samples at which something is struck, plucked or spoken.
//!
//! Where the power of the signal's first difference (which hears high frequencies, of which attacks are full) jumps to
//! four times what it was in the 46 ms before, there is an onset. Steady tones and noise never do that; a click does it to
//! the sample, or to the next.
//!
//! # Reference
//! The energy-rise detectors of Bello et al., "A tutorial on onset detection in music signals", 2005, sections III.A and
//! B, with a time resolution of 64 samples, as a phase vocoder needs it.

/// Samples of a block.
const BLOCK: usize = 64;
/// Blocks of the past that a block is held against: 46 ms at 22 050 Hz.
const PAST: usize = 16;
/// Blocks of an attack.
const ATTACK: usize = 2;
/// How many times the power has to grow.
const RISE: f64 = 4.0;
/// Blocks within which only the strongest rise is an onset: 23 ms at 22 050 Hz.
const APART: usize = 8;
/// Share of the mean power below which nothing is an onset: 30 dB down.
const FLOOR: f64 = 1e-3;

/// The onsets of a signal, in samples, ascending.
pub(super) fn onsets(samples: &[f32]) -> Vec<usize> {
    let difference = |n: usize| f64::from(samples[n]) - if n > 0 { f64::from(samples[n - 1]) } else { 0.0 };
    let powers: Vec<f64> = (0..samples.len() / BLOCK)
        .map(|block| (block * BLOCK..(block + 1) * BLOCK).map(|n| difference(n).powi(2)).sum())
        .collect();
    let floor = FLOOR * powers.iter().sum::<f64>() / powers.len().max(1) as f64;
    let rises: Vec<f64> = (0..powers.len()).map(|block| rise(&powers, block, floor)).collect();
    let is_onset = |block: &usize| {
        let near = block.saturating_sub(APART)..(block + APART + 1).min(rises.len());
        // Of equal rises the first is the onset.
        let is_first =
            |other: usize| rises[other] < rises[*block] || other >= *block && rises[other] == rises[*block];
        rises[*block] > RISE && near.into_iter().all(is_first)
    };
    let steepest = |block: usize| {
        let places = block * BLOCK..((block + ATTACK) * BLOCK).min(samples.len());
        places.fold(
            block * BLOCK,
            |best, n| if difference(n).abs() > difference(best).abs() { n } else { best },
        )
    };
    (0..rises.len()).filter(is_onset).map(steepest).collect()
}

/// How many times as strong as the past the block and the one after it are.
fn rise(powers: &[f64], block: usize, floor: f64) -> f64 {
    let mean = |powers: &[f64]| powers.iter().sum::<f64>() / powers.len().max(1) as f64;
    let past = mean(&powers[block.saturating_sub(PAST)..block]);
    let now = mean(&powers[block..(block + ATTACK).min(powers.len())]);
    if now > floor { now / (past + floor) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clicks_are_found_within_a_sample() {
        let mut samples: Vec<f32> = (0..44_100).map(|n| 0.01 * (n as f32 * 0.06).sin()).collect();
        let places = [5000, 7321, 20_000, 43_007];
        places.iter().for_each(|&place| samples[place] += 0.8);
        let found = onsets(&samples);
        assert_eq!(found.len(), places.len(), "{found:?}");
        assert!(found.iter().zip(places).all(|(found, place)| found.abs_diff(place) <= 1), "{found:?}");
    }

    #[test]
    fn steady_tones_and_noise_have_none_but_their_beginning() {
        for step in [0.01, 0.05, 0.3, 1.0] {
            let tone: Vec<f32> = (0..44_100).map(|n| (n as f32 * step).sin()).collect();
            assert!(onsets(&tone).iter().all(|place| *place < 2 * BLOCK), "{step}: {:?}", onsets(&tone));
        }
        let mut chance = cantus_random::KeyedRng::new([1, 0, 0, 0]);
        let noise: Vec<f32> = (0..44_100).map(|_| chance.normal() as f32).collect();
        assert!(onsets(&noise).iter().all(|place| *place < 2 * BLOCK), "{:?}", onsets(&noise));
    }

    #[test]
    fn a_struck_string_under_a_held_chord_is_found() {
        let samples: Vec<f32> = (0..44_100)
            .map(|n| {
                let t = n as f32 / 22_050.0;
                let chord = 0.1 * (1400.0 * t).sin() + 0.1 * (1760.0 * t).sin();
                let string =
                    if t > 1.0 { 0.3 * (5000.0 * (t - 1.0)).sin() * (-8.0 * (t - 1.0)).exp() } else { 0.0 };
                chord + string
            })
            .collect();
        let found: Vec<usize> = onsets(&samples).into_iter().filter(|place| *place >= 2 * BLOCK).collect();
        assert!(matches!(found[..], [place] if place.abs_diff(22_050) < 150), "{found:?}");
    }

    #[test]
    fn short_silent_and_broken_signals_have_none() {
        for samples in [vec![], vec![1.0], vec![0.0; 5000], vec![f32::NAN; 5000]] {
            assert_eq!(onsets(&samples), [0; 0]);
        }
    }
}
