//! Synthesised sounds that belong to no class: silence, noise, babble and hum.
//!
//! A classifier answers any sound with one of its labels; these sounds measure how confidently. They depend only on the key of
//! the random number generator.

mod babble;
mod coloured;
mod hum;

use cantus_random::KeyedRng;

pub(crate) use coloured::{pink, white};

/// A kind of sound that belongs to no class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoiseKind {
    /// Every sample is 0.
    Silence,
    /// Equal power at all frequencies.
    White,
    /// Power that falls by 3 dB per octave.
    Pink,
    /// Power that falls by 6 dB per octave.
    Brown,
    /// Several synthesised voices at once.
    Babble,
    /// 50 Hz and harmonics.
    Hum,
}

impl NoiseKind {
    /// All kinds, silence first.
    pub const ALL: [Self; 6] = [Self::Silence, Self::White, Self::Pink, Self::Brown, Self::Babble, Self::Hum];

    /// Name in reports, such as `white`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Silence => "silence",
            Self::White => "white",
            Self::Pink => "pink",
            Self::Brown => "brown",
            Self::Babble => "babble",
            Self::Hum => "hum",
        }
    }

    /// A sound of this kind whose largest absolute value is `peak_db` decibels relative to full scale.
    ///
    /// # Shapes
    /// - returns: `[n_samples]`, at `sample_rate` Hz
    #[must_use]
    pub fn synthesize(
        self,
        n_samples: usize,
        sample_rate: u32,
        peak_db: f32,
        rng: &mut KeyedRng,
    ) -> Vec<f32> {
        let mut samples = match self {
            Self::Silence => vec![0.0; n_samples],
            Self::White => white(n_samples, rng),
            Self::Pink => pink(n_samples, rng),
            Self::Brown => coloured::brown(n_samples, sample_rate, rng),
            Self::Babble => babble::babble(n_samples, sample_rate, rng),
            Self::Hum => hum::hum(n_samples, sample_rate, rng),
        };
        let peak = samples.iter().fold(0.0, |peak: f32, sample| peak.max(sample.abs()));
        if peak > 0.0 {
            let gain = 10.0_f32.powf(peak_db / 20.0) / peak;
            samples.iter_mut().for_each(|sample| *sample *= gain);
        }
        samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::fourier::RealFft;

    const SAMPLE_RATE: u32 = 22_050;
    const N_FFT: usize = 4410;

    fn sound(kind: NoiseKind, n_samples: usize, sample_rate: u32, number: u64) -> Vec<f32> {
        kind.synthesize(n_samples, sample_rate, -6.0, &mut KeyedRng::new([9, number]))
    }

    /// Mean power of each bin of 5 Hz.
    fn spectrum(samples: &[f32]) -> Vec<f64> {
        let mut fft = RealFft::new(N_FFT);
        let mut bins = vec![Default::default(); N_FFT / 2 + 1];
        let mut power = vec![0.0; bins.len()];
        // Hann's window, so that the slope is not hidden by leakage from low frequencies.
        let hann = |i: usize| 0.5 - 0.5 * (std::f32::consts::TAU * i as f32 / N_FFT as f32).cos();
        for frame in samples.chunks_exact(N_FFT) {
            let mut frame: Vec<f32> = frame.iter().enumerate().map(|(i, x)| x * hann(i)).collect();
            fft.forward(&mut frame, &mut bins);
            power.iter_mut().zip(&bins).for_each(|(sum, bin)| *sum += f64::from(bin.norm_sqr()));
        }
        power
    }

    /// Density of the octave from `hz`, in dB.
    fn octave_db(power: &[f64], hz: usize) -> f64 {
        let bins = &power[hz / 5..2 * hz / 5];
        10.0 * (bins.iter().sum::<f64>() / bins.len() as f64).log10()
    }

    #[test]
    fn the_power_density_of_coloured_noise_falls_by_0_3_and_6_db_per_octave() {
        for (kind, slope) in [(NoiseKind::White, 0.0), (NoiseKind::Pink, -3.01), (NoiseKind::Brown, -6.02)] {
            let power = spectrum(&sound(kind, 200 * N_FFT, SAMPLE_RATE, 0));
            for hz in [80, 160, 320, 640, 1280] {
                let step = octave_db(&power, 2 * hz) - octave_db(&power, hz);
                assert!((step - slope).abs() < 0.6, "{kind:?} at {hz} Hz: {step} dB");
            }
        }
    }

    #[test]
    fn a_hum_has_lines_at_multiples_of_50_hz_and_nothing_between() {
        for number in 0..5 {
            let power = spectrum(&sound(NoiseKind::Hum, N_FFT, SAMPLE_RATE, number));
            assert!(power[10] > 0.0 && power[20] > 0.0);
            let between = (0..power.len()).filter(|bin| bin % 10 > 1 && bin % 10 < 9);
            let largest = between.map(|bin| power[bin]).fold(0.0, f64::max);
            assert!(largest < 1e-8 * power[10].max(power[20]), "{largest} beside {}", power[10]);
        }
    }

    #[test]
    fn babble_has_the_long_term_spectrum_of_speech() {
        let power = spectrum(&sound(NoiseKind::Babble, 100 * N_FFT, SAMPLE_RATE, 0));
        let level = |hz| octave_db(&power, hz);
        // Byrne et al. 1994: the level is highest at about 500 Hz and falls by some 6 to 10 dB per octave above.
        assert!(level(320) - level(1280) > 6.0, "{} and {} dB", level(320), level(1280));
        assert!(level(320) - level(5120) > 15.0, "{} and {} dB", level(320), level(5120));
        assert!(level(320) > level(40) + 10.0, "{} and {} dB", level(320), level(40));
    }

    #[test]
    fn sounds_depend_on_the_key_only_and_differ_between_keys() {
        for kind in NoiseKind::ALL {
            assert_eq!(sound(kind, 3000, 8000, 1), sound(kind, 3000, 8000, 1));
            assert_eq!(sound(kind, 3000, 8000, 1) == sound(kind, 3000, 8000, 2), kind == NoiseKind::Silence);
        }
    }

    #[test]
    fn the_peak_is_as_specified_at_any_rate_and_length() {
        for kind in NoiseKind::ALL {
            for (n_samples, sample_rate) in [(0, 22_050), (1, 8000), (800, 8000), (9000, 44_100), (50, 1)] {
                let samples = sound(kind, n_samples, sample_rate, 3);
                assert_eq!(samples.len(), n_samples);
                let peak = samples.iter().fold(0.0, |peak: f32, sample| peak.max(sample.abs()));
                assert!(samples.iter().all(|sample| sample.is_finite()));
                let is_sound = samples.iter().any(|sample| *sample != 0.0);
                assert!(!is_sound || (peak - 0.501_187).abs() < 1e-4, "{kind:?}: {peak}");
                assert!(is_sound || kind == NoiseKind::Silence || n_samples < 800, "{kind:?} is silent");
            }
        }
    }
}
