//! Decoding of Ogg with Vorbis, Opus and FLAC; the checksums of its pages are computed anew.
#![no_main]

use cantus_fuzz::checksums::{repair_ogg, verified};

const VORBIS: &[u8] = include_bytes!("../../crates/cantus-audio/tests/fixtures/vorbis.ogg");
const OPUS: &[u8] = include_bytes!("../../crates/cantus-audio/tests/fixtures/opus.opus");

fn seeds() -> Vec<Vec<u8>> {
    [VORBIS, OPUS].map(|file| verified(file, repair_ogg, 0)).to_vec()
}

cantus_fuzz::target!(512, seeds: seeds(), |bytes| {
    let mut file = bytes.to_vec();
    repair_ogg(&mut file);
    cantus_fuzz::decode(&file);
});
