//! The features of one recording, on their way into a file.

use cantus_audio::feature::{FeatureExtractor, FeatureSpec, Features, TrackFeature, TrackFeatureKind};

use super::kind::Kinds;

/// What was computed, and what it was computed by.
pub struct Content<'a> {
    pub spec: &'a FeatureSpec,
    /// All kinds with frames, side by side; nothing if none was asked for.
    pub framed: Option<Features>,
    /// The kinds without frames.
    pub whole: Vec<(TrackFeatureKind, TrackFeature)>,
    /// The sound itself, for its picture.
    pub samples: &'a [f32],
}

impl<'a> Content<'a> {
    /// Computes everything that is wanted of a sound.
    pub fn of(
        samples: &'a [f32],
        extractor: &'a mut FeatureExtractor,
        kinds: &Kinds,
    ) -> Result<Self, cantus_audio::Error> {
        let framed = (!kinds.framed.is_empty()).then(|| extractor.extract(samples));
        let spec = extractor.spec();
        let whole = kinds.whole.iter().map(|&kind| Ok((kind, kind.compute(samples, spec)?)));
        Ok(Self { spec, framed, whole: whole.collect::<Result<_, cantus_audio::Error>>()?, samples })
    }

    /// When each frame is heard, in seconds: `librosa.times_like`.
    pub fn times_s(&self) -> Vec<f64> {
        let n_frames = self.framed.as_ref().map_or(0, |features| features.n_frames);
        let frame_s = self.spec.hop_length as f64 / f64::from(self.spec.sample_rate);
        (0..n_frames).map(|t| t as f64 * frame_s).collect()
    }
}
