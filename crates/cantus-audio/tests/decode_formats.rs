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
        ("pcm_s24le.w64", "pcm_s24le", bits_16),
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
        ("aac.mka", "aac", 16_000, 4096, 0, 0.03),
        ("mp3.mka", "mp3", 16_000, 3200, 0, 0.01),
        ("vorbis.mka", "vorbis", 16_000, 3200, 0, 0.005),
        ("opus.opus", "opus", 48_000, 9600, 0, 0.01),
        ("opus.webm", "opus", 48_000, 9600, 0, 0.01),
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
    for name in ["vorbis.ogg", "mp3.mp3", "flac.flac", "opus.webm"] {
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
fn the_length_is_that_of_the_source_where_the_file_declares_delay_and_padding() {
    for (name, n) in [
        ("mp3.mp3", 3200),
        ("mp3.mka", 3200),
        ("aac.m4a", 3200),
        ("vorbis.ogg", 3200),
        ("vorbis.mka", 3200),
        ("alac.m4a", 1600),
        ("opus.opus", 9600),
        ("opus.webm", 9600),
    ] {
        assert_eq!(decoded(name).audio.samples.len(), n, "{name}");
    }
}

/// The header or footer of an APE tag.
fn ape(version: u32, size: u32, flags: u8) -> Vec<u8> {
    let words = [version, size, 1].map(u32::to_le_bytes);
    [b"APETAGEX".as_slice(), words.as_flattened(), &[0, 0, 0, flags], &[0; 8]].concat()
}

#[test]
fn sizes_in_an_aiff_that_contradict_the_file_lose_no_samples() {
    let aiff = std::fs::read(fixture("pcm_s16be.aiff")).unwrap();
    let expected = decoded("pcm_s16be.aiff").audio.samples;
    let sound = aiff.windows(4).position(|bytes| bytes == b"SSND").unwrap() + 4;
    for (position, sizes) in
        [(4, [0, 100, 0x7FFF_FFFF, u32::MAX]), (sound, [0, 100_000, 0x7FFF_FFFF, u32::MAX])]
    {
        for size in sizes {
            let mut bytes = aiff.clone();
            bytes[position..position + 4].copy_from_slice(&size.to_be_bytes());
            let found = decode_bytes("song.aiff".as_ref(), bytes).unwrap();
            assert_eq!(found.audio.samples, expected, "{size} at {position}");
            assert_eq!(found.warnings.len(), 1, "{size} at {position}: {:?}", found.warnings);
        }
    }
    let truncated = decode_bytes("song.aiff".as_ref(), aiff[..aiff.len() - 400].to_vec()).unwrap();
    assert_eq!(truncated.audio.samples, expected[..140]);
    assert!(truncated.warnings.len() == 1 && truncated.warnings[0].is_end);
}

#[test]
fn tags_around_an_mp3_change_nothing() {
    let mp3 = std::fs::read(fixture("mp3.mp3")).unwrap();
    let expected = decoded("mp3.mp3");
    // A picture in which frame headers occur.
    let picture = [0xFF, 0xFB, 0x90, 0x00, 0x55].repeat(100);
    let id3v2 = [b"ID3\x04\0\0\0\0\x03\x74".as_slice(), &picture].concat();
    let id3v1 = [b"TAG".as_slice(), &[0xFF; 125]].concat();
    let apev2 = [ape(2000, 532, 0xA0), picture.clone(), ape(2000, 532, 0x80)].concat();
    let apev1 = [picture, ape(1000, 532, 0)].concat();
    for before in [&[], &id3v2[..], &apev2] {
        for after in [&[], &id3v2[..], &apev1, &apev2, &id3v1, &[&apev1[..], &id3v1].concat()] {
            let tagged = decode_bytes("song.mp3".as_ref(), [before, &mp3, after].concat()).unwrap();
            assert_eq!(tagged.audio, expected.audio);
            assert_eq!(tagged.warnings, []);
        }
    }
}

#[test]
fn missing_frames_become_silence_of_their_length_with_a_warning() {
    let mp3 = std::fs::read(fixture("mp3_without_tag.mp3")).unwrap().repeat(3);
    let whole = decode_bytes("song.mp3".as_ref(), mp3.clone()).unwrap().audio.samples;
    // 24 frames of 288 bytes and 576 samples: the tenth and eleventh, with their headers.
    let frame = mp3.len() / 24;
    for filler in [0x00, 0xFF, 0x55] {
        let mut holed = mp3.clone();
        holed[9 * frame..11 * frame].fill(filler);
        let found = decode_bytes("song.mp3".as_ref(), holed).unwrap();
        assert_eq!(found.audio.samples.len(), whole.len());
        let hole = &found.warnings[0];
        assert_eq!((hole.position, hole.n_samples), (9 * 576, 2 * 576), "{:?}", found.warnings);
        assert_eq!(found.audio.samples[..9 * 576], whole[..9 * 576]);
    }
    let late = decode_bytes("song.mp3".as_ref(), [&[0; 5000], &mp3[..]].concat()).unwrap();
    assert_eq!(
        (late.audio.samples.len(), late.warnings.len()),
        (whole.len(), 1),
        "bytes before the first frame"
    );
    let inserted = [&mp3[..4 * frame], &[0x55; 100], &mp3[4 * frame..]].concat();
    let found = decode_bytes("song.mp3".as_ref(), inserted).unwrap();
    assert_eq!((found.audio.samples.len(), found.warnings.len()), (whole.len(), 1));
}

#[test]
fn concatenated_mp3s_of_several_rates_are_one_recording() {
    let low = std::fs::read(fixture("mp3_without_tag.mp3")).unwrap();
    // The same frames with another sample rate in their headers: 24 kHz, whose frames are shorter.
    let mut high = Vec::new();
    for frame in low.chunks_exact(low.len() / 8) {
        let mut frame = frame[..192].to_vec();
        frame[2] = frame[2] & !0b1100 | 0b0100;
        frame[4..].fill(0);
        high.extend(frame);
    }
    let found = decode_bytes("song.mp3".as_ref(), [&low[..], &high, &low].concat()).unwrap();
    assert_eq!(found.audio.sample_rate, 16_000);
    assert_eq!(found.audio.samples.len(), 2 * 8 * 576 + 8 * 576 * 16 / 24);
    let changes = found.warnings.iter().filter(|warning| warning.reason.contains("sample rate changes"));
    assert_eq!(changes.map(|change| change.position).collect::<Vec<_>>(), [4608, 7680]);
}
