//! Import of the lecture course's `data.json`; what is imported can be exported.
#![no_main]

use cantus_audio::feature::{FeatureKind, FeatureSpec, Segments};
use cantus_dataset::course_json::{export, import};
use cantus_fuzz::files::{check_message, removed};

/// Segments of 4 frames of 2 MFCCs.
fn spec() -> FeatureSpec {
    let spec = FeatureSpec { n_mfcc: 2, n_fft: 64, hop_length: 32, n_mels: 8, ..FeatureSpec::course() };
    assert_eq!(spec.kinds, [FeatureKind::Mfcc]);
    let track_duration_s = 100.0 / f64::from(spec.sample_rate);
    FeatureSpec { segments: Segments::Parts { track_duration_s, n_segments: 1 }, ..spec }
}

cantus_fuzz::target!(512, |bytes| {
    let path = cantus_fuzz::write_file("data.json", bytes);
    match import(&path, &spec(), &removed("imported"), true) {
        Ok(store) => export(&store, &removed("exported.json")).expect("an imported store can be exported"),
        Err(error) => check_message(&error),
    }
});
