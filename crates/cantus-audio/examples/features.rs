//! MFCCs of recordings, equal to librosa's; the extractor is planned once for all of them.
//!
//!     cargo run -p cantus-audio --example features -- song.mp3 …

#![expect(clippy::print_stdout, reason = "an example prints its result")]

use std::path::Path;

use cantus_audio::decode;
use cantus_audio::feature::FeatureSpec;

fn main() -> Result<(), cantus_audio::Error> {
    let spec = FeatureSpec::default();
    let mut extractor = spec.extractor()?;
    for song in std::env::args().skip(1) {
        let recording = decode::load(Path::new(&song), spec.sample_rate)?;
        let mfcc = extractor.extract(&recording.audio.samples);
        println!(
            "{song}: {} frames of {} coefficients; the first: {:.1?}",
            mfcc.n_frames,
            mfcc.n_bins,
            &mfcc.values[..mfcc.n_bins]
        );
    }
    Ok(())
}
