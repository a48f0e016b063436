//! Time stretch: the same music slower or faster, at the same pitch.
//!
//! A phase vocoder cuts the recording into overlapping frames and lays them down again closer together or further apart.
//! Where frames come to overlap others than they did, their phases must be turned so that every partial goes on where it
//! was. How far a partial turns in the time of one hop is read off a second frame of the recording, one hop before
//! the first: nothing has to be unwrapped or estimated, and no angle is ever computed, only a quotient of two spectra.
//!
//! Two things keep that from sounding like a cave:
//!
//! - **Identity phase locking**: only the peaks of a spectrum are turned so; the bins around a peak, which belong to the
//!   same partial, are turned with it, and keep their phases relative to it.
//! - **Transients are left alone**: around an onset time runs at its own speed (`time_map`), and what an onset brings
//!   begins with its own phases, while partials that were there before go on.
//!
//! # Conventions
//! `rate` is librosa's: 2 is twice as fast and half as long; `n` samples become `round(n / rate)`.
//!
//! # Speed
//! On one core of a Zen 5: 1600 to 2400 times real time, 3.8 to 4.2 times as fast as librosa 0.11, by
//! `tests/reference/stretch_speed.py`, which runs both.
//!
//! # Reference
//! Laroche & Dolson, "Improved phase vocoder time-scale modification of audio", 1999 (identity phase locking; two
//! transforms per frame); Röbel, "A new approach to transient processing in the phase vocoder", 2003 (phases begin anew
//! in those peaks that belong to a transient, and time is not stretched within it).

use serde::{Deserialize, Serialize};

use super::always;
use super::time_map::TimeMap;
use super::transient::onsets;
use crate::transform::fourier::{RealFft, n_bins};
use crate::transform::{Complex32, Window};

/// Changes the tempo by a factor drawn from `range`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeStretch {
    /// How often, in [0, 1].
    #[serde(default = "always")]
    pub probability: f32,
    /// Rate, from 0.25 to 4: more than 1 is faster and shorter.
    pub range: [f32; 2],
}

/// Hops of a frame: with Hann windows before and behind, four of them add up to a constant.
const OVERLAP: usize = 4;
/// The sum of squared Hann windows at that overlap.
const WINDOW_SUM: f32 = 1.5;
/// How many times a peak's power has to grow within a hop to belong to a transient.
const RISE: f32 = 2.0;

/// A phase vocoder, planned: nothing is allocated per frame.
#[derive(Debug, Clone)]
pub struct Stretcher {
    fft: RealFft,
    hop: usize,
    /// `[n_fft]`
    window: Vec<f32>,
    /// `[n_fft]`
    frame: Vec<f32>,
    /// Of the recording, at the moment that is laid down; `[n_bins]`, as all below.
    now: Vec<Complex32>,
    /// One hop earlier.
    before: Vec<Complex32>,
    /// Of the stretched signal, one hop earlier.
    laid: Vec<Complex32>,
    /// For the inverse transform, which destroys it.
    spectrum: Vec<Complex32>,
    /// Power of `now`.
    power: Vec<f32>,
    /// Bins of the peaks.
    peaks: Vec<usize>,
}

/// Number of samples that `n_samples` samples become: `round(n_samples / rate)`.
pub fn n_stretched(n_samples: usize, rate: f64) -> usize {
    (n_samples as f64 / rate).round() as usize
}

impl Stretcher {
    /// Plans for signals of this rate: frames of the power of two that is next to 93 ms (librosa's 2048 samples at
    /// 22 050 Hz), at least 64 samples.
    pub fn new(sample_rate: u32) -> Self {
        let n_fft = 1_usize << (f64::from(sample_rate) * 2048.0 / 22_050.0).max(64.0).log2().round() as u32;
        let zeros = vec![Complex32::default(); n_bins(n_fft)];
        Self {
            fft: RealFft::new(n_fft),
            hop: n_fft / OVERLAP,
            window: Window::Hann.weights(n_fft).into_iter().map(|weight| weight as f32).collect(),
            frame: vec![0.0; n_fft],
            now: zeros.clone(),
            before: zeros.clone(),
            laid: zeros.clone(),
            spectrum: zeros,
            power: vec![0.0; n_bins(n_fft)],
            peaks: Vec::with_capacity(n_bins(n_fft)),
        }
    }

    /// Stretches a signal to `round(n / rate)` samples.
    pub fn stretch(&mut self, samples: &[f32], rate: f64) -> Vec<f32> {
        self.stretch_to(samples, n_stretched(samples.len(), rate))
    }

    /// Stretches a signal to `n_out` samples.
    pub fn stretch_to(&mut self, samples: &[f32], n_out: usize) -> Vec<f32> {
        if samples.is_empty() {
            return vec![0.0; n_out];
        }
        if samples.len() == n_out {
            return samples.to_vec();
        }
        let map = TimeMap::new(&onsets(samples), samples.len(), n_out, self.frame.len() / 2);
        self.follow(samples, n_out, &map)
    }

    fn follow(&mut self, samples: &[f32], n_out: usize, map: &TimeMap) -> Vec<f32> {
        let (n_fft, hop) = (self.frame.len(), self.hop as i64);
        let mut stretched = vec![0.0; n_out];
        let mut last = None;
        // The first frame whose window reaches into the signal, to the last one.
        let mut centre = hop - n_fft as i64 / 2;
        while centre - n_fft as i64 / 2 < n_out as i64 {
            let place = map.recorded(centre as f64).round() as i64;
            if last == Some(place - hop) {
                std::mem::swap(&mut self.now, &mut self.before);
            } else {
                self.transform(samples, place - hop, false);
            }
            self.transform(samples, place, true);
            match last {
                None => self.laid.copy_from_slice(&self.now),
                Some(_) => self.turn(map.is_at_onset(centre as f64)),
            }
            self.lay_down(centre, &mut stretched);
            last = Some(place);
            centre += hop;
        }
        stretched
    }

    /// The spectrum of the frame around a sample, in `now` or in `before`.
    fn transform(&mut self, samples: &[f32], centre: i64, is_now: bool) {
        let start = centre - self.frame.len() as i64 / 2;
        let at = |n: i64| usize::try_from(n).ok().map_or(0, |n| n.min(samples.len()));
        let (first, end) = (at(start), at(start + self.frame.len() as i64));
        self.frame.fill(0.0);
        let offset = (first as i64 - start).clamp(0, self.frame.len() as i64) as usize;
        let windowed = self.frame[offset..].iter_mut().zip(&self.window[offset..]).zip(&samples[first..end]);
        windowed.for_each(|((value, weight), sample)| *value = weight * sample);
        self.fft.forward(&mut self.frame, if is_now { &mut self.now } else { &mut self.before });
    }

    /// Turns the phases of `now` so that every partial goes on from where `laid` has it.
    fn turn(&mut self, is_at_onset: bool) {
        self.find_peaks();
        let n_bins = self.now.len();
        let mut start = 0;
        for (i, &peak) in self.peaks.iter().enumerate() {
            // A peak's region ends half-way to the next peak.
            let end = self.peaks.get(i + 1).map_or(n_bins, |next| (peak + next).div_ceil(2));
            let region = start..end;
            let rotation = if is_at_onset && rises(&self.power[region.clone()], &self.before[region.clone()])
            {
                Complex32::new(1.0, 0.0)
            } else {
                direction(self.laid[peak] * self.before[peak].conj())
            };
            let bins = self.laid[region.clone()].iter_mut().zip(&self.now[region]);
            bins.for_each(|(laid, now)| *laid = now * rotation);
            start = end;
        }
        self.laid[start..].copy_from_slice(&self.now[start..]);
    }

    /// Bins that are stronger than two neighbours on either side.
    fn find_peaks(&mut self) {
        self.power.iter_mut().zip(&self.now).for_each(|(power, bin)| *power = bin.norm_sqr());
        self.peaks.clear();
        let n = self.power.len();
        // Two of silence on either side make peaks of the first and the last bin too.
        let power = |k: usize| if k < 2 || k >= n + 2 { 0.0 } else { self.power[k - 2] };
        for k in 0..n {
            let p = power(k + 2);
            if p > power(k) && p > power(k + 1) && p >= power(k + 3) && p >= power(k + 4) {
                self.peaks.push(k);
            }
        }
    }

    /// Adds the frame `laid` to the stretched signal.
    fn lay_down(&mut self, centre: i64, stretched: &mut [f32]) {
        self.spectrum.copy_from_slice(&self.laid);
        self.fft.inverse(&mut self.spectrum, &mut self.frame);
        let start = centre - self.frame.len() as i64 / 2;
        let offset = (-start).clamp(0, self.frame.len() as i64) as usize;
        let places = stretched[usize::try_from(start).unwrap_or(0)..].iter_mut();
        for ((sum, value), weight) in places.zip(&self.frame[offset..]).zip(&self.window[offset..]) {
            *sum += value * weight / WINDOW_SUM;
        }
    }
}

/// Whether the power of some bins has grown so much within a hop that a transient must have come in.
fn rises(power: &[f32], before: &[Complex32]) -> bool {
    power.iter().sum::<f32>() > RISE * before.iter().map(Complex32::norm_sqr).sum::<f32>()
}

/// A complex number of length 1 in the same direction; 1 where there is none.
fn direction(z: Complex32) -> Complex32 {
    let length = z.norm();
    if length > f32::MIN_POSITIVE { z / length } else { Complex32::new(1.0, 0.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_close::assert_close;
    use crate::augment::pitch::{measured_hz, tone};

    const RATES: [f64; 5] = [0.5, 0.8, 1.1, 1.25, 2.0];

    /// The phase vocoder of Flanagan & Golden 1966 with the same frames: every bin turned on its own, and no thought
    /// for onsets.
    fn plain_vocoder(samples: &[f32], rate: f64) -> Vec<f32> {
        let n_out = n_stretched(samples.len(), rate);
        let mut stretcher = Stretcher::new(22_050);
        let map = TimeMap::new(&[], samples.len(), n_out, 0);
        let (n_fft, hop) = (2048, 512);
        let mut stretched = vec![0.0; n_out];
        for (i, centre) in (hop - n_fft / 2..n_out as i64 + n_fft / 2).step_by(hop as usize).enumerate() {
            let place = map.recorded(centre as f64).round() as i64;
            stretcher.transform(samples, place - hop, false);
            stretcher.transform(samples, place, true);
            let Stretcher { laid, now, before, .. } = &mut stretcher;
            for ((laid, now), before) in laid.iter_mut().zip(now).zip(before) {
                *laid = if i == 0 { *now } else { *now * direction(*laid * before.conj()) };
            }
            stretcher.lay_down(centre, &mut stretched);
        }
        stretched
    }

    #[test]
    fn the_length_is_that_of_the_definition() {
        let samples = tone(440.0, 22_050, 30_001);
        let mut stretcher = Stretcher::new(22_050);
        for (rate, expected) in [(1.25, 24_001), (0.8, 37_501), (2.0, 15_001), (0.5, 60_002), (1.0, 30_001)] {
            assert_eq!(stretcher.stretch(&samples, rate).len(), expected, "{rate}");
        }
    }

    #[test]
    fn the_pitch_stays_and_so_does_the_level() {
        let mut stretcher = Stretcher::new(22_050);
        for hz in [110.0, 440.0, 3000.0] {
            for rate in RATES {
                let stretched = stretcher.stretch(&tone(hz, 22_050, 66_150), rate);
                let middle = &stretched[4096..stretched.len() - 4096];
                let found = measured_hz(middle, 22_050);
                assert!((found / hz - 1.0).abs() < 1e-3, "{hz} Hz at rate {rate}: {found} Hz");
                let level = (middle.iter().map(|x| x * x).sum::<f32>() / middle.len() as f32).sqrt();
                let expected = 0.5 / 2.0_f32.sqrt();
                assert!((level / expected - 1.0).abs() < 0.02, "{hz} Hz at rate {rate}: level {level}");
            }
        }
    }

    #[test]
    fn frames_laid_down_where_they_were_are_the_recording() {
        let mut chance = cantus_random::KeyedRng::new([3, 0, 0, 0]);
        let samples: Vec<f32> = (0..20_000).map(|_| chance.normal() as f32).collect();
        let mut stretcher = Stretcher::new(22_050);
        let map = TimeMap::new(&[], samples.len(), samples.len(), 0);
        assert_close(&stretcher.follow(&samples, samples.len(), &map), &samples, 1e-4);
    }

    /// Of each click: the share of the energy within 68 ms of where it should be that lies within 2 ms of its strongest
    /// sample, and how far that is from where it should be; the worst over all clicks.
    fn sharpness(stretched: &[f32], clicks: &[usize], rate: f64) -> (f32, usize) {
        let around =
            |place: usize, reach: usize| place.saturating_sub(reach)..(place + reach).min(stretched.len());
        let energy = |place, reach| stretched[around(place, reach)].iter().map(|x| x * x).sum::<f32>();
        clicks.iter().fold((1.0, 0), |(share, away), &click| {
            let place = (click as f64 / rate).round() as usize;
            let strongest = around(place, 1500)
                .fold(place, |best, n| if stretched[n].abs() > stretched[best].abs() { n } else { best });
            (share.min(energy(strongest, 44) / energy(place, 1500)), away.max(strongest.abs_diff(place)))
        })
    }

    #[test]
    fn clicks_stay_sharp_where_a_plain_vocoder_smears_them() {
        // Over a whisper of noise, 60 dB down: in perfect silence even a plain vocoder begins every click anew.
        let mut chance = cantus_random::KeyedRng::new([4, 0, 0, 0]);
        let mut samples: Vec<f32> = (0..88_200).map(|_| 0.001 * chance.normal() as f32).collect();
        let clicks: Vec<usize> = (0..8).map(|i| 6000 + 10_111 * i).collect();
        clicks.iter().for_each(|&click| samples[click] = 0.9);
        let mut stretcher = Stretcher::new(22_050);
        for rate in RATES {
            let (ours, plain) = (stretcher.stretch(&samples, rate), plain_vocoder(&samples, rate));
            let (ours, plain) = (sharpness(&ours, &clicks, rate), sharpness(&plain, &clicks, rate));
            println!(
                "rate {rate}: sharpness and samples from its place {ours:.3?}, plain vocoder {plain:.3?}"
            );
            assert!(ours.0 > 0.9 && ours.1 <= 2, "rate {rate}: {ours:?}");
            assert!(plain.0 < 0.6, "rate {rate}: the plain vocoder should smear, and has {plain:?}");
        }
    }

    #[test]
    fn clicks_over_a_chord_stay_sharp_and_the_chord_stays_whole() {
        let n = 66_150;
        let chord: Vec<f32> = [220.0, 277.18, 329.63]
            .map(|hz| tone(hz, 22_050, n))
            .iter()
            .fold(vec![0.0; n], |sum, tone| sum.iter().zip(tone).map(|(a, b)| a + b / 5.0).collect());
        let clicks: Vec<usize> = (0..5).map(|i| 9000 + 10_500 * i).collect();
        let mut samples = chord.clone();
        clicks
            .iter()
            .for_each(|&click| (0..8).for_each(|k| samples[click + k] += 0.8 * (-0.5_f32).powi(k as i32)));
        for rate in [0.8, 1.25] {
            let stretched = Stretcher::new(22_050).stretch(&samples, rate);
            // What is high is the clicks: their second difference leaves little of the chord.
            let high: Vec<f32> = stretched.windows(3).map(|w| w[0] - 2.0 * w[1] + w[2]).collect();
            let found = sharpness(&high, &clicks, rate);
            assert!(found.0 > 0.9 && found.1 <= 3, "rate {rate}: {found:?}");
            let between = (14_000.0 / rate) as usize..(17_500.0 / rate) as usize;
            let level = |samples: &[f32]| samples.iter().map(|x| x * x).sum::<f32>() / samples.len() as f32;
            let ratio = level(&stretched[between]) / level(&chord[14_000..17_500]);
            assert!((ratio - 1.0).abs() < 0.1, "rate {rate}: the chord's power is {ratio} of what it was");
        }
    }

    #[test]
    fn no_signal_is_too_short_or_too_broken() {
        for sample_rate in [100, 22_050, 192_000] {
            let mut stretcher = Stretcher::new(sample_rate);
            for n in [0, 1, 2, 3, 63, 2047, 2048, 2049] {
                for rate in [0.25, 0.99, 1.5, 4.0] {
                    for value in [0.0, 1.0, f32::NAN, f32::INFINITY, f32::MAX] {
                        let stretched = stretcher.stretch(&vec![value; n], rate);
                        assert_eq!(stretched.len(), n_stretched(n, rate));
                    }
                }
            }
            assert_eq!(stretcher.stretch(&[0.0; 5000], 1.3), vec![0.0; 3846]);
        }
    }
}
