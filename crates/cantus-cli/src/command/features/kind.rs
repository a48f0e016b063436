//! What can be asked of `cantus features`: kinds with frames, and kinds of a whole sound.

use cantus_audio::feature::{FeatureKind, TrackFeatureKind};

/// One kind of either sort.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A row for each frame.
    Framed(FeatureKind),
    /// Numbers of a shape of their own.
    Whole(TrackFeatureKind),
}

impl Kind {
    /// A kind by its name, with `-` or `_`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let name = text.replace('-', "_");
        let framed = FeatureKind::ALL.iter().find(|kind| kind.name() == name);
        let whole = || TrackFeatureKind::ALL.iter().find(|kind| kind.name() == name);
        framed.map(|&kind| Self::Framed(kind)).or_else(|| whole().map(|&kind| Self::Whole(kind))).ok_or_else(
            || {
                let whole = TrackFeatureKind::ALL.iter().map(|kind| kind.name());
                let names = FeatureKind::ALL.iter().map(|kind| kind.name()).chain(whole);
                let names: Vec<String> = names.map(|name| name.replace('_', "-")).collect();
                format!("no such kind; there are {}", names.join(", "))
            },
        )
    }
}

/// The kinds that were asked for, each once.
#[derive(Debug, Default)]
pub struct Kinds {
    /// Those with frames, which stand side by side.
    pub framed: Vec<FeatureKind>,
    /// The others.
    pub whole: Vec<TrackFeatureKind>,
}

impl Kinds {
    /// Sorts them out; none is MFCCs.
    pub fn new(kinds: &[Kind]) -> Self {
        let mut sorted = Self::default();
        for &kind in kinds {
            match kind {
                Kind::Framed(kind) if !sorted.framed.contains(&kind) => sorted.framed.push(kind),
                Kind::Whole(kind) if !sorted.whole.contains(&kind) => sorted.whole.push(kind),
                _ => {}
            }
        }
        if kinds.is_empty() {
            sorted.framed.push(FeatureKind::Mfcc);
        }
        sorted
    }
}
