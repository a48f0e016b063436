//! What a model says of a recording: encoded sound in, a document out.

use std::path::{Path, PathBuf};

use cantus_audio::decode::{Decoder, Fault, Recording, Source};
use cantus_audio::{Audio, resample};
use serde::Serialize;

use super::overview::Overview;
use super::problem::{Kind, Problem};
use super::sound::Sound;
use crate::{Prediction, Predictor, Probabilities};

/// The answer to `POST /v1/predict`.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    /// Name of the model.
    model: String,
    /// What the sender calls the recording.
    file: Option<String>,
    /// Length of the recording, in seconds.
    pub(super) duration_s: f64,
    source: Source,
    label: String,
    probability: f32,
    probabilities: Probabilities,
    /// Length of a segment, in seconds.
    segment_s: f64,
    segments: Vec<Segment>,
    /// Damage that was passed over.
    faults: Vec<FaultAt>,
    #[serde(skip_serializing_if = "Option::is_none")]
    overview: Option<Overview>,
}

#[derive(Debug, Serialize)]
struct Segment {
    start_s: f64,
    probabilities: Probabilities,
}

#[derive(Debug, Serialize)]
struct FaultAt {
    start_s: f64,
    reason: String,
}

/// What somebody wants to know of a recording.
pub(super) struct Question<'a> {
    /// Whether its waveform and its spectrogram are wanted too.
    pub(super) overview: bool,
    /// Longest recording, in seconds.
    pub(super) audio_s: f64,
    /// Whether nobody waits for the answer any longer.
    pub(super) is_abandoned: &'a dyn Fn() -> bool,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// Nobody waits for it.
    Abandoned,
    /// The recording or the model is not as it should be.
    Because(Problem),
}

impl<E: Into<Problem>> From<E> for Unanswered {
    fn from(error: E) -> Self {
        Self::Because(error.into())
    }
}

impl Question<'_> {
    /// Hears the recording, and looks up now and then whether somebody still waits.
    pub(super) fn answer(
        &self,
        sound: Sound,
        model: &str,
        predictor: &mut Predictor<'_>,
    ) -> Result<Answer, Unanswered> {
        let Sound { name: file, bytes } = sound;
        let name = PathBuf::from(file.as_deref().unwrap_or("recording"));
        let Recording { audio: own, source, faults } = self.decode(&name, bytes)?;
        let (duration_s, faults) = (own.duration_s(), timed(faults, own.sample_rate));
        let audio = resampled(own, predictor.spec().sample_rate);
        self.stop_if_abandoned()?;
        let Prediction { label, probability, probabilities, segments, .. } =
            predictor.predict_audio(&name, &audio)?;
        let named = |values: Vec<f32>| {
            let labels = probabilities.0.iter().map(|(label, _)| label.clone());
            Probabilities(labels.zip(values).collect())
        };
        let segments = segments.into_iter();
        let segments =
            segments.map(|s| Segment { start_s: s.start_s, probabilities: named(s.probabilities) });
        Ok(Answer {
            model: model.to_owned(),
            duration_s,
            source,
            label,
            probability,
            segment_s: predictor.spec().segment_samples() as f64 / f64::from(audio.sample_rate),
            segments: segments.collect(),
            probabilities,
            faults,
            overview: self.overview.then(|| Overview::of(&audio)).transpose()?,
            file,
        })
    }

    /// Decodes block by block, no further than a recording may be long.
    fn decode(&self, name: &Path, bytes: Vec<u8>) -> Result<Recording, Unanswered> {
        let mut decoder = Decoder::from_bytes(name, bytes)?;
        let source = decoder.source().clone();
        let most = (self.audio_s * f64::from(source.sample_rate)) as usize;
        let mut samples = Vec::new();
        while let Some(block) = decoder.next_block()? {
            samples.extend_from_slice(block);
            if samples.len() > most {
                let detail = format!("up to {} s are heard, and it is longer", self.audio_s);
                return Err(Problem::new(Kind::SoundTooLong, detail).into());
            }
            self.stop_if_abandoned()?;
        }
        let audio = Audio { samples, sample_rate: source.sample_rate };
        Ok(Recording { audio, source, faults: decoder.into_faults() })
    }

    fn stop_if_abandoned(&self) -> Result<(), Unanswered> {
        if (self.is_abandoned)() { Err(Unanswered::Abandoned) } else { Ok(()) }
    }
}

fn resampled(own: Audio, sample_rate: u32) -> Audio {
    if own.sample_rate == sample_rate {
        return own;
    }
    Audio { samples: resample::resample(&own.samples, own.sample_rate, sample_rate), sample_rate }
}

fn timed(faults: Vec<Fault>, sample_rate: u32) -> Vec<FaultAt> {
    let at = |position: u64| position as f64 / f64::from(sample_rate);
    faults.into_iter().map(|f| FaultAt { start_s: at(f.position), reason: f.reason }).collect()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::super::testing::{model, tone};
    use super::*;

    #[test]
    fn what_nobody_waits_for_any_longer_is_not_heard_to_its_end() {
        let model = model();
        let mut predictor = model.predictor().unwrap();
        let n_asked = Cell::new(0);
        let is_abandoned = || {
            n_asked.set(n_asked.get() + 1);
            n_asked.get() == 3
        };
        let question = Question { overview: false, audio_s: 600.0, is_abandoned: &is_abandoned };
        let sound = Sound { name: None, bytes: tone(30.0) };
        let answer = question.answer(sound, "tiny", &mut predictor);
        assert!(matches!(answer, Err(Unanswered::Abandoned)), "{answer:?}");
        assert_eq!(n_asked.get(), 3);
    }
}
