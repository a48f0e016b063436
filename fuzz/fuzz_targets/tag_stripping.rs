//! Decoding of a valid recording between arbitrary bytes: ID3, APE and Lyrics3 tags at its ends.
#![no_main]

const MP3: &[u8] = include_bytes!("../../crates/cantus-audio/tests/fixtures/mp3_without_tag.mp3");
const WAV: &[u8] = include_bytes!("../../crates/cantus-audio/tests/fixtures/pcm_s16le.wav");

cantus_fuzz::target!(512, |input: (bool, &[u8], &[u8])| {
    let (is_mp3, before, after) = input;
    cantus_fuzz::decode(&[before, if is_mp3 { MP3 } else { WAV }, after].concat());
});
