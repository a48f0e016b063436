//! Decodes an uploaded recording, runs the model on it, and builds the JSON document of `POST /v1/predict`.

use std::path::PathBuf;

use cantus::{Prediction, Predictor, Probabilities, SegmentPrediction};
use cantus_audio::Audio;
use cantus_audio::decode::{AudioSource, DecodeWarning, Decoder};
use serde::Serialize;

use crate::problem_details::{Problem, ProblemType};
use crate::spectrogram::Spectrogram;
use crate::upload::Upload;
use crate::waveform::Waveform;

/// Response of `POST /v1/predict`.
#[derive(Debug, Serialize)]
pub(crate) struct PredictionResponse {
    /// Name of the model.
    model: String,
    /// File name that the client sent.
    file: Option<String>,
    /// Duration of the recording, in seconds.
    pub(crate) duration_s: f64,
    source: AudioSource,
    label: String,
    probability: f32,
    probabilities: Probabilities,
    /// Tags above the threshold; absent if the model is a single-label classifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<String>>,
    /// Duration of a segment, in seconds.
    segment_s: f64,
    segments: Vec<Segment>,
    /// Damage that the decoder skipped.
    faults: Vec<DecodeFault>,
    #[serde(skip_serializing_if = "Option::is_none")]
    overview: Option<Overview>,
}

#[derive(Debug, Serialize)]
struct Segment {
    start_s: f64,
    probabilities: Probabilities,
}

#[derive(Debug, Serialize)]
struct DecodeFault {
    start_s: f64,
    reason: String,
}

/// Data for the pictures of the web page.
#[derive(Debug, Serialize)]
struct Overview {
    waveform: Waveform,
    spectrogram: Spectrogram,
}

/// Options of one prediction.
pub(crate) struct PredictionRequest<'a> {
    /// Whether the response includes waveform and spectrogram.
    pub(crate) with_overview: bool,
    /// Longest recording, in seconds.
    pub(crate) max_audio_s: f64,
    /// Whether the client has disconnected; polled after each decoded block.
    pub(crate) is_cancelled: &'a dyn Fn() -> bool,
}

/// Why there is no prediction.
#[derive(Debug)]
pub(crate) enum PredictionError {
    /// The client has disconnected.
    Cancelled,
    /// The recording cannot be decoded or classified, or the model fails.
    Failed(Problem),
}

impl<E: Into<Problem>> From<E> for PredictionError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl PredictionRequest<'_> {
    /// Decodes and classifies a recording; stops as soon as it is too long or the request is cancelled.
    pub(crate) fn run(
        &self,
        upload: Upload,
        model: &str,
        predictor: &mut Predictor<'_>,
    ) -> Result<PredictionResponse, PredictionError> {
        let Upload { file_name: file, bytes } = upload;
        let path = PathBuf::from(file.as_deref().unwrap_or("recording"));
        let decoder = Decoder::from_bytes(&path, bytes)?;
        let (source, sample_rate) = (decoder.source().clone(), predictor.spec().sample_rate);
        let max_samples = (self.max_audio_s * f64::from(sample_rate)) as usize;
        let (mut n_samples, mut samples) = (0, Vec::new());
        let prediction = predictor.predict_beside(&path, decoder, |block| {
            n_samples += block.len();
            if self.with_overview {
                samples.extend_from_slice(block);
            }
            if n_samples > max_samples { Err(self.too_long()) } else { self.check_cancelled() }
        })?;
        let overview = self.with_overview.then(|| overview(samples, sample_rate)).transpose()?;
        let segment_s = predictor.spec().segment_samples() as f64 / f64::from(sample_rate);
        let Prediction { label, probability, probabilities, tags, duration_s, segments, warnings } =
            prediction;
        let with_labels = |values: Vec<f32>| {
            let labels = probabilities.0.iter().map(|(label, _)| label.clone());
            Probabilities(labels.zip(values).collect())
        };
        let segment = |s: SegmentPrediction| Segment {
            start_s: s.start_s,
            probabilities: with_labels(s.probabilities),
        };
        let segments = segments.into_iter().map(segment).collect();
        let (model, faults) = (model.to_owned(), in_seconds(warnings, source.sample_rate));
        Ok(PredictionResponse {
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

    fn too_long(&self) -> PredictionError {
        Problem::new(
            ProblemType::AudioTooLong,
            format!("the limit is {} s, and the recording is longer", self.max_audio_s),
        )
        .into()
    }

    fn check_cancelled(&self) -> Result<(), PredictionError> {
        if (self.is_cancelled)() { Err(PredictionError::Cancelled) } else { Ok(()) }
    }
}

fn overview(samples: Vec<f32>, sample_rate: u32) -> Result<Overview, cantus::Error> {
    let audio = Audio { samples, sample_rate };
    Ok(Overview { waveform: Waveform::of(&audio.samples), spectrogram: Spectrogram::of(&audio)? })
}

fn in_seconds(warnings: Vec<DecodeWarning>, sample_rate: u32) -> Vec<DecodeFault> {
    let at = |position: u64| position as f64 / f64::from(sample_rate);
    warnings.into_iter().map(|f| DecodeFault { start_s: at(f.position), reason: f.reason }).collect()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::testing::{model, tone};

    #[test]
    fn a_cancelled_prediction_stops_decoding() {
        let model = model();
        let mut predictor = model.predictor().unwrap();
        let n_polls = Cell::new(0);
        let is_cancelled = || {
            n_polls.set(n_polls.get() + 1);
            n_polls.get() == 3
        };
        let request =
            PredictionRequest { with_overview: false, max_audio_s: 600.0, is_cancelled: &is_cancelled };
        let upload = Upload { file_name: None, bytes: tone(30.0) };
        let response = request.run(upload, "tiny", &mut predictor);
        assert!(matches!(response, Err(PredictionError::Cancelled)), "{response:?}");
        assert_eq!(n_polls.get(), 3);
    }
}
