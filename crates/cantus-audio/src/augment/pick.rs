//! The copies of one recording after the other: what is done to each, and how strongly, is picked by chance.

use std::path::Path;
use std::sync::Arc;

use cantus_random::{KeyedRng, text_key};

use super::filter::Biquad;
use super::noise::{self, NoiseSource};
use super::reverb::{self, Convolver};
use super::time_stretch::Stretcher;
use super::{AudioAugmentation, CopySpec, gain, pitch_shift, polarity, random_crop, recordings};
use crate::{Audio, Error};

/// Makes altered copies of recordings; planned by [`CopySpec::plan`]. One serves one thread: clone it for others.
#[derive(Debug, Clone)]
pub struct Augmenter {
    seed: u64,
    sample_rate: u32,
    steps: Vec<Step>,
    stretcher: Stretcher,
}

/// An augmentation, with what it needs.
#[derive(Debug, Clone)]
struct Step {
    augmentation: AudioAugmentation,
    material: Material,
}

#[derive(Debug, Clone)]
enum Material {
    None,
    Noise(Arc<NoiseSource>),
    Rooms(Vec<Convolver>),
}

impl Augmenter {
    pub(super) fn new(spec: &CopySpec, sample_rate: u32) -> Result<Self, Error> {
        let step = |augmentation: &AudioAugmentation| -> Result<Step, Error> {
            let material = Material::of(augmentation, sample_rate)?;
            Ok(Step { augmentation: augmentation.clone(), material })
        };
        let steps = spec.audio.iter().map(step).collect::<Result<_, _>>()?;
        Ok(Self { seed: spec.seed, sample_rate, steps, stretcher: Stretcher::new(sample_rate) })
    }

    /// An altered copy of a recording. `name` and `number` (from 1) decide what is drawn for it; the recording is at the
    /// rate that was planned for.
    pub fn copy(&mut self, recording: &Audio, name: &str, number: usize) -> Audio {
        let mut samples = recording.samples.clone();
        for (place, step) in self.steps.iter_mut().enumerate() {
            // Each step draws from a sequence of its own, so that one more draw changes nothing of the others.
            let key = [self.seed, text_key(name), number as u64, place as u64];
            let mut chance = KeyedRng::new(key);
            if chance.bernoulli(step.augmentation.probability()) {
                step.apply(&mut samples, self.sample_rate, &mut self.stretcher, &mut chance);
            }
        }
        Audio { samples, sample_rate: recording.sample_rate }
    }
}

impl Material {
    fn of(augmentation: &AudioAugmentation, sample_rate: u32) -> Result<Self, Error> {
        let below_nyquist = |cutoff: f32| {
            let reason = format!(
                "{}: range up to {cutoff} Hz: must be below half the sample rate, {} Hz",
                augmentation.name(),
                f64::from(sample_rate) / 2.0
            );
            let sound = f64::from(cutoff) < f64::from(sample_rate) / 2.0;
            if sound { Ok(Self::None) } else { Err(Error::InvalidAugmentation { reason }) }
        };
        match augmentation {
            AudioAugmentation::LowPass(filter) => below_nyquist(filter.range[1]),
            AudioAugmentation::HighPass(filter) => below_nyquist(filter.range[1]),
            AudioAugmentation::Noise(noise) => Ok(Self::Noise(Arc::new(match &*noise.source {
                "white" => NoiseSource::White,
                "pink" => NoiseSource::Pink,
                path => NoiseSource::Recordings(recordings::load(Path::new(path), sample_rate)?),
            }))),
            AudioAugmentation::Reverb(reverb) => {
                let responses = recordings::load(Path::new(&reverb.impulse_response), sample_rate)?;
                let rooms: Vec<Vec<f32>> = responses.iter().map(|room| reverb::prepare(room)).collect();
                if rooms.iter().any(Vec::is_empty) {
                    let reason =
                        format!("reverb: {}: an impulse response is silent", reverb.impulse_response);
                    return Err(Error::InvalidAugmentation { reason });
                }
                Ok(Self::Rooms(rooms.iter().map(|room| Convolver::new(room)).collect()))
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
        stretcher: &mut Stretcher,
        chance: &mut KeyedRng,
    ) {
        match (&self.augmentation, &mut self.material) {
            (AudioAugmentation::PitchShift(shift), _) => {
                *samples = pitch_shift::shift(samples, chance.uniform_in(shift.range), stretcher);
            }
            (AudioAugmentation::TimeStretch(stretch), _) => {
                *samples = stretcher.stretch(samples, f64::from(chance.log_uniform(stretch.range)));
            }
            (AudioAugmentation::Noise(noise), Material::Noise(source)) => {
                let snr_db = chance.uniform_in(noise.range);
                noise::add(samples, source, snr_db, chance);
            }
            (AudioAugmentation::Gain(gain), _) => gain::apply(samples, chance.uniform_in(gain.range)),
            (AudioAugmentation::Polarity(_), _) => polarity::invert(samples),
            (AudioAugmentation::RandomCrop(crop), _) => {
                let share = chance.uniform_in(crop.range);
                *samples = random_crop::crop(samples, share, chance);
            }
            (AudioAugmentation::LowPass(filter), _) => {
                Biquad::low_pass(chance.log_uniform(filter.range), sample_rate).apply(samples);
            }
            (AudioAugmentation::HighPass(filter), _) => {
                Biquad::high_pass(chance.log_uniform(filter.range), sample_rate).apply(samples);
            }
            (AudioAugmentation::Reverb(reverb), Material::Rooms(rooms)) => {
                let which = chance.below(rooms.len());
                if let Some(room) = rooms.get_mut(which) {
                    reverb::mix(samples, room, chance.uniform_in(reverb.range));
                }
            }
            // No noise and no room without its material: `Material::of` made it.
            (AudioAugmentation::Noise(_) | AudioAugmentation::Reverb(_), _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::pitch::tone;
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

    /// All augmentations, with a room and a folder of rain.
    fn all() -> (tempfile::TempDir, CopySpec) {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, samples: Vec<f32>| {
            write_wav(dir.path().join(name), &Audio { samples, sample_rate: 22_050 }).unwrap();
        };
        write("room.wav", (0..3000).map(|i| 0.9 * (-f32::from(i as u16) / 500.0).exp()).collect());
        std::fs::create_dir(dir.path().join("rain")).unwrap();
        write("rain/a.wav", tone(2000.0, 22_050, 500));
        let mut spec: CopySpec = toml::from_str(ALL).unwrap();
        spec.resolve_paths(dir.path());
        (dir, spec)
    }

    fn recording(n: usize) -> Audio {
        Audio { samples: tone(440.0, 22_050, n), sample_rate: 22_050 }
    }

    #[test]
    fn a_copy_depends_on_seed_name_and_number_and_on_nothing_else() {
        let (_dir, spec) = all();
        let recording = recording(20_000);
        let mut augmenter = spec.plan(22_050).unwrap();
        let first = augmenter.copy(&recording, "blues/a.mp3", 1);
        let others = [
            augmenter.copy(&recording, "blues/a.mp3", 2),
            augmenter.copy(&recording, "blues/b.mp3", 1),
            CopySpec { seed: 1, ..spec.clone() }.plan(22_050).unwrap().copy(&recording, "blues/a.mp3", 1),
            recording.clone(),
        ];
        assert!(others.iter().all(|other| *other != first));
        assert!(first.samples.iter().all(|sample| sample.is_finite()));
        let more_copies = CopySpec { copies: 9, ..spec };
        assert!(more_copies.plan(22_050).unwrap().copy(&recording, "blues/a.mp3", 1) == first);
        assert!(augmenter.clone().copy(&recording, "blues/a.mp3", 1) == first);
    }

    #[test]
    fn each_is_done_as_often_as_its_probability_says() {
        let spec: CopySpec =
            toml::from_str("copies = 1\naudio = [{ type = \"polarity\", probability = 0.3 }]").unwrap();
        let mut augmenter = spec.plan(22_050).unwrap();
        let recording = recording(10);
        let n = (0..2000).filter(|&n| augmenter.copy(&recording, "x", n) != recording).count();
        assert!((500..700).contains(&n), "{n} of 2000");
    }

    #[test]
    fn no_recording_is_too_short_or_too_broken() {
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
    fn what_makes_no_sense_is_refused_with_the_setting_named() {
        let problem = |audio: &str| {
            let spec: CopySpec = toml::from_str(&format!("copies = 1\naudio = [{audio}]")).unwrap();
            spec.plan(22_050).unwrap_err().to_string()
        };
        let message = problem(r#"{ type = "pitch_shift", range = [2, -2] }"#);
        assert!(
            message.contains("pitch_shift: range = [2, -2]: wanted the lower end first, from -24 to 24"),
            "{message}"
        );
        assert!(problem(r#"{ type = "pitch_shift", range = [nan, 1] }"#).contains("range = [NaN, 1]"));
        assert!(
            problem(r#"{ type = "gain", probability = 1.5, range = [0, 1] }"#).contains("probability = 1.5")
        );
        assert!(
            problem(r#"{ type = "low_pass", range = [100, 12000] }"#)
                .contains("half the sample rate, 11025 Hz")
        );
        assert!(problem(r#"{ type = "noise", source = "no/such", range = [0, 1] }"#).contains("no/such"));
        assert!(problem("").contains("copies = 1, but audio says nothing"));
        let read = |audio: &str| toml::from_str::<CopySpec>(&format!("copies = 1\naudio = [{audio}]"));
        let message = read(r#"{ type = "pich_shift", range = [0, 1] }"#).unwrap_err().to_string();
        assert!(message.contains("pich_shift") && message.contains("time_stretch"), "{message}");
        let message = read(r#"{ type = "gain", rnage = [0, 1] }"#).unwrap_err().to_string();
        assert!(message.contains("rnage"), "{message}");
    }
}
