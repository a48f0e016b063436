//! The same tone in every supported format.
//!
//! The fixtures were made by `fixtures/make.sh` with ffmpeg, flac and lame: 440 Hz on the left, 660 Hz on the right,
//! amplitude 0.25 each. The expected samples are the tone itself.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::f64::consts::PI;
use std::path::{Path, PathBuf};

use cantus_audio::decode::{Decoder, Recording, decode, decode_bytes, load, load_start};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn decoded(name: &str) -> Recording {
    let recording = decode(&fixture(name)).unwrap();
    assert_eq!(recording.warnings, [], "{name}");
    assert_eq!(recording.source.n_channels, 2, "{name}");
    recording
}

/// The average of both channels.
fn tone(n: usize, sample_rate: u32, delay: usize) -> Vec<f32> {
    let sine = |frequency: f64, i: usize| (2.0 * PI * frequency * i as f64 / f64::from(sample_rate)).sin();
    let at = |i: usize| (0.125 * (sine(440.0, i) + sine(660.0, i))) as f32;
    (0..n).map(|i| i.checked_sub(delay).map_or(0.0, at)).collect()
}

fn rms(samples: impl Iterator<Item = f32>) -> f64 {
    let squares: Vec<f64> = samples.map(|x| f64::from(x) * f64::from(x)).collect();
    (squares.iter().sum::<f64>() / squares.len() as f64).sqrt()
}

#[test]
fn pcm_is_accurate_to_its_resolution() {
    // ffmpeg's sine source has a table of 16-bit values, which are then doubled.
    let bits_16 = 3.0 / 32_768.0;
    for (name, codec, resolution) in [
        ("pcm_u8.wav", "pcm_u8", 1.0 / 128.0),
        ("pcm_s16le.wav", "pcm_s16le", bits_16),
        ("pcm_s24le.wav", "pcm_s24le", bits_16),
        ("pcm_s32le.wav", "pcm_s32le", bits_16),
        ("pcm_f32le.wav", "pcm_f32le", bits_16),
        ("pcm_f64le.wav", "pcm_f64le", bits_16),
        ("pcm_s8.au", "pcm_s8", 1.0 / 128.0),
        ("pcm_s16be.au", "pcm_s16be", bits_16),
        ("pcm_s24be.au", "pcm_s24be", bits_16),
        ("pcm_s32be.au", "pcm_s32be", bits_16),
        ("pcm_f32be.au", "pcm_f32be", bits_16),
        ("pcm_f64be.au", "pcm_f64be", bits_16),
        ("pcm_s16be.aiff", "pcm_s16be", bits_16),
        ("pcm_s24be.aiff", "pcm_s24be", bits_16),
        ("pcm_s16le.caf", "pcm_s16le", bits_16),
        // Logarithmic: 16 steps in every octave, the largest here between 0.125 and 0.25.
        ("pcm_alaw.wav", "pcm_alaw", 0.125 / 16.0),
        ("pcm_mulaw.wav", "pcm_mulaw", 0.125 / 16.0),
        ("pcm_alaw.au", "pcm_alaw", 0.125 / 16.0),
        ("pcm_mulaw.au", "pcm_mulaw", 0.125 / 16.0),
    ] {
        let Recording { audio, source, .. } = decoded(name);
        assert_eq!((source.codec.as_str(), source.sample_rate, audio.sample_rate), (codec, 8000, 8000));
        assert_eq!(audio.samples.len(), 240, "{name}");
        for (i, (found, expected)) in audio.samples.iter().zip(tone(240, 8000, 0)).enumerate() {
            assert!(
                (found - expected).abs() < 1.1 * resolution,
                "{name} at {i}: {found} instead of {expected}"
            );
        }
    }
}

#[test]
fn lossless_codecs_are_accurate_to_16_bits() {
    for (name, codec) in
        [("flac.flac", "flac"), ("flac.mka", "flac"), ("alac.m4a", "alac"), ("alac.caf", "alac")]
    {
        let Recording { audio, source, .. } = decoded(name);
        assert_eq!(
            (source.codec.as_str(), audio.sample_rate, audio.samples.len()),
            (codec, 8000, 1600),
            "{name}"
        );
        for (i, (found, expected)) in audio.samples.iter().zip(tone(1600, 8000, 0)).enumerate() {
            assert!(
                (found - expected).abs() < 3.0 / 32_768.0,
                "{name} at {i}: {found} instead of {expected}"
            );
        }
    }
}

#[test]
fn lossy_codecs_are_accurate_to_their_tolerance() {
    // The delay is that of the encoder; where the file does not declare it, it is not removed, as in librosa.
    for (name, codec, rate, n, delay, tolerance) in [
        ("adpcm_ms.wav", "adpcm_ms", 8000, 1600, 0, 0.01),
        ("adpcm_ima_wav.wav", "adpcm_ima_wav", 8000, 1600, 0, 0.01),
        ("vorbis.ogg", "vorbis", 16_000, 3200, 0, 0.005),
        ("mp3.mp3", "mp3", 16_000, 3200, 0, 0.01),
        ("mp3_without_tag.mp3", "mp3", 16_000, 4608, 1105, 0.01),
        ("mp2.mp2", "mp2", 16_000, 3456, 481, 0.01),
        ("aac.aac", "aac", 16_000, 5120, 1024, 0.03),
        ("aac.m4a", "aac", 16_000, 3200, 0, 0.03),
    ] {
        let Recording { audio, source, .. } = decoded(name);
        assert_eq!((source.codec.as_str(), audio.sample_rate), (codec, rate), "{name}");
        assert!(audio.samples.len() >= n && audio.samples.len() < n + 500, "{name}: {}", audio.samples.len());
        // The codec's window smears the beginning and the end.
        let middle = delay + 300..n.min(delay + rate as usize / 5) - 300;
        let expected = tone(n, rate, delay);
        let error = rms(middle.clone().map(|i| audio.samples[i] - expected[i]));
        assert!(error < tolerance, "{name}: rms error {error}");
    }
}

#[test]
fn formats_are_identified_by_content_not_by_name() {
    for (name, codec) in
        [("flac.flac", "flac"), ("mp3.mp3", "mp3"), ("pcm_s16be.au", "pcm_s16be"), ("aac.m4a", "aac")]
    {
        let bytes = std::fs::read(fixture(name)).unwrap();
        for called in ["song.wav", "SONG.MP3", "song"] {
            assert_eq!(decode_bytes(called.as_ref(), bytes.clone()).unwrap().source.codec, codec);
        }
    }
}

#[test]
fn load_start_equals_the_start_of_load() {
    for name in ["vorbis.ogg", "mp3.mp3", "flac.flac"] {
        let whole = load(&fixture(name), 22_050).unwrap().audio;
        assert_eq!((whole.sample_rate, whole.samples.len()), (22_050, 4410), "{name}");
        let start = load_start(&fixture(name), 22_050, 0.05).unwrap().audio;
        assert_eq!(start.samples.len(), 1103);
        assert!(start.samples.iter().zip(&whole.samples).all(|(a, b)| (a - b).abs() < 1e-6), "{name}");
        assert_eq!(load_start(&fixture(name), 22_050, 10.0).unwrap().audio, whole);
    }
}

#[test]
fn blocks_together_equal_the_recording() {
    let mut decoder = Decoder::open(&fixture("mp3.mp3")).unwrap();
    assert_eq!(decoder.source().codec, "mp3");
    let mut samples = Vec::new();
    while let Some(block) = decoder.next_block().unwrap() {
        assert!(!block.is_empty());
        samples.extend_from_slice(block);
    }
    assert_eq!(samples, decoded("mp3.mp3").audio.samples);
    assert_eq!(decoder.next_block().unwrap(), None, "the end is permanent");
}

#[test]
fn tags_around_an_mp3_change_nothing() {
    let mp3 = std::fs::read(fixture("mp3.mp3")).unwrap();
    let id3v2 = [b"ID3\x04\0\0\0\0\x01\x02".as_slice(), &[0xFF; 130]].concat();
    let tagged = [id3v2, mp3, b"TAG".to_vec(), vec![0xFF; 125]].concat();
    assert_eq!(decode_bytes("song.mp3".as_ref(), tagged).unwrap().audio, decoded("mp3.mp3").audio);
}
