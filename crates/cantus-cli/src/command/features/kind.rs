//! The kinds of feature of `cantus features`: frame-level and track-level.

use cantus_audio::feature::{FeatureKind, FeatureSpec, SpecWarning, TrackFeatureKind};

/// A kind of either level.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A row for each frame.
    FrameLevel(FeatureKind),
    /// A vector for the whole recording.
    TrackLevel(TrackFeatureKind),
}

impl Kind {
    /// A kind by its name, with `-` or `_`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let name = text.replace('-', "_");
        let framed = FeatureKind::ALL.iter().find(|kind| kind.name() == name);
        let whole = || TrackFeatureKind::ALL.iter().find(|kind| kind.name() == name);
        framed
            .map(|&kind| Self::FrameLevel(kind))
            .or_else(|| whole().map(|&kind| Self::TrackLevel(kind)))
            .ok_or_else(|| {
                let whole = TrackFeatureKind::ALL.iter().map(|kind| kind.name());
                let names = FeatureKind::ALL.iter().map(|kind| kind.name()).chain(whole);
                let names: Vec<String> = names.map(|name| name.replace('_', "-")).collect();
                format!("no such kind; there are {}", names.join(", "))
            })
    }
}

/// The requested kinds, without repetition.
#[derive(Debug, Default)]
pub struct Kinds {
    /// The frame-level kinds, which are concatenated.
    pub framed: Vec<FeatureKind>,
    /// The track-level kinds.
    pub whole: Vec<TrackFeatureKind>,
}

impl Kinds {
    /// Separates the two levels; without any kind, MFCCs.
    pub fn new(kinds: &[Kind]) -> Self {
        let mut sorted = Self::default();
        for &kind in kinds {
            match kind {
                Kind::FrameLevel(kind) if !sorted.framed.contains(&kind) => sorted.framed.push(kind),
                Kind::TrackLevel(kind) if !sorted.whole.contains(&kind) => sorted.whole.push(kind),
                _ => {}
            }
        }
        if kinds.is_empty() {
            sorted.framed.push(FeatureKind::Mfcc);
        }
        sorted
    }

    /// The values of embedding models alone.
    pub fn of_embedding() -> Self {
        Self { framed: vec![FeatureKind::Embedding], whole: Vec::new() }
    }

    /// The warnings about a recording; tempo and beats are computed from onset strength.
    pub fn warnings(&self, spec: &FeatureSpec, n_samples: usize) -> Vec<SpecWarning> {
        let mut kinds = self.framed.clone();
        if self.whole.iter().any(|kind| matches!(kind, TrackFeatureKind::Tempo | TrackFeatureKind::Beats)) {
            kinds.push(FeatureKind::OnsetStrength);
        }
        if kinds.is_empty() {
            return Vec::new();
        }
        FeatureSpec { kinds, ..spec.clone() }.warnings(n_samples)
    }
}
