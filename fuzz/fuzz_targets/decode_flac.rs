//! Decoding of FLAC; the checksums of its frames are computed anew.
#![no_main]

use cantus_fuzz::checksums::repair_flac;

cantus_fuzz::target!(512, |bytes| {
    let mut file = bytes.to_vec();
    repair_flac(&mut file);
    cantus_fuzz::decode(&file);
});
