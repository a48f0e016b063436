//! Feature specifications with changed values: one that is valid, and small, computes features of a segment.
#![no_main]

use std::sync::LazyLock;

use cantus_audio::feature::{FeatureKind, FeatureSpec};
use cantus_fuzz::changes::Changes;
use cantus_fuzz::files::check_message;
use cantus_fuzz::model::recipe;
use cantus_fuzz::store::tone;
use serde::Serialize;
use serde_json::Value;

/// A specification with the parameters of all kinds, which are left out of its text where they have their defaults.
static VALID: LazyLock<Value> = LazyLock::new(|| {
    let spec = recipe().features;
    let mut document = json(&spec);
    let parameters = [
        ("bandwidth", json(&spec.bandwidth)),
        ("beat", json(&spec.beat)),
        ("chroma_cqt", json(&spec.chroma_cqt)),
        ("chroma_stft", json(&spec.chroma_stft)),
        ("contrast", json(&spec.contrast)),
        ("cqt", json(&spec.cqt)),
        ("delta", json(&spec.delta)),
        ("flatness", json(&spec.flatness)),
        ("hpss", json(&spec.hpss)),
        ("onset", json(&spec.onset)),
        ("pcen", json(&spec.pcen)),
        ("rolloff", json(&spec.rolloff)),
        ("tempo", json(&spec.tempo)),
        ("tempogram", json(&spec.tempogram)),
    ];
    parameters.into_iter().for_each(|(name, value)| document[name] = value);
    document
});

fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("JSON")
}

cantus_fuzz::target!(3072, |input: (Changes, u8)| {
    let (changes, kind) = input;
    let mut document = VALID.clone();
    document["kinds"][0] = FeatureKind::ALL[usize::from(kind) % FeatureKind::ALL.len()].name().into();
    let Ok(spec) = serde_json::from_value::<FeatureSpec>(changes.of(&document)) else { return };
    if let Err(error) = spec.validate() {
        return check_message(&error);
    }
    let _ = (spec.bin_names(), spec.warnings(spec.segment_samples()), spec.columns().count());
    // A larger one is valid, but takes long.
    let n_values = spec.frames_per_segment().saturating_mul(spec.n_fft.max(spec.n_bins()));
    if n_values > 1 << 21 || spec.segment_samples() > 1 << 17 || spec.n_mels > 512 || spec.n_mfcc > 512 {
        return;
    }
    match spec.extractor() {
        Ok(mut extractor) => {
            let mut samples = tone(440.0).samples;
            samples.resize(spec.segment_samples(), 0.0);
            drop(extractor.extract(&samples));
        }
        Err(error) => check_message(&error),
    }
});
