//! Applies the augmentations of a specification to recordings, with random parameters.

use std::path::Path;
use std::sync::Arc;

use cantus_random::{KeyedRng, text_key};

use super::filter::Biquad;
use super::noise::{self, NoiseSource};
use super::reverb::{self, Convolver};
use super::time_stretch::PhaseVocoder;
use super::{AudioAugmentation, AugmentSpec, gain, pitch_shift, polarity, random_crop, recording_files};
use crate::{Audio, Error};

/// Makes augmented copies of recordings; planned by [`AugmentSpec::plan`]. Clone it for each thread.
#[derive(Debug, Clone)]
pub struct Augmenter {
    seed: u64,
    sample_rate: u32,
    steps: Vec<Step>,
    vocoder: PhaseVocoder,
}

/// An augmentation with its loaded data.
#[derive(Debug, Clone)]
struct Step {
    augmentation: AudioAugmentation,
    data: StepData,
}

/// Data that an augmentation needs, read when it is planned.
#[derive(Debug, Clone)]
enum StepData {
    None,
    Noise(Arc<NoiseSource>),
    ImpulseResponses(Vec<Convolver>),
}

impl Augmenter {
    pub(super) fn new(spec: &AugmentSpec, sample_rate: u32) -> Result<Self, Error> {
        let step = |augmentation: &AudioAugmentation| -> Result<Step, Error> {
            let data = StepData::load(augmentation, sample_rate)?;
            Ok(Step { augmentation: augmentation.clone(), data })
        };
        let steps = spec.audio.iter().map(step).collect::<Result<_, _>>()?;
        Ok(Self { seed: spec.seed, sample_rate, steps, vocoder: PhaseVocoder::new(sample_rate) })
    }

    /// An augmented copy of a recording, which must have the planned sample rate. `name` and `number`, from 1, key the
    /// random values.
    pub fn copy(&mut self, recording: &Audio, name: &str, number: usize) -> Audio {
        let mut samples = recording.samples.clone();
        for (index, step) in self.steps.iter_mut().enumerate() {
            // Each step has its own random stream, so that steps do not depend on how many values others draw.
            let key = [self.seed, text_key(name), number as u64, index as u64];
            let mut rng = KeyedRng::new(key);
            if rng.bernoulli(step.augmentation.probability()) {
                step.apply(&mut samples, self.sample_rate, &mut self.vocoder, &mut rng);
            }
        }
        Audio { samples, sample_rate: recording.sample_rate }
    }
}

impl StepData {
    fn load(augmentation: &AudioAugmentation, sample_rate: u32) -> Result<Self, Error> {
        let below_nyquist = |cutoff: f32| {
            let nyquist = f64::from(sample_rate) / 2.0;
            if f64::from(cutoff) < nyquist {
                return Ok(Self::None);
            }
            let expected = format!("a cut-off below half the sample rate, {nyquist} Hz");
            Err(augmentation.invalid("range", format!("{cutoff} Hz"), expected))
        };
        match augmentation {
            AudioAugmentation::LowPass(filter) => below_nyquist(filter.range[1]),
            AudioAugmentation::HighPass(filter) => below_nyquist(filter.range[1]),
            AudioAugmentation::Noise(noise) => Ok(Self::Noise(Arc::new(match &*noise.source {
                "white" => NoiseSource::White,
                "pink" => NoiseSource::Pink,
                path => NoiseSource::Recordings(recording_files::load(Path::new(path), sample_rate)?),
            }))),
            AudioAugmentation::Reverb(reverb) => {
                let responses = recording_files::load(Path::new(&reverb.impulse_response), sample_rate)?;
                let responses: Vec<Vec<f32>> =
                    responses.iter().map(|response| reverb::normalize(response)).collect();
                if responses.iter().any(Vec::is_empty) {
                    let expected = "impulse responses that are not silent";
                    return Err(augmentation.invalid("impulse_response", &reverb.impulse_response, expected));
                }
                Ok(Self::ImpulseResponses(
                    responses.iter().map(|response| Convolver::new(response)).collect(),
                ))
            }
            _ => Ok(Self::None),
        }
    }
}

impl Step {
    fn apply(
        &mut self,
        samples: &mut Vec<f32>,
        sample_rate: u32,
        vocoder: &mut PhaseVocoder,
        rng: &mut KeyedRng,
    ) {
        match (&self.augmentation, &mut self.data) {
            (AudioAugmentation::PitchShift(shift), _) => {
                *samples = pitch_shift::shift(samples, rng.uniform_in(shift.range), vocoder);
            }
            (AudioAugmentation::TimeStretch(stretch), _) => {
                *samples = vocoder.stretch(samples, f64::from(rng.log_uniform(stretch.range)));
            }
            (AudioAugmentation::Noise(noise), StepData::Noise(source)) => {
                let snr_db = rng.uniform_in(noise.range);
                noise::add(samples, source, snr_db, rng);
            }
            (AudioAugmentation::Gain(gain), _) => gain::apply(samples, rng.uniform_in(gain.range)),
            (AudioAugmentation::Polarity(_), _) => polarity::invert(samples),
            (AudioAugmentation::RandomCrop(crop), _) => {
                let share = rng.uniform_in(crop.range);
                *samples = random_crop::crop(samples, share, rng);
            }
            (AudioAugmentation::LowPass(filter), _) => {
                Biquad::low_pass(rng.log_uniform(filter.range), sample_rate).apply(samples);
            }
            (AudioAugmentation::HighPass(filter), _) => {
                Biquad::high_pass(rng.log_uniform(filter.range), sample_rate).apply(samples);
            }
            (AudioAugmentation::Reverb(reverb), StepData::ImpulseResponses(responses)) => {
                let index = rng.below(responses.len());
                if let Some(response) = responses.get_mut(index) {
                    reverb::mix(samples, response, rng.uniform_in(reverb.range));
                }
            }
            // Excluded by `StepData::load`.
            (AudioAugmentation::Noise(_) | AudioAugmentation::Reverb(_), _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::test_tone::tone;
    use crate::write_wav;

    const ALL: &str = r#"
        copies = 3
        audio = [
            { type = "random_crop", range = [0.5, 1] },
            { type = "pitch_shift", probability = 0.5, range = [-2, 2.5] },
            { type = "time_stretch", probability = 0.5, range = [0.8, 1.25] },
            { type = "reverb", probability = 0.5, impulse_response = "room.wav", range = [0.1, 0.6] },
            { type = "noise", source = "white", range = [10, 30] },
            { type = "noise", source = "pink", range = [10, 30] },
            { type = "noise", source = "rain", range = [0, 3] },
            { type = "low_pass", range = [2000, 8000] },
            { type = "high_pass", range = [50, 300] },
            { type = "gain", range = [-6, 6] },
            { type = "polarity", probability = 0.5 },
        ]"#;

    /// All augmentations, with an impulse response and a folder of noise recordings.
    fn all() -> (tempfile::TempDir, AugmentSpec) {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, samples: Vec<f32>| {
            write_wav(dir.path().join(name), &Audio { samples, sample_rate: 22_050 }).unwrap();
        };
        write("room.wav", (0..3000).map(|i| 0.9 * (-f32::from(i as u16) / 500.0).exp()).collect());
        std::fs::create_dir(dir.path().join("rain")).unwrap();
        write("rain/a.wav", tone(2000.0, 22_050, 500));
        let mut spec: AugmentSpec = toml::from_str(ALL).unwrap();
        spec.resolve_paths(dir.path());
        (dir, spec)
    }

    fn recording(n: usize) -> Audio {
        Audio { samples: tone(440.0, 22_050, n), sample_rate: 22_050 }
    }

    #[test]
    fn a_copy_depends_only_on_seed_name_and_number() {
        let (_dir, spec) = all();
        let recording = recording(20_000);
        let mut augmenter = spec.plan(22_050).unwrap();
        let first = augmenter.copy(&recording, "blues/a.mp3", 1);
        let others = [
            augmenter.copy(&recording, "blues/a.mp3", 2),
            augmenter.copy(&recording, "blues/b.mp3", 1),
            AugmentSpec { seed: 1, ..spec.clone() }.plan(22_050).unwrap().copy(&recording, "blues/a.mp3", 1),
            recording.clone(),
        ];
        assert!(others.iter().all(|other| *other != first));
        assert!(first.samples.iter().all(|sample| sample.is_finite()));
        let more_copies = AugmentSpec { copies: 9, ..spec };
        assert!(more_copies.plan(22_050).unwrap().copy(&recording, "blues/a.mp3", 1) == first);
        assert!(augmenter.clone().copy(&recording, "blues/a.mp3", 1) == first);
    }

    #[test]
    fn augmentations_are_applied_with_their_probability() {
        let spec: AugmentSpec =
            toml::from_str("copies = 1\naudio = [{ type = \"polarity\", probability = 0.3 }]").unwrap();
        let mut augmenter = spec.plan(22_050).unwrap();
        let recording = recording(10);
        let n = (0..2000).filter(|&n| augmenter.copy(&recording, "x", n) != recording).count();
        assert!((500..700).contains(&n), "{n} of 2000");
    }

    #[test]
    fn short_and_non_finite_recordings_do_not_panic() {
        let (_dir, mut spec) = all();
        for certain in [false, true] {
            if certain {
                spec = toml::from_str(
                    &toml::to_string(&spec).unwrap().replace("probability = 0.5", "probability = 1.0"),
                )
                .unwrap();
            }
            let mut augmenter = spec.plan(22_050).unwrap();
            for n in [0, 1, 2, 3, 100, 5000] {
                for value in [0.0, 0.5, f32::NAN, f32::INFINITY, f32::MAX] {
                    let recording = Audio { samples: vec![value; n], sample_rate: 22_050 };
                    for number in 1..4 {
                        let copy = augmenter.copy(&recording, "x", number);
                        assert!(copy.samples.is_empty() == (n == 0));
                        assert!(value != 0.0 || copy.is_silent());
                    }
                }
            }
        }
    }

    #[test]
    fn invalid_parameters_are_rejected_by_name() {
        let message_of = |audio: &str| {
            let spec: AugmentSpec = toml::from_str(&format!("copies = 1\naudio = [{audio}]")).unwrap();
            spec.plan(22_050).unwrap_err().to_string()
        };
        let message = message_of(r#"{ type = "pitch_shift", range = [2, -2] }"#);
        assert!(
            message.contains("pitch_shift.range = [2, -2]: expected [low, high] from -24 to 24 semitones"),
            "{message}"
        );
        assert!(message_of(r#"{ type = "pitch_shift", range = [nan, 1] }"#).contains("range = [NaN, 1]"));
        assert!(
            message_of(r#"{ type = "gain", probability = 1.5, range = [0, 1] }"#)
                .contains("probability = 1.5")
        );
        assert!(
            message_of(r#"{ type = "low_pass", range = [100, 12000] }"#)
                .contains("half the sample rate, 11025 Hz")
        );
        assert!(message_of(r#"{ type = "noise", source = "no/such", range = [0, 1] }"#).contains("no/such"));
        assert!(message_of("").contains("copies = 1: expected 0"));
        let read = |audio: &str| toml::from_str::<AugmentSpec>(&format!("copies = 1\naudio = [{audio}]"));
        let message = read(r#"{ type = "pich_shift", range = [0, 1] }"#).unwrap_err().to_string();
        assert!(message.contains("pich_shift") && message.contains("time_stretch"), "{message}");
        let message = read(r#"{ type = "gain", rnage = [0, 1] }"#).unwrap_err().to_string();
        assert!(message.contains("rnage"), "{message}");
    }
}
