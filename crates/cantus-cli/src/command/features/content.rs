//! The features of one recording, computed for a file.

use cantus_audio::feature::{FeatureExtractor, FeatureSpec, Features, TrackFeature, TrackFeatureKind};

use super::kind::Kinds;

/// Features, and the specification that they were computed by.
pub struct Content<'a> {
    pub spec: &'a FeatureSpec,
    /// All frame-level kinds, concatenated; `None` if none was requested.
    pub framed: Option<Features>,
    /// The track-level kinds.
    pub whole: Vec<(TrackFeatureKind, TrackFeature)>,
    /// The samples, for the picture of the waveform.
    pub samples: &'a [f32],
}

impl<'a> Content<'a> {
    /// Computes the requested kinds.
    ///
    /// # Errors
    /// If the recording is shorter than a frame, or the settings of a track-level kind are out of range.
    pub fn of(
        samples: &'a [f32],
        extractor: &'a mut FeatureExtractor,
        kinds: &Kinds,
    ) -> Result<Self, cantus_audio::Error> {
        if !kinds.framed.is_empty() {
            extractor.spec().validate_length(samples.len())?;
        }
        let framed = (!kinds.framed.is_empty()).then(|| extractor.extract(samples));
        let spec = extractor.spec();
        let whole = kinds.whole.iter().map(|&kind| Ok((kind, kind.compute(samples, spec)?)));
        Ok(Self { spec, framed, whole: whole.collect::<Result<_, cantus_audio::Error>>()?, samples })
    }

    /// Time of each frame, in seconds: `librosa.times_like`.
    pub fn times_s(&self) -> Vec<f64> {
        let n_frames = self.framed.as_ref().map_or(0, |features| features.n_frames);
        let frame_s = self.spec.hop_length as f64 / f64::from(self.spec.sample_rate);
        (0..n_frames).map(|t| t as f64 * frame_s).collect()
    }
}
