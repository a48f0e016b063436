//! What a model says of a recording: encoded sound in, a document out.

use std::path::PathBuf;

use cantus_audio::Audio;
use cantus_audio::decode::{AudioSource, DecodeWarning, Decoder};
use serde::Serialize;

use super::overview::Overview;
use super::problem::{Kind, Problem};
use super::sound::Sound;
use cantus::{Prediction, Predictor, Probabilities, SegmentPrediction};

/// The answer to `POST /v1/predict`.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    /// Name of the model.
    model: String,
    /// What the sender calls the recording.
    file: Option<String>,
    /// Length of the recording, in seconds.
    pub(super) duration_s: f64,
    source: AudioSource,
    label: String,
    probability: f32,
    probabilities: Probabilities,
    /// The tags that are given; none of a model that tells classes apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<String>>,
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
    /// Hears the recording, no further than it may be long, and looks up now and then whether somebody still waits.
    pub(super) fn answer(
        &self,
        sound: Sound,
        model: &str,
        predictor: &mut Predictor<'_>,
    ) -> Result<Answer, Unanswered> {
        let Sound { name: file, bytes } = sound;
        let name = PathBuf::from(file.as_deref().unwrap_or("recording"));
        let decoder = Decoder::from_bytes(&name, bytes)?;
        let (source, sample_rate) = (decoder.source().clone(), predictor.spec().sample_rate);
        let most = (self.audio_s * f64::from(sample_rate)) as usize;
        let (mut n_samples, mut samples) = (0, Vec::new());
        let prediction = predictor.predict_beside(&name, decoder, |block| {
            n_samples += block.len();
            if self.overview {
                samples.extend_from_slice(block);
            }
            if n_samples > most { Err(self.too_long()) } else { self.stop_if_abandoned() }
        })?;
        let overview = self.overview.then(|| Overview::of(&Audio { samples, sample_rate })).transpose()?;
        let segment_s = predictor.spec().segment_samples() as f64 / f64::from(sample_rate);
        let Prediction { label, probability, probabilities, tags, duration_s, segments, warnings } =
            prediction;
        let named = |values: Vec<f32>| {
            let labels = probabilities.0.iter().map(|(label, _)| label.clone());
            Probabilities(labels.zip(values).collect())
        };
        let segment =
            |s: SegmentPrediction| Segment { start_s: s.start_s, probabilities: named(s.probabilities) };
        let segments = segments.into_iter().map(segment).collect();
        let (model, faults) = (model.to_owned(), timed(warnings, source.sample_rate));
        Ok(Answer {
            model,
            file,
            duration_s,
            source,
            label,
            probability,
            probabilities,
            tags,
            segment_s,
            segments,
            faults,
            overview,
        })
    }

    fn too_long(&self) -> Unanswered {
        Problem::new(Kind::SoundTooLong, format!("up to {} s are heard, and it is longer", self.audio_s))
            .into()
    }

    fn stop_if_abandoned(&self) -> Result<(), Unanswered> {
        if (self.is_abandoned)() { Err(Unanswered::Abandoned) } else { Ok(()) }
    }
}

fn timed(faults: Vec<DecodeWarning>, sample_rate: u32) -> Vec<FaultAt> {
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
