//! Decoding of FLAC; the checksums of its frames are computed anew.
#![no_main]

use cantus_fuzz::checksums::{repair_flac, verified};

const FLAC: &[u8] = include_bytes!("../../crates/cantus-audio/tests/fixtures/flac.flac");

fn seeds() -> Vec<Vec<u8>> {
    vec![verified(FLAC, repair_flac, 12)]
}

cantus_fuzz::target!(512, seeds: seeds(), |bytes| {
    let mut file = bytes.to_vec();
    repair_flac(&mut file);
    cantus_fuzz::decode(&file);
});
