//! Decoding of Ogg with Vorbis, Opus and FLAC; the checksums of its pages are computed anew.
#![no_main]

use cantus_fuzz::checksums::repair_ogg;

cantus_fuzz::target!(512, |bytes| {
    let mut file = bytes.to_vec();
    repair_ogg(&mut file);
    cantus_fuzz::decode(&file);
});
